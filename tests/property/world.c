#include "world.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/spool.h"
#include "core/engine.h"
#include "core/state.h"
#include "core/task.h"
#include "fakes.h"

/* Far more of each than any run needs that gets on. */
#define PUMPS_MAX 1000000
#define TIME_MAX  1e9

enum { IDLE_PUMPS_MAX = 3 };

bool line_is_wanted(const struct line *line)
{
    return line->kind != LINE_COMMENT && line->kind != LINE_BLANK;
}

void line_add_text(const struct world *world, const struct line *line, struct buf *out)
{
    static const char *const bad[] = {"http://[h1.test/", "h1.test/\xff", "http://h1.test:x/",
                                      "::"};
    uint64_t which = line->place.page % ARRAY_LEN(bad);

    switch (line->kind) {
    case LINE_PAGE: web_add_url(&world->web, line->place, out); break;
    case LINE_PAGE_BARE:
        buf_add_text(out, " ");
        web_add_host(&world->web, line->place.host, out);
        buf_addf(out, "/%u\r", line->place.page);
        break;
    case LINE_COMMENT: buf_add_text(out, "# http://h1.test/"); break;
    case LINE_BLANK: buf_add_text(out, which ? " \t" : ""); break;
    case LINE_BAD: buf_add_text(out, bad[which]); break;
    case LINE_FTP: buf_add_text(out, "ftp://h1.test/"); break;
    case LINE_CUT: buf_add_text(out, "http://h1.test/and-so-on-and-on"); break;
    }
}

/* ---- birth and death ---- */

static void set_options(struct options *options, const struct scenario *scenario, const char *spool)
{
    options_init(options);
    options->jobs = scenario->jobs;
    options->window = scenario->window;
    options->memory = scenario->memory;
    options->spool_max = scenario->spool_max;
    options->spool_dir = xstrdup(spool);
    options->order = scenario->order;
    options->format = scenario->format;
    options->max_redirs = scenario->max_redirs;
    options->location = scenario->location;
    options->location_trusted = scenario->trusted;
    options->silent = scenario->silent;
    options->retry = scenario->retry;
    options->retry_delay = scenario->retry_delay;
    options->retry_budget = scenario->retry_budget;
    options->per_host = scenario->per_host;
    options->rate = scenario->rate;
    options->host_rate = scenario->host_rate;
    options->burst = scenario->burst;
    options->host_errors = scenario->host_errors;
    options->host_wait = scenario->host_wait;
    options->host_retry_after = scenario->host_retry_after;
    options->adaptive = scenario->adaptive;
    options->parallel_immediate = scenario->parallel_immediate;
    options->to = scenario->to_file ? xstrdup("results") : NULL;
}

static void set_web(struct web *web, const struct scenario *scenario)
{
    *web = (struct web){
        .seed = scenario->seed,
        .hosts = scenario->hosts,
        .pages = scenario->pages,
        .numeric = scenario->numeric,
        .dead = scenario->dead,
        .missing = scenario->missing,
        .broken = scenario->broken,
        .moved = scenario->moved,
        .shaky = scenario->shaky,
        .closing = scenario->closing,
        .big = scenario->big,
        .small_max = scenario->small_max,
        .big_max = scenario->big_max,
    };
}

static enum line_kind roll_kind(struct world *world)
{
    static const enum line_kind junk[] = {LINE_COMMENT, LINE_BLANK, LINE_BAD, LINE_FTP, LINE_CUT};

    if (dice_chance(&world->dice, world->scenario.junk))
        return junk[dice_below(&world->dice, ARRAY_LEN(junk))];
    return dice_chance(&world->dice, 20) ? LINE_PAGE_BARE : LINE_PAGE;
}

/* The arguments come first, and all of them ask for something. */
static void roll_line(struct world *world, size_t index, double *at)
{
    const struct scenario *scenario = &world->scenario;
    struct line *line = &world->lines[index];

    line->kind = roll_kind(world);
    line->place.host = (uint32_t)dice_below(&world->dice, scenario->hosts);
    line->place.page = (uint32_t)dice_below(&world->dice, scenario->pages);
    if (index < scenario->arguments) {
        if (!line_is_wanted(line) || line->kind == LINE_CUT)
            line->kind = LINE_PAGE;
        return;
    }
    if (!dice_chance(&world->dice, scenario->bursts))
        *at += dice_real(&world->dice, scenario->gap_max);
    line->at = *at;
    line->number = index - scenario->arguments + 1;
}

static void roll_lines(struct world *world)
{
    double at = 0;

    world->n_lines = world->scenario.lines + world->scenario.arguments;
    world->lines = xcalloc(world->n_lines + 1, sizeof *world->lines);
    world->records = xcalloc(world->n_lines + 1, sizeof *world->records);
    world->burials = xcalloc(world->n_lines + 1, sizeof *world->burials);
    for (size_t i = 0; i < world->n_lines; i++) {
        roll_line(world, i, &at);
        if (line_is_wanted(&world->lines[i]))
            world->records[world->n_records++].line = &world->lines[i];
    }
}

