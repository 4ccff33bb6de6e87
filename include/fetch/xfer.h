/*
 * Transfers: the one room that knows libcurl's multi interface. A task that is started runs until
 * it comes back from xfer_next_finished, exactly once, its outcome and result filled in; libcurl's
 * callbacks put bytes into its body and note what happened, and decide nothing.
 *
 * Bound: what is started; the caller holds the permits. Easy handles are kept for reuse, as many as
 * ever ran at once. Owns: every libcurl handle, the sockets' watchers, each transfer's deadline.
 * Knows nothing of: order, hosts, verdicts.
 */
#ifndef WEIR_FETCH_XFER_H
#define WEIR_FETCH_XFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct ev_loop;
struct options;
struct store;
struct task;
struct xfer;

/* What it may have open beside the connections of transfers, with a usual limit. */
enum { XFER_DESCRIPTORS = 96 };

enum xfer_bodies { XFER_NO_BODIES, XFER_ACCEPTED_BODIES, XFER_ALL_BODIES };

/* What somebody will print of a transfer; the rest is not even asked for. */
struct xfer_wants {
    enum xfer_bodies bodies;
    bool facts;
    bool headers;
};

struct xfer_bounds {
    unsigned at_once;     /* transfers: so many connections are worth keeping */
    unsigned connections; /* for which there are descriptors, idle ones too */
};

/* -EINVAL, or -EMFILE where there are no descriptors for it, with words in `err`. */
int xfer_new(struct ev_loop *, const struct options *, struct xfer_wants, struct store *,
             struct xfer_bounds, struct xfer **ret_xfer, struct buf *err) WARN_UNUSED;
/* Appends the cookies as the file of --cookie-jar has them; false where there is to be none. */
bool xfer_cookies(struct xfer *, struct buf *text);
/* Ends what still runs; the tasks stay the caller's. */
void xfer_free(struct xfer *);

/* Begins the task's transfer, to task->url. It moves at the next xfer_run. */
void xfer_start(struct xfer *, struct task *);
/* A running task is the one that all others wait for: it waits for nothing. */
void xfer_go_on(struct xfer *, struct task *);
/* Whether a running task only waits to be told that it has ended. */
bool xfer_has_ended(const struct task *);
/* Takes a running task back before its end. */
void xfer_cancel(struct xfer *, struct task *);
/* Takes all running tasks back at once; nothing can be started after it. */
void xfer_stop(struct xfer *);

/* Closes some of the connections that nobody uses, so that their descriptors are free. False where
 * there are none. */
bool xfer_close_idle(struct xfer *);

/* Does what is due, and begins what was started. */
void xfer_run(struct xfer *, double now);
/* So many seconds passed in which the process did not run: they count for nobody's timeout. */
void xfer_forgive(struct xfer *, double seconds);
/* When xfer_run is next needed, as far as time is concerned; INFINITY for not at all. */
double xfer_due(const struct xfer *);

/* A running task whose host's name has been found, or NULL. */
struct task *xfer_next_found(struct xfer *);
/* A running scout (task->is_scout) or probe (task->is_probe) whose connection stands, or a probe that
 * is heard since, or NULL. */
struct task *xfer_next_connected(struct xfer *);
/* Lookups that go on though their tasks are gone: libcurl cannot end the thread of one. */
unsigned xfer_lookups_left(const struct xfer *);
/* A task whose transfer ended, or NULL. */
struct task *xfer_next_finished(struct xfer *);

/* With --verbose: what was said on the wire, as lines fit for a terminal. The caller takes what it
 * can show; beyond XFER_TRACE_MAX bytes lines are left out. */
enum { XFER_TRACE_MAX = 32 * 1024 };
struct buf *xfer_trace(struct xfer *);

/* Has libcurl drop what it knows about the address of `scheme://name:port`. */
void xfer_forget_name(struct xfer *, const char *host);

/* How many bytes of bodies have come so far, decoded. */
uint64_t xfer_received(const struct xfer *);

/* The version of the library that does the work. */
const char *xfer_library(void);
/* Appends the names of what that library, and our decoders, can do, with blanks between. */
void xfer_add_features(struct buf *out);

#endif
