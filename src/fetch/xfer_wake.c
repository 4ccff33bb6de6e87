#include <curl/curl.h>

#include "cli/options.h"
#include "fetch/xfer_internal.h"
#include "fetch/xfer_setup.h"

/* libcurl before 8.1 reads a connection of HTTP/2 into one buffer for all of its streams. If the
 * buffer of a stream is full, libcurl stops in the midst of the connection's, and goes on when any of
 * the connection's transfers reads next. But it has none of them read: the rest is not in the socket
 * any more, and libcurl's own look for it compares the wrong way round. Near the end of a run, when
 * the server has nothing more to send, bodies then stand still until the connection is closed.
 *
 * So a transfer that may have filled its buffer is woken after each piece that it gives out, to read
 * once more. If it ends at such a piece, as a body of known length does, all others are woken. */

/* The first libcurl that keeps what it has read by stream. */
enum { KEEPS_BY_STREAM = 0x080100 };

bool xfer_leaves_input(const struct options *options)
{
    return options->http != OPTION_HTTP_1_1 &&
           curl_version_info(CURLVERSION_NOW)->version_num < KEEPS_BY_STREAM;
}

/* No buffer is smaller, and only what libcurl was done with says how the transfer ended. */
static bool may_have_filled_buffer(const struct transfer *transfer)
{
    bool is_ok = transfer->has_ended && transfer->code == CURLE_OK;

    return !is_ok || transfer->exchange.came >= CURL_MAX_WRITE_SIZE;
}

/* libcurl has no call to wake a transfer, but one that goes on after a pause is woken. Sending is
 * paused, for a pause of receiving would close the stream's window. */
static void wake(struct transfer *transfer)
{
    curl_easy_pause(transfer->easy, CURLPAUSE_SEND);
    curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
}

void xfer_note_came(struct transfer *transfer, size_t len)
{
    transfer->exchange.came += len;
    if (transfer->exchange.came >= CURL_MAX_WRITE_SIZE)
        wake(transfer);
}

void xfer_note_taken_out(struct transfer *transfer)
{
    transfer->xfer->some_may_wait |=
        transfer->xfer->leaves_input && may_have_filled_buffer(transfer);
}

void xfer_wake_all(struct xfer *xfer)
{
    xfer->some_may_wait = false;
    for (struct transfer *transfer = xfer->running; transfer; transfer = transfer->next) {
        if (transfer->connected && !transfer->waits)
            wake(transfer);
    }
}
