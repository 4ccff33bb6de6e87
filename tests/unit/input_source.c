#include <criterion/criterion.h>
#include <ev.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/options.h"
#include "input/parse.h"
#include "input/source.h"
#include "loops.h"
#include "scratch.h"

/* A source, and what its options came from. */
struct run {
    int busy; /* how often a long line let others have their turn */
    struct ev_loop *loop;
    struct options options;
    struct source *source;
    struct source_item item;
    struct buf err;
};

/* The options are filled in between. */
static void prepare(struct run *run)
{
    *run = (struct run){.loop = ev_loop_new(EVFLAG_NOENV)};
    options_init(&run->options);
    buf_init(&run->err);
}

static void begin(struct run *run)
{
    run->source = source_new(run->loop, &run->options.input);
}

static void finish(struct run *run)
{
    source_free(run->source);
    options_release(&run->options);
    buf_release(&run->err);
    ev_loop_destroy(run->loop);
}

static void add_input(struct run *run, const char *name)
{
    strings_add(&run->options.input.files, xstrdup(name));
}

static void add_url(struct run *run, const char *url)
{
    strings_add(&run->options.input.urls, xstrdup(url));
}

/* The test's own stdin from here on. */
static void use_as_stdin(int fd)
{
    cr_assert_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
}

/* A long line lets others have their turn; here there are none. */
static enum source_step step(struct run *run)
{
    enum source_step got;

    while ((got = source_next(run->source, &run->item, &run->err)) == SOURCE_BUSY)
        run->busy++;
    return got;
}

static void expect_step(struct run *run, enum source_step expected)
{
    enum source_step got = step(run);

    cr_assert_eq(got, expected, "step %d: %s", (int)got, run->err.data);
}

static void expect_line(struct run *run, const char *input, uint64_t line, const char *text)
{
    expect_step(run, SOURCE_ITEM);
    cr_assert_eq(run->item.len, strlen(text), "%.*s", (int)run->item.len, run->item.text);
    cr_expect_eq(memcmp(run->item.text, text, strlen(text)), 0, "%.*s", (int)run->item.len,
                 run->item.text);
    cr_expect_eq(run->item.line, line, "%s: line %lu", text, (unsigned long)run->item.line);
    cr_expect_eq(run->item.cut, false);
    if (input)
        cr_expect_str_eq(run->item.input, input);
    else
        cr_expect_null(run->item.input);
}

static void expect_end(struct run *run)
{
    expect_step(run, SOURCE_END);
    expect_step(run, SOURCE_END);
}

Test(source, reads_lines_from_stdin_when_nothing_else_is_named)
{
    struct pipe ends;
    struct run run;

    prepare(&run);
    pipe_open(&ends);
    use_as_stdin(ends.out);
    pipe_put(&ends, "one\n\n# two\nthree \r\nlast");
    pipe_close_in(&ends);
    begin(&run);
    expect_step(&run, SOURCE_WAIT);
    source_watch(run.source, true);
    loops_turn(run.loop);
    expect_line(&run, NULL, 1, "one");
    expect_line(&run, NULL, 2, "");
    expect_line(&run, NULL, 3, "# two");
    expect_line(&run, NULL, 4, "three \r");
    expect_step(&run, SOURCE_WAIT);
    source_watch(run.source, true);
    loops_turn(run.loop);
    expect_line(&run, NULL, 5, "last");
    expect_end(&run);
    cr_expect(!is_nonblocking(ends.out));
    cr_expect(!is_nonblocking(STDIN_FILENO));
    finish(&run);
    pipe_close(&ends);
}

Test(source, passes_over_a_mark_at_the_start_of_each_input)
{
#define MARK "\xEF\xBB\xBF"
    struct scratch *scratch = scratch_new();
    const char *one = scratch_write_text(scratch, "one", MARK "a\n" MARK "b\n");
    const char *two = scratch_write_text(scratch, "two", MARK);
    const char *three = scratch_write_text(scratch, "three", MARK MARK "c");
    struct run run;

    prepare(&run);
    add_input(&run, one);
    add_input(&run, two);
    add_input(&run, three);
    begin(&run);
    expect_line(&run, one, 1, "a");
    expect_line(&run, one, 2, MARK "b");
    expect_line(&run, two, 1, "");
    expect_line(&run, three, 1, MARK "c");
    expect_end(&run);
    finish(&run);
    scratch_free(scratch);
}

