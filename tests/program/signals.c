/* What says something to a run from outside: signals, and a file of --jobs. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arrivals.h"
#include "moment.h"
#include "program.h"
#include "record.h"
#include "stage.h"

static void write_url(struct run *run, const char *url)
{
    cr_assert(run_write_text(run, url));
    cr_assert(run_write_text(run, "\n"));
}

static void sleep_for(double seconds)
{
    for (double end = moment_now() + seconds; moment_now() < end;)
        moment_nap();
}

static void expect_signal(struct run_result result, int number, const char *out, const char *err)
{
    cr_expect_eq(result.signal, number, "ended with %d", result.code);
    program_expect(result, 128 + number, out, err);
}

static struct criterion_test_params ending_signals(void)
{
    static int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    return cr_make_param_array(int, numbers, sizeof numbers / sizeof *numbers);
}

/* ---- once ---- */

ParameterizedTestParameters(signal_once, ends_a_run_in_order)
{
    return ending_signals();
}

/* One is done and told, one runs, one waits for it, and more might be written. */
ParameterizedTest(int *number, signal_once, ends_a_run_in_order)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-j1", "--jsonl", "-a", "-", stage_url(stage, "/text/x"),
                         stage_url(stage, "/text/y?silent=1"), stage_url(stage, "/text/never"))});

    cr_expect(run_read_until(run, "\n", patience));
    cr_expect(origin_wait_requests(stage->origin, 2, patience));
    run_signal(run, *number);
    cr_expect(run_ended(run, patience), "it waits for its stdin");
    struct run_result result = program_end(run);
    json_t *records = records_read(&result.out);
    cr_expect_eq(json_array_size(records), 3);
    cr_expect_str_eq(record_text(record_at(records, 0), "reason"), "ok");
    cr_expect_eq(records_count(records, "halted"), 2);
    json_decref(records);
    expect_signal(result, *number, NULL,
                  stage_text(stage, "weir: halted: SIG%s; requests read and not done: 2\n",
                             sigabbrev_np(*number)));
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    cr_expect(origin_wait_open(stage->origin, 0, patience));
    stage_free(stage);
}

ParameterizedTestParameters(signal_once, lets_go_what_waited_for_its_turn)
{
    return ending_signals();
}

/* Also what a pipe has no room for at first. */
ParameterizedTest(int *number, signal_once, lets_go_what_waited_for_its_turn)
{
    enum { LEN = 400000 };
    struct stage *stage = stage_new();
    const char *target = stage_text(stage, "/bytes/%d", LEN);
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-s", "-j2", stage_url(stage, "/text/y?silent=1"),
                         stage_url(stage, "%s", target), stage_url(stage, "/text/z?silent=1"))});

    /* The third has come, so the second is done. */
    cr_expect(origin_wait_requests(stage->origin, 3, patience));
    run_hold(run, true);
    run_signal(run, *number);
    cr_expect(origin_wait_in_service(stage->origin, 0, patience));
    run_hold(run, false);
    struct run_result result = program_end(run);
    cr_expect_eq(result.out.len, LEN);
    cr_expect_eq(origin_differs(target, blob_text(&result.out), result.out.len), -1);
    expect_signal(result, *number, NULL, "");
    stage_free(stage);
}

