/* What a line is, where lines come from, and when they are read. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "stage.h"

enum { LINE_MAX_BYTES = 1024 * 1024 };

Test(line, may_be_blank_or_a_comment_or_end_in_crlf)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/");
    const char *input = stage_text(stage,
                                   "\n# %sno\n#\n \t \n%sa\r\n\r\n  \t%sb \t\n%sc\td\n"
                                   " \t# %sno\n%sd# no comment",
                                   url, url, url, url, url, url);
    struct run_result result = program_fetch(RUN_WEIR(), input);

    cr_expect(blob_contains(&result.err, "weir: line 8: "), "%s", blob_text(&result.err));
    program_expect(result, 1, "a\nb\nd\n", ": invalid: ");
    cr_expect_eq(origin_counts(stage->origin).requests, 3);
    stage_free(stage);
}

Test(line, may_hold_blanks_and_letters_beyond_ascii)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/echo/");
    const char *input = stage_text(stage,
                                   "%sa b\n%s\xC3\xBC?q=\xC3\xA4 b\n"
                                   "{\"url\":\"%sa c\",\"id\":1}\n",
                                   url, url, url);

    program_expect(
        program_fetch(RUN_WEIR("-w", "%{url_effective}\n"), input), 0,
        stage_text(stage, "%sa%%20b\n%s%%C3%%BC?q=%%C3%%A4%%20b\n%sa%%20c\n", url, url, url), "");
    stage_free(stage);
}

Test(line, that_is_the_last_counts_without_its_newline)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR(), stage_url(stage, "/text/a")), 0, "a\n", "");
    stage_free(stage);
}

Test(line, ends_in_a_nul_with_null)
{
    static const char *const words[] = {"-0", "--null"};
    struct stage *stage = stage_new();

    for (int i = 0; i < 2; i++) {
        struct blob input = {0};
        blob_addf(&input, "%s/text/a", origin_url(stage->origin));
        blob_add(&input, "\0\0# no\0", 7);
        blob_addf(&input, "\n %s/text/b\n", origin_url(stage->origin));
        blob_add(&input, "\0", 1);
        blob_addf(&input, "%s/text/c", origin_url(stage->origin));
        struct run_result result = program_run((struct run_options){
            .argv = RUN_WEIR(words[i]), .input = input.at, .input_len = input.len});
        program_expect(result, 0, "a\nb\nc\n", "");
        blob_release(&input);
    }
    stage_free(stage);
}

Test(line, may_be_the_first_behind_a_byte_order_mark)
{
#define MARK "\xEF\xBB\xBF"
    struct stage *stage = stage_new();
    const char *json =
        stage_text(stage, MARK "{\"url\":\"%s/text/a\"}\n", origin_url(stage->origin));
    const char *url = stage_text(stage, MARK "%s/text/b\n", origin_url(stage->origin));
    const char *file = scratch_write_text(stage->scratch, "urls", url);

    program_expect(program_fetch(RUN_WEIR("-a", "-", "-a", file), json), 0, "a\nb\n", "");
    program_expect(program_fetch(RUN_WEIR(), MARK "# comment\n"), 0, "", "");
    program_expect(program_fetch(RUN_WEIR(), stage_text(stage, "\n%s", url)), 1, "",
                   "weir: line 2: ");
    stage_free(stage);
}

Test(line, with_a_nul_in_it_is_invalid)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    blob_addf(&input, "%s/text/a", origin_url(stage->origin));
    blob_add(&input, "\0b\n", 3);
    blob_addf(&input, "%s/text/c\n", origin_url(stage->origin));
    struct run_result result = program_run(
        (struct run_options){.argv = RUN_WEIR(), .input = input.at, .input_len = input.len});
    program_expect(result, 1, "c\n", ": invalid: ");
    cr_expect_eq(origin_counts(stage->origin).requests, 1);
    blob_release(&input);
    stage_free(stage);
}

struct bad_line {
    char line[40];
    char shown[48];
};

ParameterizedTestParameters(line, that_is_no_url_is_invalid_in_its_place)
{
    static struct bad_line lines[] = {
        {"http://", "http://"},
        {"http://a b/", "http://a b/"},
        {"http://a:99999/", "http://a:99999/"},
        {"http://a:b/", "http://a:b/"},
        {"http://[::1/", "http://[::1/"},
        {"http://a\xff/", "http://a\xef\xbf\xbd/"},
        {"http://a/\xc3", "http://a/\xef\xbf\xbd"},
        {"{\"url\":1}", "{\"url\":1}"},
        {"http://a\x01"
         "b/",
         "http://a\\x01b/"},
        {"http://a/\x1b[31m", "http://a/\\x1b[31m"},
    };

    return cr_make_param_array(struct bad_line, lines, sizeof lines / sizeof *lines);
}

ParameterizedTest(struct bad_line *bad, line, that_is_no_url_is_invalid_in_its_place)
{
    struct stage *stage = stage_new();
    const char *input = stage_text(stage, "%s\n%s\n%s\n", stage_url(stage, "/text/a"), bad->line,
                                   stage_url(stage, "/text/c"));
    struct run_result result = program_fetch(RUN_WEIR(), input);

    cr_expect(program_told(&result, stage_text(stage, "line 2: %s", bad->shown), "invalid", ""),
              "%s", blob_text(&result.err));
    program_expect(result, 1, "a\nc\n", NULL);
    stage_free(stage);
}

/* A URL of that many bytes that can be asked for nobody: the port refuses. */
static char *long_line(size_t len)
{
    static const char start[] = "http://127.0.0.1:1/";
    char *line = malloc(len + 1);

    cr_assert(line);
    memset(line, 'x', len);
    memcpy(line, start, strlen(start));
    line[len] = '\0';
    return line;
}

