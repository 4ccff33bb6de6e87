#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "fetch/continuation.h"
#include "input/partial.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define TAG  "\"v1\""

/* ---- by what the rest can be asked for ---- */

struct whole {
    struct answer_head head;
    const char *validator;
};

Test(continuation, takes_a_strong_validator_only)
{
    static const struct whole wholes[] = {
        {{.status = 200, .etag = TAG}, TAG},
        {{.status = 200, .etag = "\"\""}, "\"\""},
        {{.status = 200, .etag = TAG, .last_modified = DATE, .modified = 5, .dated = 9}, TAG},
        {{.status = 200, .etag = "W/\"v1\""}, NULL},
        /* The date is no way round a weak tag. */
        {{.status = 200, .etag = "W/\"v1\"", .last_modified = DATE, .modified = 5, .dated = 9},
         NULL},
        {{.status = 200, .etag = "v1"}, NULL},
        {{.status = 200, .etag = "\"v1"}, NULL},
        {{.status = 200, .etag = "\""}, NULL},
        {{.status = 200, .etag = ""}, NULL},
        {{.status = 200, .etag = "\"a\"b\""}, NULL},
        {{.status = 200, .etag = "\"a b\""}, NULL},
        {{.status = 200, .last_modified = DATE, .modified = 5, .dated = 6}, DATE},
        {{.status = 200, .last_modified = DATE, .modified = 5, .dated = 5}, NULL},
        {{.status = 200, .last_modified = DATE, .modified = 5, .dated = -1}, NULL},
        {{.status = 200, .last_modified = "yesterday", .modified = -1, .dated = 9}, NULL},
        {{.status = 200}, NULL},
        {{.status = 206, .etag = TAG}, NULL},
        {{.status = 404, .etag = TAG}, NULL},
        {{.status = 200, .etag = TAG, .is_encoded = true}, NULL},
        {{.status = 200, .etag = TAG, .refuses_ranges = true}, NULL},
    };

    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        const char *validator = continuation_validator(&wholes[i].head);
        cr_expect_eq(!validator, !wholes[i].validator, "case %zu", i);
        if (validator && wholes[i].validator)
            cr_expect_str_eq(validator, wholes[i].validator, "case %zu", i);
    }
}

Test(continuation, takes_no_validator_without_end)
{
    char etag[CONTINUATION_VALIDATOR_MAX + 2] = "\"";
    struct answer_head head = {.status = 200, .etag = etag};

    memset(etag + 1, 'x', sizeof etag - 2);
    etag[sizeof etag - 3] = '"';
    etag[sizeof etag - 2] = '\0';
    cr_expect_not_null(continuation_validator(&head));
    etag[sizeof etag - 3] = 'x';
    etag[sizeof etag - 2] = '"';
    etag[sizeof etag - 1] = '\0';
    cr_expect_null(continuation_validator(&head));
}

/* ---- what the answer is ---- */

struct answer {
    struct answer_head head;
    enum continuation verdict;
    uint64_t total; /* of the whole, as known; 0: it is not */
    bool by_date;
};

enum { LEN = 100 };

#define REST(range)                                          \
    {                                                        \
        .status = 206, .etag = TAG, .content_range = (range) \
    }
#define BEYOND(range)                           \
    {                                           \
        .status = 416, .content_range = (range) \
    }

