#include "watch.h"

#include <math.h>
#include <stdlib.h>

#include "core/state.h"
#include "core/task.h"
#include "flow/rate.h"
#include "flow/sched.h"
#include "flow/valve.h"
#include "flow/verdict.h"
#include "world.h"

/* Times are sums of many small ones. */
#define ROUNDING 1e-6

/* Of starts that come `interval` apart: the most that one was ahead of its number. */
struct pace {
    uint64_t count;
    double latest;
};

struct watched {
    unsigned running;
    struct pace pace;
    bool has_scout; /* one went ahead, and its connection does not stand */
    bool is_known;  /* a connection stood, or an attempt ended */
    double closed_until;
    unsigned epoch; /* closings of the gate */
    bool ramps;     /* since then not so many went well that all may go */
    unsigned good, running_since;
    bool has_answered;
    unsigned streak; /* losses in a row */
    enum valve_state state;
    bool was_probed, probe_stands;
    uint64_t probe;      /* the request that asks whether it is back; 0: none does */
    double wait;         /* before the next probe, at most */
    double probe_from;   /* none comes earlier */
    double last_probe;   /* of a pause: none is planned for later */
    double down_from;    /* a request is refused no earlier */
    double refuse_until; /* and none later, unless a probe is on its way */
};

struct watch {
    struct world *world;
    struct pace pace; /* of all */
    uint64_t first_tries, retries;
    unsigned limit; /* of each host */
    struct watched hosts[];
};

struct watch *watch_new(struct world *world)
{
    struct watch *watch = xcalloc(1, sizeof *watch + world->web.hosts * sizeof watch->hosts[0]);
    unsigned per_host = world->scenario.per_host;

    watch->world = world;
    watch->limit = per_host ? per_host : world->scenario.jobs;
    return watch;
}

void watch_free(struct watch *watch)
{
    free(watch);
}

/* Start number j comes no earlier than (j - i + 1 - burst) intervals after number i, save for what a
 * loop that is late may make up for. */
static void check_pace(struct world *world, struct pace *pace, double interval, const char *whose)
{
    double burst = (double)world->scenario.burst;

    if (interval <= 0)
        return;
    double ahead = world->now - (double)pace->count * interval;
    PROMISE(world,
            !pace->count ||
                ahead >= pace->latest + (1 - burst) * interval - RATE_LATE_MAX - ROUNDING,
            "start %llu %s comes %g s too early", (unsigned long long)pace->count, whose,
            pace->latest + (1 - burst) * interval - ahead);
    pace->latest = pace->count ? fmax(pace->latest, ahead) : ahead;
    pace->count++;
}

static void check_gate(struct watch *watch, const struct watched *host)
{
    struct world *world = watch->world;

    PROMISE(world, world->now >= host->closed_until, "a start %g s before the gate opens",
            host->closed_until - world->now);
    /* What a probe begins is a new count, which is not kept here. */
    if (host->ramps && !world->scenario.host_errors)
        PROMISE(world, host->running_since <= 1 + host->good,
                "%u run at once behind a gate that opened, after %u answers", host->running_since,
                host->good);
}

static void check_probe(struct watch *watch, const struct task *task, struct watched *host)
{
    struct world *world = watch->world;

    if (host->state == VALVE_OPEN)
        return;
    PROMISE(world, !host->probe, "a second probe while the first is on its way");
    PROMISE(world, world->now >= host->probe_from - ROUNDING, "a probe %g s too early",
            host->probe_from - world->now);
    host->probe = task->request.seq;
    host->probe_stands = false;
    if (host->state == VALVE_PAUSED && !host->was_probed && world->now > host->last_probe) {
        host->down_from += world->now - host->last_probe;
        host->last_probe = world->now;
    }
    host->was_probed = true;
}

static void check_scout(struct watch *watch, const struct task *task, struct watched *host)
{
    struct world *world = watch->world;

    if (world->scenario.parallel_immediate) {
        PROMISE(world, !task->is_scout, "one goes ahead, and nobody asked for that");
        return;
    }
    PROMISE(world, !host->has_scout, "a start before the first connection stands");
    PROMISE(world, host->is_known || task->is_scout, "the first to a host does not go ahead");
    host->has_scout = task->is_scout;
}

/* What a host asked for itself is not on the budget, nor is what waits for a paused one. */
static void check_attempt(struct watch *watch, const struct task *task)
{
    struct world *world = watch->world;
    struct record *record = world_record(world, task);
    double budget = world->scenario.retry_budget;

    PROMISE(world, task->result.attempts >= 1 && task->result.attempts <= 1 + world->scenario.retry,
            "request %llu is at attempt %u", (unsigned long long)task->request.seq,
            task->result.attempts);
    watch->first_tries += task->result.attempts > record->attempts && task->result.attempts == 1;
    watch->retries += task->result.attempts > record->attempts && task->result.attempts > 1 &&
                      !record->is_off_budget;
    record->attempts = task->result.attempts;
    PROMISE(world,
            (double)watch->retries <=
                fmax(RETRY_BUDGET_FLOOR, ceil(budget * (double)watch->first_tries)),
            "%llu retries of %llu first tries", (unsigned long long)watch->retries,
            (unsigned long long)watch->first_tries);
}

