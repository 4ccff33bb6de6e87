/* A template and a list of fields, each over an answer whose headers and body are the same bytes. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/spool.h"
#include "cli/options.h"
#include "core/task.h"
#include "deliver/format.h"

static void render(const struct format *format, const struct task *task, const struct store *store,
                   size_t max, struct buf *out)
{
    struct rendering rendering;
    struct buf err;
    ssize_t len;
    struct delivery item = task_delivery(task);

    buf_init(&err);
    rendering_init(&rendering);
    while ((len = format_render(format, &rendering, &item, store, buf_reserve(out, max), max,
                                &err)) > 0)
        buf_extend(out, (size_t)len);
    PROMISE(len == 0);
    rendering_release(&rendering);
    buf_release(&err);
}

/* Takes the text. */
static struct format *new_format(unsigned kind, char *text)
{
    struct format *format = NULL;
    struct options options;
    struct buf err;

    buf_init(&err);
    options_init(&options);
    options.format = kind;
    options.include = true;
    if (kind == OPTION_FORMAT_TEMPLATE)
        options.write_out = text;
    else
        options.fields = text;
    int result = format_new(&options, &format, &err);
    PROMISE((result != 0) == (err.len > 0));
    options_release(&options);
    buf_release(&err);
    return format;
}

static void try_format(unsigned kind, char *text, const struct task *task,
                       const struct store *store)
{
    struct format *format = new_format(kind, text);
    struct buf little, much;

    if (!format)
        return;
    buf_init(&little);
    buf_init(&much);
    render(format, task, store, FORMAT_ROOM_MIN, &little);
    render(format, task, store, 1 << 16, &much);
    PROMISE(little.len == much.len && memcmp(little.data, much.data, much.len) == 0);
    if (kind == OPTION_FORMAT_TSV)
        PROMISE(memchr(much.data, '\n', much.len) == much.data + much.len - 1);
    format_free(format);
    buf_release(&little);
    buf_release(&much);
}

/* A whole record, and those of the members that the bytes choose. */
static void try_record(const struct task *task, const struct store *store)
{
    struct format *format = new_format(OPTION_FORMAT_JSONL, NULL);
    struct buf out;

    buf_init(&out);
    render(format, task, store, FORMAT_ROOM_MIN, &out);
    PROMISE(is_record(out.data, out.len));
    format_free(format);
    buf_release(&out);
}

int FUZZ(template)(const uint8_t *bytes, size_t size)
{
    struct task *task = task_new();
    struct store store;
    struct buf err;

    buf_init(&err);
    store_init(&store, spool_new("/tmp", SPOOL_BLOCK_BYTES), 1 << 20);
    store.checks_utf8 = true;
    char *text = xstrndup((const char *)bytes, size);
    task->request.url = text;
    task->outcome = OUTCOME_ANSWERED;
    task->result.http_code = 200;
    result_want_facts(&task->result);
    if (body_add(&task->head, &store, bytes, size, false, &err) == 0 &&
        body_add(&task->body, &store, bytes, size, false, &err) == 0) {
        try_format(OPTION_FORMAT_TEMPLATE, xstrdup(text), task, &store);
        try_format(OPTION_FORMAT_TSV, xstrdup(text), task, &store);
        try_format(OPTION_FORMAT_JSONL, xstrdup(text), task, &store);
        try_record(task, &store);
    }
    task_free(task, &store);
    store_release(&store);
    buf_release(&err);
    return 0;
}
