/* Names that are taken, and files that cannot be written. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "record.h"
#include "stage.h"

static struct run_result fetch_here(struct stage *stage, const char *const *argv)
{
    return program_run(
        (struct run_options){.argv = argv, .cwd = scratch_dir(stage->scratch), .input = NULL});
}

Test(conflict, fails_what_would_replace_a_file)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/page");

    scratch_write_text(stage->scratch, "page", "old");
    for (int i = 0; i < 2; i++) {
        struct run_result result = fetch_here(
            stage, i ? RUN_WEIR("-O", "--on-conflict", "fail", url) : RUN_WEIR("-O", url));
        cr_expect(program_told(&result, url, "output",
                               "page: File exists (--on-conflict and --skip-existing "),
                  "%s", blob_text(&result.err));
        program_expect(result, 4, "", NULL);
        stage_expect_file(stage, "page", "old");
        cr_expect_eq(scratch_count(stage->scratch, ""), 1);
    }
    stage_free(stage);
}

Test(conflict, says_that_what_has_the_name_is_a_directory)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/page");

    scratch_mkdir(stage->scratch, "page");
    program_expect(fetch_here(stage, RUN_WEIR("-O", url)), 4, "", "page: Is a directory");
    program_expect(fetch_here(stage, RUN_WEIR("-O", "--skip-existing", url)), 4, "",
                   "page: Is a directory");
    cr_expect_eq(scratch_count(stage->scratch, ""), 1);
    stage_free(stage);
}

Test(conflict, of_two_results_lets_the_first_have_the_name)
{
    struct stage *stage = stage_new();

    for (int i = 0; i < 2; i++) {
        const char *name = stage_text(stage, "%d", i);
        struct run_result result = fetch_here(
            stage, RUN_WEIR("-o", name, "--jsonl", "--on-conflict", i ? "replace" : "fail",
                            stage_url(stage, "/text/late?delay=0.2"), stage_url(stage, "/text/b"),
                            stage_url(stage, "/text/c")));
        json_t *records = records_read(&result.out);
        cr_expect(record_file_is(record_at(records, 0), scratch_dir(stage->scratch), "late\n", 5));
        for (size_t k = 1; k < 3; k++) {
            cr_expect_str_eq(record_text(record_at(records, k), "reason"), "output");
            cr_expect(!record_has(record_at(records, k), "body_file"));
        }
        json_decref(records);
        program_expect(result, 4, NULL, "");
        stage_expect_file(stage, name, "late\n");
    }
    cr_expect_eq(scratch_count(stage->scratch, ""), 2);
    stage_free(stage);
}

Test(conflict, may_be_numbered)
{
    struct stage *stage = stage_new();

    scratch_write_text(stage->scratch, "page", "old");
    struct run_result result =
        fetch_here(stage, RUN_WEIR("-o", "page", "--jsonl", "--on-conflict", "number",
                                   stage_url(stage, "/text/[1-3]")));
    json_t *records = records_read(&result.out);
    for (size_t i = 0; i < 3; i++) {
        const char *text = stage_text(stage, "%zu\n", i + 1);
        cr_expect_str_eq(record_text(record_at(records, i), "body_file"),
                         stage_text(stage, "page.%zu", i + 1));
        cr_expect(record_file_is(record_at(records, i), scratch_dir(stage->scratch), text, 2));
    }
    json_decref(records);
    program_expect(result, 0, NULL, "");
    stage_expect_file(stage, "page", "old");
    cr_expect_eq(scratch_count(stage->scratch, ""), 4);
    stage_free(stage);
}

Test(conflict, may_replace_what_was_there_before)
{
    struct stage *stage = stage_new();

    scratch_write_text(stage->scratch, "page", "old");
    scratch_write_text(stage->scratch, "target", "kept");
    cr_assert_eq(symlink("target", scratch_path(stage->scratch, "link")), 0);
    program_expect(
        fetch_here(stage, RUN_WEIR("-O", "--on-conflict=replace", stage_url(stage, "/text/page"),
                                   stage_url(stage, "/text/link"))),
        0, "", "");
    stage_expect_file(stage, "page", "page\n");
    stage_expect_file(stage, "link", "link\n");
    stage_expect_file(stage, "target", "kept");
    scratch_mkdir(stage->scratch, "dir");
    program_expect(
        fetch_here(stage, RUN_WEIR("-O", "--on-conflict=replace", stage_url(stage, "/text/dir"))),
        4, "", "dir: Is a directory");
    cr_expect_eq(scratch_count(stage->scratch, ""), 4);
    stage_free(stage);
}

/* What stood there is there until its successor is whole. */
Test(conflict, replaces_nothing_by_a_failure)
{
    struct stage *stage = stage_new();

    scratch_write_text(stage->scratch, "page", "old");
    program_expect(fetch_here(stage, RUN_WEIR("-o", "page", "--on-conflict=replace",
                                              stage_url(stage, "/bytes/100000?reset=50000"))),
                   1, "", ": reset: ");
    stage_expect_file(stage, "page", "old");
    cr_expect_eq(scratch_count(stage->scratch, ""), 1);
    stage_free(stage);
}

