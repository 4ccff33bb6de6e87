/* What a record tells of where its request came from, and what it gives back. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "record.h"
#include "stage.h"

static json_t *fetch_records(const char *const *argv, const char *input, int code)
{
    struct run_result result = program_fetch(argv, input);
    json_t *records = records_read(&result.out);

    program_expect(result, code, NULL, "");
    return records;
}

Test(record, tells_where_its_request_came_from)
{
    struct stage *stage = stage_new();
    const char *one =
        scratch_write_text(stage->scratch, "one",
                           stage_text(stage, "# a comment\n%s\n\n  %s \r\n",
                                      stage_url(stage, "/text/b"), stage_url(stage, "/text/c")));
    const char *two = scratch_write_text(stage->scratch, "two", stage_url(stage, "/text/e"));
    json_t *records = fetch_records(
        RUN_WEIR("--jsonl", "-a", one, "-a", "-", "-a", two, stage_url(stage, "/text/a")),
        stage_text(stage, "\n%s\n", stage_url(stage, "/text/d")), 0);
    const struct {
        const char *input;
        long long line;
        const char *word;
    } expected[] = {
        {"argument", -1, "a\n"}, {one, 2, "b\n"}, {one, 4, "c\n"}, {"-", 2, "d\n"}, {two, 1, "e\n"},
    };

    cr_assert_eq(json_array_size(records), 5);
    for (size_t i = 0; i < 5; i++) {
        const json_t *record = record_at(records, i);
        cr_expect_eq(record_number(record, "seq"), (long long)i + 1);
        cr_expect_str_eq(record_text(record, "input"), expected[i].input);
        cr_expect_eq(record_number(record, "line"), expected[i].line);
        cr_expect(record_body_is(record, expected[i].word, 2));
    }
    json_decref(records);
    stage_free(stage);
}

Test(record, counts_the_urls_of_a_pattern_and_lines_that_are_none)
{
    struct stage *stage = stage_new();
    json_t *records =
        fetch_records(RUN_WEIR("--jsonl", "-a", "-", stage_url(stage, "/text/{a,b}")),
                      stage_text(stage, "no url\xff\x01\n%s\n", stage_url(stage, "/text/c")), 1);

    cr_assert_eq(json_array_size(records), 4);
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(record_number(record_at(records, i), "seq"), (long long)i + 1);
    cr_expect_str_eq(record_text(record_at(records, 1), "url"), stage_url(stage, "/text/b"));
    cr_expect_str_eq(record_text(record_at(records, 2), "reason"), "invalid");
    cr_expect_str_eq(record_text(record_at(records, 2), "url"), "no url\xef\xbf\xbd\x01");
    cr_expect_eq(record_number(record_at(records, 2), "line"), 1);
    cr_expect(!record_has(record_at(records, 2), "ts"));
    cr_expect_eq(record_number(record_at(records, 2), "attempts"), 0);
    json_decref(records);
    stage_free(stage);
}

Test(record, shows_at_most_200_bytes_of_a_line_that_is_none)
{
    struct blob line = {0};

    blob_add_text(&line, "no url ");
    for (int i = 0; i < 1000; i++)
        blob_add_text(&line, "\xe2\x82\xac");
    json_t *records = fetch_records(RUN_WEIR("--jsonl"), line.at, 1);
    const char *url = record_text(record_at(records, 0), "url");
    cr_expect_str_eq(record_text(record_at(records, 0), "reason"), "invalid");
    cr_expect_leq(strlen(url), 200);
    cr_expect_geq(strlen(url), 197);
    cr_expect_eq(memcmp(url, line.at, 197), 0);
    blob_release(&line);
    json_decref(records);
}

/* Byte for byte: a script's numbers and escapes are its own. */
Test(record, gives_back_what_came_with_the_request)
{
    static const char *const contexts[] = {
        "{\"a\" : 1.0e2,\"b\":[1 ,\"\\u00e9\\/\"]}",
        "12345678901234567890123",
        "\"plain\"",
        "null",
        "[ ]",
        "{\"x\":{\"x\":{}},  \"y\":1}",
        "-0.0",
        "true",
    };
    enum { CONTEXTS = sizeof contexts / sizeof *contexts };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (size_t i = 0; i < CONTEXTS; i++)
        blob_addf(&input, "{\"context\":%s , \"url\":\"%s/text/x\",\"id\":%s,\"group\":\"g\"}\n",
                  contexts[i], origin_url(stage->origin), i % 2 ? "\"\\u0061\"" : "12.50");
    struct run_result result =
        program_fetch(RUN_WEIR("--jsonl", "--fields", "seq,id,context,group"), blob_text(&input));
    struct blob expected = {0};
    for (size_t i = 0; i < CONTEXTS; i++)
        blob_addf(&expected, "{\"seq\":%zu,\"id\":%s,\"context\":%s,\"group\":\"g\"}\n", i + 1,
                  i % 2 ? "\"\\u0061\"" : "12.50", contexts[i]);
    program_expect(result, 0, blob_text(&expected), "");
    blob_release(&input);
    blob_release(&expected);
    stage_free(stage);
}