/* Whatever a request waits for: its next attempt, a gate, a rate, a place of its host. */
Test(signal_once, ends_every_wait)
{
    struct stage *stage = stage_new_any();
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("--jsonl", "--retry-delay=9000", "--retry-max-delay=9000",
                         "--host-rate=127.0.0.3=1/h", "--per-host=127.0.0.4=1",
                         stage_url_at(stage, "127.0.0.1", "/text/x?failtimes=1"),
                         stage_url_at(stage, "127.0.0.2", "/text/x?status=429&retryafter=1000"),
                         stage_url_at(stage, "127.0.0.2", "/text/y?status=429&retryafter=1000"),
                         stage_url_at(stage, "127.0.0.3", "/text/x?silent=1"),
                         stage_url_at(stage, "127.0.0.3", "/text/y"),
                         stage_url_at(stage, "127.0.0.4", "/text/x?silent=1"),
                         stage_url_at(stage, "127.0.0.4", "/text/y"))});

    cr_expect(origin_wait_requests(stage->origin, 4, patience));
    uint64_t requests = stage_settled_requests(stage);
    run_signal(run, SIGINT);
    struct run_result result = program_end(run);
    json_t *records = records_read(&result.out);
    cr_expect_eq(json_array_size(records), 7);
    cr_expect_eq(records_count(records, "halted"), 7);
    json_decref(records);
    expect_signal(result, SIGINT, NULL, "not done: 7\n");
    cr_expect_eq(origin_counts(stage->origin).requests, requests);
    stage_free(stage);
}

Test(signal_once, leaves_whole_files_alone)
{
    struct stage *stage = stage_new();
    const char *template = stage_text(stage, "%s/{seq}", scratch_mkdir(stage->scratch, "out"));
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-s", "-j1", "-o", template, stage_url(stage, "/text/x"),
                         stage_url(stage, "/bytes/200000?stall=100000"),
                         stage_url(stage, "/text/never"))});

    cr_expect(origin_wait_requests(stage->origin, 2, patience));
    run_signal(run, SIGTERM);
    expect_signal(program_end(run), SIGTERM, "", "");
    stage_expect_file(stage, "out/1", "x\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1, "something is left behind");
    stage_free(stage);
}

Test(signal_once, ends_a_stream_that_goes_to_a_file)
{
    struct stage *stage = stage_new();
    const char *to = stage_text(stage, "%s/all", scratch_mkdir(stage->scratch, "out"));
    struct blob stream = {0};
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-s", "-j1", "--jsonl", "--to", to, stage_url(stage, "/text/x"),
                         stage_url(stage, "/text/y?silent=1"), stage_url(stage, "/text/z"))});

    cr_expect(origin_wait_requests(stage->origin, 2, patience));
    run_signal(run, SIGINT);
    expect_signal(program_end(run), SIGINT, "", "");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1, "something is left behind");
    cr_assert(scratch_read(stage->scratch, "out/all", &stream));
    json_t *records = records_read(&stream);
    cr_expect_eq(json_array_size(records), 3);
    cr_expect_eq(records_count(records, "halted"), 2);
    json_decref(records);
    blob_release(&stream);
    stage_free(stage);
}

Test(signal_once, ends_a_run_that_waits_for_input)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-j2")});

    write_url(run, stage_url(stage, "/text/x"));
    cr_expect(run_read_until(run, "x\n", patience));
    run_signal(run, SIGINT);
    cr_expect(run_ended(run, patience));
    expect_signal(program_end(run), SIGINT, "x\n", "weir: halted: SIGINT\n");
    stage_free(stage);
}

Test(signal_once, ends_an_endless_input)
{
    enum { WINDOW = 30 };
    struct stage *stage = stage_new();
    FILE *lines = popen(stage_text(stage, "exec yes '%s'", stage_url(stage, "/text/x")), "r");

    cr_assert(lines);
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-s", "-j5", "--jsonl", "--window=30"), .input_fd = fileno(lines)});
    cr_expect(run_read_until(run, "\"seq\":500,", patience));
    run_signal(run, SIGINT);
    struct run_result result = program_end(run);
    json_t *records = records_read(&result.out);
    size_t halted = records_count(records, "halted");
    cr_expect_leq(halted, WINDOW);
    cr_expect_eq(records_count(records, "ok"), json_array_size(records) - halted);
    for (size_t i = 0; i < json_array_size(records); i++)
        cr_assert_eq(record_number(record_at(records, i), "seq"), (long long)i + 1);
    json_decref(records);
    expect_signal(result, SIGINT, NULL, "");
    pclose(lines);
    stage_free(stage);
}