/* Turns the loop until there is an answer other than that it must wait. */
static void expect_line_in_time(struct run *run, uint64_t line, const char *text)
{
    enum source_step got;

    while ((got = step(run)) == SOURCE_WAIT) {
        source_watch(run->source, true);
        loops_turn(run->loop);
    }
    cr_assert_eq(got, SOURCE_ITEM);
    cr_expect_eq(run->item.len, strlen(text));
    cr_expect_eq(memcmp(run->item.text, text, strlen(text)), 0);
    cr_expect_eq(run->item.line, line);
}

Test(source, gives_a_line_as_soon_as_its_end_has_come)
{
    struct pipe ends;
    struct run run;

    prepare(&run);
    pipe_open(&ends);
    use_as_stdin(ends.out);
    begin(&run);
    expect_step(&run, SOURCE_WAIT);
    for (const char *at = "http://h/"; *at; at++) {
        char byte[] = {*at, '\0'};
        pipe_put(&ends, byte);
        source_watch(run.source, true);
        loops_turn(run.loop);
        expect_step(&run, SOURCE_WAIT);
    }
    pipe_put(&ends, "\nnext\nhal");
    expect_line_in_time(&run, 1, "http://h/");
    expect_line(&run, NULL, 2, "next");
    expect_step(&run, SOURCE_WAIT);
    pipe_put(&ends, "f\n");
    pipe_close_in(&ends);
    expect_line_in_time(&run, 3, "half");
    while (step(&run) == SOURCE_WAIT) {
        source_watch(run.source, true);
        loops_turn(run.loop);
    }
    expect_end(&run);
    finish(&run);
    pipe_close(&ends);
}

Test(source, reads_nothing_that_was_not_asked_for)
{
    struct pipe ends;
    struct run run;

    prepare(&run);
    pipe_open(&ends);
    use_as_stdin(ends.out);
    pipe_put(&ends, "one\ntwo\n");
    begin(&run);
    loops_look(run.loop);
    cr_expect_eq(pipe_waiting(&ends), 8);
    expect_step(&run, SOURCE_WAIT);
    source_watch(run.source, true);
    loops_turn(run.loop);
    source_watch(run.source, true);
    cr_expect_eq(pipe_waiting(&ends), 8, "awake is not yet reading");
    expect_line(&run, NULL, 1, "one");
    pipe_put(&ends, "three\n");
    expect_line(&run, NULL, 2, "two");
    cr_expect_eq(pipe_waiting(&ends), 6, "a line was there");
    finish(&run);
    pipe_close(&ends);
}

Test(source, does_not_wake_the_loop_when_nothing_is_wanted)
{
    struct pipe ends;
    struct run run;

    prepare(&run);
    pipe_open(&ends);
    use_as_stdin(ends.out);
    begin(&run);
    expect_step(&run, SOURCE_WAIT);
    source_watch(run.source, true);
    source_watch(run.source, false);
    pipe_put(&ends, "one\n");
    cr_expect(!ev_run(run.loop, EVRUN_NOWAIT), "no watcher is active");
    expect_step(&run, SOURCE_WAIT);
    finish(&run);
    pipe_close(&ends);
}

Test(source, reads_at_most_its_measure_of_a_file_at_once)
{
    struct scratch *scratch = scratch_new();
    struct run run;
    struct buf text;

    buf_init(&text);
    while (text.len < (size_t)4 * SOURCE_READ_BYTES)
        buf_add_text(&text, "http://h/\n");
    prepare(&run);
    int fd = open(scratch_write(scratch, "urls", text.data, text.len), O_RDONLY | O_CLOEXEC);
    use_as_stdin(fd);
    begin(&run);
    cr_expect_eq(lseek(fd, 0, SEEK_CUR), 0);
    expect_line(&run, NULL, 1, "http://h/");
    cr_expect_eq(lseek(fd, 0, SEEK_CUR), SOURCE_READ_BYTES);
    for (uint64_t line = 2; line <= text.len / 10; line++) {
        if (step(&run) != SOURCE_ITEM || run.item.line != line || run.item.len != 9)
            cr_assert_fail("line %lu: %.*s", (unsigned long)line, (int)run.item.len, run.item.text);
    }
    expect_end(&run);
    close(fd);
    finish(&run);
    buf_release(&text);
    scratch_free(scratch);
}

