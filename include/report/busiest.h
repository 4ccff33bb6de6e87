/*
 * The hosts with the most results, and what became of these. Where there are more hosts than there
 * is room, the busiest stay, and a host's numbers are from when it came last.
 *
 * Bound: BUSIEST_MAX hosts, names cut to BUSIEST_NAME_MAX bytes. Owns: those.
 */
#ifndef WEIR_REPORT_BUSIEST_H
#define WEIR_REPORT_BUSIEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/top_k.h"
#include "report/spread.h"

struct result;

enum { BUSIEST_MAX = TOP_K_MAX, BUSIEST_NAME_MAX = 200 };

struct busy_host {
    char *name;
    uint64_t ok, failed, retried, bytes;
    uint64_t missed;      /* at most so many before it came */
    struct spread totals; /* of what was answered */
};

struct busiest {
    struct top_k top; /* by their results */
    struct busy_host hosts[BUSIEST_MAX];
};

void busiest_release(struct busiest *);
void busiest_note(struct busiest *, const char *host, const struct result *);

#endif
