/*
 * A file that is written whole or not at all: beside its name, then renamed over what stands there.
 * The next process that replaces the file removes what a killed one left beside it. It blocks, so it
 * is for when the loop has ended.
 */
#ifndef WEIR_BASE_REPLACE_H
#define WEIR_BASE_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/util.h"

/* Whether a regular file stands there, or nothing. */
bool replace_suits(const char *path);
/* The file keeps its mode; a new one gets `mode`, less the umask. A negative errno; then there is
 * nothing new. */
int replace_file(const char *path, mode_t mode, const char *bytes, size_t len) WARN_UNUSED;

#endif
