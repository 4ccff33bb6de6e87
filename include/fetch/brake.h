/*
 * Whether what arrives waits for memory or goes on into the spool. Where bodies go out as fast as
 * they come, memory that is full is soon free again: what waits with its server costs nothing, what
 * passes through the spool is copied twice more. Where they do not, because the reader or the
 * request next in order is slow, waiting would only leave the network idle.
 *
 * Bound: nobody waits longer than BRAKE_MAX, nor than BRAKE_PERIOD where little goes out.
 * Knows nothing of: the clock (the time is an argument), transfers.
 */
#ifndef WEIR_FETCH_BRAKE_H
#define WEIR_FETCH_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/body.h"

#define BRAKE_PERIOD 0.1
#define BRAKE_MAX    2.0

/* What has to go out in a period: a spool takes several times as much. */
enum { BRAKE_BYTES = 8 * 1024 * 1024 };

/* All zero: nobody waits. */
struct brake {
    bool is_in_vain; /* too little went out: who fills the memory goes on into the spool */
    uint64_t given;  /* what the store had been given back when the period began */
    double looks_at; /* when it ends */
};

/* Most of the memory is taken. What is left is for the request next in order, which never waits. */
static inline bool brake_may_want(const struct store *store)
{
    return store->memory_used > store_body_max(store) / 4 * 3;
}

/* Whether who puts bytes into the store is to wait. */
bool brake_wants(struct brake *, const struct store *, double now);
/* The first begins to wait. */
void brake_begin(struct brake *, const struct store *, double now);
/* Whether all who wait, the first of them since `since`, go on: there is room, or no use. */
bool brake_ends(struct brake *, const struct store *, double since, double now);

#endif
