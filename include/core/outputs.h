/*
 * Bodies that go to files: what a task's file is called, when it is begun, and when it gets its
 * name. A file is begun as its transfer starts, is whole as that is settled, and gets its name as
 * its result's turn comes, so that names that clash are decided in the order of the results.
 *
 * Owns: a task's sink. Knows nothing of: transfers.
 */
#ifndef WEIR_CORE_OUTPUTS_H
#define WEIR_CORE_OUTPUTS_H

#include <stdbool.h>

#include "base/buf.h"

struct engine;
struct task;

/* An exit status, with words in `err`, where the options name files that cannot be; else 0. */
int engine_open_outputs(struct engine *, struct buf *err) WARN_UNUSED;
/* Whether its body is to go to a file, and that file's name; a negative errno, with words in
 * `err`. */
bool engine_wants_output(const struct engine *, const struct task *);
int engine_name_output(struct engine *, struct task *, struct buf *ret_name,
                       struct buf *err) WARN_UNUSED;
enum begun {
    BEGUN,          /* there is a file, or none is needed */
    BEGUN_AND_DONE, /* the task is done: its file is there, or cannot be */
    BEGUN_LATER     /* no descriptor is left for the file */
};

/* Whether its body stands where an earlier run was about to put it: then the file is whole, has its
 * name, and the result is known. */
bool engine_find_output(struct engine *, struct task *);
/* Gives the task its file, if it has one. */
enum begun engine_begin_output(struct engine *, struct task *);
/* Another start is to come, and will go on with the file, if the rest of its body can be asked for,
 * or begin it anew: until then it holds no descriptor. */
void engine_pause_output(struct task *);
/* The task is done: its file is whole, or it is dropped. */
void engine_end_output(struct engine *, struct task *);
/* Its turn has come: the file gets its name. Once; the result may become a failure. */
void engine_publish_output(struct engine *, struct task *);
/* The same in steps, for several files that are named together or not at all. Whether the task has
 * one that is whole; false where it cannot be named, and that is the task's result;
 * and the name is given up again, if it has one. */
bool engine_has_file(const struct task *);
bool engine_name_file(struct engine *, struct task *);
void engine_take_back_file(struct task *);
void engine_drop_output(struct task *);
/* Likewise, where the run that resumes this one may go on with what there is of it. */
void engine_leave_output(struct task *);

#endif
