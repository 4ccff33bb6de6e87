/* Hosts that ask to be left alone for a while. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "arrivals.h"
#include "moment.h"
#include "program.h"
#include "stage.h"

static const char first[] = "127.0.0.1", second[] = "127.0.0.2";

/* The words of one answer that close its host's gate. */
struct words {
    char target[160];
    double seconds;  /* at least so long */
    bool is_refusal; /* the request is tried again */
};

ParameterizedTestParameters(gate, is_closed_for_as_long_as_the_answer_says)
{
    static struct words words[] = {
        {"/text/x?failtimes=1&status=429&retryafter=1", 1, true},
        {"/text/x?failtimes=1&status=503&retryafter=1", 1, true},
        {"/text/x?failtimes=1&status=503&hdr=retry-after-ms:1000.5", 1, true},
        {"/text/x?hdr=X-RateLimit-Remaining:0&hdr=X-RateLimit-Reset-After:1.0", 1, false},
        {"/text/x?failtimes=1&status=503&retryafter=%2B1&hdr=RateLimit-Remaining:0"
         "&hdr=RateLimit-Reset:1",
         1, true},
        {"/text/x?hdr=RateLimit-Remaining:0&hdr=RateLimit-Reset:1", 1, false},
        {"/text/x?hdr=X-RateLimit-Remaining:0&hdr=X-RateLimit-Reset:1", 1, false},
        {"/text/x?hdr=x-ratelimit-reset:1&hdr=x-ratelimit-remaining:0", 1, false},
        {"/text/x?hdr=X-Rate-Limit-Remaining:0&hdr=X-Rate-Limit-Reset:1", 1, false},
        {"/text/x?hdr=RateLimit:%22default%22%3Br=0%3Bt=1", 1, false},
        {"/text/x?hdr=RateLimit:limit=10,remaining=0,reset=1", 1, false},
        {"/text/x?failtimes=1&status=500&hdr=RateLimit-Remaining:0&hdr=RateLimit-Reset:1", 1, true},
        /* Whatever becomes of the body. */
        {"/text/x?failtimes=1&status=429&retryafter=1&short=10", 1, true},
        {"/text/x?failtimes=1&status=503&retryafter=1&reset=1", 1, true},
        {"/text/x?failtimes=1&status=503&retryafter=1&stall=1", 1, true},
        /* The longer of two. */
        {"/text/x?failtimes=1&status=429&retryafter=1&hdr=RateLimit-Remaining:0"
         "&hdr=RateLimit-Reset:0",
         1, true},
        {"/text/x?failtimes=1&status=429&retryafter=0&hdr=RateLimit-Remaining:0"
         "&hdr=RateLimit-Reset:1",
         1, true},
        /* What stands in the way of nothing. */
        {"/text/x?hdr=RateLimit-Remaining:1&hdr=RateLimit-Reset:900", 0, false},
        {"/text/x?hdr=RateLimit-Reset:900", 0, false},
        {"/text/x?hdr=RateLimit-Remaining:0", 0, false},
        {"/text/x?hdr=Retry-After:900", 0, false},
    };

    return cr_make_param_array(struct words, words, sizeof words / sizeof *words);
}

/* What says so is answered before anything else is asked for: the first to a host goes alone. */
static void expect_pause(struct stage *stage, const struct words *words)
{
    size_t count = arrivals_count(stage, first);

    cr_assert_eq(count, words->is_refusal ? 5 : 4);
    double due = arrivals_time(stage, first, 0) + words->seconds;
    for (size_t i = 1; i < count; i++)
        cr_expect_geq(arrivals_time(stage, first, i), due, "request %zu came too early", i);
}

ParameterizedTest(struct words *words, gate, is_closed_for_as_long_as_the_answer_says)
{
    struct stage *stage = stage_new_any();
    struct blob input = {0};

    blob_addf(&input, "%s\n", stage_url_at(stage, first, words->target));
    for (int i = 0; i < 3; i++)
        blob_addf(&input, "%s\n", stage_url_at(stage, first, "/text/y"));
    program_expect(program_fetch(RUN_WEIR("--per-host=1", "--stall-timeout=1"), blob_text(&input)),
                   0, "x\ny\ny\ny\n", "");
    expect_pause(stage, words);
    blob_release(&input);
    stage_free(stage);
}

