#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "input/json_request.h"
#include "input/request.h"

static void read_bytes(const char *text, size_t len, struct request *request)
{
    struct buf err;

    buf_init(&err);
    *request = (struct request){0};
    cr_assert_eq(json_request_parse(text, len, request, &err), 0, "%.200s: %s", text, err.data);
    buf_release(&err);
}

static void read(const char *text, struct request *request)
{
    read_bytes(text, strlen(text), request);
}

/* The words are all of the message, or its beginning where they end in `...`. */
static void expect_refusal_of(const char *text, size_t len, const char *words)
{
    struct request request = {0};
    struct buf err;
    size_t words_len = strlen(words);

    buf_init(&err);
    cr_expect_eq(json_request_parse(text, len, &request, &err), -EINVAL, "%.200s", text);
    if (words_len > 3 && strcmp(words + words_len - 3, "...") == 0)
        cr_expect_eq(strncmp(err.data, words, words_len - 3), 0, "%.200s: %s", text, err.data);
    else
        cr_expect_str_eq(err.data, words, "%.200s: %s", text, err.data);
    request_release(&request);
    buf_release(&err);
}

static void expect_refusal(const char *text, const char *words)
{
    expect_refusal_of(text, strlen(text), words);
}

static void expect_text(const char *got, const char *expected, const char *of)
{
    if (expected)
        cr_expect(got && strcmp(got, expected) == 0, "%s: %s", of, got ? got : "nothing");
    else
        cr_expect_null(got, "%s: %s", of, got);
}

Test(json_request, reads_each_field_into_its_place)
{
    static const char text[] =
        "{\"url\":\"http://h/a\",\"method\":\"PATCH\",\"headers\":{\"X-A\":\"1\"},\"body\":\"b\","
        "\"id\":\"i\",\"context\":[1],\"group\":\"g\",\"timeout\":2.5,\"retry\":3,"
        "\"output\":\"a/b\"}";
    struct request request;

    read(text, &request);
    const struct detail *detail = request.detail;
    expect_text(request.url, "http://h/a", "url");
    expect_text(detail->method, "PATCH", "method");
    cr_assert_eq(detail->headers.len, 1);
    expect_text(detail->headers.at[0], "X-A: 1", "header");
    cr_expect_eq(detail->payload_kind, PAYLOAD_BYTES);
    expect_text(detail->payload, "b", "body");
    cr_expect_eq(detail->payload_len, 1);
    expect_text(detail->id, "\"i\"", "id");
    expect_text(detail->context, "[1]", "context");
    expect_text(detail->group, "\"g\"", "group");
    cr_expect_eq(detail->timeout, 2.5);
    cr_expect_eq(detail->retry, 3);
    expect_text(detail->output, "a/b", "output");
    expect_text(detail->source, text, "source");
    cr_expect(!detail->is_plain);
    request_release(&request);
}

Test(json_request, leaves_to_the_options_what_it_does_not_say)
{
    struct request request;

    read("{\"url\":\"h\"}", &request);
    const struct detail *detail = request.detail;
    cr_expect_null(detail->method);
    cr_expect_null(detail->id);
    cr_expect_null(detail->context);
    cr_expect_null(detail->group);
    cr_expect_null(detail->output);
    cr_expect_eq(detail->headers.len, 0);
    cr_expect_eq(detail->payload_kind, PAYLOAD_NONE);
    cr_expect_eq(detail->timeout, 0);
    cr_expect_eq(detail->retry, -1);
    request_release(&request);
}

