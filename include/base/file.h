/*
 * A small file, read whole: options, data to send, a template. What may be large is streamed
 * elsewhere.
 */
#ifndef WEIR_BASE_FILE_H
#define WEIR_BASE_FILE_H

#include <stddef.h>

#include "base/buf.h"

/* Appends what is in the file, `-` for stdin. -EFBIG where that is more than `max` bytes, or what
 * reading failed with; words in `err`. */
int file_read_whole(const char *path, size_t max, struct buf *out, struct buf *err) WARN_UNUSED;

#endif
