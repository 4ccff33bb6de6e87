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
#include "io/xfer.h"
#include "model/codes.h"
#include "model/reason.h"
#include "model/request.h"

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
    bool body_seen;
    enum { BODY_DROPPED, BODY_HELD, BODY_TO_SINK } body_goes;
    bool is_tailored; /* the handle has what only this transfer wants */
    bool no_descriptor;
    int body_error;             /* what body_add failed with, 0: it did not */
    struct curl_slist *resolve; /* of this transfer alone */
    struct curl_slist *headers; /* likewise */
    struct ask ask;             /* what it asks for; borrows from its task */
    size_t sent;                /* bytes of the payload that libcurl has been given */
    int payload_fd;             /* -1: the payload is in memory */
    struct buf body_message;
    char message[CURL_ERROR_SIZE];
};

struct watch_chunk;

struct xfer {
    struct ev_loop *loop;
    const struct options *options;
    struct xfer_wants wants;
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

    struct curl_slist *headers; /* of every request */
    struct ask ask;             /* what the options ask of every request */
    CURL *jar;                  /* loads and saves the cookies; NULL: there are none */
    struct curl_slist *resolve, *connect_to;
    struct curl_slist *forget; /* names to be dropped with the next transfer */
    const char *ca_file;
    struct buf trace; /* lines that nobody has taken yet */
    bool trace_is_cut;
    bool shares_connections; /* between hosts, or between requests of one: HTTP/2, a proxy */
};

/* xfer_setup.c: what is the same for every transfer of the run. */
void xfer_setup_lists(struct xfer *);
void xfer_release_lists(struct xfer *);
/* Sets all of it on the handle, which is new or was reset; `away`: to a host that the user did not
 * name, so without credentials. */
int xfer_setup_easy(struct xfer *, struct transfer *, bool away, struct buf *err) WARN_UNUSED;
/* Whether a header may go along to a host that the user did not name. */
bool xfer_header_is_safe(const char *header);
bool xfer_header_is_named(const char *header, const char *name);
struct curl_slist *xfer_append(struct curl_slist *, const char *text);

/* xfer.c: libcurl's callbacks. */
size_t xfer_on_body(char *bytes, size_t size, size_t count, void *transfer);
size_t xfer_on_header(char *bytes, size_t size, size_t count, void *transfer);
int xfer_on_connected(void *transfer, char *remote_ip, char *local_ip, int remote_port,
                      int local_port);
int xfer_on_debug(CURL *, curl_infotype, char *bytes, size_t len, void *transfer);
curl_socket_t xfer_on_open_socket(void *transfer, curlsocktype, struct curl_sockaddr *);

/* xfer_request.c: what differs from one transfer to the next. A negative errno, the task's result
 * filled in, where the request's payload cannot be read. */
int xfer_setup_request(struct xfer *, struct transfer *) WARN_UNUSED;
/* Takes back what was set up for this transfer alone. */
void xfer_release_request(struct transfer *);
/* libcurl's callbacks for a payload. */
size_t xfer_on_read(char *bytes, size_t size, size_t count, void *transfer);
int xfer_on_seek(void *transfer, curl_off_t offset, int origin);

/* xfer_facts.c: what is known of a transfer, into its task's result. */
void xfer_fill_facts(struct transfer *);

/* The reason that one of libcurl's codes stands for, given the words that came with it. */
enum reason xfer_reason(CURLcode, const char *message);

#endif
