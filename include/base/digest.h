/*
 * A digest tells one body from another: its length and a 128-bit hash of its bytes. A hasher makes one
 * piece by piece, so that a body is never read again for it.
 *
 * Bound: under 1 KiB a hasher. Owns: its state. Knows nothing of: where the bytes go.
 */
#ifndef WEIR_BASE_DIGEST_H
#define WEIR_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/key.h"

struct digest {
    uint64_t len;
    struct key hash;
};

bool digest_is(const struct digest *, const struct digest *);

struct hasher;

struct hasher *hasher_new(void);
/* Accepts NULL. */
void hasher_free(struct hasher *);
/* Forgets every byte. */
void hasher_restart(struct hasher *);
void hasher_add(struct hasher *, const void *bytes, size_t len);
/* How many bytes were added. */
uint64_t hasher_len(const struct hasher *);
/* The digest of the bytes so far; more may be added. */
struct digest hasher_digest(const struct hasher *);

#endif
