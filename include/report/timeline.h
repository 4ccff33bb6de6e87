/*
 * What went on at each time of a run: starts, ends, and how much was in flight, in bins of equal
 * width. The sums are exact; the bins grow twice as wide each time the run outgrows them.
 *
 * Bound: TIMELINE_BINS.
 */
#ifndef WEIR_REPORT_TIMELINE_H
#define WEIR_REPORT_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

enum { TIMELINE_BINS = 1024 };

/* A bin's width, in seconds, at the beginning. */
#define TIMELINE_WIDTH 0.001

struct timeline_bin {
    uint64_t starts;
    uint64_t ok, failed, undone; /* by when they ended; halted and cancelled ones are undone */
    double busy;                 /* seconds in flight, of all together */
    unsigned peak;               /* the most that were in flight at once */
    unsigned limit;              /* the most that were permitted */
};

struct timeline {
    double begun, width;
    double counted_to; /* the time in flight is summed up to here */
    unsigned running, limit;
    size_t n_bins; /* used */
    struct timeline_bin bins[TIMELINE_BINS];
};

void timeline_init(struct timeline *, double now);
/* So many may be in flight from now on. */
void timeline_note_limit(struct timeline *, unsigned limit, double now);
void timeline_note_start(struct timeline *, double now);
void timeline_note_end(struct timeline *, double now);
/* A request was done for good at that time, which may lie in the past. */
void timeline_note_done(struct timeline *, enum reason, double when);
/* Sums up to now. */
void timeline_advance(struct timeline *, double now);

#endif
