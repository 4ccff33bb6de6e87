/* W3C trace context: what origins are sent, and what records tell of it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "program.h"
#include "record.h"
#include "stage.h"

enum { DIGITS = 32, SPAN = 16 };

/* The trace and the span that the origin was sent, as /echo tells them; false where it was none. */
struct sent {
    char trace[DIGITS + 1], span[SPAN + 1];
};

static bool sent_with(const json_t *record, struct sent *sent)
{
    const char *at = strstr(record_text(record, "body"), "traceparent: 00-");

    *sent = (struct sent){0};
    return at &&
           sscanf(at, "traceparent: 00-%32[0-9a-f]-%16[0-9a-f]-01\n", sent->trace, sent->span) == 2;
}

static json_t *fetch(const char *const *argv, const char *input, size_t count)
{
    return records_of(program_fetch(argv, input), 0, count);
}

Test(tracing, gives_each_request_a_trace_that_its_record_has)
{
    struct stage *stage = stage_new();
    struct sent one, other;
    json_t *records = fetch(
        RUN_WEIR("--jsonl", "--traceparent", stage_url(stage, "/echo"), stage_url(stage, "/echo")),
        NULL, 2);

    cr_assert(sent_with(record_at(records, 0), &one));
    cr_assert(sent_with(record_at(records, 1), &other));
    cr_expect_str_eq(one.trace, record_text(record_at(records, 0), "trace_id"));
    cr_expect_str_eq(other.trace, record_text(record_at(records, 1), "trace_id"));
    cr_expect_eq(strlen(one.trace), DIGITS);
    cr_expect_str_neq(one.trace, other.trace);
    cr_expect_str_neq(one.span, other.span);
    json_decref(records);
    stage_free(stage);
}

Test(tracing, gives_a_group_one_trace)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/echo");
    const char *input = stage_text(stage,
                                   "{\"url\":\"%s\",\"group\":1}\n{\"url\":\"%s\",\"group\":1}\n"
                                   "{\"url\":\"%s\",\"group\":2}\n",
                                   url, url, url);
    struct sent one, other, third;
    json_t *records = fetch(RUN_WEIR("--jsonl", "--traceparent"), input, 3);

    cr_assert(sent_with(record_at(records, 0), &one));
    cr_assert(sent_with(record_at(records, 1), &other));
    cr_assert(sent_with(record_at(records, 2), &third));
    cr_expect_str_eq(one.trace, other.trace);
    cr_expect_str_neq(one.span, other.span);
    cr_expect_str_neq(one.trace, third.trace);
    json_decref(records);
    stage_free(stage);
}

/* What the origin saw of the two tries of one request. */
Test(tracing, makes_each_attempt_a_span_of_one_trace)
{
    struct stage *stage = stage_new();
    const char *target = "/text/a?failtimes=1";
    json_t *records = fetch(
        RUN_WEIR("--jsonl", "--traceparent", "--retry-delay", "0", stage_url(stage, "%s", target)),
        NULL, 1);
    const char *trace = record_text(record_at(records, 0), "trace_id");
    char seen[2][128] = {"", ""};
    size_t count = 0;

    cr_expect_eq(record_number(record_at(records, 0), "attempts"), 2);
    for (const struct origin_record *at = origin_log_next(stage->origin, NULL); at && count < 2;
         at = origin_log_next(stage->origin, at)) {
        cr_expect(origin_record_header(at, "traceparent", seen[count], sizeof *seen));
        cr_expect_not_null(strstr(seen[count++], trace));
    }
    cr_expect_eq(count, 2);
    cr_expect_str_neq(seen[0], seen[1]);
    json_decref(records);
    stage_free(stage);
}

Test(tracing, leaves_a_trace_of_the_requests_own)
{
    struct stage *stage = stage_new();
    const char *input =
        stage_text(stage, "{\"url\":\"%s\",\"headers\":{\"Traceparent\":\"mine\"}}\n",
                   stage_url(stage, "/echo"));
    json_t *records = fetch(RUN_WEIR("--jsonl", "--traceparent"), input, 1);
    struct sent sent;

    cr_expect_not(sent_with(record_at(records, 0), &sent));
    cr_expect_not_null(strstr(record_text(record_at(records, 0), "body"), "Traceparent: mine\n"));
    cr_expect_not(record_has(record_at(records, 0), "trace_id"));
    json_decref(records);
    records = fetch(
        RUN_WEIR("--jsonl", "--traceparent", "-H", "traceparent: x", stage_url(stage, "/echo")),
        NULL, 1);
    cr_expect_not(sent_with(record_at(records, 0), &sent));
    cr_expect_not(record_has(record_at(records, 0), "trace_id"));
    json_decref(records);
    stage_free(stage);
}

Test(tracing, is_off_unless_asked_for)
{
    struct stage *stage = stage_new();
    json_t *records = fetch(RUN_WEIR("--jsonl", stage_url(stage, "/echo")), NULL, 1);
    struct sent sent;

    cr_expect_not(sent_with(record_at(records, 0), &sent));
    cr_expect_not(record_has(record_at(records, 0), "trace_id"));
    json_decref(records);
    stage_free(stage);
}
