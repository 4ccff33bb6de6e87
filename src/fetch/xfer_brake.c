#include <math.h>
#include <utlist.h>

#include "core/task.h"
#include "fetch/xfer_internal.h"
#include "fetch/xfer_setup.h"

/* Transfers that wait for memory: libcurl reads no more of them, what comes stays in the socket,
 * and TCP has the server wait. A call of libcurl's may read a body of many megabytes, so it is told
 * in the midst of it.
 *
 * Only over HTTP/1, where a connection is one transfer's: others, and with them the one next in
 * order, could not go on behind a stream that is not read. */

static bool is_alone(const struct transfer *transfer)
{
    long version = CURL_HTTP_VERSION_NONE;

    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
    return version == CURL_HTTP_VERSION_1_1 || version == CURL_HTTP_VERSION_1_0;
}

void xfer_brake(struct transfer *transfer)
{
    struct xfer *xfer = transfer->xfer;

    if (transfer->waits || transfer->has_ended ||
        !brake_wants(&xfer->brake, xfer->store, xfer->now) || !is_alone(transfer))
        return;
    if (!xfer->waiting)
        brake_begin(&xfer->brake, xfer->store, xfer->now);
    transfer->waits = true;
    transfer->waits_since = xfer->now;
    DL_APPEND2(xfer->waiting, transfer, prev_waiting, next_waiting);
    curl_easy_pause(transfer->easy, CURLPAUSE_RECV);
}

void xfer_brake_forget(struct transfer *transfer)
{
    DL_DELETE2(transfer->xfer->waiting, transfer, prev_waiting, next_waiting);
    transfer->waits = false;
}

/* That it waited is not the server's fault. What libcurl had in hand it gives out at once. Where
 * that fails it does not come back to it, so the transfer is ended here. */
static void go_on(struct transfer *transfer, double now)
{
    xfer_brake_forget(transfer);
    transfer->started_at += now - transfer->waits_since;
    transfer->heard_at = now;
    xfer_look_at_deadline(transfer, now);
    CURLcode code = curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    if (code != CURLE_OK)
        xfer_note_ended(transfer, code);
}

void xfer_go_on(struct xfer *xfer, struct task *task)
{
    if (task->transfer && task->transfer->waits)
        go_on(task->transfer, xfer->now);
}

/* One that fills the memory again as it goes on waits behind the others. */
void xfer_release_brake(struct xfer *xfer, double now)
{
    size_t count = 0;
    struct transfer *transfer;

    if (!brake_ends(&xfer->brake, xfer->store, xfer->waiting->waits_since, now))
        return;
    DL_COUNT2(xfer->waiting, transfer, count, next_waiting);
    for (; xfer->waiting && count; count--)
        go_on(xfer->waiting, now);
}

double xfer_brake_due(const struct xfer *xfer)
{
    return fmin(xfer->brake.looks_at, xfer->waiting->waits_since + BRAKE_MAX);
}
