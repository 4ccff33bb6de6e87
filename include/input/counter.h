/*
 * How many requests there are, counted beside the run: a thread of its own reads each input that is
 * a regular file, so that nobody waits for a disk. Arguments and their globs are counted, too. With
 * an input that is none it is not known, and not tried.
 *
 * Bound: COUNTER_READ_BYTES. Owns: a thread, and a descriptor while it reads.
 * Knows nothing of: how far the run is.
 */
#ifndef WEIR_INPUT_COUNTER_H
#define WEIR_INPUT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

struct counter;
struct source_rules;

enum { COUNTER_READ_BYTES = 64 * 1024 };

/* Notes where stdin stands: it must not have been read yet. */
struct counter *counter_new(const struct source_rules *);
void counter_free(struct counter *);

/* Begins to count; once. */
void counter_start(struct counter *);
/* Whether it is known by now. */
bool counter_knows(const struct counter *, uint64_t *ret_total);

#endif
