#include <string.h>

#include "base/util.h"
#include "fetch/xfer_setup.h"

/* A row for each code that libcurl has, save for those that it does not use any more. Where a code
 * stands for several things its words tell which, below. */
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
#if LIBCURL_VERSION_NUM >= 0x080600
    [CURLE_TOO_LARGE] = REASON_PROTOCOL,
#endif
#if LIBCURL_VERSION_NUM >= 0x080800
    [CURLE_ECH_REQUIRED] = REASON_TLS,
#endif
    /* An option that libcurl does not take. */
    [CURLE_UNKNOWN_OPTION] = REASON_INVALID,
    [CURLE_SETOPT_OPTION_SYNTAX] = REASON_INVALID,
    /* Of what is not HTTP; as we permit nothing else, none should come. */
    [CURLE_FTP_ACCEPT_FAILED] = REASON_PROTOCOL,
    [CURLE_FTP_WEIRD_PASS_REPLY] = REASON_PROTOCOL,
    [CURLE_FTP_ACCEPT_TIMEOUT] = REASON_PROTOCOL,
    [CURLE_FTP_WEIRD_PASV_REPLY] = REASON_PROTOCOL,
    [CURLE_FTP_WEIRD_227_FORMAT] = REASON_PROTOCOL,
    [CURLE_FTP_CANT_GET_HOST] = REASON_PROTOCOL,
    [CURLE_FTP_COULDNT_SET_TYPE] = REASON_PROTOCOL,
    [CURLE_FTP_COULDNT_RETR_FILE] = REASON_PROTOCOL,
    [CURLE_QUOTE_ERROR] = REASON_PROTOCOL,
    [CURLE_UPLOAD_FAILED] = REASON_PROTOCOL,
    [CURLE_FTP_PORT_FAILED] = REASON_PROTOCOL,
    [CURLE_FTP_COULDNT_USE_REST] = REASON_PROTOCOL,
    [CURLE_LDAP_CANNOT_BIND] = REASON_PROTOCOL,
    [CURLE_LDAP_SEARCH_FAILED] = REASON_PROTOCOL,
    [CURLE_FUNCTION_NOT_FOUND] = REASON_PROTOCOL,
    [CURLE_TFTP_NOTFOUND] = REASON_PROTOCOL,
    [CURLE_TFTP_PERM] = REASON_PROTOCOL,
    [CURLE_REMOTE_DISK_FULL] = REASON_PROTOCOL,
    [CURLE_TFTP_ILLEGAL] = REASON_PROTOCOL,
    [CURLE_TFTP_UNKNOWNID] = REASON_PROTOCOL,
    [CURLE_REMOTE_FILE_EXISTS] = REASON_PROTOCOL,
    [CURLE_TFTP_NOSUCHUSER] = REASON_PROTOCOL,
    [CURLE_REMOTE_FILE_NOT_FOUND] = REASON_PROTOCOL,
    [CURLE_SSH] = REASON_PROTOCOL,
    [CURLE_FTP_PRET_FAILED] = REASON_PROTOCOL,
    [CURLE_RTSP_CSEQ_ERROR] = REASON_PROTOCOL,
    [CURLE_RTSP_SESSION_ERROR] = REASON_PROTOCOL,
    [CURLE_FTP_BAD_FILE_LIST] = REASON_PROTOCOL,
};

/* CURLE_TOO_LARGE of 8.6 and later, also where the program was built with an older one. */
enum { TOO_LARGE = 100 };

bool xfer_knows_code(CURLcode code)
{
    return code < CURL_LAST && (code == CURLE_OK || reasons[code] != REASON_OK);
}

bool xfer_is_unresolved(CURLcode code)
{
    return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY;
}

/* What libcurl reports as an error of receiving, though something came: what was no HTTP, or what a
 * proxy says that opens no tunnel; and a key of a client that does not fit, which 8.23 reports as a
 * wrong argument. The words are those of 7.88 to 8.23. */
static const struct {
    CURLcode code;
    const char *words;
    enum reason reason;
} told[] = {
    {CURLE_RECV_ERROR, "chunk", REASON_PROTOCOL},
    {CURLE_RECV_ERROR, "response headers", REASON_PROTOCOL},
    {CURLE_RECV_ERROR, "header", REASON_PROTOCOL},
    {CURLE_RECV_ERROR, "CONNECT tunnel failed", REASON_CONNECT},
    {CURLE_BAD_FUNCTION_ARGUMENT, "private key", REASON_TLS},
};

enum reason xfer_reason(CURLcode code, const char *message)
{
    for (size_t i = 0; i < ARRAY_LEN(told); i++) {
        if (code == told[i].code && strstr(message, told[i].words))
            return told[i].reason;
    }
    return xfer_knows_code(code) ? reasons[code] : REASON_PROTOCOL;
}

const char *xfer_words(CURLcode code, const char *message)
{
    /* 8.x counts them, 8.23 those of the trailers as well. */
    if (strstr(message, "Too many response headers"))
        return "too many lines of headers or trailers";
    /* One header line of more than libcurl holds; of real want of memory we hear by ourselves. */
    if (code == CURLE_OUT_OF_MEMORY || (int)code == TOO_LARGE)
        return "a header line is too large";
    if (code == CURLE_RECV_ERROR && strstr(message, "Out of memory in chunked"))
        return "a line of the trailers is too large";
    if (code == CURLE_WEIRD_SERVER_REPLY && strcmp(message, "Invalid status line") == 0)
        return "what came is not HTTP: invalid status line";
    if (*message || xfer_knows_code(code))
        return *message ? message : curl_easy_strerror(code);
    return "a failure that this version does not know; its number is curl's";
}
