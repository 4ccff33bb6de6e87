/*
 * A scripted HTTP/1.1 origin: each request says in its path and query how it is to be answered, so
 * a test reads without a server beside it. It runs in a child process that ends with its parent,
 * on a port of its own, and writes down what it saw where the parent reads it at any time.
 * origin_script.h lists the words. A script that does not parse is answered with 400 and the reason.
 *
 * A client that sends its FIN while a request is in service has left: the connection is closed.
 *
 * Bounds: ORIGIN_CONNECTIONS_MAX connections (further ones wait in the backlog), ORIGIN_HEAD_MAX
 * bytes of request head, ORIGIN_LOG_MAX bytes of log (then requests are only counted).
 * Owns: the child, the log. Knows nothing of: the program that is tested.
 */
#ifndef RIG_ORIGIN_H
#define RIG_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ORIGIN_CONNECTIONS_MAX = 16384,
    ORIGIN_HEAD_MAX = 64 * 1024,
    ORIGIN_LOG_MAX = 256 * 1024 * 1024,
};

struct blob;
struct origin;

/* All zero: 127.0.0.1, a port of the system's choice, with a log. */
struct origin_options {
    const char *address; /* numeric, v4 or v6, or a path with a leading slash: a Unix socket */
    uint16_t port;
    bool any;   /* listen on 0.0.0.0, so that every 127.x.y.z is a host of its own */
    bool quiet; /* no log, only counters */
};

enum origin_end {
    ORIGIN_IN_SERVICE,
    ORIGIN_ANSWERED,
    ORIGIN_CUT,       /* ended by its script before the answer was whole */
    ORIGIN_ABANDONED, /* the client left first */
};

/* One request. The texts live as long as the origin. What is atomic is filled in later. */
struct origin_record {
    double arrived;          /* CLOCK_MONOTONIC, when the head was complete */
    _Atomic double finished; /* 0 while in service; set last: what is atomic below holds after it */
    _Atomic int end;         /* enum origin_end */
    _Atomic uint64_t body_bytes; /* of the request, unchunked */
    _Atomic uint64_t sent_bytes; /* of the answer, its head included */
    _Atomic unsigned status;     /* of the answer that was begun; 0: none was */
    uint64_t connection;         /* 1 for the first that was accepted */
    const char *local;           /* the address it arrived at, without the port */
    const char *peer;            /* the address it came from, likewise */
    const char *method;
    const char *target;
    const char *headers; /* the lines as received, CR LF after each */
    uint64_t next;       /* the log's own: offset behind this record */
};

struct origin_counts {
    uint64_t accepted;
    uint64_t open;
    uint64_t open_peak;
    uint64_t requests; /* heads that were complete */
    uint64_t in_service;
    uint64_t in_service_peak;
    uint64_t unlogged; /* requests that found the log full */
};

/* NULL options are all zero. NULL with errno when it cannot listen or fork. Only from the thread
 * that lives longest: the child ends with it. */
struct origin *origin_start(const struct origin_options *);
/* Ends and reaps the child; NULL is nothing. Returns 0, or how the child died if not of its own
 * will (128 + signal, else its exit code). */
int origin_stop(struct origin *);

uint16_t origin_port(const struct origin *);
/* "http://127.0.0.1:PORT", as long as the origin lives. */
const char *origin_url(const struct origin *);

struct origin_counts origin_counts(const struct origin *);
/* Waits until that many requests arrived, are in service now, or connections are open now (for
 * the last two exactly that many); false when `seconds` were not enough. */
bool origin_wait_requests(const struct origin *, uint64_t count, double seconds);
bool origin_wait_in_service(const struct origin *, uint64_t count, double seconds);
bool origin_wait_open(const struct origin *, uint64_t count, double seconds);

/* The log in the order of arrival: the first record after NULL; NULL when there is no more yet. */
const struct origin_record *origin_log_next(const struct origin *, const struct origin_record *);
/* The first record with this target, or NULL. */
const struct origin_record *origin_log_find(const struct origin *, const char *target);
/* How many records have this target. */
size_t origin_log_count(const struct origin *, const char *target);
/* Copies the first header of that name, without blanks around; false when there is none. */
bool origin_record_header(const struct origin_record *, const char *name, char *buf, size_t size);

/* What /bytes/N answers is a pure function of the target's path and `tag` (its seed) and offset. */
uint64_t origin_seed(const char *target);
void origin_fill(uint64_t seed, uint64_t offset, void *buf, size_t len);
/* Likewise what /bytes/N?ascii=1 answers. */
void origin_fill_ascii(uint64_t seed, uint64_t offset, void *buf, size_t len);
/* Appends the first `len` bytes of the body of that target. */
void origin_body(const char *target, size_t len, struct blob *);
/* The offset of the first byte that is not the target's, or -1. */
int64_t origin_differs(const char *target, const void *body, size_t len);

#endif
