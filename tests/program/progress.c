/* How a run goes, shown on a terminal or told to a log while it does. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "moment.h"
#include "program.h"
#include "stage.h"
#include "tty.h"

#define TERMINAL "TERM=xterm", "LC_ALL=C", "NO_COLOR", "http_proxy", "https_proxy", "all_proxy"

static const char *const terminal[] = {TERMINAL, NULL};
static const char *const dumb_terminal[] = {"TERM=dumb", "LC_ALL=C", "http_proxy", NULL};

/* A request that is never answered, so that the run goes on until a signal ends it. */
static const char *endless(struct stage *stage)
{
    return stage_url(stage, "/text/x?silent=1");
}

/* A stdout that is no pipe. */
static int null_device(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    cr_assert_geq(fd, 0);
    return fd;
}

static struct run *spawn_before(struct tty *tty, const char *const *argv, const char *const *env)
{
    int null = null_device();
    struct run *run = program_spawn((struct run_options){
        .argv = argv, .env = env, .output_fd = null, .error_fd = tty_number(tty)});

    close(null);
    return run;
}

/* Somebody reads what is said at the end. */
static struct run_result end_before(struct tty *tty, struct run *run)
{
    while (!run_ended(run, 0.01))
        tty_read(tty);
    struct run_result result = program_end(run);
    tty_read(tty);
    cr_expect_str_empty(tty_fault(tty), "it sent what no terminal was to see");
    return result;
}

static void stop_before(struct tty *tty, struct run *run)
{
    run_signal(run, SIGTERM);
    program_expect(end_before(tty, run), 128 + SIGTERM, NULL, NULL);
}

/* Whether it shows the text, before a terminal of its own; nothing of it is left at the end. */
static void expect_shown(struct stage *stage, struct run_options options, const char *text)
{
    struct tty *tty = tty_new(200, 10);

    (void)stage;
    options.env = terminal;
    options.output_fd = null_device();
    options.error_fd = tty_number(tty);
    struct run *run = program_spawn(options);
    close(options.output_fd);
    cr_expect(tty_shows_soon(tty, text, patience), "no '%s' in: %s", text, tty_screen(tty));
    stop_before(tty, run);
    cr_expect_not(tty_shows(tty, " in flight  "), "%s", tty_screen(tty));
    tty_free(tty);
}

/* ---- on a terminal ---- */

Test(progress_bar, goes_as_if_it_had_not_been_there)
{
    struct stage *stage = stage_new();
    struct tty *tty = tty_new(100, 10);
    const char *const *argv = RUN_WEIR("--summary=none", stage_url(stage, "/text/a"),
                                       stage_url(stage, "/text/b"), endless(stage));
    struct run *run = spawn_before(tty, argv, terminal);

    cr_expect(tty_shows_soon(tty, "2/3  66%  [", patience), "%s", tty_screen(tty));
    cr_expect(tty_shows(tty, "  1 of 20 in flight  "));
    stop_before(tty, run);
    cr_expect_str_eq(tty_screen(tty), "weir: halted: SIGTERM; requests read and not done: 1\n");
    tty_free(tty);
    stage_free(stage);
}

Test(progress_bar, stays_below_what_failed)
{
    struct stage *stage = stage_new();
    struct tty *tty = tty_new(100, 6);
    struct blob input = {0};
    struct run *run = spawn_before(tty, RUN_WEIR("-j4", "--summary=none"), terminal);

    run_write_text(run, "#\n");
    cr_expect(tty_shows_soon(tty, "waiting: input", patience));
    for (int i = 1; i <= 20; i++)
        blob_addf(&input, "%s/text/%d?status=404\n", origin_url(stage->origin), i);
    run_write(run, input.at, input.len);
    cr_expect(tty_shows_soon(tty, "20 failed: 20 http", patience), "%s", tty_screen(tty));
    const char *screen = tty_screen(tty), *last = strstr(screen, "/text/5?");
    const char *bar = strstr(screen, "20 done  0 of 4 in flight");
    cr_assert(last && bar);
    cr_expect_lt(last, bar);
    cr_expect_null(strstr(strstr(screen, " in flight") + 1, " in flight"), "%s", screen);
    run_close_stdin(run);
    program_expect(end_before(tty, run), 1, NULL, NULL);
    screen = tty_screen(tty);
    cr_expect_null(strstr(screen, "in flight"), "%s", screen);
    for (int i = 1; i <= 20; i++) {
        const char *line = stage_text(stage, "weir: line %d: %s/text/%d?status=404: http: ", i + 1,
                                      origin_url(stage->origin), i);
        cr_expect_eq(strstr(screen, line) != NULL, i <= 5, "%d: %s", i, screen);
    }
    cr_expect(strstr(screen, "weir: and 15 more failed: 15 http"), "%s", screen);
    blob_release(&input);
    tty_free(tty);
    stage_free(stage);
}

