/*
 * Groups in the engine: which one a task belongs to, what is cancelled when a member fails, and when
 * results that are held back are let go, with their files. Nothing outside src/engine includes this.
 */
#ifndef WEIR_CORE_GROUPS_H
#define WEIR_CORE_GROUPS_H

#include <stdbool.h>

struct engine;
struct task;

/* The task, just admitted, joins the group that its request names, if any: the one before ends where
 * it is another. */
void engine_join_group(struct engine *, struct task *);
/* The task, read, is not admitted. */
void engine_pass_group(struct engine *, const struct task *);
/* No other member comes. */
void engine_close_group(struct engine *);
/* The run ends: no further request is read. */
void engine_end_groups(struct engine *);
/* The next request has no place in the window yet. It tells whether the group before it is whole; one
 * that fills the window and goes on fails for its size. */
void engine_look_at_next(struct engine *, const struct task *next);
/* The task is done; with a group that holds it back this may let go of all. */
void engine_note_member_done(struct engine *, struct task *);
/* The task, read and not admitted, failed in an earlier run: with it its group, if that is held. */
void engine_note_failed_before(struct engine *, const struct task *);
/* Whether the task was cancelled for good, since its group is done or failed as one. */
bool engine_fails_with_group(const struct engine *, const struct task *);
/* The task, done and told of, came to nothing after all. */
void engine_note_member_changed(struct engine *, struct task *);
/* Cancels who is not done of the groups that failed. */
void engine_cancel_groups(struct engine *, double now);
/* The task, on no list and without a transfer, is not done any more, for its group failed. */
void engine_cancel_task(struct engine *, struct task *);
/* The task's result is out. */
void engine_leave_group(struct engine *, struct task *);
/* Puts out the record of a group that is over, if there is one and it is wanted. */
bool engine_put_group_record(struct engine *);
void engine_free_groups(struct engine *);

#endif