/* More than any run has in flight by itself, and each of them has its record. */
Test(signal_once, ends_five_thousand_in_flight)
{
    enum { REQUESTS = 5000 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s/text/x?silent=1&tag=%d\n", origin_url(stage->origin), i);
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-s", "-j5000", "--jsonl", "--connect-timeout=0", "--stall-timeout=0")});
    cr_assert(run_write(run, input.at, input.len));
    cr_assert(origin_wait_in_service(stage->origin, REQUESTS, patience), "%zu are in service",
              (size_t)origin_counts(stage->origin).in_service);
    run_signal(run, SIGTERM);
    cr_expect(run_ended(run, patience));
    struct run_result result = program_end(run);
    json_t *records = records_read(&result.out);
    cr_expect_eq(json_array_size(records), REQUESTS);
    cr_expect_eq(records_count(records, "halted"), REQUESTS);
    json_decref(records);
    expect_signal(result, SIGTERM, NULL, "");
    cr_expect(origin_wait_open(stage->origin, 0, patience));
    blob_release(&input);
    stage_free(stage);
}

/* ---- twice ---- */

struct pair {
    int once, again;
};

ParameterizedTestParameters(signal_twice, ends_a_run_whose_reader_sleeps)
{
    static struct pair pairs[] = {{SIGINT, SIGINT},
                                  {SIGTERM, SIGTERM},
                                  {SIGHUP, SIGHUP},
                                  {SIGINT, SIGTERM},
                                  {SIGHUP, SIGINT}};

    return cr_make_param_array(struct pair, pairs, sizeof pairs / sizeof *pairs);
}

/* More than the pipe and the buffer before it hold, so after the first it waits to be read. */
ParameterizedTest(struct pair *pair, signal_twice, ends_a_run_whose_reader_sleeps)
{
    enum { LEN = 4000000 };
    struct stage *stage = stage_new();
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("-j1", stage_url(stage, "/bytes/%d", LEN),
                                              stage_url(stage, "/text/y?silent=1"))});

    run_hold(run, true);
    cr_expect(origin_wait_requests(stage->origin, 2, patience));
    run_signal(run, pair->once);
    cr_expect(origin_wait_in_service(stage->origin, 0, patience));
    cr_expect_not(run_ended(run, 0.3), "nobody had read what was done");
    run_signal(run, pair->again);
    cr_expect(run_ended(run, patience));
    struct run_result result = program_end(run);
    cr_expect_lt(result.out.len, LEN);
    expect_signal(result, pair->again, NULL, NULL);
    stage_free(stage);
}

/* Whether anything there has a name that a body has only while it is made. */
static size_t count_unnamed(struct stage *stage, const char *name)
{
    DIR *dir = opendir(scratch_path(stage->scratch, name));
    struct dirent *entry;
    size_t count = 0;

    cr_assert(dir);
    while ((entry = readdir(dir)) != NULL)
        count += strncmp(entry->d_name, ".weir-", 6) == 0;
    closedir(dir);
    return count;
}

/* Their names are given as their records go out, and those nobody takes. */
Test(signal_twice, leaves_no_file_without_its_name)
{
    enum { FILES = 3000, LONG = 200 };
    struct stage *stage = stage_new();
    const char *template = stage_text(stage, "%s/{seq}", scratch_mkdir(stage->scratch, "out"));
    const char *all = stage_url(stage, "/text/%0*d?tag=[1-%d]", LONG, 1, FILES);
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-s", "-j8", "--window=3000", "--jsonl", "-o", template, all)});

    run_hold(run, true);
    cr_expect(origin_wait_requests(stage->origin, FILES, patience));
    cr_expect(origin_wait_in_service(stage->origin, 0, patience));
    cr_expect_gt(count_unnamed(stage, "out"), 100, "nothing waits");
    run_signal(run, SIGINT);
    cr_expect_not(run_ended(run, 0.3), "nobody had read what was done");
    cr_expect_gt(count_unnamed(stage, "out"), 0, "nothing waits");
    run_signal(run, SIGINT);
    cr_expect(run_ended(run, patience));
    struct run_result result = program_end(run);
    cr_expect_eq(result.signal, SIGINT);
    run_result_release(&result);
    cr_expect_eq(count_unnamed(stage, "out"), 0);
    cr_expect_gt(scratch_count(stage->scratch, "out"), 0, "those that had their names keep them");
    stage_free(stage);
}

