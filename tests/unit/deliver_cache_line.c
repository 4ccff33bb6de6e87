#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/cache_line.h"
#include "deliver/words.h"

static struct buf text;

static void set_up(void)
{
    buf_init(&text);
}

static void tear_down(void)
{
    buf_release(&text);
}

TestSuite(cache_line, .init = set_up, .fini = tear_down);

static struct cache_line sample(void)
{
    return (struct cache_line){
        .kind = CACHE_KEPT,
        .key = {.high = UINT64_C(0x0123456789abcdef), .low = 0xdeadbeef},
        .place = 0xabc,
        .modified = 784111777,
        .has_stamp = true,
        .stamp = {.size = 4096, .time = UINT64_C(1763730000123456789)},
        .etag = cache_text("W/\"a\\b\""),
        .file = cache_text("out/a b"),
        .url = cache_text("http://a/?q=\n"),
    };
}

static void expect_text(const struct cache_text *read, const char *expected)
{
    char *plain = cache_text_plain(read);

    if (expected)
        cr_expect_str_eq(plain, expected);
    else
        cr_expect_null(plain);
    free(plain);
}

/* So that grep and cut find what the man page says. */
Test(cache_line, has_the_words_of_the_man_page)
{
    const char *start = "kept 0123456789abcdef00000000deadbeef 0000000000000abc W/\"a\\x5cb\" "
                        "784111777 4096:1763730000123456789 - out/a\\x20b http://a/?q=\\x0a ";
    struct cache_line line = sample(), head = {.kind = CACHE_HEAD, .version = CACHE_VERSION};

    cache_line_add(&line, &text);
    cr_expect_eq(strncmp(text.data, start, strlen(start)), 0, "%s", text.data);
    cr_expect_eq(text.len, strlen(start) + 8 + 1, "%s", text.data);
    buf_clear(&text);
    cache_line_add(&head, &text);
    cr_expect_eq(strncmp(text.data, "weir-cache 1 ", 13), 0, "%s", text.data);
}

Test(cache_line, is_read_as_it_was_written)
{
    struct cache_line line = sample(), read;

    cache_line_add(&line, &text);
    cr_assert(cache_line_read(text.data, text.len - 1, &read));
    cr_expect_eq(read.kind, CACHE_KEPT);
    cr_expect_eq(read.key.high, line.key.high);
    cr_expect_eq(read.key.low, line.key.low);
    cr_expect_eq(read.place, line.place);
    cr_expect_eq(read.modified, line.modified);
    cr_expect(read.has_stamp && stamp_is(&read.stamp, &line.stamp));
    cr_expect_not(read.has_former);
    expect_text(&read.etag, "W/\"a\\b\"");
    expect_text(&read.file, "out/a b");
    expect_text(&read.url, "http://a/?q=\n");
}

Test(cache_line, of_nothing_is_read_as_such)
{
    struct cache_line line = {.kind = CACHE_KEPT, .modified = -1, .file = cache_text("-")}, read;

    cache_line_add(&line, &text);
    cr_assert(cache_line_read(text.data, text.len - 1, &read), "%s", text.data);
    cr_expect_eq(read.modified, -1);
    cr_expect_not(read.has_stamp || read.has_former);
    expect_text(&read.etag, NULL);
    expect_text(&read.file, "-");
    expect_text(&read.url, NULL);
}

Test(cache_line, is_refused_when_it_is_cut_anywhere)
{
    struct cache_line line = sample(), read;

    cache_line_add(&line, &text);
    for (size_t len = 0; len < text.len - 1; len++)
        cr_expect_not(cache_line_read(text.data, len, &read), "%zu bytes", len);
}

Test(cache_line, with_what_cannot_be_is_refused)
{
#define KEY_AND_PLACE "kept 0123456789abcdef0123456789abcdef 0123456789abcdef "
    static const char *const lines[] = {
        "weir-cache x",
        "kept",
        "kept 0123456789abcdef 0123456789abcdef - - - - - u",
        "gone 0123456789abcdef0123456789abcdef 0123456789abcdef - - - - - u",
        KEY_AND_PLACE "* - - - - u",
        KEY_AND_PLACE "\"a\\x0d\\x0aX:y\" - - - - u",
        KEY_AND_PLACE "- x - - - u",
        KEY_AND_PLACE "- 253402300800 - - - u",
        KEY_AND_PLACE "- - 5 - - u",
        KEY_AND_PLACE "- - :5 - - u",
        KEY_AND_PLACE "- - 5: - - u",
        KEY_AND_PLACE "- - 5:x - - u",
        KEY_AND_PLACE "- - - - -",
    };
    struct cache_line read;

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        buf_clear(&text);
        buf_add_text(&text, lines[i]);
        words_add_sum(&text, 0);
        cr_expect_not(cache_line_read(text.data, text.len - 1, &read), "%s", lines[i]);
    }
    buf_clear(&text);
    buf_add_text(&text, KEY_AND_PLACE "\"a\" 253402300799 5:6 7:8 f u");
    words_add_sum(&text, 0);
    cr_expect(cache_line_read(text.data, text.len - 1, &read));
}
