/* What weir takes of the machine's descriptors and threads. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libcurl.h"
#include "moment.h"
#include "program.h"
#include "stage.h"

struct limit {
    size_t nofile;
    char option[16];
};

ParameterizedTestParameters(descriptors, that_are_few_make_requests_wait_and_none_fail)
{
    static struct limit limits[] = {
        {40, "-L"}, {64, "-L"}, {256, "-L"}, {40, "--unordered"}, {40, "--memory=0"},
    };

    return cr_make_param_array(struct limit, limits, sizeof limits / sizeof *limits);
}

ParameterizedTest(struct limit *limit, descriptors, that_are_few_make_requests_wait_and_none_fail)
{
    enum { REQUESTS = 500 };
    struct stage *stage = stage_new_any();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "http://127.0.0.%d:%u/text/x?delay=0.02\n", 1 + i % 50,
                  (unsigned)origin_port(stage->origin));
    struct run_result result =
        program_run((struct run_options){.argv = RUN_WEIR("-j200", limit->option),
                                         .input = input.at,
                                         .input_len = input.len,
                                         .nofile = limit->nofile});
    cr_expect_eq(result.out.len, 2UL * REQUESTS);
    cr_expect_lt(origin_counts(stage->origin).in_service_peak, limit->nofile);
    program_expect(result, 0, NULL, "");
    blob_release(&input);
    stage_free(stage);
}

/* The limit is shared with names that have to be looked up, and with the spool. */
Test(descriptors, that_are_few_do_for_names_too)
{
    struct stage *stage = stage_new();
    struct blob input = {0};
    size_t told = 0;

    for (int i = 0; i < 100; i++)
        blob_addf(&input, "http://" UNKNOWN_NAME "-%d/\n%s\n", i,
                  stage_url_at(stage, "localhost", "/text/x"));
    struct run_result result = program_run((struct run_options){
        .argv = RUN_WEIR("-4", "-j200"), .input = input.at, .input_len = input.len, .nofile = 40});
    for (const char *at = blob_text(&result.err); (at = strstr(at, ": dns: ")); at++)
        told++;
    cr_expect_eq(told, 100, "%s", blob_text(&result.err));
    cr_expect_eq(result.out.len, 200);
    program_expect(result, 1, NULL, NULL);
    blob_release(&input);
    stage_free(stage);
}

/* One round: requests good and bad, over connections kept and closed, and the spool. */
static void do_round(struct stage *stage, struct run *run, int round)
{
    static const char *const targets[] = {"/bytes/9000?close=1",    "/bytes/9000?reset=1000",
                                          "/text/x?hops=2&close=1", "/text/x?garbage=1",
                                          "/bytes/70000?short=1",   "/nothing?close=1"};

    for (size_t i = 0; i < 60; i++) {
        const char *target = targets[i % (sizeof targets / sizeof *targets)];
        cr_assert(run_write_text(run, stage_url(stage, "%s\n", target)));
    }
    const char *last = stage_text(stage, "round-%d", round);
    cr_assert(run_write_text(run, "http://" UNKNOWN_NAME "/\n"));
    cr_assert(run_write_text(run, stage_url(stage, "/text/%s?close=1\n", last)));
    cr_assert(run_read_until(run, last, patience));
    cr_assert(origin_wait_open(stage->origin, 0, patience));
}

Test(descriptors, all_come_back_in_a_run_that_goes_on)
{
    struct stage *stage = stage_new();
    struct run *run =
        program_spawn((struct run_options){.argv = RUN_WEIR("-s", "-j10", "--memory", "50k")});

    do_round(stage, run, 0);
    long before = run_fd_count(run_pid(run));
    for (int round = 1; round <= 10; round++)
        do_round(stage, run, round);
    cr_expect_leq(run_fd_count(run_pid(run)), before);
    /* From 8.20 on libcurl keeps the threads of its lookups for a while. */
    for (int i = 0; i < patience * 10 && run_thread_count(run_pid(run)) > 1; i++)
        run_ended(run, 0.1);
    cr_expect_eq(run_thread_count(run_pid(run)), 1);
    program_expect(program_end(run), 1, NULL, "");
    stage_free(stage);
}

/* As many idle connections as jobs are kept, and no more. */
Test(descriptors, of_idle_connections_are_bounded_by_jobs)
{
    struct stage *stage = stage_new_any();
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-j6")});
    struct blob input = {0};

    for (int i = 0; i < 200; i++)
        blob_addf(&input, "http://127.0.1.%d:%u/text/x\n", 1 + i,
                  (unsigned)origin_port(stage->origin));
    blob_addf(&input, "%s\n", stage_url(stage, "/text/last"));
    cr_assert(run_write(run, input.at, input.len));
    cr_assert(run_read_until(run, "last\n", patience));
    double deadline = moment_now() + patience;
    while (origin_counts(stage->origin).open > 6 && moment_now() < deadline)
        moment_nap();
    cr_expect_leq(origin_counts(stage->origin).open, 6);
    cr_expect_gt(origin_counts(stage->origin).open, 0);
    program_expect(program_end(run), 0, NULL, "");
    blob_release(&input);
    stage_free(stage);
}

