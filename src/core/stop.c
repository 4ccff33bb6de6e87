#include "core/groups.h"
#include "core/outputs.h"
#include "core/state.h"
#include "core/task.h"
#include "fetch/xfer.h"
#include "flow/sched.h"
#include "input/source.h"

void engine_withdraw(struct engine *engine, struct task *task, double now)
{
    switch (task->state) {
    case TASK_READY: sched_remove(engine->sched, task, now); break;
    case TASK_WAITING: heap_remove(&engine->waiting, &task->due); break;
    case TASK_RUNNING:
        semaphore_give(&engine->permits);
        engine_note_ended(engine, now);
        sched_abandon(engine->sched, task, now);
        if (engine->probe == task)
            engine->probe = NULL;
        break;
    case TASK_DONE: break;
    }
}

void engine_halt_task(struct engine *engine, struct task *task)
{
    engine_leave_output(task);
    task_rewind(task, &engine->store);
    result_setf(&task->result, REASON_HALTED, "the run ended first");
    task->result.exitcode = 0;
    task->result.http_code = 0; /* of an answer that was to be tried again */
    engine_complete(engine, task);
}

static struct task *not_done(struct task *task)
{
    while (task && task->state == TASK_DONE)
        task = task->newer;
    return task;
}

/* Each task that is not done, save for those that run, if they are spared. What is done may leave
 * its place, as the last of its group is halted. */
static void halt_tasks(struct engine *engine, bool running_are_spared, double now)
{
    struct task *next;

    for (struct task *task = not_done(engine->window.oldest); task; task = next) {
        next = not_done(task->newer);
        if (running_are_spared && task->state == TASK_RUNNING)
            continue;
        engine_withdraw(engine, task, now);
        engine_halt_task(engine, task);
    }
}

void engine_drain(struct engine *engine, double now)
{
    if (engine->is_draining || engine->stopped)
        return;
    engine->is_draining = true;
    engine->source_ended = true;
    halt_tasks(engine, true, now);
    engine_end_groups(engine);
}

/* What ended before the stop counts as it ended: it is settled first. */
void engine_stop(struct engine *engine, double now)
{
    if (engine->stopped)
        return;
    engine->stopped = true;
    engine->source_ended = true;
    engine_settle(engine, now);
    xfer_stop(engine->xfer);
    halt_tasks(engine, false, now);
    engine_end_groups(engine);
}
