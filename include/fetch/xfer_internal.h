/*
 * What the files of the room xfer share: xfer.c drives; xfer_setup.h declares what the others do.
 */
#ifndef WEIR_FETCH_XFER_INTERNAL_H
#define WEIR_FETCH_XFER_INTERNAL_H

#include <curl/curl.h>
#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/heap.h"
#include "base/reason.h"
#include "fetch/brake.h"
#include "fetch/continuation.h"
#include "fetch/gate.h"
#include "fetch/xfer.h"
#include "fetch/xfer_exchange.h"
#include "input/request.h"

struct crew;
struct lot;
struct options;
struct posts;
struct shard;
struct store;
struct task;
struct watch_chunk;

/* Unwanted: its status says so. Counted: no more is told. Of a redirect or a login: nobody's. */
enum body_way { BODY_UNWANTED, BODY_COUNTED, BODY_HELD, BODY_TO_SINK, BODY_REDIRECT, BODY_LOGIN };

/* An easy handle and what the transfer that runs on it has come to. */
struct transfer {
    CURL *easy;
    struct xfer *xfer;
    struct crew *crew;                        /* that has it; NULL: none */
    struct lot *lot;                          /* that its host belongs to; NULL: none */
    struct shard *shard;                      /* whose share it has */
    struct task *task;                        /* borrowed; NULL while the handle is in the pool */
    struct transfer *prev, *next;             /* running, ended, or in the pool */
    struct transfer *prev_found, *next_found; /* among those whose name was found */
    struct transfer *prev_stood, *next_stood; /* among those whose connection stands */
    struct transfer *prev_waiting, *next_waiting; /* among those that wait for memory */
    struct heap_node deadline;
    double started_at, connects_since; /* since then it looks for a connection; again for a login */
    double heard_at;                   /* the last byte, at first when it was connected */
    double waits_since, forgiven;      /* forgiven: seconds since its start that do not count */
    bool connected, has_ended, waits;  /* waits: for memory */
    curl_off_t uploaded;               /* bytes of the payload that have left */
    bool looks_up, found, found_waits; /* the host's name, once libcurl began; waits to be told */
    bool stood_waits;                  /* that its connection stands waits to be told */
    CURLcode code;                     /* once it has ended */
    bool may_reuse;                    /* what the handle is set to: look for an idle connection */
    bool head_is_whole, body_seen;     /* the last answer's headers have ended; its body began */
    long status;                       /* of that answer */
    uint64_t trailer_bytes;            /* header lines behind the answer */
    bool has_logged_in, trailers_are_over; /* once is enough; they are too large */
    bool had_much, reads_much;             /* its last body was large; it reads in large pieces */
    enum body_way body_goes;
    bool decodes;                      /* what it sent asks for compression that we undo */
    struct decoder *decoder;           /* NULL: the body comes as it is */
    bool is_malformed;                 /* the body does not decode; body_message says why */
    bool is_tailored;                  /* the handle has what only this transfer wants */
    char *spoke_to;                    /* the host it was last for, where that matters, or NULL */
    enum continuation rest;            /* what came of asking for it */
    bool asks_rest;                    /* and not for the whole body */
    bool no_descriptor, is_over_limit; /* none was left; the body is larger than may be */
    int body_error;                    /* what body_add failed with, 0: it did not */
    const char *line_end;              /* of the last of them, not yet there */
    struct curl_slist *resolve, *headers; /* of this transfer alone */
    struct ask ask;                       /* what it asks for; borrows from its task */
    uint64_t sent;                        /* bytes of the payload that libcurl has been given */
    struct gate_words gate;               /* what the answer says about waiting */
    struct exchange exchange;             /* how the request goes out, and what comes back */
    int payload_fd;                       /* -1: the payload is in memory */
    struct buf body_message, head;        /* head: header lines that are not yet in the task's */
    char message[CURL_ERROR_SIZE];
};

struct xfer {
    struct ev_loop *loop;
    const struct options *options;
    struct xfer_wants wants;
    struct store *store;
    struct crew *crews; /* all of them, the youngest first */
    unsigned n_crews, crews_max;
    struct posts *posts;
    struct xfer_bounds bounds;
    struct shard *shards; /* the first is for all but TLS */
    double now;           /* read when the loop hands us a socket */
    bool stopped;
    uint64_t received;                        /* bytes of bodies */
    struct transfer *running, *pool, *left;   /* left: without a task, a lookup goes on */
    struct transfer *ended;                   /* libcurl is done with it, nobody has asked for it */
    struct transfer *found, *stood, *waiting; /* waiting: for memory, who began first first */
    struct task *failed;                      /* ended by us, not yet given out */
    struct brake brake;
    struct heap deadlines;
    struct watch_chunk **chunks; /* the sockets' watchers, by descriptor */
    size_t n_chunks;
    struct curl_slist *headers; /* of every request */
    struct ask ask;             /* what the options ask of every request */
    CURL *jar;                  /* loads and saves the cookies; NULL: there are none */
    struct curl_slist *resolve, *connect_to;
    const char *ca_file;
    long read_max;                    /* bytes of a large body in one piece */
    struct buf trace;                 /* lines that nobody has taken yet */
    bool trace_is_cut, listens;       /* some request is not to be done twice, and may be HTTP/2 */
    bool leaves_input, some_may_wait; /* see xfer_wake.c */
    bool adds_json_type;              /* the data of --json say what they are by a header of ours */
    bool decodes;                     /* we ask for compression, and undo it */
    bool may_continue;                /* the rest of a body that was cut may be asked for */
    bool shares_connections;          /* between hosts, or requests of one: HTTP/2, a proxy */
    bool has_proxy, tells_addresses;  /* of some host at least; a proxy is told no names */
};

#endif
