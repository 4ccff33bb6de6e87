#include "tasks.h"

#include <criterion/criterion.h>

#include "input/url.h"

struct task *tasks_new(const char *text)
{
    struct task *task = task_new();
    struct buf err;

    buf_init(&err);
    task->request.url = xstrdup(text);
    cr_assert_eq(url_parse(text, "http", &task->url, &err), 0, "%s: %s", text, err.data);
    buf_release(&err);
    return task;
}

struct task *tasks_answered(const char *text, long http_code, const char *location)
{
    struct task *task = tasks_new(text);

    task->outcome = OUTCOME_ANSWERED;
    task->result.http_code = http_code;
    task->location = location ? xstrdup(location) : NULL;
    return task;
}

void tasks_free(struct task *task)
{
    struct store nothing = {0};

    task_free(task, &nothing);
}

char *tasks_url(const struct task *task)
{
    struct buf text;

    buf_init(&text);
    url_add_text(task->url, &text);
    return buf_take(&text);
}
