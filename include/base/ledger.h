/*
 * The requests that an earlier run finished, each as often as it did: what is taken from here need
 * not be done again.
 *
 * Bound: 16 bytes for each key, in a table that is at least half full; at most 32 for each request
 * finished. Of a key 96 bits are kept.
 */
#ifndef WEIR_BASE_LEDGER_H
#define WEIR_BASE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/key.h"

/* A count of 0 with a key is what was taken out; all zeros is a slot that nothing was ever in. */
struct ledger_slot {
    uint32_t key[3];
    uint32_t count;
};

enum { LEDGER_AHEAD = 16 };

struct ledger {
    struct ledger_slot *slots;
    size_t capacity;
    size_t used;
    uint64_t requests;
    /* Added, and on the way: millions of slots are nowhere near the processor. */
    struct ledger_slot ahead[LEDGER_AHEAD];
    size_t n_ahead;
};

/* A failure for a local file's sake is LEDGER_OUTPUT, any other LEDGER_FAILED. Two bits, never zero. */
enum ledger_kind { LEDGER_OK = 1, LEDGER_OUTPUT, LEDGER_FAILED };

/* Makes room for about so many, so that it need not grow. */
void ledger_init(struct ledger *, size_t expected);
void ledger_release(struct ledger *);

void ledger_add(struct ledger *, const struct key *, enum ledger_kind);
bool ledger_has(struct ledger *, const struct key *, enum ledger_kind);
/* Takes one out; false where there is none of that kind. */
bool ledger_take(struct ledger *, const struct key *, enum ledger_kind);

#endif
