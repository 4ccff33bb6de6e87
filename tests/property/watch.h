/*
 * The accounts of who was started when, kept by a walk of its own and not by the engine's sums: what
 * the limits promise of each host, and of all, is held against them at each start.
 *
 * Owns: a record for each host of the made-up web. Knows nothing of: transfers.
 */
#ifndef PROPERTY_WATCH_H
#define PROPERTY_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct task;
struct watch;
struct world;

struct watch *watch_new(struct world *);
void watch_free(struct watch *);

/* A start at this host. Gives a number to be given back at its end. */
unsigned watch_start(struct watch *, const struct task *, uint32_t index);
/* The connection of the one that went ahead stands. */
void watch_connected(struct watch *, const struct task *, uint32_t index);
/* It is settled now. */
void watch_end(struct watch *, const struct task *, uint32_t index, unsigned epoch);
/* A request to it is refused since it was given up. */
void watch_refused(struct watch *, const struct task *, uint32_t index);
/* The host's record was dropped. */
void watch_dropped(struct watch *, uint32_t index);

#endif
