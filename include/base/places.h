/*
 * Where in a file the line with a key stands.
 *
 * Bound: 16 bytes for each key, in a table that is at least half full once it has grown: at most 32
 * for each. Of a key 64 bits are kept, so whoever reads the line compares the key there.
 */
#ifndef WEIR_BASE_PLACES_H
#define WEIR_BASE_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/key.h"

struct places_slot {
    uint64_t key;
    uint64_t offset; /* one more than that; 0: an empty slot */
};

struct places {
    struct places_slot *slots;
    size_t capacity, used;
};

void places_release(struct places *);

/* In the place of what is there. */
void places_put(struct places *, const struct key *, uint64_t offset);
bool places_find(const struct places *, const struct key *, uint64_t *ret_offset);

#endif
