/*
 * Base64 (RFC 4648, with padding). Encoding is done three bytes at a time, so that a stream can be
 * encoded piece by piece.
 */
#ifndef WEIR_BASE_BASE64_H
#define WEIR_BASE_BASE64_H

#include <stddef.h>

#include "base/buf.h"

/* Writes 4 characters for each 3 bytes, padded at the end: (len + 2) / 3 * 4 of them. */
size_t base64_encode(const void *bytes, size_t len, char *out);
/* Appends what the text stands for. -EINVAL, and nothing appended, where it is not base64. */
int base64_decode(const char *text, size_t len, struct buf *out) WARN_UNUSED;

#endif
