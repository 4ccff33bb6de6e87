#include "core/groups.h"

#include <string.h>
#include <utlist.h>

#include "base/clock.h"
#include "cli/options.h"
#include "core/group.h"
#include "core/outputs.h"
#include "core/state.h"
#include "core/task.h"
#include "deliver/writer.h"
#include "fetch/xfer.h"

/* ---- coming and going ---- */

/* Nobody will ask for it again, save who puts out its record. */
static void end_if_over(struct engine *engine, struct group *group)
{
    if (!group_is_over(group))
        return;
    if (engine->options->group_records && group->members)
        LL_APPEND(engine->over, group);
    else
        group_free(group);
}

static const char *group_name_of(const struct task *task)
{
    return task->request.detail ? task->request.detail->group : NULL;
}

/* One that does not go on with the next request has all its members. */
static void close_unless_called(struct engine *engine, const char *name)
{
    if (engine->group && !group_is_called(engine->group, name))
        engine_close_group(engine);
}

void engine_pass_group(struct engine *engine, const struct task *task)
{
    close_unless_called(engine, group_name_of(task));
}

/* The group that the next request, which is in one of that name, belongs to. */
static struct group *open_group(struct engine *engine, const char *name)
{
    if (!engine->group) {
        engine->group = group_new(name, engine->options->group_commit);
        engine->group->begun_at_wall = clock_wall();
    }
    return engine->group;
}

void engine_join_group(struct engine *engine, struct task *task)
{
    const char *name = group_name_of(task);

    close_unless_called(engine, name);
    if (name && !engine->plan)
        group_join(open_group(engine, name), task);
}

void engine_leave_group(struct engine *engine, struct task *task)
{
    struct group *group = task->group;

    if (!group)
        return;
    group_leave(group, task);
    end_if_over(engine, group);
}

bool engine_put_group_record(struct engine *engine)
{
    struct group *group = engine->over;
    struct buf line;
    size_t room;

    if (!group)
        return false;
    LL_DELETE(engine->over, group);
    buf_init(&line);
    group_add_record(group, &line);
    char *to = writer_reserve(engine->out, &room);
    if (!engine->out_failed && line.len <= room) {
        memcpy(to, line.data, line.len);
        writer_commit(engine->out, line.len);
    }
    buf_release(&line);
    group_free(group);
    return true;
}

void engine_free_groups(struct engine *engine)
{
    struct group *group;

    while ((group = engine->over) != NULL) {
        LL_DELETE(engine->over, group);
        group_free(group);
    }
}

/* ---- results that wait for each other ---- */

/* Why a member comes to nothing that did not fail itself. */
static void set_cancelled(struct task *task)
{
    const struct group *group = task->group;

    if (group->found_no_room)
        result_setf(&task->result, REASON_TOO_LARGE,
                    "no room to hold its group (--memory, --spool-max)");
    else if (!group->culprit)
        result_setf(&task->result, REASON_CANCELLED, "its group is larger than --window");
    else
        result_setf(&task->result, REASON_CANCELLED, "request %llu of its group failed",
                    (unsigned long long)group->culprit);
    task->result.cancelled_by = group->culprit;
}

/* What was good came to nothing: its file did not get its name. */
static void spoil(struct task *task)
{
    struct group *group = task->group;

    if (task->result.reason != REASON_OK) {
        engine_drop_output(task);
        return;
    }
    if (group->has_failed)
        engine_take_back_file(task); /* an earlier run gave it its name */
    engine_leave_output(task);
    if (group->has_failed)
        set_cancelled(task);
    else
        result_setf(&task->result, REASON_HALTED, "the run ended before its group was whole");
    group_note_changed(group, task);
}

/* In the window the members of a group that is held stand side by side. */
static struct task *next_member(const struct task *task)
{
    struct task *next = task->newer;

    return next && next->group == task->group ? next : NULL;
}

/* All of the group's files get their names; at the first that cannot, those that have are taken
 * back, and the group has failed. */
static void publish(struct engine *engine, struct group *group)
{
    struct task *failed = NULL;

    for (struct task *task = group->first; task && !failed; task = next_member(task)) {
        if (!engine_name_file(engine, task))
            failed = task;
    }
    if (!failed)
        return;
    engine->tally.failed += failed->result.reason == REASON_OUTPUT;
    group_note_changed(group, failed);
    for (struct task *task = group->first; task != failed; task = next_member(task))
        engine_take_back_file(task);
}

static bool keeps_result(const struct group *group, const struct task *task)
{
    bool is_too_large = group->has_failed && !group->culprit;

    return !engine_has_file(task) && !is_too_large;
}

