#include "rendered.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/body.h"
#include "base/spool.h"
#include "core/task.h"
#include "deliver/format.h"

void rendered_add(const struct options *options, const struct task *task, const struct store *store,
                  size_t max, struct buf *out)
{
    struct rendering rendering;
    struct format *format = NULL;
    struct buf err;
    ssize_t got;
    struct delivery item = task_delivery(task);
    bool is_over = false;

    buf_init(&err);
    rendering_init(&rendering);
    cr_assert_eq(format_new(options, &format, &err), 0, "%s", err.data);
    while ((got = format_render(format, &rendering, &item, store, buf_reserve(out, max), max,
                                &err)) > 0) {
        cr_assert_not(is_over, "more came behind the end");
        buf_extend(out, (size_t)got);
        is_over = format_is_all_out(format, &rendering);
    }
    cr_assert_eq(got, 0, "%s", err.data);
    rendering_release(&rendering);
    format_free(format);
    buf_release(&err);
}

void rendered_store(struct store *store, uint64_t memory_max)
{
    store_init(store, spool_new("/tmp", UINT64_C(16) << 20), memory_max);
    store->checks_utf8 = true;
}

void rendered_head(struct task *task, struct store *store, const char *text)
{
    struct buf err;

    buf_init(&err);
    body_clear(&task->head, store);
    cr_assert_eq(body_add(&task->head, store, text, strlen(text), false, &err), 0, "%s", err.data);
    buf_release(&err);
}

void rendered_body(struct task *task, struct store *store, const void *bytes, size_t len)
{
    struct buf err;

    buf_init(&err);
    cr_assert_eq(body_add(&task->body, store, bytes, len, false, &err), 0, "%s", err.data);
    task->result.body_bytes += len;
    buf_release(&err);
}
