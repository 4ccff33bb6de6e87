/* A line of a cache, which may be anybody's; and an entity tag and a path that are to stand in one. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "deliver/cache_line.h"
#include "deliver/words.h"

static void compare(const struct cache_text *a, const char *plain)
{
    char *again = cache_text_plain(a);

    PROMISE(!again == !plain);
    PROMISE(!again || strcmp(again, plain) == 0);
    free(again);
}

/* What was read, written again, is a line that says the same; a tag that is read can be sent. */
static void write_again(const struct cache_line *line)
{
    char *etag = cache_text_plain(&line->etag), *file = cache_text_plain(&line->file);
    struct cache_line copy = *line, again;
    struct buf text;

    PROMISE(!etag || condition_is_etag(etag, strlen(etag)));
    copy.etag = cache_text(etag);
    copy.file = cache_text(file);
    buf_init(&text);
    cache_line_add(&copy, &text);
    PROMISE(memchr(text.data, '\n', text.len) == text.data + text.len - 1);
    PROMISE(cache_line_read(text.data, text.len - 1, &again));
    PROMISE(again.kind == line->kind && again.version == line->version);
    PROMISE(again.key.high == line->key.high && again.key.low == line->key.low);
    PROMISE(again.place == line->place && again.modified == line->modified);
    PROMISE(again.has_stamp == line->has_stamp && stamp_is(&again.stamp, &line->stamp));
    PROMISE(again.has_former == line->has_former && stamp_is(&again.former, &line->former));
    compare(&again.etag, etag);
    compare(&again.file, file && *file ? file : NULL);
    buf_release(&text);
    free(etag);
    free(file);
}

/* The bytes as a file's name and a URL, and as a tag where they are one: they come back as they
 * were, and a line cut short is none. */
static void write_texts(const char *bytes, size_t size)
{
    struct cache_line line = {.kind = CACHE_KEPT, .modified = -1}, read;
    struct buf text, plain;

    if (!size)
        return;
    buf_init(&text);
    buf_init(&plain);
    line.file = line.url = (struct cache_text){.at = bytes, .len = size};
    if (condition_is_etag(bytes, size))
        line.etag = line.file;
    cache_line_add(&line, &text);
    PROMISE(cache_line_read(text.data, text.len - 1, &read));
    PROMISE(!read.etag.at == !line.etag.at);
    words_add_plain(&plain, read.file.at, read.file.len);
    PROMISE(plain.len == size && memcmp(plain.data, bytes, size) == 0);
    PROMISE(!cache_line_read(text.data, text.len - 2, &read));
    buf_release(&text);
    buf_release(&plain);
}

/* The checksum keeps almost everything out that is made up, so that a right one is given to it. */
static void read_with_sum(const char *bytes, size_t size)
{
    struct cache_line line;
    struct buf text;

    buf_init(&text);
    buf_add(&text, bytes, size);
    words_add_sum(&text, 0);
    if (cache_line_read(text.data, text.len - 1, &line))
        write_again(&line);
    buf_release(&text);
}

int FUZZ(cache)(const uint8_t *bytes, size_t size)
{
    const char *line = (const char *)bytes;
    struct cache_line read;

    if (size > 4096 || memchr(line, '\n', size))
        return 0;
    if (cache_line_read(line, size, &read))
        write_again(&read);
    read_with_sum(line, size);
    write_texts(line, size);
    return 0;
}
