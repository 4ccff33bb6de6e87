/*
 * What a run that was killed leaves in the directories it wrote to: files in the making. They are
 * known by the mark in their names, and go when the run that resumes it comes to their directory.
 *
 * Bound: the directories that were looked through last; to look again does no harm. Borrows: the
 * marks.
 */
#ifndef WEIR_IO_FILES_SWEEP_H
#define WEIR_IO_FILES_SWEEP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SWEPT_MAX = 256 };

struct swept {
    dev_t dev;
    ino_t ino;
};

struct sweep {
    const uint64_t *marks;
    size_t n_marks;
    struct swept swept[SWEPT_MAX];
    size_t n_swept; /* ever */
};

/* Has `dir` rid of them, if there may be any. */
void sweep_directory(struct sweep *, int dir);

#endif
