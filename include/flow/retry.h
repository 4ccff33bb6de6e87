/*
 * Whether a request that failed is tried again, and when: the verdict table, full jitter, and a
 * budget, so that retries are a small share of the first tries and never multiply an outage.
 *
 * Knows nothing of: hosts, the clock.
 */
#ifndef WEIR_FLOW_RETRY_H
#define WEIR_FLOW_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/codes.h"
#include "base/reason.h"

/* So many retries are free of the budget, however few the first tries. */
enum { RETRY_BUDGET_FLOOR = 10 };

/* curl's code for a TLS handshake that broke off; its others are of certificates, which stay bad. */
enum { CODE_BROKEN_HANDSHAKE = 35 };

struct retry_rules {
    unsigned max;
    bool all_methods; /* also those that are not safe to repeat */
    struct codes on;
    double delay, max_delay; /* seconds */
    double budget;           /* retries as a share of first tries; INFINITY: none */
};

struct retry_state {
    uint64_t tries, retries;
    uint64_t dice; /* of the random numbers */
};

/* How an attempt ended. */
struct retry_case {
    enum reason reason;
    int exitcode; /* curl's */
    long http_code;
    const char *method;
    unsigned attempts; /* made so far, this one too */
    int own_max;       /* the request's own number of retries, -1: as the rules say */
};

void retry_init(struct retry_state *, uint64_t seed);
/* A request is tried for the first time. */
void retry_note_try(struct retry_state *);
/* Whether such an end is worth another try. */
bool retry_wants(const struct retry_rules *, const struct retry_case *);
/* Takes a retry from the budget; false where there is none left in it. */
bool retry_spend(const struct retry_rules *, struct retry_state *);
/* Seconds to wait after so many attempts: anything from 0 to a limit that doubles with each. */
double retry_pause(const struct retry_rules *, struct retry_state *, unsigned attempts);

#endif
