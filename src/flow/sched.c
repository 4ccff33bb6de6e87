#include "flow/sched.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "base/chance.h"
#include "base/heap.h"
#include "core/task.h"

enum name_state {
    NAME_UNKNOWN, /* nobody has tried yet */
    NAME_KNOWN,
    NAME_FAILED, /* the lookup failed: each further request makes one of its own */
    NAME_NUMERIC
};

/* Which list a host is on; LATER: in the heap of those that are due at some time. Hosts whose next
 * task was started before have rows of their own, which come first. */
enum place {
    NOWHERE,
    LATER,
    AGAIN,
    IN_TURN,
    AGAIN_BEFORE_LOOKUP,
    BEFORE_LOOKUP,
    REFUSED, /* down */
    IDLE,
    TO_UNNAME, /* kept, and its name is still to be forgotten */
    KEPT,
    DROPPED
};

struct host {
    UT_hash_handle hh;
    struct host *prev, *next; /* on the list that `place` names */
    struct heap_node due;     /* while LATER */
    enum place place;
    enum name_state name_state;
    double found_at;
    bool stands;     /* a connection stood, or an attempt ended: the others may follow */
    bool is_scouted; /* the one request that goes ahead is on its way */
    bool is_asked;   /* a request was started, so its name may have been looked up */
    bool has_ended;  /* a transfer did, so there may be a connection to use again */
    struct valve valve;
    struct task *queue;
    struct task *last_again; /* of the queue: up to it are those that were started before */
    size_t tasks;            /* bound to it: queued, waiting, running */
    char name[];
};

struct sched {
    struct flow_rules rules;
    struct bucket bucket; /* of all starts */
    struct host *by_name;
    struct host *last_found; /* by its name; NULL: it is not there any more */
    struct host *lists[DROPPED + 1];
    size_t lens[DROPPED + 1];
    size_t queued; /* tasks */
    struct heap later;
    unsigned lookups, lookups_left; /* of tasks that run; of others */
    double kept_place_due;          /* when one of those that are kept may be given away */
    uint64_t dice;                  /* of the hosts' own */
    /* What the task last taken changed, should it be put back. */
    struct bucket bucket_before;
    struct valve valve_before;
};

struct sched *sched_new(const struct flow_rules *rules)
{
    struct sched *sched = xcalloc(1, sizeof *sched);

    sched->rules = *rules;
    sched->dice = rules->seed;
    heap_init(&sched->later);
    return sched;
}

static void unlist(struct sched *sched, struct host *host)
{
    if (host->place == LATER)
        heap_remove(&sched->later, &host->due);
    else if (host->place != NOWHERE)
        DL_DELETE(sched->lists[host->place], host);
    sched->lens[host->place]--;
    host->place = NOWHERE;
    sched->lens[NOWHERE]++;
}

static void enlist(struct sched *sched, struct host *host, enum place place)
{
    if (host->place == place)
        return;
    unlist(sched, host);
    sched->lens[NOWHERE]--;
    sched->lens[place]++;
    host->place = place;
    if (place != NOWHERE)
        DL_APPEND(sched->lists[place], host);
}

static void enlist_later(struct sched *sched, struct host *host, double due)
{
    if (host->place == LATER && host->due.due == due)
        return;
    unlist(sched, host);
    sched->lens[NOWHERE]--;
    sched->lens[LATER]++;
    host->place = LATER;
    heap_push(&sched->later, &host->due, due);
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
    struct heap_node *node;

    HASH_CLEAR(hh, sched->by_name);
    while ((node = heap_peek(&sched->later)) != NULL) {
        heap_remove(&sched->later, node);
        free(CONTAINER_OF(node, struct host, due));
    }
    heap_release(&sched->later);
    for (enum place place = AGAIN; place <= DROPPED; place++)
        free_list(sched, place);
    free(sched);
}

static void unname(struct sched *sched, struct host *host)
{
    assert(sched->by_name);
    HASH_DEL(sched->by_name, host);
    if (sched->last_found == host)
        sched->last_found = NULL;
}

static void drop_unnamed(struct sched *sched, struct host *host)
{
    unname(sched, host);
    unlist(sched, host);
    sched->lens[NOWHERE]--;
    free(host);
}

