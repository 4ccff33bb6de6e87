/*
 * The engine owns the loop and every room, and moves requests through them. All of its policy is
 * one function, engine_pump, run once a turn just before the loop would sleep; it looks at state
 * and not at events, so no wake-up is missed.
 *
 * Bound: jobs transfers running, window tasks alive, memory and spool-max bytes of bodies, and a
 * buffer for each of stdout and stderr.
 */
#ifndef WEIR_CORE_ENGINE_H
#define WEIR_CORE_ENGINE_H

#include <stdbool.h>

#include "base/buf.h"

struct engine;
struct options;

enum exit_status {
    EXIT_ALL_OK = 0,
    EXIT_SOME_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_HALTED = 3,
    EXIT_LOCAL_TROUBLE = 4
};

/* A status, with words in `err`, where the run cannot begin; 0 otherwise. */
int engine_new(const struct options *, struct engine **ret_engine, struct buf *err) WARN_UNUSED;
void engine_free(struct engine *);

/* Runs to the end: an exit status. */
int engine_run(struct engine *);
/* The signal that ended the run, for the process to end by; 0: none did. */
int engine_signal(const struct engine *);
/* Whether the run ended because nobody reads stdout any more. */
bool engine_lost_its_reader(const struct engine *);

#endif
