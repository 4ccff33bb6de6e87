/* What files are called: the user's own words lead anywhere, what comes from outside nowhere. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "record.h"
#include "stage.h"

/* Runs in the scratch's `work`, beside which nothing may change. */
static struct run_result fetch_in_work(struct stage *stage, const char *const *argv,
                                       const char *input)
{
    return program_run((struct run_options){.argv = argv,
                                            .cwd = scratch_mkdir(stage->scratch, "work"),
                                            .input = input,
                                            .input_len = strlen(input)});
}

struct name_case {
    char template[40];
    char target[64];
    char id[32]; /* as JSON; "": none */
    char name[72];
};

ParameterizedTestParameters(name, has_what_the_template_says)
{
    static struct name_case cases[] = {
        {"{seq}", "/text/a", "", "1"},
        {"{seq:06}", "/text/a", "", "000001"},
        {"{seq:1}.html", "/text/a", "", ""},
        {"p-{seq:03}.html", "/text/a", "", "p-001.html"},
        {"{id}", "/text/a", "\"x y\"", "x y"},
        {"{id}", "/text/a", "12.50", "12.50"},
        {"{id}", "/text/a", "-7", "_7"},
        {"{id}", "/text/a", "", "_"},
        {"{id}", "/text/a", "\"\"", "_"},
        {"{id}", "/text/a", "\"..\"", "_"},
        {"{id}", "/text/a", "\"../../up\"", "_._.._up"},
        {"{id}", "/text/a", "\"/etc/passwd\"", "_etc_passwd"},
        {"{id}", "/text/a", "\"-rf\"", "_rf"},
        {"{id}", "/text/a", "\"a\\u0001\\n\\u007f\\u0085b\"", "a____b"},
        {"{id}", "/text/a", "\"\\u00e9\"", "\xc3\xa9"},
        {"{id}", "/text/a", "\".weir-1\"", "_weir-1"},
        {"x/{id}/y", "/text/a", "\"..\"", "x/_/y"},
        {"{path}", "/text/.git/hooks/x", "", "text/_git/hooks/x"},
        {"{name}", "/text/.netrc", "", "_netrc"},
        {".{id}", "/text/a", "\"x\"", ".x"},
        {"{name}", "/text/a/b.html", "", "b.html"},
        {"{name}", "/text/a/", "", "_"},
        {"{name}", "/text/-rf", "", "_rf"},
        {"{name}", "/text/a%2Fb", "", "a%2Fb"},
        {"{name}", "/text/..%2f..%2fx", "", "_.%2f..%2fx"},
        {"{name}", "/text/a?tag=/../x", "", "a"},
        {"{path}", "/text/a/b.html?tag=1", "", "text/a/b.html"},
        {"{path}.txt", "/text/a/", "", "text/a/_.txt"},
        {"{path}", "/text//x", "", "text/_/x"},
        {"{path}", "/text/a/../b", "", "text/b"},
        {"{path}", "/../../text/b", "", "text/b"},
        {"{path}", "/text/-a/-b", "", "text/_a/_b"},
        {"{{{seq}}}", "/text/a", "", "{1}"},
        {"../work/{name}", "/text/a", "", "a"},
    };

    return cr_make_param_array(struct name_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct name_case *with, name, has_what_the_template_says)
{
    struct stage *stage = stage_new();
    const char *id = *with->id ? stage_text(stage, ", \"id\": %s", with->id) : "";
    const char *line =
        stage_text(stage, "{\"url\": \"%s\"%s}\n", stage_url(stage, "%s", with->target), id);
    struct run_result result = fetch_in_work(stage, RUN_WEIR("-o", with->template), line);
    const char *path = stage_text(stage, "work/%s", with->name);
    struct stat status;

    if (!*with->name) {
        program_expect(result, 2, "", "unknown {");
        cr_expect_eq(origin_counts(stage->origin).requests, 0);
    } else {
        program_expect(result, 0, "", "");
        cr_expect_eq(stat(scratch_path(stage->scratch, path), &status), 0, "%s: no %s",
                     with->template, with->name);
        cr_expect(S_ISREG(status.st_mode));
        cr_expect_eq(scratch_count(stage->scratch, "work"), 1);
    }
    cr_expect_eq(scratch_count(stage->scratch, ""), 1, "something is beside the directory");
    stage_free(stage);
}

Test(name, has_the_host_and_its_port)
{
    struct stage *stage = stage_new();
    unsigned port = origin_port(stage->origin);
    const char *connect = stage_text(stage, "::127.0.0.1:%u", port);

    program_expect(fetch_in_work(stage,
                                 RUN_WEIR("-o", "{host}/{name}", "--connect-to", connect,
                                          "http://one.test/text/a", "http://two.test:8080/text/b",
                                          "http://ONE.test:80/text/c"),
                                 ""),
                   0, "", "");
    cr_expect(scratch_exists(stage->scratch, "work/one.test/a"));
    cr_expect(scratch_exists(stage->scratch, "work/two.test_8080/b"));
    cr_expect(scratch_exists(stage->scratch, "work/one.test/c"));
    cr_expect_eq(scratch_count(stage->scratch, "work"), 2);
    stage_free(stage);
}

struct template_case {
    char template[32];
};

ParameterizedTestParameters(template, that_can_name_no_file_is_refused)
{
    static struct template_case cases[] = {
        {"{nope}"},  {"{seq"},           {"seq}"},      {"{seq:}"}, {"{seq:6}"}, {"{}"},
        {"{name}/"}, {"a/../{name}/.."}, {"{name}//x"}, {"."},      {"dir/"},    {""},
    };

    return cr_make_param_array(struct template_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct template_case *with, template, that_can_name_no_file_is_refused)
{
    struct stage *stage = stage_new();
    struct run_result result =
        fetch_in_work(stage, RUN_WEIR("-o", with->template, stage_url(stage, "/text/a")), "");

    cr_expect_str_not_empty(blob_text(&result.err));
    program_expect(result, 2, "", NULL);
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    cr_expect_eq(scratch_count(stage->scratch, "work"), 0);
    stage_free(stage);
}

/* Each part of a name is cut to what a directory holds; a hash keeps apart what was cut alike. */
Test(name, has_no_part_over_255_bytes)
{
    struct stage *stage = stage_new();
    char word[601] = "";

    memset(word, 'n', sizeof word - 1);
    for (int i = 0; i < 2; i++) {
        const char *url = stage_url(stage, "/text/%s/%s%d", word, word, i);
        struct run_result result =
            fetch_in_work(stage, RUN_WEIR("--jsonl", "-o", "{path}", url), "");
        json_t *records = records_read(&result.out);
        const char *name = record_text(record_at(records, 0), "body_file");
        const char *slash = strrchr(name, '/');
        cr_assert(slash, "%s", name);
        cr_expect_eq(strlen(slash + 1), 255);
        cr_expect_eq(strlen(name), strlen("text") + 1 + 255 + 1 + 255);
        json_decref(records);
        program_expect(result, 0, NULL, "");
    }
    cr_expect_eq(scratch_count(stage->scratch, "work/text"), 1);
    stage_free(stage);
}

/* ---- names that a request asks for ---- */

struct asked_case {
    char output[64]; /* as JSON */
    char name[24];   /* "": refused */
};

ParameterizedTestParameters(asked_name, stays_in_the_directory_or_is_invalid)
{
    static struct asked_case cases[] = {
        {"\"page\"", "page"},
        {"\"a/b/page.html\"", "a/b/page.html"},
        {"\"a b\\u00e9\"", "a b\xc3\xa9"},
        {"\"{seq}\"", "{seq}"},
        {"\"/abs\"", ""},
        {"\"../up\"", ""},
        {"\"a/../../up\"", ""},
        {"\"a/..\"", ""},
        {"\"..\"", ""},
        {"\".\"", ""},
        {"\"./a\"", ""},
        {"\"a//b\"", ""},
        {"\"a/\"", ""},
        {"\"\"", ""},
        {"\"-rf\"", ""},
        {"\"a/-rf\"", ""},
        {"\"...\"", ""},
        {"\".ssh/authorized_keys\"", ""},
        {"\"a/.git\"", ""},
        {"\".weir-0\"", ""},
        {"\"a\\u0000b\"", ""},
        {"\"a\\nb\"", ""},
        {"\"a\\u001b[0m\"", ""},
        {"\"a\\u0085b\"", ""},
        {"\"a\\u007fb\"", ""},
        {"5", ""},
        {"null", ""},
    };

    return cr_make_param_array(struct asked_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct asked_case *asked, asked_name, stays_in_the_directory_or_is_invalid)
{
    struct stage *stage = stage_new();
    const char *line =
        stage_text(stage, "{\"url\": \"%s\", \"output\": %s}\n%s\n", stage_url(stage, "/text/a"),
                   asked->output, stage_url(stage, "/text/b"));
    struct run_result result = fetch_in_work(stage, RUN_WEIR("--jsonl", "--output-dir", "."), line);
    json_t *records = records_read(&result.out);
    const json_t *record = record_at(records, 0);
    const char *work = scratch_path(stage->scratch, "work");

    cr_expect_str_eq(record_text(record, "reason"), *asked->name ? "ok" : "invalid");
    if (*asked->name) {
        cr_expect_str_eq(record_text(record, "body_file"), stage_text(stage, "./%s", asked->name));
        cr_expect(record_file_is(record, work, "a\n", 2));
    } else {
        cr_expect(strstr(record_text(record, "errormsg"), "output"));
    }
    cr_expect(record_body_is(record_at(records, 1), "b\n", 2), "the next has no file");
    json_decref(records);
    program_expect(result, !*asked->name, NULL, "");
    cr_expect_eq(scratch_count(stage->scratch, "work"), *asked->name != 0);
    cr_expect_eq(scratch_count(stage->scratch, ""), 1, "something is beside the directory");
    cr_expect_eq(origin_counts(stage->origin).requests, 1 + (*asked->name != 0));
    stage_free(stage);
}

Test(asked_name, comes_before_the_template)
{
    struct stage *stage = stage_new();
    const char *line = stage_text(stage, "{\"url\": \"%s\", \"output\": \"d/own\"}\n%s\n",
                                  stage_url(stage, "/text/a"), stage_url(stage, "/text/b"));

    program_expect(fetch_in_work(stage, RUN_WEIR("-o", "sub/{seq}", "--output-dir", "out"), line),
                   0, "", "");
    cr_expect(scratch_exists(stage->scratch, "work/out/d/own"));
    cr_expect(scratch_exists(stage->scratch, "work/out/sub/2"));
    stage_free(stage);
}

/* A line that a stranger wrote would else make files where the run happens to be. */
Test(asked_name, is_for_a_run_that_puts_bodies_into_files)
{
    struct stage *stage = stage_new();
    const char *line =
        stage_text(stage, "{\"url\": \"%s\", \"output\": \"a\"}\n", stage_url(stage, "/text/a"));
    struct run_result result = fetch_in_work(stage, RUN_WEIR(), line);

    cr_expect(blob_contains(&result.err, ": invalid: output: needs --output or --output-dir"), "%s",
              blob_text(&result.err));
    program_expect(result, 1, "", NULL);
    cr_expect_eq(scratch_count(stage->scratch, "work"), 0);
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    program_expect(fetch_in_work(stage, RUN_WEIR("-o", "/dev/null"), line), 0, "", "");
    cr_expect_eq(scratch_count(stage->scratch, "work"), 0);
    stage_free(stage);
}

/* ---- symbolic links ---- */

Test(links, that_are_named_from_outside_are_not_followed)
{
    struct stage *stage = stage_new();
    const char *line = stage_text(stage, "{\"url\": \"%s\", \"output\": \"text/x\"}\n%s\n",
                                  stage_url(stage, "/text/x"), stage_url(stage, "/text/y"));

    scratch_mkdir(stage->scratch, "outside");
    scratch_mkdir(stage->scratch, "work/out");
    cr_assert_eq(symlink("../../outside", scratch_path(stage->scratch, "work/out/text")), 0);
    struct run_result result =
        fetch_in_work(stage, RUN_WEIR("-o", "{path}", "--output-dir", "out"), line);
    cr_expect(program_told(&result, stage_text(stage, "line 1: %s", stage_url(stage, "/text/x")),
                           "output", "symbolic link"),
              "%s", blob_text(&result.err));
    cr_expect(program_told(&result, stage_text(stage, "line 2: %s", stage_url(stage, "/text/y")),
                           "output", "symbolic link"),
              "%s", blob_text(&result.err));
    program_expect(result, 4, "", NULL);
    cr_expect_eq(scratch_count(stage->scratch, "outside"), 0);
    stage_free(stage);
}

Test(links, that_the_user_names_are_followed)
{
    struct stage *stage = stage_new();

    scratch_mkdir(stage->scratch, "outside");
    scratch_mkdir(stage->scratch, "work");
    cr_assert_eq(symlink("../outside", scratch_path(stage->scratch, "work/link")), 0);
    program_expect(
        fetch_in_work(stage, RUN_WEIR("-o", "link/{name}", stage_url(stage, "/text/a")), ""), 0, "",
        "");
    program_expect(
        fetch_in_work(stage,
                      RUN_WEIR("-o", "{name}", "--output-dir", "link", stage_url(stage, "/text/b")),
                      ""),
        0, "", "");
    cr_expect_eq(scratch_count(stage->scratch, "outside"), 2);
    stage_free(stage);
}

/* A link where the file itself is to be is a name that is taken. */
Test(links, in_the_place_of_the_file_are_not_written_through)
{
    struct stage *stage = stage_new();

    scratch_mkdir(stage->scratch, "work");
    scratch_write_text(stage->scratch, "victim", "kept");
    cr_assert_eq(symlink("../victim", scratch_path(stage->scratch, "work/a")), 0);
    cr_assert_eq(symlink("../none", scratch_path(stage->scratch, "work/b")), 0);
    program_expect(fetch_in_work(stage, RUN_WEIR("-O", stage_url(stage, "/text/{a,b}")), ""), 4, "",
                   "File exists");
    struct blob content = {0};
    cr_assert(scratch_read(stage->scratch, "victim", &content));
    cr_expect_str_eq(blob_text(&content), "kept");
    cr_expect(!scratch_exists(stage->scratch, "none"));
    blob_release(&content);
    stage_free(stage);
}
