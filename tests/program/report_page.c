/* The page of --report. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>

#include "program.h"
#include "record.h"
#include "stage.h"

static const char *page_path(struct stage *stage)
{
    return stage_text(stage, "--report=%s/report/page.html", scratch_dir(stage->scratch));
}

/* With a directory for the page, and nothing else in it. */
static struct stage *page_stage(void)
{
    struct stage *stage = stage_new();

    scratch_mkdir(stage->scratch, "report");
    return stage;
}

/* The data that the page shows, all of it up to what ends the script it stands in. */
static json_t *page_data(struct stage *stage)
{
    static const char mark[] = "id=\"data\">";
    struct blob page = {0};
    json_error_t error;

    cr_assert(scratch_read(stage->scratch, "report/page.html", &page));
    cr_expect_eq(scratch_count(stage->scratch, "report"), 1, "nothing is left beside it");
    const char *start = strstr(blob_text(&page), mark);
    cr_assert(start);
    start += strlen(mark);
    json_t *data = json_loadb(start, (size_t)(strstr(start, "</") - start), 0, &error);
    cr_assert(data, "%s", error.text);
    blob_release(&page);
    return data;
}

static json_int_t sum_of_bins(const json_t *data, size_t column)
{
    const json_t *bins = json_object_get(json_object_get(data, "timeline"), "bins");
    json_int_t sum = 0;

    for (size_t i = 0; i < json_array_size(bins); i++)
        sum += json_integer_value(json_array_get(json_array_get(bins, i), column));
    return sum;
}

Test(report_page, tells_what_the_run_came_to)
{
    enum { REQUESTS = 40 };
    struct stage *stage = page_stage();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s/bytes/1000?tag=%d%s\n", origin_url(stage->origin), i,
                  i % 10 == 0   ? "&failtimes=1"
                  : i % 10 == 1 ? "&status=404"
                                : "");
    program_expect(program_fetch(RUN_WEIR(page_path(stage), "-s", "-j4", "--retry-delay=0.01",
                                          "--format=none"),
                                 blob_text(&input)),
                   1, "", "");
    json_t *data = page_data(stage);
    cr_expect_eq(record_number(data, "requests"), REQUESTS);
    cr_expect_eq(record_number(data, "ok"), REQUESTS - 4);
    cr_expect_eq(record_number(data, "retries"), 4);
    cr_expect_eq(json_array_size(json_object_get(data, "samples")), REQUESTS);
    cr_expect_eq(json_array_size(json_object_get(data, "failures")), 3);
    cr_expect_eq(json_array_size(json_object_get(data, "hosts")), 1);
    cr_expect_eq(sum_of_bins(data, 0), REQUESTS + 4, "starts");
    cr_expect_eq(sum_of_bins(data, 1), REQUESTS - 4, "ok");
    cr_expect_eq(sum_of_bins(data, 2), 4, "failed");
    cr_expect_str_eq(record_text(data, "ended"), "all done");
    json_decref(data);
    blob_release(&input);
    stage_free(stage);
}

Test(report_page, holds_urls_harmless_and_no_password)
{
    struct stage *stage = page_stage();
    struct blob input = {0}, page = {0};

    blob_addf(&input, "ftp://h/</script><script>alert(1)</script>\n<!-- <img src=x onerror=y>\n");
    blob_addf(&input, "http://bob:secret@127.0.0.1:1/</noscript>\n");
    blob_addf(&input, "{\"headers\":{\"Authorization\":\"secret\"}}\n");
    program_expect(program_fetch(RUN_WEIR(page_path(stage), "-s", "--retry=0", "-u", "eve:secret",
                                          "-HX-Key: secret", "--format=none"),
                                 blob_text(&input)),
                   1, "", "");
    cr_assert(scratch_read(stage->scratch, "report/page.html", &page));
    cr_expect_not(blob_contains(&page, "secret"));
    cr_expect_not(blob_contains(&page, "<script>alert"));
    cr_expect_not(blob_contains(&page, "<img"));
    cr_expect_not(blob_contains(&page, "<!--"));
    json_t *data = page_data(stage);
    cr_expect_eq(json_array_size(json_object_get(data, "samples")), 4);
    json_decref(data);
    blob_release(&page);
    blob_release(&input);
    stage_free(stage);
}

