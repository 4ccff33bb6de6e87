#include "deliver/cache_line.h"

#include <stdlib.h>
#include <string.h>

#include "deliver/words.h"

enum { PLACE_DIGITS = 16 };

static const char *const kinds[] = {[CACHE_HEAD] = "weir-cache", [CACHE_KEPT] = "kept"};

struct cache_text cache_text(const char *text)
{
    return (struct cache_text){.at = text, .len = text ? strlen(text) : 0};
}

/* ---- writing ---- */

/* What is no more than a `-` is not to be taken for nothing. */
static void add_text(struct buf *out, const struct cache_text *text, size_t max)
{
    buf_add_char(out, ' ');
    if (!text->at || !text->len)
        buf_add_char(out, '-');
    else if (words_is(text->at, text->len, "-"))
        buf_add_text(out, "\\x2d");
    else
        words_add_fit(out, text->at, MIN(text->len, max));
}

static void add_stamp(struct buf *out, const struct stamp *stamp, bool is_there)
{
    buf_add_char(out, ' ');
    if (!is_there) {
        buf_add_char(out, '-');
        return;
    }
    buf_add_number(out, stamp->size, 1);
    buf_add_char(out, ':');
    buf_add_number(out, stamp->time, 1);
}

static void add_kept(struct buf *out, const struct cache_line *line)
{
    words_add_key(out, &line->key);
    buf_add_char(out, ' ');
    words_add_hex(out, line->place, PLACE_DIGITS);
    add_text(out, &line->etag, line->etag.len);
    buf_add_char(out, ' ');
    if (line->modified < 0)
        buf_add_char(out, '-');
    else
        buf_add_number(out, (uint64_t)line->modified, 1);
    add_stamp(out, &line->stamp, line->has_stamp);
    add_stamp(out, &line->former, line->has_former);
    add_text(out, &line->file, line->file.len);
    add_text(out, &line->url, CACHE_URL_MAX);
}

void cache_line_add(const struct cache_line *line, struct buf *out)
{
    size_t start = out->len;

    buf_add_text(out, kinds[line->kind]);
    buf_add_char(out, ' ');
    switch (line->kind) {
    case CACHE_HEAD: buf_add_number(out, line->version, 1); break;
    case CACHE_KEPT: add_kept(out, line); break;
    }
    words_add_sum(out, start);
}

/* ---- reading ---- */

static bool read_text(struct words *left, struct cache_text *ret_text)
{
    if (!words_next(left, &ret_text->at, &ret_text->len))
        return false;
    if (words_is(ret_text->at, ret_text->len, "-"))
        *ret_text = (struct cache_text){0};
    return true;
}

static bool read_stamp(struct words *left, struct stamp *ret_stamp, bool *ret_is_there)
{
    const char *word, *colon;
    size_t len;

    if (!words_next(left, &word, &len))
        return false;
    *ret_is_there = !words_is(word, len, "-");
    if (!*ret_is_there)
        return true;
    colon = memchr(word, ':', len);
    return colon && colon > word && colon + 1 < word + len &&
           words_read_number(word, (size_t)(colon - word), &ret_stamp->size) &&
           words_read_number(colon + 1, len - (size_t)(colon + 1 - word), &ret_stamp->time);
}

static bool read_modified(struct words *left, int64_t *ret_modified)
{
    const char *word;
    uint64_t number;
    size_t len;

    *ret_modified = -1;
    if (!words_next(left, &word, &len))
        return false;
    if (words_is(word, len, "-"))
        return true;
    if (!words_read_number(word, len, &number) || number > (uint64_t)CONDITION_TIME_MAX)
        return false;
    *ret_modified = (int64_t)number;
    return true;
}

static bool is_etag(const struct cache_text *text)
{
    char *plain;
    bool is_one;

    if (!text->at)
        return true;
    plain = cache_text_plain(text);
    is_one = condition_is_etag(plain, strlen(plain));
    free(plain);
    return is_one;
}

static bool read_kept(struct words *left, struct cache_line *line)
{
    return words_next_key(left, &line->key) && words_next_hex(left, PLACE_DIGITS, &line->place) &&
           read_text(left, &line->etag) && is_etag(&line->etag) &&
           read_modified(left, &line->modified) &&
           read_stamp(left, &line->stamp, &line->has_stamp) &&
           read_stamp(left, &line->former, &line->has_former) && read_text(left, &line->file) &&
           read_text(left, &line->url);
}

static bool read_head(struct words *left, struct cache_line *line)
{
    uint64_t version;

    if (!words_next_number(left, &version))
        return false;
    line->version = (unsigned)version;
    return true;
}

bool cache_line_read(const char *line, size_t len, struct cache_line *ret_line)
{
    struct words left;
    const char *word;
    size_t word_len;

    *ret_line = (struct cache_line){.modified = -1};
    if (!words_begin(&left, line, len) || !words_next(&left, &word, &word_len))
        return false;
    if (words_is(word, word_len, kinds[CACHE_HEAD]))
        return read_head(&left, ret_line);
    ret_line->kind = CACHE_KEPT;
    return words_is(word, word_len, kinds[CACHE_KEPT]) && read_kept(&left, ret_line);
}

char *cache_text_plain(const struct cache_text *text)
{
    struct buf plain;

    if (!text->at)
        return NULL;
    buf_init(&plain);
    words_add_plain(&plain, text->at, text->len);
    return buf_take(&plain);
}
