/* A JSON request, and the record of its failure fed back. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "core/task.h"
#include "deliver/format.h"
#include "input/json_request.h"

static void render(const struct task *task, struct buf *out)
{
    struct options options;
    struct format *format = NULL;
    struct rendering rendering;
    struct store store = {0};
    struct buf err;
    ssize_t len;
    struct delivery item = task_delivery(task);

    buf_init(&err);
    options_init(&options);
    options.format = OPTION_FORMAT_JSONL;
    rendering_init(&rendering);
    PROMISE(format_new(&options, &format, &err) == 0);
    while ((len = format_render(format, &rendering, &item, &store,
                                buf_reserve(out, FORMAT_ROOM_MIN), FORMAT_ROOM_MIN, &err)) > 0)
        buf_extend(out, (size_t)len);
    PROMISE(len == 0);
    format_free(format);
    rendering_release(&rendering);
    options_release(&options);
    buf_release(&err);
}

static void check_same_text(const char *one, const char *other)
{
    PROMISE(!one == !other);
    PROMISE(!one || strcmp(one, other) == 0);
}

static void check_same(const struct request *one, const struct request *other)
{
    const struct detail *a = one->detail, *b = other->detail;

    check_same_text(one->url, other->url);
    check_same_text(a->method, b->method);
    check_same_text(a->id, b->id);
    check_same_text(a->context, b->context);
    check_same_text(a->group, b->group);
    check_same_text(a->output, b->output);
    PROMISE(a->headers.len == b->headers.len);
    for (size_t i = 0; i < a->headers.len; i++)
        check_same_text(a->headers.at[i], b->headers.at[i]);
    PROMISE(a->payload_kind == b->payload_kind && a->payload_len == b->payload_len);
    PROMISE(!a->payload_len || memcmp(a->payload, b->payload, a->payload_len) == 0);
    PROMISE(a->retry == b->retry);
}

static void check_headers(const struct detail *detail)
{
    PROMISE(detail->headers.len <= JSON_HEADERS_MAX);
    for (size_t i = 0; i < detail->headers.len; i++)
        PROMISE(!strpbrk(detail->headers.at[i], "\r\n"));
    PROMISE(!detail->method || json_request_is_token(detail->method, strlen(detail->method)));
}

int FUZZ(json)(const uint8_t *bytes, size_t size)
{
    struct task *task = task_new();
    struct store store = {0};
    struct request again = {0};
    struct buf record, err;

    buf_init(&record);
    buf_init(&err);
    bool valid = json_request_parse((const char *)bytes, size, &task->request, &err) == 0;
    PROMISE(valid == !err.len);
    if (valid)
        check_headers(task->request.detail);
    if (!task->request.url)
        task->request.url = xstrdup("");
    result_setf(&task->result, REASON_HTTP, "%s", err.data);
    render(task, &record);
    PROMISE(is_record(record.data, record.len));
    if (valid) {
        PROMISE(json_request_parse(record.data, record.len, &again, &err) == 0);
        check_same(&task->request, &again);
    }
    request_release(&again);
    task_free(task, &store);
    buf_release(&record);
    buf_release(&err);
    return 0;
}