static bool hides_soon(struct tty *tty, const char *text)
{
    double end = moment_now() + patience;

    while (tty_shows(tty, text) && moment_now() < end) {
        moment_nap();
        tty_read(tty);
    }
    return !tty_shows(tty, text);
}

Test(progress_bar, follows_the_width_of_the_terminal)
{
    struct stage *stage = stage_new();
    struct tty *tty = tty_new(60, 10);
    struct run *run = spawn_before(
        tty, RUN_WEIR("--summary=none", stage_url(stage, "/text/a"), endless(stage)), terminal);

    cr_expect(tty_shows_soon(tty, "1/2  50%  1 of 20 in flight", patience), "%s", tty_screen(tty));
    tty_resize(tty, 20, 10);
    cr_expect(hides_soon(tty, "in flight"), "%s", tty_screen(tty));
    tty_resize(tty, 120, 10);
    cr_expect(tty_shows_soon(tty, "[###############               ]  1 of 20 in flight", patience));
    stop_before(tty, run);
    tty_free(tty);
    stage_free(stage);
}

Test(progress_bar, is_not_there_before_half_a_second)
{
    struct stage *stage = stage_new();
    struct tty *tty = tty_new(80, 10);
    struct run *run =
        spawn_before(tty, RUN_WEIR("--summary=none", stage_url(stage, "/text/a")), terminal);
    struct run_result result = end_before(tty, run);

    cr_expect(result.wall > 0.5 || tty_bytes(tty)->len == 0, "%s", tty_screen(tty));
    program_expect(result, 0, NULL, NULL);
    tty_free(tty);
    stage_free(stage);
}

/* What the shell wrote meanwhile is not drawn over. */
Test(progress_bar, begins_anew_after_a_stop)
{
    struct stage *stage = stage_new();
    struct tty *tty = tty_new(80, 10);
    struct run *run = spawn_before(
        tty, RUN_WEIR("--summary=none", "--rate=1/h", endless(stage), endless(stage)), terminal);

    cr_expect(tty_shows_soon(tty, "waiting: rate limit", patience));
    run_signal(run, SIGSTOP);
    tty_read(tty);
    while (write(tty_number(tty), "\nthe shell\n", 11) < 0)
        ;
    cr_expect(tty_shows_soon(tty, "the shell", patience));
    size_t before = tty_bytes(tty)->len;
    run_signal(run, SIGCONT);
    while (tty_bytes(tty)->len < before + 2)
        tty_read(tty);
    cr_expect_neq(memcmp(tty_bytes(tty)->at + before, "\r\033", 2), 0);
    cr_expect(tty_shows(tty, "the shell\n"));
    stop_before(tty, run);
    cr_expect(tty_shows(tty, "the shell\n"));
    tty_free(tty);
    stage_free(stage);
}

/* The first signal waits for a reader who does not read. */
Test(progress_bar, is_taken_away_by_a_second_signal_too)
{
    struct stage *stage = stage_new();
    struct tty *tty = tty_new(80, 10);
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("--progress=bar", "--summary=none",
                                              stage_url(stage, "/bytes/1000000"), endless(stage)),
                             .env = terminal,
                             .error_fd = tty_number(tty)});

    run_hold(run, true);
    cr_expect(tty_shows_soon(tty, "waiting: reader slow", patience), "%s", tty_screen(tty));
    run_signal(run, SIGINT);
    cr_expect(tty_shows_soon(tty, "ending: SIGINT", patience), "%s", tty_screen(tty));
    run_signal(run, SIGINT);
    while (!run_ended(run, 0.01))
        tty_read(tty);
    program_expect(program_end(run), 128 + SIGINT, NULL, NULL);
    tty_read(tty);
    cr_expect_str_empty(tty_screen(tty));
    tty_free(tty);
    stage_free(stage);
}

