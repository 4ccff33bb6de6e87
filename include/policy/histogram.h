/*
 * Durations in whole microseconds counted by size, each octave in so many equal steps, so that a
 * percentile read from it is off by less than 1%. Up to twelve days; what is longer counts as that.
 *
 * Bound: itself.
 */
#ifndef WEIR_POLICY_HISTOGRAM_H
#define WEIR_POLICY_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_STEP_BITS = 7, /* 128 steps an octave */
    HISTOGRAM_OCTAVES = 33,
    HISTOGRAM_LEN = (HISTOGRAM_OCTAVES + 1) << HISTOGRAM_STEP_BITS
};

struct histogram {
    uint64_t count;
    double max; /* exact */
    uint64_t counts[HISTOGRAM_LEN];
};

void histogram_add(struct histogram *, double seconds);
/* The duration that `share` of them (0 to 1) do not exceed; 0 where there are none. */
double histogram_at(const struct histogram *, double share);

#endif
