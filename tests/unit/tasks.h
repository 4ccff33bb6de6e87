/*
 * Tasks as the tests need them: born with a URL, freed without a run around them.
 */
#ifndef WEIR_UNIT_TASKS_H
#define WEIR_UNIT_TASKS_H

#include "core/task.h"

/* A task whose request is `text`, its URL read. */
struct task *tasks_new(const char *text);
/* The same, answered with this status, and leading to `location` where that is not NULL. */
struct task *tasks_answered(const char *text, long http_code, const char *location);
/* Frees a task whose body is empty. */
void tasks_free(struct task *);

/* The task's URL as a string the caller frees. */
char *tasks_url(const struct task *);

#endif
