/* JSON lines that are no requests: each is told in its place, and its neighbours do not notice. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "program.h"
#include "record.h"
#include "stage.h"

#define U "{\"url\":\"http://127.0.0.1:1/\","

/* What errormsg says. */
static const struct {
    const char *line, *words;
} bad[] = {
    {"{}", "url: is missing"},
    {"{\"id\":1}", "url: is missing"},
    {"{\"url\":1}", "url: must be a string"},
    {"{\"url\":null}", "url: must be a string"},
    {"{\"url\":[\"http://h/\"]}", "url: must be a string"},
    {"{\"url\":\"http://h/\\r\\nX: 1\"}", "url: must not hold a line break"},
    {"{\"url\":\"http://h/\\n\"}", "url: must not hold a line break"},
    {"{\"url\":\"http://h/\\u0000a\"}", "url: must not hold a NUL"},
    {U "\"method\":1}", "method: must be a string"},
    {U "\"method\":\"\"}", "method: must be a word"},
    {U "\"method\":\"A B\"}", "method: must be a word"},
    {U "\"method\":\"GET\\r\\nX: 1\"}", "method: must be a word"},
    {U "\"method\":\"GET\\n\"}", "method: must be a word"},
    {U "\"method\":\"G\\u0000\"}", "method: must not hold a NUL"},
    {U "\"headers\":[]}", "headers: must be an object"},
    {U "\"headers\":\"A: 1\"}", "headers: must be an object"},
    {U "\"headers\":{\"A\":1}}", "headers.A: must be a string"},
    {U "\"headers\":{\"A\":{}}}", "headers.A: must be a string"},
    {U "\"headers\":{\"A\":[1]}}", "headers.A: must be a string"},
    {U "\"headers\":{\"A\":[\"1\",null]}}", "headers.A: must be a string"},
    {U "\"headers\":{\"A\":\"1\\r\\nB: 2\"}}", "headers.A: a header must not hold"},
    {U "\"headers\":{\"A\":[\"1\",\"\\n\"]}}", "headers.A: a header must not hold"},
    {U "\"headers\":{\"A\":\"\\u0000\"}}", "headers.A: a header must not hold"},
    {U "\"headers\":{\"A B\":\"1\"}}", "headers.A B: is no name"},
    {U "\"headers\":{\"A:\":\"1\"}}", "headers.A:: is no name"},
    {U "\"headers\":{\"\":\"1\"}}", "headers.: is no name"},
    {U "\"headers\":{\"A\\nB\":\"1\"}}", "headers.A"},
    {U "\"body\":\"a\",\"headers\":{\"Transfer-Encoding\":\"gzip\"}}",
     "headers.Transfer-Encoding: can only be chunked"},
    {U "\"body\":\"a\",\"headers\":{\"transfer-encoding\":[\"chunked\",\"gzip\"]}}",
     "headers.transfer-encoding: can only be chunked"},
    {U "\"headers\":{\"Transfer-Encoding\":\"chunked\"}}",
     "headers.Transfer-Encoding: there is no body"},
    {U "\"method\":\"HEAD\",\"body\":\"\"}", "method: HEAD sends no body"},
    {U "\"json\":1,\"method\":\"HEAD\"}", "method: HEAD sends no body"},
    {U "\"body\":1}", "body: must be a string"},
    {U "\"body\":null}", "body: must be a string"},
    {U "\"body_base64\":\"a\"}", "body_base64: is not base64"},
    {U "\"body_base64\":\"YQ==YQ==\"}", "body_base64: is not base64"},
    {U "\"body_base64\":[]}", "body_base64: must be a string"},
    {U "\"body_file\":1}", "body_file: must be a string"},
    {U "\"body_file\":\"\"}", "body_file: must not be empty"},
    {U "\"body\":\"a\",\"json\":1}", "json: there is another body"},
    {U "\"json\":1,\"body_base64\":\"\"}", "body_base64: there is another body"},
    {U "\"body\":\"a\",\"body_file\":\"f\"}", "body_file: there is another body"},
    {U "\"body\":\"a\",\"body\":\"a\"}", "body: is there twice"},
    {U "\"headers\":{\"A\":\"1\",\"A\":\"2\"}}", "headers: a name is there twice"},
    {U "\"id\":true}", "id: must be"},
    {U "\"id\":{}}", "id: must be"},
    {U "\"group\":[1]}", "group: must be"},
    {U "\"timeout\":0}", "timeout: must be"},
    {U "\"timeout\":-1}", "timeout: must be"},
    {U "\"timeout\":\"5\"}", "timeout: must be"},
    {U "\"retry\":1.5}", "retry: must be"},
    {U "\"retry\":-1}", "retry: must be"},
    {U "\"output\":1}", "output: must be a string"},
    {U "\"output\":\"\"}", "output: must not be empty"},
    {U "\"output\":\"../a\"}", "output: "},
    {U "\"output\":\"/a\"}", "output: "},
    {U "\"output\":\"a/\"}", "output: "},
    {U "\"ur\":1}", "ur: there is no such field"},
    {U "\"URL\":\"x\"}", "URL: there is no such field"},
    {U "\"http_code\":200}", "http_code: there is no such field"},
    {"{\"reason\":\"ok\"}", "url: is missing"},
    {"{\"reason\":\"ok\",\"url\":1}", "url: must be a string"},
    {"{\"reason\":\"ok\",\"request\":[]}", "request: must be an object"},
    {"{\"reason\":\"ok\",\"request\":{\"url\":\"http://h/\",\"body\":1}}",
     "body: must be a string"},
    {"{\"reason\":\"ok\",\"request\":{\"id\":1},\"url\":\"http://h/\"}", "url: is missing"},
    {"{", "bad JSON at byte 1"},
    {"{\"url\":\"http://h/\"", "bad JSON at byte"},
    {"{\"url\":\"http://h/", "bad JSON at byte"},
    {"{\"url\":\"http://h/\",}", "bad JSON at byte"},
    {"{'url':'http://h/'}", "bad JSON at byte"},
    {"{\"url\":\"http://h/\"} x", "bad JSON at byte"},
    {"{\"url\":\"http://h/\"}{\"url\":\"http://h/\"}", "bad JSON at byte"},
    {U "\"id\":01}", "bad JSON at byte"},
    {U "\"id\":1e999}", "bad JSON at byte"},
    {U "\"id\":\"\xFF\"}", "bad JSON at byte"},
    {U "\"id\":\"\xC3\"}", "bad JSON at byte"},
    {U "\"id\":\"\xED\xA0\x80\"}", "bad JSON at byte"},
    {U "\"id\":\"\\ud800\"}", "bad JSON at byte"},
    {U "\"id\":\"\t\"}", "bad JSON at byte"},
    {U "\"context\":NaN}", "bad JSON at byte"},
};

