/*
 * How a request goes out on its connection and its answer comes back, as libcurl does both by
 * itself: it sends again what a dead connection left unanswered, and reads for one stream of HTTP/2
 * what belongs to another.
 *
 * Bound: a request that must not be repeated goes out once, unless the server refused it unread or
 * asked for it again.
 * Owns nothing. Knows nothing of: when a transfer starts or ends.
 */
#ifndef WEIR_FETCH_XFER_EXCHANGE_H
#define WEIR_FETCH_XFER_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

struct options;
struct transfer;
struct xfer;

struct exchange {
    bool listens;             /* the handle says what xfer_hear wants to hear */
    long connection, stream;  /* of HTTP/2, as far as it is said; 0: it is not */
    unsigned times_sent;      /* how often the request went out */
    long bytes_sent;          /* by libcurl's count, before it went out last */
    uint64_t came;            /* bytes of heads and body, as libcurl gives them out */
    bool is_refused;          /* the server has not looked at the last stream */
    bool awaits_answer;       /* it went out, and no answer has begun */
    bool is_answered;         /* since then, by headers that are whole and of no 1xx */
    bool is_asked_again;      /* the answer asks to send it again: 401, 407, 417 */
    bool has_lost_connection; /* one ended before its answer; libcurl counts these */
    bool is_kept_back;        /* it would have gone out twice, and must not */
};

/* xfer_refused.c: whether a request may be sent again. A transfer starts. */
void xfer_begin_sending(struct transfer *);
/* Its request is about to go out: false if it must not, since it may have been acted on. */
bool xfer_may_send(struct transfer *) WARN_UNUSED;
/* It opens a connection; an answer begins. */
void xfer_note_leaving(struct transfer *);
void xfer_note_answer(struct transfer *, const char *status_line, size_t len);
/* Takes in what libcurl says; has it say so where that matters. */
void xfer_hear(struct transfer *, const char *words, size_t len);
void xfer_listen(struct xfer *, struct transfer *);

/* xfer_wake.c: transfers whose bytes libcurl has read and left. Whether this libcurl leaves any. */
bool xfer_leaves_input(const struct options *);
/* libcurl gave out so many bytes: has it read again where more may be left. */
void xfer_note_came(struct transfer *, size_t len);
/* It is no transfer of libcurl's any more: others are to be woken for what it may leave. */
void xfer_note_taken_out(struct transfer *);
void xfer_wake_all(struct xfer *);

#endif
