#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "core/group.h"
#include "core/groups.h"
#include "core/outputs.h"
#include "core/state.h"
#include "core/task.h"
#include "deliver/files_spares.h"
#include "deliver/writer.h"
#include "fetch/xfer.h"
#include "flow/sched.h"

enum { DESCRIPTOR_TRIES = 50 /* starts in vain, with nothing running that could free one */ };

#define DESCRIPTOR_PAUSE 0.1

enum { LOOKED_AT = 2000 /* bytes of a body that may be binary, as curl */ };

static void give_up_descriptors(struct engine *engine, double now)
{
    engine_note_trouble(engine, "too many open files: no request can be started (ulimit -n)");
    if (!engine->halted_by)
        engine->halted_by = xstrdup("too many open files");
    engine_stop(engine, now);
}

/* Idle connections hold descriptors, too, and nobody waits for those. */
void engine_wait_for_descriptor(struct engine *engine, struct task *task, double now)
{
    bool may_be_free = xfer_close_idle(engine->xfer);

    /* A request that nothing runs beside comes before what naming might need. */
    if (!may_be_free && engine->permits.held == 0 && engine->files)
        may_be_free = files_give_up_spares(engine->files);
    engine->no_start_before = may_be_free ? now : now + DESCRIPTOR_PAUSE;
    engine->descriptors_are_out = true;
    task_set_state(task, TASK_WAITING);
    heap_push(&engine->waiting, &task->due, engine->no_start_before);
    if (!may_be_free && engine->permits.held == 0 && ++engine->starts_in_vain > DESCRIPTOR_TRIES)
        give_up_descriptors(engine, now);
}

/* Drops what there is of the answer, and closes a file that is begun: nothing that waits may hold a
 * descriptor. */
static void rewind_task(struct engine *engine, struct task *task, double now)
{
    task_rewind(task, &engine->store);
    engine_pause_output(task);
    task->since = now;
}

static void wait_until(struct engine *engine, struct task *task, double due)
{
    task_set_state(task, TASK_WAITING);
    heap_push(&engine->waiting, &task->due, due);
}

/* It waits until it is the one next in order: no body is fetched more than twice. */
static void again(struct engine *engine, struct task *task, double now)
{
    rewind_task(engine, task, now);
    wait_until(engine, task, INFINITY);
}

static void later(struct engine *engine, struct task *task, double now)
{
    rewind_task(engine, task, now);
    engine_wait_for_descriptor(engine, task, now);
}

static void resend(struct engine *engine, struct task *task, double now)
{
    task->resent++;
    rewind_task(engine, task, now);
    task_set_state(task, TASK_READY);
    sched_add_again(engine->sched, task, now);
}

/* A NUL near its start is what curl, too, takes for the mark of a body that is no text. What cannot
 * be read here cannot be read when it is printed, and is told then. */
static bool is_binary(const struct engine *engine, const struct task *task)
{
    struct body_cursor cursor = {0};
    char bytes[LOOKED_AT];
    struct buf err;
    bool found = false;
    ssize_t len = 1;

    buf_init(&err);
    for (size_t left = sizeof bytes; left && len > 0 && !found; left -= (size_t)len) {
        len = body_read(&task->body, &engine->store, &cursor, bytes, left, &err);
        found = len > 0 && memchr(bytes, '\0', (size_t)len);
        len = MAX(len, 0);
    }
    buf_release(&err);
    return found;
}

static void spare_terminal(struct engine *engine, struct task *task)
{
    if (engine->shuns_binary && task->result.reason == REASON_OK && is_binary(engine, task))
        result_setf(&task->result, REASON_OUTPUT,
                    "binary output can mess up your terminal; -o - prints it all the same, "
                    "--to FILE keeps it");
}

static void done(struct engine *engine, struct task *task)
{
    if (task->outcome != OUTCOME_ANSWERED)
        body_clear(&task->body, &engine->store); /* part of a body is nothing to show */
    free(task->location);
    task->location = NULL;
    engine_end_output(engine, task);
    spare_terminal(engine, task);
    engine_complete(engine, task);
}

/* A chain of redirects may be as long as --max-redirs, and each URL some KiB. */
static bool has_room_for_chain(struct engine *engine, struct task *task)
{
    task_hold_hop(task, &engine->store);
    if (task->result.passed_bytes <= store_limit(&engine->store))
        return true;
    task->outcome = OUTCOME_FAILED;
    result_setf(&task->result, REASON_TOO_LARGE, "no room to hold its redirects (--memory)");
    return false;
}

