#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "deliver/fields.h"

#define STATUS "HTTP/1.1 200 OK\r\n"

static void expect_object(const char *block, const char *expected)
{
    struct buf out;

    buf_init(&out);
    field_add_headers(block, strlen(block), &out);
    cr_expect_str_eq(out.data, expected, "%s: %s", block, out.data);
    buf_release(&out);
}

Test(headers, are_gathered_by_name_in_the_order_of_their_first)
{
    expect_object("", "{}");
    expect_object(STATUS "\r\n", "{}");
    expect_object(STATUS "A: 1\r\n\r\n", "{\"a\":[\"1\"]}");
    expect_object(STATUS "B: 1\r\nA: 2\r\nC: 3\r\n\r\n",
                  "{\"b\":[\"1\"],\"a\":[\"2\"],\"c\":[\"3\"]}");
    expect_object(STATUS "Set-Cookie: z\r\nA: 1\r\nset-cookie: a\r\nSET-COOKIE: m\r\n",
                  "{\"set-cookie\":[\"z\",\"a\",\"m\"],\"a\":[\"1\"]}");
    expect_object("AB: 1\r\nA: 2\r\nABC: 3\r\na: 4\r\n",
                  "{\"ab\":[\"1\"],\"a\":[\"2\",\"4\"],\"abc\":[\"3\"]}");
}

Test(headers, lose_the_blanks_around_a_value_and_keep_those_within)
{
    expect_object("A:1\r\nB:\r\nC: \t x  y \t\r\nD: a:b\r\nE :2\nF: 3",
                  "{\"a\":[\"1\"],\"b\":[\"\"],\"c\":[\"x  y\"],\"d\":[\"a:b\"],\"e\":[\"2\"],"
                  "\"f\":[\"3\"]}");
}

Test(headers, make_no_header_of_a_line_that_is_none)
{
    expect_object(STATUS "no colon\r\nA: 1\r\n\r\n", "{\"a\":[\"1\"]}");
    expect_object("HTTP/1.1 200 all: well\r\nA: 1\r\n", "{\"a\":[\"1\"]}");
    /* What begins with a blank has no name. */
    expect_object("A: 1\r\n two: three\r\n\tfour: five\r\nB: 2\r\n",
                  "{\"a\":[\"1\"],\"b\":[\"2\"]}");
}

Test(headers, are_made_valid_text)
{
    expect_object(
        "A: \xFF\"\\\x01\x7F\r\n\xC3: \xC3\xA9\r\n",
        "{\"a\":[\"\xEF\xBF\xBD\\\"\\\\\\u0001\\u007f\"],\"\xEF\xBF\xBD\":[\"\xC3\xA9\"]}");
}

Test(headers, have_no_nul_in_a_name)
{
    static const char block[] = "a\0b: 1\r\n";
    struct buf out;

    buf_init(&out);
    field_add_headers(block, sizeof block - 1, &out);
    cr_expect_str_eq(out.data,
                     "{\"a\xEF\xBF\xBD"
                     "b\":[\"1\"]}",
                     "%s", out.data);
    buf_release(&out);
}

Test(headers, whose_names_look_alike_are_one)
{
    expect_object("\xFF: 1\r\n\xFE: 2\r\n\xEF\xBF\xBD: 3\r\n",
                  "{\"\xEF\xBF\xBD\":[\"1\",\"2\"],"
                  "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\":[\"3\"]}");
}

static const json_t *list_of(const json_t *object, const char *prefix, int number)
{
    char name[32];

    snprintf(name, sizeof name, "%s%d", prefix, number);
    return json_object_get(object, name);
}

/* As a server may send them that means no good: sorting alone has an end with so many. */
Test(headers, may_be_tens_of_thousands)
{
    enum { COUNT = 50000, NAMES = 25000 };
    struct buf block, out;
    json_t *object;

    buf_init(&block);
    buf_init(&out);
    for (int i = 0; i < COUNT; i++)
        buf_addf(&block, "X-%d: %d\r\n", i % NAMES, i);
    field_add_headers(block.data, block.len, &out);
    object = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_eq(json_object_size(object), NAMES);
    for (int i = 0; i < NAMES; i += 999) {
        const json_t *values = list_of(object, "x-", i);
        cr_assert_eq(json_array_size(values), 2);
        cr_expect_eq(strtol(json_string_value(json_array_get(values, 0)), NULL, 10), i);
        cr_expect_eq(strtol(json_string_value(json_array_get(values, 1)), NULL, 10), i + NAMES);
    }
    json_decref(object);
    buf_release(&block);
    buf_release(&out);
}

