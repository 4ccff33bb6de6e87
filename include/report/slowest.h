/*
 * The requests that took longest, the longest first; of two that took as long the one that came
 * first.
 *
 * Bound: SLOWEST_MAX, their URLs cut to SLOWEST_URL_MAX bytes. Owns: those.
 */
#ifndef WEIR_REPORT_SLOWEST_H
#define WEIR_REPORT_SLOWEST_H

#include <stddef.h>
#include <stdint.h>

struct finished;

enum { SLOWEST_MAX = 5, SLOWEST_URL_MAX = 200 };

struct slow_request {
    double seconds;
    uint64_t seq;
    long http_code;
    char *url;
};

struct slowest {
    struct slow_request at[SLOWEST_MAX];
    size_t len;
};

void slowest_release(struct slowest *);
/* The request took so long. */
void slowest_note(struct slowest *, const struct finished *, double seconds);

#endif
