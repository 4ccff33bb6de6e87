#include "loops.h"

#include <criterion/criterion.h>
#include <ev.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Only what hangs takes as long; less than the minute for which libev blocks at most. */
static const double patience = 30;

static void on_patience_out(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    *(bool *)timer->data = true;
}

void loops_turn(struct ev_loop *loop)
{
    bool in_vain = false;
    ev_timer guard;

    ev_timer_init(&guard, on_patience_out, patience, 0);
    guard.data = &in_vain;
    ev_now_update(loop);
    ev_timer_start(loop, &guard);
    ev_run(loop, EVRUN_ONCE);
    ev_timer_stop(loop, &guard);
    cr_assert(!in_vain, "nothing happened");
}

void loops_look(struct ev_loop *loop)
{
    ev_run(loop, EVRUN_NOWAIT);
}

void pipe_open(struct pipe *ends)
{
    int fds[2];

    cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
    *ends = (struct pipe){.out = fds[0], .in = fds[1]};
}

static void close_once(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void pipe_close_in(struct pipe *ends)
{
    close_once(&ends->in);
}

void pipe_close_out(struct pipe *ends)
{
    close_once(&ends->out);
}

void pipe_close(struct pipe *ends)
{
    pipe_close_in(ends);
    pipe_close_out(ends);
}

void pipe_put(struct pipe *ends, const char *text)
{
    cr_assert_eq(write(ends->in, text, strlen(text)), (ssize_t)strlen(text));
}

size_t pipe_waiting(const struct pipe *ends)
{
    int bytes = 0;

    cr_assert_eq(ioctl(ends->out, FIONREAD, &bytes), 0);
    return (size_t)bytes;
}

bool is_nonblocking(int fd)
{
    return fcntl(fd, F_GETFL) & O_NONBLOCK;
}
