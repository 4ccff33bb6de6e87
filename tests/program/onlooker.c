/* What somebody who sits before a terminal is told of failures, and at the end: little. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "stage.h"
#include "tty.h"

static const char *const terminal[] = {"TERM=xterm",  "LC_ALL=C",  "NO_COLOR", "http_proxy",
                                       "https_proxy", "all_proxy", NULL};

/* What the terminal shows once the run is over; stdout is a pipe or the null device. */
static const char *shown(struct stage *stage, const char *const *argv, bool is_piped, int code)
{
    struct tty *tty = tty_new(200, 100);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct run *run = program_spawn((struct run_options){.argv = argv,
                                                         .env = terminal,
                                                         .output_fd = is_piped ? 0 : null,
                                                         .error_fd = tty_number(tty)});

    run_close_stdin(run);
    while (!run_ended(run, 0.01))
        tty_read(tty);
    program_expect(program_end(run), code, NULL, NULL);
    tty_read(tty);
    const char *text = stage_text(stage, "%s", tty_screen(tty));
    close(null);
    tty_free(tty);
    return text;
}

static size_t count_lines(const char *text, const char *start)
{
    size_t count = 0;

    for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
        count += strncmp(text, start, strlen(start)) == 0;
    return count;
}

/* ---- the summary ---- */

Test(onlooker, is_told_of_few_requests_in_one_line)
{
    struct stage *stage = stage_new();
    const char *text = shown(
        stage, RUN_WEIR("--jsonl", stage_url(stage, "/text/x?status=404&tag=[1-9]")), false, 1);

    cr_expect_eq(count_lines(text, ""), 1, "%s", text);
    cr_expect_eq(count_lines(text, "weir: 9 requests in "), 1, "%s", text);
    stage_free(stage);
}

Test(onlooker, is_told_of_many_in_six_lines)
{
    struct stage *stage = stage_new_any();
    const char *text = shown(stage,
                             RUN_WEIR("--jsonl", "--retry=0", "--halt=soon,fail=29",
                                      stage_url(stage, "/text/x?tag=[1-20]"),
                                      stage_url_at(stage, "127.0.0.[2-9]", "/text/x?status=404"),
                                      stage_url_at(stage, "127.0.0.[2-9]", "/text/x?status=500"),
                                      stage_url_at(stage, "127.0.0.[2-9]", "/bytes/1?garbage=1"),
                                      stage_url_at(stage, "127.0.0.[2-9]", "/bytes/1?closenow=1")),
                             false, 3);

    cr_expect_eq(count_lines(text, "weir:   "), 5, "%s", text);
    cr_expect_eq(count_lines(text, "weir:   total: p50 "), 1, "%s", text);
    cr_expect_eq(count_lines(text, "weir:   slowest: "), 1, "%s", text);
    cr_expect_eq(count_lines(text, "weir:   failed: "), 1, "%s", text);
    cr_expect_eq(count_lines(text, "weir:   hosts with the most failures: http://127.0.0."), 1,
                 "%s", text);
    cr_expect_eq(count_lines(text, "weir:   ended: "), 1, "%s", text);
    stage_free(stage);
}

/* The long one is there for the asking. */
Test(onlooker, is_told_more_where_asked)
{
    struct stage *stage = stage_new();
    const char *text =
        shown(stage, RUN_WEIR("--jsonl", "--summary=text", stage_url(stage, "/text/x?tag=[1-20]")),
              false, 0);

    cr_expect_gt(count_lines(text, "weir:   "), 5, "%s", text);
    stage_free(stage);
}

Test(onlooker, is_told_one_line_where_a_reader_may_write_too)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x?tag=[1-40]&delay=0.1");
    const char *text = shown(stage, RUN_WEIR("-j2", url), true, 0);

    cr_expect_eq(count_lines(text, ""), 1, "%s", text);
    cr_expect_eq(count_lines(text, "weir: 40 requests in "), 1, "%s", text);
    stage_free(stage);
}

Test(onlooker, sees_no_bar_while_stdout_is_a_pipe)
{
    struct stage *stage = stage_new();
    struct tty *tty = tty_new(80, 10);
    struct run *run =
        program_spawn((struct run_options){.argv = RUN_WEIR(stage_url(stage, "/text/x?delay=1.2")),
                                           .env = terminal,
                                           .error_fd = tty_number(tty)});

    program_expect(program_end(run), 0, "x\n", NULL);
    tty_read(tty);
    cr_expect_eq(tty_bytes(tty)->len, 0, "%s", tty_screen(tty));
    tty_free(tty);
    stage_free(stage);
}

/* ---- failures ---- */

Test(onlooker, is_told_of_the_first_failures_of_a_host_and_how_many_came_after)
{
    struct stage *stage = stage_new();
    const char *argv[] = {run_weir(),
                          "--summary=none",
                          "--format=none",
                          "--retry=0",
                          stage_url(stage, "/text/x?status=404&tag=[1-40]"),
                          stage_url(stage, "/bytes/1?garbage=1&tag=[1-7]"),
                          NULL};
    const char *text = shown(stage, argv, false, 1);

    cr_expect_eq(count_lines(text, "weir: http"), 10, "%s", text);
    cr_expect(strstr(text, "weir: and 37 more failed: 35 http, 2 protocol\n"), "%s", text);
    struct run_result result = program_fetch(argv, NULL);
    cr_expect_eq(count_lines(blob_text(&result.err), "weir: http"), 47, "a log has them all");
    cr_expect_not(blob_contains(&result.err, "more failed"));
    run_result_release(&result);
    stage_free(stage);
}

/* A long run is not silent: the line comes while it goes on. */
Test(onlooker, is_told_of_the_rest_each_second)
{
    struct stage *stage = stage_new();
    struct tty *tty = tty_new(200, 100);
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("--summary=none", "--progress=none", "--format=none",
                                              stage_url(stage, "/text/x?status=404&tag=[1-8]"),
                                              stage_url(stage, "/text/x?silent=1")),
                             .env = terminal,
                             .error_fd = tty_number(tty)});

    cr_expect(tty_shows_soon(tty, "weir: and 3 more failed: 3 http", patience), "%s",
              tty_screen(tty));
    run_signal(run, SIGTERM);
    while (!run_ended(run, 0.01))
        tty_read(tty);
    program_expect(program_end(run), 128 + SIGTERM, NULL, NULL);
    tty_free(tty);
    stage_free(stage);
}