/* The dropped are kept until somebody asks for their names, if those were ever looked up. */
static void drop(struct sched *sched, struct host *host)
{
    if (!host->is_asked) {
        drop_unnamed(sched, host);
        return;
    }
    unname(sched, host);
    enlist(sched, host, DROPPED);
}

/* Of those that are kept the ones that need not be any more, and what is too many. Two at a time,
 * as one at most came: soon none is left, and no turn is spent on thousands. */
static void drop_kept(struct sched *sched, double now)
{
    struct host *oldest;
    bool too_many = sched->lens[KEPT] + sched->lens[TO_UNNAME] > HOSTS_KEPT_MAX;

    if (too_many && !sched->lists[KEPT])
        drop(sched, sched->lists[TO_UNNAME]);
    for (int i = 0; i < 2 && (oldest = sched->lists[KEPT]) != NULL; i++) {
        if (!too_many && !valve_is_fresh(&oldest->valve, &sched->rules, now))
            return;
        assert(oldest->place == KEPT);
        drop_unnamed(sched, oldest);
        too_many = false;
    }
}

/* Of idle hosts the oldest goes, if forgetting it changes nothing; else it is kept, as there is
 * room for such, but not its name. */
static void drop_idle(struct sched *sched, double now)
{
    struct host *oldest = sched->lists[IDLE];

    if (sched->lens[IDLE] > HOSTS_IDLE_MAX) {
        if (valve_is_fresh(&oldest->valve, &sched->rules, now))
            drop(sched, oldest);
        else
            enlist(sched, oldest, TO_UNNAME);
    }
    drop_kept(sched, now);
}

/* Whether there is a place for one more lookup among so many. */
static bool has_place(const struct sched *sched, unsigned places)
{
    return sched->lookups + sched->lookups_left < places;
}

static bool has_any_place(const struct sched *sched)
{
    return has_place(sched, LOOKUPS_MAX + LOOKUPS_KEPT);
}

void sched_note_lookups_left(struct sched *sched, unsigned count)
{
    sched->lookups_left = count;
}

/* The host that takes the next place that is kept, once that is due, or NULL. */
static struct host *newest_name(const struct sched *sched)
{
    struct host *oldest = sched->lists[BEFORE_LOOKUP], *newest = oldest ? oldest->prev : NULL;

    return newest && newest->name_state == NAME_UNKNOWN && has_any_place(sched) ? newest : NULL;
}

static bool needs_lookup(const struct host *host)
{
    return host->name_state == NAME_UNKNOWN || host->name_state == NAME_FAILED;
}

/* Whether the next request goes ahead of the others. */
static bool is_to_be_scouted(const struct sched *sched, const struct host *host)
{
    return !sched->rules.fan_out_at_once && (!host->stands || host->name_state == NAME_UNKNOWN);
}

/* The row of hosts whose next task may start that this one belongs to. */
static enum place row_of(const struct host *host)
{
    return host->last_again ? AGAIN : IN_TURN;
}

static enum place row_before_lookup(const struct host *host)
{
    return host->last_again ? AGAIN_BEFORE_LOOKUP : BEFORE_LOOKUP;
}

/* Puts a host on the list it belongs to. */
static void place_host(struct sched *sched, struct host *host, double now)
{
    if (valve_turn_due(&host->valve) <= now)
        valve_turn(&host->valve, &sched->rules, now);
    bool is_down = valve_is_down(&host->valve, now);
    bool is_full = host->is_scouted || valve_is_full(&host->valve, &sched->rules);
    double start = is_full ? INFINITY : valve_due(&host->valve);
    double due = fmin(start, valve_turn_due(&host->valve));

    if (host->tasks == 0) {
        enlist(sched, host, IDLE);
        drop_idle(sched, now);
    } else if (host->queue && is_down)
        enlist(sched, host, REFUSED);
    else if (!host->queue || due == INFINITY)
        enlist(sched, host, NOWHERE);
    else if (due > now)
        enlist_later(sched, host, due);
    else if (host->place != row_before_lookup(host) || !needs_lookup(host))
        enlist(sched, host, row_of(host));
}

static struct host *find_or_make(struct sched *sched, const char *name, bool numeric)
{
    struct host *host = sched->last_found;