static void expect_echo(const char *input, const char *when, bool plain, bool rich, bool failed)
{
    json_t *records = fetch_records(RUN_WEIR("--jsonl", "--echo-request", when), input, 1);

    cr_expect(!record_has(record_at(records, 0), "request"), "%s: of a line that was a URL", when);
    cr_expect_eq(record_has(record_at(records, 1), "request"), plain, "%s: plain", when);
    cr_expect_eq(record_has(record_at(records, 2), "request"), rich, "%s: rich", when);
    cr_expect_eq(record_has(record_at(records, 3), "request"), failed, "%s: failed", when);
    cr_expect_eq(record_has(record_at(records, 4), "request"), plain, "%s: plain failed", when);
    json_decref(records);
}

Test(record, has_its_request_where_asked)
{
    struct stage *stage = stage_new();
    const char *bad = stage_url(stage, "/nothing");
    const char *input =
        stage_text(stage,
                   "%s\n{\"url\":\"%s\"}\n{\"url\":\"%s\",\"headers\":{\"X-A\":\"1\"}}\n"
                   "{\"url\":\"%s\",\"method\":\"PUT\",\"body\":\"x\"}\n{\"url\":\"%s\"}\n",
                   bad, stage_url(stage, "/text/a"), stage_url(stage, "/text/b"), bad, bad);

    expect_echo(input, "failed", false, false, true);
    expect_echo(input, "all", true, true, true);
    expect_echo(input, "none", false, false, false);
    stage_free(stage);
}

/* What failed can be done again from its record alone. */
Test(record, of_a_failure_can_be_fed_back_in)
{
    struct stage *stage = stage_new();
    const char *line = stage_text(stage,
                                  "{\"url\":\"%s\",\"method\":\"PUT\",\"body\":\"pay\","
                                  "\"headers\":{\"X-A\":\"1\"},\"id\":7,\"context\":[1]}\n",
                                  stage_url(stage, "/echo?failtimes=1"));
    struct run_result first = program_fetch(RUN_WEIR("--jsonl", "--retry", "0"), line);
    json_t *records = records_read(&first.out);
    cr_expect_str_eq(record_text(record_at(records, 0), "reason"), "http");
    json_decref(records);
    records = fetch_records(RUN_WEIR("--jsonl", "--retry", "0"), blob_text(&first.out), 0);
    const json_t *record = record_at(records, 0);
    const char *said = record_text(record, "body");
    cr_expect_eq(record_number(record, "id"), 7);
    cr_expect(json_is_array(json_object_get(record, "context")));
    cr_expect(strstr(said, "PUT /echo") == said, "%s", said);
    cr_expect(strstr(said, "X-A: 1"), "%s", said);
    cr_expect(strstr(said, "\npay"), "%s", said);
    json_decref(records);
    program_expect(first, 1, NULL, "");
    stage_free(stage);
}

