#include "origin.h"

#include <string.h>

#include "blob.h"

static const uint64_t fnv_basis = 0xcbf29ce484222325;
static const uint64_t fnv_prime = 0x100000001b3;

static uint64_t hash_add(uint64_t hash, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * fnv_prime;
    return hash;
}

/* The value of `tag` in a query, as it stands there. */
static const char *find_tag(const char *query, size_t *ret_len)
{
    for (const char *at = query; at && *at; at = strchr(at, '&')) {
        at += *at == '&';
        if (strncmp(at, "tag=", 4) == 0) {
            *ret_len = strcspn(at + 4, "&#");
            return at + 4;
        }
    }
    return NULL;
}

uint64_t origin_seed(const char *target)
{
    size_t path_len = strcspn(target, "?#");
    uint64_t hash = hash_add(fnv_basis, target, path_len);
    size_t len = 0;
    const char *tag = target[path_len] == '?' ? find_tag(target + path_len + 1, &len) : NULL;

    if (tag)
        hash = hash_add(hash_add(hash, "?", 1), tag, len);
    return hash;
}

/* The splitmix64 generator, which reaches its n-th word without the ones before. */
static uint64_t word_at(uint64_t seed, uint64_t index)
{
    uint64_t word = seed + (index + 1) * 0x9e3779b97f4a7c15;

    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    return word ^ (word >> 31);
}

void origin_fill(uint64_t seed, uint64_t offset, void *buf, size_t len)
{
    char *to = buf;

    while (len) {
        uint64_t word = word_at(seed, offset / sizeof word);
        if (offset % sizeof word == 0 && len >= sizeof word) {
            memcpy(to, &word, sizeof word);
            to += sizeof word;
            offset += sizeof word;
            len -= sizeof word;
            continue;
        }
        size_t skip = offset % sizeof word;
        size_t piece = sizeof word - skip;
        if (piece > len)
            piece = len;
        memcpy(to, (const char *)&word + skip, piece);
        to += piece;
        offset += piece;
        len -= piece;
    }
}

void origin_fill_ascii(uint64_t seed, uint64_t offset, void *buf, size_t len)
{
    char *bytes = buf;

    origin_fill(seed, offset, buf, len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)((bytes[i] & 0x5f) | 0x20);
}

void origin_body(const char *target, size_t len, struct blob *blob)
{
    if (!len)
        return;
    origin_fill(origin_seed(target), 0, blob_reserve(blob, len), len);
    blob_extend(blob, len);
}

int64_t origin_differs(const char *target, const void *body, size_t len)
{
    uint64_t seed = origin_seed(target);
    const char *bytes = body;
    char piece[4096];

    for (size_t at = 0; at < len; at += sizeof piece) {
        size_t wanted = len - at < sizeof piece ? len - at : sizeof piece;
        origin_fill(seed, at, piece, wanted);
        if (memcmp(piece, bytes + at, wanted) == 0)
            continue;
        for (size_t i = 0;; i++) {
            if (piece[i] != bytes[at + i])
                return (int64_t)(at + i);
        }
    }
    return -1;
}
