/* What is tried again, how often, and what comes of it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "arrivals.h"
#include "program.h"
#include "record.h"
#include "stage.h"

/* Nobody listens there. */
#define REFUSED "http://127.0.0.1:1/"

/* One request, and what its record says. */
struct attempt {
    char options[3][32];
    char target[64];
    unsigned attempts; /* as many requests arrive */
    char reason[16];
};

ParameterizedTestParameters(retry, is_as_often_as_it_may_be)
{
    static struct attempt attempts[] = {
        {{""}, "/text/x?failtimes=1", 2, "ok"},
        {{""}, "/text/x?failtimes=2", 3, "ok"},
        {{""}, "/text/x?failtimes=3", 3, "http"},
        {{"--retry=3"}, "/text/x?failtimes=3", 4, "ok"},
        {{"--retry=0"}, "/text/x?failtimes=1", 1, "http"},
        {{"--retry=1"}, "/text/x?failtimes=9&reset=head", 2, "reset"},
        /* What may pass, and what will not. */
        {{""}, "/text/x?failtimes=1&closenow=1", 2, "ok"},
        {{""}, "/bytes/9000?failtimes=1&reset=500", 2, "ok"},
        {{""}, "/bytes/9000?failtimes=1&short=500", 2, "ok"},
        {{"--stall-timeout=0.3"}, "/text/x?failtimes=1&silent=1", 2, "ok"},
        {{"--max-time=0.3"}, "/text/x?failtimes=1&stall=1", 2, "ok"},
        {{""}, "/text/x?failtimes=1&garbage=1", 1, "protocol"},
        {{""}, "/text/x?failtimes=1&gzip=1&badgzip=1&status=200", 1, "encoding"},
        {{"--max-redirs=0"}, "/text/x?failtimes=1&location=/text/y", 1, "redirects"},
        /* Statuses. */
        {{""}, "/text/x?failtimes=1&status=408", 2, "ok"},
        {{""}, "/text/x?failtimes=1&status=425", 2, "ok"},
        {{""}, "/text/x?failtimes=1&status=429", 2, "ok"},
        {{""}, "/text/x?failtimes=1&status=500", 2, "ok"},
        {{""}, "/text/x?failtimes=1&status=502", 2, "ok"},
        {{""}, "/text/x?failtimes=1&status=504", 2, "ok"},
        {{""}, "/text/x?failtimes=1&status=404", 1, "http"},
        {{""}, "/text/x?failtimes=1&status=501", 1, "http"},
        {{"--retry-on=404"}, "/text/x?failtimes=1&status=404", 2, "ok"},
        {{"--retry-on=404"}, "/text/x?failtimes=1&status=503", 1, "http"},
        {{"--retry-on=400-499,!404"}, "/text/x?failtimes=1&status=404", 1, "http"},
        {{"--retry-on=400-499,!404"}, "/text/x?failtimes=1&status=410", 2, "ok"},
        {{"--retry-on=!500"}, "/text/x?failtimes=1&status=500", 1, "http"},
        {{"--retry-on=!500"}, "/text/x?failtimes=1&status=503", 2, "ok"},
        {{"--accept=503"}, "/text/x?failtimes=1", 1, "ok"},
        /* Methods. */
        {{"-dx"}, "/echo?failtimes=1", 1, "http"},
        {{"-dx"}, "/echo?failtimes=1&reset=head", 1, "reset"},
        {{"-dx", "--retry-all-methods"}, "/echo?failtimes=1", 2, "ok"},
        {{"-dx", "--retry-all-methods"}, "/echo?failtimes=1&reset=head", 2, "ok"},
        {{"-XPATCH"}, "/text/x?failtimes=1", 1, "http"},
        {{"-XPUT", "-dx"}, "/echo?failtimes=1", 2, "ok"},
        {{"-XDELETE"}, "/text/x?failtimes=1", 2, "ok"},
        {{"-XOPTIONS"}, "/text/x?failtimes=1", 2, "ok"},
        {{"-I"}, "/text/x?failtimes=1", 2, "ok"},
    };

    return cr_make_param_array(struct attempt, attempts, sizeof attempts / sizeof *attempts);
}

ParameterizedTest(struct attempt *attempt, retry, is_as_often_as_it_may_be)
{
    struct stage *stage = stage_new();
    bool is_ok = strcmp(attempt->reason, "ok") == 0;
    const char *none = "-j9";
    const char *const *argv = RUN_WEIR(
        "--jsonl", "--retry-delay=0.01", *attempt->options[0] ? attempt->options[0] : none,
        *attempt->options[1] ? attempt->options[1] : none, stage_url(stage, "%s", attempt->target));
    json_t *records = records_of(program_fetch(argv, NULL), !is_ok, 1);

    cr_expect_str_eq(record_text(record_at(records, 0), "reason"), attempt->reason);
    cr_expect_eq(json_integer_value(json_object_get(record_at(records, 0), "attempts")),
                 attempt->attempts);
    cr_expect_eq(origin_counts(stage->origin).requests, attempt->attempts);
    json_decref(records);
    stage_free(stage);
}

