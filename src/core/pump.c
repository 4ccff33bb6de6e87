#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "cli/options.h"
#include "core/groups.h"
#include "core/lasting.h"
#include "core/state.h"
#include "core/task.h"
#include "deliver/writer.h"
#include "fetch/xfer.h"
#include "flow/sched.h"
#include "input/source.h"
#include "input/url.h"

/* What takes off what is shown at the end of a terminal. */
enum { ERASING_ROOM = 64 };

void engine_note(struct engine *engine, const struct buf *line)
{
    size_t room;

    if (engine->notes_failed || line->len + ERASING_ROOM > writer_room(engine->notes))
        return;
    engine_hide(engine);
    char *to = writer_reserve(engine->notes, &room);
    memcpy(to, line->data, line->len);
    writer_commit(engine->notes, line->len);
}

void engine_note_trouble(struct engine *engine, const char *words)
{
    struct buf line;

    engine->local_trouble = true;
    buf_init(&line);
    buf_add_text(&line, "weir: ");
    text_add_escaped(&line, words, strlen(words));
    buf_add_char(&line, '\n');
    engine_note(engine, &line);
    buf_release(&line);
}

/* What the run ended before is neither. */
static void count_done(struct engine *engine, enum reason reason)
{
    if (reason == REASON_OK)
        engine->tally.succeeded++;
    else if (reason != REASON_HALTED && reason != REASON_CANCELLED)
        engine->tally.failed++;
}

void engine_complete(struct engine *engine, struct task *task)
{
    bool is_held = task->is_held;

    task_set_state(task, TASK_DONE);
    task->done_at = engine->now;
    if (!is_held || task->result.reason != REASON_OK)
        count_done(engine, task->result.reason); /* else once it is let go: it may be spoiled */
    if (task->group)
        engine_note_member_done(engine, task);
    if (!is_held)
        window_note_done(&engine->window, task);
    if (!format_wants_facts(engine->format))
        engine_drop_url(engine, task); /* a record still tells where it led */
}

void engine_extend_url(struct engine *engine, struct task *task)
{
    const struct options *options = engine->options;

    if (options->get && options->has_data)
        url_add_query(task->url, options->data.data);
    if (!options->upload || strcmp(options->upload, "-") == 0)
        return;
    struct ask ask = request_ask(&task->request, &engine->verdicts.redirect.defaults);
    if (ask.payload == options->upload)
        url_add_file_name(task->url, options->upload);
}

void engine_drop_url(struct engine *engine, struct task *task)
{
    if (!task->url)
        return;
    url_free(task->url);
    task->url = NULL;
    engine->urls_kept--;
}

void engine_queue(struct engine *engine, struct task *task, bool again, double now)
{
    const char *text = task->result.n_passed ? NULL : task->request.url;
    const struct host_name *host = host_memo_find(&engine->hosts, text, task->url);

    sched_add(engine->sched, task, host->name, host->numeric, again, now);
}

static bool has_turn_left(const struct engine *engine)
{
    return engine->moves_left && engine->bytes_left;
}

double engine_due(const struct engine *engine, double now)
{
    struct heap_node *node = heap_peek(&engine->waiting);
    double due = fmin(xfer_due(engine->xfer), node ? node->due : INFINITY);

    due = fmin(due, engine->flush_at);
    due = fmin(due, fmin(engine->showing.due, engine->showing.flood.due));
    due = fmin(due, engine_journal_due(engine));
    due = fmin(due, engine_start_due(engine, now));
    due = fmin(due, engine_end_due(engine));

    if (!has_turn_left(engine) || engine_can_retire(engine))
        return now;
    return due;
}

bool engine_is_finished(const struct engine *engine)
{
    if (engine->out_closed || engine->now >= engine->stop_by)
        return true;
    return engine->source_ended && !engine->ahead && engine->window.alive == 0 && !engine->over &&
           xfer_trace(engine->xfer)->len == 0 && writer_is_empty(engine->out) &&
           writer_is_empty(engine->notes);
}

static void assert_invariants(const struct engine *engine)
{
    assert(engine->permits.held <= engine->jobs_max);
    assert(engine->window.alive <= engine->window.max);
    assert(engine->waiting.len + engine->permits.held <= engine->window.alive);
    assert(!engine->stopped || engine->permits.held == 0);
    (void)engine;
}

/* Moves what can be moved, from the right end of the house to the left, until nothing can. What
 * moves makes room for what stands behind it, so the steps repeat; a turn's budget bounds how
 * often. Where answers come as fast as requests are sent it would never be used up, and a signal be
 * heard a thousand requests later: so a few rounds are a turn, too. */
static void move(struct engine *engine, double now)
{
    unsigned rounds = 0;
    size_t before;

    do {
        if (rounds++ == ROUNDS_IN_TURN) {
            engine->moves_left = 0;
            return;
        }
        before = engine->moves_left;
        engine_settle(engine, now);
        engine_retire(engine, now);
        engine_admit(engine, now);
        engine_heed(engine, now);
        engine_start(engine, now);
    } while (has_turn_left(engine) && engine->moves_left < before);
}

/* An output that fails in the last flush stops the run, and nothing would wake the loop for what
 * that leaves to be retired: it is moved in the same turn. */
void engine_pump(struct engine *engine, double now)
{
    bool stopped;

    engine->moves_left = MOVES_IN_TURN;
    engine->bytes_left = BYTES_IN_TURN;
    engine->now = now;
    engine_forgive(engine, now);
    xfer_run(engine->xfer, now);
    do {
        stopped = engine->stopped;
        move(engine, now);
        engine_show(engine, now);
        engine_flush(engine, now);
    } while (engine->stopped != stopped);
    engine->awake_at = now;
    engine_arm(engine, now);
    assert_invariants(engine);
}