Test(json_request, reads_one_body_of_four_kinds)
{
    static const struct {
        const char *member;
        enum payload_kind kind;
        const char *payload;
        size_t len;
    } cases[] = {
        {"\"body\":\"\"", PAYLOAD_BYTES, "", 0},
        {"\"body\":\"a\\u0000b\\r\\n\"", PAYLOAD_BYTES, "a\0b\r\n", 5},
        {"\"body\":\"\\u00e9\"", PAYLOAD_BYTES, "\xC3\xA9", 2},
        {"\"body_base64\":\"\"", PAYLOAD_BYTES, "", 0},
        {"\"body_base64\":\"AP9h\"", PAYLOAD_BYTES,
         "\0\xFF"
         "a",
         3},
        {"\"body_base64\":\"Zm9vYg==\"", PAYLOAD_BYTES, "foob", 4},
        {"\"json\" : {\"a\": 1.50 , \"b\":[null]} ", PAYLOAD_JSON, "{\"a\": 1.50 , \"b\":[null]}",
         24},
        {"\"json\":null", PAYLOAD_JSON, "null", 4},
        {"\"json\":\"x\"", PAYLOAD_JSON, "\"x\"", 3},
        {"\"json\":[1,\n2]", PAYLOAD_JSON, "[1, 2]", 6},
        {"\"body_file\":\"dir/file\"", PAYLOAD_FILE, "dir/file", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct request request;
        char text[200];
        snprintf(text, sizeof text, "{\"url\":\"h\",%s}", cases[i].member);
        read(text, &request);
        const struct detail *detail = request.detail;
        cr_expect_eq(detail->payload_kind, cases[i].kind, "%s", text);
        cr_expect_eq(detail->payload_len, cases[i].len, "%s: %zu", text, detail->payload_len);
        size_t shown = cases[i].kind == PAYLOAD_FILE ? strlen(cases[i].payload) : cases[i].len;
        cr_expect_eq(memcmp(detail->payload, cases[i].payload, shown + 1), 0, "%s", text);
        request_release(&request);
    }
}

Test(json_request, refuses_a_second_body_of_any_kind)
{
    static const char *const bodies[][2] = {
        {"body", "\"x\""}, {"body_base64", "\"YQ==\""}, {"json", "{}"}, {"body_file", "\"x\""}};
    char text[200], words[100];

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        for (size_t k = 0; k < ARRAY_LEN(bodies); k++) {
            if (i == k)
                continue;
            snprintf(text, sizeof text, "{\"url\":\"h\",\"%s\":%s,\"%s\":%s}", bodies[i][0],
                     bodies[i][1], bodies[k][0], bodies[k][1]);
            snprintf(words, sizeof words, "%s: there is another body already", bodies[k][0]);
            expect_refusal(text, words);
        }
    }
}

Test(json_request, writes_headers_as_the_transfer_takes_them)
{
    static const char text[] =
        "{\"url\":\"h\",\"headers\":{\"X-A\":\"1\",\"x-a\":[\"2\",\"\",\"3; q=1\"],\"Accept\":null,"
        "\"Empty\":\"\",\"None\":[],\"T\":\" t\\tt\\u00e9\"}}";
    static const char *const expected[] = {
        "X-A: 1", "x-a: 2", "x-a;", "x-a: 3; q=1", "Accept:", "Empty;", "T:  t\tt\xC3\xA9",
    };
    struct request request;

    read(text, &request);
    const struct strings *headers = &request.detail->headers;
    cr_assert_eq(headers->len, ARRAY_LEN(expected), "%zu", headers->len);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        expect_text(headers->at[i], expected[i], "header");
    request_release(&request);
}

static void add_headers(struct buf *text, int count, const char *value)
{
    buf_setf(text, "{\"url\":\"h\",\"headers\":{");
    for (int i = 0; i < count; i++)
        buf_addf(text, "%s\"X-%d\":%s", i ? "," : "", i, value);
    buf_add_text(text, "}}");
}

Test(json_request, takes_as_many_headers_as_its_bound_and_not_one_more)
{
    static const char *const values[] = {"\"v\"", "null", "[\"v\"]"};
    struct buf text;

    buf_init(&text);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct request request;
        add_headers(&text, JSON_HEADERS_MAX, values[i]);
        read(text.data, &request);
        cr_expect_eq(request.detail->headers.len, JSON_HEADERS_MAX);
        request_release(&request);
        add_headers(&text, JSON_HEADERS_MAX + 1, values[i]);
        expect_refusal(text.data, "headers: too many");
    }
    buf_release(&text);
}

struct wrong {
    const char *members, *words;
};

static void expect_refusals(const struct wrong *cases, size_t count)
{
    struct buf text;

    buf_init(&text);
    for (size_t i = 0; i < count; i++) {
        buf_setf(&text, "{%s}", cases[i].members);
        expect_refusal(text.data, cases[i].words);
    }
    buf_release(&text);
}