static const struct answer answers[] = {
    {REST("bytes 100-299/300"), CONTINUATION_REST, 300, false},
    {REST("bytes 100-299/300"), CONTINUATION_REST, 0, false},
    {REST("bytes 100-299/*"), CONTINUATION_REST, 300, false},
    {REST("Bytes  100-299/300 "), CONTINUATION_REST, 300, false},
    /* The end of the whole has to be known, and to be there. */
    {REST("bytes 100-299/*"), CONTINUATION_MISFIT, 0, false},
    {REST("bytes 100-298/300"), CONTINUATION_MISFIT, 300, false},
    {REST("bytes 100-299/300"), CONTINUATION_MISFIT, 301, false},
    {REST("bytes 100-300/300"), CONTINUATION_MISFIT, 300, false},
    /* Where it begins. */
    {REST("bytes 99-299/300"), CONTINUATION_MISFIT, 300, false},
    {REST("bytes 101-299/300"), CONTINUATION_MISFIT, 300, false},
    {REST("bytes 0-299/300"), CONTINUATION_MISFIT, 300, false},
    /* What is no range. */
    {REST(NULL), CONTINUATION_MISFIT, 300, false},
    {REST(""), CONTINUATION_MISFIT, 300, false},
    {REST("bytes"), CONTINUATION_MISFIT, 300, false},
    {REST("lines 100-299/300"), CONTINUATION_MISFIT, 300, false},
    {REST("bytes=100-299/300"), CONTINUATION_MISFIT, 300, false},
    {REST("bytes 100-/300"), CONTINUATION_MISFIT, 300, false},
    {REST("bytes 100-299"), CONTINUATION_MISFIT, 300, false},
    {REST("bytes 100-299/300x"), CONTINUATION_MISFIT, 300, false},
    {REST("bytes */300"), CONTINUATION_MISFIT, 300, false},
    {REST("bytes 100-99/100"), CONTINUATION_MISFIT, 100, false},
    {REST("bytes 100-18446744073709551615/18446744073709551616"), CONTINUATION_MISFIT, 0, false},
    /* Of what it is. */
    {{.status = 206, .etag = "\"v2\"", .content_range = "bytes 100-299/300"},
     CONTINUATION_MISFIT,
     300,
     false},
    {{.status = 206, .etag = "W/\"v1\"", .content_range = "bytes 100-299/300"},
     CONTINUATION_MISFIT,
     300,
     false},
    {{.status = 206, .content_range = "bytes 100-299/300"}, CONTINUATION_MISFIT, 300, false},
    {{.status = 206, .etag = TAG, .content_range = "bytes 100-299/300", .is_encoded = true},
     CONTINUATION_MISFIT,
     300,
     false},
    {{.status = 206, .content_range = "bytes 100-299/300"}, CONTINUATION_REST, 300, true},
    {{.status = 206, .last_modified = DATE, .content_range = "bytes 100-299/300"},
     CONTINUATION_REST,
     300,
     true},
    {{.status = 206, .last_modified = "later", .content_range = "bytes 100-299/300"},
     CONTINUATION_MISFIT,
     300,
     true},
    /* Nothing is missing. */
    {BEYOND("bytes */100"), CONTINUATION_COMPLETE, 100, false},
    {BEYOND("bytes */100"), CONTINUATION_COMPLETE, 0, false},
    {{.status = 416, .etag = TAG, .content_range = "bytes */100"},
     CONTINUATION_COMPLETE,
     100,
     false},
    {BEYOND("bytes */100"), CONTINUATION_MISFIT, 300, false},
    {BEYOND("bytes */99"), CONTINUATION_MISFIT, 0, false},
    {BEYOND("bytes */*"), CONTINUATION_MISFIT, 100, false},
    {BEYOND("bytes 0-99/100"), CONTINUATION_MISFIT, 100, false},
    {BEYOND(NULL), CONTINUATION_MISFIT, 100, false},
    {{.status = 416, .etag = "\"v2\"", .content_range = "bytes */100"},
     CONTINUATION_MISFIT,
     100,
     false},
    /* Answers in their own right. */
    {{.status = 200, .etag = TAG}, CONTINUATION_OTHER, 300, false},
    {{.status = 200, .etag = TAG, .content_range = "bytes 100-299/300"},
     CONTINUATION_OTHER,
     300,
     false},
    {{.status = 404}, CONTINUATION_OTHER, 300, false},
    {{.status = 503}, CONTINUATION_OTHER, 300, false},
};

Test(continuation, joins_only_what_belongs_together)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const struct answer *answer = &answers[i];
        struct key source = {0};
        struct partial *partial = partial_new(&source, answer->by_date ? DATE : TAG,
                                              answer->total ? answer->total : PARTIAL_NO_TOTAL);
        partial->len = LEN;
        enum continuation verdict = continuation_judge(partial, &answer->head);
        cr_expect_eq(verdict, answer->verdict, "case %zu: %d", i, (int)verdict);
        if (verdict == CONTINUATION_REST)
            cr_expect_eq(partial->total, 300, "case %zu", i);
        cr_expect_eq(partial->len, LEN);
        partial_free(partial);
    }
}
