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

struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *);

/* Undoes the bytes and hands the pieces to `take`, which returns 0 or a negative errno that ends
 * it.
 * -EPROTO where they are neither gzip nor deflate. */
int gunzip_feed(struct gunzip *, const char *bytes, size_t len,
                int (*take)(void *context, const char *bytes, size_t len),
                void *context) WARN_UNUSED;
/* Whether the stream has come to its end. No byte at all is a stream, too. */
bool gunzip_is_whole(const struct gunzip *);

#endif