Test(json_request, names_the_field_that_is_wrong)
{
    static const struct wrong cases[] = {
        {"", "url: is missing"},
        {"\"id\":1", "url: is missing"},
        {"\"url\":1", "url: must be a string"},
        {"\"url\":null", "url: must be a string"},
        {"\"url\":[\"h\"]", "url: must be a string"},
        {"\"url\":\"h\\u0000i\"", "url: must not hold a NUL"},
        {"\"url\":\"h\\n\"", "url: must not hold a line break"},
        {"\"url\":\"h\\ri\"", "url: must not hold a line break"},
        {"\"url\":\"h\",\"ur\":1", "ur: there is no such field"},
        {"\"url\":\"h\",\"URL\":\"h\"", "URL: there is no such field"},
        {"\"url\":\"h\",\"\":\"h\"", ": there is no such field"},
        {"\"url\":\"h\",\"http_code\":200", "http_code: there is no such field"},
        {"\"url\":\"h\",\"method\":1", "method: must be a string"},
        {"\"url\":\"h\",\"method\":null", "method: must be a string"},
        {"\"url\":\"h\",\"method\":\"\"", "method: must be a word such as GET"},
        {"\"url\":\"h\",\"method\":\"G T\"", "method: must be a word such as GET"},
        {"\"url\":\"h\",\"method\":\"GET\\r\\nX: y\"", "method: must be a word such as GET"},
        {"\"url\":\"h\",\"method\":\"G\\u00e9\"", "method: must be a word such as GET"},
        {"\"url\":\"h\",\"method\":\"G\\u0000\"", "method: must not hold a NUL"},
        {"\"url\":\"h\",\"body\":1", "body: must be a string"},
        {"\"url\":\"h\",\"body\":null", "body: must be a string"},
        {"\"url\":\"h\",\"body\":{}", "body: must be a string"},
        {"\"url\":\"h\",\"body_base64\":1", "body_base64: must be a string"},
        {"\"url\":\"h\",\"body_base64\":\"YQ\"", "body_base64: is not base64"},
        {"\"url\":\"h\",\"body_base64\":\"Y Q=\"", "body_base64: is not base64"},
        {"\"url\":\"h\",\"body_base64\":\"YQ==\\n\"", "body_base64: is not base64"},
        {"\"url\":\"h\",\"body_base64\":\"YQ=\\u0000\"", "body_base64: is not base64"},
        {"\"url\":\"h\",\"body_file\":1", "body_file: must be a string"},
        {"\"url\":\"h\",\"body_file\":\"\"", "body_file: must not be empty"},
        {"\"url\":\"h\",\"body_file\":\"a\\u0000b\"", "body_file: must not hold a NUL"},
        {"\"url\":\"h\",\"id\":null", "id: must be a string or a number"},
        {"\"url\":\"h\",\"id\":true", "id: must be a string or a number"},
        {"\"url\":\"h\",\"id\":[1]", "id: must be a string or a number"},
        {"\"url\":\"h\",\"group\":null", "group: must be a string or a number"},
        {"\"url\":\"h\",\"group\":{}", "group: must be a string or a number"},
        {"\"url\":\"h\",\"output\":1", "output: must be a string"},
        {"\"url\":\"h\",\"output\":\"\"", "output: must not be empty"},
        {"\"url\":\"h\",\"output\":\"a\\u0000\"", "output: must not hold a NUL"},
    };

    expect_refusals(cases, ARRAY_LEN(cases));
}

Test(json_request, takes_no_number_beyond_its_range)
{
    static const struct wrong cases[] = {
        {"\"url\":\"h\",\"timeout\":\"5\"", "timeout: must be a number of seconds above 0"},
        {"\"url\":\"h\",\"timeout\":0", "timeout: must be a number of seconds above 0"},
        {"\"url\":\"h\",\"timeout\":-1", "timeout: must be a number of seconds above 0"},
        {"\"url\":\"h\",\"timeout\":1e10", "timeout: must be a number of seconds above 0"},
        {"\"url\":\"h\",\"timeout\":null", "timeout: must be a number of seconds above 0"},
        {"\"url\":\"h\",\"timeout\":true", "timeout: must be a number of seconds above 0"},
        {"\"url\":\"h\",\"timeout\":1e999", "bad JSON at byte ..."},
        {"\"url\":\"h\",\"retry\":-1", "retry: must be a whole number from 0 to 1000"},
        {"\"url\":\"h\",\"retry\":1.5", "retry: must be a whole number from 0 to 1000"},
        {"\"url\":\"h\",\"retry\":1001", "retry: must be a whole number from 0 to 1000"},
        {"\"url\":\"h\",\"retry\":1e300", "retry: must be a whole number from 0 to 1000"},
        {"\"url\":\"h\",\"retry\":\"1\"", "retry: must be a whole number from 0 to 1000"},
        {"\"url\":\"h\",\"retry\":false", "retry: must be a whole number from 0 to 1000"},
    };
    struct request request;

    expect_refusals(cases, ARRAY_LEN(cases));
    read("{\"url\":\"h\",\"timeout\":1e9,\"retry\":1000}", &request);
    cr_expect_eq(request.detail->timeout, 1e9);
    cr_expect_eq(request.detail->retry, 1000);
    request_release(&request);
    read("{\"url\":\"h\",\"timeout\":0.001,\"retry\":0.0}", &request);
    cr_expect_eq(request.detail->timeout, 0.001);
    cr_expect_eq(request.detail->retry, 0);
    request_release(&request);
}

