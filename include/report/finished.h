/*
 * A request that is over, as every report sees it. Borrows what it points to.
 */
#ifndef WEIR_REPORT_FINISHED_H
#define WEIR_REPORT_FINISHED_H

#include <stdint.h>

struct result;

struct finished {
    uint64_t seq;
    const char *url; /* the line as it was read */
    const struct result *result;
    const char *host;                                      /* asked last, or NULL */
    double born_at, first_started_at, started_at, done_at; /* 0: never */
};

#endif