/* ---- ignored, and not for us ---- */

ParameterizedTestParameters(signal_ignored, at_the_start_stays_so)
{
    return ending_signals();
}

ParameterizedTest(int *number, signal_ignored, at_the_start_stays_so)
{
    struct stage *stage = stage_new();
    const char *script = stage_text(stage, "trap '' %s; exec \"$0\" \"$@\"", sigabbrev_np(*number));
    const char *const argv[] = {"sh", "-c", script, run_weir(), "-j2", NULL};
    struct run *run = program_spawn((struct run_options){.argv = argv});

    write_url(run, stage_url(stage, "/text/x"));
    cr_expect(run_read_until(run, "x\n", patience));
    run_signal(run, *number);
    run_signal(run, *number);
    write_url(run, stage_url(stage, "/text/y"));
    program_expect(program_end(run), 0, "x\ny\n", "");
    stage_free(stage);
}

/* Another one is heard all the same. */
Test(signal_ignored, shields_from_no_other)
{
    struct stage *stage = stage_new();
    struct run *run =
        program_spawn((struct run_options){.argv = RUN_WEIR("-s"), .ignored = SIGHUP});

    write_url(run, stage_url(stage, "/text/x"));
    cr_expect(run_read_until(run, "x\n", patience));
    run_signal(run, SIGHUP);
    run_signal(run, SIGTERM);
    cr_expect(run_ended(run, patience));
    expect_signal(program_end(run), SIGTERM, "x\n", "");
    stage_free(stage);
}

Test(sigpipe, is_nothing_to_a_run_that_is_read)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-j2")});

    write_url(run, stage_url(stage, "/text/x"));
    cr_expect(run_read_until(run, "x\n", patience));
    run_signal(run, SIGPIPE);
    write_url(run, stage_url(stage, "/text/y"));
    program_expect(program_end(run), 0, "x\ny\n", "");
    stage_free(stage);
}

/* What runs is not waited for, nor is the input's end. */
Test(sigpipe, is_how_a_run_ends_that_nobody_reads)
{
    struct stage *stage = stage_new();
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("-j2", "--unordered"), .output_fd = ends[1]});
    close(ends[1]);
    close(ends[0]);
    write_url(run, stage_url(stage, "/text/x?silent=1"));
    write_url(run, stage_url(stage, "/text/y"));
    cr_expect(run_ended(run, patience));
    expect_signal(program_end(run), SIGPIPE, NULL, "");
    cr_expect(origin_wait_open(stage->origin, 0, patience));
    stage_free(stage);
}

/* Nobody needs to hear what went wrong for the rest to go right. */
Test(sigpipe, does_not_come_from_stderr)
{
    struct stage *stage = stage_new();
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-j1", "--retry=0", stage_url(stage, "/text/x?status=404"),
                         stage_url(stage, "/text/y")),
        .error_fd = ends[1]});
    close(ends[1]);
    close(ends[0]);
    program_expect(program_end(run), 1, "y\n", NULL);
    stage_free(stage);
}

/* ---- status ---- */

