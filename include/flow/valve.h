/*
 * What lets the requests of one host through: how many at once, how often, and whether now at all.
 * A host that asks for a pause (429, Retry-After) closes the gate; it opens for one request alone,
 * and for one more with each that goes well, so that a crowd does not run into it again; from half
 * of what ran as a host last had too much, only with each VALVE_PATIENCE, or as many as run.
 *
 * A host that cannot be reached so often in a row is paused: its requests wait, and one at a time
 * probes it, each after twice the wait of the one before. If none gets through while the pause lasts
 * the host is down: its requests fail, and one of them probes it each `down_wait`. No pause ends while
 * a probe's connection stands; its answer or end opens the valve, its cancelling sends another probe.
 *
 * Bound: nothing here grows. Knows nothing of: queues, tasks, the clock (the time is an argument).
 */
#ifndef WEIR_FLOW_VALVE_H
#define WEIR_FLOW_VALVE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "flow/adapt.h"
#include "flow/rate.h"

struct host_limits;

enum { VALVE_PATIENCE = 10 };

/* No wait between two probes is longer; a host that never answered is not paused for longer. */
#define PROBE_WAIT_MAX     30.0
#define STRANGER_PAUSE_MAX 2.0

/* What the command line says of the hosts. */
struct flow_rules {
    unsigned jobs;
    unsigned per_host;             /* 0: as many as jobs */
    struct rate rate;              /* of all starts */
    struct rate host_rate;         /* of the starts to one host */
    const struct host_limits *own; /* of single hosts; NULL: none */
    unsigned errors_max;           /* so many losses in a row pause a host; 0: never */
    double probe_wait;             /* seconds before the first probe of a paused host */
    double pause_max;              /* seconds that a pause lasts; 0: the host is down at once */
    double down_wait; /* seconds from probe to probe of one that is down; 0: no probe */
    uint64_t seed;    /* of the random numbers */
    bool adaptive;
    bool fan_out_at_once; /* the first request to a host does not go alone */
};

/* What the end of a transfer tells about its host. All zero: nothing. */
struct lesson {
    bool answered;     /* an answer came, whatever it was */
    bool heard;        /* an answer began, which may have broken off */
    bool reached;      /* a connection stood, which may have stayed silent */
    bool lost;         /* no connection, or one that was reset before the answer's first byte */
    bool unfound;      /* its name was not found */
    bool overloaded;   /* it has more than it can take: 429, 503, timeout, refused */
    double closed_for; /* it asks for so many seconds without a request */
    double latency;    /* seconds the transfer took */
};

enum valve_state { VALVE_OPEN, VALVE_PAUSED, VALVE_DOWN };

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
    enum valve_state state;
    unsigned streak;      /* losses in a row */
    unsigned outages;     /* how often it was paused */
    bool has_answered;    /* since the record of the host was made */
    bool is_probed;       /* its probe is on its way */
    bool probe_stands;    /* the connection of the last probe came to stand */
    bool was_probed;      /* since it was paused */
    unsigned probe_epoch; /* of the last probe */
    double probe_at;      /* when the next one may start */
    double probe_wait;    /* before the one after that, at most */
    double last_probe_at; /* of this pause */
    double down_at;       /* when the pause ends */
    uint64_t dice;
    struct adapt adapt;
};

/* `host` is `scheme://name:port`. */
void valve_init(struct valve *, const struct flow_rules *, const char *host);

/* Whether nothing may start before a running request ends. */
bool valve_is_full(const struct valve *, const struct flow_rules *);
/* When the next request may start, as far as time is concerned. */
double valve_due(const struct valve *);
/* A pause that has lasted long enough ends: the host is down. */
void valve_turn(struct valve *, const struct flow_rules *, double now);
/* When it is next to be turned, as far as time is concerned; INFINITY for not at all. */
static inline double valve_turn_due(const struct valve *valve)
{
    bool may_end = valve->was_probed && !(valve->is_probed && valve->probe_stands);

    return valve->state == VALVE_PAUSED && may_end ? valve->down_at : INFINITY;
}
/* Whether requests fail at once: the host is down, and no probe is due. */
bool valve_is_down(const struct valve *, double now);
/* As good as one just made: forgetting it costs nothing but to grow anew. */
bool valve_is_fresh(const struct valve *, const struct flow_rules *, double now);

/* A request starts. Returns the epoch, to be given back at its end. */
unsigned valve_take(struct valve *, double now);
/* Its connection stands: no pause ends before it, where it is the probe. */
void valve_note_standing(struct valve *, unsigned epoch);
/* An answer to it has begun: where it is the probe, its host is back. */
void valve_note_heard(struct valve *, unsigned epoch);
/* It ended. */
void valve_give(struct valve *, const struct flow_rules *, unsigned epoch, double started_at,
                const struct lesson *, double now);

#endif
