/* Files whose body was cut: their rest is asked for, where the origin says what it is the rest of. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "program.h"
#include "record.h"
#include "stage.h"

enum { SIZE = 100000, ASKED_MAX = 4 };

#define CUT      "failtimes=1&reset=50000"
#define TAGGED   "ranges=1&etag=v1"
#define MODIFIED "hdr=Last-Modified:Sun,%2006%20Nov%201994%2008:49:37%20GMT"
#define DATED    "hdr=Date:Sun,%2006%20Nov%201994%2008:49:38%20GMT"
#define UTC      "hdr=Last-Modified:Sun,%2006%20Nov%201994%2008:49:37%20%2B0000"
#define AT_ONCE  "hdr=Date:Sun,%2006%20Nov%201994%2008:49:37%20GMT"

/* Runs in the scratch, into out/; the one record. */
static json_t *fetch(struct stage *stage, const char *const *options, const char *target, int code)
{
    const char *argv[RUN_ARGS_MAX] = {run_weir(),     "--jsonl", "--retry-delay=0", "-o", "{seq}",
                                      "--output-dir", "out"};
    size_t len = 7;

    for (size_t i = 0; i < 2 && options[i]; i++)
        argv[len++] = options[i];
    argv[len++] = stage_url(stage, "%s", target);
    return records_of(
        program_run((struct run_options){.argv = argv, .cwd = scratch_dir(stage->scratch)}), code,
        1);
}

static void expect_body(struct stage *stage, const char *target, size_t size)
{
    struct blob body = {0};

    cr_assert(scratch_read(stage->scratch, "out/1", &body), "there is no file");
    cr_expect_eq(body.len, size, "it has %zu bytes", body.len);
    cr_expect_eq(origin_differs(target, blob_text(&body), body.len), -1);
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1, "something is left behind");
    blob_release(&body);
}

/* What each request to the target asked for: "" for the whole. */
static void expect_asked(struct stage *stage, const char *target, const char *const *asked)
{
    const struct origin_record *record = NULL;
    size_t count = 0;

    while ((record = origin_log_next(stage->origin, record)) != NULL) {
        char range[64] = "";
        if (strcmp(record->target, target) != 0)
            continue;
        cr_assert(count < ASKED_MAX && asked[count], "request %zu is one too many", count + 1);
        origin_record_header(record, "Range", range, sizeof range);
        cr_expect_str_eq(range, asked[count], "request %zu asked for '%s'", count + 1, range);
        count++;
    }
    cr_expect(count == ASKED_MAX || !asked[count], "only %zu requests came", count);
}

struct cut {
    char options[3][32];
    char target[256];
    char asked[ASKED_MAX][24]; /* "-": no such request */
    char body[32];             /* whose body it is, where it is not the target's */
    unsigned attempts;
};

#define ONCE                         \
    {                                \
        "", "bytes=50000-", "-", "-" \
    }
#define ANEW             \
    {                    \
        "", "", "-", "-" \
    }
#define MISFIT                      \
    {                               \
        "", "bytes=50000-", "", "-" \
    }

