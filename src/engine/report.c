#include <ev.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/state.h"
#include "io/signals.h"
#include "io/writer.h"
#include "model/options.h"
#include "policy/plan.h"

bool engine_wants_summary(const struct options *options)
{
    switch ((enum summary_option)options->summary) {
    case OPTION_SUMMARY_AUTO:
        return !options->silent && (options->verbose || isatty(STDERR_FILENO));
    case OPTION_SUMMARY_TEXT:
    case OPTION_SUMMARY_JSON: return true;
    case OPTION_SUMMARY_NONE: break;
    }
    return false;
}

static void tell_halted(struct engine *engine)
{
    uint64_t halted = engine->summary.stats.reasons[REASON_HALTED];
    struct buf line;

    if ((!halted && !engine->halted_by) || engine->options->silent)
        return;
    buf_init(&line);
    buf_addf(&line, "weir: halted: %s", engine->halted_by ? engine->halted_by : "an output failed");
    if (halted)
        buf_addf(&line, "; requests read and not done: %llu", (unsigned long long)halted);
    buf_add_char(&line, '\n');
    engine_note(engine, &line);
    buf_release(&line);
}

const char *engine_why_it_ended(const struct engine *engine)
{
    if (engine->halted_by)
        return engine->halted_by;
    if (engine->out_closed)
        return "the reader of the results went away";
    return engine->stopped ? "an output failed" : "all done";
}

/* The loop has ended: what stderr does not take at once is waited for here. */
static void write_notes(struct engine *engine)
{
    while (!writer_flush(engine->notes) && !writer_is_empty(engine->notes) &&
           !signals_insist(engine->signals)) {
        writer_watch(engine->notes);
        ev_run(engine->loop, EVRUN_ONCE);
    }
}

/* More than stderr holds at once goes out piece by piece. */
static void tell_all(struct engine *engine, const struct buf *text)
{
    for (size_t at = 0; at < text->len && !engine->notes_failed;) {
        size_t room;
        char *to = writer_reserve(engine->notes, &room);
        size_t len = MIN(room, text->len - at);
        memcpy(to, text->data + at, len);
        writer_commit(engine->notes, len);
        at += len;
        write_notes(engine);
        if (!writer_is_empty(engine->notes))
            return;
    }
}

/* Of one request nobody needs to be told unless they ask. */
static void tell_summary(struct engine *engine)
{
    const struct options *options = engine->options;
    struct buf text;

    if (!engine_wants_summary(options) ||
        (options->summary == OPTION_SUMMARY_AUTO && engine->summary.stats.results < 2))
        return;
    engine->summary.wall = clock_now() - engine->begun_at;
    engine->summary.ended = engine_why_it_ended(engine);
    buf_init(&text);
    if (options->summary == OPTION_SUMMARY_JSON)
        summary_add_json(&engine->summary, &text);
    else
        summary_add_text(&engine->summary, &text);
    tell_all(engine, &text);
    buf_release(&text);
}

static void tell_plan(struct engine *engine)
{
    struct buf report;

    buf_init(&report);
    plan_report(engine->plan, &report);
    if (fputs(report.data, stdout) < 0 || fflush(stdout) != 0)
        engine_note_trouble(engine, "cannot write to stdout");
    buf_release(&report);
}

void engine_tell_end(struct engine *engine)
{
    if (engine->plan)
        tell_plan(engine);
    tell_halted(engine);
    tell_summary(engine);
    write_notes(engine);
}
