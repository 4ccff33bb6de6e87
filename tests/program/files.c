/* Bodies that go to files: whole under their names or not there at all. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "moment.h"
#include "program.h"
#include "record.h"
#include "stage.h"

static void expect_bytes(struct stage *stage, const char *name, const char *target, size_t len)
{
    struct blob content = {0};

    cr_expect(scratch_read(stage->scratch, name, &content), "there is no %s", name);
    cr_expect_eq(content.len, len, "%s has %zu bytes", name, content.len);
    cr_expect_eq(origin_differs(target, blob_text(&content), content.len), -1, "%s", name);
    blob_release(&content);
}

/* In the scratch, with this behind --output-dir out; the result is to be released. */
static struct run_result fetch_into_out(struct stage *stage, const char *const *argv)
{
    const char *whole[RUN_ARGS_MAX + 2] = {argv[0], "--output-dir", "out"};

    for (size_t i = 1; argv[i]; i++)
        whole[i + 2] = argv[i];
    return program_run(
        (struct run_options){.argv = whole, .cwd = scratch_dir(stage->scratch), .input = NULL});
}

Test(files, hold_every_body_of_any_size_and_shape)
{
    static const char *const shapes[] = {"tag=x", "chunked=1", "nolength=1", "gzip=1"};
    static const size_t sizes[] = {0, 1, 16384, 300001, 3000000};
    struct stage *stage = stage_new();

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            const char *target = stage_text(stage, "/bytes/%zu?%s", sizes[k], shapes[i]);
            const char *name = stage_text(stage, "%zu-%zu", i, k);
            program_expect(
                fetch_into_out(stage, RUN_WEIR("-o", name, stage_url(stage, "%s", target))), 0, "",
                "");
            expect_bytes(stage, stage_text(stage, "out/%s", name), target, sizes[k]);
        }
    }
    cr_expect_eq(scratch_count(stage->scratch, "out"), 20);
    stage_free(stage);
}

/* There is nothing to decode in nothing. */
Test(files, may_be_empty_whatever_the_head_says)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/bytes/0?hdr=Content-Encoding:gzip&etag=v1");

    program_expect(fetch_into_out(stage, RUN_WEIR("-o", "1", url)), 0, "", "");
    program_expect(fetch_into_out(stage, RUN_WEIR("-I", "-o", "2", url)), 0, "", "");
    stage_expect_file(stage, "out/1", "");
    stage_expect_file(stage, "out/2", "");
    stage_free(stage);
}

Test(files, lie_in_directories_that_are_made)
{
    struct stage *stage = stage_new();
    const char *dir = stage_text(stage, "%s/a/b/c", scratch_dir(stage->scratch));

    program_expect(
        program_fetch(
            RUN_WEIR("-o", "d/e/{path}", "--output-dir", dir, stage_url(stage, "/text/x/y")), NULL),
        0, "", "");
    stage_expect_file(stage, "a/b/c/d/e/text/x/y", "x/y\n");
    program_expect(fetch_into_out(stage, RUN_WEIR("-O", stage_url(stage, "/text/z"))), 0, "", "");
    stage_expect_file(stage, "out/z", "z\n");
    stage_free(stage);
}

/* An absolute template is the user's own. */
Test(files, lie_where_the_template_says)
{
    struct stage *stage = stage_new();
    const char *template = stage_text(stage, "%s/else/{seq}", scratch_dir(stage->scratch));

    program_expect(fetch_into_out(stage, RUN_WEIR("-o", template, stage_url(stage, "/text/[1-2]"))),
                   0, "", "");
    stage_expect_file(stage, "else/1", "1\n");
    stage_expect_file(stage, "else/2", "2\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 0);
    stage_free(stage);
}

struct fault_case {
    char target[48];
    char reason[16];
};

ParameterizedTestParameters(files, of_failed_requests_leave_nothing)
{
    static struct fault_case cases[] = {
        {"/bytes/100000?short=1", "reset"},
        {"/bytes/100000?reset=70000", "reset"},
        {"/bytes/100000?cutchunk=1", "reset"},
        {"/bytes/100000?badchunk=1", "protocol"},
        {"/bytes/100000?badgzip=cut", "encoding"},
        {"/bytes/100000?badgzip=1", "encoding"},
        {"/bytes/100000?stall=50000", "timeout"},
        {"/bytes/100000?status=404", "http"},
        {"/bytes/9000000", "too_large"},
        {"/bytes/100?loop=1", "redirects"},
        {"/bytes/100?location=file:///x", "denied"},
        {"/bytes/100?closenow=1", "reset"},
    };

    return cr_make_param_array(struct fault_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct fault_case *fault, files, of_failed_requests_leave_nothing)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "%s", fault->target);
    struct run_result result = fetch_into_out(
        stage, RUN_WEIR("-o", "{seq}", "--stall-timeout=0.5", "--max-filesize=8M",
                        stage_url(stage, "/text/before"), url, stage_url(stage, "/text/behind")));

    cr_expect(program_told(&result, url, fault->reason, ""), "%s", blob_text(&result.err));
    program_expect(result, 1, "", NULL);
    stage_expect_file(stage, "out/1", "before\n");
    stage_expect_file(stage, "out/3", "behind\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 2);
    stage_free(stage);
}

/* Looked at all the while, the name is not there, and then it holds everything. */
Test(files, have_their_name_once_they_are_whole)
{
    enum { BODY = 60000 };
    struct stage *stage = stage_new();
    const char *target = "/bytes/60000?drip=3000,0.02";
    const char *name = scratch_path(stage->scratch, "page");
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("-o", "page", "-j1", stage_url(stage, "%s", target),
                                              stage_url(stage, "/text/x?silent=1")),
                             .cwd = scratch_dir(stage->scratch)});
    double deadline = moment_now() + patience;
    struct stat status;
    bool seen_before = false;

    while (stat(name, &status) < 0 && moment_now() < deadline) {
        seen_before |= scratch_count(stage->scratch, "") == 1;
        moment_nap();
    }
    cr_expect(seen_before, "it was written nowhere near its name");
    expect_bytes(stage, "page", target, BODY);
    run_free(run);
    stage_free(stage);
}

