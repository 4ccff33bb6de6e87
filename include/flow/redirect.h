/*
 * Whether an answer sends us elsewhere, and whether we go. We follow redirects, not libcurl: a hop
 * is a start at the host it leads to, under all its limits, and the chain is in the record.
 *
 * Bound: `max` hops for a request. Knows nothing of: libcurl's own following, which is off.
 */
#ifndef WEIR_FLOW_REDIRECT_H
#define WEIR_FLOW_REDIRECT_H

#include <stdbool.h>

#include "input/request.h"

struct task;
struct url;

struct redirect_rules {
    bool follow;
    bool trusted; /* headers and credentials go along to other hosts too */
    unsigned max;
    unsigned protocols;  /* enum proto_option, or-ed: what is permitted */
    struct ask defaults; /* what a request asks for that says nothing itself */
};

/* Whether a URL's scheme is one of `protocols`. */
bool redirect_permits(unsigned protocols, const struct url *);

/* Judges an answered task. True: the task has its new URL and is to be started again. False: it
 * stays here, and where that is a failure (too many, a scheme that is denied, a Location that is no
 * URL) its result says so. */
bool redirect_follow(const struct redirect_rules *, struct task *);

#endif
