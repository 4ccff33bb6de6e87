/*
 * A set of HTTP status codes, as in `--accept 200-299,404`: a bit for each of 0 to 999.
 */
#ifndef WEIR_BASE_CODES_H
#define WEIR_BASE_CODES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { CODES_END = 1000 };

struct codes {
    uint64_t bits[(CODES_END + 63) / 64];
};

/* Whether this status leads elsewhere, given a Location. */
bool code_is_redirect(long code);

void codes_clear(struct codes *);
void codes_add(struct codes *, unsigned first, unsigned last);
/* Adds those that are in `some`, or takes them out. */
void codes_merge(struct codes *, const struct codes *some, bool add);
bool codes_has(const struct codes *, long code);

/* Reads a comma-separated list of codes and ranges, or `any`. -EINVAL, with words in `err`. */
int codes_parse(struct codes *, const char *text, struct buf *err) WARN_UNUSED;

#endif