/* Nothing had been sent, so that even a POST is none the worse for it. */
Test(retry, of_a_connection_refused_is_for_every_method)
{
    static const char *const options[] = {"-XGET", "-XPOST"};

    for (size_t i = 0; i < 2; i++) {
        json_t *records = records_of(
            program_fetch(RUN_WEIR("--jsonl", "--retry-delay=0", options[i], REFUSED), NULL), 1, 1);
        cr_expect_str_eq(record_text(record_at(records, 0), "reason"), "connect");
        cr_expect_eq(json_integer_value(json_object_get(record_at(records, 0), "attempts")), 3);
        json_decref(records);
    }
}

Test(retry, of_a_request_is_as_its_own_line_says)
{
    static const unsigned attempts[] = {1, 2, 5, 3};
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (unsigned i = 0; i < 4; i++) {
        blob_addf(&input, "{\"url\":\"%s\"", stage_url(stage, "/text/x?failtimes=9&tag=%u", i));
        if (i < 3)
            blob_addf(&input, ",\"retry\":%u", attempts[i] - 1);
        blob_addf(&input, "}\n");
    }
    json_t *records = records_of(
        program_fetch(RUN_WEIR("--jsonl", "--retry-delay=0.01"), blob_text(&input)), 1, 4);
    for (unsigned i = 0; i < 4; i++)
        cr_expect_eq(json_integer_value(json_object_get(record_at(records, i), "attempts")),
                     attempts[i]);
    json_decref(records);
    blob_release(&input);
    stage_free(stage);
}

/* A hop is no attempt; and a retry goes on from where the redirects had led. */
Test(retry, behind_a_redirect_asks_there_again)
{
    struct stage *stage = stage_new();
    const char *there = "/text/y?failtimes=2";
    const char *here = stage_text(stage, "/text/x?location=%s", stage_encoded(stage, there));
    json_t *records =
        records_of(program_fetch(RUN_WEIR("--jsonl", "--retry-delay=0.01", "--order=input",
                                          stage_url(stage, "%s", here)),
                                 NULL),
                   0, 1);

    cr_expect_eq(json_integer_value(json_object_get(record_at(records, 0), "attempts")), 3);
    cr_expect_eq(json_integer_value(json_object_get(record_at(records, 0), "num_redirects")), 1);
    cr_expect_eq(origin_log_count(stage->origin, here), 1);
    cr_expect_eq(origin_log_count(stage->origin, there), 3);
    json_decref(records);
    stage_free(stage);
}

/* ---- the budget ---- */

struct budget {
    char option[24];
    size_t requests, retries;
};

ParameterizedTestParameters(retry_budget, bounds_retries)
{
    static struct budget budgets[] = {
        {"--retry-budget=20%", 30, 10},   {"--retry-budget=20%", 200, 40},
        {"--retry-budget=50%", 100, 50},  {"--retry-budget=0%", 60, 10},
        {"--retry-budget=none", 50, 100},
    };

    return cr_make_param_array(struct budget, budgets, sizeof budgets / sizeof *budgets);
}

ParameterizedTest(struct budget *budget, retry_budget, bounds_retries)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (size_t i = 0; i < budget->requests; i++)
        blob_addf(&input, "%s\n", stage_url(stage, "/text/x?status=500&tag=%zu", i));
    struct run_result result =
        program_fetch(RUN_WEIR("-s", "--retry-delay=0.01", budget->option), blob_text(&input));
    uint64_t requests = origin_counts(stage->origin).requests;
    cr_expect_leq(requests, budget->requests + budget->retries);
    cr_expect_geq(requests, budget->requests + 10);
    program_expect(result, 1, "", "");
    blob_release(&input);
    stage_free(stage);
}

Test(retry_budget, is_told_of_where_it_is_what_ends_a_request)
{
    enum { REQUESTS = 20, FREE = 10 };
    static const char words[] = "status 500; no retry is left of --retry-budget";
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n", stage_url(stage, "/text/x?status=500&tag=%d", i));
    json_t *records =
        records_of(program_fetch(RUN_WEIR("--jsonl", "-s", "--retry=1", "--retry-delay=0.01"),
                                 blob_text(&input)),
                   1, REQUESTS);
    size_t told = 0;
    for (size_t i = 0; i < REQUESTS; i++) {
        json_t *record = json_array_get(records, i);
        bool was_tried_again = record_number(record, "attempts") == 2;
        cr_expect_str_eq(record_text(record, "errormsg"), was_tried_again ? "status 500" : words);
        told += !was_tried_again;
    }
    cr_expect_eq(told, REQUESTS - FREE);
    json_decref(records);
    blob_release(&input);
    stage_free(stage);
}

/* ---- what goes on meanwhile ---- */

