/*
 * One connection to the origin: a state, the request in service, its answer. It ends itself; the
 * hub, which all connections share, only sees the list and the counters change.
 *
 * Bounds: ORIGIN_HEAD_MAX bytes of input held, one piece of body of output, 1 MiB of echoed body.
 * Owns: its descriptor and watchers. Knows nothing of: the listener, processes.
 */
#ifndef RIG_ORIGIN_CONN_H
#define RIG_ORIGIN_CONN_H

#include <stddef.h>
#include <stdint.h>

struct ev_loop;
struct origin_conn;
struct origin_keys;
struct origin_log;

struct origin_hub {
    struct ev_loop *loop;
    struct origin_log *log;
    struct origin_keys *keys;
    struct origin_conn *conns; /* all that are open */
    size_t open;
};

/* *Takes* the descriptor, a socket that does not block. */
void origin_conn_start(struct origin_hub *, int fd);
/* Ends all of them. */
void origin_conn_stop_all(struct origin_hub *);

#endif
