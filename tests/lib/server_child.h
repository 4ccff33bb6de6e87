/*
 * What a forked server does first, so that it ends with its test and holds nothing of it.
 *
 * Owns nothing.
 */
#ifndef RIG_SERVER_CHILD_H
#define RIG_SERVER_CHILD_H

#include <sys/types.h>

/* In the child: it is killed when its parent ends, has default signals (save that it ignores ^C, which
 * is for the test, and SIGPIPE), and no descriptors but 0-2 and these two, which are above 2. */
void server_child_begin(int one, int other, pid_t parent);

#endif
