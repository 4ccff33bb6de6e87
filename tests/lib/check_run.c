#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "moment.h"
#include "run.h"
#include "scratch.h"

static const double patience = 20;

#define SHELL(text)            \
    (const char *const[])      \
    {                          \
        "sh", "-c", text, NULL \
    }

static struct run_result finish(struct run_options options)
{
    struct run_result result;

    cr_assert(run_finish(&options, &result), "%s: %s", options.argv[0], strerror(errno));
    return result;
}

static struct run *spawn(struct run_options options)
{
    struct run *run = run_spawn(&options);

    cr_assert(run, "%s: %s", options.argv[0], strerror(errno));
    return run;
}

static bool is_gone(pid_t pid)
{
    double deadline = moment_now() + patience;

    /* A zombie that nobody collects is gone as well: it has no thread that could run. */
    while (kill(pid, 0) == 0 && run_rss_kib(pid) >= 0 && moment_now() < deadline)
        moment_nap();
    return kill(pid, 0) < 0 || run_rss_kib(pid) < 0;
}

struct ending {
    char script[32];
    int signal;
    int code;
};

ParameterizedTestParameters(run, reports_the_end_as_a_shell_would)
{
    static struct ending endings[] = {
        {"exit 0", 0, 0},
        {"exit 3", 0, 3},
        {"exit 255", 0, 255},
        {"kill -9 $$", SIGKILL, 137},
        {"kill -TERM $$", SIGTERM, 143},
        {"kill -PIPE $$", SIGPIPE, 141},
    };

    return cr_make_param_array(struct ending, endings, sizeof endings / sizeof *endings);
}

ParameterizedTest(struct ending *ending, run, reports_the_end_as_a_shell_would)
{
    struct run_result result = finish((struct run_options){.argv = SHELL(ending->script)});

    cr_expect_eq(result.code, ending->code, "%s: %d", ending->script, result.code);
    cr_expect_eq(result.signal, ending->signal);
    cr_expect(!result.timed_out);
    run_result_release(&result);
}

Test(run, captures_both_streams)
{
    struct run_result result =
        finish((struct run_options){.argv = SHELL("echo out; echo err >&2; printf 'a\\0b'")});

    cr_expect_eq(result.out.len, 7);
    cr_expect_arr_eq(result.out.at, "out\na\0b", 7);
    cr_expect_str_eq(blob_text(&result.err), "err\n");
    run_result_release(&result);
}

Test(run, moves_much_both_ways_at_once)
{
    enum { MUCH = 16 << 20 };
    struct blob input = {0};

    for (unsigned i = 0; input.len < MUCH; i++)
        blob_addf(&input, "line %u\n", i);
    struct run_result result = finish((struct run_options){
        .argv = SHELL("tee /dev/stderr"), .input = input.at, .input_len = input.len});
    cr_assert_eq(result.out.len, input.len);
    cr_assert_eq(result.err.len, input.len);
    cr_expect_eq(memcmp(result.out.at, input.at, input.len), 0);
    cr_expect_eq(memcmp(result.err.at, input.at, input.len), 0);
    run_result_release(&result);
    blob_release(&input);
}

Test(run, survives_a_program_that_does_not_read)
{
    static const char input[1024 * 1024];
    struct run_result result = finish((struct run_options){
        .argv = SHELL("exec <&-; echo done"), .input = input, .input_len = sizeof input});

    cr_expect_eq(result.code, 0);
    cr_expect_str_eq(blob_text(&result.out), "done\n");
    run_result_release(&result);
}

Test(run, gives_an_empty_stdin_by_default)
{
    struct run_result result = finish((struct run_options){.argv = SHELL("wc -c")});

    cr_expect_eq(strtol(blob_text(&result.out), NULL, 10), 0);
    cr_expect_eq(result.code, 0);
    run_result_release(&result);
}

Test(run, kills_the_group_when_time_is_up)
{
    struct run_result result = finish((struct run_options){
        .argv = SHELL("sleep 1000 & echo $!; exec sleep 1000"), .seconds = 0.3});

    cr_expect(result.timed_out);
    cr_expect_eq(result.code, 137);
    cr_expect_geq(result.wall, 0.29);
    cr_expect_lt(result.wall, patience);
    cr_expect(is_gone((pid_t)strtol(blob_text(&result.out), NULL, 10)), "its child goes on");
    run_result_release(&result);
}

Test(run, does_not_wait_for_what_a_program_left_behind)
{
    double before = moment_now();
    struct run_result result = finish((struct run_options){.argv = SHELL("sleep 1000 & echo $!")});

    cr_expect(result.timed_out, "it held the outputs open, which should show");
    cr_expect_eq(result.code, 0);
    cr_expect_lt(moment_now() - before, patience);
    cr_expect(is_gone((pid_t)strtol(blob_text(&result.out), NULL, 10)));
    run_result_release(&result);
}

