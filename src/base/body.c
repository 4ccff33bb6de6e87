#include "base/body.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/spool.h"

enum { CHUNK_MAX = 64 * 1024 };

struct chunk {
    struct chunk *next;
    size_t len;
    size_t capacity;
    char bytes[];
};

static size_t cost_of(size_t capacity)
{
    return sizeof(struct chunk) + capacity;
}

/* A chunk for `len` bytes at least: as large as the body already is, so that a small body wastes
 * nothing and a large one has few chunks. NULL where memory has no room for it. */
static struct chunk *new_chunk(const struct body *body, struct store *store, size_t len)
{
    size_t capacity = MAX(len, (size_t)MIN(body->size, CHUNK_MAX));
    uint64_t max = store_body_max(store);
    uint64_t room = max - MIN(store->memory_used, max);

    if (cost_of(capacity) > room)
        capacity = len;
    if (cost_of(capacity) > room)
        return NULL;
    struct chunk *chunk = xmalloc(cost_of(capacity));
    chunk->next = NULL;
    chunk->len = 0;
    chunk->capacity = capacity;
    store->memory_used += cost_of(capacity);
    return chunk;
}

static void append_chunk(struct body *body, struct chunk *chunk)
{
    if (body->last)
        body->last->next = chunk;
    else
        body->first = chunk;
    body->last = chunk;
}

static void fill(struct body *body, const char *bytes, size_t len)
{
    struct chunk *chunk = body->last;

    memcpy(chunk->bytes + chunk->len, bytes, len);
    chunk->len += len;
    body->size += len;
}

/* False where memory has no room for all of it. */
static bool add_to_memory(struct body *body, struct store *store, const char *bytes, size_t len)
{
    size_t room = body->last ? body->last->capacity - body->last->len : 0;
    size_t here = MIN(room, len);
    struct chunk *fresh = NULL;

    if (len > here) {
        fresh = new_chunk(body, store, len - here);
        if (!fresh)
            return false;
    }
    if (here)
        fill(body, bytes, here);
    if (fresh) {
        append_chunk(body, fresh);
        fill(body, bytes + here, len - here);
    }
    return true;
}

/* Blocks for `len` more bytes, all of them or none. */
static int take_blocks(struct body *body, struct store *store, size_t len, bool reserve,
                       struct buf *err)
{
    uint32_t before = body->n_blocks;

    while ((uint64_t)body->n_blocks * SPOOL_BLOCK_BYTES < body->spooled + len) {
        uint32_t block = 0;
        int result = spool_take(store->spool, reserve, &block, err);
        if (result) {
            while (body->n_blocks > before)
                spool_give(store->spool, body->blocks[--body->n_blocks]);
            return result;
        }
        size_t capacity = body->capacity;
        body->blocks = xgrow(body->blocks, body->n_blocks, &capacity, sizeof *body->blocks);
        body->capacity = (uint32_t)capacity;
        body->blocks[body->n_blocks++] = block;
    }
    return 0;
}

static int add_to_spool(struct body *body, struct store *store, const char *bytes, size_t len,
                        bool reserve, struct buf *err)
{
    int result = take_blocks(body, store, len, reserve, err);
    uint64_t size = body->size, spooled = body->spooled;

    while (!result && len) {
        size_t at = (size_t)(body->spooled % SPOOL_BLOCK_BYTES);
        size_t here = MIN(len, SPOOL_BLOCK_BYTES - at);
        uint32_t block = body->blocks[body->spooled / SPOOL_BLOCK_BYTES];
        result = spool_write(store->spool, block, at, bytes, here, err);
        if (result) {
            body->size = size;
            body->spooled = spooled;
            break;
        }
        body->spooled += here;
        body->size += here;
        bytes += here;
        len -= here;
    }
    return result;
}

int body_add(struct body *body, struct store *store, const void *bytes, size_t len, bool reserve,
             struct buf *err)
{
    if (store->checks_utf8)
        utf8_stream_feed(&body->utf8, bytes, len);
    if (!body->spooled && add_to_memory(body, store, bytes, len))
        return 0;
    int result = add_to_spool(body, store, bytes, len, reserve, err);
    if (result == -ENOBUFS)
        store->pressed = true;
    return result;
}

static size_t read_memory(struct body_cursor *cursor, char *bytes, size_t max)
{
    size_t done = 0;

    while (cursor->chunk && done < max) {
        size_t here = MIN(cursor->chunk->len - cursor->in_chunk, max - done);
        memcpy(bytes + done, cursor->chunk->bytes + cursor->in_chunk, here);
        done += here;
        cursor->in_chunk += here;
        if (cursor->in_chunk == cursor->chunk->len) {
            cursor->chunk = cursor->chunk->next;
            cursor->in_chunk = 0;
        }
    }
    return done;
}

static ssize_t read_spool(const struct body *body, const struct store *store, uint64_t from,
                          char *bytes, size_t max, struct buf *err)
{
    size_t at = (size_t)(from % SPOOL_BLOCK_BYTES);
    size_t len = (size_t)MIN(body->spooled - from, max);

    len = MIN(len, SPOOL_BLOCK_BYTES - at);
    int result =
        spool_read(store->spool, body->blocks[from / SPOOL_BLOCK_BYTES], at, bytes, len, err);
    return result ? result : (ssize_t)len;
}

ssize_t body_read(const struct body *body, const struct store *store, struct body_cursor *cursor,
                  void *bytes, size_t max, struct buf *err)
{
    uint64_t in_memory = body->size - body->spooled;
    ssize_t got;

    if (cursor->at == body->size)
        return 0;
    if (cursor->at == 0)
        cursor->chunk = body->first;
    if (cursor->at < in_memory)
        got = (ssize_t)read_memory(cursor, bytes, max);
    else
        got = read_spool(body, store, cursor->at - in_memory, bytes, max, err);
    if (got > 0)
        cursor->at += (uint64_t)got;
    return got;
}

void body_clear(struct body *body, struct store *store)
{
    for (struct chunk *chunk = body->first, *next; chunk; chunk = next) {
        next = chunk->next;
        store->memory_used -= cost_of(chunk->capacity);
        free(chunk);
    }
    for (uint32_t i = 0; i < body->n_blocks; i++)
        spool_give(store->spool, body->blocks[i]);
    free(body->blocks);
    store->given += body->size;
    *body = (struct body){0};
}