enum { BAD = sizeof bad / sizeof *bad, LINES = 2 * BAD };

static void expect_invalid(const json_t *records, size_t index, const char *words)
{
    const char *message = record_text(record_at(records, index), "errormsg");

    cr_expect_str_eq(record_text(record_at(records, index), "reason"), "invalid", "%s", words);
    cr_expect_eq(strncmp(message, words, strlen(words)), 0, "not '%s' but '%s'", words, message);
    cr_expect(json_is_false(json_object_get(record_at(records, index), "ok")));
    cr_expect_eq(json_integer_value(json_object_get(record_at(records, index), "http_code")), 0);
}

Test(bad_json, is_invalid_in_its_place_and_names_the_field)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < BAD; i++)
        blob_addf(&input, "{\"url\":\"%s/text/%d\"}\n%s\n", origin_url(stage->origin), i,
                  bad[i].line);
    json_t *records = records_of(program_fetch(RUN_WEIR("--jsonl"), blob_text(&input)), 1, LINES);
    for (size_t i = 0; i < BAD; i++) {
        cr_expect_str_eq(record_text(record_at(records, 2 * i), "body"),
                         stage_text(stage, "%zu\n", i));
        cr_expect_eq(json_integer_value(json_object_get(record_at(records, 2 * i + 1), "line")),
                     (json_int_t)(2 * i + 2));
        expect_invalid(records, 2 * i + 1, bad[i].words);
    }
    cr_expect_eq(origin_counts(stage->origin).requests, BAD);
    json_decref(records);
    blob_release(&input);
    stage_free(stage);
}

