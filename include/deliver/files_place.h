/*
 * The directory that a name stands in: the way there, one part at a time, each opened within the
 * one before, so that nothing that changes meanwhile leads elsewhere. The user's own part of the
 * way is walked as anything is; beyond it no symbolic link is followed and no `..` taken.
 *
 * Owns: the directory's descriptor, unless it is the one it started from. Part of: files.
 */
#ifndef WEIR_DELIVER_FILES_PLACE_H
#define WEIR_DELIVER_FILES_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

enum place_use {
    PLACE_LOOK,
    PLACE_MAKE,     /* missing directories are made */
    PLACE_MAKE_SYNC /* and are on the disk when the place is found */
};

struct place {
    int dir; /* for the calls that take one, not for reading */
    bool owned;
    const char *base; /* what the name is called there: the end of it, borrowed */
};

/* Starts at `from`, which stays the caller's, or at / where the name says so in the user's words.
 * -EINVAL for a name that leads out or is none, or what the system says. */
int place_find(int from, const char *name, size_t trusted_len, enum place_use,
               struct place *ret_place) WARN_UNUSED;
void place_leave(struct place *);

/* Opens a directory that is all the user's own; gives its descriptor, or a negative errno. */
int place_open(const char *path, enum place_use) WARN_UNUSED;
/* Has the disk know what is in it. */
int place_sync(int dir) WARN_UNUSED;

#endif