static void let_go(struct engine *engine, struct group *group)
{
    struct task *next;

    if (group_is_whole(group))
        publish(engine, group);
    bool is_whole = group_is_whole(group);
    group->is_spoiled = !is_whole;
    group->is_held = false;
    for (struct task *task = group->first; task; task = next) {
        next = next_member(task);
        task->is_held = false;
        if (task->state != TASK_DONE)
            continue;
        if (!is_whole && !keeps_result(group, task))
            spoil(task);
        engine_drop_output(task);
        engine->tally.succeeded += task->result.reason == REASON_OK;
        window_note_done(&engine->window, task);
    }
}

/* While members that failed wait to be cancelled, the rest waits with them. */
static void let_go_if_done(struct engine *engine, struct group *group)
{
    if (group->is_held && group->is_closed && !group->pending)
        let_go(engine, group);
}

void engine_close_group(struct engine *engine)
{
    struct group *group = engine->group;

    if (!group)
        return;
    engine->group = NULL;
    group->is_closed = true;
    let_go_if_done(engine, group);
    end_if_over(engine, group);
}

/* Nobody knows whether it would have had more members. One that goes on with the request that was
 * read ahead has one more, for which the results that are held have to make room. */
void engine_end_groups(struct engine *engine)
{
    struct group *group = engine->group;

    if (!group)
        return;
    group->is_cut = true;
    if (!engine->ahead || !group_is_called(group, group_name_of(engine->ahead)))
        engine_close_group(engine);
    else if (group->is_held)
        let_go(engine, group);
}

static void note_failing(struct engine *engine, struct group *group)
{
    group->is_failing = true;
    LL_PREPEND(engine->failing, group);
}

void engine_note_failed_before(struct engine *engine, const struct task *task)
{
    const char *name = group_name_of(task);
    struct group *group;

    if (!name || !engine->options->group_commit)
        return;
    close_unless_called(engine, name);
    group = open_group(engine, name);
    if (group->has_failed)
        return;
    group->has_failed = true;
    group->culprit = task->request.seq;
    note_failing(engine, group);
}

bool engine_fails_with_group(const struct engine *engine, const struct task *task)
{
    return task->result.reason == REASON_CANCELLED && engine->options->group_commit &&
           task->group && task->group->has_failed;
}

void engine_note_member_changed(struct engine *engine, struct task *task)
{
    if (task->group && group_note_changed(task->group, task))
        note_failing(engine, task->group);
}

void engine_note_member_done(struct engine *engine, struct task *task)
{
    struct group *group = task->group;

    if (group_note_done(group, task, engine->now))
        note_failing(engine, group);
    if (group->is_spoiled && engine_has_file(task)) {
        engine->tally.succeeded--;
        spoil(task);
    }
    let_go_if_done(engine, group);
}

/* ---- cancelling ---- */

/* No other request may be read for want of memory, and none of those that hold it can go on. */
static bool fills_memory(const struct engine *engine)
{
    return !store_may_read(&engine->store) && !window_due(&engine->window) &&
           !window_awaited(&engine->window);
}

void engine_look_at_next(struct engine *engine, const struct task *next)
{
    struct group *group;

    close_unless_called(engine, group_name_of(next));
    group = engine->group;
    if (!group || !group->is_held || group->has_failed ||
        (group->alive < engine->window.max && !fills_memory(engine)))
        return;
    group->found_no_room = group->alive < engine->window.max;
    engine->tally.failed += group->found_no_room;
    group->has_failed = true;
    note_failing(engine, group);
}

void engine_cancel_task(struct engine *engine, struct task *task)
{
    engine_drop_output(task);
    task_rewind(task, &engine->store);
    set_cancelled(task);
    task->result.exitcode = 0;
    task->result.http_code = 0; /* of an answer that was to be tried again */
    engine_complete(engine, task);
}

/* What has ended and waits to be settled counts as it ended. */
static void cancel_pending(struct engine *engine, struct group *group, double now)
{
    struct task *next;

    for (struct task *task = group->pending; task; task = next) {
        next = task->junior;
        if (task->state == TASK_RUNNING && xfer_has_ended(task))
            continue;
        if (task->state == TASK_RUNNING)
            xfer_cancel(engine->xfer, task);
        engine_withdraw(engine, task, now);
        engine_cancel_task(engine, task);
    }
}

void engine_cancel_groups(struct engine *engine, double now)
{
    struct group *group;

    while ((group = engine->failing) != NULL) {
        LL_DELETE(engine->failing, group);
        cancel_pending(engine, group, now);
        if (group->is_held)
            let_go(engine, group);
        group->is_failing = false;
        end_if_over(engine, group);
    }
}