/* ---- names ---- */

enum { NAMES = 300, LOOKUPS = 16 };

static long watch_threads(struct run *run)
{
    long most = 0;

    while (!run_ended(run, 0.001)) {
        long now = run_thread_count(run_pid(run));
        most = now > most ? now : most;
    }
    return most;
}

Test(names, that_are_unknown_take_few_threads)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < NAMES; i++)
        blob_addf(&input, "http://" UNKNOWN_NAME "-%d/\n", i);
    blob_addf(&input, "%s\n", stage_url(stage, "/text/last"));
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-s", "-j", "200")});
    cr_assert(run_write(run, input.at, input.len));
    run_close_stdin(run);
    /* From 8.20 on each takes two threads. */
    cr_expect_leq(watch_threads(run), (libcurl_is(0x081400) ? 2 : 1) * LOOKUPS + 2);
    program_expect(program_end(run), 1, "last\n", "");
    blob_release(&input);
    stage_free(stage);
}

/* An address of this test alone, since the port is everybody's. */
static const char *silent_address(struct stage *stage)
{
    unsigned own = (unsigned)getpid();

    return stage_text(stage, "127.53.%u.%u", own / 256 % 256, own % 256);
}

/* A name server that takes questions and never answers; -1 where this machine does not let us. */
static int open_silent_server(struct stage *stage)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, silent_address(stage), &address.sin_addr);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* In the silent server's world: "$0" is weir, "$1" the resolver's file, "$2" the list. A lookup is
 * over after as long as `resolver` has it. */
static struct run *spawn_without_answers(struct stage *stage, const char *resolver,
                                         const char *options, const struct blob *list)
{
    const char *script = stage_text(
        stage, "mount --bind \"$1\" /etc/resolv.conf && exec \"$0\" -j100 %s -a \"$2\"", options);
    const char *const argv[] = {"unshare",
                                "-m",
                                "sh",
                                "-c",
                                script,
                                run_weir(),
                                scratch_write_text(stage->scratch, "resolv.conf",
                                                   stage_text(stage, "nameserver %s\n%s\n",
                                                              silent_address(stage), resolver)),
                                scratch_write(stage->scratch, "list", list->at, list->len),
                                NULL};

    return program_spawn((struct run_options){.argv = argv});
}

Test(names, that_hang_take_few_threads)
{
    struct stage *stage = stage_new();
    struct blob list = {0};
    int server = open_silent_server(stage);

    if (server < 0 || !program_may_mount())
        cr_skip_test("needs root, port 53, and mounts of its own");
    for (int i = 0; i < NAMES; i++)
        blob_addf(&list, "http://name-%d.test/\n", i);
    blob_addf(&list, "%s\n", stage_url(stage, "/text/x"));
    struct run *run = spawn_without_answers(stage, "", "--unordered", &list);
    cr_expect(run_read_until(run, "x\n", patience));
    double deadline = moment_now() + patience;
    while (run_thread_count(run_pid(run)) < LOOKUPS + 1 && moment_now() < deadline)
        moment_nap();
    cr_expect(!run_ended(run, 0.2));
    cr_expect_eq(run_thread_count(run_pid(run)), LOOKUPS + 1);
    run_free(run);
    close(server);
    blob_release(&list);
    stage_free(stage);
}

/* While lookups hang, and when they are given up, all else goes on, and weir ends with its input. */
Test(names, that_hang_hold_up_nobody_else)
{
    struct stage *stage = stage_new();
    struct blob list = {0};
    int server = open_silent_server(stage);
    size_t told = 0;

    if (server < 0 || !program_may_mount())
        cr_skip_test("needs root, port 53, and mounts of its own");
    for (int i = 0; i < 64; i++)
        blob_addf(&list, "http://name-%d.test/\n%s\n", i, stage_url(stage, "/text/x?delay=0.05"));
    struct run *run = spawn_without_answers(stage, "options timeout:1 attempts:1",
                                            "--unordered --connect-timeout 0.5", &list);
    cr_expect(origin_wait_requests(stage->origin, 64, patience));
    struct run_result result = program_end(run);
    for (const char *at = blob_text(&result.err); (at = strstr(at, ".test/: timeout: ")); at++)
        told++;
    cr_expect_eq(told, 64, "%s", blob_text(&result.err));
    cr_expect_eq(result.out.len, 128);
    program_expect(result, 1, NULL, NULL);
    close(server);
    blob_release(&list);
    stage_free(stage);
}
