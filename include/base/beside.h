/*
 * A file that is made beside another's name, to be renamed to it once it is whole. It is locked
 * while it has a name of its own, so that whoever makes the next one can tell what a killed process
 * left there, and removes it.
 *
 * Bound: BESIDE_MAX of them at a time for one name. Owns nothing.
 */
#ifndef WEIR_BASE_BESIDE_H
#define WEIR_BASE_BESIDE_H

#include <sys/types.h>

#include "base/buf.h"

enum { BESIDE_MAX = 100 };

/* Makes one, with `mode` less the umask, and replaces what is in `ret_name` by its name. Gives its
 * descriptor, to be closed only after it was renamed or removed, or a negative errno. */
int beside_make(const char *path, mode_t mode, struct buf *ret_name) WARN_UNUSED;

#endif
