/* How much happens at once, as the origin sees it: jobs, window, the reader's pace, hosts. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "stage.h"

static void add_lines(struct stage *stage, struct blob *input, size_t count, const char *target)
{
    for (size_t i = 0; i < count; i++)
        blob_addf(input, "%s%s\n", origin_url(stage->origin), target);
}

static struct run_result fetch_lines(const char *const *argv, const struct blob *input)
{
    return program_run(
        (struct run_options){.argv = argv, .input = input->at, .input_len = input->len});
}

struct jobs {
    char argument[32];
    char target[64];
    unsigned peak;
};

ParameterizedTestParameters(jobs, are_the_most_requests_in_service)
{
    static struct jobs jobs[] = {
        {"-j1", "/text/x?delay=0.01", 1},
        {"-j7", "/text/x?delay=0.05", 7},
        {"-P3", "/text/x?delay=0.05", 3},
        {"--jobs=60", "/text/x?delay=0.3", 60},
        {"--parallel-max=5", "/text/x?delay=0.05", 5},
        {"-Z", "/text/x?delay=0.2", 20},
        {"-j6", "/text/x?delay=0.03&hops=3", 6},
        {"-j6", "/text/x?delay=0.05&close=1", 6},
    };

    return cr_make_param_array(struct jobs, jobs, sizeof jobs / sizeof *jobs);
}

ParameterizedTest(struct jobs *jobs, jobs, are_the_most_requests_in_service)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    add_lines(stage, &input, 100, jobs->target);
    struct run_result result = fetch_lines(RUN_WEIR(jobs->argument), &input);
    struct origin_counts counts = origin_counts(stage->origin);
    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    cr_expect_eq(result.out.len, 200);
    cr_expect_eq(counts.in_service_peak, jobs->peak, "%s: %llu", jobs->argument,
                 (unsigned long long)counts.in_service_peak);
    cr_expect_leq(counts.open_peak, jobs->peak);
    run_result_release(&result);
    blob_release(&input);
    stage_free(stage);
}

Test(jobs, use_their_connections_again)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    add_lines(stage, &input, 3000, "/bytes/100");
    struct run_result result = fetch_lines(RUN_WEIR("-j", "12"), &input);
    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    cr_expect_eq(result.out.len, 300000);
    cr_expect_leq(origin_counts(stage->origin).accepted, 12);
    run_result_release(&result);
    blob_release(&input);
    stage_free(stage);
}

/* How many requests had arrived before the answer to the first went out. */
static size_t count_ahead(struct stage *stage, const char *head)
{
    const struct origin_record *late = origin_log_find(stage->origin, head);
    size_t ahead = 0;

    cr_assert(late);
    for (const struct origin_record *record = NULL;
         (record = origin_log_next(stage->origin, record)) != NULL;)
        ahead += record->arrived < late->finished;
    return ahead;
}

static size_t fetch_behind_late_head(const char *const *argv)
{
    static const char head[] = "/text/head?delay=1.5";
    struct stage *stage = stage_new();
    struct blob input = {0};

    add_lines(stage, &input, 1, head);
    add_lines(stage, &input, 600, "/text/x");
    struct run_result result = fetch_lines(argv, &input);
    size_t ahead = count_ahead(stage, head);
    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    cr_expect_eq(result.out.len, strlen("head\n") + 600 * strlen("x\n"));
    run_result_release(&result);
    blob_release(&input);
    stage_free(stage);
    return ahead;
}

Test(window, bounds_what_is_fetched_behind_a_late_head)
{
    cr_expect_eq(fetch_behind_late_head(RUN_WEIR("-j", "10", "--window", "50")), 50);
}

Test(window, is_never_smaller_than_jobs)
{
    cr_expect_eq(fetch_behind_late_head(RUN_WEIR("-j", "40", "--window", "3")), 40);
}

Test(window, is_1024_or_four_times_the_jobs_by_default)
{
    cr_expect_eq(fetch_behind_late_head(RUN_WEIR("-j", "10")), 601);
}

Test(window, holds_up_nobody_in_order_of_completion)
{
    cr_expect_eq(fetch_behind_late_head(RUN_WEIR("-j", "10", "--window", "50", "--unordered")),
                 601);
}

enum {
    PAGE = 20 * 1024,
    /* What a pipe holds (64 KiB), and weir's own buffer, in pages. */
    PAGES_ON_THE_WAY = (64 + 256) / 20 + 2,
    PAGES = 400,
    WINDOW = 30,
};

static struct run *spawn_unread(struct stage *stage, const char *order)
{
    struct run *run =
        program_spawn((struct run_options){.argv = RUN_WEIR("--window", "30", "-j", "10", order)});
    struct blob input = {0};

    run_hold(run, true);
    add_lines(stage, &input, PAGES, "/bytes/20480");
    cr_assert(run_write(run, input.at, input.len));
    run_close_stdin(run);
    blob_release(&input);
    return run;
}

struct order_word {
    char word[16];
};

