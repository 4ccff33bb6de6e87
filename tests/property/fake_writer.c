/*
 * Stands where deliver/writer does: a buffer of the same size before a reader with a pace of its own, who
 * may also read while the engine is at work.
 */
#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "deliver/writer.h"
#include "fakes.h"
#include "world.h"

struct writer {
    struct ev_loop *loop;
    int number;
    size_t capacity;
    size_t len; /* in the buffer */
    char *buffer;
    bool watched;
    bool blocked; /* the last flush left something */

    struct reader *reader;
    struct buf taken; /* all that ever went out */
    size_t in_pipe;
    double next_read;
    bool failed;
};

static struct world *world_of(const struct writer *writer)
{
    return ev_userdata(writer->loop);
}

/* The engine makes its rooms in an order of its own: the world is asked for at the first use. */
static struct reader *reader_of(struct writer *writer)
{
    struct world *world = world_of(writer);

    if (writer->reader)
        return writer->reader;
    bool is_out = writer->number != STDERR_FILENO;
    writer->reader = is_out ? &world->scenario.out : &world->scenario.notes;
    *(is_out ? &world->out : &world->notes) = writer;
    return writer->reader;
}

bool writer_is_terminal(const struct writer *writer)
{
    (void)writer;
    return false;
}

struct writer *writer_new(struct ev_loop *loop, int number, size_t capacity)
{
    struct writer *writer = xcalloc(1, sizeof *writer);

    *writer = (struct writer){
        .loop = loop, .number = number, .capacity = capacity, .next_read = INFINITY};
    writer->buffer = xmalloc(capacity);
    buf_init(&writer->taken);
    return writer;
}

int writer_number(const struct writer *writer)
{
    (void)writer;
    return -1;
}

uint64_t writer_position(const struct writer *writer)
{
    (void)writer;
    return 0; /* no scenario has a journal */
}

uint64_t writer_written(const struct writer *writer)
{
    (void)writer;
    return 0;
}

int writer_open(struct ev_loop *loop, const char *path, uint64_t end, size_t capacity,
                struct writer **ret_writer)
{
    (void)end;
    (void)path;
    *ret_writer = writer_new(loop, STDOUT_FILENO, capacity);
    return 0;
}

void writer_free(struct writer *writer)
{
    if (!writer)
        return;
    buf_release(&writer->taken);
    free(writer->buffer);
    free(writer);
}

char *writer_reserve(struct writer *writer, size_t *ret_room)
{
    *ret_room = writer_room(writer);
    return writer->buffer + writer->len;
}

void writer_commit(struct writer *writer, size_t len)
{
    assert(len <= writer_room(writer));
    writer->len += len;
}

size_t writer_room(struct writer *writer)
{
    return writer->capacity - writer->len;
}

bool writer_is_empty(const struct writer *writer)
{
    return writer->len == 0;
}

size_t writer_held(const struct writer *writer)
{
    return writer->len;
}

bool writer_is_blocked(const struct writer *writer)
{
    return writer->blocked;
}

void writer_clear(struct writer *writer)
{
    writer->len = 0;
    writer->blocked = false;
}

/* ---- the reader ---- */

static double pause_of(const struct writer *writer)
{
    struct dice *dice = &world_of(writer)->dice;
    double pause = dice_real(dice, writer->reader->pause_max);

    return dice_chance(dice, writer->reader->sleeps) ? pause * 1000 : pause;
}

static void read_some(struct writer *writer)
{
    uint64_t most = MIN(writer->in_pipe, writer->reader->read_max);

    writer->in_pipe -= (size_t)dice_between(&world_of(writer)->dice, MIN(1, most), most);
}

static void catch_up(struct writer *writer)
{
    double now = world_of(writer)->now;

    while (writer->next_read <= now) {
        read_some(writer);
        writer->next_read = writer->in_pipe ? writer->next_read + pause_of(writer) : INFINITY;
    }
}

/* How much the reader's side takes at once; 0 where it is full. */
static size_t space(struct writer *writer)
{
    const struct reader *reader = writer->reader;

    if (reader->kind == READER_FILE || reader->kind == READER_FULL)
        return SIZE_MAX;
    if (reader->kind != READER_NEVER && writer->in_pipe == reader->pipe &&
        dice_chance(&world_of(writer)->dice, 30))
        read_some(writer);
    return reader->pipe - writer->in_pipe;
}

static bool has_limit(const struct reader *reader)
{
    return reader->kind == READER_CLOSES || reader->kind == READER_FULL;
}

static void take(struct writer *writer, size_t len)
{
    buf_add(&writer->taken, writer->buffer, len);
    memmove(writer->buffer, writer->buffer + len, writer->len - len);
    writer->len -= len;
    if (writer->reader->kind == READER_FILE || writer->reader->kind == READER_FULL)
        return;
    writer->in_pipe += len;
    if (writer->next_read == INFINITY && writer->reader->kind != READER_NEVER)
        writer->next_read = world_of(writer)->now + pause_of(writer);
}

/* Quiet is only what writes to a pipe, and not to a file that was named. */
static int fail(struct writer *writer)
{
    struct world *world = world_of(writer);
    bool is_out = writer == world->out;

    if (!writer->failed && is_out && writer->reader->kind == READER_CLOSES && !world->options.to)
        world->lost_reader = true;
    else if (!writer->failed && is_out)
        world->troubles++;
    writer->failed = true;
    return writer->reader->kind == READER_CLOSES ? -EPIPE : -ENOSPC;
}

int writer_flush(struct writer *writer)
{
    const struct reader *reader = reader_of(writer);

    catch_up(writer);
    while (writer->len) {
        if (has_limit(reader) && writer->taken.len >= reader->limit)
            return fail(writer);
        size_t room = space(writer);
        size_t len = MIN(writer->len, room);
        if (has_limit(reader))
            len = (size_t)MIN(len, reader->limit - writer->taken.len);
        writer->blocked = len == 0;
        if (!len)
            return 0;
        take(writer, len);
    }
    return 0;
}

void writer_watch(struct writer *writer)
{
    writer->watched = writer->blocked;
}

double fake_writer_due(const struct writer *writer)
{
    if (!writer || !writer->watched)
        return INFINITY;
    if (writer->in_pipe < writer->reader->pipe)
        return world_of(writer)->now;
    return writer->next_read;
}

const struct buf *fake_writer_taken(const struct writer *writer)
{
    return &writer->taken;
}

/* More than any number of jobs needs. */
int fd_raise_limit(void)
{
    return 1 << 20;
}
