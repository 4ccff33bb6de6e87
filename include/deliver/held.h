/*
 * Lines that wait for the results they tell of to be out: each for the stream of results to have
 * come to a position. Positions only grow.
 *
 * Bound: HELD_BYTES_MAX, kept by whoever asks held_has_room before a result, and what was added since
 * the last mark. Owns: the lines.
 */
#ifndef WEIR_DELIVER_HELD_H
#define WEIR_DELIVER_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { HELD_BYTES_MAX = 256 * 1024 };

/* Lines up to `end` wait for the results to be out up to `position`. */
struct held_mark {
    size_t end;
    uint64_t position;
};

struct held {
    struct buf lines; /* what is to wait is added here, and then marked */
    struct held_mark *marks;
    size_t n_marks, capacity;
};

void held_init(struct held *);
void held_release(struct held *);

/* For another mark. */
bool held_has_room(const struct held *);
/* What was added since the last mark waits for that. */
void held_mark(struct held *, uint64_t position);
/* How many bytes wait for no more than that. */
size_t held_ready(const struct held *, uint64_t position);
/* Forgets the first `len` bytes, of which held_ready told. */
void held_drop(struct held *, size_t len);

#endif
