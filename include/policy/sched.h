/*
 * Who starts next. Each host has a queue, and hosts take turns, so ten thousand requests to one do
 * not hold up the others. A host whose name nobody has looked up yet gets one request on its own
 * until the name is known; at most LOOKUPS_MAX requests are at that stage, since each lookup costs
 * libcurl a thread. Starting costs the same however many hosts wait.
 *
 * Bound: one record for each host that has a task alive, and HOSTS_IDLE_MAX beside those; what goes
 * over that is dropped, the one idle longest first.
 * Owns: the host records and the queues. Knows nothing of: permits, transfers.
 */
#ifndef WEIR_POLICY_SCHED_H
#define WEIR_POLICY_SCHED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct host;
struct sched;
struct task;

enum { LOOKUPS_MAX = 16, HOSTS_IDLE_MAX = 4096 };

/* A name that was looked up this long ago is looked up again. */
#define NAME_AGE_MAX 60.0

struct sched *sched_new(void);
void sched_free(struct sched *);

/* Binds the task to the record of the host `name` (`scheme://name:port`) and queues it, behind the others or,
 * with `first`, ahead of them. `numeric`: there is no name to look up. */
void sched_add(struct sched *, struct task *, const char *name, bool numeric, bool first);
/* Queues a task that has its host, ahead of the others. */
void sched_add_first(struct sched *, struct task *);

/* The task to start now, taken off its queue, or NULL. It must be given to sched_end later. */
struct task *sched_next(struct sched *, double now);
/* The same for one certain task of a queue; false where its host is not ready for it. */
bool sched_take(struct sched *, struct task *, double now);
/* Takes a task off its queue for good. */
void sched_remove(struct sched *, struct task *);

/* The name of the running task's host is known now. */
void sched_note_found(struct sched *, struct task *, double now);
/* A task that was started ran to its end. */
void sched_end(struct sched *, struct task *);
/* Unbinds the task from its host, which may then be dropped. */
void sched_forget(struct sched *, struct task *);

/* Appends `name:port` of a host whose record was dropped; false when there is none. */
bool sched_next_dropped(struct sched *, struct buf *out);

size_t sched_hosts(const struct sched *);

#endif
