#include "deliver/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/line_file.h"
#include "base/places.h"
#include "deliver/held.h"

enum { READ_FIRST = 1024, WRITE_PIECE = 256 * 1024 };

/* So many lines that count for one that does not, and it is rewritten. */
enum { LIVE_FOR_A_DEAD_ONE = 4 };

struct cache {
    char *path;
    int fd;
    bool is_new;  /* it has no head yet */
    uint64_t end; /* behind its last whole line */
    uint64_t lines;
    struct places places;
    struct held held;
    char line[CACHE_LINE_MAX]; /* the last that was found */
};

/* ---- reading ---- */

static void note_line(struct cache *cache, const char *bytes, size_t len, uint64_t offset)
{
    struct cache_line line;

    cache->lines++;
    if (len < CACHE_LINE_MAX && cache_line_read(bytes, len, &line) && line.kind == CACHE_KEPT)
        places_put(&cache->places, &line.key, offset);
}

/* A line that is broken is passed over: each stands for itself. */
static void walk(struct cache *cache, const struct line_file_text *text)
{
    size_t at = 0, len;

    for (; line_file_line(text, at, &len); at += len + 1) {
        if (at)
            note_line(cache, text->bytes + at, len, at);
    }
    cache->end = at;
}

static void add_head(struct buf *out)
{
    struct cache_line head = {.kind = CACHE_HEAD, .version = CACHE_VERSION};

    cache_line_add(&head, out);
}

/* What a run that was killed as it began may have left. */
static bool is_torn_head(const struct line_file_text *text)
{
    struct buf head;

    buf_init(&head);
    add_head(&head);
    bool is_torn = text->len < head.len && memcmp(text->bytes, head.data, text->len) == 0;
    buf_release(&head);
    return is_torn;
}

static int check(struct cache *cache, const struct line_file_text *text, struct buf *err)
{
    struct cache_line line;
    size_t len;

    cache->is_new = is_torn_head(text);
    if (cache->is_new)
        return 0;
    if (!line_file_line(text, 0, &len) || len >= CACHE_LINE_MAX ||
        !cache_line_read(text->bytes, len, &line) || line.kind != CACHE_HEAD) {
        buf_setf(err, "--cache: %s is no cache of weir", cache->path);
        return -EINVAL;
    }
    if (line.version == CACHE_VERSION)
        return 0;
    buf_setf(err, "--cache: %s is of version %u, and this program writes %d", cache->path,
             line.version, CACHE_VERSION);
    return -EINVAL;
}

static int load(struct cache *cache, struct buf *err)
{
    struct line_file_text text;
    int result = line_file_map(cache->fd, &text);

    if (result) {
        buf_setf(err, "cannot use the cache %s: %s", cache->path, strerror(-result));
        return result;
    }
    result = check(cache, &text, err);
    if (!result && !cache->is_new)
        walk(cache, &text);
    line_file_unmap(&text);
    return result;
}

int cache_open(const char *path, struct cache **ret_cache, struct buf *err)
{
    struct cache *cache = xcalloc(1, sizeof *cache);

    cache->path = xstrdup(path);
    cache->fd = -1;
    held_init(&cache->held);
    int result = line_file_open(path, "cache", true, &cache->fd, err);
    if (!result)
        result = load(cache, err);
    if (result) {
        cache_free(cache);
        return result;
    }
    *ret_cache = cache;
    return 0;
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    if (cache->fd >= 0)
        close(cache->fd);
    places_release(&cache->places);
    held_release(&cache->held);
    free(cache->path);
    free(cache);
}

int cache_fd(const struct cache *cache)
{
    return cache->fd;
}

/* The line that begins at `offset`, of which `max` bytes are read; false where it is longer. */
static bool read_line(struct cache *cache, uint64_t offset, size_t max, size_t *ret_len)
{
    ssize_t got = pread(cache->fd, cache->line, max, (off_t)offset);
    const char *end = got > 0 ? memchr(cache->line, '\n', (size_t)got) : NULL;

    if (end)
        *ret_len = (size_t)(end - cache->line);
    return end != NULL;
}

