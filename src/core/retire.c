#include <errno.h>
#include <math.h>
#include <string.h>

#include "cli/options.h"
#include "core/cached.h"
#include "core/groups.h"
#include "core/lasting.h"
#include "core/outputs.h"
#include "core/state.h"
#include "core/task.h"
#include "deliver/writer.h"
#include "flow/sched.h"

/* Less room than this in a writer, and it is written first. */
enum { RENDER_ROOM = 16 * 1024, NOTE_ROOM = 16 * 1024 };

/* Small results go out together, a write for each would be half of our own system calls. While
 * transfers run they wait for so many bytes, or so many seconds, whatever comes first. */
enum { FLUSH_BYTES = 64 * 1024 };
#define FLUSH_DELAY 0.002

_Static_assert((int)RENDER_ROOM >= (int)FORMAT_ROOM_MIN, "a rendering must get on");

static void fail_out(struct engine *engine, int error, double now)
{
    struct buf words;

    engine->out_failed = true;
    writer_clear(engine->out);
    if (error == -EPIPE && options_print_to_stdout(engine->options)) {
        engine->out_closed = true;
        return;
    }
    buf_init(&words);
    buf_addf(&words, "cannot write to %s: %s", engine->options->to ? engine->options->to : "stdout",
             strerror(-error));
    engine_note_trouble(engine, words.data);
    buf_release(&words);
    engine_stop(engine, now);
}

static void flush_notes(struct engine *engine)
{
    /* Nobody to tell that nobody can be told. */
    if (writer_flush(engine->notes)) {
        engine->notes_failed = true;
        writer_clear(engine->notes);
    }
}

/* Results on the same terminal do not go behind what is shown there. */
static void spare_results(struct engine *engine)
{
    if (!engine->showing.is_out_there || writer_is_empty(engine->out) ||
        !engine->showing.screen.n_lines)
        return;
    engine_hide(engine);
    flush_notes(engine);
}

static void flush_out(struct engine *engine, double now)
{
    spare_results(engine);
    int result = writer_flush(engine->out);

    engine->flush_at = INFINITY;
    engine_flush_cache(engine); /* what the journal calls done is not looked for again */
    engine_flush_journal(engine, now);
    if (result)
        fail_out(engine, result, now);
}

/* Whether more results are so near that they had better go out in one write with these. */
static bool is_worth_waiting(struct engine *engine, double now)
{
    size_t held = writer_held(engine->out);

    if (engine->permits.held == 0 || held >= FLUSH_BYTES || writer_is_blocked(engine->out))
        return false;
    if (held && engine->flush_at == INFINITY)
        engine->flush_at = now + FLUSH_DELAY;
    return now < engine->flush_at;
}

void engine_flush(struct engine *engine, double now)
{
    if (!is_worth_waiting(engine, now))
        flush_out(engine, now);
    if (!engine_holds_notes(engine, now))
        flush_notes(engine);
}

static bool writers_have_room(const struct engine *engine)
{
    return !engine->out_closed && engine_may_vouch(engine) && engine_may_keep(engine) &&
           writer_room(engine->out) >= RENDER_ROOM && writer_room(engine->notes) >= NOTE_ROOM;
}

/* The flush at the end of a turn may have made room, or found that no more is needed. */
bool engine_can_retire(const struct engine *engine)
{
    return (engine->over || window_due(&engine->window)) && writers_have_room(engine);
}

/* False where a writer is full and its reader takes nothing. */
static bool has_room(struct engine *engine, double now)
{
    if (writers_have_room(engine))
        return true;
    flush_out(engine, now);
    flush_notes(engine);
    return writers_have_room(engine);
}

/* The text of a record that does not go out at once counts as memory, too. */
static void hold_rendering(struct engine *engine, size_t bytes)
{
    store_give(&engine->store, engine->rendering.held);
    store_hold(&engine->store, bytes);
    engine->rendering.held = bytes;
}

