/*
 * The account of --memory, and the spool behind it. Bodies take their share of it as they grow.
 * Everything else that requests hold (lines, tasks, redirect chains, decoders, the text of a record)
 * is charged with store_hold by who allocates it, and given back with store_give by who frees it.
 *
 * Bound: with limit = memory_max + STORE_FLOOR, bodies stop taking memory at 7/8 of the limit and at
 * memory_max, reading at 15/16 and while the rest holds half of it, starting at the limit. The gaps
 * are for what runs already.
 * Owns: the spool. Knows nothing of: what is held.
 */
#ifndef WEIR_BASE_STORE_H
#define WEIR_BASE_STORE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"

struct spool;

/* Requests may hold so many bytes beside bodies however small --memory is: hundreds of them fit. */
enum { STORE_FLOOR = 1024 * 1024 };

struct store {
    struct spool *spool; /* taken */
    uint64_t memory_max;
    uint64_t memory_used; /* by bodies */
    uint64_t held;        /* by all else */
    uint64_t given;       /* bytes of bodies that were emptied */
    bool checks_utf8;     /* bodies are to know whether they are UTF-8 */
    bool pressed;         /* a body found no room, and it is not roomy again yet */
};

void store_init(struct store *, struct spool *spool, uint64_t memory_max);
void store_release(struct store *);

static inline void store_hold(struct store *store, uint64_t bytes)
{
    store->held += bytes;
}

static inline void store_give(struct store *store, uint64_t bytes)
{
    assert(store->held >= bytes);
    store->held -= bytes;
}

static inline uint64_t store_limit(const struct store *store)
{
    return store->memory_max + STORE_FLOOR;
}

/* Bytes of the memory that bodies may take now. */
static inline uint64_t store_body_max(const struct store *store)
{
    uint64_t of_all = store_limit(store) / 8 * 7;

    return MIN(store->memory_max, of_all - MIN(store->held, of_all));
}

static inline uint64_t store_in_use(const struct store *store)
{
    return store->memory_used + store->held;
}

/* Whether another request may be read. */
static inline bool store_may_read(const struct store *store)
{
    uint64_t limit = store_limit(store);

    return store->held < limit / 2 && store_in_use(store) < limit / 16 * 15;
}

/* Whether a running transfer may be charged with so many bytes. */
static inline bool store_may_hold(const struct store *store, uint64_t bytes)
{
    return store_in_use(store) + bytes <= store_limit(store);
}

/* Whether a transfer may start that is not next in order. Once a body found no room it takes half a
 * free spool to say yes; store_has_room looks at that anew. */
bool store_may_start(const struct store *);
bool store_has_room(struct store *);

#endif
