/*
 * What the files of the room xfer do for each other: handles are set up for the run once and for
 * each request anew, facts are read from them, and libcurl calls back.
 *
 * Knows nothing of: when a transfer starts or ends.
 */
#ifndef WEIR_FETCH_XFER_SETUP_H
#define WEIR_FETCH_XFER_SETUP_H

#include "fetch/xfer_internal.h"

/* xfer_setup.c: what is the same for every transfer of the run. */
void xfer_setup_lists(struct xfer *);
void xfer_release_lists(struct xfer *);
/* Sets all of it on the handle, which is new or was reset; `away`: to a host that the user did not
 * name, so without credentials. */
int xfer_setup_easy(struct xfer *, struct transfer *, bool away, struct buf *err) WARN_UNUSED;
/* Time that counts for no timeout does not count for libcurl's own either. */
void xfer_setup_forgive(struct transfer *, double seconds);
/* -EINVAL, with words in `err`, where the library at hand cannot do what the options ask. */
int xfer_check_library(const struct options *, struct buf *err) WARN_UNUSED;
/* Whether a header may go along to a host that the user did not name. */
bool xfer_header_is_safe(const char *header);
bool xfer_header_is_named(const char *header, const char *name);
/* With `Connection: close` among the headers no other request goes over the connection. */
CURLcode xfer_set_own_connection(CURL *, const struct curl_slist *headers);
struct curl_slist *xfer_append(struct curl_slist *, const char *text);
/* Has a Host of the user's choose no cookies. */
struct curl_slist *xfer_append_header(const struct xfer *, struct curl_slist *, const char *header);

/* xfer_share.c: what transfers have in common, by host. The cookies are loaded with it. */
int xfer_share_init(struct xfer *) WARN_UNUSED;
void xfer_share_release(struct xfer *);
/* For a handle that is new or was reset, and for each transfer once its URL is set. */
CURLcode xfer_share_join(struct transfer *);
void xfer_share_choose(struct transfer *);
bool xfer_is_over_tls(const char *host);
/* Gives the names that are to be dropped with the transfer, as CURLOPT_RESOLVE has them. */
struct curl_slist *xfer_share_take_forgotten(struct transfer *);
/* A name was not found, and the share may remember that; whether one was, since the last question. */
void xfer_share_note_unresolved(struct transfer *);
bool xfer_share_take_unresolved(struct transfer *);

/* xfer.c: libcurl's callbacks; the userdata is the transfer, of a socket that closes the xfer. */
size_t xfer_on_body(char *bytes, size_t size, size_t count, void *userdata);
size_t xfer_on_header(char *bytes, size_t size, size_t count, void *userdata);
/* Adds what the answer's Content-Encoding lines name, as decoder_add does. */
int xfer_read_encoding(const struct transfer *, struct decoder **, struct buf *err) WARN_UNUSED;
/* The answer's head is whole: sees where its body is to go, which may be of no bytes. */
void xfer_begin_body(struct transfer *);
int xfer_on_connected(void *userdata, char *remote_ip, char *local_ip, int remote_port,
                      int local_port);
int xfer_on_debug(CURL *easy, curl_infotype type, char *bytes, size_t len, void *userdata);
int xfer_on_close_socket(void *userdata, curl_socket_t fd);
int xfer_on_lookup(void *resolver, void *reserved, void *userdata);
curl_socket_t xfer_on_open_socket(void *userdata, curlsocktype purpose,
                                  struct curl_sockaddr *address);

/* xfer.c, for the other files. Nothing more is to come of the transfer. */
void xfer_note_ended(struct transfer *, CURLcode);
/* Something changed about when the transfer is over unless something comes. */
void xfer_look_at_deadline(struct transfer *, double now);

/* xfer_request.c: what differs from one transfer to the next. A negative errno, the task's result
 * filled in, where the request's payload cannot be read. */
int xfer_setup_request(struct xfer *, struct transfer *) WARN_UNUSED;
/* Takes back what was set up for this transfer alone. */
void xfer_release_request(struct transfer *);
/* libcurl's callbacks for a payload. */
size_t xfer_on_read(char *bytes, size_t size, size_t count, void *userdata);
int xfer_on_seek(void *userdata, curl_off_t offset, int origin);

/* xfer_outcome.c: how a transfer ended, into its task. */
void xfer_fill_outcome(struct transfer *);
/* What the answer says about leaving its host alone, however its body ends. */
void xfer_look_at_gate(struct transfer *);
/* The status to go by: a body that was continued has the one it began with. */
long xfer_status(const struct transfer *);
/* Where the answer leads: a string of libcurl's, or NULL where it leads nowhere. */
const char *xfer_location(const struct transfer *, long code);
/* Whether the process has no descriptor left: libcurl often fails then without saying so. */
bool xfer_descriptors_are_out(void);

/* xfer_rest.c: the rest of a body that was cut. Whether to ask for it; has the headers say so. */
bool xfer_wants_rest(const struct transfer *);
void xfer_ask_rest(struct transfer *);
enum continuation xfer_judge_rest(const struct transfer *);
/* The first header of that name: a string of libcurl's that lives until the next is asked for, or
 * NULL. */
const char *xfer_header(const struct transfer *, const char *name);
/* A whole body begins to go to the sink: notes by what its rest could be asked for. */
void xfer_note_whole(struct transfer *);
void xfer_forget_rest(struct task *);

/* xfer_brake.c: transfers that wait for memory. One that is not next in order has put bytes into it:
 * has it wait, if memory is all but full. */
void xfer_brake(struct transfer *);
/* It is not among those that wait any more. */
void xfer_brake_forget(struct transfer *);
/* While there are any: has all of them go on once that is better; when to look at that next. */
void xfer_release_brake(struct xfer *, double now);
double xfer_brake_due(const struct xfer *);

/* xfer_trace.c: what is said with --verbose of a host that asks to be left alone. */
void xfer_trace_gate(struct transfer *, const struct gate_verdict *);

/* xfer_facts.c: what is known of a transfer, into its task's result. */
void xfer_fill_facts(struct transfer *);

/* xfer_code.c. Whether there is a row for one of libcurl's codes; a later libcurl may have more. */
bool xfer_knows_code(CURLcode);
/* Whether it says that a name was not found. */
bool xfer_is_unresolved(CURLcode);
/* The reason that one of them stands for, given the words that came with it; `protocol` for one
 * that is not known. */
enum reason xfer_reason(CURLcode, const char *message);
/* What to say of it, given libcurl's own words ("" for none). */
const char *xfer_words(CURLcode, const char *message);

#endif
