/*
 * The monotonic clock, as all of the rig reads it.
 *
 * Owns nothing.
 */
#ifndef RIG_MOMENT_H
#define RIG_MOMENT_H

/* CLOCK_MONOTONIC in seconds. */
double moment_now(void);
/* Sleeps for a millisecond: what a loop does that has nothing but a condition to look at. */
void moment_nap(void);

#endif
