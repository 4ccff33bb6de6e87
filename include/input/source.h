/*
 * Where requests come from: the arguments, their globs expanded one at a time, then each input file
 * or stdin, line by line. It reads when it is asked and not before, at most SOURCE_READ_BYTES at
 * once, so what is not wanted stays with whoever writes it.
 *
 * Bound: one line of PARSE_LINE_MAX and one read. Owns: the input descriptors and a watcher.
 * Knows nothing of: what a line means.
 */
#ifndef WEIR_INPUT_SOURCE_H
#define WEIR_INPUT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strings.h"

struct ev_loop;
struct source;

enum { SOURCE_READ_BYTES = 64 * 1024, SOURCE_READS_MAX = 16 /* for one line */ };

/* Where to read. With neither URLs nor files it is stdin. */
struct source_rules {
    struct strings urls; /* arguments, with their globs unless globoff is set */
    struct strings files;
    bool null_separated, globoff;
};

/* Borrowed until the next call. */
struct source_item {
    const char *text;
    size_t len;
    const char *input; /* the file's name; NULL for stdin and for arguments */
    uint64_t line;     /* 0 for an argument */
    const char *taken; /* of an argument: what its globs took, a line each; else NULL */
    bool cut;          /* the line is longer than PARSE_LINE_MAX: this is its beginning */
};

enum source_step {
    SOURCE_ITEM,
    SOURCE_WAIT,    /* nothing yet: source_watch says when to ask again */
    SOURCE_BUSY,    /* a long line goes on: ask again when others had their turn */
    SOURCE_TROUBLE, /* an input cannot be read, in `err`; ask again for the next input */
    SOURCE_END
};

/* Borrows the rules. */
struct source *source_new(struct ev_loop *, const struct source_rules *);
void source_free(struct source *);

enum source_step source_next(struct source *, struct source_item *ret_item, struct buf *err);
/* Whether the loop is to wake up when there is something to read. */
void source_watch(struct source *, bool wanted);

#endif
