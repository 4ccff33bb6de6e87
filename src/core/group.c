#include "core/group.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/util.h"
#include "core/task.h"
#include "deliver/fields.h"

struct group *group_new(const char *name, bool is_held)
{
    struct group *group = xcalloc(1, sizeof *group);

    group->name = xstrdup(name);
    group->is_held = is_held;
    return group;
}

void group_free(struct group *group)
{
    if (!group)
        return;
    assert(group->alive == 0);
    free(group->name);
    free(group);
}

bool group_is_called(const struct group *group, const char *name)
{
    return name && strcmp(group->name, name) == 0;
}

void group_join(struct group *group, struct task *task)
{
    if (group->members++ == 0) {
        group->first = task;
        group->first_seq = task->request.seq;
        group->begun_at = group->done_at = task->since;
    }
    group->alive++;
    task->group = group;
    task->is_held = group->is_held;
    DL_APPEND2(group->pending, task, senior, junior);
}

/* What was not done is no failure of its own. */
static bool is_failure(enum reason reason)
{
    return reason != REASON_OK && reason != REASON_CANCELLED && reason != REASON_HALTED;
}

static uint64_t *count_of(struct group *group, enum reason reason)
{
    if (reason == REASON_OK)
        return &group->succeeded;
    return is_failure(reason) ? &group->failed : &group->cancelled;
}

static bool note_failure(struct group *group, const struct task *task)
{
    if (group->has_failed || !is_failure(task->result.reason))
        return false;
    group->has_failed = true;
    group->culprit = task->request.seq;
    return true;
}

bool group_note_done(struct group *group, struct task *task, double now)
{
    DL_DELETE2(group->pending, task, senior, junior);
    group->done_at = now;
    (*count_of(group, task->result.reason))++;
    return note_failure(group, task);
}

bool group_note_changed(struct group *group, const struct task *task)
{
    group->succeeded--;
    (*count_of(group, task->result.reason))++;
    return note_failure(group, task);
}

void group_leave(struct group *group, struct task *task)
{
    task->group = NULL;
    group->alive--;
}

bool group_is_over(const struct group *group)
{
    return group->is_closed && group->alive == 0 && !group->is_failing;
}

bool group_is_whole(const struct group *group)
{
    return group->is_closed && !group->is_cut && !group->has_failed &&
           group->succeeded == group->members;
}

void group_add_record(const struct group *group, struct buf *out)
{
    buf_addf(out, "{\"group_record\":true,\"group\":%s,\"ok\":%s", group->name,
             group_is_whole(group) ? "true" : "false");
    buf_addf(out, ",\"members\":%llu,\"succeeded\":%llu,\"failed\":%llu,\"cancelled\":%llu",
             (unsigned long long)group->members, (unsigned long long)group->succeeded,
             (unsigned long long)group->failed, (unsigned long long)group->cancelled);
    if (group->culprit)
        buf_addf(out, ",\"cancelled_by\":%llu", (unsigned long long)group->culprit);
    buf_add_text(out, ",\"ts\":\"");
    field_add_time(group->begun_at_wall, out);
    buf_add_text(out, "\",\"time_total\":");
    buf_add_seconds(out, group->done_at - group->begun_at);
    buf_add_text(out, "}\n");
}