/* With jsonl a line is nothing else. */
Test(bad_json, may_be_any_other_value)
{
    static const char *const lines[] = {
        "[]", "[{\"url\":\"http://h/\"}]", "\"http://h/\"", "1", "null", "http://h/"};
    static const char *const words[] = {"a JSON request: must be an object",
                                        "a JSON request: must be an object",
                                        "bad JSON",
                                        "bad JSON",
                                        "bad JSON",
                                        "bad JSON"};
    enum { COUNT = sizeof lines / sizeof *lines };
    struct blob input = {0};

    for (size_t i = 0; i < COUNT; i++)
        blob_addf(&input, "%s\n", lines[i]);
    json_t *records = records_of(
        program_fetch(RUN_WEIR("--jsonl", "--input-format", "jsonl"), blob_text(&input)), 1, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        expect_invalid(records, i, words[i]);
    json_decref(records);
    blob_release(&input);
}

static void add_times(struct blob *to, const char *text, size_t times)
{
    while (times--)
        blob_add_text(to, text);
}

/* Of all that a mebibyte has room for. */
Test(bad_json, may_be_too_deep_or_too_much)
{
    enum { DEPTH = 100000, KEYS = 20000, HEADERS = 257 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    blob_add_text(&input, U "\"context\":");
    add_times(&input, "[", DEPTH);
    add_times(&input, "]", DEPTH);
    blob_add_text(&input, "}\n" U "\"json\":");
    add_times(&input, "{\"a\":", DEPTH);
    blob_add_text(&input, "\n{");
    for (int i = 0; i < KEYS; i++)
        blob_addf(&input, "\"key-%d\":1,", i);
    blob_add_text(&input, "\"url\":\"http://h/\"}\n" U "\"headers\":{");
    for (int i = 0; i < HEADERS; i++)
        blob_addf(&input, "%s\"A%d\":\"1\"", i ? "," : "", i);
    blob_addf(&input, "}}\n%s/text/a\n", origin_url(stage->origin));
    json_t *records = records_of(program_fetch(RUN_WEIR("--jsonl"), blob_text(&input)), 1, 5);
    expect_invalid(records, 0, "bad JSON at byte");
    expect_invalid(records, 1, "bad JSON at byte");
    expect_invalid(records, 2, "key-0: there is no such field");
    expect_invalid(records, 3, "headers: too many");
    cr_expect_str_eq(record_text(record_at(records, 4), "body"), "a\n");
    json_decref(records);
    blob_release(&input);
    stage_free(stage);
}

Test(bad_json, shows_a_short_and_valid_piece_of_its_line)
{
    struct blob input = {0};

    blob_add_text(&input, "{\"\xFF\x1B\":\"");
    add_times(&input, "x", 1000);
    json_t *records = records_of(program_fetch(RUN_WEIR("--jsonl"), blob_text(&input)), 1, 1);
    const char *url = record_text(record_at(records, 0), "url");
    cr_expect_eq(strncmp(url, "{\"\xEF\xBF\xBD\x1B\":\"xxx", 12), 0, "%s", url);
    cr_expect_leq(strlen(url), 200);
    expect_invalid(records, 0, "bad JSON at byte");
    json_decref(records);
    blob_release(&input);
}