Test(sigusr1, tells_how_the_run_goes)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("--jsonl", "-j9")});
    static const char told[] =
        "weir: 2 done, 1 of them failed; 0 in flight; 0 of a window of 1024\n";

    write_url(run, stage_url(stage, "/text/x"));
    write_url(run, stage_url(stage, "/text/x?status=404"));
    cr_expect(run_read_until(run, "\n", patience));
    cr_expect(run_read_until(run, "\n", patience));
    run_signal(run, SIGUSR1);
    cr_expect(run_read_error_until(run, "\n", patience));
    cr_expect_str_eq(blob_text(run_err(run)), told);
    write_url(run, stage_url(stage, "/text/y?silent=1&failtimes=1"));
    cr_expect(origin_wait_in_service(stage->origin, 1, patience));
    run_signal(run, SIGUSR1);
    cr_expect(run_read_error_until(
        run, "weir: 2 done, 1 of them failed; 1 in flight; 1 of a window of 1024\n", patience));
    cr_expect_not(run_ended(run, 0));
    run_signal(run, SIGTERM);
    expect_signal(program_end(run), SIGTERM, NULL, "not done: 1\n");
    stage_free(stage);
}

Test(sigusr1, changes_nothing)
{
    enum { REQUESTS = 300 };
    struct stage *stage = stage_new();
    struct blob expected = {0};
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-j4")});

    for (int i = 0; i < REQUESTS; i++) {
        write_url(run, stage_url(stage, "/text/word-%d", i));
        blob_addf(&expected, "word-%d\n", i);
        if (i == 0)
            cr_expect(run_read_until(run, "\n", patience));
        if (i % 10 == 0)
            run_signal(run, SIGUSR1);
    }
    program_expect(program_end(run), 0, blob_text(&expected), "weir: ");
    blob_release(&expected);
    stage_free(stage);
}

/* ---- stopped ---- */

static bool is_stopped(pid_t pid)
{
    char path[64], line[128];
    bool stopped = false;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    cr_assert(file);
    while (fgets(line, sizeof line, file))
        stopped |= strncmp(line, "State:\tT", 8) == 0;
    fclose(file);
    return stopped;
}

static void stop_for(struct run *run, int number, double seconds)
{
    double end = moment_now() + patience;

    run_signal(run, number);
    while (!is_stopped(run_pid(run)) && moment_now() < end)
        moment_nap();
    cr_expect(is_stopped(run_pid(run)));
    sleep_for(seconds);
    run_signal(run, SIGCONT);
}

ParameterizedTestParameters(sigstop, counts_for_no_timeout)
{
    static char options[][24] = {"--stall-timeout=2", "--max-time=2"};

    return cr_make_param_array(char[24], options, sizeof options / sizeof *options);
}

/* None of the answers is there when it goes on: they are due half a second later. */
ParameterizedTest(char (*option)[24], sigstop, counts_for_no_timeout)
{
    enum { REQUESTS = 5 };
    struct stage *stage = stage_new();
    const char *urls = stage_url(stage, "/text/x?delay=3.5&tag=[1-%d]", REQUESTS);
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("--retry=0", "--connect-timeout=2", *option, urls)});

    cr_expect(origin_wait_in_service(stage->origin, REQUESTS, patience));
    stop_for(run, SIGSTOP, 3);
    program_expect(program_end(run), 0, "x\nx\nx\nx\nx\n", "");
    stage_free(stage);
}

/* It is over for those who wait for the run, whoever slept. */
Test(sigstop, counts_for_the_deadline)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-s", "--deadline=3", stage_url(stage, "/text/x?silent=1"))});

    cr_expect(origin_wait_in_service(stage->origin, 1, patience));
    stop_for(run, SIGSTOP, 3);
    double since = moment_now();
    program_expect(program_end(run), 3, "", "");
    cr_expect_lt(moment_now() - since, 2.5, "it had as much time again");
    stage_free(stage);
}