Test(json_request, has_an_empty_header_where_its_value_is_blank)
{
    static const char *const values[] = {"", " ", "\\t", " \\t\\u000b\\f "};
    struct request request;
    char text[100];

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        snprintf(text, sizeof text, "{\"url\":\"h\",\"headers\":{\"A\":\"%s\"}}", values[i]);
        read(text, &request);
        cr_assert_eq(request.detail->headers.len, 1);
        expect_text(request.detail->headers.at[0], "A;", text);
        request_release(&request);
    }
}

Test(json_request, lets_no_header_become_two)
{
    static const char kinds[] = "headers.A: must be a string, a list of strings or null";
    static const char breaks[] = "headers.A: a header must not hold a line break or a NUL";
    static const struct wrong cases[] = {
        {"\"url\":\"h\",\"headers\":[]", "headers: must be an object"},
        {"\"url\":\"h\",\"headers\":\"A: x\"", "headers: must be an object"},
        {"\"url\":\"h\",\"headers\":null", "headers: must be an object"},
        {"\"url\":\"h\",\"headers\":{\"A\":1}", kinds},
        {"\"url\":\"h\",\"headers\":{\"A\":true}", kinds},
        {"\"url\":\"h\",\"headers\":{\"A\":{}}", kinds},
        {"\"url\":\"h\",\"headers\":{\"A\":[null]}", kinds},
        {"\"url\":\"h\",\"headers\":{\"A\":[\"x\",1]}", kinds},
        {"\"url\":\"h\",\"headers\":{\"A\":[[\"x\"]]}", kinds},
        {"\"url\":\"h\",\"headers\":{\"A\":\"x\\r\\nB: y\"}", breaks},
        {"\"url\":\"h\",\"headers\":{\"A\":\"\\n\"}", breaks},
        {"\"url\":\"h\",\"headers\":{\"A\":\"x\\r\"}", breaks},
        {"\"url\":\"h\",\"headers\":{\"A\":\"x\\u0000y\"}", breaks},
        {"\"url\":\"h\",\"headers\":{\"A\":[\"x\",\"\\u0000\"]}", breaks},
        {"\"url\":\"h\",\"headers\":{\"\":\"x\"}", "headers.: is no name of a header"},
        {"\"url\":\"h\",\"headers\":{\"A B\":\"x\"}", "headers.A B: is no name of a header"},
        {"\"url\":\"h\",\"headers\":{\"A:\":\"x\"}", "headers.A:: is no name of a header"},
        {"\"url\":\"h\",\"headers\":{\"A\\r\\nB\":null}", "headers.A\r\nB: is no name of a header"},
        {"\"url\":\"h\",\"headers\":{\"\\u00e9\":\"x\"}",
         "headers.\xC3\xA9: is no name of a header"},
        {"\"url\":\"h\",\"headers\":{\"A\\u0000\":\"x\"}", "bad JSON at byte ..."},
    };

    expect_refusals(cases, ARRAY_LEN(cases));
}

