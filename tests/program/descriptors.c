/* Few descriptors: what can be done with them is done, and where nothing can the run says so. */
#include <criterion/criterion.h>
#include <string.h>

#include "program.h"
#include "stage.h"

enum { HOSTS = 12 };

/* weir, with so few, and these words behind it. */
static struct run_result fetch_with(struct stage *stage, unsigned descriptors,
                                    const char *const *argv, const char *input)
{
    const char *words[32] = {"sh", "-c"};
    size_t len = 2;

    words[len++] = stage_text(stage, "ulimit -n %u; exec \"$0\" \"$@\"", descriptors);
    for (size_t i = 0; argv[i]; i++) {
        cr_assert_lt(len, sizeof words / sizeof *words - 1);
        words[len++] = argv[i];
    }
    words[len] = NULL;
    return program_fetch(words, input);
}

Test(few_descriptors, are_not_left_to_connections_that_nobody_uses)
{
    struct stage *stage = stage_new_any();
    struct blob urls = {0};

    for (unsigned i = 1; i <= HOSTS; i++)
        blob_addf(&urls, "%s\n",
                  stage_url_at(stage, stage_text(stage, "127.0.0.%u", i), "/text/a"));
    program_expect(fetch_with(stage, 11, RUN_WEIR("-w", "%{reason} ", "-j", "4"), blob_text(&urls)),
                   0, "ok ok ok ok ok ok ok ok ok ok ok ok ", "");
    blob_release(&urls);
    stage_free(stage);
}

Test(few_descriptors, are_waited_for_by_payloads_and_by_files)
{
    struct stage *stage = stage_new();
    const char *dir = scratch_dir(stage->scratch);
    const char *out = scratch_mkdir(stage->scratch, "out");
    struct blob lines = {0};

    scratch_write_text(stage->scratch, "payload", "x");
    for (unsigned i = 0; i < HOSTS; i++)
        blob_addf(&lines, "{\"url\":\"%s\",\"body_file\":\"payload\"}\n",
                  stage_url(stage, "/text/%u?delay=0.05", i));
    program_expect(
        fetch_with(stage, 19, RUN_WEIR("-w", "%{reason} ", "--body-dir", dir), blob_text(&lines)),
        0, "ok ok ok ok ok ok ok ok ok ok ok ok ", "");
    program_expect(fetch_with(stage, 19,
                              RUN_WEIR("--body-dir", dir, "-o", stage_text(stage, "%s/{seq}", out),
                                       "-w", "%{reason} ", "--parallel-immediate"),
                              blob_text(&lines)),
                   0, "ok ok ok ok ok ok ok ok ok ok ok ok ", "");
    cr_expect_eq(scratch_count(stage->scratch, "out"), HOSTS);
    blob_release(&lines);
    stage_free(stage);
}

/* The first answer comes late: until then all others are held. */
static void add_slow_first(struct stage *stage, struct blob *urls)
{
    for (unsigned i = 0; i < 100; i++)
        blob_addf(urls, "%s\n", stage_url(stage, "/bytes/9000?delay=%s", i ? "0.02" : "1"));
}

Test(few_descriptors, are_waited_for_by_the_spool)
{
    struct stage *stage = stage_new();
    struct blob urls = {0};

    add_slow_first(stage, &urls);
    struct run_result result = fetch_with(
        stage, 14, RUN_WEIR("-w", "%{reason} %{body}\n", "--memory=0", "-j20"), blob_text(&urls));
    cr_expect_eq(result.out.len, 100 * strlen("ok \n") + 100 * 9000UL);
    program_expect(result, 0, NULL, "");
    blob_release(&urls);
    stage_free(stage);
}

Test(few_descriptors, are_kept_for_the_naming_of_files)
{
    struct stage *stage = stage_new();
    const char *out = scratch_mkdir(stage->scratch, "out");
    const char *journal = scratch_path(stage->scratch, "journal");
    struct blob urls = {0};

    add_slow_first(stage, &urls);
    program_expect(fetch_with(stage, 20,
                              RUN_WEIR("-j20", "--journal", journal, "--output-dir", out, "-o",
                                       "{seq}/a/b/{seq}"),
                              blob_text(&urls)),
                   0, "", NULL);
    cr_expect_eq(scratch_count(stage->scratch, "out"), 100);
    blob_release(&urls);
    stage_free(stage);
}

Test(few_descriptors, that_are_too_few_end_the_run)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");

    program_expect(fetch_with(stage, 7, RUN_WEIR(url, url, url), NULL), 4, "",
                   "weir: too many open files: ");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

/* ---- files that cannot be begun ---- */

Test(file_that_cannot_be_begun, uses_up_no_rate)
{
    struct stage *stage = stage_new();
    struct blob lines = {0};

    scratch_write_text(stage->scratch, "taken", "");
    blob_addf(&lines, "{\"url\":\"%s\",\"output\":\"taken/a\"}\n", stage_url(stage, "/text/a"));
    blob_addf(&lines, "{\"url\":\"%s\",\"output\":\"b\"}\n", stage_url(stage, "/text/b"));
    program_expect(program_fetch(RUN_WEIR("--rate", "1/h", "--output-dir",
                                          scratch_dir(stage->scratch), "-w", "%{reason} "),
                                 blob_text(&lines)),
                   4, "output ok ", NULL);
    stage_expect_file(stage, "b", "b\n");
    blob_release(&lines);
    stage_free(stage);
}
