/* What is told on stderr at the end of a run. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "record.h"
#include "stage.h"

/* The last line of stderr as an object, which the caller gives back. */
static json_t *last_line(const struct run_result *result)
{
    const char *err = blob_text(&result->err), *line = err + result->err.len;
    json_error_t error;

    cr_assert_gt(result->err.len, 0, "stderr is empty");
    cr_expect_eq(line[-1], '\n');
    for (line--; line > err && line[-1] != '\n'; line--)
        ;
    json_t *summary = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    cr_assert(json_is_object(summary), "%s: %s", error.text, err);
    return summary;
}

/* The summary of a run, which it *takes*. */
static json_t *summary_of(struct run_result result, int code)
{
    json_t *summary = last_line(&result);

    program_expect(result, code, NULL, NULL);
    return summary;
}

/* How many lines of stderr begin so. */
static size_t count_lines(const struct run_result *result, const char *start)
{
    size_t count = 0;

    for (const char *at = blob_text(&result->err); *at; at += strcspn(at, "\n"), at += *at == '\n')
        count += strncmp(at, start, strlen(start)) == 0;
    return count;
}

static const char *failing(struct stage *stage)
{
    return stage_url(stage, "/text/x?status=404");
}

static const char *fine(struct stage *stage)
{
    return stage_url(stage, "/bytes/1000");
}

/* ---- as JSON ---- */

Test(summary_json, is_the_last_line)
{
    struct stage *stage = stage_new();
    struct run_result result = program_fetch(
        RUN_WEIR("--summary=json", "-j1", "--fail-fast", fine(stage), failing(stage), fine(stage)),
        NULL);

    cr_expect_eq(count_lines(&result, "{"), 1);
    cr_expect_eq(count_lines(&result, "weir: halted: "), 1);
    cr_expect(program_told(&result, failing(stage), "http", ""));
    json_t *summary = summary_of(result, 3);
    cr_expect_eq(record_number(summary, "requests"), 3);
    json_decref(summary);
    stage_free(stage);
}

Test(summary_json, counts_what_the_run_came_to)
{
    enum { REQUESTS = 30, JOBS = 4 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s/bytes/1000?delay=0.02&tag=%d%s\n", origin_url(stage->origin), i,
                  i % 10 == 0   ? "&failtimes=1"
                  : i % 10 == 1 ? "&status=404"
                                : "");
    blob_addf(&input, "{\n");
    json_t *summary = summary_of(
        program_fetch(RUN_WEIR("--summary=json", "-s", "-j4", "--retry-delay=0.01", "--jsonl"),
                      blob_text(&input)),
        1);
    const json_t *reasons = json_object_get(summary, "reasons");
    const json_t *times = json_object_get(summary, "time_total");
    cr_expect_eq(record_number(summary, "requests"), REQUESTS + 1);
    cr_expect_eq(record_number(summary, "ok"), REQUESTS - 3);
    cr_expect_eq(record_number(summary, "failed"), 4);
    cr_expect_eq(record_number(reasons, "ok"), REQUESTS - 3);
    cr_expect_eq(record_number(reasons, "http"), 3);
    cr_expect_eq(record_number(reasons, "invalid"), 1);
    cr_expect_eq(json_object_size(reasons), 3);
    cr_expect_eq(record_number(summary, "retries"), 3);
    cr_expect_geq(record_number(summary, "bytes"), 1000LL * (REQUESTS - 3));
    cr_expect_geq(record_number(summary, "peak_in_flight"), 1);
    cr_expect_leq(record_number(summary, "peak_in_flight"), JOBS);
    cr_expect_gt(record_seconds(summary, "wall"), 0);
    cr_expect_str_eq(record_text(summary, "ended"), "all done");
    cr_expect_geq(record_seconds(times, "p50"), 0.019);
    cr_expect_leq(record_seconds(times, "p50"), record_seconds(times, "max"));
    cr_expect_leq(record_seconds(times, "max"), record_seconds(summary, "wall"));
    cr_expect_eq(json_array_size(json_object_get(summary, "failures")), 2);
    cr_expect_eq(json_array_size(json_object_get(summary, "hosts")), 1);
    json_decref(summary);
    blob_release(&input);
    stage_free(stage);
}