/* A refusal's body, which nobody wants, may be of any size; where all bodies are wanted it is too
 * large, and what the head says holds none the less. */
Test(gate, is_closed_by_a_refusal_whose_body_is_too_large)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/bytes/100?failtimes=1&status=429&retryafter=1");
    const char *endless =
        stage_url(stage, "/bytes/1?failtimes=1&status=429&retryafter=1&endless=1");
    const char *after = stage_url(stage, "/text/y");

    program_expect(program_fetch(RUN_WEIR("-j1", "--max-filesize=100", endless), NULL), 0, NULL,
                   "");
    cr_expect_geq(arrivals_time(stage, NULL, 1), arrivals_time(stage, NULL, 0) + 1);
    program_expect(
        program_fetch(RUN_WEIR("-j1", "--max-filesize=10", "--jsonl", "-s", url, after), NULL), 1,
        NULL, "");
    cr_expect_geq(arrivals_time(stage, NULL, 3), arrivals_time(stage, NULL, 2) + 1);
    stage_free(stage);
}

/* ---- dates ---- */

static const char *date_in(struct stage *stage, long seconds)
{
    char text[64];
    time_t then = time(NULL) + seconds;
    struct tm parts;

    gmtime_r(&then, &parts);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return stage_encoded(stage, text);
}

/* The date is a second's beginning, so of the second before it a part is gone. */
Test(gate, may_be_closed_until_a_date)
{
    struct stage *stage = stage_new();
    double now = moment_now();
    const char *target =
        stage_text(stage, "/text/x?failtimes=1&status=503&retryafter=%s", date_in(stage, 3));

    program_expect(program_fetch(RUN_WEIR(stage_url(stage, "%s", target)), NULL), 0, "x\n", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    cr_expect_geq(arrivals_time(stage, NULL, 1), now + 1.9);
    stage_free(stage);
}

Test(gate, may_be_closed_until_a_moment_since_1970)
{
    struct stage *stage = stage_new();
    double now = moment_now();
    const char *target =
        stage_text(stage, "/text/x?hdr=RateLimit-Remaining:0&hdr=RateLimit-Reset:%lld",
                   (long long)time(NULL) + 3);

    program_expect(program_fetch(RUN_WEIR("--per-host=1", stage_url(stage, "%s", target),
                                          stage_url(stage, "/text/y")),
                                 NULL),
                   0, "x\ny\n", "");
    cr_expect_geq(arrivals_time(stage, NULL, 1), now + 1.9);
    stage_free(stage);
}

/* ---- other hosts ---- */

Test(gate, of_one_host_does_not_hold_up_another)
{
    enum { REQUESTS = 20 };
    struct stage *stage = stage_new_any();
    struct run *run =
        program_spawn((struct run_options){.argv = RUN_WEIR("-j3", "--per-host=1", "-s")});

    cr_assert(run_write_text(
        run, stage_text(stage, "%s\n",
                        stage_url_at(stage, first, "/text/x?status=429&retryafter=3000"))));
    cr_assert(origin_wait_requests(stage->origin, 1, patience));
    cr_assert(origin_wait_in_service(stage->origin, 0, patience));
    for (int i = 0; i < REQUESTS; i++) {
        cr_assert(
            run_write_text(run, stage_text(stage, "%s\n", stage_url_at(stage, first, "/text/y"))));
        cr_assert(
            run_write_text(run, stage_text(stage, "%s\n", stage_url_at(stage, second, "/text/z"))));
    }
    cr_expect(origin_wait_requests(stage->origin, REQUESTS + 1, patience));
    cr_expect_eq(stage_settled_requests(stage), REQUESTS + 1);
    cr_expect_eq(arrivals_count(stage, second), REQUESTS);
    run_free(run);
    stage_free(stage);
}

/* ---- crowds ---- */

/* Enough for all to be in flight before the first is refused. */
static const double answer_delay = 1.5;

/* A crowd that is refused at once, all of it in flight, has learnt it by one answer. */
Test(gate, opens_for_one_request_and_costs_a_crowd_one_try)
{
    enum { REQUESTS = 100 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n",
                  stage_url(stage,
                            "/text/x?failtimes=%d&key=all&status=429&retryafter=1"
                            "&delay=%g&tag=%d",
                            REQUESTS, answer_delay, i));
    struct run_result result = program_fetch(
        RUN_WEIR("-j100", "--parallel-immediate", "--format=none"), blob_text(&input));
    program_expect(result, 0, "", "");
    cr_expect_eq(arrivals_count(stage, NULL), (size_t)2 * REQUESTS);
    const struct origin_record *record = NULL, *probe = NULL, *next;
    double closed = 0;
    for (int i = 0; i < REQUESTS; i++) {
        record = origin_log_next(stage->origin, record);
        cr_assert(record);
        cr_expect_eq(record->status, 429);
        closed = record->arrived + answer_delay;
    }
    probe = origin_log_next(stage->origin, record);
    next = origin_log_next(stage->origin, probe);
    cr_expect_geq(probe->arrived, closed + 1);
    cr_expect_geq(next->arrived, probe->finished, "two at once through a gate that just opened");
    blob_release(&input);
    stage_free(stage);
}

/* Who is refused again and again gives up in the end, and is not fetched for ever. */
Test(gate, does_not_make_a_request_go_on_for_ever)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x?status=429&retryafter=1");

    program_expect(program_fetch(RUN_WEIR("--retry=1", url), NULL), 1, "", ": http: status 429");
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    stage_free(stage);
}