    if (host && strcmp(host->name, name) == 0)
        return host;
    size_t len = strlen(name);
    HASH_FIND(hh, sched->by_name, name, len, host);
    if (host) {
        sched->last_found = host;
        return host;
    }
    host = xcalloc(1, sizeof *host + len + 1);
    memcpy(host->name, name, len + 1);
    host->name_state = numeric ? NAME_NUMERIC : NAME_UNKNOWN;
    valve_init(&host->valve, &sched->rules, name);
    host->valve.dice = chance_roll(&sched->dice);
    HASH_ADD(hh, sched->by_name, name, len, host);
    sched->last_found = host;
    sched->lens[NOWHERE]++;
    return host;
}

static void queue_last(struct sched *sched, struct host *host, struct task *task)
{
    sched->queued++;
    DL_APPEND(host->queue, task);
}

/* Behind the others that were started before, ahead of the rest. */
static void queue_again(struct sched *sched, struct host *host, struct task *task)
{
    sched->queued++;
    if (host->last_again)
        DL_APPEND_ELEM(host->queue, host->last_again, task);
    else
        DL_PREPEND(host->queue, task);
    host->last_again = task;
}

static void unqueue(struct sched *sched, struct host *host, struct task *task)
{
    sched->queued--;
    if (host->last_again == task)
        host->last_again = task == host->queue ? NULL : task->prev;
    DL_DELETE(host->queue, task);
}

void sched_add(struct sched *sched, struct task *task, const char *name, bool numeric, bool again,
               double now)
{
    struct host *host = find_or_make(sched, name, numeric);

    assert(!task->host);
    task->host = host;
    host->tasks++;
    if (again)
        queue_again(sched, host, task);
    else
        queue_last(sched, host, task);
    /* Behind others it changes nothing for its host. */
    if (again || host->queue == task)
        place_host(sched, host, now);
}

void sched_add_again(struct sched *sched, struct task *task, double now)
{
    queue_again(sched, task->host, task);
    place_host(sched, task->host, now);
}

void sched_remove(struct sched *sched, struct task *task, double now)
{
    unqueue(sched, task->host, task);
    place_host(sched, task->host, now);
}

/* Where there is no place to look it up again it stays what it is. */
static void forget_stale_name(const struct sched *sched, struct host *host, double now)
{
    if (host->name_state == NAME_KNOWN && now - host->found_at > NAME_AGE_MAX &&
        has_any_place(sched))
        host->name_state = NAME_UNKNOWN;
}

/* The first of the queue, save where the host is to be probed: then the first of those that did so
 * least often. */
static struct task *choose(const struct host *host)
{
    struct task *best = host->queue;

    for (struct task *task = best; task && host->valve.state != VALVE_OPEN; task = task->next) {
        if (task->probes < best->probes)
            best = task;
    }
    return best;
}

/* Takes one task off its host's queue and counts it as running. The host goes to the end of the
 * row. */
static struct task *dispatch(struct sched *sched, struct task *task, double now)
{
    struct host *host = task->host;

    if (needs_lookup(host)) {
        task->looking_up = true;
        task->name_failed = host->name_state == NAME_FAILED;
        task->name_is_stale = host->found_at > 0 || task->name_failed;
        sched->lookups++;
        sched->kept_place_due = now + LOOKUP_PACE;
    }
    task->is_scout = host->is_scouted = is_to_be_scouted(sched, host);
    task->is_first_wave = !host->has_ended;
    task->started_at = now;
    task->is_probe = host->valve.state != VALVE_OPEN;
    task->is_heard = false;
    task->probes += task->is_probe;
    host->is_asked = true;
    sched->bucket_before = sched->bucket;
    sched->valve_before = host->valve;
    task->epoch = valve_take(&host->valve, now);
    rate_take(&sched->rules.rate, &sched->bucket, now);
    unqueue(sched, host, task);
    unlist(sched, host);
    place_host(sched, host, now);
    return task;
}

static struct host *first_of(const struct sched *sched, enum place one, enum place other)
{
    return sched->lists[one] ? sched->lists[one] : sched->lists[other];
}

