/*
 * One line of the input, made a request: what to fetch and where the line stood. A line that is no
 * request is one too: `invalid` says why, and it keeps its place in the order.
 *
 * Owns: its strings.
 */
#ifndef WEIR_MODEL_REQUEST_H
#define WEIR_MODEL_REQUEST_H

#include <stdint.h>

struct request {
    uint64_t seq;      /* position in the input, from 1 */
    uint64_t line;     /* line of its input, from 1; 0 for an argument */
    const char *input; /* name of its input; borrowed, lives as long as the run */
    char *url;         /* as it was read; of an invalid line its text, made valid and cut short */
    char *invalid;     /* why the line is no request, or NULL */
};

void request_release(struct request *);

#endif
