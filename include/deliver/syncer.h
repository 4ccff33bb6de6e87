/*
 * A thread that has the disk know what was written: that may take seconds, and the loop does not
 * wait for it. Its files are synced in their order, so that what vouches comes after what it vouches
 * for.
 *
 * Bound: one thread, two files. Owns: the thread; the descriptors stay the caller's.
 */
#ifndef WEIR_DELIVER_SYNCER_H
#define WEIR_DELIVER_SYNCER_H

struct syncer;

/* `first` may be -1. */
struct syncer *syncer_new(int first, int second);
/* Ends it, once all that was asked for is done: the first error, 0 or a negative errno. */
int syncer_end(struct syncer *);

/* Asks for it; what it is busy with is not waited for. */
void syncer_ask(struct syncer *);
/* The first error so far: 0 or a negative errno. */
int syncer_error(struct syncer *);

#endif