Test(progress_bar, does_not_stand_between_results)
{
    struct stage *stage = stage_new();
    struct tty *tty = tty_new(80, 10);
    const char *slow = stage_url(stage, "/text/a?delay=0.8");
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-s", slow),
                                                         .env = terminal,
                                                         .output_fd = tty_number(tty),
                                                         .error_fd = tty_number(tty)});

    program_expect(end_before(tty, run), 0, NULL, NULL);
    cr_expect_str_eq(blob_text(tty_bytes(tty)), "a\r\n");
    run = program_spawn((struct run_options){.argv = RUN_WEIR("-o", "/dev/null", endless(stage)),
                                             .env = terminal,
                                             .output_fd = tty_number(tty),
                                             .error_fd = tty_number(tty)});
    cr_expect(tty_shows_soon(tty, "0/1  0%", patience), "results go elsewhere");
    stop_before(tty, run);
    tty_free(tty);
    stage_free(stage);
}

/* ---- how many there are ---- */

Test(progress_total, is_that_of_the_files)
{
    struct stage *stage = stage_new();
    const char *lines =
        stage_text(stage, "# a comment\n%s\n\nb\nc\n{\"url\":\"d\"}\ne", endless(stage));
    const char *path = scratch_write(stage->scratch, "urls", lines, strlen(lines));

    expect_shown(
        stage, (struct run_options){.argv = RUN_WEIR("-j1", "--window=1", "-a", path, "-a", path)},
        "0/10  0%");
    int number = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(number, 0);
    expect_shown(stage,
                 (struct run_options){.argv = RUN_WEIR("-j1", "--window=1"), .input_fd = number},
                 "0/5  0%");
    close(number);
    stage_free(stage);
}

Test(progress_total, is_that_of_the_globs)
{
    struct stage *stage = stage_new();
    const char *url = stage_text(stage, "%s&tag={a,b}[1-1000000]", endless(stage));

    expect_shown(stage, (struct run_options){.argv = RUN_WEIR("-j1", "--window=1", url, "x")},
                 "0/2000001  0%");
    expect_shown(stage,
                 (struct run_options){
                     .argv = RUN_WEIR("-j1", "--window=1", "-g", endless(stage), "http://h/{a,b}")},
                 "0/2  0%");
    stage_free(stage);
}

Test(progress_total, is_not_known_of_a_pipe)
{
    struct stage *stage = stage_new();
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    dprintf(ends[1], "%s\n", endless(stage));
    expect_shown(stage, (struct run_options){.argv = RUN_WEIR("-j2"), .input_fd = ends[0]},
                 "0 done  1 of 2 in flight");
    close(ends[0]);
    close(ends[1]);
    stage_free(stage);
}

/* ---- what is waited for ---- */

Test(progress_wait, says_what_for)
{
    struct stage *stage = stage_new();
    const char *x = endless(stage);
    const char *gate = stage_url(stage, "/text/x?status=429&retryafter=600");
    const char *behind = stage_text(stage, "waiting: window full behind #1 %s", x);

    expect_shown(stage, (struct run_options){.argv = RUN_WEIR("--rate=1/h", x, x)},
                 "waiting: rate limit");
    expect_shown(stage, (struct run_options){.argv = RUN_WEIR("--host-rate=1/h", x, x)},
                 stage_text(stage, "waiting: rate limit of %s", origin_url(stage->origin)));
    expect_shown(stage, (struct run_options){.argv = RUN_WEIR("--per-host=1", x, x)},
                 "waiting: host limit");
    expect_shown(stage, (struct run_options){.argv = RUN_WEIR(gate, gate)},
                 "waiting: gate closed until ");
    expect_shown(stage,
                 (struct run_options){
                     .argv = RUN_WEIR("-j2", "--window=2", x, stage_url(stage, "/text/y"), "z")},
                 behind);
    expect_shown(
        stage,
        (struct run_options){.argv = RUN_WEIR("--retry-delay=1000000", "--retry-max-delay=1000000",
                                              stage_url(stage, "/text/x?status=500"))},
        "1 retried  waiting: next retry in ");
    stage_free(stage);
}

/* ---- elsewhere ---- */

