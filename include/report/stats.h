/*
 * What the run amounted to: results counted by reason, and bytes of bodies.
 */
#ifndef WEIR_REPORT_STATS_H
#define WEIR_REPORT_STATS_H

#include <stdint.h>

#include "base/reason.h"

struct result;

struct stats {
    uint64_t results;
    uint64_t reasons[REASON_COUNT];
    uint64_t body_bytes;
    uint64_t starts;         /* transfers begun */
    uint64_t retries;        /* attempts after a first */
    uint64_t opened, reused; /* connections, as far as there are facts */
    unsigned peak_in_flight;
    uint64_t done_before, failed_before; /* by the run that is resumed; those are no results */
};

void stats_count(struct stats *, const struct result *);
void stats_note_in_flight(struct stats *, unsigned running);
uint64_t stats_failed(const struct stats *);

#endif
