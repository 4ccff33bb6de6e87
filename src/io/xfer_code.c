#include <string.h>

#include "base/util.h"
#include "io/xfer_internal.h"

/* A row for each code a transfer of ours can end with. Which words a code stands for, where it
 * stands for several things, is told apart below. */
static const enum reason reasons[CURL_LAST] = {
    [CURLE_OK] = REASON_OK,
    /* HTTP/0.9, since we hand libcurl no scheme but http and https. */
    [CURLE_UNSUPPORTED_PROTOCOL] = REASON_PROTOCOL,
    [CURLE_FAILED_INIT] = REASON_CONNECT,
    [CURLE_URL_MALFORMAT] = REASON_INVALID,
    [CURLE_NOT_BUILT_IN] = REASON_PROTOCOL,
    [CURLE_COULDNT_RESOLVE_PROXY] = REASON_DNS,
    [CURLE_COULDNT_RESOLVE_HOST] = REASON_DNS,
    [CURLE_COULDNT_CONNECT] = REASON_CONNECT,
    [CURLE_WEIRD_SERVER_REPLY] = REASON_PROTOCOL,
    [CURLE_REMOTE_ACCESS_DENIED] = REASON_DENIED,
    [CURLE_HTTP2] = REASON_PROTOCOL,
    [CURLE_PARTIAL_FILE] = REASON_RESET,
    [CURLE_HTTP_RETURNED_ERROR] = REASON_HTTP,
    [CURLE_WRITE_ERROR] = REASON_ENCODING,
    [CURLE_READ_ERROR] = REASON_OUTPUT,
    /* See xfer_words. */
    [CURLE_OUT_OF_MEMORY] = REASON_PROTOCOL,
    [CURLE_OPERATION_TIMEDOUT] = REASON_TIMEOUT,
    [CURLE_RANGE_ERROR] = REASON_PROTOCOL,
    [CURLE_HTTP_POST_ERROR] = REASON_PROTOCOL,
    [CURLE_SSL_CONNECT_ERROR] = REASON_TLS,
    [CURLE_BAD_DOWNLOAD_RESUME] = REASON_PROTOCOL,
    [CURLE_FILE_COULDNT_READ_FILE] = REASON_OUTPUT,
    [CURLE_ABORTED_BY_CALLBACK] = REASON_CONNECT,
    [CURLE_BAD_FUNCTION_ARGUMENT] = REASON_INVALID,
    [CURLE_INTERFACE_FAILED] = REASON_CONNECT,
    [CURLE_TOO_MANY_REDIRECTS] = REASON_REDIRECTS,
    [CURLE_GOT_NOTHING] = REASON_RESET,
    [CURLE_SSL_ENGINE_NOTFOUND] = REASON_TLS,
    [CURLE_SSL_ENGINE_SETFAILED] = REASON_TLS,
    [CURLE_SEND_ERROR] = REASON_RESET,
    [CURLE_RECV_ERROR] = REASON_RESET,
    [CURLE_SSL_CERTPROBLEM] = REASON_TLS,
    [CURLE_SSL_CIPHER] = REASON_TLS,
    [CURLE_PEER_FAILED_VERIFICATION] = REASON_TLS,
    [CURLE_BAD_CONTENT_ENCODING] = REASON_ENCODING,
    [CURLE_FILESIZE_EXCEEDED] = REASON_TOO_LARGE,
    [CURLE_USE_SSL_FAILED] = REASON_TLS,
    [CURLE_SEND_FAIL_REWIND] = REASON_RESET,
    [CURLE_SSL_ENGINE_INITFAILED] = REASON_TLS,
    [CURLE_LOGIN_DENIED] = REASON_DENIED,
    [CURLE_SSL_CACERT_BADFILE] = REASON_TLS,
    [CURLE_SSL_SHUTDOWN_FAILED] = REASON_TLS,
    [CURLE_AGAIN] = REASON_RESET,
    [CURLE_SSL_CRL_BADFILE] = REASON_TLS,
    [CURLE_SSL_ISSUER_ERROR] = REASON_TLS,
    [CURLE_CHUNK_FAILED] = REASON_PROTOCOL,
    [CURLE_NO_CONNECTION_AVAILABLE] = REASON_CONNECT,
    [CURLE_SSL_PINNEDPUBKEYNOTMATCH] = REASON_TLS,
    [CURLE_SSL_INVALIDCERTSTATUS] = REASON_TLS,
    [CURLE_HTTP2_STREAM] = REASON_RESET,
    [CURLE_RECURSIVE_API_CALL] = REASON_CONNECT,
    [CURLE_AUTH_ERROR] = REASON_DENIED,
    [CURLE_HTTP3] = REASON_PROTOCOL,
    [CURLE_QUIC_CONNECT_ERROR] = REASON_CONNECT,
    [CURLE_PROXY] = REASON_CONNECT,
    [CURLE_SSL_CLIENTCERT] = REASON_TLS,
    [CURLE_UNRECOVERABLE_POLL] = REASON_CONNECT,
};

/* What libcurl reports as an error of receiving, though something came: what was no HTTP, or what a
 * proxy says that opens no tunnel. */
static const struct {
    const char *words;
    enum reason reason;
} received[] = {
    {"chunked-encoding", REASON_PROTOCOL},
    {"response headers", REASON_PROTOCOL},
    {"header", REASON_PROTOCOL},
    {"CONNECT tunnel failed", REASON_CONNECT},
};

enum reason xfer_reason(CURLcode code, const char *message)
{
    for (size_t i = 0; i < ARRAY_LEN(received) && code == CURLE_RECV_ERROR; i++) {
        if (strstr(message, received[i].words))
            return received[i].reason;
    }
    enum reason reason = code < CURL_LAST ? reasons[code] : REASON_PROTOCOL;
    return reason == REASON_OK ? REASON_PROTOCOL : reason;
}

const char *xfer_words(CURLcode code, const char *message)
{
    /* One header line of more than libcurl holds; of real want of memory we hear by ourselves. */
    if (code == CURLE_OUT_OF_MEMORY)
        return "a header line is too large";
    return *message ? message : curl_easy_strerror(code);
}
