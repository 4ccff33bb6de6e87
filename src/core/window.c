#include "core/window.h"

#include <assert.h>
#include <utlist.h>

#include "core/group.h"
#include "core/task.h"

void window_init(struct window *window, enum order order, size_t max)
{
    *window = (struct window){.order = order, .max = max};
}

bool window_has_slot(const struct window *window)
{
    return window->alive < window->max;
}

void window_add(struct window *window, struct task *task)
{
    assert(window_has_slot(window));
    DL_APPEND2(window->oldest, task, older, newer);
    window->alive++;
}

void window_note_done(struct window *window, struct task *task)
{
    assert(task->state == TASK_DONE && !task->is_held);
    if (window->order == ORDER_INPUT)
        return;
    DL_DELETE2(window->oldest, task, older, newer);
    DL_APPEND2(window->done, task, older, newer);
}

struct task *window_due(const struct window *window)
{
    struct task *oldest = window->oldest;

    if (window->order == ORDER_COMPLETION)
        return window->done;
    return oldest && oldest->state == TASK_DONE && !oldest->is_held ? oldest : NULL;
}

void window_remove(struct window *window, struct task *task)
{
    assert(task && task == window_due(window));
    if (window->order == ORDER_COMPLETION)
        DL_DELETE2(window->done, task, older, newer);
    else
        DL_DELETE2(window->oldest, task, older, newer);
    window->alive--;
}

struct task *window_awaited(const struct window *window)
{
    struct task *oldest = window->oldest;

    if (window->done || !oldest)
        return NULL;
    if (oldest->state != TASK_DONE)
        return oldest;
    return oldest->is_held ? oldest->group->pending : NULL;
}
