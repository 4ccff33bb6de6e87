/*
 * So many starts in a time, evenly spaced: the generic cell rate algorithm. A bucket is one number,
 * when the next start falls due if starts come one by one; a burst may run ahead of it.
 *
 * Bound: over any stretch of time at most its share, the burst, and what RATE_LATE_MAX is worth.
 * Knows nothing of: the clock (the time is an argument, and more than 0).
 */
#ifndef WEIR_FLOW_RATE_H
#define WEIR_FLOW_RATE_H

#include <stdbool.h>

/* A start that comes no later than this behind its time keeps the grid, so that a loop which wakes
 * up a little late does not lower the rate. */
#define RATE_LATE_MAX 0.020

struct rate {
    double interval; /* seconds from one start to the next; 0: no limit */
    unsigned burst;  /* starts that may come at once, at least 1 */
};

/* All zero: full. */
struct bucket {
    double next;
};

/* The earliest time at which a start may be; 0 for at any. */
double rate_due(const struct rate *, const struct bucket *);
/* Notes a start, which may be. */
void rate_take(const struct rate *, struct bucket *, double now);
/* As good as fresh. */
bool rate_is_full(const struct rate *, const struct bucket *, double now);

#endif