struct world *world_new(const struct scenario *scenario, const char *directory)
{
    struct world *world = xcalloc(1, sizeof *world);
    bool has_place = scenario->spool_end != SPOOL_HAS_NO_PLACE;

    world->scenario = *scenario;
    world->dice = (struct dice){dice_mix(scenario->seed, 1)};
    buf_init(&world->failure);
    set_options(&world->options, scenario, has_place ? directory : "/nowhere/at/all");
    set_web(&world->web, scenario);
    roll_lines(world);
    return world;
}

void world_free(struct world *world)
{
    if (!world)
        return;
    options_release(&world->options);
    free(world->lines);
    free(world->records);
    free(world->burials);
    buf_release(&world->failure);
    free(world);
}

struct world *world_of_options(const struct options *options)
{
    return CONTAINER_OF((uintptr_t)options, struct world, options);
}

struct record *world_record(struct world *world, const struct task *task)
{
    return &world->records[task->request.seq - 1];
}

void world_break(struct world *world, const char *format, ...)
{
    char *words = NULL;
    va_list arguments;

    if (world_is_broken(world))
        return;
    va_start(arguments, format);
    int len = vasprintf(&words, format, arguments);
    va_end(arguments);
    if (len < 0)
        out_of_memory();
    buf_addf(&world->failure, "at %g, in pump %zu: %s", world->now, world->pumps, words);
    free(words);
}

/* ---- what the engine buries, seen on the way to the real functions ---- */

void on_count(struct stats *stats, const struct result *result) __asm__("__wrap_stats_count");
void count(struct stats *stats, const struct result *result) __asm__("__real_stats_count");
void on_free(struct task *task, struct store *store) __asm__("__wrap_task_free");
void really_free(struct task *task, struct store *store) __asm__("__real_task_free");

void on_complete(struct engine *engine, struct task *task) __asm__("__wrap_engine_complete");
void complete(struct engine *engine, struct task *task) __asm__("__real_engine_complete");

static struct world *world_of_engine(const struct engine *engine)
{
    return world_of_options(engine->options);
}

/* Room for what a body keeps, in blocks: those that nobody else can take, and all there could be. */
static uint64_t sure_room(const struct world *world)
{
    uint64_t bytes = world->scenario.spool_max + world->scenario.memory;

    return (bytes + SPOOL_BLOCK_BYTES - 1) / SPOOL_BLOCK_BYTES * SPOOL_BLOCK_BYTES;
}

static bool may_be_too_large(const struct world *world, const struct ending *ending)
{
    uint64_t head = world->scenario.head_bytes;

    return ending->kept + (head ? head + SPOOL_BLOCK_BYTES : 0) > sure_room(world);
}

static bool must_be_too_large(const struct world *world, const struct ending *ending)
{
    uint64_t spool = world->scenario.spool_max / SPOOL_BLOCK_BYTES * SPOOL_BLOCK_BYTES;

    return ending->kept > world->scenario.memory + spool + sure_room(world);
}

/* Which retries there are is for the budget to say, and for the host. */
static bool was_tried_enough(const struct world *world, const struct result *result)
{
    return world->scenario.retry_budget < INFINITY || world->scenario.host_errors ||
           result->attempts == 1 + world->scenario.retry;
}

static bool is_allowed_in_trouble(const struct world *world, const struct record *record,
                                  const struct result *result, const struct ending *ending)
{
    struct place place = web_after(&world->web, record->line->place, result->n_passed);
    struct page page = web_page(&world->web, place);

    return page.troubles && result->reason == web_trouble_reason(page.trouble) &&
           result->n_passed <= ending->hops && was_tried_enough(world, result);
}

static bool is_allowed_for_page(const struct world *world, const struct record *record,
                                const struct result *result)
{
    struct ending ending = web_ending(&world->web, &world->options, record->line->place);

    if (result->reason == REASON_TOO_LARGE)
        return may_be_too_large(world, &ending);
    if (result->reason == REASON_OUTPUT)
        return world->scenario.spool_end != SPOOL_LASTS &&
               (ending.kept || world->scenario.head_bytes);
    if (result->reason == REASON_CONNECT && !record->is_in_trouble)
        return world->scenario.famine_to == INFINITY;
    if (result->reason == REASON_HOST_DOWN)
        return world->scenario.host_errors && result->n_passed <= ending.hops;
    if (record->is_in_trouble)
        return is_allowed_in_trouble(world, record, result, &ending);
    if ((ending.reason == REASON_DNS || ending.reason == REASON_RESET) &&
        !was_tried_enough(world, result))
        return false;
    if (result->reason != ending.reason || must_be_too_large(world, &ending))
        return false;
    if (result->reason == REASON_OK &&
        result->body_bytes != web_page(&world->web, ending.place).size)
        return false;
    return result->n_passed == ending.hops;
}

static bool is_allowed(const struct world *world, const struct record *record,
                       const struct result *result)
{
    switch (record->line->kind) {
    case LINE_BAD:
    case LINE_CUT: return result->reason == REASON_INVALID;
    case LINE_FTP: return result->reason == REASON_DENIED;
    case LINE_COMMENT:
    case LINE_BLANK: return false;
    case LINE_PAGE:
    case LINE_PAGE_BARE: break;
    }
    /* What had ended before the stop counts as it ended. */
    if (result->reason == REASON_HALTED)
        return world->engine->stopped && !record->settled;
    return is_allowed_for_page(world, record, result);
}

