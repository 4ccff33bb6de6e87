/*
 * The names that come most often. Where more come than there is room for, the one with the fewest
 * makes room, and the new one is counted as if it had come as often (Space-Saving), so that the most
 * frequent stay.
 *
 * Bound: TOP_K_MAX names, of which it keeps 64 bits of a hash. Owns: nothing; the caller keeps what
 * it knows of a name in an array of TOP_K_MAX, by its slot.
 */
#ifndef WEIR_BASE_TOP_K_H
#define WEIR_BASE_TOP_K_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOP_K_MAX = 256 };

/* All zero at first. */
struct top_k {
    size_t len, last;    /* last: the slot that was counted last */
    uint64_t turned_out; /* how often a name had to make room */
    uint64_t hashes[TOP_K_MAX];
    uint64_t weights[TOP_K_MAX]; /* how often at most */
};

/* Counts a name and gives its slot. Where *ret_is_new, the slot is the name's from now on, which may
 * have come *ret_missed times before. */
size_t top_k_count(struct top_k *, const char *name, bool *ret_is_new, uint64_t *ret_missed);
/* Gives the indices of the `max` largest of `len` counts, the largest first; how many. */
size_t top_k_order(const uint64_t *counts, size_t len, size_t *order, size_t max);

#endif
