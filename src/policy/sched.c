#include "policy/sched.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "model/task.h"

enum name_state {
    NAME_UNKNOWN, /* nobody has tried yet: the next request tries alone */
    NAME_ASKED,   /* that one is on its way */
    NAME_KNOWN,
    NAME_FAILED, /* the lookup failed: each further request makes one of its own */
    NAME_NUMERIC
};

/* Which list a host is on. */
enum place { NOWHERE, IN_TURN, BEFORE_LOOKUP, IDLE, DROPPED };

struct host {
    UT_hash_handle hh;
    struct host *prev, *next; /* on the list that `place` names */
    enum place place;
    enum name_state name_state;
    double found_at;
    bool has_ended; /* a transfer did, so there may be a connection to use again */
    struct task *queue;
    size_t tasks; /* bound to it: queued, waiting, running */
    size_t running;
    char name[];
};

struct sched {
    struct host *by_name;
    struct host *lists[DROPPED + 1];
    size_t n_idle;
    unsigned lookups;
};

struct sched *sched_new(void)
{
    return xcalloc(1, sizeof(struct sched));
}

static void unlist(struct sched *sched, struct host *host)
{
    if (host->place != NOWHERE)
        DL_DELETE(sched->lists[host->place], host);
    if (host->place == IDLE)
        sched->n_idle--;
    host->place = NOWHERE;
}

static void enlist(struct sched *sched, struct host *host, enum place place)
{
    if (host->place == place)
        return;
    unlist(sched, host);
    if (place == NOWHERE)
        return;
    DL_APPEND(sched->lists[place], host);
    if (place == IDLE)
        sched->n_idle++;
    host->place = place;
}

static void free_list(struct sched *sched, enum place place)
{
    struct host *host = sched->lists[place], *next;

    for (; host; host = next) {
        next = host->next;
        free(host);
    }
}

void sched_free(struct sched *sched)
{
    if (!sched)
        return;
    HASH_CLEAR(hh, sched->by_name);
    for (enum place place = IN_TURN; place <= DROPPED; place++)
        free_list(sched, place);
    free(sched);
}

/* The dropped are kept until somebody asks for their names. */
static void drop_oldest_idle(struct sched *sched)
{
    struct host *host = sched->lists[IDLE];

    HASH_DEL(sched->by_name, host);
    enlist(sched, host, DROPPED);
}

static bool needs_lookup(const struct host *host)
{
    return host->name_state == NAME_UNKNOWN || host->name_state == NAME_FAILED;
}

/* Puts a host on the list it belongs to. */
static void place_host(struct sched *sched, struct host *host)
{
    if (host->tasks == 0)
        enlist(sched, host, IDLE);
    else if (!host->queue || host->name_state == NAME_ASKED)
        enlist(sched, host, NOWHERE);
    else if (host->place != BEFORE_LOOKUP || !needs_lookup(host))
        enlist(sched, host, IN_TURN);
    if (sched->n_idle > HOSTS_IDLE_MAX)
        drop_oldest_idle(sched);
}

static struct host *find_or_make(struct sched *sched, const char *name, bool numeric)
{
    struct host *host = NULL;
    size_t len = strlen(name);

    HASH_FIND(hh, sched->by_name, name, len, host);
    if (host)
        return host;
    host = xcalloc(1, sizeof *host + len + 1);
    memcpy(host->name, name, len + 1);
    host->name_state = numeric ? NAME_NUMERIC : NAME_UNKNOWN;
    HASH_ADD(hh, sched->by_name, name, len, host);
    return host;
}

void sched_add(struct sched *sched, struct task *task, const char *name, bool numeric, bool first)
{
    struct host *host = find_or_make(sched, name, numeric);

    assert(!task->host);
    task->host = host;
    host->tasks++;
    if (first)
        DL_PREPEND(host->queue, task);
    else
        DL_APPEND(host->queue, task);
    place_host(sched, host);
}

void sched_add_first(struct sched *sched, struct task *task)
{
    DL_PREPEND(task->host->queue, task);
    place_host(sched, task->host);
}

void sched_remove(struct sched *sched, struct task *task)
{
    DL_DELETE(task->host->queue, task);
    place_host(sched, task->host);
}

static void forget_stale_name(struct host *host, double now)
{
    if (host->name_state == NAME_KNOWN && now - host->found_at > NAME_AGE_MAX)
        host->name_state = NAME_UNKNOWN;
}

/* Takes one task off its host's queue and counts it as running. */
static struct task *dispatch(struct sched *sched, struct task *task)
{
    struct host *host = task->host;

    if (needs_lookup(host)) {
        task->looking_up = true;
        task->name_is_stale = host->found_at > 0;
        sched->lookups++;
        if (host->name_state == NAME_UNKNOWN)
            host->name_state = NAME_ASKED;
    }
    task->is_first_wave = !host->has_ended;
    DL_DELETE(host->queue, task);
    host->running++;
    unlist(sched, host);
    place_host(sched, host);
    return task;
}

/* While lookups are free a host that waits for one is let in at each start, whatever freed them. */
static void let_in(struct sched *sched)
{
    struct host *host = sched->lists[BEFORE_LOOKUP];

    if (host && sched->lookups < LOOKUPS_MAX)
        enlist(sched, host, IN_TURN);
}

struct task *sched_next(struct sched *sched, double now)
{
    struct host *host;

    let_in(sched);
    while ((host = sched->lists[IN_TURN]) != NULL) {
        forget_stale_name(host, now);
        if (!needs_lookup(host) || sched->lookups < LOOKUPS_MAX)
            return dispatch(sched, host->queue);
        enlist(sched, host, BEFORE_LOOKUP);
    }
    return NULL;
}

bool sched_take(struct sched *sched, struct task *task, double now)
{
    struct host *host = task->host;

    forget_stale_name(host, now);
    if (host->name_state == NAME_ASKED)
        return false;
    if (needs_lookup(host) && sched->lookups >= LOOKUPS_MAX)
        return false;
    dispatch(sched, task);
    return true;
}

static void end_lookup(struct sched *sched, struct task *task)
{
    assert(task->looking_up && sched->lookups > 0);
    task->looking_up = false;
    task->name_is_stale = false;
    sched->lookups--;
}

void sched_note_found(struct sched *sched, struct task *task, double now)
{
    struct host *host = task->host;

    if (!task->looking_up)
        return;
    end_lookup(sched, task);
    host->name_state = NAME_KNOWN;
    host->found_at = now;
    place_host(sched, host);
}

void sched_end(struct sched *sched, struct task *task)
{
    struct host *host = task->host;

    assert(host->running > 0);
    host->running--;
    host->has_ended = true;
    if (task->looking_up) {
        end_lookup(sched, task);
        if (host->name_state != NAME_KNOWN)
            host->name_state = NAME_FAILED;
    }
    place_host(sched, host);
}

void sched_forget(struct sched *sched, struct task *task)
{
    struct host *host = task->host;

    if (!host)
        return;
    assert(host->tasks > 0);
    host->tasks--;
    task->host = NULL;
    place_host(sched, host);
}

bool sched_next_dropped(struct sched *sched, struct buf *out)
{
    struct host *host = sched->lists[DROPPED];

    if (!host)
        return false;
    unlist(sched, host);
    buf_add_text(out, strstr(host->name, "://") + 3);
    free(host);
    return true;
}

size_t sched_hosts(const struct sched *sched)
{
    return HASH_COUNT(sched->by_name);
}
