/*
 * The fork and the exec of a run: the child begins as a shell would start it, with descriptors 0-2
 * only, default signals, a group of its own, and ends with the test.
 *
 * Owns nothing. Knows nothing of: pipes' other ends, time.
 */
#ifndef RIG_RUN_CHILD_H
#define RIG_RUN_CHILD_H

#include <sys/types.h>

struct run_options;

/* Borrows the three descriptors. Returns 0, or a negative errno, that of the exec included. */
int run_child_start(const struct run_options *, int in, int out, int err, pid_t *ret_pid)
    __attribute__((warn_unused_result));

#endif
