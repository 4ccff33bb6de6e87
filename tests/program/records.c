/* What a record tells of a request that was answered. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "canned.h"
#include "program.h"
#include "record.h"
#include "stage.h"

/* The records of a run that ends with `code` and says nothing on stderr; to be given back. */
static json_t *fetch_records(const char *const *argv, const char *input, int code)
{
    struct run_result result = program_fetch(argv, input);
    json_t *records = records_read(&result.out);

    program_expect(result, code, NULL, "");
    return records;
}

/* ---- bodies ---- */

struct body_case {
    char bytes[24];
    size_t len;
    bool is_text;
};

#define BODY(text, is_text)             \
    {                                   \
        text, sizeof(text) - 1, is_text \
    }

ParameterizedTestParameters(record, has_a_body_as_text_or_in_base64)
{
    static struct body_case cases[] = {
        BODY("", true),
        BODY("a", true),
        BODY("one\r\ntwo\n", true),
        BODY("\"\\/\b\f\t", true),
        BODY("a\0b", true),
        BODY("\x01\x1b[0m\x1f\x7f", true),
        BODY("\xc2\x80\xc2\x85\xc2\x9f", true),
        BODY("\xe2\x80\xa8\xe2\x80\xa9", true),
        BODY("\xef\xbb\xbf{}", true),
        BODY("\xef\xbf\xbe\xef\xbf\xbf", true),
        BODY("\xf0\x9f\x98\x80", true),
        BODY("\xf4\x8f\xbf\xbf", true),
        BODY("\xff", false),
        BODY("\x85", false),
        BODY("ab\xe2\x82", false),
        BODY("abc\xf0\x9f\x98", false),
        BODY("\xed\xa0\x80", false),
        BODY("\xed\xa0\xbd\xed\xb8\x80", false),
        BODY("\xc0\x80", false),
        BODY("\xe0\x80\xaf", false),
        BODY("\xf4\x90\x80\x80", false),
        BODY("\0\0\0\xfe", false),
    };

    return cr_make_param_array(struct body_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct body_case *body, record, has_a_body_as_text_or_in_base64)
{
    struct blob answer = {0};
    char url[64];

    blob_addf(&answer, "HTTP/1.1 200 OK\r\nContent-Type: x/y\r\nContent-Length: %zu\r\n\r\n",
              body->len);
    blob_add(&answer, body->bytes, body->len);
    struct canned *canned = canned_start(answer.at, answer.len);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)canned_port(canned));
    struct run_result result = program_fetch(RUN_WEIR("--jsonl", url), NULL);
    json_t *records = records_read(&result.out);
    cr_assert_eq(json_array_size(records), 1);
    const json_t *record = record_at(records, 0);
    cr_expect_eq(record_has(record, "body"), body->is_text);
    cr_expect(record_body_is(record, body->bytes, body->len));
    cr_expect_eq(record_number(record, "size_body"), (long long)body->len);
    for (size_t i = 0; i + 1 < result.out.len; i++)
        cr_assert((unsigned char)result.out.at[i] >= 0x20 && result.out.at[i] != 0x7f,
                  "a raw control byte %02x", (unsigned)result.out.at[i]);
    json_decref(records);
    program_expect(result, 0, NULL, "");
    canned_stop(canned);
    blob_release(&answer);
}

/* Text is text wherever it is cut into pieces on the way; half a character at its end is none. */
Test(record, has_a_long_body_whole)
{
    struct blob answer = {0}, body = {0};
    char url[64];

    for (int i = 0; i < 100001; i++)
        blob_add_text(&body, i % 7 ? "\xe2\x82\xac" : "x");
    for (size_t cut = 0; cut < 3; cut++) {
        blob_clear(&answer, 0);
        blob_add_text(&answer, "HTTP/1.0 200 OK\r\n\r\n");
        blob_add(&answer, body.at, body.len - cut);
        struct canned *canned = canned_start(answer.at, answer.len);
        snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)canned_port(canned));
        json_t *records = fetch_records(RUN_WEIR("--jsonl", url), NULL, 0);
        cr_expect_eq(record_has(record_at(records, 0), "body"), cut == 0);
        cr_expect(record_body_is(record_at(records, 0), body.at, body.len - cut));
        json_decref(records);
        canned_stop(canned);
    }
    blob_release(&answer);
    blob_release(&body);
}