ParameterizedTestParameters(continued, files_are_whole)
{
    static struct cut cuts[] = {
        {{""}, "/bytes/100000?" TAGGED "&" CUT, ONCE, "", 2},
        {{"--accept=200"}, "/bytes/100000?" TAGGED "&" CUT, ONCE, "", 2},
        {{""}, "/bytes/100000?" TAGGED "&chunked=1&" CUT, ONCE, "", 2},
        {{"--no-compressed"}, "/bytes/100000?" TAGGED "&" CUT, ONCE, "", 2},
        {{""},
         "/bytes/100000?" TAGGED "&close=1&failtimes=2&reset=30000",
         {"", "bytes=30000-", "bytes=60000-", "-"},
         "",
         3},
        {{"--stall-timeout=0.5"}, "/bytes/100000?" TAGGED "&failtimes=1&stall=50000", ONCE, "", 2},
        {{""}, "/bytes/100000?ranges=1&" MODIFIED "&" DATED "&" CUT, ONCE, "", 2},
        {{""}, "/bytes/100000?ranges=1&" UTC "&" DATED "&" CUT, ONCE, "", 2},
        /* All of it came, and nobody knew. */
        {{""},
         "/bytes/100000?" TAGGED "&failtimes=1&cutchunk=1",
         {"", "bytes=100000-", "-", "-"},
         "",
         2},
        /* Nothing of it came. */
        {{""}, "/bytes/100000?" TAGGED "&failtimes=1&reset=0", ANEW, "", 2},
        /* It is another one by now, or comes whole for other reasons. */
        {{""}, "/bytes/100000?" TAGGED "&newetag=v2&" CUT, ONCE, "/bytes/100000?tag=v2", 2},
        {{""}, "/bytes/100000?etag=v1&" CUT, ONCE, "", 2},
        {{""}, "/bytes/100000?etag=v1&newetag=v2&" CUT, ONCE, "/bytes/100000?tag=v2", 2},
        /* What is sent is no rest of it. */
        {{""}, "/bytes/100000?ranges=shifted&etag=v1&" CUT, MISFIT, "", 2},
        {{""}, "/bytes/100000?ranges=tagless&etag=v1&" CUT, MISFIT, "", 2},
        {{""},
         "/bytes/100000?ranges=blind&etag=v1&newetag=v2&" CUT,
         MISFIT,
         "/bytes/100000?tag=v2",
         2},
        {{""},
         "/bytes/100000?" TAGGED "&failtimes=1&short=500",
         {"", "bytes=100000-", "", "-"},
         "",
         2},
        /* It is not asked for. */
        {{"--no-range"}, "/bytes/100000?" TAGGED "&" CUT, ANEW, "", 2},
        {{""}, "/bytes/100000?ranges=1&" CUT, ANEW, "", 2},
        {{""}, "/bytes/100000?ranges=1&hdr=ETag:W/%22v1%22&" CUT, ANEW, "", 2},
        {{""}, "/bytes/100000?ranges=1&" MODIFIED "&" AT_ONCE "&" CUT, ANEW, "", 2},
        {{""}, "/bytes/100000?ranges=1&" MODIFIED "&" CUT, ANEW, "", 2},
        {{""}, "/bytes/100000?" TAGGED "&hdr=Accept-Ranges:none&" CUT, ANEW, "", 2},
        {{""}, "/bytes/100000?etag=v1&gzip=1&" CUT, ANEW, "", 2},
        {{"-r0-"}, "/bytes/100000?" TAGGED "&" CUT, {"bytes=0-", "bytes=0-", "-", "-"}, "", 2},
        {{"-H", "Range: bytes=0-"},
         "/bytes/100000?" TAGGED "&" CUT,
         {"bytes=0-", "bytes=0-", "-", "-"},
         "",
         2},
        {{"-XOPTIONS"}, "/bytes/100000?" TAGGED "&" CUT, ANEW, "", 2},
    };

    return cr_make_param_array(struct cut, cuts, sizeof cuts / sizeof *cuts);
}

ParameterizedTest(struct cut *cut, continued, files_are_whole)
{
    struct stage *stage = stage_new();
    const char *options[3] = {0}, *asked[ASKED_MAX] = {0};

    for (size_t i = 0; i < 2 && *cut->options[i]; i++)
        options[i] = cut->options[i];
    for (size_t i = 0; i < ASKED_MAX && strcmp(cut->asked[i], "-") != 0; i++)
        asked[i] = cut->asked[i];
    json_t *records = fetch(stage, options, cut->target, 0);
    expect_body(stage, *cut->body ? cut->body : cut->target, SIZE);
    expect_asked(stage, cut->target, asked);
    cr_expect_eq(record_number(record_at(records, 0), "attempts"), cut->attempts);
    cr_expect_eq(record_number(record_at(records, 0), "size_body"), SIZE);
    json_decref(records);
    stage_free(stage);
}