ParameterizedTestParameters(reader, that_does_not_read_stops_the_fetching)
{
    static struct order_word words[] = {{"--keep-order"}, {"--unordered"}};

    return cr_make_param_array(struct order_word, words, sizeof words / sizeof *words);
}

ParameterizedTest(struct order_word *order, reader, that_does_not_read_stops_the_fetching)
{
    struct stage *stage = stage_new();
    struct run *run = spawn_unread(stage, order->word);

    cr_assert(origin_wait_requests(stage->origin, WINDOW, patience));
    uint64_t seen = stage_settled_requests(stage);
    cr_expect_leq(seen, WINDOW + PAGES_ON_THE_WAY, "%llu were fetched", (unsigned long long)seen);
    cr_expect_eq(origin_counts(stage->origin).in_service, 0);
    run_hold(run, false);
    struct run_result result = program_end(run);
    cr_expect_eq(result.code, 0);
    cr_assert_eq(result.out.len, (size_t)PAGES * PAGE);
    cr_expect_eq(origin_differs("/bytes/20480", result.out.at + (PAGES - 1UL) * PAGE, PAGE), -1);
    cr_expect_eq(origin_counts(stage->origin).requests, PAGES);
    run_result_release(&result);
    stage_free(stage);
}

/* It goes on by as much as is read, and no more. */
Test(reader, sets_the_pace)
{
    struct stage *stage = stage_new();
    struct run *run = spawn_unread(stage, "--keep-order");

    cr_assert(origin_wait_requests(stage->origin, WINDOW, patience));
    for (size_t read = 0; read < 100UL * PAGE;) {
        size_t got = run_read_some(run, 50000, patience);
        cr_assert_gt(got, 0);
        read += got;
    }
    cr_assert(origin_wait_requests(stage->origin, 100 + WINDOW, patience));
    cr_expect_leq(stage_settled_requests(stage), 100 + WINDOW + PAGES_ON_THE_WAY);
    run_free(run);
    stage_free(stage);
}

static size_t count_lines(const struct blob *text)
{
    size_t lines = 0;

    for (const char *at = blob_text(text); (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    return lines;
}

Test(reader, of_failures_sets_the_pace_too_and_misses_none)
{
    struct stage *stage = stage_new();
    struct blob input = {0}, told = {0};
    int ends[2];
    ssize_t got;

    cr_assert_eq(pipe(ends), 0);
    add_lines(stage, &input, 6000, "/text/x?status=404");
    const char *list = scratch_write(stage->scratch, "list", input.at, input.len);
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("--window", "100", "-a", list), .error_fd = ends[1]});
    close(ends[1]);
    cr_assert(origin_wait_requests(stage->origin, 100, patience));
    cr_expect_lt(stage_settled_requests(stage), 6000);
    while ((got = read(ends[0], blob_reserve(&told, 65536), 65536)) > 0)
        blob_extend(&told, (size_t)got);
    program_expect(program_end(run), 1, "", NULL);
    cr_expect_eq(count_lines(&told), 6000);
    close(ends[0]);
    blob_release(&told);
    blob_release(&input);
    stage_free(stage);
}

/* How many requests had arrived when the last for that address did. */
static size_t count_before_last(struct stage *stage, const char *address)
{
    size_t at = 0, last = 0;

    for (const struct origin_record *record = NULL;
         (record = origin_log_next(stage->origin, record)) != NULL;) {
        at++;
        if (strcmp(record->local, address) == 0)
            last = at;
    }
    return last;
}

Test(hosts, take_turns)
{
    struct stage *stage = stage_new_any();
    struct blob input = {0};

    for (int i = 0; i < 500; i++)
        blob_addf(&input, "%s\n", stage_url_at(stage, "127.0.0.1", "/text/x?delay=0.01"));
    for (int i = 0; i < 10; i++)
        blob_addf(&input, "%s\n", stage_url_at(stage, "127.0.0.2", "/text/x?delay=0.01"));
    struct run_result result = fetch_lines(RUN_WEIR("-j", "10"), &input);
    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    cr_expect_eq(result.out.len, 1020);
    cr_expect_lt(count_before_last(stage, "127.0.0.2"), 100);
    run_result_release(&result);
    blob_release(&input);
    stage_free(stage);
}

/* A thousand hosts, each with a connection of its own, and no more of them at once than jobs. */
Test(hosts, may_be_many)
{
    struct stage *stage = stage_new_any();
    struct blob input = {0};

    for (int i = 0; i < 1000; i++) {
        blob_addf(&input, "http://127.0.%d.%d:%u/text/x\n", i / 250, 1 + i % 250,
                  (unsigned)origin_port(stage->origin));
        blob_addf(&input, "http://name-%d.localhost:%u/text/y\n", i,
                  (unsigned)origin_port(stage->origin));
    }
    struct run_result result = fetch_lines(RUN_WEIR("-4", "-j", "30"), &input);
    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    cr_expect_eq(result.out.len, 4000);
    cr_expect_eq(origin_counts(stage->origin).requests, 2000);
    cr_expect_leq(origin_counts(stage->origin).in_service_peak, 30);
    run_result_release(&result);
    blob_release(&input);
    stage_free(stage);
}
