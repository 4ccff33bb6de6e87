#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "input/json_plain.h"
#include "input/json_text.h"

static bool is_plain(const char *text)
{
    struct json_plain plain;

    return json_plain_read(text, strlen(text), &plain);
}

static void expect_piece(const struct json_piece *piece, const char *expected)
{
    if (!expected) {
        cr_expect_null(piece->text);
        return;
    }
    cr_assert_not_null(piece->text, "%s", expected);
    cr_expect_eq(piece->len, strlen(expected), "%s: %zu", expected, piece->len);
    cr_expect_eq(memcmp(piece->text, expected, strlen(expected)), 0, "%s", expected);
}

Test(json_plain, finds_what_a_request_says)
{
    static const char text[] = " { \"id\" : -7 , \"url\":\"http://h/\xC3\xA9?a b\",\"context\": "
                               "{ \"a\" : [ 1, {}, [ ], null ] } ,\"group\":\"g\"} ";
    struct json_plain plain;

    cr_assert(json_plain_read(text, strlen(text), &plain));
    expect_piece(&plain.url, "http://h/\xC3\xA9?a b");
    expect_piece(&plain.id, "-7");
    expect_piece(&plain.context, "{ \"a\" : [ 1, {}, [ ], null ] }");
    expect_piece(&plain.group, "\"g\"");
    cr_assert(json_plain_read("{\"url\":\"\"}", 10, &plain));
    expect_piece(&plain.url, "");
    expect_piece(&plain.id, NULL);
    expect_piece(&plain.context, NULL);
    expect_piece(&plain.group, NULL);
}

Test(json_plain, takes_any_plain_context)
{
    static const char *const contexts[] = {"0",
                                           "-0",
                                           "12.50",
                                           "123456789012345",
                                           "\"\"",
                                           "\"\x7F\"",
                                           "true",
                                           "false",
                                           "[]",
                                           "{\"\":0}",
                                           "[[[1]]]",
                                           "{\"a\":1,\"a\":2}",
                                           "[{\"a\":[true]},{}]"};
    struct buf text;

    buf_init(&text);
    for (size_t i = 0; i < ARRAY_LEN(contexts); i++) {
        struct json_plain plain;
        buf_setf(&text, "{\"url\":\"h\",\"context\":%s}", contexts[i]);
        cr_assert(json_plain_read(text.data, text.len, &plain), "%s", text.data);
        expect_piece(&plain.context, contexts[i]);
    }
    buf_release(&text);
}