Test(continued, requests_name_what_they_go_on_with)
{
    struct stage *stage = stage_new();
    const char *target = "/bytes/100000?" TAGGED "&" CUT;
    json_t *records = fetch(stage, (const char *[]){NULL}, target, 0);
    const struct origin_record *first = origin_log_find(stage->origin, target);
    const struct origin_record *second = origin_log_next(stage->origin, first);
    char value[64];

    cr_assert_not_null(second);
    cr_expect(origin_record_header(first, "Accept-Encoding", value, sizeof value));
    cr_expect_str_eq(value, "gzip, deflate");
    cr_expect_not(origin_record_header(first, "If-Range", value, sizeof value));
    cr_expect(origin_record_header(second, "If-Range", value, sizeof value));
    cr_expect_str_eq(value, "\"v1\"");
    cr_expect(origin_record_header(second, "Accept-Encoding", value, sizeof value));
    cr_expect_str_eq(value, "identity");
    cr_expect_eq(second->status, 206);
    cr_expect_eq(record_number(record_at(records, 0), "http_code"), 200);
    cr_expect_eq(record_number(record_at(records, 0), "size_download"), SIZE - 50000);
    json_decref(records);
    stage_free(stage);
}

Test(continued, file_that_was_whole_is_a_success)
{
    struct stage *stage = stage_new();
    json_t *records =
        fetch(stage, (const char *[]){NULL}, "/bytes/100000?" TAGGED "&failtimes=1&cutchunk=1", 0);

    cr_expect_str_eq(record_text(record_at(records, 0), "reason"), "ok");
    cr_expect_eq(record_number(record_at(records, 0), "http_code"), 200);
    json_decref(records);
    stage_free(stage);
}

/* The validator is that of the place the redirects led to. */
Test(continued, behind_a_redirect)
{
    struct stage *stage = stage_new();
    const char *there = "/bytes/100000?" TAGGED "&" CUT;
    const char *here = stage_text(stage, "/text/x?location=%s", stage_encoded(stage, there));
    json_t *records = fetch(stage, (const char *[]){NULL}, here, 0);

    expect_body(stage, there, SIZE);
    expect_asked(stage, there, (const char *[]){"", "bytes=50000-", NULL});
    expect_asked(stage, here, (const char *[]){"", NULL});
    json_decref(records);
    stage_free(stage);
}

/* What came before counts. */
Test(continued, is_not_larger_than_it_may_be)
{
    struct stage *stage = stage_new();
    json_t *records = fetch(stage, (const char *[]){"--max-filesize=60000", NULL},
                            "/bytes/100000?" TAGGED "&chunked=1&" CUT, 1);

    cr_expect_str_eq(record_text(record_at(records, 0), "reason"), "too_large");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 0);
    json_decref(records);
    stage_free(stage);
}

Test(continued, leaves_nothing_where_it_fails_in_the_end)
{
    struct stage *stage = stage_new();
    const char *target = "/bytes/100000?" TAGGED "&reset=30000";
    json_t *records = fetch(stage, (const char *[]){NULL}, target, 1);

    expect_asked(stage, target, (const char *[]){"", "bytes=30000-", "bytes=60000-", NULL});
    cr_expect_str_eq(record_text(record_at(records, 0), "reason"), "reset");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 0);
    json_decref(records);
    stage_free(stage);
}

/* While they wait they hold no descriptor: there are fewer than files. */
Test(continued, files_may_be_many)
{
    enum { FILES = 200 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (unsigned i = 1; i <= FILES; i++)
        blob_addf(&input, "%s/bytes/60000?" TAGGED "&failtimes=1&reset=20000&tag=%u\n",
                  origin_url(stage->origin), i);
    program_expect(
        program_run((struct run_options){
            .argv = RUN_WEIR("-o", "out/{seq}", "-j10", "--retry-budget=100%", "--retry-delay=0.5"),
            .cwd = scratch_dir(stage->scratch),
            .input = input.at,
            .input_len = input.len,
            .nofile = 60}),
        0, "", "");
    for (unsigned i = 1; i <= FILES; i++) {
        struct blob body = {0};
        cr_assert(scratch_read(stage->scratch, stage_text(stage, "out/%u", i), &body));
        cr_expect_eq(body.len, 60000);
        cr_expect_eq(
            origin_differs(stage_text(stage, "/bytes/60000?tag=%u", i), blob_text(&body), body.len),
            -1);
        blob_release(&body);
    }
    cr_expect_eq(scratch_count(stage->scratch, "out"), FILES);
    cr_expect_eq(origin_counts(stage->origin).requests, (uint64_t)2 * FILES);
    blob_release(&input);
    stage_free(stage);
}
