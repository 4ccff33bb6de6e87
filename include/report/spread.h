/*
 * Durations counted by size, eight steps an octave: coarse, and small enough for each of many hosts
 * to have one. A share read from it is off by less than 5%. From a microsecond to an hour; what is
 * shorter or longer counts as that.
 *
 * Bound: itself.
 */
#ifndef WEIR_REPORT_SPREAD_H
#define WEIR_REPORT_SPREAD_H

#include <stddef.h>
#include <stdint.h>

enum { SPREAD_STEPS = 8, SPREAD_LEN = 256 };

struct spread {
    uint64_t count;
    double max; /* exact */
    uint64_t counts[SPREAD_LEN];
};

void spread_add(struct spread *, double seconds);
/* The duration that `share` of them (0 to 1) do not exceed; 0 where there are none. */
double spread_at(const struct spread *, double share);
/* Where a place begins, in seconds; it ends where the next begins. */
double spread_from(size_t place);

#endif
