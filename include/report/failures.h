/*
 * What failed, as one wants to know it at the end of a run: how many for each reason, with the first
 * few of them, and at which hosts.
 *
 * Bound: FAILURE_EXAMPLES for each reason, cut to FAILURE_TEXT_MAX bytes; FAILURE_HOSTS hosts. Where
 * more hosts than that have failures, the worst stay, and a host's failures are counted from when it
 * came last.
 */
#ifndef WEIR_REPORT_FAILURES_H
#define WEIR_REPORT_FAILURES_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/top_k.h"

struct failing_host;
struct finished;

enum {
    FAILURE_EXAMPLES = 3,
    FAILURE_TEXT_MAX = 200,
    FAILURE_HOSTS = TOP_K_MAX,
    FAILURE_HOSTS_TOLD = 10
};

struct failure_example {
    uint64_t seq;
    char *url;
    char *message; /* "" for none */
};

struct failing_host {
    uint64_t failed;
    uint64_t reasons[REASON_COUNT];
    char *name; /* `scheme://name:port`, cut short */
};

struct failures {
    uint64_t reasons[REASON_COUNT];
    struct failure_example examples[REASON_COUNT][FAILURE_EXAMPLES];
    struct top_k top; /* of the hosts, by their failures */
    struct failing_host hosts[FAILURE_HOSTS];
};

void failures_release(struct failures *);
/* The request failed. A halted or cancelled one is no failure of its host. */
void failures_note(struct failures *, const struct finished *);
/* The hosts with the most of them, at most FAILURE_HOSTS_TOLD; how many. */
size_t failures_worst(const struct failures *,
                      const struct failing_host *worst[FAILURE_HOSTS_TOLD]);

#endif