Test(report_page, is_written_when_the_run_is_halted)
{
    struct stage *stage = page_stage();

    program_expect(program_fetch(RUN_WEIR(page_path(stage), "-s", "-j1", "--fail-fast",
                                          "--format=none", stage_url(stage, "/text/x?status=404"),
                                          stage_url(stage, "/text/x"), stage_url(stage, "/text/x")),
                                 NULL),
                   3, "", "");
    json_t *data = page_data(stage);
    cr_expect_eq(record_number(data, "requests"), 3);
    cr_expect_eq(sum_of_bins(data, 3), 2, "halted");
    json_decref(data);
    stage_free(stage);
}

Test(report_page, is_written_when_a_signal_ends_the_run)
{
    struct stage *stage = page_stage();
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR(page_path(stage), "-s", stage_url(stage, "/text/x?silent=1"))});

    cr_expect(origin_wait_in_service(stage->origin, 1, patience));
    run_signal(run, SIGINT);
    program_expect(program_end(run), 128 + SIGINT, "", NULL);
    json_t *data = page_data(stage);
    cr_expect_str_eq(record_text(data, "ended"), "SIGINT");
    cr_expect_eq(sum_of_bins(data, 0), 1);
    json_decref(data);
    stage_free(stage);
}

Test(report_page, of_no_request_is_one_too)
{
    struct stage *stage = page_stage();

    program_expect(program_fetch(RUN_WEIR(page_path(stage)), ""), 0, "", "");
    json_t *data = page_data(stage);
    cr_expect_eq(record_number(data, "requests"), 0);
    json_decref(data);
    stage_free(stage);
}

/* Nothing of a page stands there then, and what stood there stays. */
Test(report_page, that_cannot_be_written_is_local_trouble)
{
    struct stage *stage = page_stage();

    scratch_write_text(stage->scratch, "report/page.html", "old");
    program_expect(
        program_run((struct run_options){
            .argv = RUN_WEIR(page_path(stage), "--format=none", stage_url(stage, "/text/x")),
            .file_bytes = 1000}),
        4, "", "weir: cannot write the report");
    stage_expect_file(stage, "report/page.html", "old");
    cr_expect_eq(scratch_count(stage->scratch, "report"), 1);
    stage_free(stage);
}

struct refused {
    char options[2][48];
    char words[48];
};

ParameterizedTestParameters(report_page, refuses_what_cannot_be)
{
    static struct refused all[] = {
        {{"--report=", ""}, "--report: cannot write"},
        {{"--report=/nowhere/at/all/x.html", ""}, "No such file or directory"},
        {{"--report=/dev/null", ""}, "is no regular file"},
        {{"--report=/", ""}, "is no regular file"},
        {{"--report=-", ""}, "takes the name of a file, not -"},
        {{"--report=page.html", "--dry-run"}, "a --dry-run has nothing to report"},
        {{"--report=page.html", "--to=page.html"}, "is what --to writes"},
        {{"--report=page.html", "--journal=page.html"}, "is the --journal"},
    };

    return cr_make_param_array(struct refused, all, sizeof all / sizeof *all);
}

ParameterizedTest(struct refused *refused, report_page, refuses_what_cannot_be)
{
    struct stage *stage = stage_new();
    const char *argv[] = {run_weir(), stage_url(stage, "/text/x"), refused->options[0],
                          refused->options[1][0] ? refused->options[1] : NULL, NULL};

    program_expect(
        program_run((struct run_options){.argv = argv, .cwd = scratch_dir(stage->scratch)}), 2, "",
        refused->words);
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    cr_expect_eq(scratch_count(stage->scratch, ""), 0);
    stage_free(stage);
}
