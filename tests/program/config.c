/* Options from a file, in curl's syntax. */
#include <criterion/criterion.h>
#include <string.h>

#include "program.h"
#include "stage.h"

static const char *write_config(struct stage *stage, const char *text)
{
    return scratch_write_text(stage->scratch, "config", text);
}

Test(config, says_what_the_command_line_could)
{
    struct stage *stage = stage_new();
    const char *file = write_config(stage, stage_text(stage,
                                                      "# a comment\n"
                                                      "\n"
                                                      "request = PUT\r\n"
                                                      "-H \"X-One: a \\\"b\\\"\\tc\"\n"
                                                      "  header: \"X-Two: 2\"   # not read\n"
                                                      "--data \"a=1\"\n"
                                                      "data=b=2\n"
                                                      "user-agent = me/1 # and no more\n"
                                                      "-s\n"
                                                      "url = \"%s/echo\"\n",
                                                      origin_url(stage->origin)));
    struct run_result result = program_fetch(RUN_WEIR("-K", file), NULL);

    cr_expect(blob_contains(&result.out, "PUT /echo HTTP/1.1\n"), "%s", blob_text(&result.out));
    cr_expect(blob_contains(&result.out, "\nX-One: a \"b\"\tc\n"), "%s", blob_text(&result.out));
    cr_expect(blob_contains(&result.out, "\nX-Two: 2\n"), "%s", blob_text(&result.out));
    cr_expect(blob_contains(&result.out, "\nUser-Agent: me/1\n"), "%s", blob_text(&result.out));
    cr_expect(blob_contains(&result.out, "\n\na=1&b=2"), "%s", blob_text(&result.out));
    program_expect(result, 0, NULL, "");
    stage_free(stage);
}

Test(config, stands_where_it_is_named)
{
    struct stage *stage = stage_new();
    const char *file = write_config(stage, "-A first\n");
    const char *url = stage_url(stage, "/echo");
    struct run_result result = program_fetch(RUN_WEIR("-K", file, "-A", "second", url), NULL);

    cr_expect(blob_contains(&result.out, "User-Agent: second\n"));
    program_expect(result, 0, NULL, "");
    result = program_fetch(RUN_WEIR("-A", "second", "-K", file, url), NULL);
    cr_expect(blob_contains(&result.out, "User-Agent: first\n"));
    program_expect(result, 0, NULL, "");
    stage_free(stage);
}

Test(config, may_be_several_and_come_from_stdin)
{
    struct stage *stage = stage_new();
    const char *file = write_config(stage, "-H X-One:1\n");
    const char *url = stage_url(stage, "/echo");
    struct run_result result =
        program_fetch(RUN_WEIR("-K", file, "--config", "-", url), "header = X-Two:2\n");

    cr_expect(blob_contains(&result.out, "X-One:1\n"), "%s", blob_text(&result.out));
    cr_expect(blob_contains(&result.out, "X-Two:2\n"), "%s", blob_text(&result.out));
    program_expect(result, 0, NULL, "");
    stage_free(stage);
}

Test(config, is_refused_before_any_request)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"-s\nno-such-option\n", "line 2: unknown option"},
        {"\n\njobs = none\n", "line 3: --jobs: takes a number"},
        {"url = \"http://h/\nsilent\n", "line 1: a quote that is not closed"},
        {"-s\nheader = \"A: 1\" B\n", "line 2: something stands behind the closing quote: B"},
        {"silent\nuser-agent = me and more\n", "line 2: a value with blanks must be in quotes"},
        {"-H\n", "line 1: --header: needs its argument"},
        {"silent = yes\n", "line 1: --silent: takes no argument"},
        {"-K other\n", "line 1: --config: is not for a file of options"},
        {"header = \"A: 1\\r\\nB: 2\"\n", "line 1: --header: takes one header"},
    };
    struct stage *stage = stage_new();

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *file = write_config(stage, cases[i].text);
        struct run_result result =
            program_fetch(RUN_WEIR("-K", file, stage_url(stage, "/text/a")), NULL);
        cr_expect(blob_contains(&result.err, file), "%s", blob_text(&result.err));
        program_expect(result, 2, "", cases[i].words);
    }
    program_expect(program_fetch(RUN_WEIR("-K", "/no/such", stage_url(stage, "/text/a")), NULL), 2,
                   "", "--config: cannot read /no/such");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}