Test(gate, holds_for_requests_that_are_not_tried_again)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("--retry=0", "--per-host=1", "-s",
                                          stage_url(stage, "/text/x?status=503&retryafter=1"),
                                          stage_url(stage, "/text/y")),
                                 NULL),
                   1, "y\n", NULL);
    cr_expect_geq(arrivals_time(stage, NULL, 1), arrivals_time(stage, NULL, 0) + 1);
    stage_free(stage);
}

/* ---- what cannot be meant ---- */

static const char *const silly[] = {
    "-5",
    "2999-11-30T19:40:00Z",
    "soon",
    "",
    "1e9999",
    "99999999999999999999999999",
    "Thu, 99 Foo 2999",
    "nan",
    "inf",
    "Mon, 01 Jan 2001 00:00:00 GMT",
};

Test(gate, is_not_shut_for_ever_by_words_that_are_no_time)
{
    struct stage *stage = stage_new();

    for (size_t i = 0; i < sizeof silly / sizeof *silly; i++) {
        const char *value = stage_encoded(stage, silly[i]);
        program_expect(
            program_fetch(
                RUN_WEIR("--gate-max=0.1", "--retry-delay=0.01",
                         stage_url(stage, "/text/x?failtimes=1&status=429&retryafter=%s", value),
                         stage_url(stage,
                                   "/text/y?hdr=RateLimit-Remaining:0"
                                   "&hdr=RateLimit-Reset:%s",
                                   value),
                         stage_url(stage, "/text/z")),
                NULL),
            0, "x\ny\nz\n", "");
    }
    stage_free(stage);
}

Test(gate, is_closed_for_no_longer_than_gate_max)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x?failtimes=1&status=429&retryafter=31536000");

    program_expect(program_fetch(RUN_WEIR("--gate-max=1", url), NULL), 0, "x\n", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    cr_expect_geq(arrivals_time(stage, NULL, 1), arrivals_time(stage, NULL, 0) + 1);
    stage_free(stage);
}

Test(gate, that_closes_is_told_of_with_verbose)
{
    struct stage *stage = stage_new();
    const char *what = "/text/x?failtimes=1&status=429&retryafter=";

    program_expect(
        program_fetch(RUN_WEIR("-v", "--gate-max=0.25", stage_url(stage, "%s99", what)), NULL), 0,
        "x\n", "the host wants no request for 0.25 s (cut down to --gate-max)");
    program_expect(program_fetch(RUN_WEIR("-v", stage_url(stage, "%s1", what)), NULL), 0, "x\n",
                   "the host wants no request for 1 s");
    program_expect(program_fetch(RUN_WEIR("-v", stage_url(stage, "/text/x?hdr=RateLimit-Remaining:0"
                                                                 "&hdr=RateLimit-Reset:-5")),
                                 NULL),
                   0, "x\n", "ignoring an implausible Retry-After");
    stage_free(stage);
}
