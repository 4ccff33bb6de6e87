/*
 * Crews: libcurl's multi handles, the sockets and the timer that each wants to hear of. For each
 * transfer libcurl walks the connections of its multi handle, so where many are to run at once there
 * are several posts, with a crew on duty at each: one for TLS, the others for lots of hosts. Where
 * libcurl closes a connection for another's sake it keeps the entry of its host, and walks all of
 * them, too; so after so many connections another crew takes over. The one before keeps no
 * connection that is idle, and goes once its last transfer has ended.
 *
 * Bound: POSTS_MAX on duty, crews_max in all, of two descriptors each and one connection; while that
 * many have work those on duty stay, however many hosts they have seen. Connections that are kept:
 * as many as transfers may run; with several posts a quarter more, where hosts are unlike more yet,
 * and over TLS as many again, but in all no more than there are descriptors for.
 * Knows nothing of: what a transfer is for, when one starts.
 */
#ifndef WEIR_FETCH_XFER_CREW_H
#define WEIR_FETCH_XFER_CREW_H

#include "fetch/xfer_internal.h"

struct crew {
    CURLM *multi;
    struct xfer *xfer;
    struct crew *prev, *next;
    double timer_due; /* when libcurl wants to be called */
    unsigned post;
    unsigned kept;    /* connections, at most */
    unsigned running; /* transfers */
    unsigned opened;  /* connections, since it took over */
    size_t closed;    /* of those */
};

enum { POSTS_MAX = 16, LOTS = 1024 };

/* The hosts whose names have the same hash stay together. */
struct lot {
    bool has_post;
    unsigned post; /* of those that are not TLS's */
    unsigned running;
};

struct posts {
    unsigned count, plain; /* plain: not TLS's, or the one for all */
    unsigned room;         /* transfers at each of those, before another helps a lot */
    unsigned lots_placed;
    struct crew *on_duty[POSTS_MAX]; /* they take what is started */
    struct lot lots[LOTS];
};

/* One for each post. -EINVAL where libcurl refuses an option. */
int xfer_crew_init(struct xfer *) WARN_UNUSED;
/* Ends all, with the transfers they still have; nothing is watched any more. */
void xfer_crew_release(struct xfer *);
/* A transfer begins, at its host's post; and is taken from the crew that has it, ended or not. */
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

/* xfer_idle.c: closes all of these connections. */
void xfer_close_all_idle(struct crew *);

#endif