struct stream {
    const char *option[4];
};

/* Its times are told also where no result tells them. */
Test(summary_json, is_the_same_whatever_stdout_carries)
{
    struct stage *stage = stage_new();
    const char *out = stage_text(stage, "%s/{seq}", scratch_mkdir(stage->scratch, "out"));
    const struct stream streams[] = {
        {{"--format=none"}},  {{"--format=raw"}},
        {{"--jsonl"}},        {{"--format=tsv"}},
        {{"-o", out}},        {{"-o", out, "--jsonl", "--on-conflict=replace"}},
        {{"-w", "%{url}\n"}}, {{"--jsonl", "--no-body"}},
    };

    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        const char *argv[12] = {run_weir(), "--summary=json", "-s"};
        size_t len = 3;
        for (size_t k = 0; k < 4 && streams[i].option[k]; k++)
            argv[len++] = streams[i].option[k];
        argv[len++] = fine(stage);
        argv[len++] = failing(stage);
        json_t *summary = summary_of(program_fetch(argv, NULL), 1);
        cr_expect_eq(record_number(summary, "requests"), 2, "%s", argv[3]);
        cr_expect_eq(record_number(summary, "ok"), 1, "%s", argv[3]);
        cr_expect_geq(record_number(summary, "bytes"), 1000, "%s", argv[3]);
        cr_expect_gt(record_seconds(json_object_get(summary, "time_total"), "max"), 0, "%s",
                     argv[3]);
        json_decref(summary);
    }
    stage_free(stage);
}

Test(summary_json, of_no_request_is_there_too)
{
    json_t *summary = summary_of(program_fetch(RUN_WEIR("--summary=json"), ""), 0);

    cr_expect_eq(record_number(summary, "requests"), 0);
    cr_expect_eq(record_number(summary, "peak_in_flight"), 0);
    cr_expect_str_eq(record_text(summary, "ended"), "all done");
    json_decref(summary);
}

/* ---- why it ended ---- */

struct why {
    char option[24];
    char words[48];
    int code;
};

ParameterizedTestParameters(summary_json, says_why_the_run_ended)
{
    static struct why whys[] = {
        {"--halt=never", "all done", 1},
        {"--fail-fast", "1 failure reached --halt now,fail=1", 3},
        {"--halt=soon,done=1", "1 result reached --halt soon,done=1", 0},
        {"--halt=now,fail=7", "all done", 1},
    };

    return cr_make_param_array(struct why, whys, sizeof whys / sizeof *whys);
}

ParameterizedTest(struct why *why, summary_json, says_why_the_run_ended)
{
    struct stage *stage = stage_new();
    json_t *summary = summary_of(program_fetch(RUN_WEIR("--summary=json", "-s", "-j1", why->option,
                                                        failing(stage), fine(stage), fine(stage)),
                                               NULL),
                                 why->code);

    cr_expect_str_eq(record_text(summary, "ended"), why->words);
    cr_expect_eq(record_number(summary, "requests"), 3, "halted ones are told, too");
    json_decref(summary);
    stage_free(stage);
}

Test(summary_json, tells_of_the_deadline)
{
    struct stage *stage = stage_new();
    json_t *summary = summary_of(program_fetch(RUN_WEIR("--summary=json", "-s", "--deadline=0.5",
                                                        stage_url(stage, "/text/x?silent=1")),
                                               NULL),
                                 3);

    cr_expect_str_eq(record_text(summary, "ended"), "the --deadline of 0.5 s passed");
    cr_expect_eq(record_number(json_object_get(summary, "reasons"), "halted"), 1);
    json_decref(summary);
    stage_free(stage);
}

Test(summary_json, tells_of_the_signal)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("--summary=json", "-s", stage_url(stage, "/text/x?silent=1"))});

    cr_expect(origin_wait_in_service(stage->origin, 1, patience));
    run_signal(run, SIGTERM);
    json_t *summary = summary_of(program_end(run), 128 + SIGTERM);
    cr_expect_str_eq(record_text(summary, "ended"), "SIGTERM");
    cr_expect_eq(record_number(summary, "requests"), 1);
    json_decref(summary);
    stage_free(stage);
}

