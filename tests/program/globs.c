/* Patterns in arguments, from the outside. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "program.h"
#include "stage.h"

struct glob_case {
    char target[40];
    char out[48]; /* "": it is refused */
};

ParameterizedTestParameters(glob, is_each_of_its_urls)
{
    static struct glob_case cases[] = {
        {"/text/{a,b}/[01-03]", "a/01\na/02\na/03\nb/01\nb/02\nb/03\n"},
        {"/text/[1-3]{,x}", "1\n1x\n2\n2x\n3\n3x\n"},
        {"/text/[a-e:2]", "a\nc\ne\n"},
        {"/text/[8-11]", "8\n9\n10\n11\n"},
        {"/text/[001-100:33]", "001\n034\n067\n100\n"},
        {"/text/{one}", "one\n"},
        {"/text/a\\{b\\}", "a{b}\n"},
        {"/text/{a", ""},
        {"/text/[1-", ""},
        {"/text/[3-1]", ""},
        {"/text/[1-3:0]", ""},
        {"/text/[a-3]", ""},
        {"/text/a}", ""},
        {"/text/{a,{b,c}}", ""},
    };

    return cr_make_param_array(struct glob_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct glob_case *glob, glob, is_each_of_its_urls)
{
    struct stage *stage = stage_new();
    const char *first = stage_url(stage, "/text/first");
    const char *url = stage_url(stage, "%s", glob->target);

    if (*glob->out) {
        program_expect(program_fetch(RUN_WEIR(first, url), NULL), 0,
                       stage_text(stage, "first\n%s", glob->out), "");
    } else {
        program_expect(program_fetch(RUN_WEIR(first, url), NULL), 2, "", "weir: ");
        cr_expect_eq(origin_counts(stage->origin).requests, 0);
    }
    stage_free(stage);
}

Test(glob, may_stand_for_hosts_and_ports)
{
    struct stage *stage = stage_new_any();
    unsigned port = origin_port(stage->origin);

    program_expect(
        program_fetch(
            RUN_WEIR(stage_text(stage, "http://127.0.0.[1-3]:{%u,%u}/text/a", port, port)), NULL),
        0, "a\na\na\na\na\na\n", "");
    program_expect(
        program_fetch(
            RUN_WEIR("-w", "%{seq} %{url}\n", stage_text(stage, "127.0.0.{1,2}:%u/text/b", port)),
            NULL),
        0, stage_text(stage, "1 127.0.0.1:%u/text/b\n2 127.0.0.2:%u/text/b\n", port, port), "");
    stage_free(stage);
}

/* An address of version 6 is no pattern. */
Test(glob, leaves_an_address_in_brackets_alone)
{
    struct origin *origin = origin_start(&(struct origin_options){.address = "::1"});
    struct blob url = {0};

    if (!origin)
        cr_skip_test("this machine has no ::1");
    blob_addf(&url, "%s/text/[1-2]", origin_url(origin));
    program_expect(program_fetch(RUN_WEIR(blob_text(&url)), NULL), 0, "1\n2\n", "");
    blob_release(&url);
    cr_expect_eq(origin_stop(origin), 0);
}

Test(glob, of_a_million_begins_at_once_and_ends_with_its_reader)
{
    struct stage *stage = stage_new();
    const char *const argv[] = {"sh",
                                "-c",
                                "\"$0\" -j2 --window 20 \"$1\" | head -n 3",
                                run_weir(),
                                stage_url(stage, "/text/[1-1000000]{a,b}{c,d,e}"),
                                NULL};

    program_expect(program_run((struct run_options){.argv = argv}), 0, "1ac\n1ad\n1ae\n", "");
    cr_expect_lt(stage_settled_requests(stage), 1000000);
    stage_free(stage);
}

Test(glob, takes_the_memory_of_its_window)
{
    enum { MANY = 20000 };
    struct stage *stage = stage_new();
    struct run_result result =
        program_run((struct run_options){.argv = RUN_WEIR("--format", "none", "--window", "100",
                                                          stage_url(stage, "/text/[1-%d]", MANY)),
                                         .env = program_lean()});

    cr_expect_lt(result.peak_rss_kib, program_allowance(24 * 1024L));
    program_expect(result, 0, "", "");
    cr_expect_eq(origin_counts(stage->origin).requests, MANY);
    stage_free(stage);
}

Test(globs, name_files_by_what_they_took)
{
    struct stage *stage = stage_new();
    const char *dir = scratch_path(stage->scratch, "out");
    const char *argv_of[] = {"{2}/{1}.#2", "#2/#1.{2}"};

    for (size_t i = 0; i < 2; i++) {
        program_expect(program_fetch(RUN_WEIR("--output-dir", dir, "--on-conflict", "replace", "-o",
                                              argv_of[i], stage_url(stage, "/text/{a,b}[01-02]")),
                                     NULL),
                       0, "", "");
        stage_expect_file(stage, "out/01/a.01", "a01\n");
        stage_expect_file(stage, "out/02/b.02", "b02\n");
        cr_expect_eq(scratch_count(stage->scratch, "out/01"), 2);
    }
    stage_free(stage);
}
