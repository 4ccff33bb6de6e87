/*
 * Durations in whole microseconds counted by size, each octave in so many equal steps, so that a
 * percentile read from it is off by less than 1%. Up to twelve days; what is longer counts as that.
 *
 * Bound: itself.
 */
#ifndef WEIR_REPORT_HISTOGRAM_H
#define WEIR_REPORT_HISTOGRAM_H

#include <stddef.h>
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

/* Deals them out to at most `max` (two or more) rows, each of which goes up to as many times as long
 * as the one before, at least HISTOGRAM_ROW_RATIO: how many are in each, and up to how long those
 * are. The share HISTOGRAM_ODD that is shortest is in the first; the one that is longest, where it
 * is far off, in the last. How many rows. */
#define HISTOGRAM_ODD       0.01
#define HISTOGRAM_ROW_RATIO 1.05
struct histogram_row {
    uint64_t count;
    double limit;
};
size_t histogram_rows(const struct histogram *, struct histogram_row *rows, size_t max);

#endif