Test(headers, are_an_object_whatever_the_bytes)
{
    static const char common[] = ":: \r\n\r\nAaBb\t\"\\";
    unsigned seed = 11;

    for (int round = 0; round < 20000; round++) {
        char block[48];
        size_t len = (unsigned)rand_r(&seed) % sizeof block;
        struct buf out;
        buf_init(&out);
        for (size_t i = 0; i < len; i++)
            block[i] = rand_r(&seed) % 6 ? common[(unsigned)rand_r(&seed) % (sizeof common - 1)]
                                         : (char)(1 + rand_r(&seed) % 255);
        field_add_headers(block, len, &out);
        json_t *object = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
        cr_assert(json_is_object(object), "%s", out.data);
        json_decref(object);
        buf_release(&out);
    }
}

static void expect_first(const char *block, const char *name, const char *expected)
{
    size_t len = 0;
    const char *value = field_find_header(block, strlen(block), name, strlen(name), &len);

    if (expected)
        cr_expect(value && len == strlen(expected) && memcmp(value, expected, len) == 0, "%s",
                  name);
    else
        cr_expect_null(value, "%s", name);
}

Test(headers, are_found_by_name_the_first_of_it)
{
    static const char block[] = STATUS "Content-Type: text/html\r\nX:\r\nX-A:  1 \r\nx-a: 2\r\n"
                                       " x-b: 3\r\n\r\n";

    expect_first(block, "content-type", "text/html");
    expect_first(block, "CONTENT-TYPE", "text/html");
    expect_first(block, "x-a", "1");
    expect_first(block, "x", "");
    expect_first(block, "x-b", NULL);
    expect_first(block, "x-", NULL);
    expect_first(block, "content-typ", NULL);
    expect_first(block, "", NULL);
    expect_first(block, "HTTP/1.1 200 OK", NULL);
    expect_first("", "a", NULL);
}

Test(fields, are_found_by_their_whole_name)
{
    for (const struct field *field = field_table; field->name; field++)
        cr_expect_eq(field_find(field->name, strlen(field->name)), field, "%s", field->name);
    cr_expect_null(field_find("", 0));
    cr_expect_null(field_find("ur", 2));
    cr_expect_null(field_find("URL", 3));
    cr_expect_null(field_find("urls", 4));
    cr_expect_str_eq(field_find("urls", 3)->name, "url");
}

Test(fields, write_each_kind_of_value_in_each_style)
{
    static const struct {
        struct value value;
        const char *json, *text;
    } cases[] = {
        {{.kind = VALUE_ABSENT}, "null", ""},
        {{.kind = VALUE_NULL}, "null", ""},
        {{.kind = VALUE_TEXT, .text = "a\"\n", .len = 3}, "\"a\\\"\\n\"", "a\"\n"},
        {{.kind = VALUE_JSON, .text = "{\"a\":1}", .len = 7}, "{\"a\":1}", "{\"a\":1}"},
        {{.kind = VALUE_NUMBER, .number = 7}, "7", "007"},
        {{.kind = VALUE_SECONDS, .seconds = 0.25}, "0.250000", "0.250000"},
        {{.kind = VALUE_BOOL, .number = 1}, "true", "true"},
        {{.kind = VALUE_BOOL, .number = 0}, "false", "false"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf json, text;
        buf_init(&json);
        buf_init(&text);
        value_add_json(&cases[i].value, &json);
        value_add_text(&cases[i].value, 3, &text);
        cr_expect_str_eq(json.data, cases[i].json, "%s", json.data);
        cr_expect_str_eq(text.data, cases[i].text, "%s", text.data);
        buf_release(&json);
        buf_release(&text);
    }
}
