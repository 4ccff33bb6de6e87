/*
 * A server asks who we are with a 401, and libcurl answers with a second request on the same handle.
 * It reads the whole body of the 401 before, however long that is, and fails where that fails. So
 * a transfer whose question is known begins again where its body is not over soon.
 *
 * Bound: a transfer begins again once. Knows nothing of: who we are.
 */
#ifndef WEIR_FETCH_XFER_LOGIN_H
#define WEIR_FETCH_XFER_LOGIN_H

#include "fetch/xfer_internal.h"

/* Bytes of a body that nobody wants. */
enum { DISCARD_MAX = 64 * 1024 };

/* The head of a 401 is whole: whether libcurl is likely to answer it. */
bool xfer_may_log_in(struct transfer *);
/* The body of the 401 is over, or is one that somebody wants. */
static inline void xfer_end_login(struct transfer *transfer)
{
    if (transfer->body_goes == BODY_LOGIN)
        transfer->body_goes = BODY_UNWANTED;
}

/* The transfer is about to begin again: has it say at once who we are. */
void xfer_log_in(struct transfer *);
/* libcurl's callback: ends a transfer whose 401 has too long a body; notes what was sent. */
int xfer_on_progress(void *userdata, curl_off_t to_come, curl_off_t come, curl_off_t to_send,
                     curl_off_t sent);

#endif
