/*
 * What a run that was killed leaves in the directories it wrote to: files in the making. They are
 * known by the mark in their names, and go when the run that resumes it comes to their directory,
 * save those that it may go on with.
 *
 * Bound: SWEPT_MAX directories are remembered, at most 32 bytes each; beyond that they are looked through
 * again, which does no harm. Owns: those. Borrows: the marks, the names.
 */
#ifndef WEIR_DELIVER_FILES_SWEEP_H
#define WEIR_DELIVER_FILES_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strings.h"

enum { SWEPT_MAX = 1 << 20 };

struct sweep {
    const uint64_t *marks;
    size_t n_marks;
    const struct strings *spared; /* names, or NULL */
    uint64_t *swept; /* hashes of device and inode, 0 for none: a table, at most half full */
    size_t n_swept, capacity;
};

void sweep_release(struct sweep *);

/* Whether that is the name of one that one of those runs made. */
bool sweep_has_made(const struct sweep *, const char *name);
/* Has `dir` rid of them, if there may be any. */
void sweep_directory(struct sweep *, int dir);

#endif