static void hop(struct engine *engine, struct task *task, double now)
{
    if (!has_room_for_chain(engine, task)) {
        done(engine, task);
        return;
    }
    sched_forget(engine->sched, task, now);
    rewind_task(engine, task, now);
    if (task->result.facts)
        task->result.facts->before = task->result.facts->total;
    task_set_state(task, TASK_READY);
    engine_queue(engine, task, true, now);
}

/* Who gave a number of retries must not wonder. */
static void tell_of_budget(struct task *task)
{
    char *words = task->result.message;

    task->result.message = NULL;
    result_setf(&task->result, task->result.reason, "%s; no retry is left of --retry-budget",
                words ? words : reason_name(task->result.reason));
    free(words);
}

/* A retry that the host itself asks for, and a probe of a paused host, multiply no outage: neither is
 * on the budget. The host's gate says when, or its probes do. */
static void retry(struct engine *engine, struct task *task, double now)
{
    bool is_gated = task->closed_for > 0;

    bool is_paused = sched_is_paused(task);
    bool is_down = sched_is_down(task, now);
    bool may_retry = !is_down && (is_gated || is_paused ||
                                  retry_spend(&engine->verdicts.retry, &engine->retries));

    if (!may_retry) {
        if (!is_down)
            tell_of_budget(task);
        done(engine, task);
        return;
    }
    engine->summary.stats.retries++;
    task->is_new_attempt = true;
    rewind_task(engine, task, now);
    if (is_gated || is_paused) {
        task_set_state(task, TASK_READY);
        sched_add_again(engine->sched, task, now);
    } else {
        wait_until(
            engine, task,
            now + retry_pause(&engine->verdicts.retry, &engine->retries, task->result.attempts));
    }
}

/* Its next start is of the same attempt. Where the host is down by now the task is refused in the same
 * turn. */
static void wait_for_host(struct engine *engine, struct task *task, double now)
{
    rewind_task(engine, task, now);
    task_set_state(task, TASK_READY);
    sched_add_again(engine->sched, task, now);
}

static void settle_task(struct engine *engine, struct task *task, double now)
{
    struct lesson lesson = verdict_lesson(task);

    semaphore_give(&engine->permits);
    engine_note_ended(engine, now);
    sched_end(engine->sched, task, &lesson, now);
    if (engine->probe == task)
        engine->probe = NULL;
    enum verdict verdict = verdict_of(&engine->verdicts, task);
    if (verdict != VERDICT_LATER) {
        engine->starts_in_vain = 0;
        engine->descriptors_are_out = false;
    }
    if (task->group && task->group->has_failed && verdict != VERDICT_DONE) {
        engine_cancel_task(engine, task);
        return;
    }
    if (engine->is_draining && verdict != VERDICT_DONE) {
        engine_halt_task(engine, task);
        return;
    }
    switch (verdict) {
    case VERDICT_DONE: done(engine, task); break;
    case VERDICT_HOP: hop(engine, task, now); break;
    case VERDICT_RETRY: retry(engine, task, now); break;
    case VERDICT_RESEND: resend(engine, task, now); break;
    case VERDICT_AGAIN: again(engine, task, now); break;
    case VERDICT_LATER: later(engine, task, now); break;
    case VERDICT_WAIT_FOR_HOST: wait_for_host(engine, task, now); break;
    }
    if (task->outcome == OUTCOME_LOCAL_TROUBLE && !engine->stopped) {
        engine_note_trouble(engine, task->result.message);
        engine_stop(engine, now);
    }
}

/* As much as stderr has room for; the rest waits, and what then comes is left out. */
static void show_trace(struct engine *engine)
{
    struct buf *trace = xfer_trace(engine->xfer);

    if (trace->len && (engine->notes_failed || trace->len <= writer_room(engine->notes) / 2)) {
        engine_note(engine, trace);
        buf_clear(trace);
    }
}

void engine_settle(struct engine *engine, double now)
{
    struct task *task;

    show_trace(engine);

    while ((task = xfer_next_found(engine->xfer)) != NULL)
        sched_note_found(engine->sched, task, now);
    while ((task = xfer_next_connected(engine->xfer)) != NULL)
        sched_note_connected(engine->sched, task, now);
    /* A stop leaves nothing unsettled, whatever the budget: what ended counts as it ended. */
    while ((engine->moves_left || engine->stopped) &&
           (task = xfer_next_finished(engine->xfer)) != NULL) {
        settle_task(engine, task, now);
        engine->moves_left -= engine->moves_left > 0;
    }
    engine_cancel_groups(engine, now);
}
