/*
 * A small file, read whole: options, data to send, a template. What may be large is streamed
 * elsewhere. And whether two names are of one file, and whether another process writes to it.
 */
#ifndef WEIR_BASE_FILE_H
#define WEIR_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/buf.h"

/* Appends what is in the file, `-` for stdin. -EFBIG where that is more than `max` bytes, or what
 * reading failed with; words in `err`. */
int file_read_whole(const char *path, size_t max, struct buf *out, struct buf *err) WARN_UNUSED;

/* Locks the file, open for writing, until this process closes it. -EAGAIN where another process has
 * locked it. A file system without locks refuses with another error. */
int file_lock(int fd) WARN_UNUSED;
/* Sets `err` to `--OPTION: PATH is in use by process N`. */
void file_say_locked(int fd, const char *option, const char *path, struct buf *err);
/* Whether the path still leads to the open file. */
bool file_is_at(int fd, const char *path);
/* Opens a file whose name comes from outside, to read it. `..` and symbolic links lead anywhere
 * within `dir` and nowhere else; where the kernel has no openat2 (before Linux 5.6) they lead
 * nowhere. A descriptor, or a negative errno: -EXDEV for a name that leads out or is absolute. */
int file_open_beneath(const char *dir, const char *name) WARN_UNUSED;

static inline bool file_is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

#endif
