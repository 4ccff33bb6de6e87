#include <string.h>

#include "base/text.h"
#include "cli/options.h"
#include "core/task.h"
#include "fetch/xfer_internal.h"
#include "fetch/xfer_setup.h"

/* curl's marks for what libcurl says itself, what came and what went. */
static const char *mark_of(curl_infotype type)
{
    switch (type) {
    case CURLINFO_TEXT: return "*";
    case CURLINFO_HEADER_IN: return "<";
    case CURLINFO_HEADER_OUT: return ">";
    case CURLINFO_DATA_IN:
    case CURLINFO_DATA_OUT:
    case CURLINFO_SSL_DATA_IN:
    case CURLINFO_SSL_DATA_OUT:
    case CURLINFO_END:
    default: return NULL;
    }
}

/* Once a line did not fit, that is told before the next that does. */
static void add_line(struct transfer *transfer, const char *mark, const char *line, size_t len)
{
    struct xfer *xfer = transfer->xfer;
    struct buf shown;

    buf_init(&shown);
    if (xfer->trace_is_cut)
        buf_add_text(&shown, "weir: lines are left out here\n");
    if (transfer->task)
        buf_addf(&shown, "[%llu] ", (unsigned long long)transfer->task->request.seq);
    buf_addf(&shown, "%s ", mark);
    text_add_escaped(&shown, line, len);
    buf_add_char(&shown, '\n');
    xfer->trace_is_cut = xfer->trace.len + shown.len > XFER_TRACE_MAX;
    if (!xfer->trace_is_cut)
        buf_add(&xfer->trace, shown.data, shown.len);
    buf_release(&shown);
}

int xfer_on_debug(CURL *easy, curl_infotype type, char *bytes, size_t len, void *userdata)
{
    struct transfer *transfer = userdata;
    const char *mark = transfer->xfer->options->verbose ? mark_of(type) : NULL;

    (void)easy;
    if (type == CURLINFO_TEXT && transfer->xfer->listens)
        xfer_hear(transfer, bytes, len);
    while (mark && len) {
        const char *newline = memchr(bytes, '\n', len);
        size_t line = newline ? (size_t)(newline - bytes) : len;
        size_t shown = line && bytes[line - 1] == '\r' ? line - 1 : line;
        if (shown)
            add_line(transfer, mark, bytes, shown);
        bytes += line + (newline != NULL);
        len -= line + (newline != NULL);
    }
    return 0;
}

void xfer_trace_gate(struct transfer *transfer, const struct gate_verdict *verdict)
{
    struct buf line;

    buf_init(&line);
    if (verdict->was_silly)
        buf_add_text(&line, "ignoring an implausible Retry-After or RateLimit");
    else if (verdict->seconds > 0)
        buf_addf(&line, "the host wants no request for %g s%s", verdict->seconds,
                 verdict->was_capped ? " (cut down to --gate-max)" : "");
    if (line.len)
        add_line(transfer, "*", line.data, line.len);
    buf_release(&line);
}

struct buf *xfer_trace(struct xfer *xfer)
{
    return &xfer->trace;
}
