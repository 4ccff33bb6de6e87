#include <math.h>
#include <signal.h>
#include <string.h>

#include "cli/options.h"
#include "core/groups.h"
#include "core/jobs_file.h"
#include "core/signals.h"
#include "core/state.h"
#include "core/task.h"
#include "fetch/xfer.h"

/* The first that ends the run is the one that is told; what ends it harder still does, and of the exit
 * statuses the largest is the one that applies. */
static void end_early(struct engine *engine, enum halt_when when, const struct buf *words,
                      bool is_failure, double now)
{
    if (!engine->halted_by)
        engine->halted_by = xstrdup(words->data);
    engine->halt_is_failure |= is_failure;
    if (when == HALT_NOW)
        engine_stop(engine, now);
    else
        engine_drain(engine, now);
}

void engine_bound_end(struct engine *engine, double now)
{
    bool has_passed = !engine->plan && now >= engine->deadline;

    if (engine->stop_by == INFINITY && (has_passed || signals_ending(engine->signals)))
        engine->stop_by = now + engine->options->stop_timeout;
}

double engine_end_due(const struct engine *engine)
{
    if (engine->stop_by < INFINITY)
        return engine->stop_by;
    return engine->plan ? INFINITY : engine->deadline;
}

static void heed_halt(struct engine *engine, double now)
{
    const struct halt *halt = &engine->options->halt;
    struct buf words;

    engine->tally.read = engine->seq - engine->summary.stats.done_before;
    engine->tally.read_all = engine->source_ended;
    if (engine->is_draining || !halt_is_reached(halt, &engine->tally))
        return;
    buf_init(&words);
    halt_describe(halt, &engine->tally, &words);
    end_early(engine, halt->when, &words, halt->what == HALT_FAIL, now);
    buf_release(&words);
}

static void heed_deadline(struct engine *engine, double now)
{
    struct buf words;

    if (now < engine->deadline)
        return;
    buf_init(&words);
    buf_addf(&words, "the --deadline of %g s passed", engine->options->deadline);
    end_early(engine, HALT_NOW, &words, true, now);
    buf_release(&words);
}

static void heed_ending_signal(struct engine *engine, double now)
{
    int number = signals_ending(engine->signals);
    struct buf words;

    if (!number)
        return;
    buf_init(&words);
    buf_addf(&words, "SIG%s", sigabbrev_np(number));
    end_early(engine, HALT_NOW, &words, true, now);
    buf_release(&words);
}

static void tell_status(struct engine *engine)
{
    struct buf line;
    size_t done = (size_t)(engine->tally.failed + engine->tally.succeeded);

    buf_init(&line);
    buf_addf(&line, "weir: %zu done, %llu of them failed; %u in flight; %zu of a window of %zu\n",
             done, (unsigned long long)engine->tally.failed, engine->permits.held,
             engine->window.alive, engine->window.max);
    engine_note(engine, &line);
    buf_release(&line);
}

void engine_forgive(struct engine *engine, double now)
{
    if (!signals_take_continued(engine->signals))
        return;
    xfer_forgive(engine->xfer, now - engine->awake_at);
    engine_show_anew(engine, now);
}

void engine_heed(struct engine *engine, double now)
{
    unsigned jobs;

    if (engine->jobs_file && jobs_file_take(engine->jobs_file, &jobs))
        engine->permits.limit = MIN(jobs, engine->jobs_max);
    if (signals_take_status(engine->signals))
        tell_status(engine);
    engine_cancel_groups(engine, now);
    engine_heed_journal(engine);
    engine_bound_end(engine, now);
    if (engine->disk_failed)
        engine_stop(engine, now);
    if (engine->stopped)
        return;
    heed_ending_signal(engine, now);
    if (engine->plan)
        return; /* a plan is of the whole input */
    heed_deadline(engine, now);
    if (!engine->stopped)
        heed_halt(engine, now);
}
