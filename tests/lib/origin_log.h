/*
 * What the origin saw, in one mapping that the serving child writes and its parent reads: counters,
 * then records one behind the other. One writer; a record is there for readers once `used` covers
 * it. The mapping stands at the same address on both sides of the fork, so records hold pointers.
 *
 * Owns: the mapping. Knows nothing of: sockets, scripts.
 */
#ifndef RIG_ORIGIN_LOG_H
#define RIG_ORIGIN_LOG_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct origin_record;
struct origin_request;

/* The connection that a request came by. Texts without a port, "" of a Unix socket. */
struct origin_path {
    uint64_t connection;
    const char *local;
    const char *peer;
};

struct origin_log {
    _Atomic uint64_t accepted;
    _Atomic uint64_t open;
    _Atomic uint64_t open_peak;
    _Atomic uint64_t requests;
    _Atomic uint64_t in_service;
    _Atomic uint64_t in_service_peak;
    _Atomic uint64_t unlogged;
    _Atomic uint64_t used; /* bytes of records */
    uint64_t capacity;     /* 0: nothing is logged */
    alignas(16) char records[];
};

/* NULL with errno. */
struct origin_log *origin_log_new(bool quiet);
void origin_log_free(struct origin_log *);

/* NULL when it is full or quiet. Texts are copied. */
struct origin_record *origin_log_add(struct origin_log *, const struct origin_request *,
                                     const struct origin_path *, double now);

#endif
