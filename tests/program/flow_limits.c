/* How many requests are on their way, and how often one is begun, as origins see it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "arrivals.h"
#include "moment.h"
#include "program.h"
#include "stage.h"

static const char first[] = "127.0.0.1", second[] = "127.0.0.2";

/* So many requests to each of the two hosts, in turns. */
static void add_lines(struct stage *stage, struct blob *input, size_t count, const char *target)
{
    for (size_t i = 0; i < count; i++) {
        blob_addf(input, "%s\n", stage_url_at(stage, first, target));
        blob_addf(input, "%s\n", stage_url_at(stage, second, target));
    }
}

/* ---- at once ---- */

struct crowd {
    char options[3][32];
    size_t first, second; /* that may be at each host at once */
};

ParameterizedTestParameters(per_host, is_what_a_host_has_at_once)
{
    static struct crowd crowds[] = {
        {{"--per-host=3"}, 3, 3},
        {{"--parallel-max-host=2"}, 2, 2},
        {{"--per-host=127.0.0.2=1"}, 20, 1},
        {{"--per-host=4", "--per-host=127.0.0.2=2"}, 4, 2},
        {{"--per-host=127.0.0.1=5", "--per-host=1", "--per-host=127.0.0.2=3"}, 5, 3},
        {{"--per-host=2", "--per-host=http://127.0.0.1=6"}, 6, 2},
    };

    return cr_make_param_array(struct crowd, crowds, sizeof crowds / sizeof *crowds);
}

ParameterizedTest(struct crowd *crowd, per_host, is_what_a_host_has_at_once)
{
    struct stage *stage = stage_new_any();
    struct blob input = {0};
    size_t both = crowd->first + crowd->second;
    const char *all = "-j60";

    add_lines(stage, &input, 30, "/text/x?silent=1");
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("--parallel-immediate", "-j60", "--per-host=20", crowd->options[0],
                         *crowd->options[1] ? crowd->options[1] : all,
                         *crowd->options[2] ? crowd->options[2] : all)});
    cr_assert(run_write(run, input.at, input.len));
    cr_expect(origin_wait_in_service(stage->origin, both, patience));
    cr_expect_eq(stage_settled_requests(stage), both);
    cr_expect_eq(arrivals_count(stage, first), crowd->first);
    cr_expect_eq(arrivals_count(stage, second), crowd->second);
    run_free(run);
    blob_release(&input);
    stage_free(stage);
}

Test(per_host, holds_as_requests_come_and_go)
{
    enum { REQUESTS = 100 };
    struct stage *stage = stage_new_any();
    struct blob input = {0};

    add_lines(stage, &input, REQUESTS, "/text/x?delay=0.01");
    struct run_result result =
        program_fetch(RUN_WEIR("--per-host=4", "--per-host=127.0.0.2=2"), blob_text(&input));
    cr_expect_leq(arrivals_peak(stage, first), 4);
    cr_expect_leq(arrivals_peak(stage, second), 2);
    cr_expect_eq(result.out.len, 2UL * 2 * REQUESTS);
    program_expect(result, 0, NULL, "");
    blob_release(&input);
    stage_free(stage);
}

/* What hangs at one host takes its own share of the permits and no more. */
Test(per_host, leaves_the_rest_to_other_hosts)
{
    enum { REQUESTS = 30 };
    struct stage *stage = stage_new_any();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n", stage_url_at(stage, first, "/text/x?silent=1"));
    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n", stage_url_at(stage, second, "/text/y"));
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("-j4", "--per-host=2", "--parallel-immediate")});
    cr_assert(run_write(run, input.at, input.len));
    cr_assert(origin_wait_requests(stage->origin, REQUESTS + 2, patience));
    cr_expect_eq(stage_settled_requests(stage), REQUESTS + 2);
    cr_expect_eq(arrivals_count(stage, first), 2);
    cr_expect_eq(arrivals_count(stage, second), REQUESTS);
    run_free(run);
    blob_release(&input);
    stage_free(stage);
}

/* A host is its scheme, name and port: another name for it is another. */
Test(per_host, counts_a_name_and_its_address_apart)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < 5; i++) {
        blob_addf(&input, "%s\n", stage_url_at(stage, "127.0.0.1", "/text/x?silent=1"));
        blob_addf(&input, "%s\n", stage_url_at(stage, "localhost", "/text/x?silent=1"));
    }
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-4", "--per-host=1")});
    cr_assert(run_write(run, input.at, input.len));
    cr_expect(origin_wait_in_service(stage->origin, 2, patience));
    cr_expect_eq(stage_settled_requests(stage), 2);
    run_free(run);
    blob_release(&input);
    stage_free(stage);
}

/* ---- in a time ---- */

struct pace {
    char options[3][32];
    double interval; /* of what is limited */
    size_t burst, count;
    bool is_of_each; /* the limit is each host's own */
};