Test(source, separates_lines_by_nul_when_told_to)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_write(scratch, "urls", "one\ntwo\0\0three\0last", 19);
    struct run run;

    prepare(&run);
    run.options.input.null_separated = true;
    add_input(&run, path);
    begin(&run);
    expect_line(&run, path, 1, "one\ntwo");
    expect_line(&run, path, 2, "");
    expect_line(&run, path, 3, "three");
    expect_line(&run, path, 4, "last");
    expect_end(&run);
    finish(&run);
    scratch_free(scratch);
}

Test(source, keeps_nul_bytes_of_a_line)
{
    struct scratch *scratch = scratch_new();
    struct run run;

    prepare(&run);
    add_input(&run, scratch_write(scratch, "urls", "a\0b\n", 4));
    begin(&run);
    expect_step(&run, SOURCE_ITEM);
    cr_expect_eq(run.item.len, 3);
    cr_expect_arr_eq(run.item.text, "a\0b", 3);
    expect_end(&run);
    finish(&run);
    scratch_free(scratch);
}

static char letter_at(size_t place)
{
    return (char)('a' + (place + place / 1000) % 26);
}

/* Writes a line of `len` bytes that are told apart by their place. */
static void add_long(struct buf *text, size_t len)
{
    char *at = buf_reserve(text, len);

    for (size_t i = 0; i < len; i++)
        at[i] = letter_at(i);
    buf_extend(text, len);
}

static void expect_long(struct run *run, uint64_t line, size_t len, bool cut)
{
    expect_step(run, SOURCE_ITEM);
    cr_expect_eq(run->item.len, len, "%zu", run->item.len);
    cr_expect_eq(run->item.cut, cut, "%zu", len);
    cr_expect_eq(run->item.line, line);
    for (size_t i = 0; i < run->item.len; i++) {
        if (run->item.text[i] != letter_at(i))
            cr_assert_fail("another letter at %zu", i);
    }
}

Test(source, cuts_a_line_of_more_than_a_mebibyte_and_skips_the_rest_of_it)
{
    static const size_t lens[] = {PARSE_LINE_MAX - 1, PARSE_LINE_MAX, PARSE_LINE_MAX + 1,
                                  PARSE_LINE_MAX + SOURCE_READ_BYTES, 3 * PARSE_LINE_MAX + 12345};
    struct scratch *scratch = scratch_new();
    struct buf text;
    struct run run;

    buf_init(&text);
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        add_long(&text, lens[i]);
        buf_add_text(&text, "\nshort\n");
    }
    add_long(&text, (size_t)2 * PARSE_LINE_MAX);
    prepare(&run);
    const char *path = scratch_write(scratch, "urls", text.data, text.len);
    add_input(&run, path);
    begin(&run);
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        expect_long(&run, 2 * i + 1, MIN(lens[i], PARSE_LINE_MAX), lens[i] > PARSE_LINE_MAX);
        expect_line(&run, path, 2 * i + 2, "short");
    }
    expect_long(&run, 2 * ARRAY_LEN(lens) + 1, PARSE_LINE_MAX, true);
    expect_end(&run);
    cr_expect_geq(run.busy, 4, "so much is not read in one go");
    finish(&run);
    buf_release(&text);
    scratch_free(scratch);
}

Test(source, reads_inputs_one_after_another_and_goes_on_past_one_it_cannot_read)
{
    struct scratch *scratch = scratch_new();
    const char *first = scratch_write_text(scratch, "first", "a\nb");
    const char *empty = scratch_write_text(scratch, "empty", "");
    const char *none = scratch_path(scratch, "none"), *dir = scratch_mkdir(scratch, "dir");
    const char *last = scratch_write_text(scratch, "last", "c\n");
    const char *const inputs[] = {none, first, empty, dir, last};
    struct run run;

    prepare(&run);
    for (size_t i = 0; i < ARRAY_LEN(inputs); i++)
        add_input(&run, inputs[i]);
    begin(&run);
    expect_step(&run, SOURCE_TROUBLE);
    cr_expect_not_null(strstr(run.err.data, none), "%s", run.err.data);
    expect_line(&run, first, 1, "a");
    expect_line(&run, first, 2, "b");
    expect_step(&run, SOURCE_TROUBLE);
    cr_expect_not_null(strstr(run.err.data, dir), "%s", run.err.data);
    expect_line(&run, last, 1, "c");
    expect_end(&run);
    finish(&run);
    scratch_free(scratch);
}

