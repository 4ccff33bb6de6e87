/*
 * Who starts next. Each host has a queue and a valve, and hosts take turns, so ten thousand
 * requests to one do not hold up the others; those with a task that was started before, which older
 * results may wait for, come first, and take turns among themselves. The first request to a host
 * goes alone until its connection stands or it ends; of requests whose host's name is not known yet
 * at most LOOKUPS_MAX run, since each lookup costs libcurl a thread. LOOKUPS_KEPT more are for names
 * that were found before, and, once no name was answered for LOOKUP_PACE, for the one that came last:
 * so names whose lookups hang hold up no others for long. A start costs O(log hosts)
 * however many hosts wait; that of a probe O(queue) of its host, for a request that probed and failed
 * lets the others go first, since it may be what its host fails at.
 *
 * Bound: one record for each host that has a task alive; beside those HOSTS_IDLE_MAX, and
 * HOSTS_KEPT_MAX of which something is known that must not be forgotten (a closed gate, a rate used
 * up), for as long as that is so. What goes over that is dropped, the one idle longest first.
 * Owns: the host records and the queues. Knows nothing of: permits, transfers.
 */
#ifndef WEIR_FLOW_SCHED_H
#define WEIR_FLOW_SCHED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "flow/valve.h"

struct host;
struct sched;
struct task;

enum { LOOKUPS_MAX = 14, LOOKUPS_KEPT = 2, HOSTS_IDLE_MAX = 4096, HOSTS_KEPT_MAX = 65536 };

#define LOOKUP_PACE 2.0 /* seconds */

/* A name that was looked up this long ago is looked up again. */
#define NAME_AGE_MAX 60.0

struct sched *sched_new(const struct flow_rules *);
void sched_free(struct sched *);

/* Binds the task to the record of the host `name` (`scheme://name:port`) and queues it, behind the
 * others or, with `again`, ahead of those that were never started. `numeric`: there is no name to
 * look up. */
void sched_add(struct sched *, struct task *, const char *name, bool numeric, bool again,
               double now);
/* Queues a task that has its host, ahead of those that were never started. */
void sched_add_again(struct sched *, struct task *, double now);

/* The task to start now, taken off its queue, or NULL. It must be given to sched_end later. */
struct task *sched_next(struct sched *, double now);
/* The same for one certain task of a queue; false where it may not start yet. */
bool sched_take(struct sched *, struct task *, double now);
/* When sched_next is to be asked again, as far as time is concerned; INFINITY for not at all. */
double sched_due(const struct sched *);
/* The same for sched_take. */
double sched_task_due(const struct sched *, const struct task *);
/* A queued task whose host is down, taken off its queue for good, or NULL. */
struct task *sched_next_refused(struct sched *, double now);
/* When that is to be asked again, as far as time is concerned; INFINITY for not at all. */
double sched_refused_due(const struct sched *);
/* Takes a task off its queue for good. */
void sched_remove(struct sched *, struct task *, double now);

/* So many lookups go on whose tasks have ended: they take up places as those of running tasks do. */
void sched_note_lookups_left(struct sched *, unsigned);
/* The name of the running task's host is known now. */
void sched_note_found(struct sched *, struct task *, double now);
/* The running task's connection stands, and where it is a probe an answer may have begun. */
void sched_note_connected(struct sched *, struct task *, double now);
/* A task that was started ran to its end, and tells of its host. The task notes whether an outage was
 * known of. */
void sched_end(struct sched *, struct task *, const struct lesson *, double now);
/* The task that was taken last does not start after all, which leaves no trace: no rate is used up,
 * and nothing is known of its host. It is on no queue, and may be queued again. */
void sched_put_back(struct sched *, struct task *, double now);
/* A task that was started is taken back before its end, and tells nothing of its host. */
void sched_abandon(struct sched *, struct task *, double now);
/* Unbinds the task from its host, which may then be dropped. */
void sched_forget(struct sched *, struct task *, double now);

/* Whether the task's last transfer was lost, and the host has been paused since: the task is to be
 * tried again as if that had not been. */
bool sched_excuses(const struct task *);
/* Whether the task's host is paused; whether it is down. */
bool sched_is_paused(const struct task *);
bool sched_is_down(const struct task *, double now);
/* `scheme://name:port` of the task's host. */
const char *sched_host_name(const struct task *);

/* Appends `scheme://name:port` of a host that had a request started, and whose record was dropped
 * or is kept without what its name led to; false when there is none. */
bool sched_next_dropped(struct sched *, struct buf *out);

size_t sched_hosts(const struct sched *);

/* Why sched_next names no task: what holds back the one that is nearest to its start. */
enum sched_hold {
    SCHED_EMPTY, /* none is queued */
    SCHED_READY, /* nothing does */
    SCHED_RATE,
    SCHED_HOST_RATE, /* of `host` */
    SCHED_GATE,      /* likewise, `until` then */
    SCHED_PAUSED,    /* of `host`, which cannot be reached; the next probe is at `until` */
    SCHED_LOOKUP,
    SCHED_HOST_FULL
};

struct sched_why {
    enum sched_hold hold;
    double until;
    const char *host; /* borrowed until the next call of any */
};

struct sched_why sched_why(const struct sched *, double now);

#endif
