/*
 * The journal's file: opened under a lock, read line by line, cut where it stops being whole. What
 * the lines mean is the caller's.
 */
#ifndef WEIR_IO_JOURNAL_FILE_H
#define WEIR_IO_JOURNAL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "policy/journal_line.h"

/* False: this line and what follows do not count. */
typedef bool journal_visitor(void *userdata, const struct journal_line *);

struct journal_text {
    const char *bytes; /* mapped */
    size_t len;
};

/* Opens and locks it, making it where `make` says so. -EINVAL where somebody else has it. */
int journal_file_open(const char *path, bool make, int *ret_fd, struct buf *err) WARN_UNUSED;
/* Maps what is in it; an empty file is an empty text. */
int journal_file_map(int fd, struct journal_text *ret_text) WARN_UNUSED;
void journal_file_unmap(struct journal_text *);
/* How many results there are, at most. */
size_t journal_text_results(const struct journal_text *);
/* Whether it is a journal of ours, of this version, or the beginning of one, cut short: -EINVAL,
 * with words in `err`, where it is not. */
int journal_text_check(const struct journal_text *, const char *path, struct buf *err) WARN_UNUSED;
/* Visits each line; how many bytes count. */
size_t journal_text_walk(const struct journal_text *, journal_visitor *, void *userdata);

/* All of it, or a negative errno. */
int journal_file_write(int fd, const char *bytes, size_t len) WARN_UNUSED;

#endif
