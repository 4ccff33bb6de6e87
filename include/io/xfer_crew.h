/*
 * Crews: libcurl's multi handles, the sockets and the timer that each wants to hear of. The first
 * takes what is started. Where libcurl closes a connection for another's sake it keeps the entry of
 * its host, and walks all of them for every transfer; so after so many connections another crew
 * takes over. The one before keeps no connection that is idle, and goes once its last transfer has
 * ended.
 *
 * Bound: crews_max at once, of two descriptors each and one connection; while that many have work
 * the first stays, however many hosts it has seen.
 * Knows nothing of: what a transfer is for, when one starts.
 */
#ifndef WEIR_IO_XFER_CREW_H
#define WEIR_IO_XFER_CREW_H

#include "io/xfer_internal.h"

struct crew {
    CURLM *multi;
    struct xfer *xfer;
    struct crew *prev, *next;
    double timer_due; /* when libcurl wants to be called */
    unsigned running; /* transfers */
    unsigned opened;  /* connections, since it took over */
};

/* The first of them. -EINVAL where libcurl refuses an option. */
int xfer_crew_init(struct xfer *) WARN_UNUSED;
/* Ends all, with the transfers they still have; nothing is watched any more. */
void xfer_crew_release(struct xfer *);
/* A transfer begins, with the first; and is taken from the crew that has it, ended or not. */
void xfer_crew_add(struct xfer *, struct transfer *);
void xfer_crew_remove(struct transfer *);
/* Calls libcurl where it wants to be called by now. Crews come and go here. */
void xfer_crew_run(struct xfer *, double now);
/* When that is needed next, INFINITY for not at all. */
double xfer_crew_due(const struct xfer *);

/* Calls libcurl, and hears what ended. */
void xfer_crew_call(struct crew *);
/* A connection of this transfer's is opened: of its descriptor we hear when it is closed. */
void xfer_crew_note_opened(struct transfer *, int fd);
/* How many connections stand that no transfer uses. */
size_t xfer_crew_count_idle(const struct crew *);

/* xfer_idle.c: closes such connections, the oldest first, until so many are left, while it helps.
 */
void xfer_close_idle_of(struct crew *, size_t left);

#endif
