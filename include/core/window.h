/*
 * Every task alive, oldest first, and whose turn it is to go out: in input order the oldest, once
 * it is done; in completion order whichever was done first. What is done too early waits here, and
 * so holds back the reading of more.
 *
 * Bound: `max` tasks born and not yet dead. Owns: the links older/newer of its tasks.
 */
#ifndef WEIR_CORE_WINDOW_H
#define WEIR_CORE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

struct task;

enum order { ORDER_INPUT, ORDER_COMPLETION };

struct window {
    enum order order;
    size_t max;
    size_t alive;
    struct task *oldest; /* in completion order: of those not done */
    struct task *done;   /* in completion order: done, first come first */
};

void window_init(struct window *, enum order, size_t max);

bool window_has_slot(const struct window *);
/* A new task, younger than all others. */
void window_add(struct window *, struct task *);
/* Notes that a task is done, and not held back. */
void window_note_done(struct window *, struct task *);
/* The task whose turn it is to go out, or NULL. */
struct task *window_due(const struct window *);
/* Takes out the task that window_due named. */
void window_remove(struct window *, struct task *);
/* The task that all others wait for: it must be able to go on whatever happens. NULL if none is
 * alive or the one next in order is done. Where that is held back, it is who it waits for. */
struct task *window_awaited(const struct window *);

#endif