/* True once all of the task's result is in the writer. */
static bool render_some(struct engine *engine, struct task *task, double now)
{
    size_t room;
    struct buf err;
    struct delivery item;
    char *to = writer_reserve(engine->out, &room);

    if (engine_withholds(engine, task))
        return true;
    engine_publish_output(engine, task);
    if (engine->out_failed || (engine->disk_failed && engine_withholds(engine, task)))
        return true;
    buf_init(&err);
    item = task_delivery(task);
    ssize_t len =
        format_render(engine->format, &engine->rendering, &item, &engine->store, to, room, &err);
    bool is_all = len <= 0 || format_is_all_out(engine->format, &engine->rendering);
    if (len < 0) {
        result_setf(&task->result, REASON_OUTPUT, "%s", err.data);
        engine_note_trouble(engine, err.data);
        engine_stop(engine, now);
    } else {
        writer_commit(engine->out, (size_t)len);
        engine->bytes_left -= MIN((size_t)len, engine->bytes_left);
        if (is_all) {
            engine_keep(engine, task);
            engine_vouch(engine, task);
        } else {
            hold_rendering(engine, rendering_bytes(&engine->rendering));
        }
    }
    buf_release(&err);
    return is_all;
}

/* Where each result is a record, the record tells of the failure. */
static bool makes_records(const struct options *options)
{
    return options->format != OPTION_FORMAT_RAW && options->format != OPTION_FORMAT_NONE;
}

/* Red, up to the end of the line. */
static void add_colored_failure(const struct delivery *item, struct buf *out)
{
    struct buf line;

    buf_init(&line);
    format_failure(item, &line);
    buf_add_text(out, "\033[31m");
    buf_add(out, line.data, line.len - 1);
    buf_add_text(out, "\033[m\n");
    buf_release(&line);
}

/* The one it was last sent to, or NULL. */
static const char *host_of(const struct task *task)
{
    return task->host ? sched_host_name(task) : NULL;
}

/* What the run ended before is told in one line at its end, not in thousands. */
static void tell_failure(struct engine *engine, const struct task *task)
{
    enum reason reason = task->result.reason;
    struct delivery item;
    struct buf line;

    if (reason == REASON_OK || reason == REASON_HALTED || !engine_tells_failures(engine))
        return;
    bool has_record = reason != REASON_CANCELLED || !engine->lasting.journal ||
                      engine_fails_with_group(engine, task);
    if (makes_records(engine->options) && has_record)
        return;
    if (engine->showing.is_terminal &&
        !flood_shows(&engine->showing.flood, host_of(task), reason, engine->now))
        return;
    buf_init(&line);
    item = task_delivery(task);
    if (engine_has_color(engine))
        add_colored_failure(&item, &line);
    else
        format_failure(&item, &line);
    engine_note(engine, &line);
    buf_release(&line);
}

void engine_tell_rest(struct engine *engine)
{
    struct buf line;

    buf_init(&line);
    flood_count(&engine->showing.flood, &line);
    if (line.len)
        engine_note(engine, &line);
    buf_release(&line);
}

static void bury(struct engine *engine, struct task *task, double now)
{
    tell_failure(engine, task);
    engine_note_result(engine, task);
    engine->local_trouble |= task->result.reason == REASON_OUTPUT;
    window_remove(&engine->window, task);
    engine_leave_group(engine, task);
    sched_forget(engine->sched, task, now);
    engine_drop_output(task);
    engine_drop_url(engine, task);
    task_free(task, &engine->store);
    hold_rendering(engine, 0);
    rendering_restart(&engine->rendering);
    engine->moves_left--;
}

void engine_retire(struct engine *engine, double now)
{
    struct task *task;

    if (now >= engine->showing.flood.due)
        engine_tell_rest(engine);
    while (engine->moves_left && engine->bytes_left &&
           (engine->over || window_due(&engine->window)) && has_room(engine, now)) {
        if (engine_put_group_record(engine))
            continue;
        task = window_due(&engine->window);
        if (render_some(engine, task, now))
            bury(engine, task, now);
    }
}