struct length {
    size_t len;
    char reason[16];
};

ParameterizedTestParameters(line, may_have_a_mebibyte_and_no_more)
{
    static struct length lengths[] = {
        {LINE_MAX_BYTES, "connect"},
        {LINE_MAX_BYTES + 1, "invalid"},
        {3UL * LINE_MAX_BYTES, "invalid"},
        {40UL * LINE_MAX_BYTES, "invalid"},
    };

    return cr_make_param_array(struct length, lengths, sizeof lengths / sizeof *lengths);
}

ParameterizedTest(struct length *length, line, may_have_a_mebibyte_and_no_more)
{
    struct stage *stage = stage_new();
    char *line = long_line(length->len);
    struct blob input = {0};

    blob_addf(&input, "%s\n%s\n%s\n%s\n", stage_url(stage, "/text/a"), line,
              stage_url(stage, "/text/b"), line);
    blob_addf(&input, "#%s\n%s\n%s", line, stage_url(stage, "/text/c"), line);
    struct run_result result = program_run((struct run_options){.argv = RUN_WEIR("--host-errors=0"),
                                                                .input = input.at,
                                                                .input_len = input.len,
                                                                .env = program_lean()});
    const char *reason = stage_text(stage, ": %s: ", length->reason);
    const char *err = blob_text(&result.err), *at = err;
    for (int i = 0; i < 3; i++) {
        at = strstr(at, reason);
        cr_assert(at, "not three times '%s': %s", reason, err);
        at++;
    }
    cr_expect(strstr(err, "weir: line 2: http://127.0.0.1:1/x"), "%s", err);
    cr_expect(strstr(err, "weir: line 4: ") && strstr(err, "weir: line 7: "), "%s", err);
    cr_expect_leq(result.err.len, 3600, "the line itself is shown");
    program_expect(result, 1, "a\nb\nc\n", NULL);
    blob_release(&input);
    free(line);
    stage_free(stage);
}

Test(line, without_a_scheme_is_http)
{
    struct stage *stage = stage_new();
    unsigned port = origin_port(stage->origin);

    program_expect(
        program_fetch(RUN_WEIR(),
                      stage_text(stage, "127.0.0.1:%u/text/a\nlocalhost:%u/text/b\n", port, port)),
        0, "a\nb\n", "");
    program_expect(program_fetch(RUN_WEIR("--proto-default", "http",
                                          stage_text(stage, "127.0.0.1:%u/text/a", port)),
                                 NULL),
                   0, "a\n", "");
    stage_free(stage);
}

Test(line, is_no_pattern)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR(), stage_url(stage, "/text/[1-2]{a,b}")), 0,
                   "[1-2]{a,b}\n", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 1);
    stage_free(stage);
}

Test(input_format, says_what_a_line_is)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");

    program_expect(program_fetch(RUN_WEIR("--input-format", "url"), url), 0, "a\n", "");
    program_expect(program_fetch(RUN_WEIR("--input-format", "jsonl"), url), 1, "", ": invalid: ");
    program_expect(program_fetch(RUN_WEIR("--input-format", "auto"), url), 0, "a\n", "");
    program_expect(program_fetch(RUN_WEIR("--input-format", "jsonl", url), NULL), 0, "a\n", "");
    stage_free(stage);
}

/* ---- where lines come from ---- */

