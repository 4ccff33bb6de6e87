#include "base/digest.h"

#include <stdlib.h>
#include <xxhash.h>

#include "base/util.h"

struct hasher {
    XXH3_state_t *state;
    uint64_t len;
};

bool digest_is(const struct digest *digest, const struct digest *other)
{
    return digest->len == other->len && digest->hash.high == other->hash.high &&
           digest->hash.low == other->hash.low;
}

struct hasher *hasher_new(void)
{
    struct hasher *hasher = xcalloc(1, sizeof *hasher);

    hasher->state = XXH3_createState();
    if (!hasher->state)
        out_of_memory();
    hasher_restart(hasher);
    return hasher;
}

void hasher_free(struct hasher *hasher)
{
    if (!hasher)
        return;
    XXH3_freeState(hasher->state);
    free(hasher);
}

void hasher_restart(struct hasher *hasher)
{
    hasher->len = 0;
    XXH3_128bits_reset(hasher->state);
}

void hasher_add(struct hasher *hasher, const void *bytes, size_t len)
{
    hasher->len += len;
    XXH3_128bits_update(hasher->state, bytes, len);
}

uint64_t hasher_len(const struct hasher *hasher)
{
    return hasher->len;
}

struct digest hasher_digest(const struct hasher *hasher)
{
    XXH128_hash_t sum = XXH3_128bits_digest(hasher->state);

    return (struct digest){.len = hasher->len, .hash = {.high = sum.high64, .low = sum.low64}};
}
