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

/* On stderr. */
static bool tells_summary(const struct options *options)
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

bool engine_wants_summary(const struct options *options)
{
    return options->summary_file || tells_summary(options);
}

static void tell_halted(struct engine *engine)
{
    uint64_t halted = engine->summary.stats.reasons[REASON_HALTED];
    struct buf line;

    if ((!halted && !engine->halted_by) || !options_tell_failures(engine->options))
        return;
    buf_init(&line);
    buf_addf(&line, "weir: halted: %s", engine->halted_by ? engine->halted_by : "an output failed");
    if (halted)
        buf_addf(&line, "; requests read and not done: %llu", (unsigned long long)halted);
    buf_add_char(&line, '\n');
    engine_note(engine, &line);
    buf_release(&line);
}

/* Else nothing would say why the exit status is not 0. */
static void tell_failed_before(struct engine *engine)
{
    uint64_t failed = engine->summary.stats.failed_before;
    struct buf line;

    if (!failed || !options_tell_failures(engine->options) || engine->plan)
        return;
    buf_init(&line);
    buf_addf(&line,
             "weir: failed in an earlier run and not tried again: %llu (--retry-failed does)\n",
             (unsigned long long)failed);
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

/* The loop has ended: what a reader does not take at once is waited for here. A negative errno. */
static int write_out(struct engine *engine, struct writer *writer)
{
    int result = writer_flush(writer);

    while (!result && !writer_is_empty(writer) && !signals_insist(engine->signals)) {
        writer_watch(writer);
        ev_run(engine->loop, EVRUN_ONCE);
        result = writer_flush(writer);
    }
    return result;
}

/* More than it holds at once goes out piece by piece. */
static int write_all(struct engine *engine, struct writer *writer, const struct buf *text)
{
    int result = 0;

    for (size_t at = 0; at < text->len && !result;) {
        size_t room;
        char *to = writer_reserve(writer, &room);
        size_t len = MIN(room, text->len - at);
        memcpy(to, text->data + at, len);
        writer_commit(writer, len);
        at += len;
        result = write_out(engine, writer);
        if (!writer_is_empty(writer))
            break;
    }
    return result;
}

/* Of one request nobody needs to be told unless they ask. */
static void tell_summary(struct engine *engine)
{
    const struct options *options = engine->options;
    struct buf text;

    if (!tells_summary(options) || engine->notes_failed ||
        (options->summary == OPTION_SUMMARY_AUTO && engine->summary.stats.results < 2))
        return;
    buf_init(&text);
    if (options->summary == OPTION_SUMMARY_JSON)
        summary_add_json(&engine->summary, &text);
    else
        summary_add_text(&engine->summary, engine->showing.is_utf8, &text);
    (void)!write_all(engine, engine->notes, &text);
    buf_release(&text);
}

static void file_summary(struct engine *engine)
{
    const char *path = engine->options->summary_file;
    struct writer *writer = NULL;
    struct buf text;

    if (!path)
        return;
    buf_init(&text);
    summary_add_json(&engine->summary, &text);
    int result = writer_open(engine->loop, path, 0, NOTES_BYTES, &writer);
    if (!result)
        result = write_all(engine, writer, &text);
    writer_free(writer);
    if (result) {
        buf_setf(&text, "cannot write %s: %s", path, strerror(-result));
        engine_note_trouble(engine, text.data);
    }
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
    tell_failed_before(engine);
    engine->summary.wall = clock_now() - engine->begun_at;
    engine->summary.ended = engine_why_it_ended(engine);
    file_summary(engine);
    tell_summary(engine);
    (void)!write_out(engine, engine->notes);
}
