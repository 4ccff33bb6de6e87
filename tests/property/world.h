/*
 * One run of the pure core: the scenario, the clock, the fakes that stand where the adapters do, and
 * the accounts kept of what the engine did, to be held against what it should have done.
 *
 * The fakes find their world by the options that the engine hands them. The first promise that is
 * broken is kept in words; after that the world runs no further.
 */
#ifndef PROPERTY_WORLD_H
#define PROPERTY_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "cli/options.h"
#include "dice.h"
#include "scenario.h"
#include "web.h"

struct engine;
struct source;
struct task;
struct writer;
struct xfer;

/* With more alive a walk costs more than what it checks, and is made now and then. */
enum { WALKED_ALWAYS = 400 };

enum line_kind {
    LINE_PAGE,
    LINE_PAGE_BARE,
    LINE_COMMENT,
    LINE_BLANK,
    LINE_BAD,
    LINE_FTP,
    LINE_CUT
};

struct line {
    enum line_kind kind;
    struct place place;
    double at;       /* when it can be read */
    uint64_t number; /* 0 for an argument */
};

/* What is known of the request with a certain sequence number. */
struct record {
    const struct line *line;
    unsigned results;
    enum reason reason;
    unsigned put_back; /* times that its body found no room */
    unsigned attempts;
    size_t place;         /* redirects followed to where it is */
    unsigned asked;       /* times that it had trouble there */
    bool is_in_trouble;   /* its last transfer had */
    bool is_off_budget;   /* and is tried again as its host asks, or once that is back */
    unsigned passed_over; /* starts at its host while it was to be started again */
    bool settled;         /* its last transfer ended in a way that is final */
};

struct world {
    struct options options;
    struct scenario scenario;
    struct web web;
    struct dice dice; /* for when things happen */
    double now;

    struct line *lines;
    size_t n_lines;
    struct record *records; /* index: sequence number - 1 */
    size_t n_records;
    uint64_t *burials; /* sequence numbers in the order of their results */

    struct engine *engine;
    struct source *source;
    struct xfer *xfer;
    struct writer *out, *notes;

    size_t asked_for; /* requests that the source has given */
    size_t buried;
    size_t freed; /* tasks */
    uint64_t memory_left, spool_left;
    bool stopped; /* the transfers were */
    bool lost_reader;
    bool over;         /* what comes now is by the real clock */
    unsigned troubles; /* that the fakes have told of */
    size_t pumps, starts;
    int status;         /* -1: it did not come to an end of its own */
    struct buf failure; /* the first broken promise */
};

/* The scenario is copied; the spool goes to `directory`. */
struct world *world_new(const struct scenario *, const char *directory);
void world_free(struct world *);

void world_break(struct world *, const char *format, ...) PRINTF_LIKE(2, 3);
#define PROMISE(world, holds, ...) ((holds) ? (void)0 : world_break(world, __VA_ARGS__))
static inline bool world_is_broken(const struct world *world)
{
    return world->failure.len > 0;
}

struct world *world_of_options(const struct options *);
/* The record of a task that is alive. */
struct record *world_record(struct world *, const struct task *);
/* Runs to the end and judges it; what is wrong is in `failure`. */
void world_run(struct world *);

void line_add_text(const struct world *, const struct line *, struct buf *out);
bool line_is_wanted(const struct line *);

/* What must hold after each pump, and at the end. */
void world_check_pump(struct world *);
void world_check_end(struct world *);

#endif
