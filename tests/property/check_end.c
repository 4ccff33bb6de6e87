/*
 * What must hold once a run is over: each request has its result, the results' bytes are on stdout,
 * the failures are told on stderr, and the status says how it went.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/spool.h"
#include "core/engine.h"
#include "core/state.h"
#include "core/task.h"
#include "fakes.h"
#include "world.h"

/* ---- stdout ---- */

/* The bytes that results stand for, held against what went out. */
struct comparison {
    struct world *world;
    const struct buf *taken;
    size_t at;
    bool whole; /* all of it is to be there */
};

static void compare_body(struct comparison *comparison, const struct line *line)
{
    struct world *world = comparison->world;
    struct ending ending = web_ending(&world->web, &world->options, line->place);
    size_t len = (size_t)MIN(ending.kept, comparison->taken->len - comparison->at);
    char *expected = xmalloc(len + 1);

    web_fill(&world->web, ending.place, 0, expected, len);
    PROMISE(world, memcmp(expected, comparison->taken->data + comparison->at, len) == 0,
            "stdout, from byte %zu on, is not page %u of host %u", comparison->at,
            ending.place.page, ending.place.host);
    PROMISE(world, len == ending.kept || !comparison->whole, "stdout ends too early");
    free(expected);
    comparison->at += len;
}

/* Where nobody reads on, a part of one more result may be out. */
static void compare_due(struct comparison *comparison)
{
    struct world *world = comparison->world;
    const struct task *due = window_due(&world->engine->window);

    if (due && due->result.reason == REASON_OK)
        compare_body(comparison, world_record(world, due)->line);
}

static void check_stdout(struct world *world, bool finished)
{
    struct comparison comparison = {.world = world,
                                    .taken = fake_writer_taken(world->out),
                                    .whole = finished && !world->engine->out_failed};

    for (size_t i = 0; i < world->buried; i++) {
        const struct record *record = &world->records[world->burials[i] - 1];
        if (record->reason == REASON_OK)
            compare_body(&comparison, record->line);
    }
    if (!comparison.whole)
        compare_due(&comparison);
    PROMISE(world, comparison.at == comparison.taken->len, "%zu bytes too many on stdout",
            comparison.taken->len - comparison.at);
}

/* ---- stderr ---- */

static bool is_told(const struct record *record)
{
    return record->reason != REASON_OK && record->reason != REASON_HALTED;
}

/* Whether the line tells of this failure. */
static bool tells(const char *line, size_t len, const struct record *record)
{
    const char *reason = reason_name(record->reason);
    struct buf beginning;

    buf_init(&beginning);
    buf_add_text(&beginning, "weir: ");
    if (record->line->number)
        buf_addf(&beginning, "line %llu: ", (unsigned long long)record->line->number);
    bool begins = len > beginning.len && memcmp(line, beginning.data, beginning.len) == 0;
    buf_release(&beginning);
    return begins && memmem(line, len, reason, strlen(reason));
}

/* What follows the next line that tells of it, or NULL. */
static const char *skip_note(const char *at, const struct record *record)
{
    const char *end;

    for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        if (tells(at, (size_t)(end - at), record))
            return end + 1;
    }
    return NULL;
}

static void check_notes(struct world *world)
{
    const char *at = fake_writer_taken(world->notes)->data;

    for (size_t i = 0; i < world->buried && at; i++) {
        const struct record *record = &world->records[world->burials[i] - 1];
        if (is_told(record))
            at = skip_note(at, record);
        PROMISE(world, at, "the failure of request %llu is not told in its turn",
                (unsigned long long)world->burials[i]);
    }
}

static void check_quiet(struct world *world)
{
    const struct buf *taken = fake_writer_taken(world->notes);
    size_t told = 0, lines = 0;

    for (size_t i = 0; i < world->buried; i++)
        told += is_told(&world->records[world->burials[i] - 1]);
    for (size_t i = 0; i < taken->len; i++)
        lines += taken->data[i] == '\n';
    PROMISE(world, lines == (world->options.silent ? 0 : told),
            "%zu lines on stderr for %zu failures", lines, told);
}

enum { VAIN_STARTS_MAX = 50 };

/* ---- the whole ---- */

static int expected_status(const struct world *world)
{
    if (world->troubles)
        return EXIT_LOCAL_TROUBLE;
    for (size_t i = 0; i < world->buried; i++) {
        if (world->records[world->burials[i] - 1].reason != REASON_OK)
            return EXIT_SOME_FAILED;
    }
    return EXIT_ALL_OK;
}

static void check_finished(struct world *world)
{
    const struct engine *engine = world->engine;

    PROMISE(world, world->buried == engine->seq, "%zu results of %zu requests", world->buried,
            (size_t)engine->seq);
    PROMISE(world, engine->stopped || world->buried == world->n_records,
            "%zu results of %zu lines, and no stop", world->buried, world->n_records);
    PROMISE(world, !engine->stopped || world->troubles, "a stop without a cause");
    PROMISE(world, world->status == expected_status(world), "the status is %d instead of %d",
            world->status, expected_status(world));
    PROMISE(world, engine->summary.stats.results == world->buried, "results that are not counted");
    PROMISE(world, engine->window.alive == 0 && engine->permits.held == 0, "something is left");
    PROMISE(world, engine->store.memory_used == 0 && spool_used_bytes(engine->store.spool) == 0,
            "bodies are left");
    PROMISE(world, engine->store.held == engine->rendering.held,
            "memory is charged that nobody holds");
}

/* Nobody reads: what ran came to its end, and no more was begun than there are slots. */
static void check_stuck(struct world *world)
{
    const struct engine *engine = world->engine;

    PROMISE(world, engine->permits.held == 0, "something runs and never ends");
    PROMISE(world, engine_due(engine, world->now) == INFINITY, "something is due and never done");
    PROMISE(world,
            engine->source_ended || engine->window.alive == world->scenario.window ||
                !store_may_read(&engine->store),
            "there are slots, and lines, and nothing is read");
}

static bool has_good_notes(const struct world *world)
{
    return !world->options.silent && !world->engine->notes_failed;
}

void world_check_end(struct world *world)
{
    bool finished = world->status >= 0;

    /* A famine that does not end is trouble, too, and it is the engine that says so. */
    if (world->scenario.famine_to > world->scenario.famine_from &&
        world->engine->starts_in_vain > VAIN_STARTS_MAX)
        world->troubles++;
    PROMISE(world, engine_lost_its_reader(world->engine) == world->lost_reader,
            "a lost reader goes unnoticed");
    if (finished)
        check_finished(world);
    else if (!world->lost_reader)
        check_stuck(world);
    check_stdout(world, finished);
    if (finished && has_good_notes(world))
        check_notes(world);
    if (finished && !world->troubles && !world->engine->notes_failed)
        check_quiet(world);
}