/* Only where it stands was remembered; what stands there is looked at again. */
bool cache_find(struct cache *cache, const struct key *key, struct cache_line *ret_line)
{
    uint64_t offset;
    size_t len;

    if (!places_find(&cache->places, key, &offset))
        return false;
    if (!read_line(cache, offset, READ_FIRST, &len) &&
        !read_line(cache, offset, sizeof cache->line, &len))
        return false;
    return cache_line_read(cache->line, len, ret_line) && ret_line->kind == CACHE_KEPT &&
           ret_line->key.high == key->high && ret_line->key.low == key->low;
}

/* ---- writing ---- */

static int append(struct cache *cache, const char *bytes, size_t len)
{
    struct line_file_text text = {.bytes = bytes, .len = len};
    int result = line_file_write(cache->fd, bytes, len);
    size_t at = 0, line_len;

    if (result)
        return result;
    for (; line_file_line(&text, at, &line_len); at += line_len + 1)
        note_line(cache, bytes + at, line_len, cache->end + at);
    cache->end += len;
    return 0;
}

int cache_begin(struct cache *cache)
{
    int result = line_file_cut(cache->fd, cache->end);
    struct buf head;

    if (result || !cache->is_new)
        return result;
    buf_init(&head);
    add_head(&head);
    result = line_file_write(cache->fd, head.data, head.len);
    cache->end = head.len;
    buf_release(&head);
    return result;
}

int cache_write(struct cache *cache, const struct cache_line *line)
{
    struct buf text;

    buf_init(&text);
    cache_line_add(line, &text);
    int result = append(cache, text.data, text.len);
    buf_release(&text);
    return result;
}

void cache_add(struct cache *cache, const struct cache_line *line, uint64_t position)
{
    cache_line_add(line, &cache->held.lines);
    held_mark(&cache->held, position);
}

bool cache_has_room(const struct cache *cache)
{
    return held_has_room(&cache->held);
}

int cache_release(struct cache *cache, uint64_t position)
{
    size_t len = held_ready(&cache->held, position);

    if (!len)
        return 0;
    int result = append(cache, cache->held.lines.data, len);
    held_drop(&cache->held, len);
    return result;
}

/* ---- made anew ---- */

static bool is_live(const struct cache *cache, const char *bytes, size_t len, size_t at)
{
    struct cache_line line;
    uint64_t offset;

    return len < CACHE_LINE_MAX && cache_line_read(bytes, len, &line) && line.kind == CACHE_KEPT &&
           places_find(&cache->places, &line.key, &offset) && offset == at;
}

static int write_live(const struct cache *cache, const struct line_file_text *text, int fd)
{
    struct buf lines;
    int result = 0;
    size_t len;

    buf_init(&lines);
    add_head(&lines);
    for (size_t at = 0; !result && line_file_line(text, at, &len); at += len + 1) {
        if (is_live(cache, text->bytes + at, len, at))
            buf_add(&lines, text->bytes + at, len + 1);
        if (lines.len < WRITE_PIECE)
            continue;
        result = line_file_write(fd, lines.data, lines.len);
        buf_clear(&lines);
    }
    if (!result)
        result = line_file_write(fd, lines.data, lines.len);
    buf_release(&lines);
    return result;
}

int cache_tidy(struct cache *cache)
{
    struct line_file_new new_file;
    struct line_file_text text;
    uint64_t dead = cache->lines - cache->places.used;
    int result;

    if (!dead || dead * LIVE_FOR_A_DEAD_ONE < cache->places.used)
        return 0;
    result = line_file_map(cache->fd, &text);
    if (result)
        return result;
    result = line_file_begin(&new_file, cache->path);
    if (!result)
        result = line_file_end(&new_file, cache->fd, write_live(cache, &text, new_file.fd));
    line_file_unmap(&text);
    return result;
}
