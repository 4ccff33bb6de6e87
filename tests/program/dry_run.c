/* What is told of a run in place of it. */
#include <criterion/criterion.h>
#include <string.h>

#include "program.h"
#include "stage.h"

Test(dry_run, tells_what_would_be_done_and_does_none_of_it)
{
    struct stage *stage = stage_new_any();
    struct blob input = {0};

    for (int i = 0; i < 6; i++) {
        blob_addf(&input, "%s\n", stage_url_at(stage, "127.0.0.1", "/text/x"));
        blob_addf(&input, "%s\n\n# no request\n", stage_url_at(stage, "127.0.0.2", "/text/x"));
    }
    program_expect(
        program_fetch(RUN_WEIR("--dry-run", "--rate=1/s"), blob_text(&input)), 0,
        "12 requests to 2 hosts\n0 invalid lines\nthe limits allow it in 11 s at least\n", "");
    program_expect(program_fetch(RUN_WEIR("--dry-run", "--rate=1/s", "--burst=2", "--host-rate",
                                          "127.0.0.2=3/m"),
                                 blob_text(&input)),
                   0,
                   stage_text(stage,
                              "12 requests to 2 hosts\n0 invalid lines\nthe limits allow it in 80 "
                              "s at least, for http://127.0.0.2:%u\n",
                              (unsigned)origin_port(stage->origin)),
                   "");
    program_expect(program_fetch(RUN_WEIR("--dry-run"), ""), 0,
                   "0 requests to 0 hosts\n0 invalid lines\nthe limits allow it in 0 s at least\n",
                   "");
    cr_expect_eq(origin_counts(stage->origin).accepted, 0);
    blob_release(&input);
    stage_free(stage);
}

Test(dry_run, tells_of_invalid_lines)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    blob_addf(&input, "%s\nhttp://[bad\n%s\n{\"url\":1}\n", stage_url(stage, "/text/x"),
              stage_url(stage, "/text/y"));
    struct run_result result = program_fetch(RUN_WEIR("--dry-run"), blob_text(&input));
    cr_expect(blob_contains(&result.out, "2 requests to 1 host\n2 invalid lines\n"), "%s",
              blob_text(&result.out));
    cr_expect(program_told(&result, "line 2: http://[bad", "invalid", ""), "%s",
              blob_text(&result.err));
    cr_expect(program_told(&result, "line 4: {\"url\":1}", "invalid", ""), "%s",
              blob_text(&result.err));
    program_expect(result, 1, NULL, NULL);
    cr_expect_eq(origin_counts(stage->origin).accepted, 0);
    blob_release(&input);
    stage_free(stage);
}

Test(dry_run, tells_of_files_that_would_clash)
{
    struct stage *stage = stage_new();
    const char *x = stage_url(stage, "/text/a/same"), *y = stage_url(stage, "/text/b/same");

    struct run_result result = program_run((struct run_options){
        .argv = RUN_WEIR("--dry-run", "-O", x, stage_url(stage, "/text/other"), y),
        .cwd = scratch_dir(stage->scratch)});
    cr_expect(blob_contains(&result.out, "1 file name taken already:\n  requests 1 and 3: same\n"),
              "%s", blob_text(&result.out));
    program_expect(result, 0, NULL, "");
    program_expect(
        program_fetch(RUN_WEIR("--dry-run", "-o", scratch_path(stage->scratch, "new/{seq}"), x, y),
                      NULL),
        0,
        "2 requests to 1 host\n0 invalid lines\n0 file names taken already\nthe limits "
        "allow it in 0 s at least\n",
        "");
    cr_expect_eq(scratch_count(stage->scratch, ""), 0);
    cr_expect_eq(origin_counts(stage->origin).accepted, 0);
    stage_free(stage);
}

static void expect_untouched(struct stage *stage, const char *name)
{
    struct blob text = {0};

    cr_assert(scratch_read(stage->scratch, name, &text));
    cr_expect_str_eq(blob_text(&text), "before\n", "%s", name);
    blob_release(&text);
}

Test(dry_run, writes_to_no_file)
{
    struct stage *stage = stage_new();
    const char *results = scratch_write_text(stage->scratch, "results", "before\n");
    const char *cookies = scratch_write_text(stage->scratch, "cookies", "before\n");
    const char *saved = scratch_write_text(stage->scratch, "saved/x", "before\n");
    const char *url = stage_url(stage, "/text/x");

    struct run_result result =
        program_fetch(RUN_WEIR("--dry-run", "--jsonl", "--to", results, "-c", cookies, url), NULL);
    cr_expect(blob_contains(&result.out, "1 request to 1 host\n"), "%s", blob_text(&result.out));
    program_expect(result, 0, NULL, "");
    program_expect(
        program_fetch(RUN_WEIR("--dry-run", "--on-conflict=replace", "-o", saved, url), NULL), 0,
        NULL, "");
    program_expect(program_fetch(RUN_WEIR("--dry-run", "-O", "--output-dir",
                                          scratch_path(stage->scratch, "made"), url),
                                 NULL),
                   0, NULL, "");
    expect_untouched(stage, "results");
    expect_untouched(stage, "cookies");
    expect_untouched(stage, "saved/x");
    cr_expect(!scratch_exists(stage->scratch, "made"));
    cr_expect_eq(scratch_count(stage->scratch, ""), 3);
    cr_expect_eq(origin_counts(stage->origin).accepted, 0);
    stage_free(stage);
}