Test(summary_json, counts_connections)
{
    enum { REQUESTS = 12 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n", i == 4 ? stage_url(stage, "/bytes/10?close=1") : fine(stage));
    blob_addf(&input, "http://127.0.0.1:1/\nhttp://%s/\n", UNKNOWN_NAME);
    json_t *summary = summary_of(
        program_fetch(RUN_WEIR("--summary=json", "-s", "-j1", "--retry=0", "--format=none"),
                      blob_text(&input)),
        1);
    cr_expect_eq(record_number(summary, "connections_opened"), 2);
    cr_expect_eq(record_number(summary, "connections_reused"), REQUESTS - 2);
    json_decref(summary);
    blob_release(&input);
    stage_free(stage);
}

/* ---- into a file ---- */

static json_t *filed(struct stage *stage, const char *name)
{
    struct blob text = {0};
    json_error_t error;

    cr_assert(scratch_read(stage->scratch, name, &text));
    json_t *summary = json_loads(blob_text(&text), JSON_REJECT_DUPLICATES, &error);
    cr_assert(json_is_object(summary), "%s: %s", error.text, blob_text(&text));
    blob_release(&text);
    return summary;
}

Test(summary_file, has_the_same_whatever_stderr_is_told)
{
    struct stage *stage = stage_new();
    const char *path = scratch_write_text(stage->scratch, "summary",
                                          "what was there before is gone, however long it is; "
                                          "what was there before is gone, however long it is\n");

    program_expect(
        program_fetch(RUN_WEIR("--format=none", "--summary-file", path, fine(stage)), NULL), 0, "",
        "");
    json_t *summary = filed(stage, "summary");
    cr_expect_eq(record_number(summary, "requests"), 1);
    cr_expect_gt(record_seconds(json_object_get(summary, "time_total"), "max"), 0);
    cr_expect_eq(json_array_size(json_object_get(summary, "slowest")), 1);
    json_decref(summary);
    program_expect(program_fetch(RUN_WEIR("--format=none", "--summary=text", "--summary-file", path,
                                          fine(stage), fine(stage)),
                                 NULL),
                   0, "", "weir: 2 requests in ");
    summary = filed(stage, "summary");
    cr_expect_eq(record_number(summary, "requests"), 2);
    json_decref(summary);
    stage_free(stage);
}

Test(summary_file, that_cannot_be_written_is_told_of)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("--summary-file=/dev/full", fine(stage)), NULL), 4, NULL,
                   "weir: cannot write /dev/full: ");
    program_expect(program_fetch(RUN_WEIR("--summary-file=-", fine(stage)), NULL), 2, "",
                   "--summary-file: takes the name of a file");
    program_expect(
        program_fetch(RUN_WEIR("--summary-file",
                               stage_text(stage, "%s/none/s", scratch_dir(stage->scratch)),
                               fine(stage)),
                      NULL),
        2, "", "--summary-file: cannot write ");
    stage_free(stage);
}

Test(summary_file, is_whole_or_the_old_one)
{
    struct stage *stage = stage_new();
    const char *path = scratch_write_text(stage->scratch, "summary", "old\n");
    const char *const env[] = {"LD_PRELOAD=" FAULTY_LIBRARY,
                               "FAULTY=rename:1:kill",
                               "http_proxy",
                               "all_proxy",
                               "LC_ALL=C",
                               NULL};
    const char *const *argv = RUN_WEIR("--format=none", "--summary-file", path, fine(stage));

    program_expect(program_run((struct run_options){.argv = argv, .env = env}), 137, "", "");
    stage_expect_file(stage, "summary", "old\n");
    program_expect(program_fetch(argv, NULL), 0, "", "");
    json_decref(filed(stage, "summary"));
    cr_expect_eq(scratch_count(stage->scratch, ""), 1, "something is left behind");
    stage_free(stage);
}

