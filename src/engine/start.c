#include <assert.h>
#include <math.h>

#include "engine/outputs.h"
#include "engine/state.h"
#include "io/xfer.h"
#include "model/task.h"
#include "model/url.h"
#include "policy/sched.h"

static void wake(struct engine *engine, struct task *task)
{
    heap_remove(&engine->waiting, &task->due);
    task_set_state(task, TASK_READY);
    sched_add_first(engine->sched, task);
}

static void wake_due(struct engine *engine, double now)
{
    struct heap_node *node;

    while ((node = heap_peek(&engine->waiting)) && node->due <= now)
        wake(engine, CONTAINER_OF(node, struct task, due));
}

/* While bodies find no room only the request next in order is started: it is sure of some. */
static struct task *next_to_start(struct engine *engine, double now)
{
    struct task *awaited;

    if (!semaphore_is_free(&engine->permits) || now < engine->no_start_before || engine->stopped ||
        engine->out_closed)
        return NULL;
    if (engine->descriptors_are_out && engine->probe)
        return NULL;
    if (store_has_room(&engine->store))
        return sched_next(engine->sched, now);
    awaited = window_awaited(&engine->window);
    if (!awaited || awaited->state != TASK_READY || !sched_take(engine->sched, awaited, now))
        return NULL;
    return awaited;
}

/* The URL was read before, and was good. */
static void read_url_again(struct engine *engine, struct task *task)
{
    struct buf err;

    if (task->url)
        return;
    buf_init(&err);
    int result = url_parse(task->request.url, engine->parsing.default_scheme, &task->url, &err);
    assert(result == 0);
    (void)result;
    buf_release(&err);
    engine->urls_kept++;
    engine_extend_url(engine, task);
}

static void forget_names(struct engine *engine)
{
    struct buf name;

    buf_init(&name);
    while (sched_next_dropped(engine->sched, &name)) {
        xfer_forget_name(engine->xfer, name.data);
        buf_clear(&name);
    }
    buf_release(&name);
}

/* The task that all others wait for may use what the store keeps back. */
static void mark_awaited(struct engine *engine)
{
    struct task *awaited = window_awaited(&engine->window);

    if (!awaited)
        return;
    awaited->next_in_order = true;
    if (awaited->state == TASK_WAITING && awaited->due.due == INFINITY)
        wake(engine, awaited);
}

void engine_start(struct engine *engine, double now)
{
    struct task *task;

    mark_awaited(engine);
    wake_due(engine, now);
    while (engine->moves_left && (task = next_to_start(engine, now)) != NULL) {
        engine->moves_left--;
        forget_names(engine);
        read_url_again(engine, task);
        if (!engine_begin_output(engine, task)) {
            sched_end(engine->sched, task);
            continue;
        }
        if (engine->descriptors_are_out)
            engine->probe = task;
        semaphore_take(&engine->permits);
        task_set_state(task, TASK_RUNNING);
        xfer_start(engine->xfer, task);
    }
    xfer_run(engine->xfer, now);
}
