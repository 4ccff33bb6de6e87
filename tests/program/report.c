/* What is said of failures on stderr. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "program.h"
#include "stage.h"

Test(failure, is_one_line_with_its_place_url_reason_and_words)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x?silent=1");

    program_expect(program_fetch(RUN_WEIR("--stall-timeout", "0.2"),
                                 stage_text(stage, "\n# comment\n%s\n", url)),
                   1, "", stage_text(stage, "weir: line 3: %s: timeout: no byte for 0.2 s\n", url));
    program_expect(program_fetch(RUN_WEIR("--stall-timeout", "200ms", url), NULL), 1, "",
                   stage_text(stage, "weir: %s: timeout: no byte for 0.2 s\n", url));
    stage_free(stage);
}

Test(failure, is_not_told_with_silent)
{
    struct stage *stage = stage_new();
    const char *input =
        stage_text(stage, "%s\nfile:///x\nhttp://no good\nhttp://" UNKNOWN_NAME "/\n",
                   stage_url(stage, "/nothing"));

    program_expect(program_fetch(RUN_WEIR("-s"), input), 1, "", "");
    program_expect(program_fetch(RUN_WEIR("--silent", "--format=none"), input), 1, "", "");
    stage_free(stage);
}

/* At their turn, that is: not before what stands before them is done. */
Test(failure, is_told_in_the_order_of_the_input)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR()});

    run_write_text(run, stage_url(stage, "/text/a?delay=0.7&status=500\n"));
    run_write_text(run, "file:///x\n");
    cr_assert(origin_wait_requests(stage->origin, 1, patience));
    cr_assert(run_read_error_until(run, "line 2: ", patience));
    cr_expect(blob_contains(run_err(run), "line 1: "), "%s", blob_text(run_err(run)));
    program_expect(program_end(run), 1, "", NULL);
    stage_free(stage);
}

struct shown_case {
    char line[32];
    char shown[48];
};

ParameterizedTestParameters(failure, shows_no_control_byte_as_it_is)
{
    static struct shown_case cases[] = {
        {"file:///a\x1b[31mb", "file:///a\\x1b[31mb"},
        {"file:///a\x07", "file:///a\\x07"},
        {"file:///a\x7f", "file:///a\\x7f"},
        {"http://a b\xc2\x9b"
         "2J",
         "http://a b\\xc2\\x9b2J"},
        {"http://a b\xc3\xa9", "http://a b\xc3\xa9"},
        {"http://a b\xe2\x82\xac", "http://a b\xe2\x82\xac"},
        {"http://a b\rc", "http://a b\\x0dc"},
        {"http://a b\tc", "http://a b\\x09c"},
    };

    return cr_make_param_array(struct shown_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct shown_case *shown, failure, shows_no_control_byte_as_it_is)
{
    struct run_result result = program_fetch(RUN_WEIR(), shown->line);

    cr_expect(blob_contains(&result.err, shown->shown), "%s", blob_text(&result.err));
    for (size_t i = 0; i + 1 < result.err.len; i++)
        cr_expect_geq((unsigned char)result.err.at[i], 0x20);
    program_expect(result, 1, "", NULL);
}

/* What the origin says is no better than what the input says. */
Test(failure, shows_no_control_byte_of_the_origin)
{
    struct stage *stage = stage_new();
    const char *url =
        stage_url(stage, "/text/x?status=302&hdr=Location:%%20ftp://a/%%1b%%5b2J%%c2%%9b");

    program_expect(program_fetch(RUN_WEIR("-g", url), NULL), 1, "", "ftp://a/\\x1b[2J\\xc2\\x9b");
    stage_free(stage);
}

/* Nobody wants to read a URL of a megabyte. */
Test(failure, cuts_what_is_too_long_to_show)
{
    struct stage *stage = stage_new();
    struct blob line = {0};

    blob_add_text(&line, "file:///");
    for (int i = 0; i < 100000; i++)
        blob_add_text(&line, "long");
    struct run_result result = program_fetch(RUN_WEIR(), blob_text(&line));
    cr_expect_leq(result.err.len, 2000);
    program_expect(result, 1, "", ": denied: ");
    blob_release(&line);
    stage_free(stage);
}