/* ---- the other forms ---- */

Test(summary_text, is_drawn_as_the_locale_allows)
{
    enum { REQUESTS = 40 };
    struct stage *stage = stage_new();
    const char *const locales[][2] = {{"LC_ALL=C", NULL}, {"LC_ALL=C.UTF-8", NULL}};
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n", stage_url(stage, "/text/x?delay=0.%d", i % 4));
    for (int i = 0; i < 2; i++) {
        struct run_result result = program_run(
            (struct run_options){.argv = RUN_WEIR("--summary=text", "--format=none", "-j40"),
                                 .env = locales[i],
                                 .input = input.at,
                                 .input_len = input.len});
        cr_expect_geq(count_lines(&result, "weir:     up to "), 5);
        cr_expect_eq(blob_contains(&result.err, " |#"), i == 0);
        cr_expect_eq(blob_contains(&result.err, " |\xE2\x96\x88"), i == 1, "%s",
                     blob_text(&result.err));
        program_expect(result, 0, "", NULL);
    }
    blob_release(&input);
    stage_free(stage);
}

Test(summary_text, is_for_people)
{
    struct stage *stage = stage_new();
    struct run_result result = program_fetch(
        RUN_WEIR("--summary=text", "--format=none", fine(stage), failing(stage)), NULL);

    cr_expect_eq(count_lines(&result, "weir: 2 requests in "), 1);
    cr_expect(blob_contains(&result.err, ": 1 ok, 1 failed, 0 retried; "));
    cr_expect(blob_contains(&result.err, "weir:   http: 1\n"));
    cr_expect(blob_contains(&result.err, "weir:   ended: all done\n"));
    cr_expect_eq(count_lines(&result, "weir: "), count_lines(&result, ""));
    program_expect(result, 1, "", NULL);
    stage_free(stage);
}

/* What comes from outside is in it, and none of it as it came. */
Test(summary_text, shows_no_control_byte_as_it_is)
{
    struct run_result result =
        program_fetch(RUN_WEIR("--summary=text", "-s"), "file:///a\x1b[31m\xc2\x9b\x07\n");

    cr_expect(blob_contains(&result.err, "file:///a\\x1b[31m\\xc2\\x9b\\x07"), "%s",
              blob_text(&result.err));
    for (size_t i = 0; i < result.err.len; i++)
        cr_expect(result.err.at[i] == '\n' || (unsigned char)result.err.at[i] >= 0x20);
    program_expect(result, 1, "", NULL);
}

Test(summary_none, is_nothing)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR("--summary=none", "--format=none", fine(stage), fine(stage)), NULL),
        0, "", "");
    program_expect(
        program_fetch(RUN_WEIR("--summary=none", "--jsonl", fine(stage), failing(stage)), NULL), 1,
        NULL, "");
    stage_free(stage);
}

/* A stderr that is no terminal belongs to scripts. */
Test(summary_auto, is_for_who_looks)
{
    static const char totals[] = "weir: 2 requests in ";
    struct stage *stage = stage_new();
    struct run_result result;

    program_expect(program_fetch(RUN_WEIR("--format=none", fine(stage), fine(stage)), NULL), 0, "",
                   "");
    program_expect(
        program_fetch(RUN_WEIR("--summary=auto", "--format=none", fine(stage), fine(stage)), NULL),
        0, "", "");
    program_expect(program_fetch(RUN_WEIR("-v", "--format=none", fine(stage), fine(stage)), NULL),
                   0, "", totals);
    result = program_fetch(RUN_WEIR("-v", "-s", "--format=none", fine(stage), fine(stage)), NULL);
    cr_expect_eq(count_lines(&result, totals), 0, "-s silences it");
    program_expect(result, 0, "", NULL);
    result = program_fetch(RUN_WEIR("-v", "--format=none", fine(stage)), NULL);
    cr_expect_not(blob_contains(&result.err, "requests in"), "one request needs none");
    program_expect(result, 0, "", NULL);
    stage_free(stage);
}

