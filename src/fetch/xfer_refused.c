#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "fetch/xfer_internal.h"
#include "fetch/xfer_setup.h"

/* Whether a request may be sent a second time on its own. libcurl sends one again if a connection
 * that was used before dies without an answer, and then nobody knows whether the server acted on it.
 * So a request that must not be repeated goes out again only if the server asked for that (401, 407,
 * 417), if no byte of it had left, or if the server refused the stream: RST_STREAM with
 * REFUSED_STREAM, or a GOAWAY with a lower last stream.
 *
 * libcurl tells only the refusal in words alone. Words that are not in the table below
 * prove nothing, so a request is then reported as failed rather than sent twice. */

/* CURLINFO_CONN_ID came with 8.2; what is built with an older one may run with a newer one. */
#define INFO_CONN_ID ((CURLINFO)(CURLINFO_OFF_T + 64))

enum saying { SAYS_CONNECTION, SAYS_STREAM, SAYS_GOAWAY, SAYS_REFUSED, SAYS_LEAVES };

/* A line that begins with `words` says it, by the number behind `mark`. No line begins with what
 * another party chose. "REFUSED_STREAM, retrying" is not in the table: libcurl does not forget that
 * it was so once, and says it of the next connection's death. */
static const struct {
    const char *words, *mark;
    enum saying says;
} sayings[] = {
    /* To 8.1; from 8.2 on there is CURLINFO_CONN_ID. */
    {"Connected to ", " (#", SAYS_CONNECTION},
    {"Re-using existing connection #", "#", SAYS_CONNECTION},
    /* 7.88; then 8.14 to 8.23. */
    {"Using Stream ID: ", "ID: ", SAYS_STREAM},
    {"[HTTP/2] [", "/2] [", SAYS_STREAM},
    /* 7.88; then 8.14 to 8.23. */
    {"recveived GOAWAY, ", "last_stream=", SAYS_GOAWAY},
    {"received GOAWAY, ", "last_stream=", SAYS_GOAWAY},
    /* 8.21 to 8.23. */
    {"HTTP/2 stream ", " refused by server", SAYS_REFUSED},
    /* 7.88 to 8.23. */
    {"Connection died, retrying", "", SAYS_LEAVES},
    {"Issue another request", "", SAYS_LEAVES},
};

/* ---- what libcurl says ---- */

static long number_behind(const char *line, const char *mark)
{
    const char *at = strstr(line, mark);

    return at ? strtol(at + strlen(mark), NULL, 10) : -1;
}

/* Words from now on are about another connection. The last stream is still in question. */
static void note_connection(struct transfer *transfer, long number)
{
    transfer->exchange.connection = number + 1;
    transfer->exchange.stream = 0;
}

/* Whichever transfer reads the frame, it is for all on its connection. */
static void note_goaway(struct transfer *transfer, long last)
{
    struct transfer *other = transfer->xfer->running;

    for (; other && transfer->exchange.connection && last >= 0; other = other->next)
        other->exchange.is_refused |= other->crew == transfer->crew &&
                                      other->exchange.connection == transfer->exchange.connection &&
                                      other->exchange.stream && other->exchange.stream > last;
}

/* A transfer that leaves its connection has none. libcurl looks whether the next one is alive before it
 * says which that is, so words that come in between are of another one. */
static void note(struct transfer *transfer, enum saying says, const char *line, const char *mark)
{
    switch (says) {
    case SAYS_CONNECTION: note_connection(transfer, number_behind(line, mark)); break;
    case SAYS_STREAM: transfer->exchange.stream = number_behind(line, mark); break;
    case SAYS_GOAWAY: note_goaway(transfer, number_behind(line, mark)); break;
    case SAYS_REFUSED: transfer->exchange.is_refused |= strstr(line, mark) != NULL; break;
    case SAYS_LEAVES: note_connection(transfer, -1); break;
    }
}

void xfer_hear(struct transfer *transfer, const char *words, size_t len)
{
    char line[256];

    len = MIN(len, sizeof line - 1);
    memcpy(line, words, len);
    line[len] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(sayings); i++) {
        if (strncmp(line, sayings[i].words, strlen(sayings[i].words)) == 0)
            note(transfer, sayings[i].says, line, sayings[i].mark);
    }
}

void xfer_listen(struct xfer *xfer, struct transfer *transfer)
{
    if (xfer->options->http == OPTION_HTTP_1_1)
        return;
    xfer->listens |= !request_may_repeat(transfer->ask.method);
    if (!xfer->listens || transfer->exchange.listens)
        return;
    if (curl_easy_setopt(transfer->easy, CURLOPT_DEBUGFUNCTION, xfer_on_debug) != CURLE_OK ||
        curl_easy_setopt(transfer->easy, CURLOPT_DEBUGDATA, transfer) != CURLE_OK ||
        curl_easy_setopt(transfer->easy, CURLOPT_VERBOSE, 1L) != CURLE_OK)
        out_of_memory();
    transfer->exchange.listens = true;
}

/* ---- each time the request goes out ---- */

void xfer_begin_sending(struct transfer *transfer)
{
    transfer->exchange = (struct exchange){.listens = transfer->exchange.listens};
}

void xfer_note_leaving(struct transfer *transfer)
{
    transfer->exchange.has_lost_connection |= transfer->exchange.awaits_answer;
    transfer->exchange.awaits_answer = false;
}

static bool asks_again(const char *code)
{
    return memcmp(code, "401", 3) == 0 || memcmp(code, "407", 3) == 0 ||
           memcmp(code, "417", 3) == 0;
}

/* The heads of a proxy that opens a tunnel come before the request goes out, and are no answer; nor
 * is one such as 100 Continue. */
void xfer_note_answer(struct transfer *transfer, const char *status_line, size_t len)
{
    if (!transfer->exchange.awaits_answer)
        return;
    const char *blank = memchr(status_line, ' ', len);
    const char *code = blank && status_line + len - blank > 3 ? blank + 1 : "???";

    if (*code == '1')
        return;
    transfer->exchange.awaits_answer = false;
    transfer->exchange.is_asked_again = asks_again(code);
}

/* With HTTP/2 libcurl may have sent the head before it counts it. */
static bool has_left(struct transfer *transfer)
{
    long before = transfer->exchange.bytes_sent;

    curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &transfer->exchange.bytes_sent);
    return transfer->xfer->options->http != OPTION_HTTP_1_1 ||
           transfer->exchange.bytes_sent != before;
}

static bool is_sent_twice(struct transfer *transfer)
{
    bool has_left_before = has_left(transfer);

    return transfer->exchange.has_lost_connection && has_left_before &&
           !transfer->exchange.is_refused;
}

bool xfer_may_send(struct transfer *transfer)
{
    curl_off_t number = -1;

    transfer->exchange.has_lost_connection |=
        transfer->exchange.times_sent && !transfer->exchange.is_asked_again;
    if (!request_may_repeat(transfer->ask.method))
        transfer->exchange.is_kept_back = is_sent_twice(transfer);
    transfer->exchange.times_sent++;
    transfer->exchange.awaits_answer = true;
    transfer->exchange.is_refused = transfer->exchange.is_asked_again = false;
    if (transfer->exchange.listens &&
        curl_easy_getinfo(transfer->easy, INFO_CONN_ID, &number) == CURLE_OK)
        note_connection(transfer, (long)number);
    return !transfer->exchange.is_kept_back;
}
