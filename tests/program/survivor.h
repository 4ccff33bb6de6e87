/*
 * A run that is ended again and again, at instants nobody chose, and each time resumed, until it
 * comes to its own end.
 *
 * Owns nothing. Knows nothing of: what it does.
 */
#ifndef TESTS_SURVIVOR_H
#define TESTS_SURVIVOR_H

#include <stddef.h>
#include <stdint.h>

struct survivor {
    const char *const *argv; /* with --journal and --resume */
    const char *input;       /* its stdin, or NULL */
    const int *signals;      /* one of these each time; ends in 0 */
    unsigned ends_max;       /* so often at most, then it is let alone */
    unsigned slowest_ms;     /* it is ended within this time */
    int code;                /* of its own end */
};

/* How often it was ended before its time. */
unsigned survivor_run(const struct survivor *, uint64_t *seed);

#endif
