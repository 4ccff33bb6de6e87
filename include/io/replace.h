/*
 * A file that is written whole or not at all: beside its name, then renamed over what stands there.
 * It blocks, so it is for when the loop has ended.
 */
#ifndef WEIR_IO_REPLACE_H
#define WEIR_IO_REPLACE_H

#include <stddef.h>

#include "base/util.h"

/* A negative errno; then there is nothing new. */
int replace_file(const char *path, const char *bytes, size_t len) WARN_UNUSED;

#endif
