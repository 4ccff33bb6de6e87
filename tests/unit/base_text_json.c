#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "base/text.h"

static bool is_utf8_by(const char *bytes, size_t len, size_t first, size_t second)
{
    struct utf8_stream stream = {0};

    utf8_stream_feed(&stream, bytes, first);
    utf8_stream_feed(&stream, bytes + first, second - first);
    utf8_stream_feed(&stream, bytes + second, len - second);
    return utf8_stream_is_valid(&stream);
}

static bool is_utf8_by_bytes(const char *bytes, size_t len)
{
    struct utf8_stream stream = {0};

    for (size_t i = 0; i < len; i++)
        utf8_stream_feed(&stream, bytes + i, 1);
    return utf8_stream_is_valid(&stream);
}

static void expect_by_any_pieces(const char *bytes, size_t len, bool expected)
{
    for (size_t first = 0; first <= len; first++) {
        for (size_t second = first; second <= len; second++)
            cr_expect_eq(is_utf8_by(bytes, len, first, second), expected, "%s at %zu, %zu", bytes,
                         first, second);
    }
    cr_expect_eq(is_utf8_by_bytes(bytes, len), expected, "%s by bytes", bytes);
}

Test(utf8_stream, takes_text_by_any_pieces)
{
    static const char *const texts[] = {
        "",
        "plain",
        "eight by eight, and then some more",
        "\xC2\x80\xDF\xBF",
        "\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF",
        "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
        "a\303\251b\342\202\254c\360\237\230\200d",
        "twelve bytes\xF0\x9F\x98\x80 and on",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        expect_by_any_pieces(texts[i], strlen(texts[i]), true);
    expect_by_any_pieces("a\0\xC3\xA9\0", 5, true);
}

Test(utf8_stream, refuses_what_is_none_by_any_pieces)
{
    static const char *const texts[] = {
        "\x80",
        "a\277b",
        "\xC0\x80",                 /* too long for what it says */
        "\xC1\xBF",                 /* the same */
        "\xE0\x80\x80",             /* the same */
        "\xE0\x9F\xBF",             /* the same */
        "\xF0\x80\x80\x80",         /* the same */
        "\xF0\x8F\xBF\xBF",         /* the same */
        "\xED\xA0\x80",             /* a surrogate */
        "\xED\xBF\xBF",             /* a surrogate */
        "\xED\xA0\x80\xED\xB0\x80", /* two of them */
        "\xF4\x90\x80\x80",         /* beyond the last character */
        "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80",
        "\xFE",
        "\xFF",
        "\xC3"
        "a",
        "\xE2\x82"
        "a",
        "\xF0\x9F\x98"
        "a",
        "\xC3\xC3\xA9",
        "\xC3", /* an end that does not come */
        "a long line of plain text\xE2",
        "\xE2\x82",
        "\xF0",
        "\xF0\x9F",
        "\xF0\x9F\x98",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        expect_by_any_pieces(texts[i], strlen(texts[i]), false);
}

Test(utf8_stream, stays_bad)
{
    struct utf8_stream stream = {0};

    utf8_stream_feed(&stream, "a\xFF", 2);
    cr_expect(!utf8_stream_is_valid(&stream));
    utf8_stream_feed(&stream, "good", 4);
    utf8_stream_feed(&stream, "\xC3\xA9", 2);
    cr_expect(!utf8_stream_is_valid(&stream));
}

/* Bytes of which many are of characters, some whole and some not. */
static size_t fill(unsigned *seed, char *bytes, size_t max)
{
    static const char *const pieces[] = {"a",
                                         "bcdefghij",
                                         "\xC3\xA9",
                                         "\xE2\x82\xAC",
                                         "\xF0\x9F\x98\x80",
                                         "\xED\x9F\xBF",
                                         "\xF4",
                                         "\x8F",
                                         "\xED\xA0",
                                         "\xE0",
                                         "\x9F",
                                         "\xC0"};
    unsigned kinds = rand_r(seed) % 2 ? 6 : ARRAY_LEN(pieces);
    size_t len = 0;

    for (unsigned left = (unsigned)rand_r(seed) % 12; left; left--) {
        const char *piece = pieces[(unsigned)rand_r(seed) % kinds];
        if (len + strlen(piece) > max)
            break;
        for (; *piece; piece++)
            bytes[len++] = *piece;
    }
    return len;
}

Test(utf8_stream, agrees_with_the_whole_however_it_is_cut)
{
    unsigned seed = 1, n_valid = 0;
    enum { ROUNDS = 20000 };

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct utf8_stream stream = {0};
        char bytes[64];
        size_t len = fill(&seed, bytes, sizeof bytes);
        for (size_t at = 0; at < len;) {
            size_t most = 1 + (size_t)rand_r(&seed) % 9, piece = MIN(len - at, most);
            utf8_stream_feed(&stream, bytes + at, piece);
            at += piece;
        }
        bool expected = (u8_check)((const uint8_t *)bytes, len) == NULL;
        cr_assert_eq(utf8_stream_is_valid(&stream), expected, "round %u", round);
        n_valid += expected;
    }
    cr_expect(n_valid > ROUNDS / 10 && n_valid < ROUNDS - ROUNDS / 10, "%u", n_valid);
}

static void expect_same_verdict(const char *bytes, size_t len)
{
    struct utf8_stream stream = {0};
    bool expected = (u8_check)((const uint8_t *)bytes, len) == NULL;

    utf8_stream_feed(&stream, bytes, len);
    cr_assert_eq(utf8_stream_is_valid(&stream), expected, "%02x %02x %02x %02x",
                 (unsigned char)bytes[0], (unsigned char)bytes[1], (unsigned char)bytes[2],
                 (unsigned char)bytes[3]);
    cr_assert_eq(text_is_utf8(bytes, len), expected);
}

/* Bytes at the edges of what may stand in a character. */
Test(utf8_stream, knows_each_character_from_what_is_none)
{
    static const unsigned char edges[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0,
                                          0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xFF};

    for (unsigned pair = 0; pair < 65536; pair++) {
        for (size_t i = 0; i < ARRAY_LEN(edges) * ARRAY_LEN(edges); i++) {
            char bytes[] = {(char)(pair >> 8), (char)(pair & 255),
                            (char)edges[i / ARRAY_LEN(edges)], (char)edges[i % ARRAY_LEN(edges)]};
            expect_same_verdict(bytes, sizeof bytes);
        }
    }
}

Test(utf8_stream, finds_the_bad_byte_wherever_it_stands)
{
    for (size_t len = 1; len < 100; len++) {
        for (size_t at = 0; at < len; at++) {
            char bytes[100];
            memset(bytes, 'a', sizeof bytes);
            bytes[at] = '\xFF';
            expect_same_verdict(bytes, len);
        }
    }
}

/* ---- as JSON ---- */

static void expect_json(const char *bytes, size_t len, const char *expected)
{
    struct buf out;

    buf_init(&out);
    text_add_json(&out, bytes, len);
    cr_expect_str_eq(out.data, expected, "%s", out.data);
    buf_release(&out);
}

Test(text_json, escapes_what_a_string_cannot_hold)
{
    expect_json("", 0, "");
    expect_json("plain /<>'", 10, "plain /<>'");
    expect_json("\"\\", 2, "\\\"\\\\");
    expect_json("\b\f\n\r\t", 5, "\\b\\f\\n\\r\\t");
    expect_json("\0\x01\x0B\x1F\x7F", 5, "\\u0000\\u0001\\u000b\\u001f\\u007f");
    expect_json("\xC3\xA9\xF0\x9F\x98\x80", 6, "\xC3\xA9\xF0\x9F\x98\x80");
}

#define SUBSTITUTE "\xEF\xBF\xBD"

Test(text_json, puts_a_substitute_for_each_bad_byte)
{
    expect_json("\xFF", 1, SUBSTITUTE);
    expect_json("a\x80\"", 3, "a" SUBSTITUTE "\\\"");
    expect_json("\xE2\x82", 2, SUBSTITUTE SUBSTITUTE);
    expect_json("\xED\xA0\x80", 3, SUBSTITUTE SUBSTITUTE SUBSTITUTE);
    expect_json("\xC3\xC3\xA9", 3, SUBSTITUTE "\xC3\xA9");
}

static void expect_parsed(const char *bytes, size_t len)
{
    struct buf out, valid;

    buf_init(&out);
    buf_init(&valid);
    buf_add_char(&out, '"');
    text_add_json(&out, bytes, len);
    buf_add_char(&out, '"');
    text_add_valid(&valid, bytes, len, SIZE_MAX);
    for (size_t i = 0; i < out.len; i++)
        cr_assert((unsigned char)out.data[i] >= 0x20 && out.data[i] != 0x7F);
    json_t *value = json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    cr_assert(json_is_string(value), "%s", out.data);
    cr_assert_eq(json_string_length(value), valid.len);
    cr_assert_eq(memcmp(json_string_value(value), valid.data, valid.len), 0, "%s", out.data);
    json_decref(value);
    buf_release(&out);
    buf_release(&valid);
}

Test(text_json, is_read_back_as_what_it_was_with_bad_bytes_replaced)
{
    unsigned seed = 7;

    for (unsigned c = 0; c < 65536; c++) {
        char pair[] = {(char)(c >> 8), (char)(c & 255)};
        expect_parsed(pair, 2);
    }
    for (unsigned round = 0; round < 5000; round++) {
        char bytes[32];
        size_t len = (unsigned)rand_r(&seed) % sizeof bytes;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)rand_r(&seed);
        expect_parsed(bytes, len);
    }
}

