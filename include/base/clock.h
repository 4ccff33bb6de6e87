/*
 * The two clocks. Everything that waits is due by the monotonic one, which is read once a turn and
 * passed down; the wall clock is for telling people when.
 */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

/* Seconds since some moment in the past; never goes back. */
double clock_now(void);
/* Seconds since 1970. */
double clock_wall(void);

#endif
