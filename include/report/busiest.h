/*
 * The hosts with the most results, and what became of these. Where there are more hosts than there
 * is room, the one with the fewest makes room (Space-Saving: who comes may have had as many before),
 * so that the busiest stay, and a host's numbers are from when it came last.
 *
 * Bound: BUSIEST_MAX hosts, names cut to BUSIEST_NAME_MAX bytes. Owns: those.
 */
#ifndef WEIR_REPORT_BUSIEST_H
#define WEIR_REPORT_BUSIEST_H

#include <stddef.h>
#include <stdint.h>

#include "report/spread.h"

struct result;

enum { BUSIEST_MAX = 256, BUSIEST_NAME_MAX = 200 };

struct busy_host {
    char *name;
    uint64_t ok, failed, retried, bytes;
    uint64_t missed;      /* at most so many before it came */
    struct spread totals; /* of what was answered */
};

struct busiest {
    size_t len, last;    /* where the last one was found */
    uint64_t turned_out; /* how often one had to make room */
    uint64_t hashes[BUSIEST_MAX];
    uint64_t weights[BUSIEST_MAX]; /* results, with those that were missed */
    struct busy_host hosts[BUSIEST_MAX];
};

void busiest_release(struct busiest *);
void busiest_note(struct busiest *, const char *host, const struct result *);
/* Indices into `hosts`, the busiest first; how many. */
size_t busiest_order(const struct busiest *, size_t order[BUSIEST_MAX]);

#endif
