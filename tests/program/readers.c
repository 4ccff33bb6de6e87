/* Readers that come late, never, or take nothing: the run can be ended all the same. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "record.h"
#include "stage.h"

/* ---- a FIFO that nobody opens ---- */

struct opening {
    char option[20];
    int number;
    bool at_start;
};

ParameterizedTestParameters(opening, of_a_fifo_can_be_interrupted)
{
    static struct opening openings[] = {
        {"--to", SIGINT, true},
        {"--to", SIGTERM, true},
        {"-b", SIGINT, true},
        {"-b", SIGTERM, true},
        {"-c", SIGINT, false},
        {"-c", SIGTERM, false},
        {"--summary-file", SIGINT, false},
        {"--summary-file", SIGTERM, false},
    };

    return cr_make_param_array(struct opening, openings, sizeof openings / sizeof *openings);
}

ParameterizedTest(struct opening *opening, opening, of_a_fifo_can_be_interrupted)
{
    struct stage *stage = stage_new();
    const char *fifo = scratch_path(stage->scratch, "fifo");

    cr_assert_eq(mkfifo(fifo, 0600), 0);
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR(opening->option, fifo, stage_url(stage, "/text/a"))});
    if (!opening->at_start)
        cr_expect(run_read_until(run, "a\n", patience));
    cr_expect_not(run_ended(run, 0.5), "it does not wait for a reader");
    run_signal(run, opening->number);
    cr_expect(run_ended(run, 3), "it is deaf");
    struct run_result result = program_end(run);
    cr_expect_eq(result.signal, opening->number, "ended with %d", result.code);
    if (!opening->at_start)
        cr_expect(blob_contains(&result.err, "nobody reads it"), "%s", blob_text(&result.err));
    program_expect(result, 128 + opening->number, opening->at_start ? "" : "a\n", NULL);
    cr_expect_eq(origin_counts(stage->origin).requests, opening->at_start ? 0 : 1);
    stage_free(stage);
}

static const char *read_fifo(struct stage *stage, const char *path)
{
    struct blob said = {0};
    char bytes[4096];
    ssize_t len;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    cr_assert_geq(fd, 0);
    while ((len = read(fd, bytes, sizeof bytes)) > 0)
        blob_add(&said, bytes, (size_t)len);
    close(fd);
    const char *text = stage_text(stage, "%s", blob_text(&said));
    blob_release(&said);
    return text;
}

ParameterizedTestParameters(fifo, whose_reader_comes_late_gets_it_all)
{
    static char options[][20] = {"--summary-file", "-c"};

    return cr_make_param_array(char[20], options, sizeof options / sizeof *options);
}

ParameterizedTest(char (*option)[20], fifo, whose_reader_comes_late_gets_it_all)
{
    struct stage *stage = stage_new();
    const char *fifo = scratch_path(stage->scratch, "fifo");
    struct stat status;

    cr_assert_eq(mkfifo(fifo, 0600), 0);
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR(*option, fifo, stage_url(stage, "/text/a?hdr=Set-Cookie:b=2"))});
    cr_expect(run_read_until(run, "a\n", patience));
    cr_expect_not(run_ended(run, 0.2));
    const char *said = read_fifo(stage, fifo);
    cr_expect(strstr(said, strcmp(*option, "-c") == 0 ? "\tb\t2\n" : "\"requests\":1"), "%s", said);
    program_expect(program_end(run), 0, "a\n", "");
    cr_assert_eq(stat(fifo, &status), 0);
    cr_expect(S_ISFIFO(status.st_mode), "a file has taken its place");
    stage_free(stage);
}

/* ---- a reader that takes nothing ---- */

enum { MANY = 40, LEN = 100000 };

static const char *const lost = "results are lost: the reader of stdout took too little in the ";

/* More than a pipe and the writer's buffer hold, all of it fetched. */
static struct run *spawn_unread(struct stage *stage, const char *const *argv)
{
    struct run *run = program_spawn((struct run_options){.argv = argv});

    run_hold(run, true);
    cr_expect(origin_wait_requests(stage->origin, MANY, patience));
    return run;
}

static const char *many_bodies(struct stage *stage)
{
    return stage_url(stage, "/bytes/%d?tag=[1-%d]", LEN, MANY);
}

ParameterizedTestParameters(stop_timeout, ends_a_run_whose_reader_takes_nothing)
{
    static int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    return cr_make_param_array(int, numbers, sizeof numbers / sizeof *numbers);
}

