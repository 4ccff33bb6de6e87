/*
 * A text file of our own that one run at a time has and goes on from where the last one left it:
 * opened under a lock, read at once, written in whole pieces, and put in another's place in one
 * step. What its lines mean is the caller's.
 *
 * `what` is what such a file is called, and so is the option that names it. Owns nothing.
 */
#ifndef WEIR_BASE_LINE_FILE_H
#define WEIR_BASE_LINE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct line_file_text {
    const char *bytes; /* mapped */
    size_t len;
};

/* Opens and locks it, making it where `make` says so. -EINVAL where it is no regular file or
 * somebody else has it, another negative errno where it cannot be used; with words in `err`. */
int line_file_open(const char *path, const char *what, bool make, int *ret_fd,
                   struct buf *err) WARN_UNUSED;
/* Maps what is in it; an empty file is an empty text. */
int line_file_map(int fd, struct line_file_text *ret_text) WARN_UNUSED;
void line_file_unmap(struct line_file_text *);
/* The line that begins at `from`, which is no more than the length, without its newline; false where
 * none does that ends in one. The next begins at `ret_len` + 1 behind. */
bool line_file_line(const struct line_file_text *, size_t from, size_t *ret_len);

/* All of it, or a negative errno. */
int line_file_write(int fd, const char *bytes, size_t len) WARN_UNUSED;
/* What is written next stands at byte `end`, and what stood there is gone. */
int line_file_cut(int fd, uint64_t end) WARN_UNUSED;

/* A new file beside a path's, to be written and then put in its place. */
struct line_file_new {
    char *path; /* without the links that lead there: those stay */
    char *beside;
    int fd;
};

int line_file_begin(struct line_file_new *, const char *path) WARN_UNUSED;
/* Once it is on the disk, in the place of the file that `old_fd` is of; not where `result` says that
 * something went wrong: then it comes back. The new one goes, or is closed, either way. */
int line_file_end(struct line_file_new *, int old_fd, int result) WARN_UNUSED;

#endif
