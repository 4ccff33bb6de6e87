#include <criterion/criterion.h>
#include <string.h>

#include "base/reason.h"
#include "base/result.h"

Test(result, says_how_it_ended_in_the_last_words)
{
    struct result result = {0};

    result_setf(&result, REASON_HTTP, "status %d", 404);
    result_setf(&result, REASON_TIMEOUT, "no byte for %g s", 0.5);
    cr_expect_eq(result.reason, REASON_TIMEOUT);
    cr_expect_str_eq(result.message, "no byte for 0.5 s");
    result_release(&result);
    cr_expect_null(result.message);
}

Test(result, may_be_given_words_made_of_its_own)
{
    struct result result = {0};

    result_setf(&result, REASON_TLS, "bad");
    result_setf(&result, REASON_TLS, "very %s", result.message);
    cr_expect_str_eq(result.message, "very bad");
    result_release(&result);
}

Test(result, forgets_the_last_transfer_and_keeps_the_chain_when_another_begins)
{
    struct result result = {.exitcode = 7, .http_code = 302, .body_bytes = 9};

    result_pass(&result, xstrdup("http://a/"));
    result_setf(&result, REASON_CONNECT, "refused");
    result_restart(&result);
    result_restart(&result);
    cr_expect_eq(result.reason, REASON_OK);
    cr_expect_null(result.message);
    cr_expect_eq(result.exitcode, 0);
    cr_expect_eq(result.http_code, 0);
    cr_expect_eq(result.body_bytes, 0);
    cr_expect_eq(result.starts, 2);
    cr_expect_eq(result.n_passed, 1);
    result_release(&result);
}

Test(result, lists_the_urls_passed_through_in_order)
{
    static const char *const urls[] = {"http://a/", "http://b/", "http://c/"};
    struct result result = {0};

    for (size_t i = 0; i < ARRAY_LEN(urls); i++)
        result_pass(&result, xstrdup(urls[i]));
    cr_assert_eq(result.n_passed, ARRAY_LEN(urls));
    for (size_t i = 0; i < ARRAY_LEN(urls); i++)
        cr_expect_str_eq(result.passed[i], urls[i]);
    result_release(&result);
    cr_expect_eq(result.n_passed, 0);
}

/* Scripts rely on these words. */
Test(reason, has_the_words_of_the_contract)
{
    static const char *const words[] = {
        "ok",        "http",     "dns",       "connect",   "tls",      "timeout",
        "reset",     "protocol", "redirects", "too_large", "encoding", "denied",
        "host_down", "invalid",  "cancelled", "halted",    "output",
    };

    cr_assert_eq(ARRAY_LEN(words), REASON_COUNT);
    for (enum reason reason = 0; reason < REASON_COUNT; reason++)
        cr_expect_str_eq(reason_name(reason), words[reason]);
}