ParameterizedTestParameters(rate, spaces_starts)
{
    static struct pace paces[] = {
        {{"--rate=20/s"}, 0.05, 1, 10, false},
        {{"--rate=100/s", "--burst=1"}, 0.01, 1, 40, false},
        {{"--rate=600/m", "--burst=5"}, 0.1, 5, 6, false},
        {{"--rate=20/s", "--host-rate=1000/s"}, 0.05, 1, 10, false},
        {{"--host-rate=20/s"}, 0.05, 1, 15, true},
        {{"--host-rate=10/s", "--burst=10"}, 0.1, 10, 18, true},
        {{"--host-rate=127.0.0.1=20/s", "--host-rate=127.0.0.2=20/s", "--host-rate=1/h"},
         0.05,
         1,
         15,
         true},
        {{"--rate=2/10s", "--burst=20"}, 5, 20, 10, false},
    };

    return cr_make_param_array(struct pace, paces, sizeof paces / sizeof *paces);
}

ParameterizedTest(struct pace *pace, rate, spaces_starts)
{
    struct stage *stage = stage_new_any();
    struct blob input = {0};
    const char *none = "-j50";

    add_lines(stage, &input, pace->count, "/text/x");
    double since = moment_now();
    struct run_result result =
        program_fetch(RUN_WEIR(pace->options[0], *pace->options[1] ? pace->options[1] : none,
                               *pace->options[2] ? pace->options[2] : none),
                      blob_text(&input));
    cr_expect_eq(arrivals_count(stage, NULL), 2 * pace->count);
    if (pace->is_of_each) {
        arrivals_expect_spaced(stage, first, since, pace->interval, pace->burst);
        arrivals_expect_spaced(stage, second, since, pace->interval, pace->burst);
    } else {
        arrivals_expect_spaced(stage, NULL, since, pace->interval, pace->burst);
    }
    program_expect(result, 0, NULL, "");
    blob_release(&input);
    stage_free(stage);
}

/* The other host's requests are all there before the second of this one. */
Test(rate, of_one_host_does_not_hold_up_another)
{
    enum { REQUESTS = 20 };
    struct stage *stage = stage_new_any();
    struct blob input = {0};

    add_lines(stage, &input, REQUESTS, "/text/x");
    struct run *run =
        program_spawn((struct run_options){.argv = RUN_WEIR("-j2", "--host-rate=127.0.0.1=1/h")});
    cr_assert(run_write(run, input.at, input.len));
    cr_expect(origin_wait_requests(stage->origin, REQUESTS + 1, patience));
    cr_expect_eq(stage_settled_requests(stage), REQUESTS + 1);
    cr_expect_eq(arrivals_count(stage, first), 1);
    run_free(run);
    blob_release(&input);
    stage_free(stage);
}

Test(rate, of_less_than_one_a_second_lets_the_first_go_at_once)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x\n");

    /* Were the first to wait, too, it would outlast the run's limit. */
    program_expect(program_fetch(RUN_WEIR("--rate=1/d", url), NULL), 0, "x\n", "");
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("--rate", "1/10s")});
    cr_assert(run_write_text(run, url));
    cr_assert(run_write_text(run, url));
    cr_expect(origin_wait_requests(stage->origin, 2, patience));
    cr_expect(run_read_until(run, "x\n", patience));
    cr_expect_eq(stage_settled_requests(stage), 2);
    run_free(run);
    stage_free(stage);
}

/* ---- what counts as a start ---- */

Test(rate, counts_each_hop_under_the_host_it_leads_to)
{
    enum { REQUESTS = 8 };
    struct stage *stage = stage_new_any();
    struct blob input = {0};
    const char *there = stage_encoded(stage, stage_url_at(stage, second, "/text/there"));

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n",
                  stage_url_at(stage, first, stage_text(stage, "/text/x?location=%s", there)));
    double since = moment_now();
    struct run_result result =
        program_fetch(RUN_WEIR("--host-rate", "127.0.0.2=10/s"), blob_text(&input));
    cr_expect_eq(arrivals_count(stage, first), REQUESTS);
    cr_expect_eq(arrivals_count(stage, second), REQUESTS);
    arrivals_expect_spaced(stage, second, since, 0.1, 1);
    program_expect(result, 0, NULL, "");
    blob_release(&input);
    stage_free(stage);
}

Test(per_host, counts_hops_under_the_host_they_lead_to)
{
    enum { REQUESTS = 8 };
    struct stage *stage = stage_new_any();
    struct blob input = {0};
    const char *there = stage_encoded(stage, stage_url_at(stage, second, "/text/there?delay=0.02"));

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n",
                  stage_url_at(stage, first, stage_text(stage, "/text/x?location=%s", there)));
    struct run_result result =
        program_fetch(RUN_WEIR("--per-host", "127.0.0.2=1"), blob_text(&input));
    cr_expect_eq(arrivals_count(stage, second), REQUESTS);
    cr_expect_eq(arrivals_peak(stage, second), 1);
    program_expect(result, 0, NULL, "");
    blob_release(&input);
    stage_free(stage);
}

Test(rate, counts_hops_and_retries_too)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < 3; i++) {
        blob_addf(&input, "%s\n", stage_url(stage, "/text/a?failtimes=1&tag=%d", i));
        blob_addf(&input, "%s\n", stage_url(stage, "/text/b?hops=1&tag=%d", i));
    }
    double since = moment_now();
    struct run_result result =
        program_fetch(RUN_WEIR("--rate=20/s", "--retry-delay=0"), blob_text(&input));
    cr_expect_eq(arrivals_count(stage, NULL), 12);
    arrivals_expect_spaced(stage, NULL, since, 0.05, 1);
    program_expect(result, 0, "a\nb\na\nb\na\nb\n", "");
    blob_release(&input);
    stage_free(stage);
}