unsigned watch_start(struct watch *watch, const struct task *task, uint32_t index)
{
    struct world *world = watch->world;
    struct watched *host = &watch->hosts[index];

    host->running++;
    host->running_since++;
    PROMISE(world, host->running <= watch->limit, "%u run at host %u", host->running, index);
    check_pace(world, &watch->pace, world->scenario.rate, "of all");
    check_pace(world, &host->pace, world->scenario.host_rate, "at a host");
    check_gate(watch, host);
    check_probe(watch, task, host);
    check_scout(watch, task, host);
    check_attempt(watch, task);
    return host->epoch;
}

/* Only what says so later than the gate closes closes it again. */
static void close_gate(struct watched *host, double until)
{
    if (until <= host->closed_until)
        return;
    host->closed_until = until;
    host->epoch++;
    host->ramps = true;
    host->good = host->running_since = 0;
}

static double until_next_probe(const struct watch *watch)
{
    double wait = watch->world->scenario.host_retry_after;

    return wait > 0 ? wait : INFINITY;
}

static void take_down(struct watch *watch, struct watched *host)
{
    host->state = VALVE_DOWN;
    host->probe_from = host->refuse_until = watch->world->now + until_next_probe(watch);
}

static void turn(struct watch *watch, struct watched *host)
{
    bool may_end = host->was_probed && !(host->probe && host->probe_stands);

    if (host->state != VALVE_PAUSED || !may_end || watch->world->now < host->down_from)
        return;
    take_down(watch, host);
    host->probe_from = host->down_from + until_next_probe(watch);
}

void watch_connected(struct watch *watch, const struct task *task, uint32_t index)
{
    struct watched *host = &watch->hosts[index];

    turn(watch, host);
    if (task->is_scout)
        host->has_scout = false;
    host->is_known = true;
    host->probe_stands |= host->probe == task->request.seq;
}

static void plan_probe(struct watch *watch, struct watched *host)
{
    double now = watch->world->now;

    host->probe_from = now < host->last_probe ? fmin(now + host->wait / 2, host->last_probe)
                                              : host->down_from + until_next_probe(watch);
    host->wait = fmin(fmax(2 * host->wait, 0.1), 30);
}

static void begin_outage(struct watch *watch, struct watched *host)
{
    const struct scenario *scenario = &watch->world->scenario;
    double pause = host->has_answered ? scenario->host_wait : fmin(scenario->host_wait, 2);

    if (pause <= 0) {
        take_down(watch, host);
        return;
    }
    host->state = VALVE_PAUSED;
    host->was_probed = false;
    host->wait = fmin(scenario->retry_delay, 30);
    host->down_from = watch->world->now + pause;
    host->last_probe = host->down_from - fmin(1, pause / 10);
    plan_probe(watch, host);
}

static void end_probe_in_vain(struct watch *watch, struct watched *host)
{
    if (host->state == VALVE_PAUSED)
        plan_probe(watch, host);
    else if (host->state == VALVE_DOWN)
        take_down(watch, host);
}

static void count_loss(struct watch *watch, struct watched *host)
{
    const struct scenario *scenario = &watch->world->scenario;

    host->streak++;
    if (host->state == VALVE_OPEN && scenario->host_errors && host->streak >= scenario->host_errors)
        begin_outage(watch, host);
}

/* While it is paused only a probe opens it. */
static void learn_reach(struct watch *watch, struct watched *host, const struct lesson *lesson,
                        bool is_probe)
{
    bool is_heard = lesson->answered || lesson->heard;

    turn(watch, host);
    host->has_answered |= is_heard;
    if (is_probe && (lesson->lost || lesson->unfound))
        end_probe_in_vain(watch, host);
    if (lesson->lost)
        count_loss(watch, host);
    if ((is_probe && (is_heard || lesson->reached)) || (host->state != VALVE_PAUSED && is_heard)) {
        host->state = VALVE_OPEN;
        host->streak = 0;
        host->probe = 0;
    }
}

void watch_end(struct watch *watch, const struct task *task, uint32_t index, unsigned epoch)
{
    struct watched *host = &watch->hosts[index];
    struct lesson lesson = verdict_lesson(task);

    host->running--;
    if (epoch == host->epoch)
        host->running_since--;
    if (task->is_scout)
        host->has_scout = false;
    host->is_known = true;
    bool is_probe = host->probe == task->request.seq;
    if (is_probe && host->probe_stands && !lesson.lost && !lesson.unfound)
        host->was_probed = false;
    if (is_probe)
        host->probe = 0;
    learn_reach(watch, host, &lesson, is_probe);
    if (lesson.closed_for > 0)
        close_gate(host, watch->world->now + lesson.closed_for);
    else if (epoch == host->epoch && lesson.answered && !lesson.overloaded &&
             ++host->good >= watch->limit)
        host->ramps = false;
    world_record(watch->world, task)->is_off_budget =
        task->closed_for > 0 || host->state == VALVE_PAUSED;
}

void watch_refused(struct watch *watch, const struct task *task, uint32_t index)
{
    struct watched *host = &watch->hosts[index];

    turn(watch, host);
    PROMISE(watch->world, host->state == VALVE_DOWN,
            "request %llu is refused, and its host is not down",
            (unsigned long long)task->request.seq);
    PROMISE(watch->world, host->probe || watch->world->now < host->refuse_until,
            "request %llu is refused, and might have been the probe",
            (unsigned long long)task->request.seq);
}

/* A host whose gate is closed is kept, and only its name is dropped. */
void watch_dropped(struct watch *watch, uint32_t index)
{
    struct watched *host = &watch->hosts[index];

    PROMISE(watch->world, !host->running, "a host is dropped while it is asked");
    host->is_known = false;
    if (host->closed_until <= watch->world->now)
        host->has_answered = false;
}