Test(json_plain, leaves_the_rest_to_the_parser)
{
    static const char *const texts[] = {
        "",
        "{",
        "{}",
        "[]",
        "{\"url\"}",
        "{\"url\":}",
        "{\"url\":\"h\"",
        "{\"url\":\"h}",
        "{\"url\":\"h\",}",
        "{,\"url\":\"h\"}",
        "{\"url\":\"h\"}}",
        "{\"url\":\"h\"} x",
        "{\"url\":1}",
        "{\"url\":null}",
        "{\"id\":1}",
        "{\"url\":\"h\",\"url\":\"h\"}",
        "{\"url\":\"h\\u0041\"}",
        "{\"url\":\"h\tx\"}",
        "{\"url\":\"h\x80\"}",
        "{\"\\u0075rl\":\"h\"}",
        "{\"url\":\"h\",\"id\":null}",
        "{\"url\":\"h\",\"id\":[1]}",
        "{\"url\":\"h\",\"group\":true}",
        "{\"url\":\"h\",\"reason\":\"ok\"}",
        "{\"url\":\"h\",\"method\":\"GET\"}",
        "{\"url\":\"h\",\"context\":01}",
        "{\"url\":\"h\",\"context\":1.}",
        "{\"url\":\"h\",\"context\":.5}",
        "{\"url\":\"h\",\"context\":-}",
        "{\"url\":\"h\",\"context\":1e3}",
        "{\"url\":\"h\",\"context\":1234567890123456}",
        "{\"url\":\"h\",\"context\":nul}",
        "{\"url\":\"h\",\"context\":nulll}",
        "{\"url\":\"h\",\"context\":[1,]}",
        "{\"url\":\"h\",\"context\":[,1]}",
        "{\"url\":\"h\",\"context\":[1 2]}",
        "{\"url\":\"h\",\"context\":[1}",
        "{\"url\":\"h\",\"context\":{\"a\":1]}",
        "{\"url\":\"h\",\"context\":{\"a\"}}",
        "{\"url\":\"h\",\"context\":{\"a\":}}",
        "{\"url\":\"h\",\"context\":{1:1}}",
        "{\"url\":\"h\",\"context\":{\"a\":1,}}",
        "{\"url\":\"h\",\"context\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        cr_expect(!is_plain(texts[i]), "%s", texts[i]);
}

static void expect_as_in_text(const char *text, size_t len, const char *key,
                              const struct json_piece *piece)
{
    size_t their_len = 0;
    const char *theirs = json_text_member(text, len, key, &their_len);

    cr_assert_eq(piece->text, theirs, "%s: %.*s", key, (int)len, text);
    cr_assert_eq(piece->len, their_len, "%s: %.*s", key, (int)len, text);
}

/* Whatever is called plain is what the parser takes it for. Whether it was called so. */
static bool check_with_parser(const char *text, size_t len)
{
    struct json_plain plain;

    if (!json_plain_read(text, len, &plain))
        return false;
    json_t *object = json_loadb(text, len, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    cr_assert(json_is_object(object), "%.*s", (int)len, text);
    json_t *url = json_object_get(object, "url"), *id = json_object_get(object, "id");
    json_t *group = json_object_get(object, "group");
    cr_assert_eq(json_object_size(object), json_text_count(text, len, NULL));
    cr_assert_eq(json_object_size(object),
                 1U + !!id + !!group + !!json_object_get(object, "context"));
    cr_assert_eq(json_string_length(url), plain.url.len, "%.*s", (int)len, text);
    cr_assert_eq(memcmp(json_string_value(url), plain.url.text, plain.url.len), 0);
    cr_assert(!id || json_is_string(id) || json_is_number(id));
    cr_assert(!group || json_is_string(group) || json_is_number(group));
    expect_as_in_text(text, len, "id", &plain.id);
    expect_as_in_text(text, len, "context", &plain.context);
    expect_as_in_text(text, len, "group", &plain.group);
    json_decref(object);
    return true;
}

static unsigned pick(unsigned *seed, unsigned of)
{
    return (unsigned)rand_r(seed) / 7 % of;
}

static void add_one_of(unsigned *seed, struct buf *text, const char *const *pieces, unsigned count)
{
    buf_add_text(text, pieces[pick(seed, count)]);
}

static void add_value(unsigned *seed, struct buf *text)
{
    static const char *const values[] = {"1",
                                         "-1.25",
                                         "0",
                                         "true",
                                         "null",
                                         "\"s\"",
                                         "\"\xE2\x82\xAC\"",
                                         "[1, \"b\"]",
                                         "{}",
                                         "[[],{}]",
                                         "{\"a\":{\"b\" : [ ]}}",
                                         "1e400",
                                         "\"\\n\"",
                                         "[1,"};

    add_one_of(seed, text, values, ARRAY_LEN(values));
}

static void add_object(unsigned *seed, struct buf *text)
{
    static const char *const names[] = {"\"url\"",   "\"id\"",       "\"context\"",
                                        "\"group\"", "\"context\" ", "\"retry\""};

    buf_add_text(text, "{\"url\":\"http://h/\"");
    for (unsigned left = pick(seed, 4); left; left--) {
        buf_add_text(text, pick(seed, 4) ? "," : " , ");
        add_one_of(seed, text, names, ARRAY_LEN(names));
        buf_add_text(text, pick(seed, 4) ? ":" : ": ");
        add_value(seed, text);
    }
    buf_add_char(text, '}');
}

static void spoil(unsigned *seed, struct buf *text)
{
    static const char others[] = "{}[]\",:\\ 01-.et\n\x01\x7F\x80\xC3\xA9";

    for (unsigned left = pick(seed, 3); left; left--) {
        size_t at = pick(seed, (unsigned)text->len);
        text->data[at] = others[pick(seed, sizeof others)];
    }
}

Test(json_plain, is_of_one_mind_with_the_parser)
{
    enum { ROUNDS = 100000 };
    unsigned seed = 11, n_plain = 0;
    struct buf text;

    buf_init(&text);
    for (unsigned round = 0; round < ROUNDS; round++) {
        buf_clear(&text);
        add_object(&seed, &text);
        spoil(&seed, &text);
        n_plain += check_with_parser(text.data, text.len);
    }
    cr_expect(n_plain > ROUNDS / 10 && n_plain < ROUNDS - ROUNDS / 10, "%u", n_plain);
    buf_release(&text);
}

Test(json_plain, reads_nothing_behind_the_text)
{
    static const char text[] = "{\"url\":\"h\",\"context\":[true,{\"a\":-1.5}],\"id\":\"x\"}";

    for (size_t len = 0; len < sizeof text - 1; len++) {
        struct json_plain plain;
        char *exact = xmalloc(len + !len);
        memcpy(exact, text, len);
        cr_expect(!json_plain_read(exact, len, &plain), "%zu", len);
        free(exact);
    }
}