Test(json_request, refuses_what_is_no_json)
{
    static const char *const cases[] = {
        "",
        "{",
        "{\"url\":\"h\"",
        "{\"url\":\"h\"}x",
        "{\"url\":\"h\"}{\"url\":\"i\"}",
        "{\"url\":\"h\",}",
        "{'url':'h'}",
        "{url:\"h\"}",
        "{\"url\":\"\xFF\"}",
        "{\"url\":\"\xED\xA0\x80\"}",
        "{\"url\":\"\\ud800\"}",
        "{\"url\":\"\\udc00\\ud800\"}",
        "{\"url\":\"a\nb\"}",
        "{\"url\":\"h\",\"context\":NaN}",
        "{\"url\":\"h\",\"context\":01}",
        "{\"url\":\"h\"} // comment",
        "\xEF\xBB\xBF{\"url\":\"h\"}",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_refusal(cases[i], "bad JSON at byte ...");
    expect_refusal_of("{\"url\":\"h\"}\0", 12, "bad JSON at byte ...");
    expect_refusal_of("{\"url\":\0\"h\"}", 12, "bad JSON at byte ...");
    expect_refusal_of("{\"url\":\"h\",\"context\":{\"a\":2 \0}}", 31,
                      "bad JSON at byte 28: a NUL byte");
    expect_refusal("[]", "a JSON request: must be an object");
    expect_refusal("[{\"url\":\"h\"}]", "a JSON request: must be an object");
}

Test(json_request, refuses_a_field_that_is_there_twice)
{
    static const char headers[] = "headers: a name is there twice";

    expect_refusal("{\"url\":\"a\",\"url\":\"b\"}", "url: is there twice");
    expect_refusal("{\"url\":\"a\",\"\\u0075rl\":\"b\"}", "a field: is there twice");
    expect_refusal("{\"x\":1,\"x\":1,\"url\":\"a\"}", "a field: is there twice");
    expect_refusal("{\"json\":1,\"url\":\"a\",\"json\":1}", "json: is there twice");
    expect_refusal("{\"url\":\"h\",\"headers\":{\"A\":\"x\",\"A\":\"y\"}}", headers);
    expect_refusal("{\"url\":\"h\",\"headers\":{\"A\":\"x\",\"\\u0041\":null}}", headers);
    expect_refusal("{\"url\":\"h\",\"head\\u0065rs\":{\"A\":\"x\"}}",
                   "headers: its name must be written without escapes");
    expect_refusal("{\"reason\":\"dns\",\"url\":\"h\",\"url\":\"i\"}", "url: is there twice");
    expect_refusal("{\"reason\":\"dns\",\"request\":{\"url\":\"h\"},\"request\":{\"url\":\"i\"}}",
                   "a field: is there twice");
    expect_refusal("{\"reason\":\"dns\",\"request\":{\"url\":\"h\",\"url\":\"i\"}}",
                   "url: is there twice");
    expect_refusal("{\"reason\":\"dns\",\"request\":\"}\",\"request\":{\"url\":\"h\"}}",
                   "a field: is there twice");
}

/* What is only passed on is not ours to judge. */
Test(json_request, passes_on_what_has_a_name_twice)
{
    static const char value[] = "{\"a\":1,\"a\":{\"b\":[{\"c\":1,\"c\":2}],\"b\":2}}";
    struct request request;
    struct buf text;

    buf_init(&text);
    for (int in_record = 0; in_record < 2; in_record++) {
        buf_setf(&text, "%s{\"url\":\"h\",\"context\":%s,\"json\":%s}%s",
                 in_record ? "{\"reason\":\"dns\",\"headers\":{\"a\":[],\"a\":[]},\"request\":"
                           : "",
                 value, value, in_record ? "}" : "");
        read(text.data, &request);
        expect_text(request.detail->context, value, "context");
        expect_text(request.detail->payload, value, "json");
        request_release(&request);
    }
    buf_release(&text);
}

Test(json_request, echoes_what_it_echoes_exactly_as_it_stood)
{
    static const char *const values[] = {
        "12345678901234567890123", "0.10", "-0", "1E+2", "\"a\\u0041\\/\\n\"", "\"\xC3\xA9\x7F\"",
    };
    static const char context[] =
        "{\"b\": [9007199254740993,\t1.50], \"a\":\"]}\\\"{\\\\\", \"b2\":{}}";
    struct buf text;

    buf_init(&text);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct request request;
        buf_setf(&text, "{\"group\":%s , \"context\" : %s ,\"url\":\"h\",\"id\": %s}", values[i],
                 context, values[i]);
        read(text.data, &request);
        expect_text(request.detail->id, values[i], "id");
        expect_text(request.detail->group, values[i], "group");
        expect_text(request.detail->context, context, "context");
        expect_text(request.detail->source, text.data, "source");
        request_release(&request);
    }
    buf_release(&text);
}

Test(json_request, puts_a_request_of_several_lines_on_one)
{
    struct request request;

    read("{\n  \"url\": \"h\",\r\n  \"id\": \"a\\nb\",\n  \"context\": {\n    \"a\": 1\r\n  }\n}",
         &request);
    expect_text(request.detail->source,
                "{   \"url\": \"h\",    \"id\": \"a\\nb\",   \"context\": {     \"a\": 1    } }",
                "source");
    expect_text(request.detail->context, "{     \"a\": 1    }", "context");
    request_release(&request);
}

Test(json_request, asks_for_plain_names_of_what_it_echoes)
{
    struct request request;

    expect_refusal("{\"url\":\"h\",\"\\u0069d\":1}",
                   "id: its name must be written without escapes");
    expect_refusal("{\"url\":\"h\",\"js\\u006fn\":1}",
                   "json: its name must be written without escapes");
    expect_refusal("{\"reason\":\"http\",\"\\u0072equest\":{\"url\":\"h\"}}",
                   "request: its name must be written without escapes");
    read("{\"\\u0075rl\":\"h\"}", &request);
    expect_text(request.url, "h", "url");
    request_release(&request);
}