Test(run, says_why_it_cannot_start)
{
    struct run_result result;

    cr_expect(
        !run_finish(&(struct run_options){.argv = SHELL("true"), .cwd = "/nonexistent"}, &result));
    cr_expect_eq(errno, ENOENT);
    cr_expect(!run_finish(&(struct run_options){.argv = (const char *const[]){"/etc/passwd", NULL}},
                          &result));
    cr_expect_eq(errno, EACCES);
}

Test(run, adds_to_the_environment_and_takes_from_it)
{
    setenv("RIG_GONE", "1", 1);
    struct run_result result = finish((struct run_options){
        .argv = SHELL("echo $RIG_NEW ${RIG_GONE-gone} ${HOME+kept}"),
        .env = (const char *const[]){"RIG_NEW=a=b", "RIG_GONE", NULL},
    });

    cr_expect_str_eq(blob_text(&result.out), getenv("HOME") ? "a=b gone kept\n" : "a=b gone\n");
    cr_expect(getenv("RIG_GONE") && !getenv("RIG_NEW"), "our own is not touched");
    run_result_release(&result);
}

Test(run, starts_in_the_directory_it_is_given)
{
    struct run_result result = finish((struct run_options){.argv = SHELL("pwd"), .cwd = "/usr"});

    cr_expect_str_eq(blob_text(&result.out), "/usr\n");
    run_result_release(&result);
}

Test(run, sets_limits)
{
    struct scratch *scratch = scratch_new();
    struct run_result result =
        finish((struct run_options){.argv = SHELL("ulimit -n; ulimit -Hn"), .nofile = 33});

    cr_expect_str_eq(blob_text(&result.out), "33\n33\n");
    run_result_release(&result);
    result =
        finish((struct run_options){.argv = SHELL("exec dd if=/dev/zero of=f bs=10000 count=1"),
                                    .cwd = scratch_dir(scratch),
                                    .file_bytes = 4096});
    struct blob file = {0};
    cr_expect(scratch_read(scratch, "f", &file));
    cr_expect_eq(file.len, 4096);
    blob_release(&file);
    run_result_release(&result);
    scratch_free(scratch);
}

Test(run, starts_with_default_signals)
{
    sigset_t all;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    struct run_result result =
        finish((struct run_options){.argv = SHELL("kill -INT $$; echo survived")});
    cr_expect_eq(result.signal, SIGINT, "%s", blob_text(&result.out));
    run_result_release(&result);
    result = finish((struct run_options){.argv = SHELL("kill -PIPE $$; echo survived")});
    cr_expect_eq(result.signal, SIGPIPE, "%s", blob_text(&result.out));
    run_result_release(&result);
}

Test(run, can_start_with_a_signal_ignored)
{
    struct run_result result = finish(
        (struct run_options){.argv = SHELL("kill -HUP $$; echo survived"), .ignored = SIGHUP});

    cr_expect_str_eq(blob_text(&result.out), "survived\n");
    run_result_release(&result);
}

Test(run, leaves_our_own_signals_alone)
{
    struct sigaction action;
    struct run *run = spawn((struct run_options){.argv = SHELL("exit 0")});

    cr_expect(run_ended(run, patience));
    cr_expect(!run_write_text(run, "nobody reads this"));
    cr_assert_eq(sigaction(SIGPIPE, NULL, &action), 0);
    cr_expect_eq(action.sa_handler, SIG_DFL);
    run_free(run);
}

Test(run, hands_down_no_descriptor_but_three)
{
    int leak = open("/dev/null", O_RDONLY);
    struct run *run = spawn((struct run_options){.argv = (const char *const[]){"cat", NULL}});

    cr_assert_geq(leak, 0);
    /* Once it answers, it is through with its own start. */
    cr_assert(run_write_text(run, "x\n"));
    cr_assert(run_read_until(run, "x\n", patience));
    cr_expect_eq(run_fd_count(run_pid(run)), 3);
    run_free(run);
    close(leak);
}

Test(run, uses_the_descriptors_it_is_given)
{
    struct scratch *scratch = scratch_new();
    int in = open(scratch_write_text(scratch, "in", "from a file"), O_RDONLY);
    int out = open(scratch_write_text(scratch, "out", ""), O_WRONLY);
    int err = open(scratch_write_text(scratch, "err", ""), O_WRONLY);
    struct run_result result = finish((struct run_options){
        .argv = SHELL("cat; echo err >&2"), .input_fd = in, .output_fd = out, .error_fd = err});
    struct blob text = {0};

    cr_expect_eq(result.out.len + result.err.len, 0);
    cr_expect(scratch_read(scratch, "out", &text));
    cr_expect_str_eq(blob_text(&text), "from a file");
    blob_clear(&text, 0);
    cr_expect(scratch_read(scratch, "err", &text));
    cr_expect_str_eq(blob_text(&text), "err\n");
    cr_expect_eq(close(in) | close(out) | close(err), 0, "they are still ours");
    blob_release(&text);
    run_result_release(&result);
    scratch_free(scratch);
}