Test(input, comes_from_arguments_then_files_in_their_order)
{
    struct stage *stage = stage_new();
    const char *one = scratch_write_text(stage->scratch, "one", stage_url(stage, "/text/one\n"));
    const char *two = scratch_write_text(
        stage->scratch, "two",
        stage_text(stage, "%s\n%s", stage_url(stage, "/text/2"), stage_url(stage, "/text/3")));
    const char *none = scratch_write_text(stage->scratch, "none", "");

    program_expect(program_fetch(RUN_WEIR("-a", two, stage_url(stage, "/text/arg"), "--input", one,
                                          "-a", none, "-a", "-", stage_url(stage, "/text/arg2"),
                                          "--input=-", stage_text(stage, "-a%s", one)),
                                 stage_url(stage, "/text/stdin?delay=0.2")),
                   0, "arg\narg2\n2\n3\none\nstdin\none\n", "");
    stage_free(stage);
}

Test(input, that_cannot_be_read_is_told_and_the_rest_is_read)
{
    struct stage *stage = stage_new();
    const char *good = scratch_write_text(stage->scratch, "good", stage_url(stage, "/text/b\n"));
    const char *missing = scratch_path(stage->scratch, "missing");
    const char *directory = scratch_mkdir(stage->scratch, "directory");
    struct run_result result = program_fetch(
        RUN_WEIR("-a", missing, "-a", directory, "-a", good, stage_url(stage, "/text/a")), NULL);

    cr_expect(blob_contains(&result.err, stage_text(stage, "weir: %s: No such file", missing)));
    cr_expect(blob_contains(&result.err, stage_text(stage, "weir: %s: Is a dir", directory)));
    program_expect(result, 4, "a\nb\n", NULL);
    program_expect(program_fetch(RUN_WEIR("-s", "-a", missing), NULL), 4, "", missing);
    stage_free(stage);
}

Test(input, is_told_of_with_its_file_and_line)
{
    struct stage *stage = stage_new();
    const char *bad = stage_url(stage, "/nothing");
    const char *list =
        scratch_write_text(stage->scratch, "list", stage_text(stage, "# list\n\n%s\n", bad));
    struct run_result result = program_fetch(RUN_WEIR(bad, "-a", list, "-a", "-"), bad);

    cr_expect(program_told(&result, bad, "http", "404"));
    cr_expect(program_told(&result, stage_text(stage, "%s: line 3: %s", list, bad), "http", "404"),
              "%s", blob_text(&result.err));
    cr_expect(program_told(&result, stage_text(stage, "line 1: %s", bad), "http", "404"));
    program_expect(result, 1, "", NULL);
    stage_free(stage);
}

/* A reader that came first waits for its writer; the lines go through as they are written. */
Test(input, may_be_a_fifo)
{
    struct stage *stage = stage_new();
    const char *fifo = scratch_path(stage->scratch, "fifo");

    cr_assert_eq(mkfifo(fifo, 0600), 0);
    int fd = open(fifo, O_RDWR | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-a", fifo)});
    for (int i = 0; i < 3; i++) {
        const char *line = stage_url(stage, "/text/%d\n", i);
        cr_assert_eq(write(fd, line, strlen(line)), (ssize_t)strlen(line));
        cr_expect(run_read_until(run, stage_text(stage, "%d\n", i), patience));
    }
    close(fd);
    program_expect(program_end(run), 0, "0\n1\n2\n", "");
    stage_free(stage);
}

/* What a pipe still has, once whoever had its other end has ended. */
static void expect_in_pipe(int fd, const char *text)
{
    char buffer[256] = "";

    fcntl(fd, F_SETFL, O_NONBLOCK);
    cr_expect_eq(read(fd, buffer, sizeof buffer - 1), (ssize_t)strlen(text));
    cr_expect_str_eq(buffer, text);
}

Test(input, leaves_stdin_alone_beside_arguments_and_files)
{
    struct stage *stage = stage_new();
    const char *list = scratch_write_text(stage->scratch, "list", stage_url(stage, "/text/b\n"));
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "for another\n", 12), 12);
    program_expect(program_run((struct run_options){.argv = RUN_WEIR(stage_url(stage, "/text/a")),
                                                    .input_fd = ends[0]}),
                   0, "a\n", "");
    program_expect(
        program_run((struct run_options){.argv = RUN_WEIR("-a", list), .input_fd = ends[0]}), 0,
        "b\n", "");
    expect_in_pipe(ends[0], "for another\n");
    close(ends[0]);
    close(ends[1]);
    stage_free(stage);
}

