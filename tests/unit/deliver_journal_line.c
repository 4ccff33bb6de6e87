#include <criterion/criterion.h>
#include <string.h>

#include "deliver/journal_line.h"

#define KEY                                                                       \
    {                                                                             \
        .high = UINT64_C(0x0123456789abcdef), .low = UINT64_C(0x00000000deadbeef) \
    }
#define TEXT(words) .text = (words), .len = sizeof(words) - 1

static const struct journal_line samples[] = {
    {.kind = JOURNAL_HEAD, .version = 1},
    {.kind = JOURNAL_RUN, .mark = UINT64_C(0xfedcba9876543210)},
    {.kind = JOURNAL_RUN, .mark = 0},
    {.kind = JOURNAL_NAME,
     .key = KEY,
     .has_digest = true,
     .digest = {.len = UINT64_C(9007199254740993), .hash = {.high = 1, .low = 2}},
     .code = 200,
     TEXT("out/file")},
    {.kind = JOURNAL_NAME, .key = KEY, TEXT(" a b\\c\\x41\t\n\r\x01\x7f\xff\xc3\xa9 ")},
    {.kind = JOURNAL_NAME, .key = KEY, TEXT("\\")},
    {.kind = JOURNAL_FREE, .key = KEY, TEXT("out/a b")},
    {.kind = JOURNAL_DONE, .key = KEY, .reason = REASON_OK, .attempts = 1, TEXT("http://a/")},
    {.kind = JOURNAL_DONE,
     .key = KEY,
     .reason = REASON_HTTP,
     .attempts = 4000000000u,
     .offset = UINT64_C(9007199254740993),
     TEXT("a b\x00"
          "c\\")},
    {.kind = JOURNAL_DONE, .reason = REASON_INVALID, .offset = JOURNAL_NO_OFFSET, TEXT("")},
    {.kind = JOURNAL_REDO,
     .key = KEY,
     .reason = REASON_OUTPUT,
     .attempts = 0,
     .offset = JOURNAL_NO_OFFSET,
     TEXT("http://a/?q=\\x20")},
    {.kind = JOURNAL_PART,
     .key = KEY,
     .boot = UINT64_C(0xfedcba9876543210),
     .file = ".weir-0123456789abcdef-1f",
     .total = UINT64_C(9007199254740993),
     .source = {.high = 1, .low = 2},
     TEXT("\"v 1\"")},
    {.kind = JOURNAL_PART,
     .key = KEY,
     .file = "12345678901234567890123456789012345678901234567",
     .total = JOURNAL_NO_OFFSET,
     TEXT("Sun, 06 Nov 1994 08:49:37 GMT")},
    {.kind = JOURNAL_NAME, .key = KEY, .has_digest = true, TEXT("1 2 3")},
    {.kind = JOURNAL_GROUP, .members = UINT64_C(9007199254740993)},
    {.kind = JOURNAL_NAME, .key = KEY, TEXT("12")}, /* as older ones are */
};

enum { SAMPLES = sizeof samples / sizeof *samples };

static bool has_result(const struct journal_line *line)
{
    return line->kind == JOURNAL_DONE || line->kind == JOURNAL_REDO;
}

/* The text that was read, undone, is the one that was written. */
static void expect_text(const struct journal_line *read, const char *text, size_t len, size_t i)
{
    struct buf plain;

    buf_init(&plain);
    journal_line_add_text(read, &plain);
    cr_expect_eq(plain.len, len, "sample %zu: %zu bytes", i, plain.len);
    cr_expect(plain.len == len && (!len || memcmp(plain.data, text, len) == 0), "sample %zu", i);
    buf_release(&plain);
}

static void expect_same(const struct journal_line *read, const struct journal_line *line, size_t i)
{
    cr_expect_eq(read->kind, line->kind, "sample %zu", i);
    cr_expect_eq(read->version, line->version, "sample %zu", i);
    cr_expect_eq(read->mark, line->mark, "sample %zu", i);
    cr_expect_eq(read->members, line->members, "sample %zu", i);
    cr_expect_eq(read->key.high, line->key.high, "sample %zu", i);
    cr_expect_eq(read->key.low, line->key.low, "sample %zu", i);
    cr_expect_eq(read->has_digest, line->has_digest, "sample %zu", i);
    cr_expect(digest_is(&read->digest, &line->digest), "sample %zu", i);
    cr_expect_eq(read->code, line->code, "sample %zu", i);
    cr_expect_eq(read->boot, line->boot, "sample %zu", i);
    cr_expect_eq(read->total, line->total, "sample %zu", i);
    cr_expect_str_eq(read->file, line->file, "sample %zu", i);
    cr_expect_eq(read->source.high, line->source.high, "sample %zu", i);
    cr_expect_eq(read->source.low, line->source.low, "sample %zu", i);
    expect_text(read, line->text, line->len, i);
    if (!has_result(line))
        return;
    cr_expect_eq(read->reason, line->reason, "sample %zu", i);
    cr_expect_eq(read->attempts, line->attempts, "sample %zu", i);
    cr_expect_eq(read->offset, line->offset, "sample %zu", i);
}

