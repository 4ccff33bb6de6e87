/*
 * Crews: libcurl's multi handles, the sockets and the timer that each wants to hear of. The first
 * takes what is started. Where libcurl closes a connection for another's sake it keeps the entry of
 * its host, and walks all of them for every transfer; so after so many connections another crew
 * takes over, and this one goes once its last transfer has ended.
 *
 * Bound: CREWS_MAX at once; where that many have work, the first keeps its own.
 * Knows nothing of: what a transfer is for, when one starts.
 */
#ifndef WEIR_IO_XFER_CREW_H
#define WEIR_IO_XFER_CREW_H

#include "io/xfer_internal.h"

enum { CREWS_MAX = 4 };

struct crew {
    CURLM *multi;
    struct xfer *xfer;
    struct crew *prev, *next;
    double timer_due; /* when libcurl wants to be called */
    unsigned running; /* transfers */
    unsigned opened;  /* connections, since it took over */
};

/* The first. -EINVAL where libcurl refuses an option. */
int xfer_crew_begin(struct xfer *) WARN_UNUSED;
/* Gives them what is started, and takes it back before they are done with it or after. */
void xfer_crew_add(struct xfer *, struct transfer *);
void xfer_crew_remove(struct transfer *);
/* Calls libcurl where it wants to be called by now; lets the crews go that have no work. */
void xfer_crew_run(struct xfer *, double now);
/* When that is needed next, INFINITY for not at all. */
double xfer_crew_due(const struct xfer *);
/* Ends all of them, with what they still have, and whatever is watched. */
void xfer_crew_end(struct xfer *);

/* Reads what libcurl says of transfers that ended. */
void xfer_crew_collect(struct crew *);
/* A connection of this transfer's is opened: the descriptor is one of which we hear when it is
 * closed. */
void xfer_crew_watch(struct transfer *, int fd);
/* How many connections stand that no transfer uses. */
size_t xfer_crew_count_idle(const struct xfer *);

#endif