Test(run, talks_step_by_step)
{
    struct run *run = spawn((struct run_options){
        .argv = SHELL("while read x; do echo got $x; echo err $x >&2; done; echo bye")});
    struct run_result result;

    cr_expect(run_write_text(run, "one\n"));
    cr_expect(run_read_until(run, "got one\n", patience));
    cr_expect(!run_read_until(run, "got", 0.05), "what was found is behind");
    cr_expect(run_write_text(run, "two\n"));
    cr_expect(run_read_error_until(run, "err two\n", patience));
    cr_expect(run_read_until(run, "got two\n", patience));
    cr_expect(!run_ended(run, 0));
    run_close_stdin(run);
    cr_expect(run_read_until(run, "bye", patience));
    cr_expect(run_ended(run, patience));
    run_wait(run, &result);
    cr_expect_str_eq(blob_text(&result.out), "got one\ngot two\nbye\n");
    cr_expect_str_eq(blob_text(&result.err), "err one\nerr two\n");
    cr_expect_eq(result.code, 0);
    run_result_release(&result);
}

Test(run, sends_signals)
{
    struct run *run = spawn((struct run_options){
        .argv = SHELL("trap 'echo caught' USR1; echo ready; while :; do sleep 0.01; done")});
    struct run_result result;

    cr_assert(run_read_until(run, "ready\n", patience));
    run_signal(run, SIGUSR1);
    cr_expect(run_read_until(run, "caught\n", patience));
    run_signal(run, SIGTERM);
    cr_expect(run_ended(run, patience));
    run_wait(run, &result);
    cr_expect_eq(result.code, 128 + SIGTERM);
    run_result_release(&result);
}

Test(run, finds_text_that_comes_in_pieces)
{
    struct run *run = spawn((struct run_options){
        .argv = SHELL("printf 'xxne'; sleep 0.05; printf 'ed'; sleep 0.05; printf 'le'")});

    cr_expect(run_read_until(run, "needle", patience));
    cr_expect(!run_read_until(run, "needle", patience), "the end of stdout ends the wait");
    run_free(run);
}

Test(run, fills_the_pipe_while_it_is_held)
{
    struct run *run = spawn((struct run_options){.argv = SHELL("exec yes 0123456789")});

    run_hold(run, true);
    cr_expect(!run_ended(run, 0.1));
    cr_expect_eq(run_out(run)->len, 0);
    cr_expect_eq(run_read_some(run, 100, patience), 100);
    cr_expect_eq(run_read_some(run, 10, patience), 10);
    cr_expect_eq(run_out(run)->len, 110);
    cr_expect_eq(strncmp(blob_text(run_out(run)), "0123456789\n0123", 15), 0);
    run_free(run);
}

Test(run, gives_up_writing_when_nobody_reads_in_time)
{
    static const char much[1024 * 1024];
    struct run *run = spawn((struct run_options){.argv = SHELL("exec sleep 1000"), .seconds = 0.2});
    struct run_result result;

    cr_expect(!run_write(run, much, sizeof much));
    run_wait(run, &result);
    cr_expect(result.timed_out);
    run_result_release(&result);
}

Test(run, keeps_what_was_written_before_a_late_look)
{
    struct run *run = spawn((struct run_options){.argv = SHELL("echo early"), .seconds = 1});
    struct run_result result;

    cr_expect(run_ended(run, patience));
    while (run_out(run)->len == 0 && run_read_some(run, 1, patience) > 0)
        ;
    double later = moment_now() + 1;
    while (moment_now() < later)
        moment_nap();
    run_wait(run, &result);
    cr_expect_str_eq(blob_text(&result.out), "early\n");
    cr_expect_eq(result.code, 0);
    cr_expect(!result.timed_out);
    run_result_release(&result);
}

Test(run, measures_what_it_cost)
{
    struct run_result result = finish(
        (struct run_options){.argv = (const char *const[]){"dd", "if=/dev/zero", "of=/dev/null",
                                                           "bs=64M", "count=40", NULL}});

    cr_expect_geq(result.peak_rss_kib, 64L << 10);
    cr_expect_lt(result.peak_rss_kib, 200L << 10);
    cr_expect_gt(result.user + result.sys, 0.0);
    cr_expect_gt(result.wall, 0.0);
    run_result_release(&result);
}

