/*
 * What answers came with, kept where the next run can ask whether it still holds: a line for each,
 * appended once the answer is out. Killed at any byte, it is good up to its last whole line; a line
 * that is lost costs an answer that is fetched once more. Lines that are superseded go at the end,
 * when they are a fifth of all.
 *
 * Bound: the places' 32 bytes for each request kept; HELD_BYTES_MAX of lines that wait for their
 * results to be out; one line. Owns: the file's lock. Knows nothing of: tasks, what the conditions
 * are good for.
 */
#ifndef WEIR_DELIVER_CACHE_H
#define WEIR_DELIVER_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "deliver/cache_line.h"

struct cache;

/* -EINVAL where the file is not ours to write to, another negative errno where it cannot be used;
 * words in `err`. Nothing is changed. */
int cache_open(const char *path, struct cache **ret_cache, struct buf *err) WARN_UNUSED;
void cache_free(struct cache *);
int cache_fd(const struct cache *);

/* What is kept under the key; its texts are good until the next call. */
bool cache_find(struct cache *, const struct key *, struct cache_line *ret_line);

/* Before the first line: cuts a torn one off, writes the head where there is none. A negative
 * errno. */
int cache_begin(struct cache *) WARN_UNUSED;
/* Writes a line at once; likewise. */
int cache_write(struct cache *, const struct cache_line *) WARN_UNUSED;
/* A line that is to be written once the results are out up to `position`. */
void cache_add(struct cache *, const struct cache_line *, uint64_t position);
bool cache_has_room(const struct cache *);
/* The results are out so far: writes what waits for no more than that. */
int cache_release(struct cache *, uint64_t position) WARN_UNUSED;

/* Puts a new file without what is superseded in the place of the old, if that is worth it. */
int cache_tidy(struct cache *) WARN_UNUSED;

#endif