Test(skip_existing, asks_for_nothing_that_is_there)
{
    struct stage *stage = stage_new();

    scratch_write_text(stage->scratch, "there", "old");
    struct run_result result =
        fetch_here(stage, RUN_WEIR("-O", "--skip-existing", "--jsonl",
                                   stage_url(stage, "/text/there"), stage_url(stage, "/text/new")));
    json_t *records = records_read(&result.out);
    cr_expect(record_file_is(record_at(records, 0), scratch_dir(stage->scratch), "old", 3));
    cr_expect(record_file_is(record_at(records, 1), scratch_dir(stage->scratch), "new\n", 4));
    json_decref(records);
    program_expect(result, 0, NULL, "");
    cr_expect_null(origin_log_find(stage->origin, "/text/there"));
    cr_expect_eq(origin_counts(stage->origin).requests, 1);
    program_expect(
        fetch_here(stage, RUN_WEIR("-O", "--skip-existing", stage_url(stage, "/text/{there,new}"))),
        0, "", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 1);
    stage_free(stage);
}

/* One after the other the second is skipped; both at once, they are in each other's way. */
Test(skip_existing, of_one_name_in_one_run_is_seen_at_the_start)
{
    struct stage *stage = stage_new();
    const char *one = stage_url(stage, "/text/a?delay=0.3"), *other = stage_url(stage, "/text/b");

    json_t *records = records_of(fetch_here(stage, RUN_WEIR("-o", "in-turn", "--skip-existing",
                                                            "--jsonl", "-j1", one, other)),
                                 0, 2);
    cr_expect_eq(record_number(record_at(records, 1), "attempts"), 0);
    cr_expect(record_file_is(record_at(records, 1), scratch_dir(stage->scratch), "a\n", 2));
    json_decref(records);
    cr_expect_eq(origin_counts(stage->origin).requests, 1);
    records = records_of(fetch_here(stage, RUN_WEIR("-o", "at-once", "--skip-existing", "--jsonl",
                                                    "--parallel-immediate", one, other)),
                         4, 2);
    cr_expect_str_eq(record_text(record_at(records, 0), "reason"), "ok");
    cr_expect_str_eq(record_text(record_at(records, 1), "reason"), "output");
    json_decref(records);
    stage_expect_file(stage, "at-once", "a\n");
    stage_free(stage);
}

/* ---- what cannot be written ---- */

