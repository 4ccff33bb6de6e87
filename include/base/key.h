/*
 * A key: 128 bits of xxHash for a text. Two texts with one key are taken for the same.
 */
#ifndef WEIR_BASE_KEY_H
#define WEIR_BASE_KEY_H

#include <stddef.h>
#include <stdint.h>

struct key {
    uint64_t high, low;
};

struct key key_of_bytes(const char *bytes, size_t len);
struct key key_of_text(const char *text);

#endif
