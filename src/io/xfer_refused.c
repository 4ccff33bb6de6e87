#include <stdlib.h>
#include <string.h>

#include "io/xfer_internal.h"
#include "io/xfer_setup.h"
#include "model/options.h"

/* Which streams of HTTP/2 a server has not looked at. libcurl 7.88 sends such a request again as it
 * does one whose connection died, where nobody knows; what sets them apart it says in words alone:
 * which connection and which stream a request has, and from which stream on a server that goes away
 * did nothing. Of a library that has other words nothing is known to be refused. */

static bool begins_with(const char *line, const char *words)
{
    return strncmp(line, words, strlen(words)) == 0;
}

static long number_behind(const char *line, const char *mark)
{
    const char *at = strstr(line, mark);

    return at ? strtol(at + strlen(mark), NULL, 10) : -1;
}

static void note_connection(struct transfer *transfer, long number)
{
    transfer->connection = number + 1;
    transfer->stream = 0;
    transfer->is_refused = false;
}

/* Whichever transfer reads the frame, it is for all on its connection. */
static void note_goaway(struct transfer *transfer, long last)
{
    struct transfer *other = transfer->xfer->running;

    for (; other && transfer->connection && last >= 0; other = other->next)
        other->is_refused |= other->crew == transfer->crew &&
                             other->connection == transfer->connection && other->stream &&
                             other->stream > last;
}

/* It leaves its connection. Whether that was alive is only looked at before the next is said, so
 * words that come in between are of another one. */
static void note_resending(struct transfer *transfer)
{
    transfer->may_rewind = transfer->is_refused;
    note_connection(transfer, -1);
}

/* No line begins with what another party chose. "REFUSED_STREAM" is not to be trusted: libcurl does
 * not forget it when it sends such a request again, and says it of the next connection's death. */
void xfer_hear(struct transfer *transfer, const char *words, size_t len)
{
    char line[256];

    len = MIN(len, sizeof line - 1);
    memcpy(line, words, len);
    line[len] = '\0';
    if (begins_with(line, "Connected to "))
        note_connection(transfer, number_behind(line, " (#"));
    else if (begins_with(line, "Re-using existing connection #"))
        note_connection(transfer, number_behind(line, "#"));
    else if (begins_with(line, "Using Stream ID: "))
        transfer->stream = number_behind(line, "ID: ");
    else if (begins_with(line, "recveived GOAWAY, ") || begins_with(line, "received GOAWAY, "))
        note_goaway(transfer, number_behind(line, "last_stream="));
    else if (begins_with(line, "Connection died, retrying"))
        note_resending(transfer);
}

void xfer_listen(struct xfer *xfer, struct transfer *transfer)
{
    if (xfer->options->http == OPTION_HTTP_1_1)
        return;
    xfer->listens |= !request_may_repeat(transfer->ask.method);
    if (!xfer->listens || transfer->listens)
        return;
    if (curl_easy_setopt(transfer->easy, CURLOPT_DEBUGFUNCTION, xfer_on_debug) != CURLE_OK ||
        curl_easy_setopt(transfer->easy, CURLOPT_DEBUGDATA, transfer) != CURLE_OK ||
        curl_easy_setopt(transfer->easy, CURLOPT_VERBOSE, 1L) != CURLE_OK)
        out_of_memory();
    transfer->listens = true;
}
