/*
 * What lets the requests of one host through: how many at once, how often, and whether now at all.
 * A host that asks for a pause (429, Retry-After) closes the gate; it opens for one request alone,
 * and for one more with each that goes well, so that a crowd does not run into it again; from half
 * of what ran as a host last had too much, only with each VALVE_PATIENCE, or as many as run. A host
 * that failed so often in a row that it is given up lets one probe through from time to time.
 *
 * Bound: nothing here grows. Knows nothing of: queues, tasks, the clock (the time is an argument).
 */
#ifndef WEIR_POLICY_VALVE_H
#define WEIR_POLICY_VALVE_H

#include <stdbool.h>

#include "policy/adapt.h"
#include "policy/rate.h"

struct host_limits;

enum { VALVE_PATIENCE = 10 };

/* What the command line says of the hosts. */
struct flow_rules {
    unsigned jobs;
    unsigned per_host;             /* 0: as many as jobs */
    struct rate rate;              /* of all starts */
    struct rate host_rate;         /* of the starts to one host */
    const struct host_limits *own; /* of single hosts; NULL: none */
    unsigned errors_max;           /* so many failures in a row and a host is given up; 0: never */
    double probe_pause;            /* seconds; 0: no probe */
    bool adaptive;
    bool fan_out_at_once; /* the first request to a host does not go alone */
};

/* What the end of a transfer tells about its host. All zero: nothing. */
struct lesson {
    bool answered;     /* an answer came, whatever it was */
    bool failed;       /* the transport did */
    bool overloaded;   /* it has more than it can take: 429, 503, timeout, refused */
    double closed_for; /* it asks for so many seconds without a request */
    double latency;    /* seconds the transfer took */
};

struct valve {
    unsigned max;
    struct rate rate;
    struct bucket bucket;
    unsigned running;
    double closed_until;    /* the gate */
    unsigned ramp;          /* so many of this epoch may run; 0: all may */
    unsigned ceiling;       /* from it on the ramp grows slowly; 0: there is none */
    unsigned good;          /* answers since it last grew slowly */
    unsigned epoch;         /* begun by a closing gate, and by a probe */
    unsigned running_since; /* those of this epoch */
    unsigned streak;        /* failures in a row */
    bool is_down;           /* given up */
    bool is_probed;         /* its probe is on its way */
    double probe_at;
    struct adapt adapt;
};

/* `host` is `scheme://name:port`. */
void valve_init(struct valve *, const struct flow_rules *, const char *host);

/* Whether nothing may start before a running request ends. */
bool valve_is_full(const struct valve *, const struct flow_rules *);
/* When the next request may start, as far as time is concerned. */
double valve_due(const struct valve *);
/* Whether requests fail at once: the host is given up, and no probe is due. */
bool valve_is_down(const struct valve *, double now);
/* As good as one just made: forgetting it costs nothing but to grow anew. */
bool valve_is_fresh(const struct valve *, const struct flow_rules *, double now);

/* A request starts. Returns the epoch, to be given back at its end. */
unsigned valve_take(struct valve *, double now);
/* It ended. */
void valve_give(struct valve *, const struct flow_rules *, unsigned epoch, double started_at,
                const struct lesson *, double now);

#endif