/* Whatever is wrong with it, and wherever that stands. */
Test(record, of_an_invalid_request_has_what_was_given_and_the_request)
{
    static const char *const lines[] = {
        "{\"nope\":1,\"url\":\"http://127.0.0.1:1/\",\"context\":[1],\"group\":\"g\",\"id\":7}",
        "{\"id\":7,\"group\":\"g\",\"context\":[1],\"url\":\"http://two words/\"}",
        "{\"url\":1,\"id\":7,\"context\":[1],\"group\":\"g\"}",
        "{\"output\":\"../a\",\"url\":\"http://h/\",\"id\":7,\"context\":[1],\"group\":\"g\"}",
    };
    enum { COUNT = sizeof lines / sizeof *lines };
    struct blob input = {0};

    for (size_t i = 0; i < COUNT; i++)
        blob_addf(&input, "%s\n", lines[i]);
    struct run_result first = program_fetch(RUN_WEIR("--jsonl"), blob_text(&input));
    struct run_result second = program_fetch(RUN_WEIR("--jsonl"), blob_text(&first.out));
    for (int i = 0; i < 2; i++) {
        json_t *records = records_of(i ? second : first, 1, COUNT);
        for (size_t k = 0; k < COUNT; k++) {
            const json_t *record = record_at(records, k);
            json_t *asked = json_loads(lines[k], 0, NULL);
            cr_expect_str_eq(record_text(record, "reason"), "invalid");
            cr_expect_eq(record_number(record, "id"), 7, "%s", lines[k]);
            cr_expect_str_eq(record_text(record, "group"), "g", "%s", lines[k]);
            cr_expect_eq(json_array_size(json_object_get(record, "context")), 1, "%s", lines[k]);
            cr_expect(json_equal(json_object_get(record, "request"), asked), "%s", lines[k]);
            json_decref(asked);
        }
        json_decref(records);
    }
    blob_release(&input);
}

Test(record, of_an_invalid_line_stays_invalid)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    /* The last is cut short of its tab, so that what is left of it would do for a URL. */
    blob_addf(&input, "%s/text/a\tb\n%s/text/", origin_url(stage->origin),
              origin_url(stage->origin));
    for (int i = 0; i < 300; i++)
        blob_add_text(&input, "x");
    blob_add_text(&input, "\ty\n");
    struct run_result first = program_fetch(RUN_WEIR("--jsonl"), blob_text(&input));
    struct run_result second = program_fetch(RUN_WEIR("--jsonl"), blob_text(&first.out));
    json_t *records = records_of(second, 1, 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *record = record_at(records, i);
        cr_expect_str_eq(record_text(record, "reason"), "invalid");
        cr_expect(strstr(record_text(record, "errormsg"), "was invalid before"));
    }
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    program_expect(first, 1, NULL, "");
    json_decref(records);
    blob_release(&input);
    stage_free(stage);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of the text, sorted; cuts the text up. */
static size_t sort_lines(char *text, char *lines[], size_t max)
{
    size_t count = 0;

    for (char *at = strtok(text, "\n"); at && count < max; at = strtok(NULL, "\n"))
        lines[count++] = at;
    qsort(lines, count, sizeof *lines, compare_lines);
    return count;
}

Test(records, are_the_same_in_any_order)
{
    enum { LINES = 120 };
    struct stage *stage = stage_new();
    struct blob input = {0};
    struct run_result results[2];
    char *lines[2][LINES + 1];
    size_t counts[2];

    for (int i = 0; i < LINES; i++)
        blob_addf(&input, "%s/%s?tag=%d%s\n", origin_url(stage->origin),
                  i % 5 ? "bytes/100" : "text/x", i, i % 7 ? "" : "&delay=0.1");
    for (int i = 0; i < 2; i++) {
        results[i] =
            program_fetch(RUN_WEIR("--jsonl", "--fields", "seq,url,ok,reason,size_body,body",
                                   i ? "--unordered" : "--keep-order"),
                          blob_text(&input));
        counts[i] = sort_lines(results[i].out.at, lines[i], LINES + 1);
    }
    cr_assert_eq(counts[0], LINES);
    cr_assert_eq(counts[1], LINES);
    for (size_t i = 0; i < LINES; i++)
        cr_expect_str_eq(lines[0][i], lines[1][i]);
    program_expect(results[0], 0, NULL, "");
    program_expect(results[1], 0, NULL, "");
    blob_release(&input);
    stage_free(stage);
}

Test(records, are_all_there_of_ten_thousand)
{
    enum { COUNT = 10000 };
    struct stage *stage = stage_new();
    json_t *records =
        fetch_records(RUN_WEIR("--jsonl", "-j50", stage_url(stage, "/text/[1-10000]")), NULL, 0);

    cr_assert_eq(json_array_size(records), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const char *word = stage_text(stage, "%zu\n", i + 1);
        cr_assert_eq(record_number(record_at(records, i), "seq"), (long long)i + 1);
        cr_assert(record_body_is(record_at(records, i), word, strlen(word)), "%zu", i);
    }
    json_decref(records);
    stage_free(stage);
}
