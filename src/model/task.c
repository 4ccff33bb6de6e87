#include "model/task.h"

#include <assert.h>
#include <stdlib.h>

#include "model/condition.h"
#include "model/partial.h"
#include "model/url.h"

#define TO(state) (1u << (state))

/* From each state, where it may go. READY to DONE: an invalid line, or a run that ended first.
 * READY to WAITING: its file got no descriptor. */
static const unsigned legal[] = {
    [TASK_READY] = TO(TASK_RUNNING) | TO(TASK_WAITING) | TO(TASK_DONE),
    [TASK_WAITING] = TO(TASK_READY) | TO(TASK_DONE),
    [TASK_RUNNING] = TO(TASK_READY) | TO(TASK_WAITING) | TO(TASK_DONE),
    [TASK_DONE] = 0,
};

struct task *task_new(void)
{
    struct task *task = xcalloc(1, sizeof *task);

    task->is_new_attempt = true;
    return task;
}

void task_free(struct task *task, struct store *store)
{
    if (!task)
        return;
    assert(!task->transfer && !heap_holds(&task->due));
    body_clear(&task->body, store);
    request_release(&task->request);
    result_release(&task->result);
    url_free(task->url);
    free(task->location);
    free(task->body_file);
    free(task->traceparent);
    partial_free(task->partial);
    condition_free(task->condition);
    free(task);
}

void task_set_state(struct task *task, enum task_state state)
{
    assert(legal[task->state] & TO(state));
    (void)legal;
    task->state = state;
}

void task_rewind(struct task *task, struct store *store)
{
    body_clear(&task->body, store);
    free(task->location);
    task->location = NULL;
}
