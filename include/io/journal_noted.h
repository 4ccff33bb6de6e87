/*
 * Lines of the journal that matter until their request is done: what is noted for it, to be taken
 * by it, first noted first, each once.
 *
 * Bound: a line for each that is noted and not taken. Owns: copies of them. Part of: journal.
 */
#ifndef WEIR_IO_JOURNAL_NOTED_H
#define WEIR_IO_JOURNAL_NOTED_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/strings.h"
#include "policy/journal_line.h"

struct noted;

/* The line's text as it was before it was made fit is copied; what is there already is not noted
 * again. */
void noted_add(struct noted **table, const struct journal_line *);
/* The first for that key, without its text; that replaces what is in `ret_text`, which may be
 * NULL. False where there is none. */
bool noted_take(struct noted **table, const struct key *, struct journal_line *ret_line,
                struct buf *ret_text);
/* What the line's text says is not noted any more. */
void noted_remove(struct noted **table, const struct journal_line *);
/* The files that parts are in. */
void noted_files(const struct noted *table, struct strings *ret_files);
/* Each as a line; of one key, the first noted first. */
void noted_write(const struct noted *table, struct buf *out);
void noted_release(struct noted **table);

#endif
