/*
 * What the files of the room xfer share: xfer.c drives, xfer_setup.c prepares handles, xfer_code.c
 * says what libcurl's codes mean.
 */
#ifndef WEIR_IO_XFER_INTERNAL_H
#define WEIR_IO_XFER_INTERNAL_H

#include <curl/curl.h>
#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/heap.h"
#include "model/codes.h"
#include "model/reason.h"

struct options;
struct store;
struct task;

/* An easy handle and what the transfer that runs on it has come to. */
struct transfer {
    CURL *easy;
    struct xfer *xfer;
    struct task *task;                        /* borrowed; NULL while the handle is in the pool */
    struct transfer *prev, *next;             /* running, ended, or in the pool */
    struct transfer *prev_found, *next_found; /* among those whose name was found */
    struct heap_node deadline;
    double started_at, heard_at; /* heard_at: the last byte, at first when it was connected */
    bool connected;
    bool found, found_waits; /* the host's name; waits to be told */
    bool has_ended;
    CURLcode code;  /* once it has ended */
    bool may_reuse; /* what the handle is set to: look for an idle connection */
    bool body_seen, keep_body;
    bool headers_are_safe; /* which header list the handle has */
    bool no_descriptor;
    int body_error;             /* what body_add failed with, 0: it did not */
    struct curl_slist *resolve; /* of this transfer alone */
    struct buf body_message;
    char message[CURL_ERROR_SIZE];
};

struct watch_chunk;

struct xfer {
    struct ev_loop *loop;
    const struct options *options;
    struct store *store;
    CURLM *multi;
    CURLSH *share;
    double now;       /* read when the loop hands us a socket */
    double timer_due; /* when libcurl wants to be called */
    bool stopped;

    struct transfer *running;
    struct transfer *ended; /* libcurl is done with it, nobody has asked for it */
    struct transfer *pool;
    struct transfer *found;
    struct task *failed; /* ended by us, not yet given out */
    struct heap deadlines;

    struct watch_chunk **chunks; /* the sockets' watchers, by descriptor */
    size_t n_chunks;

    struct curl_slist *headers;      /* of every request */
    struct curl_slist *safe_headers; /* of one that a redirect led to another host */
    struct curl_slist *resolve, *connect_to;
    struct curl_slist *forget; /* names to be dropped with the next transfer */
    const char *ca_file;
    bool shares_connections; /* between hosts, or between requests of one: HTTP/2, a proxy */
};

/* Makes the lists that all handles share. */
void xfer_setup_lists(struct xfer *);
void xfer_release_lists(struct xfer *);
/* A handle with all that is the same for every transfer of the run. */
int xfer_setup_easy(struct xfer *, struct transfer *, struct buf *err) WARN_UNUSED;
/* What differs from one transfer to the next. */
void xfer_setup_request(struct xfer *, struct transfer *);

/* The reason that one of libcurl's codes stands for, given the words that came with it. */
enum reason xfer_reason(CURLcode, const char *message);

#endif
