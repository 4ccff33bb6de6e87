/*
 * Tasks as the tests need them: born with a URL, freed without a run around them.
 */
#ifndef WEIR_UNIT_TASKS_H
#define WEIR_UNIT_TASKS_H

#include "core/task.h"
#include "report/finished.h"

/* A task whose request is `text`, its URL read. */
struct task *tasks_new(const char *text);
/* The same, answered with this status, and leading to `location` where that is not NULL. */
struct task *tasks_answered(const char *text, long http_code, const char *location);
/* Frees a task whose body is empty. */
void tasks_free(struct task *);

/* The task's URL as a string the caller frees. */
char *tasks_url(const struct task *);

/* The task as the reports see it. */
#define TASKS_FINISHED(task, at_host)                                                      \
    (struct finished)                                                                      \
    {                                                                                      \
        .seq = (task)->request.seq, .url = (task)->request.url, .result = &(task)->result, \
        .host = (at_host), .born_at = (task)->born_at,                                     \
        .first_started_at = (task)->first_started_at, .started_at = (task)->started_at,    \
        .done_at = (task)->done_at                                                         \
    }

#endif
