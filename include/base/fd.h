/*
 * A descriptor that we were given or opened, made fit for a loop: reading and writing never block
 * (a regular file aside), and the flags of a description that other processes share stay as they
 * are. A pipe or terminal is opened again for ourselves; a socket is asked call by call; a regular
 * file is used as it is, since opening it again would start at offset 0.
 *
 * Owns: the descriptor, where it opened one.
 */
#ifndef WEIR_BASE_FD_H
#define WEIR_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/util.h"

enum fd_kind {
    FD_FILE,   /* always ready */
    FD_STREAM, /* a description of our own, not blocking */
    FD_SOCKET,
    FD_SHARED /* could not be opened again: asked before each call, little at a time */
};

struct fd {
    int number; /* -1: none */
    enum fd_kind kind;
    bool owned;
};

enum fd_use { FD_READ, FD_WRITE };

/* Takes up a descriptor somebody else opened; it stays theirs. */
void fd_adopt(struct fd *, int number, enum fd_use);
/* Opens a file of our own; one that is written is made, and emptied. A negative errno. */
int fd_open(struct fd *, const char *path, enum fd_use) WARN_UNUSED;
/* The same to write to. A regular file is locked, what is behind `end` cut off and what is before
 * it kept; -EAGAIN where another process has locked it. -ENXIO for a FIFO that nobody reads yet. */
int fd_open_at(struct fd *, const char *path, uint64_t end) WARN_UNUSED;
void fd_release(struct fd *);

/* Whether the loop is to say when it is ready. */
bool fd_needs_watching(const struct fd *);
/* How many bytes, 0 at the end, -EAGAIN where it would block, or another negative errno. */
ssize_t fd_read(const struct fd *, void *bytes, size_t max) WARN_UNUSED;
ssize_t fd_write(const struct fd *, const void *bytes, size_t len) WARN_UNUSED;

/* Raises the limit on descriptors as far as it goes and gives it, at most INT_MAX. */
int fd_raise_limit(void);

#endif
