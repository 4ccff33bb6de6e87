#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/options.h"
#include "input/counter.h"
#include "moment.h"
#include "scratch.h"

static struct options options;
static struct scratch *scratch;

static void begin(void)
{
    options_init(&options);
    scratch = scratch_new();
}

static void release(void)
{
    options_release(&options);
    scratch_free(scratch);
}

TestSuite(counter, .init = begin, .fini = release);

static void add_input(const char *name)
{
    strings_add(&options.input.files, xstrdup(name));
}

static void add_file(const char *name, const char *text)
{
    add_input(scratch_write_text(scratch, name, text));
}

/* Waits until it is known, which it will be. */
static void expect(uint64_t due)
{
    struct counter *counter = counter_new(&options.input);
    uint64_t total = 0;
    double end = moment_now() + 30;

    cr_expect_not(counter_knows(counter, &total));
    counter_start(counter);
    while (!counter_knows(counter, &total) && moment_now() < end)
        moment_nap();
    cr_expect_eq(total, due, "%zu, not %zu", (size_t)total, (size_t)due);
    counter_free(counter);
}

/* That it is not known says nothing until all was tried: the thread is at its end with it. */
static void expect_unknown(void)
{
    struct counter *counter = counter_new(&options.input);
    uint64_t total = 0;

    counter_start(counter);
    for (int i = 0; i < 50; i++) {
        moment_nap();
        cr_assert_not(counter_knows(counter, &total));
    }
    counter_free(counter);
}

Test(counter, counts_arguments_with_their_globs)
{
    strings_add(&options.input.urls, xstrdup("http://h/{a,b}/[1-10]"));
    strings_add(&options.input.urls, xstrdup("http://h/{a"));
    expect(21);
    options.input.globoff = true;
    expect(2);
}

Test(counter, counts_the_lines_of_files)
{
    add_file("a", "# one\na\n\nb\n");
    add_file("b", "c");
    expect(3);
    strings_add(&options.input.urls, xstrdup("d"));
    expect(4);
}

Test(counter, counts_a_file_of_many_reads)
{
    enum { LINES = 100000 };
    char *text = xmalloc(LINES * 8 + 1);

    for (int i = 0; i < LINES; i++)
        snprintf(text + (size_t)i * 8, 9, "%07d\n", i);
    add_file("a", text);
    free(text);
    expect(LINES);
}

Test(counter, counts_what_a_nul_ends)
{
    options.input.null_separated = true;
    add_input(scratch_write(scratch, "a", "a\nb\0\0c", 6));
    expect(2);
}

/* And leaves it standing there. */
Test(counter, counts_stdin_from_where_it_stands)
{
    int number = open(scratch_write_text(scratch, "a", "a\nb\nc\n"), O_RDONLY | O_CLOEXEC);

    cr_assert_geq(number, 0);
    dup2(number, STDIN_FILENO);
    lseek(STDIN_FILENO, 2, SEEK_SET);
    expect(2);
    cr_expect_eq(lseek(STDIN_FILENO, 0, SEEK_CUR), 2);
    add_input("-");
    expect(2);
    close(number);
}

Test(counter, takes_nothing_from_who_reads_a_pipe)
{
    const char *path = scratch_path(scratch, "fifo");
    char text[8] = "";

    cr_assert_eq(mkfifo(path, 0600), 0);
    int number = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    cr_assert_geq(number, 0);
    cr_assert_eq(write(number, "a\nb\n", 4), 4);
    add_file("a", "a\n");
    add_input(path);
    expect_unknown();
    cr_expect_eq(read(number, text, sizeof text), 4);
    close(number);
}

Test(counter, knows_nothing_where_a_file_cannot_be_read)
{
    add_file("a", "a\n");
    add_input("/nonexistent/file");
    expect_unknown();
}

/* However much there is to count. */
Test(counter, ends_when_it_is_told_to)
{
    add_file("a", "a\n");
    cr_assert_eq(truncate(options.input.files.at[0], (off_t)1 << 40), 0);
    struct counter *counter = counter_new(&options.input);
    counter_start(counter);
    counter_free(counter);
}
