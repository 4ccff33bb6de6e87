#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "input/json_text.h"

static void expect_member(const char *object, const char *key, const char *expected)
{
    size_t len = 0;
    const char *value = json_text_member(object, strlen(object), key, &len);

    if (!expected) {
        cr_expect_null(value, "%s in %s", key, object);
        return;
    }
    cr_assert_not_null(value, "%s in %s", key, object);
    cr_expect(len == strlen(expected) && memcmp(value, expected, len) == 0, "%s in %s: %.*s", key,
              object, (int)len, value);
}

Test(json_text, finds_a_value_of_any_kind_exactly_as_it_stands)
{
    static const char *const values[] = {
        "1",
        "-0.10e+5",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\"",
        "{}",
        "[]",
        "{\"k\":2}",
        "[1, [2], {}]",
        "\"}],{[:\"",
        "\"\\\"\"",
        "\"\\\\\"",
        "\"\\\\\\\"k\\\"\"",
        "\"\xC3\xA9\"",
        "[\"]\"]",
        "{\"]\":\"}\"}",
        "[ [ [ ] , 1 ] ]",
        "{\"a\":{\"k\":[\"}\"]}}",
    };
    static const char *const shapes[] = {
        "{\"k\":%s}",
        "{\"k\" : %s }",
        " {\n\t\"k\"\r:\n%s\n} ",
        "{\"a\":1,\"k\":%s}",
        "{\"k\":%s,\"a\":1}",
        "{\"kk\":0,\"\":0,\"k\":%s ,\"K\":0}",
        "{\"a\":{\"k\":0},\"b\":[{\"k\":0}],\"c\":\"\\\"k\\\":0\",\"k\":%s}",
    };

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        for (size_t k = 0; k < ARRAY_LEN(shapes); k++) {
            const char *hole = strstr(shapes[k], "%s");
            char object[200];
            snprintf(object, sizeof object, "%.*s%s%s", (int)(hole - shapes[k]), shapes[k],
                     values[i], hole + 2);
            expect_member(object, "k", values[i]);
        }
    }
}

Test(json_text, finds_no_member_that_there_is_not)
{
    static const char *const objects[] = {
        "{}",
        " { } ",
        "{\"a\":1}",
        "{\"a\":\"k\"}",
        "{\"a\":{\"k\":1}}",
        "{\"a\":[{\"k\":1}]}",
        "{\"kk\":1,\"\":2}",
        "{\"K\":1}",
        "{\"a\":\"\\\",\\\"k\\\":1\"}",
        "{\"\\u006b\":1}",
        "{\"\\\"k\":1,\"k\\\"\":1}",
    };

    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        expect_member(objects[i], "k", NULL);
}

Test(json_text, finds_each_of_many)
{
    static const char object[] = "{\"a\":[1,2],\"b\":\"x\" , \"c\":{\"a\":3}\n,\"d\":4,\"\":5}";

    expect_member(object, "a", "[1,2]");
    expect_member(object, "b", "\"x\"");
    expect_member(object, "c", "{\"a\":3}");
    expect_member(object, "d", "4");
    expect_member(object, "", "5");
    expect_member(object, "e", NULL);
}

Test(json_text, counts_members_as_they_are_written)
{
    static const struct {
        const char *object;
        size_t all, called_k;
    } cases[] = {
        {"{}", 0, 0},
        {" { } ", 0, 0},
        {"{\"k\":1}", 1, 1},
        {"{\"k\":1,\"k\":2}", 2, 2},
        {"{ \"k\" : [1,2] , \"a\" : {\"k\":1,\"k\":2} , \"k\":{} }", 3, 2},
        {"{\"k\":\"\\\",\\\"k\\\":1\",\"\\u006b\":2}", 2, 1},
        {"{\"\":1,\"kk\":2,\"\":3}", 3, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *object = cases[i].object;
        cr_expect_eq(json_text_count(object, strlen(object), NULL), cases[i].all, "%s", object);
        cr_expect_eq(json_text_count(object, strlen(object), "k"), cases[i].called_k, "%s", object);
    }
}

Test(json_text, goes_as_deep_as_a_value_does)
{
    enum { DEPTH = 100000 };
    struct buf object;

    buf_init(&object);
    buf_add_text(&object, "{\"a\":");
    for (int i = 0; i < DEPTH; i++)
        buf_add_char(&object, '[');
    for (int i = 0; i < DEPTH; i++)
        buf_add_char(&object, ']');
    buf_add_text(&object, ",\"k\":1}");
    expect_member(object.data, "k", "1");
    buf_release(&object);
}

Test(json_text, reads_no_byte_behind_its_object)
{
    static const char text[] = "{\"k\":12}";
    char *exact = malloc(sizeof text - 1);
    size_t len = 0;

    cr_assert_not_null(exact);
    memcpy(exact, text, sizeof text - 1);
    cr_expect_eq(json_text_member(exact, sizeof text - 1, "k", &len), exact + 5);
    cr_expect_eq(len, 2);
    cr_expect_null(json_text_member(exact, sizeof text - 1, "j", &len));
    free(exact);
}

Test(json_text, on_one_line_has_blanks_for_line_breaks)
{
    static const char text[] = "{\r\n\t\"a\\n\" :\n1\r}and more";
    char *line = json_text_one_line(text, sizeof text - 1 - 8);

    cr_expect_str_eq(line, "{  \t\"a\\n\" : 1 }", "%s", line);
    free(line);
}

Test(json_text, as_plain_text_is_what_a_string_or_number_stands_for)
{
    static const struct {
        const char *text, *plain;
    } cases[] = {
        {"\"\"", ""},
        {"\"a b\"", "a b"},
        {"\"\\u00e9\\/\\\"\\\\\"", "\xC3\xA9/\"\\"},
        {"7", "7"},
        {"-0.10", "-0.10"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"1E5", "1E5"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = 0;
        char *plain = json_text_plain(cases[i].text, &len);
        cr_expect_str_eq(plain, cases[i].plain, "%s: %s", cases[i].text, plain);
        cr_expect_eq(len, strlen(cases[i].plain), "%s: %zu", cases[i].text, len);
        free(plain);
    }
}

Test(json_text, as_plain_text_may_hold_a_nul)
{
    size_t len = 0;
    char *plain = json_text_plain("\"a\\u0000b\"", &len);

    cr_expect_eq(len, 3);
    cr_expect_eq(memcmp(plain, "a\0b", 4), 0);
    free(plain);
}