/* A connection that does not stand has its two seconds of ours, however long we slept. */
Test(sigstop, counts_for_no_timeout_of_a_connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char url[64];

    cr_assert_eq(bind(listener, (struct sockaddr *)&address, len), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", (unsigned)ntohs(address.sin_port));
    double since = moment_now();
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("--retry=0", "--connect-timeout=2", url)});
    int fd = accept(listener, NULL, NULL); /* and nobody answers its handshake */
    stop_for(run, SIGSTOP, 2.5);
    struct run_result result = program_end(run);
    cr_expect_geq(moment_now() - since, 4.5);
    cr_expect(program_told(&result, url, "timeout", ""), "%s", blob_text(&result.err));
    program_expect(result, 1, "", NULL);
    close(fd);
    close(listener);
}

/* What came while it slept is heard when it wakes, and before anything is called overdue. */
Test(sigstop, keeps_the_signal_that_ends_the_run)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("-s", "--jsonl", "--retry=0", "--stall-timeout=1",
                                              stage_url(stage, "/text/x?silent=1"))});

    cr_expect(origin_wait_in_service(stage->origin, 1, patience));
    run_signal(run, SIGSTOP);
    sleep_for(1.5);
    run_signal(run, SIGTERM);
    run_signal(run, SIGCONT);
    struct run_result result = program_end(run);
    json_t *records = records_read(&result.out);
    cr_expect_eq(json_array_size(records), 1);
    cr_expect_eq(records_count(records, "halted"), 1);
    json_decref(records);
    expect_signal(result, SIGTERM, NULL, "");
    stage_free(stage);
}

/* The terminal's signals to a job in the background do what they do to any program. */
Test(sigttin, stops_and_no_more)
{
    static const int numbers[] = {SIGTTIN, SIGTTOU, SIGTSTP};
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-j2")});

    write_url(run, stage_url(stage, "/text/x"));
    cr_expect(run_read_until(run, "x\n", patience));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        stop_for(run, numbers[i], 0);
    write_url(run, stage_url(stage, "/text/y"));
    program_expect(program_end(run), 0, "x\ny\n", "");
    stage_free(stage);
}

/* ---- the file of --jobs ---- */

/* Longer than it takes until a change is noticed. */
static const double notice = 2.5;

static struct run *spawn_jobs(struct stage *stage, const char *jobs, const char *window,
                              const char *target)
{
    const char *file = scratch_path(stage->scratch, "jobs");
    const char *urls = stage_url(stage, "%s[1-100000]", target);

    return program_spawn(
        (struct run_options){.argv = RUN_WEIR("-s", "--parallel-immediate", "--format=none",
                                              "--jobs-file", file, jobs, window, urls)});
}

/* None was abandoned while the run goes on. */
static size_t count_abandoned(struct stage *stage)
{
    size_t count = 0;

    for (const struct origin_record *at = NULL; (at = origin_log_next(stage->origin, at)) != NULL;)
        count += at->end == ORIGIN_ABANDONED;
    return count;
}

Test(jobs_file, is_heeded_at_the_start_and_as_it_grows)
{
    struct stage *stage = stage_new();

    scratch_write_text(stage->scratch, "jobs", "2\n");
    struct run *run = spawn_jobs(stage, "-j9", "--window=1024", "/text/x?silent=1&tag=");
    cr_expect(origin_wait_in_service(stage->origin, 2, patience));
    cr_expect_eq(stage_settled_requests(stage), 2);
    scratch_write_text(stage->scratch, "jobs", "7");
    cr_expect(origin_wait_in_service(stage->origin, 7, patience));
    cr_expect_eq(stage_settled_requests(stage), 7);
    /* Over what -j says, too. */
    scratch_write_text(stage->scratch, "new", "30 of them\n");
    cr_assert_eq(rename(scratch_path(stage->scratch, "new"), scratch_path(stage->scratch, "jobs")),
                 0);
    cr_expect(origin_wait_in_service(stage->origin, 30, patience));
    cr_expect_eq(stage_settled_requests(stage), 30);
    cr_expect_eq(count_abandoned(stage), 0);
    run_free(run);
    stage_free(stage);
}