Test(files, are_not_there_when_the_run_is_ended)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-o", "page", stage_url(stage, "/bytes/100000?stall=50000")),
        .cwd = scratch_dir(stage->scratch)});

    cr_assert(origin_wait_in_service(stage->origin, 1, patience));
    run_signal(run, SIGKILL);
    program_expect(program_end(run), 128 + SIGKILL, "", "");
    cr_expect(!scratch_exists(stage->scratch, "page"));
    stage_free(stage);
}

Test(files, are_named_by_the_url_that_was_asked_for)
{
    struct stage *stage = stage_new();

    program_expect(fetch_into_out(stage, RUN_WEIR("-O", stage_url(stage, "/text/x?hops=2"),
                                                  stage_url(stage, "/text/a?location=/text/b"))),
                   0, "", "");
    stage_expect_file(stage, "out/x", "x\n");
    stage_expect_file(stage, "out/a", "b\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 2);
    stage_free(stage);
}

Test(files, are_never_named_by_what_the_origin_says)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/page?hdr=Content-Type:text/html&hdr=%s",
                                stage_encoded(stage, "Content-Disposition: attachment; "
                                                     "filename=../evil.sh"));

    program_expect(fetch_into_out(stage, RUN_WEIR("-O", url)), 0, "", "");
    stage_expect_file(stage, "out/page", "page\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1);
    cr_expect_eq(scratch_count(stage->scratch, ""), 1);
    stage_free(stage);
}

Test(files, have_the_time_of_the_answer_where_asked)
{
    struct stage *stage = stage_new();
    const char *url =
        stage_url(stage, "/text/a?hdr=%s",
                  stage_encoded(stage, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"));
    struct stat status;

    program_expect(fetch_into_out(stage, RUN_WEIR("-R", "-o", "old", url)), 0, "", "");
    cr_assert_eq(stat(scratch_path(stage->scratch, "out/old"), &status), 0);
    cr_expect_eq(status.st_mtime, 784111777);
    program_expect(fetch_into_out(stage, RUN_WEIR("-o", "new", url)), 0, "", "");
    cr_assert_eq(stat(scratch_path(stage->scratch, "out/new"), &status), 0);
    cr_expect_gt(status.st_mtime, 784111777);
    program_expect(
        fetch_into_out(stage, RUN_WEIR("--remote-time", "-o", "none", stage_url(stage, "/text/b"))),
        0, "", "");
    cr_assert_eq(stat(scratch_path(stage->scratch, "out/none"), &status), 0);
    cr_expect_gt(status.st_mtime, 784111777);
    stage_free(stage);
}

/* Some bits of a time are not enough for each date. */
Test(files, have_the_time_of_an_answer_far_off)
{
    struct stage *stage = stage_new();
    const char *url =
        stage_url(stage, "/text/a?hdr=%s",
                  stage_encoded(stage, "Last-Modified: Fri, 01 Jan 2100 00:00:00 GMT"));
    struct stat status;

    program_expect(fetch_into_out(stage, RUN_WEIR("-R", "-o", "late", url)), 0, "", "");
    cr_assert_eq(stat(scratch_path(stage->scratch, "out/late"), &status), 0);
    cr_expect_eq(status.st_mtime, INT64_C(4102444800));
    stage_free(stage);
}

/* ---- beside what goes to stdout ---- */

Test(files, are_told_in_records_by_the_way_to_them)
{
    struct stage *stage = stage_new();
    const char *dir = scratch_dir(stage->scratch);
    struct blob body = {0};

    origin_body("/bytes/100000", 100000, &body);
    struct run_result result = fetch_into_out(
        stage, RUN_WEIR("--jsonl", "-o", "{path}", stage_url(stage, "/bytes/100000"),
                        stage_url(stage, "/bytes/0"), stage_url(stage, "/text/x?status=404")));
    json_t *records = records_read(&result.out);
    cr_expect_str_eq(record_text(record_at(records, 0), "body_file"), "out/bytes/100000");
    cr_expect(record_file_is(record_at(records, 0), dir, body.at, body.len));
    cr_expect_eq(record_number(record_at(records, 0), "size_body"), 100000);
    cr_expect(record_file_is(record_at(records, 1), dir, "", 0));
    cr_expect(!record_has(record_at(records, 2), "body_file"));
    cr_expect(record_body_is(record_at(records, 2), "x\n", 2), "what failed is told as ever");
    json_decref(records);
    program_expect(result, 1, NULL, "");
    blob_release(&body);
    stage_free(stage);
}

Test(files, are_told_by_tsv_and_templates_too)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");

    program_expect(fetch_into_out(stage, RUN_WEIR("--format", "tsv", "--fields", "body_file,seq",
                                                  "-o", "1", url)),
                   0, "out/1\t1\n", "");
    program_expect(
        fetch_into_out(stage, RUN_WEIR("-w", "%{body_file} %{size_body}\\n", "-o", "2", url)), 0,
        "out/2 2\n", "");
    stage_expect_file(stage, "out/1", "a\n");
    stage_expect_file(stage, "out/2", "a\n");
    stage_free(stage);
}

/* They go to the records, or nowhere. */
Test(files, have_no_headers_in_them)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");

    program_expect(fetch_into_out(stage, RUN_WEIR("-i", "-o", "1", url)), 0, "", "");
    stage_expect_file(stage, "out/1", "a\n");
    program_expect(fetch_into_out(stage, RUN_WEIR("-I", "-o", "2", url)), 0, "", "");
    stage_expect_file(stage, "out/2", "");
    for (int i = 0; i < 2; i++) {
        struct run_result result =
            fetch_into_out(stage, RUN_WEIR(i ? "-I" : "-i", "--jsonl", "-o", i ? "4" : "3", url));
        json_t *records = records_of(result, 0, 1);
        cr_expect(record_has(record_at(records, 0), "headers"));
        stage_expect_file(stage, i ? "out/4" : "out/3", i ? "" : "a\n");
        json_decref(records);
    }
    stage_free(stage);
}

