/*
 * Where results go: one descriptor behind one buffer. What is put in goes out as fast as the reader
 * takes it; a full buffer is the word to produce no more.
 *
 * Bound: the buffer, `capacity` bytes. Owns: the descriptor and a watcher.
 * Knows nothing of: what the bytes mean.
 */
#ifndef WEIR_DELIVER_WRITER_H
#define WEIR_DELIVER_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

struct ev_loop;
struct writer;

/* Onto a descriptor that stays the caller's. */
struct writer *writer_new(struct ev_loop *, int number, size_t capacity);
/* Onto a file that is made where it is missing, locked, and cut off behind `end`. A negative errno:
 * -EAGAIN where another process has locked it, -ENXIO for a FIFO that nobody reads yet. */
int writer_open(struct ev_loop *, const char *path, uint64_t end, size_t capacity,
                struct writer **ret_writer) WARN_UNUSED;
int writer_number(const struct writer *);
void writer_free(struct writer *);
bool writer_is_terminal(const struct writer *);

/* Room for the next bytes: write at most `*ret_room` there, then commit what was written. */
char *writer_reserve(struct writer *, size_t *ret_room);
void writer_commit(struct writer *, size_t len);
size_t writer_room(struct writer *);

/* Writes what goes out without waiting. A negative errno where the descriptor failed; what was not
 * written stays. */
int writer_flush(struct writer *) WARN_UNUSED;
bool writer_is_empty(const struct writer *);
/* How many bytes were put in and not yet written. */
size_t writer_held(const struct writer *);
/* Whether the last flush left some of them because the reader takes no more now. */
bool writer_is_blocked(const struct writer *);
/* How many bytes were ever put in, and how many of those were written. */
uint64_t writer_position(const struct writer *);
uint64_t writer_written(const struct writer *);
/* Drops what has not been written. */
void writer_clear(struct writer *);
/* Has the loop wake up once a reader that took no more takes some. */
void writer_watch(struct writer *);

#endif
