/*
 * How many requests one host can take at once, found by trying. The control is TCP Reno's (RFC
 * 5681): the limit doubles each round trip until the first trouble, then grows by about one a round
 * trip, and trouble cuts it, at most once a round trip. It differs in four things: a host's refusal
 * (429, 503, a timeout, a refused connection) stands where TCP has a lost packet; a small limit
 * grows slower, by one in ADAPT_PATIENCE answers, or a host with room for two would refuse every
 * third; as in TCP Vegas latency is trouble too, once a round's average is beyond chance above
 * ADAPT_LATENCY_MAX times the best, and then the limit is cut to the share of it that the best is of
 * that average (not below half); and since the best seen may be of another day, the limit dips from
 * time to time to see the best anew.
 *
 * Bound: between 1 and what its caller allows. Knows nothing of: the clock (the time is an
 * argument).
 */
#ifndef WEIR_FLOW_ADAPT_H
#define WEIR_FLOW_ADAPT_H

#include <stdbool.h>

#define ADAPT_START       2.0
#define ADAPT_CUT         0.7
#define ADAPT_PATIENCE    10.0
#define ADAPT_LATENCY_MAX 1.25
#define ADAPT_DIP_EACH    30.0 /* seconds */

struct adapt {
    double limit;
    double threshold; /* below it the limit doubles each round trip; 0: no trouble was seen yet */
    double cut_at;
    double best;         /* the lowest average of a round; 0: there was none */
    double dip_at;       /* when the limit dips next; 0: not set yet */
    double round_at;     /* when this round began */
    double sum, squares; /* of the latencies in it */
    unsigned count;
};

void adapt_init(struct adapt *);
unsigned adapt_limit(const struct adapt *, unsigned max);
/* An answer that was good. `running`: what was in flight as it ended, with it. */
void adapt_good(struct adapt *, unsigned max, double started_at, double latency, double now,
                unsigned running);
/* The host had more than it could take. */
void adapt_bad(struct adapt *, double started_at, double now);
/* No trouble was seen yet: what is known is soon found again. */
bool adapt_is_fresh(const struct adapt *);

#endif