void on_count(struct stats *stats, const struct result *result)
{
    struct engine *engine = CONTAINER_OF(stats, struct engine, summary.stats);
    struct world *world = world_of_engine(engine);
    const struct task *task = CONTAINER_OF((uintptr_t)result, struct task, result);
    uint64_t seq = task->request.seq;
    struct record *record = world_record(world, task);

    PROMISE(world, seq >= 1 && seq <= world->asked_for, "a result of nothing");
    PROMISE(world, ++record->results == 1, "request %llu has a second result",
            (unsigned long long)seq);
    PROMISE(world, world->options.order != OPTION_ORDER_INPUT || seq == world->buried + 1,
            "result %llu out of order, %zu were due", (unsigned long long)seq, world->buried);
    PROMISE(world, task->request.line == record->line->number, "request %llu is of another line",
            (unsigned long long)seq);
    PROMISE(
        world, is_allowed(world, record, result),
        "request %llu, a line of kind %d, host %u, page %u, ended as %s after %zu hops and %llu "
        "bytes: %s",
        (unsigned long long)seq, (int)record->line->kind, record->line->place.host,
        record->line->place.page, reason_name(result->reason), result->n_passed,
        (unsigned long long)result->body_bytes, result->message ? result->message : "");
    record->reason = result->reason;
    world->burials[world->buried++] = seq;
    count(stats, result);
}

void on_complete(struct engine *engine, struct task *task)
{
    if (task->result.reason == REASON_HOST_DOWN)
        fake_xfer_note_refused(engine->xfer, task);
    complete(engine, task);
}

void on_free(struct task *task, struct store *store)
{
    struct world *world = world_of_engine(CONTAINER_OF(store, struct engine, store));

    really_free(task, store);
    world->freed++;
    world->memory_left = store->memory_used;
    world->spool_left = spool_used_bytes(store->spool);
}

/* ---- the run ---- */

static double next_event(const struct world *world)
{
    double due = fmin(engine_due(world->engine, world->now), fake_source_due(world->source));

    due = fmin(due, fmin(fake_writer_due(world->out), fake_writer_due(world->notes)));
    return world->stopped ? due : fmin(due, fake_xfer_due(world->xfer));
}

static void check_progress(struct world *world, double next, unsigned *idle_pumps)
{
    const struct engine *engine = world->engine;
    bool moved = engine->moves_left < MOVES_IN_TURN || engine->bytes_left < BYTES_IN_TURN;

    *idle_pumps = moved || next > world->now ? 0 : *idle_pumps + 1;
    PROMISE(world, *idle_pumps <= IDLE_PUMPS_MAX, "the loop turns and turns, and nothing moves");
    PROMISE(world, world->pumps < PUMPS_MAX && world->now < TIME_MAX, "no end in sight");
}

static bool has_reader(const struct world *world)
{
    return world->scenario.out.kind != READER_NEVER && world->scenario.notes.kind != READER_NEVER;
}

/* A loop may be busy and late. */
static void let_time_pass(struct world *world, double next)
{
    world->now = fmax(world->now, next);
    if (dice_chance(&world->dice, 5))
        world->now += dice_real(&world->dice, 0.2);
}

/* False where nothing will happen any more. */
static bool turn(struct world *world, unsigned *idle_pumps)
{
    world->pumps++;
    engine_pump(world->engine, world->now);
    world_check_pump(world);
    if (engine_is_finished(world->engine))
        return false;
    PROMISE(world, !world->lost_reader, "the reader left, and the run goes on");
    double next = next_event(world);
    PROMISE(world, next < INFINITY || !has_reader(world), "it sleeps for ever");
    check_progress(world, next, idle_pumps);
    if (next < INFINITY)
        let_time_pass(world, next);
    return next < INFINITY;
}

static void drive(struct world *world)
{
    unsigned idle_pumps = 0;
    bool goes_on = true;

    while (goes_on && !world_is_broken(world))
        goes_on = turn(world, &idle_pumps);
    if (world_is_broken(world))
        return;
    /* The loop has nothing left to do but to find that out, and to work out the status. */
    bool finished = engine_is_finished(world->engine) && !world->lost_reader;
    world->over = true;
    if (finished)
        world->status = engine_run(world->engine);
    world_check_end(world);
}

void world_run(struct world *world)
{
    struct buf err;

    buf_init(&err);
    world->now = 1000;
    world->status = -1;
    if (engine_new(&world->options, &world->engine, &err)) {
        world_break(world, "no engine: %s", err.data);
    } else {
        retry_init(&world->engine->retries, world->scenario.seed);
        drive(world);
        size_t born = (size_t)world->engine->seq;
        engine_free(world->engine);
        PROMISE(world, world->freed == born, "%zu tasks born, %zu freed", born, world->freed);
        PROMISE(world, !world->memory_left && !world->spool_left, "room that was not given back");
    }
    buf_release(&err);
}