Test(record, counts_what_came_and_what_became_of_it)
{
    struct stage *stage = stage_new();
    json_t *records = fetch_records(
        RUN_WEIR("--jsonl", "--no-body", stage_url(stage, "/bytes/1000000?bomb=1"),
                 stage_url(stage, "/bytes/5000"), stage_url(stage, "/bytes/5000?chunked=1")),
        NULL, 0);

    cr_expect_eq(record_number(record_at(records, 0), "size_body"), 1000000);
    cr_expect_lt(record_number(record_at(records, 0), "size_download"), 10000);
    cr_expect_gt(record_number(record_at(records, 0), "size_download"), 100);
    for (size_t i = 1; i < 3; i++) {
        cr_expect_eq(record_number(record_at(records, i), "size_body"), 5000);
        cr_expect_eq(record_number(record_at(records, i), "size_download"), 5000);
    }
    for (size_t i = 0; i < 3; i++)
        cr_expect(!record_has(record_at(records, i), "body") &&
                  !record_has(record_at(records, i), "body_base64"));
    json_decref(records);
    stage_free(stage);
}

Test(record, has_the_body_of_a_failure_that_was_answered)
{
    struct stage *stage = stage_new();
    json_t *records =
        fetch_records(RUN_WEIR("--jsonl", stage_url(stage, "/text/sorry?status=500"),
                               stage_url(stage, "/text/gone?location=/text/there&status=301"),
                               stage_url(stage, "/text/x?status=204")),
                      NULL, 1);

    cr_expect(record_body_is(record_at(records, 0), "sorry\n", 6));
    cr_expect(record_body_is(record_at(records, 1), "there\n", 6));
    cr_expect(record_body_is(record_at(records, 2), "", 0));
    json_decref(records);
    stage_free(stage);
}

/* ---- headers ---- */

static const char *header_of(const json_t *record, const char *name, size_t index)
{
    const json_t *values = json_object_get(json_object_get(record, "headers"), name);
    const char *value = json_string_value(json_array_get(values, index));

    return value ? value : "(none)";
}

Test(record, has_headers_in_lower_case_and_lists_where_asked)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a?hdr=X-One:1&hdr=x-one:2&hdr=X-Bad:%%FFz%%C2%%A0"
                                       "&hdr=X-Empty:&hdr=X-Blank:%%20b%%20");
    json_t *records = fetch_records(RUN_WEIR("--jsonl", "-i", url), NULL, 0);
    const json_t *record = record_at(records, 0);

    cr_expect_str_eq(header_of(record, "x-one", 0), "1");
    cr_expect_str_eq(header_of(record, "x-one", 1), "2");
    cr_expect_str_eq(header_of(record, "x-bad", 0), "\xef\xbf\xbdz\xc2\xa0");
    cr_expect_str_eq(header_of(record, "x-empty", 0), "");
    cr_expect_str_eq(header_of(record, "x-blank", 0), "b");
    cr_expect_str_eq(header_of(record, "content-length", 0), "2");
    cr_expect_null(json_object_get(json_object_get(record, "headers"), "X-One"));
    cr_expect(record_body_is(record, "a\n", 2));
    json_decref(records);
    records = fetch_records(RUN_WEIR("--jsonl", url), NULL, 0);
    cr_expect(!record_has(record_at(records, 0), "headers"));
    json_decref(records);
    stage_free(stage);
}

/* Those of the last answer only: not of a redirect, nor of an earlier request. */
Test(record, has_headers_of_its_own_answer)
{
    struct stage *stage = stage_new();
    const char *to = stage_encoded(stage, "/text/b?hdr=X-B:2");
    json_t *records = fetch_records(RUN_WEIR("-j1", "--jsonl", "-i",
                                             stage_url(stage, "/text/a?hdr=X-A:1&location=%s", to),
                                             stage_url(stage, "/text/c?status=404&hdr=X-C:3")),
                                    NULL, 1);

    cr_expect_str_eq(header_of(record_at(records, 0), "x-b", 0), "2");
    cr_expect_str_eq(header_of(record_at(records, 0), "x-a", 0), "(none)");
    cr_expect_str_eq(header_of(record_at(records, 1), "x-c", 0), "3");
    cr_expect_str_eq(header_of(record_at(records, 1), "x-b", 0), "(none)");
    json_decref(records);
    stage_free(stage);
}

