#include "core/task.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "input/condition.h"
#include "input/partial.h"
#include "input/url.h"

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

/* Beside the strings: what the allocator adds, and a pointer for each header. */
enum { TASK_BYTES = sizeof(struct task) + 64, HEADER_BYTES = 48 };

/* The line's text is kept as the URL or as the request's source, and once more in parts. */
void task_hold_line(struct task *task, struct store *store, size_t len)
{
    const struct detail *detail = task->request.detail;
    uint64_t bytes = TASK_BYTES + 2 * (uint64_t)len;

    if (detail)
        bytes += sizeof *detail + len + detail->headers.len * (uint64_t)HEADER_BYTES;
    task_hold(task, store, bytes);
}

void task_hold_hop(struct task *task, struct store *store)
{
    const struct result *result = &task->result;
    uint64_t here = strlen(result->passed[result->n_passed - 1]);

    task_hold(task, store, 2 * here + (task->location ? strlen(task->location) : 0));
}

void task_free(struct task *task, struct store *store)
{
    if (!task)
        return;
    assert(!task->transfer && !heap_holds(&task->due));
    body_clear(&task->body, store);
    if (body_holds_room(&task->head))
        body_clear(&task->head, store);
    store_give(store, task->held);
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

struct delivery task_delivery(const struct task *task)
{
    return (struct delivery){
        .request = &task->request,
        .result = &task->result,
        .body = &task->body,
        .head = &task->head,
        .url = task->url,
        .body_file = task->body_file,
        .became_get = task->demoted,
        .is_answered = task->outcome == OUTCOME_ANSWERED,
    };
}

void task_rewind(struct task *task, struct store *store)
{
    body_clear(&task->body, store);
    if (body_holds_room(&task->head))
        body_clear(&task->head, store);
    free(task->location);
    task->location = NULL;
}