ParameterizedTest(int *number, stop_timeout, ends_a_run_whose_reader_takes_nothing)
{
    struct stage *stage = stage_new();
    struct run *run = spawn_unread(stage, RUN_WEIR("--stop-timeout=0.3", many_bodies(stage)));

    cr_expect_not(run_ended(run, 0.5));
    run_signal(run, *number);
    cr_expect(run_ended(run, 10), "one signal is not enough");
    struct run_result result = program_end(run);
    cr_expect_eq(result.signal, *number, "ended with %d", result.code);
    cr_expect_lt(result.out.len, (size_t)MANY * LEN);
    cr_expect(blob_contains(&result.err, lost), "%s", blob_text(&result.err));
    run_result_release(&result);
    stage_free(stage);
}

Test(stop_timeout, holds_for_the_deadline_too)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("--stop-timeout=300ms", "--deadline=3", many_bodies(stage))});

    run_hold(run, true);
    cr_expect(run_ended(run, 20), "the deadline does not end it");
    program_expect(program_end(run), 3, NULL, lost);
    stage_free(stage);
}

/* A reader that does not read stderr either holds up nothing. */
Test(stop_timeout, holds_for_stderr)
{
    enum { FAILURES = 3000 };
    struct stage *stage = stage_new();
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("--stop-timeout=0.3", "--deadline=1.5",
                         stage_url(stage, "/text/x?status=404&tag=[1-%d]", FAILURES)),
        .error_fd = ends[1]});
    close(ends[1]);
    cr_expect(run_ended(run, 15), "the deadline does not end it");
    program_expect(program_end(run), 3, "", NULL);
    close(ends[0]);
    stage_free(stage);
}

/* Whoever reads, only slowly, has that time for what is finished, and no more than what is finished. */
Test(stop_timeout, is_time_for_what_is_finished)
{
    struct stage *stage = stage_new();
    struct run *run = spawn_unread(stage, RUN_WEIR("--stop-timeout=20", many_bodies(stage)));

    cr_expect_not(run_ended(run, 0.5));
    run_signal(run, SIGTERM);
    cr_expect_not(run_ended(run, 0.5), "its time is not over");
    run_hold(run, false);
    struct run_result result = program_end(run);
    cr_expect_eq(result.signal, SIGTERM);
    cr_expect_eq(result.out.len, (size_t)MANY * LEN);
    cr_expect_not(blob_contains(&result.err, lost));
    run_result_release(&result);
    stage_free(stage);
}

/* What was not taken is not in the journal. */
Test(stop_timeout, loses_nothing_where_there_is_a_journal)
{
    struct stage *stage = stage_new();
    const char *journal = scratch_path(stage->scratch, "journal");
    const char *urls = stage_url(stage, "/bytes/20000?tag=[1-%d]", 10 * MANY);
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("--stop-timeout=0.3", "--deadline=3", "--jsonl",
                                              "--journal", journal, urls)});

    run_hold(run, true);
    cr_expect(run_ended(run, 20), "the deadline does not end it");
    struct run_result result = program_end(run);
    size_t whole = 0;
    for (size_t i = 0; i < result.out.len; i++)
        whole += result.out.at[i] == '\n';
    cr_expect_lt(whole, (size_t)10 * MANY);
    program_expect(result, 3, NULL, "; --resume does them again");
    result = program_fetch(RUN_WEIR("-s", "--jsonl", "--journal", journal, "--resume", urls), NULL);
    json_t *records = records_read(&result.out);
    cr_expect_geq(json_array_size(records) + whole, (size_t)10 * MANY, "%zu and %zu", whole,
                  json_array_size(records));
    json_decref(records);
    program_expect(result, 0, NULL, "");
    stage_free(stage);
}

/* ---- a loop that hears nothing ---- */

ParameterizedTestParameters(event_loop, that_breaks_is_local_trouble)
{
    static char faults[][40] = {"FAULTY=epoll_ctl+:1:ENOSPC", "FAULTY=epoll_ctl:1:ENOSPC"};

    return cr_make_param_array(char[40], faults, sizeof faults / sizeof *faults);
}

/* The kernel watches nothing, or not what libev wakes itself by. */
ParameterizedTest(char (*fault)[40], event_loop, that_breaks_is_local_trouble)
{
    struct stage *stage = stage_new();
    const char *const env[] = {
        "LD_PRELOAD=" FAULTY_LIBRARY, *fault, "http_proxy", "all_proxy", "LC_ALL=C", NULL};
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-s"), .env = env});

    (void)run_write_text(run, stage_url(stage, "/text/a"));
    program_expect(program_end(run), 4, "", "weir: the event loop broke: ");
    stage_free(stage);
}
