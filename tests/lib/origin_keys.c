#include "origin_keys.h"

#include <stddef.h>
#include <stdlib.h>

enum { SLOTS = 2 * ORIGIN_KEYS_MAX };

struct origin_keys {
    size_t used;
    struct {
        uint64_t hash; /* 0: free */
        uint64_t count;
    } slots[SLOTS];
};

struct origin_keys *origin_keys_new(void)
{
    struct origin_keys *keys = calloc(1, sizeof *keys);

    if (!keys)
        abort();
    return keys;
}

void origin_keys_free(struct origin_keys *keys)
{
    free(keys);
}

static uint64_t hash_of(const char *key)
{
    uint64_t hash = 0xcbf29ce484222325;

    while (*key)
        hash = (hash ^ (unsigned char)*key++) * 0x100000001b3;
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

uint64_t origin_keys_count(struct origin_keys *keys, const char *key)
{
    uint64_t hash = hash_of(key);
    size_t at = hash % SLOTS;

    while (keys->slots[at].hash && keys->slots[at].hash != hash)
        at = (at + 1) % SLOTS;
    if (!keys->slots[at].hash) {
        if (keys->used == ORIGIN_KEYS_MAX)
            return UINT64_MAX;
        keys->used++;
        keys->slots[at].hash = hash;
    }
    return keys->slots[at].count++;
}
