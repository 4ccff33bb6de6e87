/*
 * A payload that comes on stdin, for any number of requests: read to its end once, into a file
 * without a name that takes stdin's place.
 *
 * Bound: `max` bytes of disk. Owns nothing: the file is descriptor 0 from then on.
 */
#ifndef WEIR_INPUT_STDIN_COPY_H
#define WEIR_INPUT_STDIN_COPY_H

#include <stdint.h>

#include "base/util.h"

struct buf;

/* Waits for the end of stdin. Gives how long it is. A negative errno, with words in `err`. */
int stdin_copy(const char *directory, uint64_t max, uint64_t *ret_bytes,
               struct buf *err) WARN_UNUSED;

#endif