Test(discard, keeps_nothing_anywhere)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");

    program_expect(fetch_into_out(stage, RUN_WEIR("-o", "/dev/null", url)), 0, "", "");
    program_expect(
        fetch_into_out(stage, RUN_WEIR("-o/dev/null", "-w", "%{http_code} %{body}", url)), 0,
        "200 ", "");
    struct run_result result = fetch_into_out(stage, RUN_WEIR("-o", "/dev/null", "--jsonl", url));
    json_t *records = records_read(&result.out);
    cr_expect_eq(record_number(record_at(records, 0), "size_body"), 2);
    cr_expect(!record_has(record_at(records, 0), "body"));
    cr_expect(!record_has(record_at(records, 0), "body_file"));
    json_decref(records);
    program_expect(result, 0, NULL, "");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 0);
    struct stat status;
    cr_assert_eq(stat("/dev/null", &status), 0);
    cr_expect(S_ISCHR(status.st_mode));
    stage_free(stage);
}

Test(output, of_a_dash_is_stdout)
{
    struct stage *stage = stage_new();

    program_expect(fetch_into_out(stage, RUN_WEIR("-o", "-", stage_url(stage, "/text/[1-3]"))), 0,
                   "1\n2\n3\n", "");
    cr_expect_leq(scratch_count(stage->scratch, "out"), 0);
    stage_free(stage);
}

/* ---- many ---- */

/* With so few descriptors, any that is not given back would be missed soon. */
Test(files, may_be_many)
{
    enum { FILES = 2000, STEP = 37 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (size_t i = 0; i < FILES; i++)
        blob_addf(&input, "%s/bytes/%zu?tag=%zu\n", origin_url(stage->origin), i * STEP, i);
    program_expect(
        program_run((struct run_options){.argv = RUN_WEIR("-o", "{seq:04}", "--output-dir", "out"),
                                         .cwd = scratch_dir(stage->scratch),
                                         .input = input.at,
                                         .input_len = input.len,
                                         .nofile = 120}),
        0, "", "");
    for (size_t i = 0; i < FILES; i++)
        expect_bytes(stage, stage_text(stage, "out/%04zu", i + 1),
                     stage_text(stage, "/bytes/%zu?tag=%zu", i * STEP, i), i * STEP);
    cr_expect_eq(scratch_count(stage->scratch, "out"), FILES);
    blob_release(&input);
    stage_free(stage);
}

Test(files, give_their_descriptors_back)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-j20", "-o", "{seq}"),
                                                         .cwd = scratch_dir(stage->scratch)});
    long before = 0, after;

    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 50; i++)
            cr_assert(run_write_text(run, stage_url(stage, "/text/x\n")));
        cr_assert(origin_wait_requests(stage->origin, 50 * (uint64_t)(round + 1), patience));
        cr_assert(origin_wait_in_service(stage->origin, 0, patience));
        stage_settled_requests(stage);
        after = run_fd_count(run_pid(run));
        before = round ? before : after;
        cr_expect_leq(after, before + 20, "%ld descriptors, then %ld", before, after);
    }
    program_expect(program_end(run), 0, "", "");
    cr_expect_eq(scratch_count(stage->scratch, ""), 500);
    stage_free(stage);
}