/* While lookups are free a host that waits for one is let in at each start, whatever freed them. */
static void let_in(struct sched *sched)
{
    struct host *host = first_of(sched, AGAIN_BEFORE_LOOKUP, BEFORE_LOOKUP);

    if (host && has_place(sched, LOOKUPS_MAX))
        enlist(sched, host, row_of(host));
}

static void let_in_due(struct sched *sched, double now)
{
    struct heap_node *node;

    while ((node = heap_peek(&sched->later)) && node->due <= now)
        place_host(sched, CONTAINER_OF(node, struct host, due), now);
}

/* Places for a lookup of this host's name. */
static unsigned places_for(const struct host *host)
{
    return host->found_at > 0 ? LOOKUPS_MAX + LOOKUPS_KEPT : LOOKUPS_MAX;
}

struct task *sched_next(struct sched *sched, double now)
{
    struct host *host;

    let_in_due(sched, now);
    if (rate_due(&sched->rules.rate, &sched->bucket) > now)
        return NULL;
    let_in(sched);
    while ((host = first_of(sched, AGAIN, IN_TURN)) != NULL) {
        forget_stale_name(sched, host, now);
        if (!needs_lookup(host) || has_place(sched, places_for(host)))
            return dispatch(sched, choose(host), now);
        enlist(sched, host, row_before_lookup(host));
    }
    host = now < sched->kept_place_due ? NULL : newest_name(sched);
    return host ? dispatch(sched, choose(host), now) : NULL;
}

bool sched_take(struct sched *sched, struct task *task, double now)
{
    struct host *host = task->host;

    if (sched_task_due(sched, task) > now || host->is_scouted || valve_is_down(&host->valve, now) ||
        valve_is_full(&host->valve, &sched->rules))
        return false;
    forget_stale_name(sched, host, now);
    if (needs_lookup(host) && !has_place(sched, places_for(host)))
        return false;
    dispatch(sched, task, now);
    return true;
}

double sched_due(const struct sched *sched)
{
    struct heap_node *node = heap_peek(&sched->later);
    bool is_someone_ready =
        first_of(sched, AGAIN, IN_TURN) ||
        (first_of(sched, AGAIN_BEFORE_LOOKUP, BEFORE_LOOKUP) && has_place(sched, LOOKUPS_MAX));
    double due = is_someone_ready ? 0 : node ? node->due : INFINITY;

    if (newest_name(sched))
        due = fmin(due, sched->kept_place_due);

    return fmax(due, rate_due(&sched->rules.rate, &sched->bucket));
}

struct sched_why sched_why(const struct sched *sched, double now)
{
    struct heap_node *node = heap_peek(&sched->later);
    struct sched_why why = {.hold = SCHED_HOST_FULL};

    if (!sched->queued) {
        why.hold = SCHED_EMPTY;
    } else if (rate_due(&sched->rules.rate, &sched->bucket) > now) {
        why.hold = SCHED_RATE;
    } else if (first_of(sched, AGAIN, IN_TURN)) {
        why.hold = SCHED_READY;
    } else if (first_of(sched, AGAIN_BEFORE_LOOKUP, BEFORE_LOOKUP)) {
        why.hold = SCHED_LOOKUP;
    } else if (node) {
        const struct host *host = CONTAINER_OF(node, struct host, due);
        why.hold = host->valve.closed_until > now      ? SCHED_GATE
                   : host->valve.state == VALVE_PAUSED ? SCHED_PAUSED
                                                       : SCHED_HOST_RATE;
        why.until = node->due;
        why.host = host->name;
    }
    return why;
}

double sched_task_due(const struct sched *sched, const struct task *task)
{
    return fmax(valve_due(&task->host->valve), rate_due(&sched->rules.rate, &sched->bucket));
}

struct task *sched_next_refused(struct sched *sched, double now)
{
    struct host *host;
    struct task *task;

    let_in_due(sched, now);
    host = sched->lists[REFUSED];
    while (host && !valve_is_down(&host->valve, now)) {
        place_host(sched, host, now); /* a probe fell due */
        host = sched->lists[REFUSED];
    }
    if (!host)
        return NULL;
    task = host->queue;
    sched_remove(sched, task, now);
    return task;
}

