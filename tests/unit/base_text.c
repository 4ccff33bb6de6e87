#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

#define BAD         "\xEF\xBF\xBD"
#define BYTES(text) text, sizeof(text) - 1

struct text_case {
    const char *bytes;
    size_t len;
    const char *expected;
};

Test(text, knows_utf8_from_what_is_none)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool valid;
    } cases[] = {
        {BYTES(""), true},
        {BYTES("plain"), true},
        {BYTES("a\0b"), true},
        {BYTES("\xC3\xA9"), true},
        {BYTES("\xE2\x82\xAC"), true},
        {BYTES("\xF0\x9F\x98\x80"), true},
        {BYTES("\xF4\x8F\xBF\xBF"), true},
        {BYTES("\xC3"), false},
        {BYTES("\x80"), false},
        {BYTES("\xC0\x80"), false},         /* overlong */
        {BYTES("\xE0\x80\x80"), false},     /* overlong */
        {BYTES("\xED\xA0\x80"), false},     /* a surrogate */
        {BYTES("\xF4\x90\x80\x80"), false}, /* over U+10FFFF */
        {BYTES("\xFF"), false},
        {BYTES("ok\xE2\x82"), false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        cr_expect_eq(text_is_utf8(cases[i].bytes, cases[i].len), cases[i].valid, "case %zu", i);
}

Test(text, puts_a_replacement_for_each_bad_byte)
{
    static const struct text_case cases[] = {
        {BYTES(""), ""},
        {BYTES("plain"), "plain"},
        {BYTES("\xC3\xA9t\xC3\xA9"), "\xC3\xA9t\xC3\xA9"},
        {BYTES("a\xFF"
               "b"),
         "a" BAD "b"},
        {BYTES("\xC3("), BAD "("},
        {BYTES("\xE2\x82"), BAD BAD},
        {BYTES("\x80\x80x"), BAD BAD "x"},
        {BYTES("\xED\xA0\x80"), BAD BAD BAD},
        {BYTES(BAD), BAD},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out);
        text_add_valid(&out, cases[i].bytes, cases[i].len, 100);
        cr_expect_str_eq(out.data, cases[i].expected, "case %zu: %s", i, out.data);
        cr_expect(text_is_utf8(out.data, out.len));
        buf_release(&out);
    }
}

Test(text, is_cut_between_characters_and_never_inside_one)
{
    static const struct {
        const char *text;
        size_t max;
        const char *expected;
    } cases[] = {
        {"abc", 3, "abc"},
        {"abc", 2, "ab"},
        {"abc", 0, ""},
        {"a\xC3\xA9z", 2, "a"},
        {"a\xC3\xA9z", 3, "a\xC3\xA9"},
        {"\xF0\x9F\x98\x80z", 3, ""},
        {"\xF0\x9F\x98\x80z", 4, "\xF0\x9F\x98\x80"},
        {"ab\xFF", 4, "ab"}, /* the replacement takes three */
        {"ab\xFF", 5, "ab" BAD},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out);
        text_add_valid(&out, cases[i].text, strlen(cases[i].text), cases[i].max);
        cr_expect_str_eq(out.data, cases[i].expected, "case %zu: %s", i, out.data);
        buf_release(&out);
    }
}

Test(text, counts_its_limit_from_where_it_appends)
{
    struct buf out;

    buf_init(&out);
    buf_add_text(&out, "before: ");
    text_add_valid(&out, "abcdef", 6, 3);
    cr_expect_str_eq(out.data, "before: abc");
    buf_release(&out);
}

