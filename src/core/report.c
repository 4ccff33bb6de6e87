#include <ev.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/options.h"
#include "core/plan.h"
#include "core/signals.h"
#include "core/state.h"
#include "deliver/writer.h"

bool engine_tells_failures(const struct engine *engine)
{
    return !engine->options->silent || engine->options->show_error;
}

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

    if ((!halted && !engine->halted_by) || !engine_tells_failures(engine))
        return;
    buf_init(&line);
    buf_addf(&line, "weir: halted: %s", engine->halted_by ? engine->halted_by : "an output failed");
    if (halted)
        buf_addf(&line, "; requests read and not done: %llu", (unsigned long long)halted);
    buf_add_char(&line, '\n');
    engine_note(engine, &line);
    buf_release(&line);
}

/* Results that are finished, and that nobody has taken in time. */
static void tell_lost(struct engine *engine)
{
    const struct options *options = engine->options;
    struct buf line;

    if (engine->now < engine->stop_by || engine->out_closed ||
        (engine->window.alive == 0 && writer_is_empty(engine->out)))
        return;
    buf_init(&line);
    buf_addf(&line,
             "weir: results are lost: the reader of %s took too little in the %g s of %s%s\n",
             options->to ? options->to : "stdout", options->stop_timeout, "--stop-timeout",
             options->journal ? "; --resume does them again" : "");
    engine_note(engine, &line);
    buf_release(&line);
}

/* Else nothing would say why the exit status is not 0. */
static void tell_failed_before(struct engine *engine)
{
    uint64_t failed = engine->summary.stats.failed_before;
    struct buf line;

    if (!failed || !engine_tells_failures(engine) || engine->plan)
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
    else if (options->summary == OPTION_SUMMARY_TEXT)
        summary_add_text(&engine->summary, engine->showing.is_utf8, &text);
    else
        summary_add_short(&engine->summary, engine->showing.is_piped, &text);
    (void)!engine_write_all(engine, engine->notes, &text);
    buf_release(&text);
}

static void file_summary(struct engine *engine)
{
    const char *path = engine->options->summary_file;
    struct buf text;

    if (!path)
        return;
    buf_init(&text);
    summary_add_json(&engine->summary, &text);
    int result = engine_save(engine, path, 0666, &text);
    if (result) {
        buf_setf(&text, "cannot write %s: %s", path, engine_error_words(result));
        engine_note_trouble(engine, text.data);
    }
    buf_release(&text);
}

static void tell_plan(struct engine *engine)
{
    struct buf report;

    buf_init(&report);
    plan_report(engine->plan, &report);
    if (engine_write_all(engine, engine->out, &report))
        engine_note_trouble(engine, "cannot write to stdout");
    buf_release(&report);
}

void engine_tell_end(struct engine *engine)
{
    if (engine->plan)
        tell_plan(engine);
    engine_tell_rest(engine);
    tell_halted(engine);
    tell_lost(engine);
    tell_failed_before(engine);
    engine->summary.wall = clock_now() - engine->begun_at;
    engine->summary.ended = engine_why_it_ended(engine);
    file_summary(engine);
    tell_summary(engine);
    (void)!engine_write_out(engine, engine->notes);
}
