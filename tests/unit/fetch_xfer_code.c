#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

#include "base/util.h"
#include "fetch/xfer_setup.h"

Test(xfer_code, tells_the_reason_from_libcurls_code)
{
    static const struct {
        const char *message;
        CURLcode code;
        enum reason reason;
    } cases[] = {
        {"Could not resolve host: x", CURLE_COULDNT_RESOLVE_HOST, REASON_DNS},
        {"Connection refused", CURLE_COULDNT_CONNECT, REASON_CONNECT},
        {"", CURLE_SSL_CONNECT_ERROR, REASON_TLS},
        {"", CURLE_PEER_FAILED_VERIFICATION, REASON_TLS},
        {"", CURLE_SSL_CACERT_BADFILE, REASON_TLS},
        {"", CURLE_OPERATION_TIMEDOUT, REASON_TIMEOUT},
        {"Empty reply from server", CURLE_GOT_NOTHING, REASON_RESET},
        {"", CURLE_SEND_ERROR, REASON_RESET},
        {"", CURLE_PARTIAL_FILE, REASON_RESET},
        {"Recv failure: Connection reset by peer", CURLE_RECV_ERROR, REASON_RESET},
        {"Illegal or missing hexadecimal sequence in chunked-encoding", CURLE_RECV_ERROR,
         REASON_PROTOCOL},
        {"Too large response headers: 310000 > 307200", CURLE_RECV_ERROR, REASON_PROTOCOL},
        {"CONNECT tunnel failed, response 407", CURLE_RECV_ERROR, REASON_CONNECT},
        {"Received HTTP/0.9 when not allowed", CURLE_UNSUPPORTED_PROTOCOL, REASON_PROTOCOL},
        {"", CURLE_WEIRD_SERVER_REPLY, REASON_PROTOCOL},
        {"", CURLE_OUT_OF_MEMORY, REASON_PROTOCOL},
        {"", CURLE_BAD_CONTENT_ENCODING, REASON_ENCODING},
        {"", CURLE_WRITE_ERROR, REASON_ENCODING},
        {"", CURLE_FILESIZE_EXCEEDED, REASON_TOO_LARGE},
        {"", CURLE_TOO_MANY_REDIRECTS, REASON_REDIRECTS},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum reason reason = xfer_reason(cases[i].code, cases[i].message);
        cr_expect_eq(reason, cases[i].reason, "%d %s: %s", (int)cases[i].code, cases[i].message,
                     reason_name(reason));
    }
}

/* libcurl says itself which codes it has given up; 7.88 still has these. */
static bool is_of_old_versions(int code)
{
    return code == CURLE_HTTP_POST_ERROR || code == CURLE_FUNCTION_NOT_FOUND;
}

Test(xfer_code, has_a_row_for_every_code_that_is_in_use)
{
    for (int code = 0; code < CURL_LAST; code++) {
        bool is_used = is_of_old_versions(code) ||
                       strcmp(curl_easy_strerror((CURLcode)code), "Unknown error") != 0;
        cr_expect_eq(xfer_knows_code((CURLcode)code), is_used, "%d: %s", code,
                     curl_easy_strerror((CURLcode)code));
    }
}

Test(xfer_code, says_of_a_code_without_a_row_that_it_is_not_known)
{
    CURLcode later = (CURLcode)(CURL_LAST + 1);

    cr_expect_not(xfer_knows_code(later));
    cr_expect_eq(xfer_reason(later, ""), REASON_PROTOCOL);
    cr_expect_not_null(strstr(xfer_words(later, ""), "does not know"));
    cr_expect_str_eq(xfer_words(later, "the words of that libcurl"), "the words of that libcurl");
}

Test(xfer_code, never_calls_a_failure_ok)
{
    for (int code = 1; code < CURL_LAST + 50; code++)
        cr_expect_neq(xfer_reason((CURLcode)code, ""), REASON_OK, "%d", code);
}

Test(xfer_code, has_words_for_every_code)
{
    for (int code = 1; code < CURL_LAST; code++)
        cr_expect_str_not_empty(xfer_words((CURLcode)code, ""), "%d", code);
    cr_expect_str_eq(xfer_words(CURLE_COULDNT_CONNECT, "refused"), "refused");
    cr_expect_str_eq(xfer_words(CURLE_OUT_OF_MEMORY, "Out of memory"),
                     "a header line is too large");
    cr_expect_str_eq(xfer_words(CURLE_RECV_ERROR, "Out of memory in chunked-encoding"),
                     "a line of the trailers is too large");
}
