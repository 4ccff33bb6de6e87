#include "base/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

_Static_assert(sizeof(struct ledger_slot) == 16, "the bound says so");

enum { CAPACITY_MIN = 64 };

/* Three quarters full, and it grows. */
static bool is_full(const struct ledger *ledger)
{
    return ledger->used + 1 > ledger->capacity / 4 * 3;
}

/* The kind makes two requests of one, and is never all zeros. */
static void make_slot(const struct key *key, enum ledger_kind kind, struct ledger_slot *slot)
{
    slot->key[0] = (uint32_t)(key->high >> 32);
    slot->key[1] = (uint32_t)key->high;
    slot->key[2] = ((uint32_t)(key->low >> 32) & ~UINT32_C(3)) | (uint32_t)kind;
    slot->count = 0;
}

static bool is_empty(const struct ledger_slot *slot)
{
    return slot->key[2] == 0;
}

static size_t start_of(const struct ledger *ledger, const struct ledger_slot *wanted)
{
    uint64_t hash = wanted->key[0] ^ (uint64_t)wanted->key[1] << 32 ^ wanted->key[2];

    return (size_t)(hash % ledger->capacity);
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

    ledger->capacity = MAX(old.capacity + old.capacity / 2, (size_t)CAPACITY_MIN);
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

static void put(struct ledger *ledger, const struct ledger_slot *wanted)
{
    struct ledger_slot *slot = find(ledger, wanted);

    if (is_empty(slot)) {
        if (is_full(ledger)) {
            grow(ledger);
            slot = find(ledger, wanted);
        }
        *slot = *wanted;
        ledger->used++;
    }
    slot->count++;
}

static void put_all(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->n_ahead; i++)
        put(ledger, &ledger->ahead[i]);
    ledger->n_ahead = 0;
}

void ledger_add(struct ledger *ledger, const struct key *key, enum ledger_kind kind)
{
    struct ledger_slot *wanted = &ledger->ahead[ledger->n_ahead++];

    make_slot(key, kind, wanted);
    __builtin_prefetch(&ledger->slots[start_of(ledger, wanted)], 1);
    ledger->requests++;
    if (ledger->n_ahead == LEDGER_AHEAD)
        put_all(ledger);
}

/* NULL where there is none. */
static struct ledger_slot *look_up(struct ledger *ledger, const struct key *key,
                                   enum ledger_kind kind)
{
    struct ledger_slot wanted;

    if (!ledger->requests)
        return NULL;
    put_all(ledger);
    make_slot(key, kind, &wanted);
    struct ledger_slot *slot = find(ledger, &wanted);
    return is_empty(slot) || !slot->count ? NULL : slot;
}

bool ledger_has(struct ledger *ledger, const struct key *key, enum ledger_kind kind)
{
    return look_up(ledger, key, kind) != NULL;
}

bool ledger_take(struct ledger *ledger, const struct key *key, enum ledger_kind kind)
{
    struct ledger_slot *slot = look_up(ledger, key, kind);

    if (!slot)
        return false;
    slot->count--;
    ledger->requests--;
    return true;
}
