#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "scratch.h"

static int read_file(struct options *options, const char *text, size_t len, struct buf *err)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_write(scratch, "options", text, len);

    options_init(options);
    int result = options_read_file(options, path, err);
    /* The path is another in every run. */
    if (strncmp(err->data, path, strlen(path)) == 0)
        buf_drop(err, strlen(path));
    scratch_free(scratch);
    return result;
}

static void read_text(struct options *options, const char *text)
{
    struct buf err;

    buf_init(&err);
    cr_assert_eq(read_file(options, text, strlen(text), &err), 0, "%s: %s", text, err.data);
    cr_expect(!options->in_file);
    buf_release(&err);
}

static void expect_refusal(const char *text, const char *words)
{
    struct options options;
    struct buf err;

    buf_init(&err);
    cr_expect_eq(read_file(&options, text, strlen(text), &err), -EINVAL, "%s", text);
    cr_expect_str_eq(err.data, words, "%s: %s", text, err.data);
    options_release(&options);
    buf_release(&err);
}

Test(options_file, takes_a_line_in_each_of_its_forms)
{
    static const char *const lines[] = {
        "user-agent = me",
        "user-agent=me",
        "user-agent: me",
        "user-agent me",
        "user-agent\tme",
        "--user-agent me",
        "--user-agent=me",
        "-A me",
        "user-agent = \"me\"",
        "user-agent=\"me\"",
        "-A \"me\"",
        "  user-agent = me",
        "user-agent = me  \t",
        "user-agent = me\r",
        "user-agent \"me\"\r",
        "-A\tme\r",
        "# c\nuser-agent = me",
        "\n\nuser-agent me\n",
        " \t\r\n-A me\n#end\n",
        "\xEF\xBB\xBFuser-agent = me",
        "user-agent = \"me\" ",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct options options;
        read_text(&options, lines[i]);
        cr_expect(options.user_agent && strcmp(options.user_agent, "me") == 0, "'%s': %s", lines[i],
                  options.user_agent ? options.user_agent : "nothing");
        options_release(&options);
    }
}

Test(options_file, reads_quotes_and_escapes_as_curl_does)
{
    static const struct {
        const char *line, *expected;
    } cases[] = {
        {"data-raw = \"a b\"", "a b"},
        {"data-raw = a # not data", "a"},
        {"data-raw = a#b", "a#b"},
        {"data-raw = \"a\\tb\\nc\\rd\\ve\"", "a\tb\nc\rd\ve"},
        {"data-raw = \"\\\"q\\\" \\\\ \\x\"", "\"q\" \\ x"},
        {"data-raw = a\\nb", "a\\nb"},
        {"data-raw = a\"b\"", "a\"b\""},
        {"data-raw = \"a#b\" # not data", "a#b"},
        {"data-raw = \"=:\"", "=:"},
        {"data-raw = a=b:c", "a=b:c"},
        {"data-raw = \"a\"#not data", "a"},
        {"data-raw = \"\"", ""},
        {"data-raw = \"\xC3\xA9\"", "\xC3\xA9"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct options options;
        read_text(&options, cases[i].line);
        cr_expect(options.has_data, "%s", cases[i].line);
        cr_expect_str_eq(options.data.data, cases[i].expected, "%s: %s", cases[i].line,
                         options.data.data);
        options_release(&options);
    }
}

Test(options_file, takes_switches_urls_and_several_options)
{
    struct options options;

    read_text(&options, "silent\n-ik\n--no-location\nurl = http://a/\nurl=\"http://b/?x=y\"\n"
                        "--url http://c/\nheader = \"A: b\"\nheader = \"C;\"\n-j5\n"
                        "max-time = 2m\n-H \"D: e\"");
    cr_expect(options.silent && options.include && options.insecure && !options.location);
    cr_assert_eq(options.input.urls.len, 3);
    cr_expect_str_eq(options.input.urls.at[0], "http://a/");
    cr_expect_str_eq(options.input.urls.at[1], "http://b/?x=y");
    cr_expect_str_eq(options.input.urls.at[2], "http://c/");
    cr_assert_eq(options.headers.len, 3);
    cr_expect_str_eq(options.headers.at[0], "A: b");
    cr_expect_str_eq(options.headers.at[1], "C;");
    cr_expect_str_eq(options.headers.at[2], "D: e");
    cr_expect_eq(options.jobs, 5);
    cr_expect_eq(options.max_time, 120);
    options_release(&options);
}

Test(options_file, takes_an_empty_argument_by_name_and_by_letter)
{
    static const char *const lines[] = {"user-agent = \"\"", "--user-agent \"\"", "-A \"\""};

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct options options;
        read_text(&options, lines[i]);
        cr_expect(options.user_agent && !*options.user_agent, "%s", lines[i]);
        options_release(&options);
    }
}