Test(progress, is_nothing_where_it_could_not_be_drawn_over)
{
    struct stage *stage = stage_new();
    const char *slow = stage_url(stage, "/text/a?delay=0.8");
    struct tty *tty = tty_new(80, 10);

    program_expect(program_fetch(RUN_WEIR(slow), NULL), 0, "a\n", "");
    struct run *run = spawn_before(tty, RUN_WEIR(slow), dumb_terminal);
    program_expect(end_before(tty, run), 0, NULL, NULL);
    run = spawn_before(tty, RUN_WEIR("-s", slow), terminal);
    program_expect(end_before(tty, run), 0, NULL, NULL);
    run = spawn_before(tty, RUN_WEIR("--progress=none", slow), terminal);
    program_expect(end_before(tty, run), 0, NULL, NULL);
    run = spawn_before(tty, RUN_WEIR("--no-progress-meter", slow), terminal);
    program_expect(end_before(tty, run), 0, NULL, NULL);
    cr_expect_eq(tty_bytes(tty)->len, 0, "%s", tty_screen(tty));
    tty_free(tty);
    stage_free(stage);
}

Test(progress_plain, is_a_line)
{
    struct stage *stage = stage_new();
    const char *forms[] = {"--progress=plain", "--progress=bar", "-#"};
    static const char told[] = "weir: 1 of 2 done (50%), 0 of them failed; 0 retried; "
                               "1 of 20 in flight; ";

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct run *run = program_spawn((struct run_options){
            .argv = RUN_WEIR(forms[i], stage_url(stage, "/text/a"), endless(stage))});
        cr_expect(run_read_error_until(run, "\n", patience));
        cr_expect_eq(strncmp(blob_text(run_err(run)), told, strlen(told)), 0, "%s",
                     blob_text(run_err(run)));
        cr_expect_null(strchr(blob_text(run_err(run)), '\033'));
        run_signal(run, SIGTERM);
        program_expect(program_end(run), 128 + SIGTERM, "a\n", NULL);
    }
    stage_free(stage);
}

Test(progress_plain, needs_no_terminal_that_moves)
{
    struct stage *stage = stage_new();
    struct tty *tty = tty_new(80, 10);
    struct run *run =
        spawn_before(tty, RUN_WEIR("-#", "--summary=none", endless(stage)), dumb_terminal);

    cr_expect(tty_shows_soon(tty, "weir: 0 of 1 done (0%)", patience));
    stop_before(tty, run);
    cr_expect_null(strchr(blob_text(tty_bytes(tty)), '\033'));
    tty_free(tty);
    stage_free(stage);
}

Test(progress_plain, is_silenced)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR("-s", "--progress=plain", stage_url(stage, "/text/a?delay=1.3")),
                      NULL),
        0, "a\n", "");
    stage_free(stage);
}

/* ---- colours ---- */

static const char *said(struct stage *stage, const char *option, const char *no_color,
                        const char *term)
{
    struct tty *tty = tty_new(200, 10);
    const char *const env[] = {term, no_color, "LC_ALL=C", "http_proxy", NULL};
    struct run *run = spawn_before(
        tty, RUN_WEIR("--summary=none", option, stage_url(stage, "/text/x?status=404")), env);
    struct run_result result = end_before(tty, run);

    const char *text = stage_text(stage, "%s", blob_text(tty_bytes(tty)));
    program_expect(result, 1, NULL, NULL);
    tty_free(tty);
    return text;
}

Test(color, is_for_terminals_that_are_not_told_otherwise)
{
    struct stage *stage = stage_new();
    const char *failing = stage_url(stage, "/text/x?status=404");

    cr_expect(strstr(said(stage, "--color=auto", "NO_COLOR", "TERM=xterm"), "\033[31mweir: "));
    cr_expect(strstr(said(stage, "--color=auto", "NO_COLOR=", "TERM=xterm"), "404\033[m\r\n"));
    cr_expect_null(strchr(said(stage, "--color=auto", "NO_COLOR=1", "TERM=xterm"), '\033'));
    cr_expect_null(strchr(said(stage, "--color=auto", "NO_COLOR", "TERM=dumb"), '\033'));
    cr_expect_null(strchr(said(stage, "--color=never", "NO_COLOR", "TERM=xterm"), '\033'));
    cr_expect(strstr(said(stage, "--color=always", "NO_COLOR=1", "TERM=dumb"), "\033[31m"));
    program_expect(program_fetch(RUN_WEIR("--color=always", failing), NULL), 1, "",
                   stage_text(stage, "\033[31mweir: %s: http: status 404\033[m\n", failing));
    struct run_result result = program_fetch(RUN_WEIR(failing), NULL);
    cr_expect_null(strchr(blob_text(&result.err), '\033'));
    run_result_release(&result);
    stage_free(stage);
}
