/*
 * Lines of the journal that matter until their request is done: what is noted for it, to be taken
 * by it, first noted first, each once. A path is noted for one request at a time: a later name of
 * the same path says that the file there was not the earlier request's.
 *
 * Bound: a line for each that is noted and not taken. Owns: copies of them. Part of: journal.
 */
#ifndef WEIR_DELIVER_JOURNAL_NOTED_H
#define WEIR_DELIVER_JOURNAL_NOTED_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/strings.h"
#include "deliver/journal_line.h"

struct noted;

struct noted_table {
    struct noted *by_key;
    struct noted *by_path; /* names alone */
};

/* The line's text as it was before it was made fit is copied; what is there already is not noted
 * again, save that a name's digest is replaced. */
void noted_add(struct noted_table *, const struct journal_line *);
/* The first for that key, without its text; that replaces what is in `ret_text`, which may be
 * NULL. False where there is none. */
bool noted_take(struct noted_table *, const struct key *, struct journal_line *ret_line,
                struct buf *ret_text);
/* The path is noted no more: for that request, or for any where `key` is NULL. */
void noted_remove_path(struct noted_table *, const char *path, size_t len, const struct key *key);
/* The files that parts are in. */
void noted_files(const struct noted_table *, struct strings *ret_files);
/* Each as a line; of one key, the first noted first. */
void noted_write(const struct noted_table *, struct buf *out);
void noted_release(struct noted_table *);

#endif
