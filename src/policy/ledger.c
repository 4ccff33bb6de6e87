#include "policy/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* A count of 0 with a key is what was taken out; all zeros is a slot that nothing was ever in. */
struct ledger_slot {
    uint32_t key[3];
    uint32_t count;
};

_Static_assert(sizeof(struct ledger_slot) == 16, "the bound says so");

enum { CAPACITY_MIN = 64 };

/* Three quarters full, and it grows. */
static bool is_full(const struct ledger *ledger)
{
    return ledger->used + 1 > ledger->capacity / 4 * 3;
}

/* What failed is another request than what was done, and never all zeros. */
static void make_slot(const struct key *key, enum ledger_kind kind, struct ledger_slot *slot)
{
    slot->key[0] = (uint32_t)(key->high >> 32);
    slot->key[1] = (uint32_t)key->high;
    slot->key[2] = ((uint32_t)(key->low >> 32) & ~UINT32_C(3)) | (kind == LEDGER_FAILED ? 3 : 1);
    slot->count = 0;
}

static bool is_empty(const struct ledger_slot *slot)
{
    return slot->key[2] == 0;
}

static size_t start_of(const struct ledger *ledger, const struct ledger_slot *wanted)
{
    return (wanted->key[0] ^ (uint64_t)wanted->key[1] << 32 ^ wanted->key[2]) % ledger->capacity;
}

/* The slot with that key, or the empty one where it would stand. */
static struct ledger_slot *find(const struct ledger *ledger, const struct ledger_slot *wanted)
{
    for (size_t at = start_of(ledger, wanted);; at++) {
        struct ledger_slot *slot = &ledger->slots[at % ledger->capacity];
        if (is_empty(slot) || memcmp(slot->key, wanted->key, sizeof wanted->key) == 0)
            return slot;
    }
}

void ledger_init(struct ledger *ledger, size_t expected)
{
    *ledger = (struct ledger){.capacity = MAX(expected / 3 * 4 + 4, (size_t)CAPACITY_MIN)};
    ledger->slots = xcalloc(ledger->capacity, sizeof *ledger->slots);
}

void ledger_release(struct ledger *ledger)
{
    free(ledger->slots);
    *ledger = (struct ledger){0};
}

static void grow(struct ledger *ledger)
{
    struct ledger old = *ledger;

    ledger->capacity = old.capacity + old.capacity / 2;
    ledger->slots = xcalloc(ledger->capacity, sizeof *ledger->slots);
    ledger->used = 0;
    for (size_t i = 0; i < old.capacity; i++) {
        if (is_empty(&old.slots[i]) || !old.slots[i].count)
            continue;
        *find(ledger, &old.slots[i]) = old.slots[i];
        ledger->used++;
    }
    free(old.slots);
}

void ledger_add(struct ledger *ledger, const struct key *key, enum ledger_kind kind)
{
    struct ledger_slot wanted;

    make_slot(key, kind, &wanted);
    struct ledger_slot *slot = find(ledger, &wanted);
    if (is_empty(slot)) {
        if (is_full(ledger)) {
            grow(ledger);
            slot = find(ledger, &wanted);
        }
        *slot = wanted;
        ledger->used++;
    }
    slot->count++;
    ledger->requests++;
}

bool ledger_take(struct ledger *ledger, const struct key *key, enum ledger_kind kind)
{
    struct ledger_slot wanted;

    if (!ledger->requests)
        return false;
    make_slot(key, kind, &wanted);
    struct ledger_slot *slot = find(ledger, &wanted);
    if (is_empty(slot) || !slot->count)
        return false;
    slot->count--;
    ledger->requests--;
    return true;
}
