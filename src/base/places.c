#include "base/places.h"

#include <stdlib.h>

#include "base/util.h"

_Static_assert(sizeof(struct places_slot) == 16, "the bound says so");

enum { CAPACITY_MIN = 64 };

void places_release(struct places *places)
{
    free(places->slots);
    *places = (struct places){0};
}

static uint64_t short_key(const struct key *key)
{
    return key->high ^ key->low;
}

/* The slot with that key, or the empty one where it would stand. */
static struct places_slot *find(const struct places *places, uint64_t key)
{
    for (size_t at = (size_t)(key % places->capacity);; at = (at + 1) % places->capacity) {
        struct places_slot *slot = &places->slots[at];
        if (!slot->offset || slot->key == key)
            return slot;
    }
}

static void grow(struct places *places)
{
    struct places old = *places;

    places->capacity = MAX(old.capacity + old.capacity / 2, (size_t)CAPACITY_MIN);
    places->slots = xcalloc(places->capacity, sizeof *places->slots);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].offset)
            *find(places, old.slots[i].key) = old.slots[i];
    }
    free(old.slots);
}

/* Three quarters full, and it grows. */
void places_put(struct places *places, const struct key *key, uint64_t offset)
{
    if (places->used + 1 > places->capacity / 4 * 3)
        grow(places);
    struct places_slot *slot = find(places, short_key(key));
    places->used += !slot->offset;
    *slot = (struct places_slot){.key = short_key(key), .offset = offset + 1};
}

bool places_find(const struct places *places, const struct key *key, uint64_t *ret_offset)
{
    const struct places_slot *slot = places->capacity ? find(places, short_key(key)) : NULL;

    if (!slot || !slot->offset)
        return false;
    *ret_offset = slot->offset - 1;
    return true;
}