Test(text, escapes_all_that_moves_a_terminal)
{
    static const struct text_case cases[] = {
        {BYTES(""), ""},
        {BYTES("plain ~"), "plain ~"},
        {BYTES("\x1b[31m"), "\\x1b[31m"},
        {BYTES("a\0b"), "a\\x00b"},
        {BYTES("a\r\n\tb"), "a\\x0d\\x0a\\x09b"},
        {BYTES("\x1f\x20\x7e\x7f"), "\\x1f ~\\x7f"},
        {BYTES("\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0"), "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xC2\xA0"},
        {BYTES("\x9b"
               "1m"),
         "\\x9b1m"}, /* C1 as a bare byte */
        {BYTES("\xC3\xA9"), "\xC3\xA9"},
        {BYTES("\xE2\x82"), "\\xe2\\x82"},
        {BYTES("x\xC3"), "x\\xc3"},
        {BYTES(BAD "\xFF"), BAD "\\xff"}, /* a replacement that was there is a character */
        {BYTES("\xE2\x80\xAE"
               "gpj.exe"),
         "\\xe2\\x80\\xaegpj.exe"}, /* U+202E turns what follows */
        {BYTES("\xE2\x80\x8B\xC2\xAD\xEF\xBB\xBF"), "\\xe2\\x80\\x8b\\xc2\\xad\\xef\\xbb\\xbf"},
        {BYTES("\xF3\xA0\x81\x81"), "\\xf3\\xa0\\x81\\x81"}, /* U+E0041, a tag */
        {BYTES("\xD8\xB9\xE3\x81\x82\xF0\x9F\x98\x80"), "\xD8\xB9\xE3\x81\x82\xF0\x9F\x98\x80"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out);
        text_add_escaped(&out, cases[i].bytes, cases[i].len);
        cr_expect_str_eq(out.data, cases[i].expected, "case %zu: %s", i, out.data);
        buf_release(&out);
    }
}

Test(text, of_a_cell_is_valid_and_moves_no_terminal)
{
    static const struct text_case cases[] = {
        {BYTES(""), ""},
        {BYTES("a\tb\nc\rd\\e"), "a\\tb\\nc\\rd\\\\e"},
        {BYTES("\x1b[31m\x7f\0"), "\\x1b[31m\\x7f\\x00"},
        {BYTES("\xC2\x9B\xE2\x80\xAE"), "\\xc2\\x9b\\xe2\\x80\\xae"},
        {BYTES("\xFF\xC3"), BAD BAD},
        {BYTES("\x9b"
               "1m" BAD),
         BAD "1m" BAD},
        {BYTES("\xC3\xA9"), "\xC3\xA9"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out);
        text_add_cell(&out, cases[i].bytes, cases[i].len);
        cr_expect_str_eq(out.data, cases[i].expected, "case %zu: %s", i, out.data);
        buf_release(&out);
    }
}

Test(text, shows_no_more_than_there_is_room_for)
{
    static const struct {
        const char *text;
        size_t max;
        const char *expected;
    } cases[] = {
        {"", 0, ""},           {"a", 0, "..."},          {"abc", 3, "abc"},
        {"abcd", 3, "abc..."}, {"a\xC3\xA9", 2, "a..."}, {"a\xC3\xA9", 3, "a\xC3\xA9"},
        {"a\x01", 4, "a..."},  {"a\x01", 5, "a\\x01"},   {"\x01\x02", 5, "\\x01..."},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out);
        text_add_shown(&out, cases[i].text, strlen(cases[i].text), cases[i].max);
        cr_expect_str_eq(out.data, cases[i].expected, "case %zu: %s", i, out.data);
        buf_release(&out);
    }
}

/* Whether it is valid and holds neither C0 nor DEL nor C1. */
static bool is_harmless(const struct buf *text)
{
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->data[i];
        if (c < 0x20 || c == 0x7F || (c == 0xC2 && (unsigned char)text->data[i + 1] < 0xA0))
            return false;
    }
    return text_is_utf8(text->data, text->len);
}

Test(text, leaves_no_control_byte_of_any_two_bytes)
{
    struct buf out;

    buf_init(&out);
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        char bytes[] = {(char)(pair >> 8), (char)pair};
        buf_clear(&out);
        text_add_escaped(&out, bytes, sizeof bytes);
        if (!is_harmless(&out))
            cr_expect_fail("%04x: %s", pair, out.data);
    }
    buf_release(&out);
}
