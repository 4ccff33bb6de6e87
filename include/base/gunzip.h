/*
 * gzip and deflate, undone as the bytes come. libcurl does it too, but takes a stream that was cut
 * short for a whole one; here its end is part of what is asked for.
 *
 * Bound: zlib's window, and GUNZIP_PIECE_BYTES on the stack of a call; the caller counts what comes
 * out. Owns: zlib's state.
 */
#ifndef WEIR_BASE_GUNZIP_H
#define WEIR_BASE_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

struct gunzip;

enum { GUNZIP_PIECE_BYTES = 16 * 1024 };

/* Takes decoded bytes; returns 0, or a negative errno that ends the decoding. */
typedef int take_decoded(void *context, const char *bytes, size_t len);

struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *);

/* Decodes the bytes and hands pieces of the text to `take`. -EPROTO where they are neither gzip nor
 * deflate. How the bytes are cut into calls makes no difference. */
int gunzip_feed(struct gunzip *, const char *bytes, size_t len, take_decoded *take,
                void *context) WARN_UNUSED;
/* Whether the stream has come to its end. No byte at all is a stream, too. */
bool gunzip_is_whole(const struct gunzip *);

#endif
