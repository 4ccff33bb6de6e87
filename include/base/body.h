/*
 * The bytes of an answer: in memory while the run's memory lasts, then on in the spool. A body only
 * grows, and is read from the front once it is whole.
 *
 * The store counts its memory and its blocks of the spool, and body_clear gives them back.
 *
 * Owns: its chunks and blocks. Knows nothing of: requests, transfers, formats.
 */
#ifndef WEIR_BASE_BODY_H
#define WEIR_BASE_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/store.h"
#include "base/text.h"

struct chunk;

/* Somewhere else for a body's bytes to go, embedded in what knows where. */
struct sink {
    /* All of them, or a negative errno with words in `err`. */
    int (*write)(struct sink *, const void *bytes, size_t len, struct buf *err);
    /* Another body begins: what was written counts no more. Likewise. */
    int (*restart)(struct sink *, struct buf *err);
};

struct body {
    struct chunk *first, *last; /* in memory */
    uint32_t *blocks;           /* in the spool, behind what is in memory */
    uint32_t n_blocks, capacity;
    uint64_t size;
    struct utf8_stream utf8; /* where the store asks for it */
    uint64_t spooled;        /* bytes of size that are in the spool */
};

/* A place in a body that is being read; zeroed: its start. */
struct body_cursor {
    const struct chunk *chunk;
    uint64_t at;
    size_t in_chunk;
};

/* Appends all of it or, on failure, nothing. -ENOBUFS: no room, and where `reserve` is set not even
 * in what is kept back for the request next in order. Any other: trouble with the spool, in
 * `err`. */
int body_add(struct body *, struct store *, const void *bytes, size_t len, bool reserve,
             struct buf *err) WARN_UNUSED;
/* Copies the next bytes, at most `max`: how many, 0 at the end, or a negative errno. */
ssize_t body_read(const struct body *, const struct store *, struct body_cursor *, void *bytes,
                  size_t max, struct buf *err) WARN_UNUSED;
/* Whether it has taken any room; where an addition failed, that may be without a byte in it. */
static inline bool body_holds_room(const struct body *body)
{
    return body->first || body->n_blocks;
}
/* Empties it and gives what it took back. */
void body_clear(struct body *, struct store *);

#endif
