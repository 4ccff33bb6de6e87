#include <criterion/criterion.h>
#include <string.h>

#include "base/util.h"
#include "input/request.h"

struct ask_case {
    const char *method; /* of the request */
    enum payload_kind kind;
    const char *payload;
    struct ask defaults;
    const char *expected;
    enum payload_kind expected_kind;
    const char *expected_payload;
};

#define NO_PAYLOAD   PAYLOAD_NONE, NULL
#define OWN          PAYLOAD_JSON, "own"
#define DEFAULT_BODY .payload_kind = PAYLOAD_BYTES, .payload = "usual", .payload_len = 5
#define USUAL        PAYLOAD_BYTES, "usual"

static const struct ask_case ask_cases[] = {
    {NULL, NO_PAYLOAD, {0}, "GET", NO_PAYLOAD},
    {NULL, NO_PAYLOAD, {.method = "HEAD"}, "HEAD", NO_PAYLOAD},
    {NULL, NO_PAYLOAD, {DEFAULT_BODY}, "POST", USUAL},
    {NULL, NO_PAYLOAD, {.method = "PUT", DEFAULT_BODY}, "PUT", USUAL},
    {"PATCH", NO_PAYLOAD, {0}, "PATCH", NO_PAYLOAD},
    {"PATCH", NO_PAYLOAD, {.method = "PUT", DEFAULT_BODY}, "PATCH", USUAL},
    {NULL, OWN, {0}, "POST", OWN},
    {NULL, OWN, {DEFAULT_BODY}, "POST", OWN},
    {NULL, OWN, {.method = "HEAD"}, "POST", OWN},
    {NULL, OWN, {.method = "HEAD", .method_is_named = true}, "POST", OWN},
    {"HEAD", NO_PAYLOAD, {.method = "PUT", DEFAULT_BODY}, "HEAD", NO_PAYLOAD},
    {NULL, OWN, {.method = "PUT", .method_is_named = true, DEFAULT_BODY}, "PUT", OWN},
    {"GET", OWN, {.method = "PUT", .method_is_named = true, DEFAULT_BODY}, "GET", OWN},
};

static void expect_ask(const struct request *request, const struct ask_case *one, size_t i)
{
    struct ask ask = request_ask(request, &one->defaults);
    size_t len = one->expected_payload ? strlen(one->expected_payload) : 0;

    cr_expect_str_eq(ask.method, one->expected, "case %zu: %s", i, ask.method);
    cr_expect_eq(ask.payload_kind, one->expected_kind, "case %zu", i);
    cr_expect_eq(ask.payload_len, len, "case %zu", i);
    if (len)
        cr_expect_str_eq(ask.payload, one->expected_payload, "case %zu", i);
}

Test(request, asks_for_what_it_says_and_else_what_the_options_say)
{
    for (size_t i = 0; i < ARRAY_LEN(ask_cases); i++) {
        const struct ask_case *one = &ask_cases[i];
        struct request request = {.detail = detail_new()};
        struct detail *detail = request.detail;
        detail->method = one->method ? xstrdup(one->method) : NULL;
        detail->payload_kind = one->kind;
        detail->payload = one->payload ? xstrdup(one->payload) : NULL;
        detail->payload_len = one->payload ? strlen(one->payload) : 0;
        expect_ask(&request, one, i);
        request_release(&request);
    }
}

Test(request, that_is_a_url_asks_for_what_the_options_say)
{
    struct request request = {0};

    for (size_t i = 0; i < 4; i++)
        expect_ask(&request, &ask_cases[i], i);
}

Test(request, may_be_repeated_by_the_methods_that_are_safe_to)
{
    static const char *const may[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    static const char *const may_not[] = {"POST", "PATCH", "CONNECT", "get",
                                          "GETS", "",      "PROPFIND"};

    for (size_t i = 0; i < ARRAY_LEN(may); i++)
        cr_expect(request_may_repeat(may[i]), "%s", may[i]);
    for (size_t i = 0; i < ARRAY_LEN(may_not); i++)
        cr_expect(!request_may_repeat(may_not[i]), "%s", may_not[i]);
}
