/*
 * The journal's text: whether it is one of ours, and what its lines say, up to where it stops being
 * whole. What they mean is the caller's.
 */
#ifndef WEIR_DELIVER_JOURNAL_FILE_H
#define WEIR_DELIVER_JOURNAL_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/line_file.h"
#include "deliver/journal_line.h"

/* False: this line and what follows do not count. */
typedef bool journal_visitor(void *userdata, const struct journal_line *);

/* How many results there are, at most. */
size_t journal_text_results(const struct line_file_text *);
/* Whether it is a journal of ours, of this version, or the beginning of one, cut short: -EINVAL,
 * with words in `err`, where it is not. */
int journal_text_check(const struct line_file_text *, const char *path,
                       struct buf *err) WARN_UNUSED;
/* Visits each line, of a group only where all its results are there: then its line has the offset of
 * the last. How many bytes count. */
size_t journal_text_walk(const struct line_file_text *, journal_visitor *, void *userdata);

#endif
