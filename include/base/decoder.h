/*
 * The codings of a Content-Encoding, decoded as the bytes come: the one that was applied last is
 * decoded first. A new coding is a row of the table in decoder.c.
 *
 * Bound: DECODER_CODINGS_MAX codings, each with its own state. Owns: these states.
 * Knows nothing of: HTTP, beyond the value of the header.
 */
#ifndef WEIR_BASE_DECODER_H
#define WEIR_BASE_DECODER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/gunzip.h"

struct decoder;

enum { DECODER_CODINGS_MAX = 5 };

/* Adds the codings that one Content-Encoding line names, in front of `*decoder`, which is NULL at
 * first; `identity` and an empty name are no coding. -EPROTO, with words in `err`, for an unknown
 * coding or one too many. */
int decoder_add(struct decoder **decoder, const char *line, struct buf *err) WARN_UNUSED;
/* How much memory it takes, at most; 0 for NULL. */
size_t decoder_bytes(const struct decoder *);
/* NULL is nothing. */
void decoder_free(struct decoder *);

/* Decodes the bytes and hands pieces of the text to `take`. -EPROTO where they are not what the
 * header says. */
int decoder_feed(struct decoder *, const char *bytes, size_t len, take_decoded *take,
                 void *context) WARN_UNUSED;
/* Whether every stream has come to its end. No byte at all is a stream, too. */
bool decoder_is_whole(const struct decoder *);

#endif
