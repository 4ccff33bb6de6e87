#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

static const struct {
    const char *bytes, *text;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xFB\xEF\xBE", "++++"},
    {"\xFF\xFF\xFF", "////"},
};

Test(base64, writes_what_the_rfc_says)
{
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        char text[16];
        size_t len = base64_encode(vectors[i].bytes, strlen(vectors[i].bytes), text);
        cr_expect_eq(len, strlen(vectors[i].text));
        cr_expect_eq(memcmp(text, vectors[i].text, len), 0, "%s", vectors[i].text);
    }
}

Test(base64, reads_what_the_rfc_says)
{
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct buf bytes;
        buf_init(&bytes);
        cr_expect_eq(base64_decode(vectors[i].text, strlen(vectors[i].text), &bytes), 0);
        cr_expect_str_eq(bytes.data, vectors[i].bytes, "%s", vectors[i].text);
        cr_expect_eq(bytes.len, strlen(vectors[i].bytes));
        buf_release(&bytes);
    }
}

Test(base64, gives_back_every_byte_at_every_length)
{
    char bytes[300], text[400];

    for (size_t len = 0; len <= sizeof bytes; len++) {
        struct buf again;
        buf_init(&again);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)(i * 7 + len);
        size_t text_len = base64_encode(bytes, len, text);
        cr_assert_eq(text_len, (len + 2) / 3 * 4);
        cr_assert_eq(base64_decode(text, text_len, &again), 0);
        cr_assert_eq(again.len, len);
        cr_assert_eq(memcmp(again.data, bytes, len), 0, "%zu bytes", len);
        buf_release(&again);
    }
}

/* As the RFC has it: bit by bit. */
static char letter_at(const unsigned char *bytes, size_t place)
{
    unsigned value = 0;

    for (size_t bit = place * 6; bit < place * 6 + 6; bit++)
        value = value << 1 | (bytes[bit / 8] >> (7 - bit % 8) & 1U);
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[value];
}

Test(base64, has_each_letter_at_each_place)
{
    unsigned seed = 5;

    for (unsigned round = 0; round < 20000; round++) {
        unsigned char bytes[27];
        char text[36];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (unsigned char)rand_r(&seed);
        cr_assert_eq(base64_encode(bytes, sizeof bytes, text), sizeof text);
        for (size_t place = 0; place < sizeof text; place++)
            cr_assert_eq(text[place], letter_at(bytes, place), "round %u, %zu", round, place);
    }
}

Test(base64, by_threes_is_the_same_as_whole)
{
    char bytes[100], whole[136], pieces[136];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 37);
    size_t len = base64_encode(bytes, sizeof bytes, whole);
    for (size_t step = 3; step < sizeof bytes; step += 3) {
        size_t done = 0;
        for (size_t at = 0; at < sizeof bytes; at += step)
            done += base64_encode(bytes + at, MIN(step, sizeof bytes - at), pieces + done);
        cr_expect_eq(done, len);
        cr_expect_eq(memcmp(whole, pieces, len), 0, "by %zu", step);
    }
}

Test(base64, refuses_what_is_none_and_appends_nothing)
{
    static const char *const cases[] = {
        "A",        "AA",       "AAA",   "AAAAA", "=",    "====", "A===", "AA=A",           "=AAA",
        "AA==A",    "AA==AAAA", "AA\nA", "AAAA ", "AAA-", "AAA_", "AAA.", "AAAA\xC3\xA9==", "A A=",
        "AAAA=AAA", "AAA\x80"};
    struct buf bytes;

    buf_init(&bytes);
    buf_add_text(&bytes, "kept");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cr_expect_eq(base64_decode(cases[i], strlen(cases[i]), &bytes), -EINVAL, "%s", cases[i]);
        cr_expect_eq(bytes.len, 4, "%s", cases[i]);
        cr_expect_str_eq(bytes.data, "kept", "%s: %s", cases[i], bytes.data);
    }
    cr_expect_eq(base64_decode("AA\0A", 4, &bytes), -EINVAL);
    cr_expect_eq(base64_decode("AAAAAAA-", 8, &bytes), -EINVAL);
    cr_expect_str_eq(bytes.data, "kept");
    buf_release(&bytes);
}

Test(base64, takes_64_characters_and_no_other)
{
    unsigned taken = 0;

    for (unsigned c = 0; c < 256; c++) {
        char text[] = {'A', (char)c, 'A', 'A'};
        struct buf bytes;
        buf_init(&bytes);
        taken += base64_decode(text, 4, &bytes) == 0;
        buf_release(&bytes);
    }
    cr_expect_eq(taken, 64, "%u", taken);
}