Test(options_file, may_be_empty)
{
    struct options options;

    read_text(&options, "");
    cr_expect_eq(options.jobs, 20);
    options_release(&options);
    read_text(&options, "\r\n# nothing\n");
    cr_expect_eq(options.input.urls.len, 0);
    options_release(&options);
}

Test(options_file, names_the_line_that_cannot_be)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"jobs = x", ": line 1: --jobs: takes a number from 1 to 1000000, not 'x'"},
        {"# c\n\njobs = 0", ": line 3: --jobs: takes a number from 1 to 1000000, not '0'"},
        {"-j 0", ": line 1: --jobs: takes a number from 1 to 1000000, not '0'"},
        {"-s yes", ": line 1: --silent: takes no argument, not 'yes'"},
        {"- x", ": line 1: unknown option -; weir --help all shows every one"},
        {"-A", ": line 1: --user-agent: needs its argument, NAME"},
        {"silent\njobs", ": line 2: --jobs: needs its argument, N"},
        {"silent = yes", ": line 1: --silent: takes no argument, not 'yes'"},
        {"jbs = 1", ": line 1: unknown option jbs; is it --jobs?"},
        {"--nonsense-of-mine",
         ": line 1: unknown option --nonsense-of-mine; weir --help all shows every one"},
        {"= 1", ": line 1: unknown option ; weir --help all shows every one"},
        {"-q", ": line 1: unknown option -q; weir --help all shows every one"},
        {"user-agent = \"a\\nb\"", ": line 1: --user-agent: takes text without a line break"},
        {"header = \"A: b\\r\\nC: d\"",
         ": line 1: --header: takes one header, as in 'Name: value'"},
        {"user-agent = \"open", ": line 1: a quote that is not closed"},
        {"silent\n-A \"end\\\"", ": line 2: a quote that is not closed"},
        {"user-agent = \"a\" b\r", ": line 1: something stands behind the closing quote: b\r"},
        {"url = \"http://a/\"x", ": line 1: something stands behind the closing quote: x"},
        {"data = a b", ": line 1: a value with blanks must be in quotes; behind it stands: b"},
        {"header = X-A: 1\r",
         ": line 1: a value with blanks must be in quotes; behind it stands: 1\r"},
        {"-A me too # c",
         ": line 1: a value with blanks must be in quotes; behind it stands: too # c"},
        {"config = other", ": line 1: --config: is not for a file of options"},
        {"-K other", ": line 1: --config: is not for a file of options"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_refusal(cases[i].text, cases[i].words);
}

Test(options_file, refuses_a_nul_rather_than_end_there)
{
    static const char text[] = "silent\0\njobs = 7\n";
    struct options options;
    struct buf err;

    buf_init(&err);
    cr_expect_eq(read_file(&options, text, sizeof text - 1, &err), -EINVAL);
    cr_expect_str_eq(err.data, ": there is a NUL byte in it", "%s", err.data);
    options_release(&options);
    buf_release(&err);
}

Test(options_file, on_the_command_line_counts_where_it_stands)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_write_text(scratch, "k", "jobs = 7\nurl = http://b/\n");
    char *argv[] = {xstrdup("weir"),
                    xstrdup("-j3"),
                    xstrdup("http://a/"),
                    xstrdup("-K"),
                    xstrdup(path),
                    xstrdup("http://c/"),
                    NULL};
    struct options options;
    struct buf err;

    buf_init(&err);
    options_init(&options);
    cr_assert_eq(options_parse(&options, 6, argv, &err), 0, "%s", err.data);
    cr_expect_eq(options.jobs, 7);
    cr_assert_eq(options.input.urls.len, 3);
    cr_expect_str_eq(options.input.urls.at[1], "http://b/");
    cr_expect_eq(options.window, 1024);
    options_release(&options);
    buf_release(&err);
    for (size_t i = 0; argv[i]; i++)
        free(argv[i]);
    scratch_free(scratch);
}