double sched_refused_due(const struct sched *sched)
{
    struct heap_node *node = heap_peek(&sched->later);

    return node ? node->due : INFINITY;
}

static void end_lookup(struct sched *sched, struct task *task)
{
    assert(task->looking_up && sched->lookups > 0);
    task->looking_up = false;
    task->name_is_stale = task->name_failed = false;
    sched->lookups--;
}

void sched_note_found(struct sched *sched, struct task *task, double now)
{
    struct host *host = task->host;

    if (!task->looking_up)
        return;
    end_lookup(sched, task);
    sched->kept_place_due = now + LOOKUP_PACE;
    host->name_state = NAME_KNOWN;
    host->found_at = now;
    place_host(sched, host, now);
}

/* The others may follow. */
static void end_scouting(struct task *task)
{
    if (task->is_scout)
        task->host->is_scouted = false;
    task->is_scout = false;
    task->host->stands = true;
}

void sched_note_connected(struct sched *sched, struct task *task, double now)
{
    end_scouting(task);
    valve_turn(&task->host->valve, &sched->rules, now);
    valve_note_standing(&task->host->valve, task->epoch);
    if (task->is_heard)
        valve_note_heard(&task->host->valve, task->epoch);
    place_host(sched, task->host, now);
}

void sched_end(struct sched *sched, struct task *task, const struct lesson *lesson, double now)
{
    struct host *host = task->host;

    host->has_ended = true;
    if (task->looking_up) {
        end_lookup(sched, task);
        if (host->name_state != NAME_KNOWN)
            host->name_state = NAME_FAILED;
    }
    end_scouting(task);
    valve_turn(&host->valve, &sched->rules, now);
    task->was_lost = lesson->lost;
    task->met_outage = host->valve.state != VALVE_OPEN;
    task->outages = host->valve.outages;
    valve_give(&host->valve, &sched->rules, task->epoch, task->started_at, lesson, now);
    place_host(sched, host, now);
}

void sched_abandon(struct sched *sched, struct task *task, double now)
{
    static const struct lesson nothing;
    struct host *host = task->host;

    if (task->looking_up)
        end_lookup(sched, task);
    if (task->is_scout)
        host->is_scouted = false;
    task->is_scout = false;
    valve_give(&host->valve, &sched->rules, task->epoch, task->started_at, &nothing, now);
    place_host(sched, host, now);
}

void sched_put_back(struct sched *sched, struct task *task, double now)
{
    struct host *host = task->host;

    sched->bucket = sched->bucket_before;
    host->valve = sched->valve_before;
    if (task->looking_up)
        end_lookup(sched, task);
    if (task->is_scout)
        host->is_scouted = false;
    task->is_scout = false;
    place_host(sched, host, now);
}

void sched_forget(struct sched *sched, struct task *task, double now)
{
    struct host *host = task->host;

    if (!host)
        return;
    assert(host->tasks > 0);
    host->tasks--;
    task->host = NULL;
    if (!host->tasks)
        place_host(sched, host, now);
}

bool sched_excuses(const struct task *task)
{
    return task->was_lost && task->outages != task->host->valve.outages;
}

bool sched_is_paused(const struct task *task)
{
    return task->host->valve.state == VALVE_PAUSED;
}

bool sched_is_down(const struct task *task, double now)
{
    return valve_is_down(&task->host->valve, now);
}

const char *sched_host_name(const struct task *task)
{
    return task->host->name;
}

/* Its next request looks its name up, but knows of no other address that might be stale. */
static void keep_unnamed(struct sched *sched, struct host *host)
{
    if (host->name_state != NAME_NUMERIC)
        host->name_state = NAME_UNKNOWN;
    host->found_at = 0;
    enlist(sched, host, KEPT);
}

bool sched_next_dropped(struct sched *sched, struct buf *out)
{
    struct host *host = first_of(sched, DROPPED, TO_UNNAME);

    if (!host)
        return false;
    buf_add_text(out, host->name);
    if (host->place == TO_UNNAME) {
        keep_unnamed(sched, host);
    } else {
        unlist(sched, host);
        sched->lens[NOWHERE]--;
        free(host);
    }
    return true;
}

size_t sched_hosts(const struct sched *sched)
{
    return HASH_COUNT(sched->by_name);
}
