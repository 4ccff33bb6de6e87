/*
 * What there is of a body that has not come whole, and what it takes to ask for the rest: the
 * validator that its origin gave it, which is a strong one. There is none where the rest cannot be
 * asked for.
 *
 * Owns: the validator. Knows nothing of: where the bytes are.
 */
#ifndef WEIR_INPUT_PARTIAL_H
#define WEIR_INPUT_PARTIAL_H

#include <stdint.h>

#include "base/key.h"

/* Nobody has said how long the whole is. */
#define PARTIAL_NO_TOTAL UINT64_MAX

struct partial {
    struct key source; /* of the URL that answered */
    char *validator;   /* as If-Range takes it */
    uint64_t len;      /* bytes that are there */
    uint64_t total;    /* of the whole */
};

/* The validator is copied. */
struct partial *partial_new(const struct key *source, const char *validator, uint64_t total);
/* Accepts NULL. */
void partial_free(struct partial *);

#endif
