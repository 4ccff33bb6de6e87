/*
 * A loop that a test turns by hand, and pipes to put at its ends.
 */
#ifndef WEIR_UNIT_LOOPS_H
#define WEIR_UNIT_LOOPS_H

#include <stdbool.h>
#include <stddef.h>

struct ev_loop;

/* Turns the loop once: until a watcher fires. A test that waits in vain fails. */
void loops_turn(struct ev_loop *);
/* Turns it without waiting. */
void loops_look(struct ev_loop *);

struct pipe {
    int out, in; /* read from `out` what was written to `in` */
};

void pipe_open(struct pipe *);
/* Closing twice is nothing. */
void pipe_close_in(struct pipe *);
void pipe_close_out(struct pipe *);
void pipe_close(struct pipe *);
void pipe_put(struct pipe *, const char *text);
/* How many bytes are in it. */
size_t pipe_waiting(const struct pipe *);
/* Whether the description behind the descriptor is one that does not block. */
bool is_nonblocking(int fd);

#endif
