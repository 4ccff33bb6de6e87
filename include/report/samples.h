/*
 * Some of the requests of a run, spread evenly over it: each k-th of the input, where k doubles as
 * the room is used up, so that the same input gives the same sample however its answers come.
 *
 * Bound: SAMPLES_MAX, each with a text that its owner bounds. Owns: those texts.
 */
#ifndef WEIR_REPORT_SAMPLES_H
#define WEIR_REPORT_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

enum { SAMPLES_MAX = 5000 };

/* Moments are in seconds from where the run began. */
struct sample {
    uint64_t seq;
    enum reason reason;
    long http_code;
    unsigned attempts, hops;
    uint64_t bytes;
    double born, first_start, last_start, done; /* a start of 0: there was none */
    double connected, answered, received;       /* of the last transfer, from its start; 0: never */
    char *url;                                  /* fit to stand in the page */
};

struct samples {
    struct sample *at; /* in the order they came; NULL: there is none */
    size_t len;
    uint64_t stride; /* each so many of the input; 0: nothing came yet */
};

void samples_release(struct samples *);
/* A place for the one at that position, from 1, all zero; NULL where it is not one of them. */
struct sample *samples_add(struct samples *, uint64_t seq);

#endif
