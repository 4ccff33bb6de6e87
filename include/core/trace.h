/*
 * W3C trace context: a trace for each request, or for each group of them, and in it a span for each
 * start, so that what an origin logs can be found again in our records, and the other way round.
 *
 * Knows nothing of: headers that a request has of its own.
 */
#ifndef WEIR_CORE_TRACE_H
#define WEIR_CORE_TRACE_H

#include <stddef.h>
#include <stdint.h>

enum { TRACE_ID_SIZE = 32 + 1, TRACE_HEADER_SIZE = 80 };

struct trace_source {
    uint64_t high, low, span; /* of the random numbers */
};

void trace_init(struct trace_source *);
/* A new trace, as 32 hexadecimal digits, not all of them 0. */
void trace_begin(struct trace_source *, char id[TRACE_ID_SIZE]);
/* The header that tells of a new span of that trace. */
void trace_header(struct trace_source *, const char *id, char header[TRACE_HEADER_SIZE]);

#endif
