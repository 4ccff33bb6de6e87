#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/spool.h"
#include "cli/options.h"
#include "deliver/format.h"
#include "rendered.h"
#include "tasks.h"

static void add(struct task *task, struct store *store, const char *text)
{
    struct buf err;

    buf_init(&err);
    cr_assert_eq(body_add(&task->body, store, text, strlen(text), false, &err), 0);
    buf_release(&err);
}

/* All that the format renders, by pieces of `max` bytes. */
static char *render(enum format_option kind, const struct task *task, const struct store *store,
                    size_t max)
{
    struct options options;
    struct buf out;

    options_init(&options);
    options.format = kind;
    buf_init(&out);
    rendered_add(&options, task, store, max, &out);
    options_release(&options);
    return buf_take(&out);
}

static void start(struct store *store)
{
    store_init(store, spool_new("/tmp", (uint64_t)10 * SPOOL_BLOCK_BYTES), 30);
}

Test(format, renders_a_body_whole_by_any_pieces)
{
    struct task *task = tasks_answered("http://h/", 200, NULL);
    struct store store;

    start(&store);
    add(task, &store, "abc");
    add(task, &store, "defghijklmnopqrstuvwxyz");
    for (size_t max = FORMAT_ROOM_MIN; max < (size_t)2 * FORMAT_ROOM_MIN; max += 1000) {
        char *text = render(OPTION_FORMAT_RAW, task, &store, max);
        cr_expect_str_eq(text, "abcdefghijklmnopqrstuvwxyz", "by %zu: %s", max, text);
        free(text);
    }
    task_free(task, &store);
    store_release(&store);
}

/* One call for what has room: the end is not asked for. */
Test(format, knows_the_end_of_what_it_rendered)
{
    static const enum format_option kinds[] = {OPTION_FORMAT_RAW, OPTION_FORMAT_JSONL,
                                               OPTION_FORMAT_TSV};
    struct task *task = tasks_answered("http://h/", 200, NULL);
    char bytes[4 * FORMAT_ROOM_MIN];
    struct store store;
    struct buf err;

    buf_init(&err);
    start(&store);
    add(task, &store, "body");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct rendering rendering;
        struct format *format = NULL;
        struct options options;

        options_init(&options);
        options.format = kinds[i];
        rendering_init(&rendering);
        cr_assert_eq(format_new(&options, &format, &err), 0);
        cr_expect_not(format_is_all_out(format, &rendering));
        struct delivery item = task_delivery(task);
        cr_expect_gt(format_render(format, &rendering, &item, &store, bytes, sizeof bytes, &err),
                     3);
        cr_expect(format_is_all_out(format, &rendering), "%zu", i);
        format_free(format);
        rendering_release(&rendering);
        options_release(&options);
    }
    task_free(task, &store);
    store_release(&store);
    buf_release(&err);
}

Test(format, has_nothing_of_a_failed_request_among_the_bodies)
{
    struct task *task = tasks_answered("http://h/", 500, NULL);
    struct store store;

    start(&store);
    add(task, &store, "half a body");
    for (enum reason reason = REASON_OK + 1; reason < REASON_COUNT; reason++) {
        task->result.reason = reason;
        char *text = render(OPTION_FORMAT_RAW, task, &store, FORMAT_ROOM_MIN);
        cr_expect_str_eq(text, "");
        free(text);
    }
    task_free(task, &store);
    store_release(&store);
}

Test(format, has_nothing_at_all_where_none_is_asked_for)
{
    struct task *task = tasks_answered("http://h/", 200, NULL);
    struct store store;

    start(&store);
    add(task, &store, "body");
    char *text = render(OPTION_FORMAT_NONE, task, &store, FORMAT_ROOM_MIN);
    cr_expect_str_eq(text, "");
    free(text);
    task_free(task, &store);
    store_release(&store);
}

Test(format, passes_on_that_a_body_cannot_be_read)
{
    struct task *task = tasks_answered("http://h/", 200, NULL);
    struct format *format = NULL;
    struct rendering rendering;
    struct options options;
    struct store store;
    struct buf err;
    char bytes[FORMAT_ROOM_MIN];

    buf_init(&err);
    options_init(&options);
    rendering_init(&rendering);
    cr_assert_eq(format_new(&options, &format, &err), 0);
    store_init(&store, spool_new("/tmp", (uint64_t)10 * SPOOL_BLOCK_BYTES), 0);
    add(task, &store, "abc");
    task->body.spooled = task->body.size = 100; /* more than the file holds */
    struct delivery item = task_delivery(task);
    ssize_t first = format_render(format, &rendering, &item, &store, bytes, sizeof bytes, &err);
    cr_expect_eq(first, -EIO);
    cr_expect_gt(err.len, 0);
    format_free(format);
    rendering_release(&rendering);
    options_release(&options);
    task_free(task, &store);
    store_release(&store);
    buf_release(&err);
}

struct line_case {
    const char *input;
    uint64_t line;
    const char *url;
    enum reason reason;
    const char *message;
    const char *expected;
};

Test(format, says_on_one_line_what_failed_where_and_why)
{
    static const struct line_case cases[] = {
        {NULL, 0, "http://h/", REASON_HTTP, "status 404", "weir: http://h/: http: status 404\n"},
        {NULL, 12, "http://h/", REASON_TIMEOUT, "no byte for 30 s",
         "weir: line 12: http://h/: timeout: no byte for 30 s\n"},
        {"urls.txt", 3, "h", REASON_DNS, NULL, "weir: urls.txt: line 3: h: dns\n"},
        {NULL, 1, "a\x1b[2Jb\nc", REASON_INVALID, "bad\r\n\x9b",
         "weir: line 1: a\\x1b[2Jb\\x0ac: invalid: bad\\x0d\\x0a\\x9b\n"},
        {"odd\nname", 1, "", REASON_INVALID, "", "weir: odd\\x0aname: line 1: : invalid: \n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct task *task = task_new();
        struct buf out;
        buf_init(&out);
        task->request.input = cases[i].input;
        task->request.line = cases[i].line;
        task->request.url = xstrdup(cases[i].url);
        task->result.reason = cases[i].reason;
        task->result.message = cases[i].message ? xstrdup(cases[i].message) : NULL;
        struct delivery item = task_delivery(task);
        format_failure(&item, &out);
        cr_expect_str_eq(out.data, cases[i].expected, "%s", out.data);
        tasks_free(task);
        buf_release(&out);
    }
}

Test(format, keeps_a_failure_line_short_however_long_the_url)
{
    struct task *task = task_new();
    struct buf out;

    buf_init(&out);
    task->request.url = xmalloc((size_t)500 * 1000 + 1);
    memset(task->request.url, '\x1b', (size_t)500 * 1000);
    task->request.url[(size_t)500 * 1000] = '\0';
    task->result.reason = REASON_DNS;
    struct delivery item = task_delivery(task);
    format_failure(&item, &out);
    cr_expect_lt(out.len, 4100);
    cr_expect_not_null(strstr(out.data, "...: dns\n"));
    tasks_free(task);
    buf_release(&out);
}