Test(text_json, never_grows_beyond_its_bound)
{
    for (unsigned c = 0; c < 128; c++) {
        char in[] = {(char)c, (char)c}, out[2 * TEXT_JSON_GROWTH];
        size_t len = text_write_json(in, 2, out);
        cr_expect(len >= 2 && len <= sizeof out, "%u: %zu", c, len);
        cr_expect_eq(memcmp(out, out + len / 2, len / 2), 0, "%u", c);
    }
}

Test(text_json, may_be_written_by_pieces_that_end_within_a_character)
{
    static const char text[] = "a\"\xF0\x9F\x98\x80\n\xC3\xA9";
    size_t len = sizeof text - 1;
    char whole[100], pieces[100];
    size_t whole_len = text_write_json(text, len, whole);

    for (size_t cut = 0; cut <= len; cut++) {
        size_t at = text_write_json(text, cut, pieces);
        at += text_write_json(text + cut, len - cut, pieces + at);
        cr_expect_eq(at, whole_len);
        cr_expect_eq(memcmp(whole, pieces, at), 0);
    }
}

static void expect_as_by_bytes(const char *bytes, size_t len)
{
    char whole[100 * TEXT_JSON_GROWTH], pieces[100 * TEXT_JSON_GROWTH];
    size_t by_bytes = 0;

    cr_assert(len <= 100);
    for (size_t i = 0; i < len; i++)
        by_bytes += text_write_json(bytes + i, 1, pieces + by_bytes);
    cr_assert_eq(text_write_json(bytes, len, whole), by_bytes, "%zu bytes", len);
    cr_assert_arr_eq(whole, pieces, by_bytes);
}

Test(text_json, escapes_a_byte_wherever_it_stands_among_others)
{
    for (int byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 70; at++) {
            char text[70];
            memset(text, byte == 'x' ? 'y' : '!', sizeof text);
            text[at] = (char)byte;
            expect_as_by_bytes(text, sizeof text);
            expect_as_by_bytes(text, at + 1);
        }
    }
}

Test(text_json, escapes_however_many_there_are)
{
    static const char some[] = "\x01\n\"\\\x1F\x7F";
    unsigned seed = 3;

    for (unsigned round = 0; round < 20000; round++) {
        char text[100];
        size_t len = (unsigned)rand_r(&seed) % (sizeof text + 1);
        unsigned rare = 1 + (unsigned)rand_r(&seed) % 40;
        for (size_t i = 0; i < len; i++) {
            unsigned pick = (unsigned)rand_r(&seed);
            text[i] = pick % rare ? (char)(pick >> 8) : some[pick / rare % (sizeof some - 1)];
        }
        expect_as_by_bytes(text, len);
    }
}