Test(journal_line, is_read_as_it_was_written)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        struct journal_line read;
        struct buf text;
        buf_init(&text);
        journal_line_add(&samples[i], &text);
        cr_assert_eq(text.data[text.len - 1], '\n');
        cr_assert_null(memchr(text.data, '\n', text.len - 1), "sample %zu is two lines", i);
        cr_assert(journal_line_read(text.data, text.len - 1, &read), "sample %zu: %s", i,
                  text.data);
        expect_same(&read, &samples[i], i);
        buf_release(&text);
    }
}

/* So that grep and cut find what the man page says. */
Test(journal_line, has_the_words_of_the_man_page)
{
    static const char *const starts[SAMPLES] = {
        [0] = "weir-journal 1 ",
        [1] = "run fedcba9876543210 ",
        [3] = "name 0123456789abcdef00000000deadbeef 9007199254740993 "
              "00000000000000010000000000000002 200 out/file ",
        [4] = "name 0123456789abcdef00000000deadbeef "
              "\\x20a\\x20b\\x5cc\\x5cx41\\x09\\x0a\\x0d\\x01\\x7f\xff\xc3\xa9\\x20 ",
        [6] = "free 0123456789abcdef00000000deadbeef out/a\\x20b ",
        [7] = "done 0123456789abcdef00000000deadbeef ok 1 0 http://a/ ",
        [8] = "done 0123456789abcdef00000000deadbeef http 4000000000 9007199254740993 "
              "a\\x20b\\x00c\\x5c ",
        [10] = "redo 0123456789abcdef00000000deadbeef output 0 - http://a/?q=\\x5cx20 ",
        [11] = "part 0123456789abcdef00000000deadbeef fedcba9876543210 .weir-0123456789abcdef-1f "
               "9007199254740993 00000000000000010000000000000002 \"v\\x201\" ",
    };

    for (size_t i = 0; i < SAMPLES; i++) {
        struct buf text;
        if (!starts[i])
            continue;
        buf_init(&text);
        journal_line_add(&samples[i], &text);
        cr_expect_eq(strncmp(text.data, starts[i], strlen(starts[i])), 0, "%s", text.data);
        cr_expect_eq(text.len, strlen(starts[i]) + 8 + 1, "%s", text.data);
        buf_release(&text);
    }
}

Test(journal_line, is_refused_when_it_is_cut_anywhere)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        struct journal_line read;
        struct buf text;
        buf_init(&text);
        journal_line_add(&samples[i], &text);
        for (size_t len = 0; len < text.len - 1; len++) {
            cr_expect_not(journal_line_read(text.data, len, &read), "sample %zu at %zu", i, len);
            cr_expect_not(journal_line_read(text.data + len + 1, text.len - 2 - len, &read),
                          "sample %zu from %zu", i, len + 1);
        }
        cr_expect_not(journal_line_read(text.data, text.len, &read), "with its newline");
        buf_release(&text);
    }
}

Test(journal_line, is_refused_when_any_byte_changes)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        struct journal_line read;
        struct buf text;
        buf_init(&text);
        journal_line_add(&samples[i], &text);
        for (size_t at = 0; at < text.len - 1; at++) {
            char before = text.data[at];
            for (int change = 1; change < 256; change++) {
                text.data[at] = (char)(before ^ change);
                cr_assert_not(journal_line_read(text.data, text.len - 1, &read),
                              "sample %zu: byte %zu ^ %d", i, at, change);
            }
            text.data[at] = before;
        }
        buf_release(&text);
    }
}

/* A URL is there to be looked at: its first 200 bytes will do. A path has to be whole. */
Test(journal_line, cuts_urls_and_no_paths)
{
    enum { LEN = 4000 };
    char longest[LEN];
    struct journal_line read;
    struct buf text;

    memset(longest, ' ', sizeof longest);
    for (size_t i = 0; i < 2; i++) {
        struct journal_line line = {
            .kind = i ? JOURNAL_NAME : JOURNAL_DONE, .text = longest, .len = sizeof longest};
        buf_init(&text);
        journal_line_add(&line, &text);
        cr_assert(journal_line_read(text.data, text.len - 1, &read));
        expect_text(&read, longest, i ? LEN : JOURNAL_URL_MAX, i);
        buf_release(&text);
    }
}

Test(journal_line, goes_behind_what_is_there)
{
    struct journal_line read;
    struct buf text;
    size_t end;

    buf_init(&text);
    journal_line_add(&samples[0], &text);
    end = text.len;
    journal_line_add(&samples[3], &text);
    cr_expect(journal_line_read(text.data, end - 1, &read));
    cr_expect_eq(read.kind, JOURNAL_HEAD);
    cr_expect(journal_line_read(text.data + end, text.len - end - 1, &read));
    cr_expect_eq(read.kind, JOURNAL_NAME);
    buf_release(&text);
}
