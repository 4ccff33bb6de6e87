/*
 * What the command line says of single hosts: `--per-host HOST=N`, `--host-rate HOST=R`. A host is
 * named as `name`, `name:port` or `scheme://name[:port]`; the most exact of what fits counts.
 *
 * Owns: its strings. Bound: the command line.
 */
#ifndef WEIR_INPUT_HOST_LIMITS_H
#define WEIR_INPUT_HOST_LIMITS_H

#include <stddef.h>

#include "base/util.h"

struct host_limit {
    char *host;      /* lower case */
    unsigned jobs;   /* 0: not said */
    double interval; /* seconds from start to start; 0: not said */
};

struct host_limits {
    struct host_limit *at;
    size_t len;
};

void host_limits_release(struct host_limits *);

/* -EINVAL where `host` can be none. */
int host_limits_set_jobs(struct host_limits *, const char *host, size_t host_len,
                         unsigned jobs) WARN_UNUSED;
int host_limits_set_interval(struct host_limits *, const char *host, size_t host_len,
                             double interval) WARN_UNUSED;

/* What is said of the host `scheme://name:port`; zeros where nothing is. */
struct host_limit host_limits_find(const struct host_limits *, const char *key);

#endif