Test(record, of_a_head_has_headers_and_no_body)
{
    struct stage *stage = stage_new();
    json_t *records =
        fetch_records(RUN_WEIR("--jsonl", "-I", stage_url(stage, "/bytes/5000")), NULL, 0);
    const json_t *record = record_at(records, 0);

    cr_expect_str_eq(record_text(record, "method"), "HEAD");
    cr_expect_str_eq(header_of(record, "content-length", 0), "5000");
    cr_expect_eq(record_number(record, "size_body"), 0);
    cr_expect(!record_has(record, "body") || record_body_is(record, "", 0));
    json_decref(records);
    stage_free(stage);
}

/* ---- what it tells of the way ---- */

static double clock_of(const char *ts)
{
    struct tm parts = {0};
    char *end = strptime(ts, "%Y-%m-%dT%H:%M:%S", &parts);

    cr_assert(end && *end == '.', "%s", ts);
    double fraction = strtod(end, &end);
    cr_assert_str_eq(end, "Z", "%s", ts);
    cr_assert_eq(strlen(ts), strlen("2026-01-02T03:04:05.678Z"), "%s", ts);
    return (double)timegm(&parts) + fraction;
}

/* As with curl, a connection that is used again took no time to be made. */
static void expect_times(const json_t *record, double at_least)
{
    double found = record_seconds(record, "time_namelookup");
    double connected = record_seconds(record, "time_connect");
    double begun = record_seconds(record, "time_starttransfer");
    double done = record_seconds(record, "time_total");
    bool follow = found >= 0 && (connected >= found || connected == 0) && begun >= found &&
                  begun >= connected && done >= begun && done >= at_least;

    cr_expect(follow, "%f %f %f %f", found, connected, begun, done);
    cr_expect_geq(record_seconds(record, "time_queue"), 0);
    cr_expect_eq(record_number(record, "attempts"), 1);
}

Test(record, has_times_that_follow_each_other)
{
    struct stage *stage = stage_new();
    struct timespec before, after;

    clock_gettime(CLOCK_REALTIME, &before);
    json_t *records =
        fetch_records(RUN_WEIR("--jsonl", "-j2", stage_url(stage, "/text/[1-20]?delay=0.05"),
                               stage_url(stage, "/text/x?hops=3&delay=0.05&close=1")),
                      NULL, 0);
    clock_gettime(CLOCK_REALTIME, &after);
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = record_at(records, i);
        double begun = clock_of(record_text(record, "ts"));
        expect_times(record, i == 20 ? 0.2 : 0.05);
        cr_expect_geq(begun, (double)before.tv_sec - 1);
        cr_expect_leq(begun, (double)after.tv_sec + 1);
        cr_expect_leq(record_seconds(record, "time_total"),
                      (double)(after.tv_sec - before.tv_sec) + 1);
    }
    cr_expect_gt(record_seconds(record_at(records, 0), "time_connect"), 0);
    /* Before the last of the twenty, nine others took their time at each of two places. */
    cr_expect_geq(record_seconds(record_at(records, 19), "time_queue"), 0.4);
    json_decref(records);
    stage_free(stage);
}

Test(record, has_the_redirects_it_passed_through)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x?hops=2");
    json_t *records = fetch_records(RUN_WEIR("--jsonl", url), NULL, 0);
    const json_t *record = record_at(records, 0);
    const json_t *redirects = json_object_get(record, "redirects");

    cr_expect_str_eq(record_text(record, "url"), url);
    cr_expect_str_eq(record_text(record, "url_effective"), stage_url(stage, "/text/x?hops=0"));
    cr_expect_eq(json_array_size(redirects), 2);
    cr_expect_str_eq(json_string_value(json_array_get(redirects, 0)), url);
    cr_expect_str_eq(json_string_value(json_array_get(redirects, 1)),
                     stage_url(stage, "/text/x?hops=1"));
    cr_expect_str_eq(record_text(record, "http_version"), "1.1");
    cr_expect_str_eq(record_text(record, "remote_ip"), "127.0.0.1");
    cr_expect_eq(record_number(record, "remote_port"), origin_port(stage->origin));
    cr_expect_str_eq(record_text(record, "content_type"), "text/plain");
    cr_expect_str_eq(record_text(record, "method"), "GET");
    json_decref(records);
    stage_free(stage);
}