Test(input, may_be_empty)
{
    struct stage *stage = stage_new();
    const char *none = scratch_write_text(stage->scratch, "none", "");

    program_expect(program_fetch(RUN_WEIR(), NULL), 0, "", "");
    program_expect(program_fetch(RUN_WEIR(), "\n\n# nothing\n\r\n"), 0, "", "");
    program_expect(program_fetch(RUN_WEIR("-a", none), NULL), 0, "", "");
    program_expect(program_fetch(RUN_WEIR("-0"), "\n"), 0, "", "");
    stage_free(stage);
}

Test(input, that_is_a_terminal_is_not_waited_for)
{
    int master, terminal;

    cr_assert_eq(openpty(&master, &terminal, NULL, NULL, NULL), 0);
    program_expect(program_run((struct run_options){.argv = RUN_WEIR(), .input_fd = terminal}), 2,
                   "", "--help");
    close(master);
    close(terminal);
}

/* ---- when they are read ---- */

Test(input, is_fetched_while_it_is_written)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR()});

    for (int i = 0; i < 5; i++) {
        cr_assert(run_write_text(run, stage_url(stage, "/text/%d\n", i)));
        cr_assert(run_read_until(run, stage_text(stage, "%d\n", i), patience));
        cr_expect_eq(origin_counts(stage->origin).requests, (uint64_t)i + 1);
    }
    program_expect(program_end(run), 0, "0\n1\n2\n3\n4\n", "");
    stage_free(stage);
}

Test(input, of_half_a_line_waits_for_the_other_half)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR()});

    run_write_text(run, stage_url(stage, "/text/one"));
    cr_expect_eq(run_read_some(run, 1, 0.2), 0);
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    run_write_text(run, "-whole\n");
    cr_expect(run_read_until(run, "one-whole\n", patience));
    program_expect(program_end(run), 0, "one-whole\n", "");
    stage_free(stage);
}

/* Signals are heard in between. */
Test(input, of_one_endless_line_does_not_hold_the_loop)
{
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-a", "/dev/zero")});

    cr_expect(run_read_error_until(run, "invalid: a line of more than 1 MiB", patience));
    run_signal(run, SIGTERM);
    cr_expect(run_ended(run, patience));
    struct run_result result = program_end(run);
    cr_expect_eq(result.signal, SIGTERM);
    program_expect(result, 128 + SIGTERM, "", "weir: halted: SIGTERM\n");
}

Test(input, of_one_bad_line_shows_its_failure_at_once)
{
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR()});

    run_write_text(run, "http://no good/\n");
    cr_expect(run_read_error_until(run, "weir: line 1: http://no good/: invalid: ", patience));
    run_write_text(run, "file:///etc/passwd\n");
    cr_expect(run_read_error_until(run, "weir: line 2: file:///etc/passwd: denied: ", patience));
    cr_expect(!run_ended(run, 0.1));
    program_expect(program_end(run), 1, "", NULL);
}

/* ---- patterns ---- */

Test(pattern, is_expanded_in_order)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR(stage_url(stage, "/text/{a,b}-[08-12:2][x-y]"),
                                          stage_url(stage, "/text/last")),
                                 NULL),
                   0,
                   "a-08x\na-08y\na-10x\na-10y\na-12x\na-12y\n"
                   "b-08x\nb-08y\nb-10x\nb-10y\nb-12x\nb-12y\nlast\n",
                   "");
    stage_free(stage);
}

Test(pattern, is_taken_as_it_is_with_globoff)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("-g", stage_url(stage, "/text/{a,b}[1-2]")), NULL), 0,
                   "{a,b}[1-2]\n", "");
    program_expect(program_fetch(RUN_WEIR("--globoff", stage_url(stage, "/text/[1-")), NULL), 0,
                   "[1-\n", "");
    stage_free(stage);
}

/* A billion of them begin at once, and no more is made than is wanted. */
Test(pattern, of_any_size_is_expanded_one_at_a_time)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-j", "2", "--window", "20", stage_url(stage, "/text/[1-1000000000]")),
        .env = program_lean()});

    run_hold(run, true);
    cr_assert(origin_wait_requests(stage->origin, 20, patience));
    while (run_out(run)->len < 6)
        cr_assert_gt(run_read_some(run, 6, patience), 0);
    cr_expect_eq(strncmp(blob_text(run_out(run)), "1\n2\n3\n", 6), 0);
    cr_expect_lt(run_rss_kib(run_pid(run)), program_allowance(24 * 1024L));
    run_free(run);
    stage_free(stage);
}
