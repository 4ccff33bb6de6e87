#include "fetch/xfer_login.h"

#include "cli/options.h"

/* The ways to log in that answer a question; Basic and a bearer's token are said at once. */
static long ways_of(const struct transfer *transfer)
{
    long offered = 0;

    if (transfer->xfer->options->auth == OPTION_AUTH_BASIC)
        return 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTPAUTH_AVAIL, &offered);
    if (transfer->xfer->options->auth == OPTION_AUTH_DIGEST)
        return offered & (long)CURLAUTH_DIGEST;
    /* These two are said in several rounds, on one connection. */
    if (offered & (long)(CURLAUTH_NTLM | CURLAUTH_NEGOTIATE))
        return 0;
    return offered & (long)(CURLAUTH_DIGEST | CURLAUTH_BASIC);
}

bool xfer_may_log_in(struct transfer *transfer)
{
    if (transfer->has_logged_in || !ways_of(transfer))
        return false;
    transfer->has_logged_in = true;
    return true;
}

void xfer_log_in(struct transfer *transfer)
{
    long way =
        ways_of(transfer) & (long)CURLAUTH_DIGEST ? (long)CURLAUTH_DIGEST : (long)CURLAUTH_BASIC;

    xfer_end_login(transfer);
    transfer->sent = 0;
    transfer->uploaded = 0;
    transfer->is_tailored = true; /* the next transfer asks again which way is wanted */
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPAUTH, way);
}

int xfer_on_progress(void *userdata, curl_off_t to_come, curl_off_t come, curl_off_t to_send,
                     curl_off_t sent)
{
    struct transfer *transfer = userdata;

    (void)to_come;
    (void)to_send;
    /* Bytes sent count for --stall-timeout when they leave: libcurl may have read them long before. */
    if (sent != transfer->uploaded)
        transfer->heard_at = transfer->xfer->now;
    transfer->uploaded = sent;
    return transfer->body_goes == BODY_LOGIN && come > DISCARD_MAX;
}