Test(run, looks_into_proc)
{
    long before = run_fd_count(getpid());
    int fd = open("/dev/null", O_RDONLY);
    struct run_result result = finish((struct run_options){.argv = SHELL("echo $$")});
    pid_t gone = (pid_t)strtol(blob_text(&result.out), NULL, 10);

    cr_assert_geq(fd, 0);
    cr_expect_eq(run_fd_count(getpid()), before + 1);
    cr_expect_gt(run_rss_kib(getpid()), 100);
    cr_expect_eq(run_fd_count(gone), -1);
    cr_expect_eq(run_rss_kib(gone), -1);
    cr_expect_eq(run_thread_count(gone), -1);
    close(fd);
    struct run *idle = spawn((struct run_options){.argv = SHELL("exec sleep 1000")});
    cr_expect_eq(run_thread_count(run_pid(idle)), 1);
    run_free(idle);
    run_result_release(&result);
}

Test(run, gives_its_descriptors_back)
{
    long before = run_fd_count(getpid());

    for (int i = 0; i < 5; i++) {
        struct run_result result = finish((struct run_options){.argv = SHELL("echo x")});
        run_result_release(&result);
        run_free(spawn((struct run_options){.argv = SHELL("sleep 1000")}));
    }
    cr_expect_null(run_spawn(&(struct run_options){.argv = SHELL("true"), .cwd = "/nonexistent"}));
    cr_expect_eq(run_fd_count(getpid()), before);
}

Test(run, its_program_dies_with_the_test)
{
    pid_t program = 0;
    int channel[2];

    cr_assert_eq(pipe(channel), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct run *run = run_spawn(&(struct run_options){.argv = SHELL("exec sleep 1000")});
        program = run ? run_pid(run) : 0;
        (void)!write(channel[1], &program, sizeof program);
        for (;;)
            pause();
    }
    cr_assert_eq(read(channel[0], &program, sizeof program), sizeof program);
    cr_assert_gt(program, 0);
    cr_assert_eq(kill(program, 0), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    cr_expect(is_gone(program));
    close(channel[0]);
    close(channel[1]);
}

Test(run, knows_the_program_under_test)
{
    setenv("WEIR", "/some/where/weir", 1);
    cr_expect_str_eq(run_weir(), "/some/where/weir");
    const char *const *argv = RUN_WEIR("-j", "2");
    cr_expect_str_eq(argv[0], "/some/where/weir");
    cr_expect_str_eq(argv[2], "2");
    cr_expect_null(argv[3]);
    cr_expect_null(RUN_WEIR()[1]);
    unsetenv("WEIR");
    cr_expect_eq(run_weir()[0], '/', "the build's own has a full path");
}

Test(run, stretches_its_limits_on_request)
{
    setenv("RUN_TIME_FACTOR", "1000", 1);
    struct run_result result =
        finish((struct run_options){.argv = SHELL("sleep 0.1"), .seconds = 0.01});

    cr_expect(!result.timed_out);
    cr_expect_eq(result.code, 0);
    run_result_release(&result);
}

Test(scratch, keeps_files_and_goes_with_all_of_them)
{
    struct scratch *scratch = scratch_new();
    char *dir = strdup(scratch_dir(scratch));
    struct blob text = {0};

    scratch_write(scratch, "a/b/c", "by\0tes", 6);
    cr_expect(scratch_read(scratch, "a/b/c", &text));
    cr_expect_eq(text.len, 6);
    cr_expect_arr_eq(text.at, "by\0tes", 6);
    cr_expect(!scratch_read(scratch, "none", &text));
    cr_expect_eq(text.len, 6);
    cr_expect(scratch_exists(scratch, "a/b"));
    cr_expect(!scratch_exists(scratch, "a/d"));
    cr_expect_eq(scratch_count(scratch, ""), 1);
    cr_expect_eq(scratch_count(scratch, "a"), 1);
    cr_expect_eq(scratch_count(scratch, "none"), -1);
    scratch_mkdir(scratch, "a/d/e");
    cr_expect_eq(scratch_count(scratch, "a"), 2);
    cr_assert_eq(symlink("/nowhere", scratch_path(scratch, "link")), 0);
    cr_assert_eq(chmod(scratch_path(scratch, "a/b"), 0), 0);
    scratch_free(scratch);
    cr_expect_neq(access(dir, F_OK), 0, "%s is still there", dir);
    blob_release(&text);
    free(dir);
}

Test(scratch, never_follows_a_link_out)
{
    struct scratch *scratch = scratch_new(), *other = scratch_new();

    scratch_write_text(other, "kept", "");
    cr_assert_eq(symlink(scratch_dir(other), scratch_path(scratch, "out")), 0);
    scratch_free(scratch);
    cr_expect(scratch_exists(other, "kept"));
    scratch_free(other);
    scratch_free(NULL);
}
