#include <criterion/criterion.h>
#include <string.h>

#include "base/key.h"
#include "deliver/words.h"

static struct buf line;

static void set_up(void)
{
    buf_init(&line);
}

static void tear_down(void)
{
    buf_release(&line);
}

TestSuite(words, .init = set_up, .fini = tear_down);

Test(words, come_back_as_they_were_written)
{
    struct key key = {.high = 0x123, .low = UINT64_MAX}, read_key;
    struct words words;
    const char *word;
    uint64_t number;
    size_t len;

    buf_add_text(&line, "not of the line ");
    size_t start = line.len;
    words_add_key(&line, &key);
    buf_add_char(&line, ' ');
    words_add_hex(&line, 0xbeef, 6);
    buf_add_text(&line, " 42 a-word");
    words_add_sum(&line, start);
    cr_assert(words_begin(&words, line.data + start, line.len - start - 1));
    cr_assert(words_next_key(&words, &read_key));
    cr_expect_eq(read_key.high, key.high);
    cr_expect_eq(read_key.low, key.low);
    cr_assert(words_next_hex(&words, 6, &number));
    cr_expect_eq(number, 0xbeef);
    cr_assert(words_next_number(&words, &number));
    cr_expect_eq(number, 42);
    cr_assert(words_next(&words, &word, &len));
    cr_expect(words_is(word, len, "a-word"));
    cr_expect_not(words_is(word, len, "a-wor"));
    cr_expect_not(words_is(word, len, "a-words"));
    cr_expect_not(words_next(&words, &word, &len), "that was the last");
}

Test(words, of_a_line_that_was_changed_or_cut_are_not_read)
{
    struct words words;

    buf_add_text(&line, "run 1234");
    words_add_sum(&line, 0);
    cr_assert(words_begin(&words, line.data, line.len - 1));
    for (size_t len = 0; len < line.len - 1; len++)
        cr_expect_not(words_begin(&words, line.data, len), "%zu bytes", len);
    for (size_t i = 0; i < line.len - 1; i++) {
        line.data[i] ^= 1;
        cr_expect_not(words_begin(&words, line.data, line.len - 1), "byte %zu", i);
        line.data[i] ^= 1;
    }
}

Test(words, that_are_no_numbers_are_not_read_as_such)
{
    uint64_t number = 7;

    cr_expect_not(words_read_number("12x", 3, &number));
    cr_expect_not(words_read_number("-1", 2, &number));
    cr_expect_not(words_read_number("12345678901234567890", 20, &number));
    cr_expect_eq(number, 7);
    cr_expect(words_read_number("1234567890123456789", 19, &number));
    cr_expect_eq(number, UINT64_C(1234567890123456789));
}

Test(words, made_fit_have_no_blank_and_come_back_as_they_were)
{
    char all[256];
    struct buf plain;

    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    words_add_fit(&line, all, sizeof all);
    for (size_t i = 0; i < line.len; i++)
        cr_expect((unsigned char)line.data[i] > ' ' && line.data[i] != 0x7f, "byte %zu", i);
    buf_init(&plain);
    words_add_plain(&plain, line.data, line.len);
    cr_expect_eq(plain.len, sizeof all);
    cr_expect_eq(memcmp(plain.data, all, sizeof all), 0);
    buf_release(&plain);
}
