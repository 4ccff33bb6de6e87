#include "deliver/writer.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

struct writer {
    struct ev_loop *loop;
    struct fd fd;
    ev_io watcher;
    size_t capacity;
    size_t from, to; /* what is in the buffer and not yet written */
    uint64_t written;
    bool is_blocked; /* the descriptor took no more when it was last tried */
    char buffer[];
};

/* The pump that follows this turn writes: being awake is all that is needed. */
static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    ev_io_stop(loop, watcher);
}

static struct writer *new_writer(struct ev_loop *loop, struct fd fd, size_t capacity)
{
    struct writer *writer = xmalloc(sizeof *writer + capacity);

    *writer = (struct writer){.loop = loop, .fd = fd, .capacity = capacity};
    ev_io_init(&writer->watcher, on_writable, fd.number, EV_WRITE);
    return writer;
}

struct writer *writer_new(struct ev_loop *loop, int number, size_t capacity)
{
    struct fd fd;

    fd_adopt(&fd, number, FD_WRITE);
    return new_writer(loop, fd, capacity);
}

int writer_open(struct ev_loop *loop, const char *path, uint64_t end, size_t capacity,
                struct writer **ret_writer)
{
    struct fd fd;
    int result = fd_open_at(&fd, path, end);

    if (result)
        return result;
    *ret_writer = new_writer(loop, fd, capacity);
    return 0;
}

int writer_number(const struct writer *writer)
{
    return writer->fd.number;
}

bool writer_is_terminal(const struct writer *writer)
{
    return isatty(writer->fd.number);
}

void writer_free(struct writer *writer)
{
    if (!writer)
        return;
    ev_io_stop(writer->loop, &writer->watcher);
    fd_release(&writer->fd);
    free(writer);
}

/* Moves what is left to the front once half of the buffer lies behind it. */
static void compact(struct writer *writer)
{
    if (writer->from < writer->capacity / 2 && writer->from < writer->to)
        return;
    memmove(writer->buffer, writer->buffer + writer->from, writer->to - writer->from);
    writer->to -= writer->from;
    writer->from = 0;
}

char *writer_reserve(struct writer *writer, size_t *ret_room)
{
    *ret_room = writer_room(writer);
    return writer->buffer + writer->to;
}

void writer_commit(struct writer *writer, size_t len)
{
    assert(len <= writer->capacity - writer->to);
    writer->to += len;
}

size_t writer_room(struct writer *writer)
{
    if (writer->from)
        compact(writer);
    return writer->capacity - writer->to;
}

int writer_flush(struct writer *writer)
{
    while (writer->from < writer->to) {
        ssize_t written =
            fd_write(&writer->fd, writer->buffer + writer->from, writer->to - writer->from);
        writer->is_blocked = written == -EAGAIN;
        if (writer->is_blocked)
            return 0;
        if (written < 0)
            return (int)written;
        writer->from += (size_t)written;
        writer->written += (uint64_t)written;
    }
    return 0;
}

bool writer_is_empty(const struct writer *writer)
{
    return writer->from == writer->to;
}

size_t writer_held(const struct writer *writer)
{
    return writer->to - writer->from;
}

bool writer_is_blocked(const struct writer *writer)
{
    return writer->is_blocked;
}

uint64_t writer_position(const struct writer *writer)
{
    return writer->written + writer_held(writer);
}

uint64_t writer_written(const struct writer *writer)
{
    return writer->written;
}

void writer_clear(struct writer *writer)
{
    writer->from = writer->to = 0;
    writer->is_blocked = false;
}

void writer_watch(struct writer *writer)
{
    if (fd_needs_watching(&writer->fd) && writer->is_blocked)
        ev_io_start(writer->loop, &writer->watcher);
    else
        ev_io_stop(writer->loop, &writer->watcher);
}
