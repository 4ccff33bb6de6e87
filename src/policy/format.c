#include "policy/format.h"

#include <string.h>

#include "base/text.h"
#include "model/task.h"

/* A failed request has no part in a stream of bodies. */
static ssize_t render_raw(struct rendering *rendering, const struct task *task,
                          const struct store *store, void *bytes, size_t max, struct buf *err)
{
    if (task->result.reason != REASON_OK)
        return 0;
    return body_read(&task->body, store, &rendering->cursor, bytes, max, err);
}

ssize_t format_render(enum format format, struct rendering *rendering, const struct task *task,
                      const struct store *store, void *bytes, size_t max, struct buf *err)
{
    switch (format) {
    case FORMAT_RAW: return render_raw(rendering, task, store, bytes, max, err);
    case FORMAT_NONE: return 0;
    }
    return 0;
}

/* A URL may be a megabyte long; a line for people is not. */
enum { SHOWN_MAX = 1000 };

static void add_shown(struct buf *out, const char *text)
{
    size_t len = strnlen(text, SHOWN_MAX + 1);

    text_add_escaped(out, text, MIN(len, SHOWN_MAX));
    if (len > SHOWN_MAX)
        buf_add_text(out, "...");
}

void format_failure(const struct task *task, struct buf *out)
{
    const struct request *request = &task->request;

    buf_add_text(out, "weir: ");
    if (request->input) {
        add_shown(out, request->input);
        buf_add_text(out, ": ");
    }
    if (request->line)
        buf_addf(out, "line %llu: ", (unsigned long long)request->line);
    add_shown(out, request->url);
    buf_addf(out, ": %s", reason_name(task->result.reason));
    if (task->result.message) {
        buf_add_text(out, ": ");
        add_shown(out, task->result.message);
    }
    buf_add_char(out, '\n');
}