/* `script` gives the run a terminal for all three. */
Test(summary_auto, is_told_to_a_terminal)
{
    struct stage *stage = stage_new();
    const char *command =
        stage_text(stage, "%s --format=none '%s' '%s'", run_weir(), fine(stage), fine(stage));
    const char *const argv[] = {"script", "-qec", command, "/dev/null", NULL};

    if (access("/usr/bin/script", X_OK) != 0)
        cr_skip("there is no script(1)");
    program_expect(program_fetch(argv, NULL), 0, NULL, NULL);
    struct run_result result = program_fetch(argv, NULL);
    cr_expect(blob_contains(&result.out, "weir: 2 requests in "), "%s", blob_text(&result.out));
    program_expect(result, 0, NULL, NULL);
    stage_free(stage);
}

ParameterizedTestParameters(summary, refuses_another_form)
{
    static char values[][24] = {"--summary=", "--summary=yes", "--summary=JSON", "--summary=xml"};

    return cr_make_param_array(char[24], values, sizeof values / sizeof *values);
}

ParameterizedTest(char (*value)[24], summary, refuses_another_form)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR(*value, fine(stage)), NULL), 2, "", "--summary");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

/* ---- who does not listen ---- */

Test(summary, is_told_to_nobody_where_stderr_is_closed)
{
    struct stage *stage = stage_new();
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    program_expect(
        program_run((struct run_options){
            .argv = RUN_WEIR("--summary=json", "--jsonl", "--no-body", fine(stage), failing(stage)),
            .error_fd = ends[1]}),
        1, NULL, NULL);
    close(ends[1]);
    stage_free(stage);
}

/* A pipe that is full: the test's own end of it. */
static void fill(int fd)
{
    static const char piece[4096] = {0};

    cr_assert_neq(fcntl(fd, F_SETFL, O_NONBLOCK), -1);
    while (write(fd, piece, sizeof piece) > 0)
        ;
    while (write(fd, piece, 1) > 0)
        ;
    cr_assert_neq(fcntl(fd, F_SETFL, 0), -1);
}

static size_t empty(int fd, struct blob *bytes)
{
    size_t before = bytes->len;
    ssize_t got;

    while ((got = read(fd, blob_reserve(bytes, 65536), 65536)) > 0)
        blob_extend(bytes, (size_t)got);
    return bytes->len - before;
}

/* It waits for who reads later, and what is read then is whole. */
Test(summary, waits_for_who_reads_it_later)
{
    struct stage *stage = stage_new();
    struct run_result late = {0};
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    fill(ends[1]);
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("--summary=json", "-s", "--format=none", fine(stage), failing(stage)),
        .error_fd = ends[1]});
    close(ends[1]);
    cr_expect(origin_wait_requests(stage->origin, 2, patience));
    cr_expect_not(run_ended(run, 0.3), "its summary is lost");
    empty(ends[0], &late.err);
    size_t filled = 0;
    while (filled < late.err.len && !late.err.at[filled])
        filled++;
    blob_drop(&late.err, filled);
    json_t *summary = last_line(&late);
    cr_expect_eq(record_number(summary, "requests"), 2);
    json_decref(summary);
    program_expect(program_end(run), 1, "", NULL);
    run_result_release(&late);
    close(ends[0]);
    stage_free(stage);
}

/* Nobody ever reads it: the second signal is not waited with. */
Test(summary, does_not_outlast_two_signals)
{
    struct stage *stage = stage_new();
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    fill(ends[1]);
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("--summary=json", "-s", "--format=none", fine(stage),
                                              stage_url(stage, "/text/x?silent=1")),
                             .error_fd = ends[1]});
    close(ends[1]);
    cr_expect(origin_wait_requests(stage->origin, 2, patience));
    run_signal(run, SIGINT);
    cr_expect(origin_wait_open(stage->origin, 0, patience));
    cr_expect_not(run_ended(run, 0.3));
    run_signal(run, SIGINT);
    cr_expect(run_ended(run, patience));
    struct run_result result = program_end(run);
    cr_expect_eq(result.signal, SIGINT);
    run_result_release(&result);
    close(ends[0]);
    stage_free(stage);
}