/* With one permit: were it held, nobody else would come to their turn. */
Test(retry, that_waits_holds_no_permit)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-j1", "--unordered", "--retry-delay=1000", "--retry-max-delay=1000")});

    cr_assert(run_write_text(run, stage_url(stage, "/text/late?failtimes=1\n")));
    for (int i = 0; i < 10; i++)
        cr_assert(run_write_text(run, stage_url(stage, "/text/other\n")));
    cr_assert(run_write_text(run, stage_url(stage, "/text/last\n")));
    cr_expect(run_read_until(run, "last\n", patience));
    cr_expect_eq(origin_counts(stage->origin).in_service_peak, 1);
    run_free(run);
    stage_free(stage);
}

Test(retry, keeps_its_place_in_order)
{
    enum { REQUESTS = 200 };
    struct stage *stage = stage_new();
    struct blob input = {0}, expected = {0};

    for (int i = 0; i < REQUESTS; i++) {
        static const char *const faults[] = {"", "", "&failtimes=1", "&failtimes=2&reset=3",
                                             "&failtimes=1&closenow=1"};
        blob_addf(&input, "%s\n", stage_url(stage, "/text/word-%d?tag=1%s", i, faults[i % 5]));
        blob_addf(&expected, "word-%d\n", i);
    }
    program_expect(
        program_fetch(RUN_WEIR("--retry-delay=0.05", "--retry-budget=none"), blob_text(&input)), 0,
        blob_text(&expected), "");
    blob_release(&input);
    blob_release(&expected);
    stage_free(stage);
}

/* ---- bodies ---- */

static const char *const partial[] = {"failtimes=2&reset=4000", "failtimes=1&short=1",
                                      "failtimes=2&cutchunk=1", "failtimes=1&status=500"};
enum { PARTIALS = sizeof partial / sizeof *partial, BODY = 5000 };

Test(retry, shows_nothing_of_a_body_that_was_cut)
{
    struct stage *stage = stage_new();
    static const char *const options[] = {"-j9", "--unordered", "--memory=100"};

    for (size_t i = 0; i < (size_t)3 * PARTIALS; i++) {
        const char *target = stage_text(stage, "/bytes/%d?%s&tag=%zu", BODY, partial[i / 3], i);
        struct run_result result = program_fetch(
            RUN_WEIR("--retry-delay=0.01", options[i % 3], stage_url(stage, "%s", target)), NULL);
        cr_expect_eq(result.out.len, BODY, "%s", target);
        cr_expect_eq(origin_differs(target, result.out.at, result.out.len), -1, "%s", target);
        program_expect(result, 0, NULL, "");
    }
    stage_free(stage);
}

Test(retry, writes_nothing_of_a_body_that_was_cut_to_its_file)
{
    struct stage *stage = stage_new();

    for (size_t i = 0; i < PARTIALS; i++) {
        const char *target = stage_text(stage, "/bytes/%d?%s", BODY, partial[i]);
        const char *name = stage_text(stage, "out/%zu", i);
        struct blob body = {0};
        program_expect(
            program_fetch(RUN_WEIR("--retry-delay=0.01", "-o", scratch_path(stage->scratch, name),
                                   stage_url(stage, "%s", target)),
                          NULL),
            0, "", "");
        cr_assert(scratch_read(stage->scratch, name, &body));
        cr_expect_eq(body.len, BODY, "%s", target);
        cr_expect_eq(origin_differs(target, body.at, body.len), -1, "%s", target);
        blob_release(&body);
    }
    cr_expect_eq(scratch_count(stage->scratch, "out"), PARTIALS, "something is left behind");
    stage_free(stage);
}

/* What is echoed ends with what was sent. */
static void expect_sent(struct run_result result, const char *payload)
{
    const char *body = strstr(blob_text(&result.out), "\n\n");

    cr_assert(body, "%s", blob_text(&result.err));
    cr_expect_str_eq(body + 2, payload);
    program_expect(result, 0, NULL, "");
}

Test(retry, sends_the_same_payload_again)
{
    static const char *const faults[] = {"failtimes=1", "failtimes=2&reset=head",
                                         "failtimes=1&closenow=1"};
    struct stage *stage = stage_new();
    char payload[70001];

    memset(payload, 'p', sizeof payload - 1);
    payload[sizeof payload - 1] = '\0';
    const char *file = scratch_write_text(stage->scratch, "payload", payload);
    const char *data = stage_text(stage, "@%s", file);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const char *url = stage_url(stage, "/echo?%s&tag=%zu", faults[i], i);
        const char *const line = stage_text(
            stage, "{\"url\":\"%s&x=1\",\"method\":\"PUT\",\"body_file\":\"payload\"}\n", url);
        expect_sent(program_fetch(RUN_WEIR("--retry-all-methods", "--retry-delay=0.01",
                                           "--data-binary", data, url),
                                  NULL),
                    payload);
        expect_sent(
            program_fetch(RUN_WEIR("--retry-delay=0.01", "--body-dir", scratch_dir(stage->scratch)),
                          line),
            payload);
        expect_sent(program_fetch(RUN_WEIR("--retry-delay=0.01", "-T", file,
                                           stage_url(stage, "/echo?%s&x=%zu", faults[i], i)),
                                  NULL),
                    payload);
    }
    stage_free(stage);
}
