/*
 * What a format makes of a task, whole and in one buffer.
 */
#ifndef WEIR_UNIT_RENDERED_H
#define WEIR_UNIT_RENDERED_H

#include <stddef.h>

#include "base/buf.h"

struct options;
struct store;
struct task;

/* Appends it, rendered by pieces of `max` bytes. The options must be such that can be. */
void rendered_add(const struct options *, const struct task *, const struct store *, size_t max,
                  struct buf *out);

/* A store of `memory_max` bytes of memory, with a spool behind it. */
void rendered_store(struct store *, uint64_t memory_max);
/* Has the answer have these headers. */
void rendered_head(struct task *, struct store *, const char *text);
/* Appends to the task's body. */
void rendered_body(struct task *, struct store *, const void *bytes, size_t len);

#endif