Test(json_request, is_plain_where_a_url_line_would_do)
{
    static const struct {
        const char *members;
        bool plain;
    } cases[] = {
        {"", true},
        {",\"id\":1", true},
        {",\"context\":{\"body\":1},\"group\":\"g\"", true},
        {",\"method\":\"GET\"", false},
        {",\"headers\":{}", false},
        {",\"body\":\"\"", false},
        {",\"body_base64\":\"\"", false},
        {",\"json\":1", false},
        {",\"body_file\":\"f\"", false},
        {",\"timeout\":1", false},
        {",\"retry\":1", false},
        {",\"output\":\"o\"", false},
        {",\"output\":\"o\",\"id\":1", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct request request;
        char text[100];
        snprintf(text, sizeof text, "{\"url\":\"h\"%s}", cases[i].members);
        read(text, &request);
        cr_expect_eq(request.detail->is_plain, cases[i].plain, "%s", text);
        request_release(&request);
    }
}

/* ---- records fed back ---- */

static const char answer[] = "\"ok\":false,\"http_code\":500,\"body\":\"answer\",\"body_base64\":1,"
                             "\"headers\":{\"set-cookie\":[\"a\"]},\"method\":\"POST\",\"seq\":4,"
                             "\"output\":7,\"timeout\":\"no\",\"unknown\":[]";

Test(json_request, asks_again_for_the_url_of_a_record_and_sends_no_answer)
{
    struct request request;
    struct buf text;

    buf_init(&text);
    buf_setf(&text, "{%s,\"reason\":\"http\",\"url\":\"http://h/\"}", answer);
    read(text.data, &request);
    const struct detail *detail = request.detail;
    expect_text(request.url, "http://h/", "url");
    cr_expect_eq(detail->payload_kind, PAYLOAD_NONE);
    cr_expect_null(detail->payload);
    cr_expect_eq(detail->headers.len, 0);
    cr_expect_null(detail->method);
    cr_expect_null(detail->output);
    cr_expect_null(detail->source);
    cr_expect_null(detail->id);
    cr_expect(detail->is_plain);
    request_release(&request);
    buf_release(&text);
}

Test(json_request, asks_again_for_the_request_of_a_record)
{
    static const char asked[] = "{\"url\":\"http://r/\", \"method\":\"PUT\",\"body\":\"sent\","
                                "\"id\":1,\"context\":1}";
    struct request request;
    struct buf text;

    buf_init(&text);
    buf_setf(&text, "{%s,\"request\" : %s,\"reason\":\"ok\",\"url\":\"http://h/\",\"id\":2}",
             answer, asked);
    read(text.data, &request);
    const struct detail *detail = request.detail;
    expect_text(request.url, "http://r/", "url");
    expect_text(detail->method, "PUT", "method");
    expect_text(detail->payload, "sent", "body");
    expect_text(detail->source, asked, "source");
    expect_text(detail->id, "2", "id");
    expect_text(detail->context, "1", "context");
    cr_expect_eq(detail->headers.len, 0);
    cr_expect(!detail->is_plain);
    request_release(&request);
    buf_release(&text);
}

Test(json_request, keeps_what_a_record_echoes)
{
    struct request request;

    read("{\"reason\":\"dns\",\"url\":\"h\",\"context\": null }", &request);
    expect_text(request.detail->context, "null", "context");
    request_release(&request);
    read("{\"reason\":\"dns\",\"url\":\"h\",\"id\":1.0,\"context\":{\"a\":1.0},\"group\":null}",
         &request);
    expect_text(request.detail->id, "1.0", "id");
    expect_text(request.detail->context, "{\"a\":1.0}", "context");
    cr_expect_null(request.detail->group);
    request_release(&request);
}

Test(json_request, checks_what_a_record_asks_for)
{
    expect_refusal("{\"reason\":\"dns\"}", "url: is missing");
    expect_refusal("{\"reason\":\"dns\",\"url\":1}", "url: must be a string");
    expect_refusal("{\"reason\":\"dns\",\"url\":\"h\\nx\"}", "url: must not hold a line break");
    expect_refusal("{\"reason\":\"dns\",\"url\":\"h\",\"id\":[]}",
                   "id: must be a string or a number");
    expect_refusal("{\"reason\":\"dns\",\"url\":\"h\",\"request\":\"h\"}",
                   "request: must be an object");
    expect_refusal("{\"reason\":\"dns\",\"url\":\"h\",\"request\":null}",
                   "request: must be an object");
    expect_refusal("{\"reason\":\"dns\",\"url\":\"h\",\"request\":{}}", "url: is missing");
    expect_refusal("{\"reason\":\"dns\",\"request\":{\"url\":\"h\",\"method\":\"\"}}",
                   "method: must be a word such as GET");
    expect_refusal("{\"reason\":\"dns\",\"request\":{\"url\":\"h\",\"reason\":\"dns\"}}",
                   "reason: there is no such field");
}

Test(json_request, takes_no_piece_of_an_invalid_line_for_a_url)
{
    static const char words[] = "reason: the line was invalid before, and here is no request";
    struct request request;

    expect_refusal("{\"reason\":\"invalid\",\"url\":\"http://h/\"}", words);
    expect_refusal("{\"url\":\"http://h/\",\"reason\":\"invalid\",\"id\":1}", words);
    expect_refusal("{\"reason\":\"invalid\"}", words);
    read("{\"reason\":\"invalid\",\"url\":\"{\",\"request\":{\"url\":\"http://h/\"}}", &request);
    expect_text(request.url, "http://h/", "url");
    request_release(&request);
}

/* ---- what is kept of one that is invalid ---- */

struct kept_case {
    const char *text, *words, *id, *context, *group, *source;
};

static void check_kept(const struct kept_case *with)
{
    struct request request = {0};
    struct buf err;

    buf_init(&err);
    cr_expect_eq(json_request_parse(with->text, strlen(with->text), &request, &err), -EINVAL);
    cr_expect_str_eq(err.data, with->words, "%s: %s", with->text, err.data);
    cr_assert_not_null(request.detail);
    expect_text(request.detail->id, with->id, with->text);
    expect_text(request.detail->context, with->context, with->text);
    expect_text(request.detail->group, with->group, with->text);
    expect_text(request.detail->source, with->source, with->text);
    request_release(&request);
    buf_release(&err);
}

Test(json_request, gives_back_what_it_echoes_though_it_is_invalid)
{
#define ECHOES "\"id\":\"i\",\"context\":[1],\"group\":2"
    static const struct kept_case cases[] = {
        {"{\"nope\":1," ECHOES "}", "nope: there is no such field", "\"i\"", "[1]", "2",
         "{\"nope\":1," ECHOES "}"},
        {"{" ECHOES ",\n\"url\":1}", "url: must be a string", "\"i\"", "[1]", "2",
         "{" ECHOES ", \"url\":1}"},
        {"{" ECHOES "}", "url: is missing", "\"i\"", "[1]", "2", "{" ECHOES "}"},
        {"{\"id\":[],\"url\":1,\"context\":3,\"group\":{}}", "id: must be a string or a number",
         NULL, "3", NULL, "{\"id\":[],\"url\":1,\"context\":3,\"group\":{}}"},
        {"{\"id\":true,\"url\":\"h\",\"context\":3}", "id: must be a string or a number", NULL, "3",
         NULL, "{\"id\":true,\"url\":\"h\",\"context\":3}"},
        {"{\"id\":1,\"url\":\"h\",\"id\":2,\"group\":3}", "id: is there twice", NULL, NULL, "3",
         NULL},
        {"{\"url\":\"h\"," ECHOES ",\"url\":\"h\"}", "url: is there twice", "\"i\"", "[1]", "2",
         NULL},
        {"{\"url\":\"h\",\"headers\":{\"A\":\"\",\"A\":\"\"}," ECHOES "}",
         "headers: a name is there twice", "\"i\"", "[1]", "2", NULL},
        /* records */
        {"{\"reason\":\"dns\",\"url\":1," ECHOES "}", "url: must be a string", "\"i\"", "[1]", "2",
         NULL},
        {"{\"reason\":\"invalid\",\"url\":\"http://h/\"," ECHOES "}",
         "reason: the line was invalid before, and here is no request", "\"i\"", "[1]", "2", NULL},
        {"{\"reason\":\"dns\",\"request\":{\"url\":1,\"id\":3,"
         "\"context\":4}," ECHOES "}",
         "url: must be a string", "\"i\"", "[1]", "2", "{\"url\":1,\"id\":3,\"context\":4}"},
        {"{\"reason\":\"dns\",\"request\":{\"url\":1," ECHOES "},\"context\":null,\"id\":[]}",
         "url: must be a string", "\"i\"", "[1]", "2", "{\"url\":1," ECHOES "}"},
    };
#undef ECHOES

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_kept(&cases[i]);
}

/* The text of a value is what counts; jansson, which has no such name, is only asked whether it is
 * JSON. */
Test(json_request, keeps_a_nul_in_the_names_of_what_it_keeps)
{
    static const char *const texts[] = {
        "{\"url\":\"h\",\"context\":{\"a\\u0000b\":\"\\u0000\"},\"json\":{\"\\u0000\":0},\"method\":\"PUT\"}",
        "{\"reason\":\"dns\",\"context\":{\"a\\u0000b\":\"\\u0000\"},\"url\":\"http://other/\",\"request\":"
        "{\"url\":\"h\",\"json\":{\"\\u0000\":0},\"context\":{\"a\\u0000b\":\"\\u0000\"},\"method\":\"PUT\"}}",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct request request;
        read(texts[i], &request);
        expect_text(request.url, "h", "url");
        expect_text(request.detail->context, "{\"a\\u0000b\":\"\\u0000\"}", "context");
        expect_text(request.detail->payload, "{\"\\u0000\":0}", "json");
        cr_expect_eq(request.detail->payload_len, 12);
        request_release(&request);
    }
    expect_refusal("{\"url\":\"h\",\"\\u0000\":1,\"context\":{\"\\u0000\":1}}",
                   "bad JSON at byte 19: NUL...");
    expect_refusal("{\"url\":\"h\",\"headers\":{\"A\\u0000\":\"\"}}", "bad JSON at byte ...");
    expect_refusal("{\"a\\u0000\":1,\"context\"", "bad JSON at byte ...");
    expect_refusal("{\"a\\u0000\":1,\"context", "bad JSON at byte ...");
    expect_refusal("{\"a\\u0000\":1,\"context\":", "bad JSON at byte ...");
}

/* ---- bounds ---- */

static void add_repeated(struct buf *text, char c, size_t times)
{
    memset(buf_reserve(text, times), c, times);
    buf_extend(text, times);
}

static void add_nested(struct buf *text, size_t depth, const char *member)
{
    buf_setf(text, "{\"url\":\"h\",\"%s\":", member);
    add_repeated(text, '[', depth);
    add_repeated(text, ']', depth);
    buf_add_text(text, "}");
}

Test(json_request, refuses_a_value_that_is_too_deep_to_be_meant)
{
    struct request request;
    struct buf text;

    buf_init(&text);
    add_nested(&text, 1000, "context");
    read(text.data, &request);
    cr_expect_eq(strlen(request.detail->context), 2000);
    request_release(&request);
    add_nested(&text, 500000, "context");
    expect_refusal(text.data,
                   "bad JSON at byte 2069: lists and objects nested more than 2048 deep");
    add_nested(&text, 500000, "json");
    expect_refusal(text.data,
                   "bad JSON at byte 2066: lists and objects nested more than 2048 deep");
    buf_clear(&text);
    add_repeated(&text, '[', 1 << 20);
    expect_refusal(text.data,
                   "bad JSON at byte 2049: lists and objects nested more than 2048 deep");
    buf_release(&text);
}

Test(json_request, takes_a_line_of_a_mebibyte)
{
    struct request request;
    struct buf text;
    size_t len;

    buf_init(&text);
    buf_add_text(&text, "{\"url\":\"h\",\"body\":\"");
    len = (1 << 20) - text.len - 2;
    add_repeated(&text, 'x', len);
    buf_add_text(&text, "\"}");
    read(text.data, &request);
    cr_expect_eq(request.detail->payload_len, len);
    cr_expect_eq(strspn(request.detail->payload, "x"), len);
    cr_expect_eq(strlen(request.detail->source), 1 << 20);
    request_release(&request);
    buf_release(&text);
}

Test(json_request, reads_no_byte_behind_its_text)
{
    static const char text[] = "{\"url\":\"h\",\"id\":12}";
    struct request request;
    char *exact = malloc(sizeof text - 1);

    cr_assert_not_null(exact);
    memcpy(exact, text, sizeof text - 1);
    read_bytes(exact, sizeof text - 1, &request);
    expect_text(request.detail->id, "12", "id");
    request_release(&request);
    free(exact);
}

Test(json_request, knows_a_token_from_what_is_none)
{
    static const char good[] = "!#$%&'*+-.^_`|~09azAZ";

    cr_expect(json_request_is_token(good, sizeof good - 1));
    cr_expect(!json_request_is_token("", 0));
    for (unsigned c = 0; c < 256; c++) {
        char byte = (char)c;
        bool expected = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') ||
                        (c && c < 128 && strchr("!#$%&'*+-.^_`|~", (int)c));
        cr_expect_eq(json_request_is_token(&byte, 1), expected, "%u", c);
    }
}