Test(files, cannot_go_through_what_is_no_directory)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/file/page");

    scratch_mkdir(stage->scratch, "out/text");
    scratch_write_text(stage->scratch, "out/text/file", "old");
    struct run_result result =
        fetch_here(stage, RUN_WEIR("-o", "{path}", "--output-dir", "out", "-j1",
                                   stage_url(stage, "/text/a"), url, stage_url(stage, "/text/b")));
    cr_expect(program_told(&result, url, "output", "out/text/file/page: "), "%s",
              blob_text(&result.err));
    program_expect(result, 4, "", NULL);
    stage_expect_file(stage, "out/text/a", "a\n");
    stage_expect_file(stage, "out/text/b", "b\n");
    stage_expect_file(stage, "out/text/file", "old");
    cr_expect_eq(scratch_count(stage->scratch, "out/text"), 3);
    stage_free(stage);
}

Test(output_dir, that_cannot_be_is_told_before_anything_is_fetched)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");

    scratch_write_text(stage->scratch, "file", "old");
    program_expect(fetch_here(stage, RUN_WEIR("-O", "--output-dir", "file", url)), 4, "",
                   "output directory file: Not a directory");
    program_expect(fetch_here(stage, RUN_WEIR("-O", "--output-dir", "file/below", url)), 4, "",
                   "Not a directory");
    program_expect(fetch_here(stage, RUN_WEIR("-O", "--output-dir", "/proc/none", url)), 4, "",
                   "/proc/none");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

/* Files up to a MiB; what is larger fails alone, and its room comes back. */
Test(files, that_grow_too_large_fail_alone)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/bytes/2000000");
    struct run_result result = program_run((struct run_options){
        .argv = RUN_WEIR("-o", "{seq}", "--output-dir", "out", stage_url(stage, "/bytes/900000"),
                         url, stage_url(stage, "/text/c")),
        .cwd = scratch_dir(stage->scratch),
        .file_bytes = 1 << 20});

    cr_expect(program_told(&result, url, "output", "out/2: File too large"), "%s",
              blob_text(&result.err));
    program_expect(result, 4, "", NULL);
    cr_expect(scratch_exists(stage->scratch, "out/1"));
    stage_expect_file(stage, "out/3", "c\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 2);
    stage_free(stage);
}

/* Runs in mounts of its own, where `out` is made by `mount`; what is in it at the end is listed on
 * stdout. */
static struct run_result fetch_onto(struct stage *stage, const char *mount)
{
    const char *script = stage_text(stage,
                                    "cd \"$1\" && mkdir out && %s && shift && "
                                    "{ \"$0\" -j1 -o '{name}' --output-dir out \"$@\"; code=$?; "
                                    "ls -A out; exit $code; }",
                                    mount);
    const char *const argv[] = {"unshare",
                                "-m",
                                "sh",
                                "-c",
                                script,
                                run_weir(),
                                scratch_dir(stage->scratch),
                                stage_url(stage, "/text/a"),
                                stage_url(stage, "/bytes/3000000"),
                                stage_url(stage, "/text/b"),
                                NULL};

    return program_run((struct run_options){.argv = argv});
}

/* A file that is whole by then has its name; the run asks for no body without room. */
Test(files, on_a_full_disk_end_the_run)
{
    struct stage *stage = stage_new();

    if (!program_may_mount())
        cr_skip_test("needs root, and mounts of its own");
    struct run_result result = fetch_onto(stage, "mount -t tmpfs -o size=1m tmpfs out");
    cr_expect_null(strstr(blob_text(&result.err), ": output: "), "%s", blob_text(&result.err));
    program_expect(result, 4, "a\n", "weir: cannot write out/3000000: No space left on device\n");
    cr_expect_null(origin_log_find(stage->origin, "/text/b"));
    stage_free(stage);
}

Test(files, where_nothing_may_be_written_end_the_run)
{
    struct stage *stage = stage_new();

    if (!program_may_mount())
        cr_skip_test("needs root, and mounts of its own");
    struct run_result result = fetch_onto(stage, "mount -t tmpfs -o ro tmpfs out");
    cr_expect_null(strstr(blob_text(&result.err), ": output: "), "%s", blob_text(&result.err));
    program_expect(result, 4, "", "weir: cannot write out/a: Read-only file system\n");
    cr_expect_eq(origin_counts(stage->origin).requests, 0, "what for");
    stage_free(stage);
}
