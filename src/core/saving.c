#include <errno.h>
#include <ev.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/replace.h"
#include "core/signals.h"
#include "core/state.h"
#include "deliver/writer.h"

/* How often a FIFO that nobody reads yet is tried again. */
#define TRY_EACH 0.05

static void on_time(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
}

/* Lets the loop hear what comes, for so long at most. */
static void listen(struct engine *engine, double seconds)
{
    ev_timer timer;

    ev_timer_init(&timer, on_time, fmax(0, seconds), 0);
    ev_now_update(engine->loop);
    if (seconds < INFINITY)
        ev_timer_start(engine->loop, &timer);
    ev_run(engine->loop, EVRUN_ONCE);
    ev_timer_stop(engine->loop, &timer);
}

const char *engine_error_words(int error)
{
    if (error == -ENXIO)
        return "nobody reads it";
    if (error == -ETIMEDOUT)
        return "its reader took too little before the end of --stop-timeout";
    return strerror(-error);
}

static bool may_wait(struct engine *engine)
{
    double now = clock_now();

    engine_bound_end(engine, now);
    return !signals_insist(engine->signals) && now < engine->stop_by;
}

int engine_write_out(struct engine *engine, struct writer *writer)
{
    int result = writer_flush(writer);

    while (!result && !writer_is_empty(writer) && may_wait(engine)) {
        writer_watch(writer);
        listen(engine, engine_end_due(engine) - clock_now());
        result = writer_flush(writer);
    }
    return !result && !writer_is_empty(writer) ? -ETIMEDOUT : result;
}

int engine_write_all(struct engine *engine, struct writer *writer, const struct buf *text)
{
    int result = 0;

    for (size_t at = 0; at < text->len && !result;) {
        size_t room;
        char *to = writer_reserve(writer, &room);
        size_t len = MIN(room, text->len - at);
        memcpy(to, text->data + at, len);
        writer_commit(writer, len);
        at += len;
        result = engine_write_out(engine, writer);
    }
    return result;
}

int engine_open_writer(struct engine *engine, const char *path, uint64_t end, size_t capacity,
                       struct writer **ret_writer)
{
    int result = writer_open(engine->loop, path, end, capacity, ret_writer);

    while (result == -ENXIO && may_wait(engine) && !signals_ending(engine->signals)) {
        listen(engine, TRY_EACH);
        result = writer_open(engine->loop, path, end, capacity, ret_writer);
    }
    return result;
}

static int write_in_place(struct engine *engine, const char *path, const struct buf *text)
{
    struct writer *writer = NULL;
    int result = engine_open_writer(engine, path, 0, NOTES_BYTES, &writer);

    if (!result)
        result = engine_write_all(engine, writer, text);
    writer_free(writer);
    return result;
}

/* The directory takes no other file, or no other name. */
static bool has_no_room_beside(int result)
{
    return result == -EACCES || result == -EPERM || result == -EROFS || result == -ENAMETOOLONG;
}

int engine_save(struct engine *engine, const char *path, mode_t mode, const struct buf *text)
{
    int result = -EACCES;

    if (replace_suits(path))
        result = replace_file(path, mode, text->data, text->len);
    return has_no_room_beside(result) ? write_in_place(engine, path, text) : result;
}
