/*
 * Neighbouring requests with one `group` value: one operation, which succeeds if each of them does.
 * The first that fails is why the others are cancelled. A group's results may be held back until its
 * last member is done, so that they go out together.
 *
 * Bound: it is there from its first member's admission to its last one's end, and what it holds back
 * is in the window. Owns: its name. Knows nothing of: transfers, files.
 */
#ifndef WEIR_CORE_GROUP_H
#define WEIR_CORE_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/trace.h"

struct task;

struct group {
    char *name;           /* JSON text */
    uint64_t first_seq;   /* where it begins in the input */
    struct task *first;   /* while it is held: its oldest member */
    struct task *pending; /* members that are not done, oldest first */
    size_t alive;         /* members whose results have not gone out */
    bool is_held;         /* its results wait for each other */
    bool is_closed;       /* no other member comes */
    bool is_spoiled;      /* its results were let go before it was whole: no file gets its name */
    bool is_cut;          /* others might have come, but the run ended */
    bool has_failed;      /* who is not done is cancelled */
    bool is_failing;      /* that has yet to be done */
    bool found_no_room;   /* it is too large for --memory, and not for --window */
    uint64_t culprit;     /* the first to fail; 0: the group is too large to be held */
    uint64_t vouched;     /* members whose lines of the journal are made */
    uint64_t members, succeeded, failed, cancelled;
    double begun_at, done_at; /* monotonic; when its last member so far was done */
    double begun_at_wall;
    char trace_id[TRACE_ID_SIZE]; /* empty: none of its members was started with one */
    struct group *next;           /* on the list that the engine keeps it on */
};

struct group *group_new(const char *name, bool is_held);
/* Of no members. Accepts NULL. */
void group_free(struct group *);

/* `name`: of the next request, or NULL for none. */
bool group_is_called(const struct group *, const char *name);
/* Another member; not done. */
void group_join(struct group *, struct task *);
/* The member, its result known, is done. True if that is the failure that ends the group. */
bool group_note_done(struct group *, struct task *, double now);
/* A result that was good is replaced: the task's new one counts in its place. True if that is the
 * failure that ends the group. */
bool group_note_changed(struct group *, const struct task *);
/* The member's result is out. */
void group_leave(struct group *, struct task *);

/* No member is left, nor will there be, and nothing is to be done about it. */
bool group_is_over(const struct group *);
/* Each member did what it was to do, and there will be no more of them. */
bool group_is_whole(const struct group *);

/* Adds its record, a JSON object on a line. */
void group_add_record(const struct group *, struct buf *out);

#endif