/* The last few came alone. */
static bool has_become_one(struct stage *stage)
{
    enum { ENOUGH = 5 };
    size_t alone = 0;
    double finished = 0; /* the latest of those before */

    for (const struct origin_record *at = NULL;
         (at = origin_log_next(stage->origin, at)) != NULL;) {
        alone = finished <= at->arrived ? alone + 1 : 0;
        double here = at->finished > 0 ? at->finished : 1e300;
        finished = here > finished ? here : finished;
    }
    return alone >= ENOUGH;
}

Test(jobs_file, that_shrinks_cuts_nothing_that_runs)
{
    enum { JOBS = 12 };
    struct stage *stage = stage_new();

    scratch_write_text(stage->scratch, "jobs", "12");
    struct run *run = spawn_jobs(stage, "-j1", "--window=1024", "/text/x?delay=0.1&tag=");
    cr_expect(origin_wait_in_service(stage->origin, JOBS, patience));
    cr_expect_not(has_become_one(stage));
    scratch_write_text(stage->scratch, "jobs", "1");
    bool is_one = false;
    for (double end = moment_now() + patience; !is_one && moment_now() < end;) {
        sleep_for(0.1);
        is_one = has_become_one(stage);
    }
    cr_expect(is_one);
    cr_expect_eq(count_abandoned(stage), 0);
    cr_expect_eq(arrivals_peak(stage, NULL), JOBS);
    run_free(run);
    stage_free(stage);
}

Test(jobs_file, that_holds_no_number_changes_nothing)
{
    static const char *const texts[] = {"", "0", "-5", "lots", "9x", "99999999999999999999\n"};
    struct stage *stage = stage_new();

    scratch_write_text(stage->scratch, "jobs", "3");
    struct run *run = spawn_jobs(stage, "-j1", "--window=1024", "/text/x?silent=1&tag=");
    cr_expect(origin_wait_in_service(stage->origin, 3, patience));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        scratch_write_text(stage->scratch, "jobs", texts[i]);
        sleep_for(notice / 2);
        cr_expect_eq(origin_counts(stage->origin).requests, 3, "'%s' does", texts[i]);
    }
    cr_assert_eq(unlink(scratch_path(stage->scratch, "jobs")), 0);
    sleep_for(notice);
    cr_expect_eq(origin_counts(stage->origin).requests, 3);
    scratch_write_text(stage->scratch, "jobs", "4");
    cr_expect(origin_wait_in_service(stage->origin, 4, patience), "it is not read any more");
    cr_expect_eq(count_abandoned(stage), 0);
    run_free(run);
    stage_free(stage);
}

Test(jobs_file, is_bounded_by_the_window)
{
    struct stage *stage = stage_new();

    scratch_write_text(stage->scratch, "jobs", "500");
    struct run *run = spawn_jobs(stage, "-j1", "--window=6", "/text/x?silent=1&tag=");
    cr_expect(origin_wait_in_service(stage->origin, 6, patience));
    cr_expect_eq(stage_settled_requests(stage), 6);
    run_signal(run, SIGTERM);
    expect_signal(program_end(run), SIGTERM, "", "");
    stage_free(stage);
}

/* It is a file like any other that cannot be read; and without a number in it -j is what counts. */
Test(jobs_file, must_be_there_and_may_be_empty)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("--jobs-file", scratch_path(stage->scratch, "missing"),
                                          stage_url(stage, "/text/x")),
                                 NULL),
                   2, "", "--jobs-file");
    scratch_write_text(stage->scratch, "jobs", "");
    struct run *run = spawn_jobs(stage, "-j4", "--window=1024", "/text/x?silent=1&tag=");
    cr_expect(origin_wait_in_service(stage->origin, 4, patience));
    cr_expect_eq(stage_settled_requests(stage), 4);
    run_free(run);
    stage_free(stage);
}
