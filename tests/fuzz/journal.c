/* A line of a journal, which may be anybody's; and a path that is to stand in one. */
#include "fuzz.h"

#include <string.h>

#include "deliver/journal_line.h"
#include "deliver/words.h"

/* What was read, written again, is a line that says the same. */
static void write_again(const struct journal_line *line)
{
    struct journal_line again;
    struct buf plain, text, plain_again;

    buf_init(&plain);
    buf_init(&text);
    buf_init(&plain_again);
    journal_line_add_text(line, &plain);
    struct journal_line copy = *line;
    copy.text = plain.data;
    copy.len = plain.len;
    journal_line_add(&copy, &text);
    PROMISE(memchr(text.data, '\n', text.len) == text.data + text.len - 1);
    PROMISE(journal_line_read(text.data, text.len - 1, &again));
    PROMISE(again.kind == line->kind && again.version == line->version);
    PROMISE(again.mark == line->mark && again.attempts == line->attempts);
    PROMISE(again.key.high == line->key.high && again.key.low == line->key.low);
    PROMISE(again.reason == line->reason && again.offset == line->offset);
    PROMISE(again.boot == line->boot && again.total == line->total);
    PROMISE(strcmp(again.file, line->file) == 0);
    PROMISE(again.source.high == line->source.high && again.source.low == line->source.low);
    journal_line_add_text(&again, &plain_again);
    PROMISE(plain_again.len <= plain.len);
    PROMISE(memcmp(plain_again.data, plain.data, plain_again.len) == 0);
    buf_release(&plain);
    buf_release(&text);
    buf_release(&plain_again);
}

/* The bytes as a path: they come back as they were, and a line cut short is none. */
static void write_path(const char *bytes, size_t size)
{
    struct journal_line line = {.kind = JOURNAL_NAME, .text = bytes, .len = size}, read;
    struct buf text, plain;

    if (!size)
        return;
    buf_init(&text);
    buf_init(&plain);
    journal_line_add(&line, &text);
    PROMISE(journal_line_read(text.data, text.len - 1, &read));
    journal_line_add_text(&read, &plain);
    PROMISE(plain.len == size && memcmp(plain.data, bytes, size) == 0);
    PROMISE(!journal_line_read(text.data, text.len - 2, &read));
    buf_release(&text);
    buf_release(&plain);
}

/* The checksum keeps almost everything out that is made up, so that a right one is given to it. */
static void read_with_sum(const char *bytes, size_t size)
{
    struct journal_line line;
    struct buf text;

    buf_init(&text);
    buf_add(&text, bytes, size);
    words_add_sum(&text, 0);
    if (journal_line_read(text.data, text.len - 1, &line))
        write_again(&line);
    buf_release(&text);
}

int FUZZ(journal)(const uint8_t *bytes, size_t size)
{
    const char *line = (const char *)bytes;
    struct journal_line read;

    if (size > 4096 || memchr(line, '\n', size))
        return 0;
    if (journal_line_read(line, size, &read))
        write_again(&read);
    read_with_sum(line, size);
    write_path(line, size);
    return 0;
}
