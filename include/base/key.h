/*
 * What a request is, wherever it stands in the input: 128 bits made of its own method, URL, headers,
 * payload and id, and of nothing that the command line says.
 */
#ifndef WEIR_BASE_KEY_H
#define WEIR_BASE_KEY_H

#include <stdint.h>

struct request;

struct key {
    uint64_t high, low;
};

struct key key_of(const struct request *);
/* Of any text. */
struct key key_of_text(const char *text);

#endif