Test(source, reports_a_stdin_that_cannot_be_read_and_goes_on)
{
    struct scratch *scratch = scratch_new();
    const char *last = scratch_write_text(scratch, "last", "c\n");
    int dir = open(scratch_dir(scratch), O_RDONLY | O_CLOEXEC);
    struct run run;

    prepare(&run);
    use_as_stdin(dir);
    add_input(&run, "-");
    add_input(&run, last);
    begin(&run);
    expect_step(&run, SOURCE_TROUBLE);
    cr_expect_eq(strncmp(run.err.data, "stdin: ", 7), 0, "%s", run.err.data);
    expect_line(&run, last, 1, "c");
    expect_end(&run);
    close(dir);
    finish(&run);
    scratch_free(scratch);
}

Test(source, reads_stdin_in_its_place_among_the_inputs)
{
    struct scratch *scratch = scratch_new();
    const char *file = scratch_write_text(scratch, "file", "f\n");
    int stdin_fd = open(scratch_write_text(scratch, "stdin", "s\n"), O_RDONLY | O_CLOEXEC);
    struct run run;

    prepare(&run);
    use_as_stdin(stdin_fd);
    add_input(&run, file);
    add_input(&run, "-");
    add_input(&run, file);
    begin(&run);
    expect_line(&run, file, 1, "f");
    expect_line(&run, NULL, 1, "s");
    expect_line(&run, file, 1, "f");
    expect_end(&run);
    close(stdin_fd);
    finish(&run);
    scratch_free(scratch);
}

Test(source, gives_arguments_first_their_globs_expanded)
{
    struct scratch *scratch = scratch_new();
    const char *file = scratch_write_text(scratch, "file", "http://h/{x,y}\n");
    struct run run;

    prepare(&run);
    add_url(&run, "http://h/{a,b}[1-2]");
    add_url(&run, "http://plain/");
    add_url(&run, "[7-8]");
    add_input(&run, file);
    begin(&run);
    static const char *const expected[] = {
        "http://h/a1", "http://h/a2", "http://h/b1", "http://h/b2", "http://plain/", "7", "8"};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        expect_line(&run, NULL, 0, expected[i]);
    expect_line(&run, file, 1, "http://h/{x,y}");
    expect_end(&run);
    finish(&run);
    scratch_free(scratch);
}

Test(source, leaves_globs_alone_when_told_to)
{
    struct run run;

    prepare(&run);
    run.options.input.globoff = true;
    add_url(&run, "http://h/{a,b}[1-");
    begin(&run);
    expect_line(&run, NULL, 0, "http://h/{a,b}[1-");
    expect_end(&run);
    finish(&run);
}

Test(source, touches_no_stdin_when_urls_are_arguments)
{
    struct pipe ends;
    struct run run;

    prepare(&run);
    pipe_open(&ends);
    use_as_stdin(ends.out);
    pipe_put(&ends, "one\n");
    add_url(&run, "http://h/");
    begin(&run);
    expect_line(&run, NULL, 0, "http://h/");
    expect_end(&run);
    source_watch(run.source, true);
    loops_look(run.loop);
    cr_expect_eq(pipe_waiting(&ends), 4);
    finish(&run);
    pipe_close(&ends);
}

Test(source, waits_for_the_first_writer_of_a_fifo)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_path(scratch, "fifo");
    struct run run;

    prepare(&run);
    cr_assert_eq(mkfifo(path, 0600), 0);
    add_input(&run, path);
    begin(&run);
    expect_step(&run, SOURCE_WAIT);
    source_watch(run.source, true);
    loops_look(run.loop);
    expect_step(&run, SOURCE_WAIT);
    int in = open(path, O_WRONLY | O_CLOEXEC);
    cr_assert_eq(write(in, "one", 3), 3);
    close(in);
    expect_line_in_time(&run, 1, "one");
    expect_end(&run);
    finish(&run);
    scratch_free(scratch);
}

Test(source, can_be_freed_in_the_middle_of_everything)
{
    struct pipe ends;
    struct run run;

    prepare(&run);
    pipe_open(&ends);
    use_as_stdin(ends.out);
    pipe_put(&ends, "half");
    add_url(&run, "{a,b}");
    add_input(&run, "-");
    begin(&run);
    expect_line(&run, NULL, 0, "a");
    source_free(run.source);
    begin(&run);
    expect_line(&run, NULL, 0, "a");
    expect_line(&run, NULL, 0, "b");
    expect_step(&run, SOURCE_WAIT);
    source_watch(run.source, true);
    finish(&run);
    source_free(NULL);
    pipe_close(&ends);
}
