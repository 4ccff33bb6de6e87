#include "base/top_k.h"

#include <string.h>
#include <xxhash.h>

#include "base/util.h"

/* Two names with one hash would be one here; among 256 that never happens. */
static bool find(const struct top_k *top, uint64_t hash, size_t *ret_slot)
{
    size_t slot = top->last;

    if (slot >= top->len || top->hashes[slot] != hash) {
        for (slot = 0; slot < top->len && top->hashes[slot] != hash; slot++)
            continue;
    }
    *ret_slot = slot;
    return slot < top->len;
}

static size_t lightest(const struct top_k *top)
{
    size_t found = 0;

    for (size_t i = 1; i < top->len; i++) {
        if (top->weights[i] < top->weights[found])
            found = i;
    }
    return found;
}

size_t top_k_count(struct top_k *top, const char *name, bool *ret_is_new, uint64_t *ret_missed)
{
    uint64_t hash = XXH3_64bits(name, strlen(name));
    size_t slot;

    *ret_is_new = !find(top, hash, &slot);
    if (*ret_is_new) {
        if (top->len < TOP_K_MAX) {
            top->weights[top->len++] = 0;
        } else {
            slot = lightest(top);
            top->turned_out++;
        }
        top->hashes[slot] = hash;
        *ret_missed = top->weights[slot];
    }
    top->weights[slot]++;
    top->last = slot;
    return slot;
}

size_t top_k_order(const uint64_t *counts, size_t len, size_t *order, size_t max)
{
    size_t found = 0;

    for (size_t i = 0; i < len; i++) {
        size_t at = found;
        while (at > 0 && counts[order[at - 1]] < counts[i])
            at--;
        if (at == max)
            continue;
        found = MIN(found + 1, max);
        memmove(&order[at + 1], &order[at], (found - 1 - at) * sizeof *order);
        order[at] = i;
    }
    return found;
}
