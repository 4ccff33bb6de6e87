#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/codes.h"

Test(codes, holds_what_was_added_and_its_bounds)
{
    struct codes codes;

    codes_clear(&codes);
    cr_expect(!codes_has(&codes, 200));
    codes_add(&codes, 100, 399);
    codes_add(&codes, 404, 404);
    for (long code = -2; code < CODES_END + 2; code++) {
        bool expected = (code >= 100 && code <= 399) || code == 404;
        cr_assert_eq(codes_has(&codes, code), expected, "%ld", code);
    }
    codes_clear(&codes);
    cr_expect(!codes_has(&codes, 404));
}

Test(codes, never_holds_what_is_no_status)
{
    struct codes codes = {0};

    codes_add(&codes, 990, UINT_MAX);
    cr_expect(codes_has(&codes, 999));
    cr_expect(!codes_has(&codes, 1000));
    cr_expect(!codes_has(&codes, LONG_MAX));
    cr_expect(!codes_has(&codes, LONG_MIN));
    cr_expect(!codes_has(&codes, -1));
    codes_clear(&codes);
    codes_add(&codes, 300, 200);
    cr_expect(!codes_has(&codes, 250));
}

Test(codes, reads_lists_of_codes_and_ranges)
{
    static const struct {
        const char *text;
        long in[4], out[4];
    } cases[] = {
        {"200", {200, 200, 200, 200}, {199, 201, 100, 404}},
        {"200-299,404", {200, 250, 299, 404}, {199, 300, 403, 405}},
        {"404,100-100", {100, 404, 100, 404}, {101, 99, 200, 0}},
        {"999,100", {999, 100, 999, 100}, {998, 200, 101, 0}},
        {"any", {100, 200, 599, 999}, {-1, 1000, -100, 5000}},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct codes codes = {0};
        struct buf err;
        buf_init(&err);
        codes_add(&codes, 150, 150);
        cr_expect_eq(codes_parse(&codes, cases[i].text, &err), 0, "%s", err.data);
        for (size_t k = 0; k < 4; k++) {
            cr_expect(codes_has(&codes, cases[i].in[k]), "%s: %ld", cases[i].text, cases[i].in[k]);
            cr_expect(!codes_has(&codes, cases[i].out[k]), "%s: %ld", cases[i].text,
                      cases[i].out[k]);
        }
        cr_expect_eq(codes_has(&codes, 150), strcmp(cases[i].text, "any") == 0,
                     "a list replaces what was there");
        buf_release(&err);
    }
}

Test(codes, refuses_what_is_no_list_and_keeps_what_it_had)
{
    static const char *const texts[] = {
        "",     ",",    "200,",    ",200",     "200,,300", "20",          "2000",  "099",
        "2xx",  "ANY",  "any,200", "200,any",  "-200",     "200-",        "200-2", "300-200",
        "+200", " 200", "200 ",    "200 ,300", "200--300", "200-300-400", "!404",  "200;300",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct codes codes = {0};
        struct buf err;
        buf_init(&err);
        codes_add(&codes, 418, 418);
        cr_expect_eq(codes_parse(&codes, texts[i], &err), -EINVAL, "'%s'", texts[i]);
        cr_expect_gt(err.len, 0, "'%s'", texts[i]);
        cr_expect(codes_has(&codes, 418), "'%s'", texts[i]);
        cr_expect(!codes_has(&codes, 200), "'%s'", texts[i]);
        buf_release(&err);
    }
}

Test(codes, are_added_and_taken_out_by_the_set)
{
    struct codes codes = {0}, some = {0};

    codes_add(&codes, 500, 599);
    codes_add(&some, 429, 429);
    codes_add(&some, 503, 504);
    codes_merge(&codes, &some, true);
    for (long code = 0; code < CODES_END; code++) {
        bool expected = code == 429 || (code >= 500 && code <= 599);
        cr_assert_eq(codes_has(&codes, code), expected, "%ld", code);
    }
    codes_merge(&codes, &some, false);
    for (long code = 0; code < CODES_END; code++) {
        bool expected = code >= 500 && code <= 599 && code != 503 && code != 504;
        cr_assert_eq(codes_has(&codes, code), expected, "%ld", code);
    }
    cr_expect(codes_has(&some, 429), "what is merged stays as it is");
    codes_clear(&some);
    codes_merge(&codes, &some, false);
    cr_expect(codes_has(&codes, 500), "nothing takes nothing out");
    codes_merge(&codes, &codes, false);
    cr_expect_not(codes_has(&codes, 500));
}
