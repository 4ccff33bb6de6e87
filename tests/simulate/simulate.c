/*
 * A day of scraping in a few seconds: the scheduler, its valves, the permits, retries and the window
 * in order, driven by a virtual clock against hosts of several kinds, with no loop and no network. It
 * shows what no test can assert at once: whether each kind of host gets what its limits allow, and
 * whether anybody who could start is left waiting.
 *
 *     simulate [REQUESTS [STARTS_PER_SECOND [JOBS [WINDOW]]]]        1000000 12 50 10000
 *
 * The table has a row for each kind of host:
 *   requests, ok, failed, refused   what became of them; refused: the host was down
 *   tries                           starts, retries too
 *   429                             answers that closed the host's gate
 *   of limit                        starts, of what the host's own limits allow while requests queued
 *   wait                            longest time a request was first in its host's queue and could
 *                                   start as far as the host was concerned
 *   turns                           the most starts that any one other host got meanwhile; where hosts
 *                                   take turns it is 1, or 2 where one of them was out of the row
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/heap.h"
#include "core/task.h"
#include "core/window.h"
#include "flow/retry.h"
#include "flow/sched.h"
#include "flow/semaphore.h"
#include "input/host_limits.h"

enum { PLACES_MAX = 1000 };

struct kind {
    const char *name;
    unsigned hosts, share; /* of the requests, in percent */
    double latency;        /* on average */
    unsigned limit;        /* in flight; 0: none of its own */
    double interval;       /* from start to start; 0: none of its own */
    unsigned quota;        /* so many each QUOTA_TIME, more are told to wait; 0: no quota */
    double failures;       /* this share of the attempts */
    bool has_outages;      /* a third of the time it cannot be reached at all */
};

#define QUOTA_TIME  300.0
#define OUTAGE_EACH 10800.0

static const struct kind kinds[] = {
    {"fast", 150, 45, 0.1, 0, 0, 0, 0, false},
    {"one at a time", 100, 20, 4, 1, 0, 0, 0, false},
    {"rate 1/10s", 100, 15, 1, 0, 10, 0, 0, false},
    {"quota", 50, 5, 0.3, 0, 0, 6, 0, false},
    {"flaky", 50, 10, 0.5, 0, 0, 0, 0.1, false},
    {"outages", 50, 5, 0.5, 0, 0, 0, 0, true},
};

struct place {
    const struct kind *kind;
    char name[48];
    unsigned running, queued;
    double changed_at;   /* when it last started one, or one ended that stood in the way */
    double queued_since; /* while something is queued */
    double quota_from;
    unsigned quota_used;
};

/* What is told of a kind. */
struct tally {
    uint64_t requests, tries, ok, failed, refused, gated;
    double allowed;
    double wait;
    unsigned turns;
};

struct begun {
    double at;
    const struct place *place;
};

struct sim {
    struct sched *sched;
    struct semaphore permits;
    struct window window;
    struct retry_rules rules;
    struct retry_state retries;
    struct heap ends, waiting;
    struct place places[PLACES_MAX];
    struct tally tallies[ARRAY_LEN(kinds)];
    unsigned n_places;
    struct begun *starts;      /* all */
    unsigned seen[PLACES_MAX]; /* while turns are counted */
    size_t n_starts, starts_room;
    uint64_t left, dice;
    double now;
};

static double roll(struct sim *sim)
{
    sim->dice = sim->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(sim->dice >> 11) * 0x1p-53;
}

/* The request's line says where it goes. */
static struct place *place_of(struct sim *sim, const struct task *task)
{
    return &sim->places[task->request.line];
}

static struct tally *tally_of(struct sim *sim, const struct place *place)
{
    return &sim->tallies[place->kind - kinds];
}

static void note_queued(struct sim *sim, struct place *place)
{
    if (place->queued++ == 0)
        place->queued_since = sim->now;
}

static void note_unqueued(struct sim *sim, struct place *place)
{
    const struct kind *kind = place->kind;
    double seconds = sim->now - place->queued_since;

    if (--place->queued > 0)
        return;
    if (kind->interval > 0)
        tally_of(sim, place)->allowed += seconds / kind->interval + 1;
    else if (kind->quota)
        tally_of(sim, place)->allowed += kind->quota * (seconds / QUOTA_TIME + 1);
    else if (kind->limit)
        tally_of(sim, place)->allowed += seconds * kind->limit / kind->latency + 1;
}

static bool stands_in_the_way(const struct place *place)
{
    const struct kind *kind = place->kind;

    return kind->quota || kind->has_outages || kind->failures > 0 ||
           (kind->limit && place->running >= kind->limit);
}

/* The most starts that any one place had since then. */
static unsigned turns_since(struct sim *sim, double then)
{
    unsigned most = 0;
    size_t first = sim->n_starts;

    for (; first > 0 && sim->starts[first - 1].at > then; first--) {
        unsigned *seen = &sim->seen[sim->starts[first - 1].place - sim->places];
        ++*seen;
        most = MAX(most, *seen);
    }
    for (; first < sim->n_starts; first++)
        sim->seen[sim->starts[first].place - sim->places] = 0;
    return most;
}

/* `due`: when the host itself let it start. */
static void note_start(struct sim *sim, struct place *place, const struct task *task, double due)
{
    struct tally *tally = tally_of(sim, place);
    double could_at = fmax(fmax(task->since, due), place->changed_at);

    tally->wait = fmax(tally->wait, sim->now - could_at);
    tally->turns = MAX(tally->turns, turns_since(sim, could_at));
    tally->tries++;
    if (sim->n_starts == sim->starts_room) {
        sim->starts_room = sim->starts_room ? sim->starts_room * 2 : 1 << 20;
        sim->starts = xreallocarray(sim->starts, sim->starts_room, sizeof *sim->starts);
    }
    sim->starts[sim->n_starts++] = (struct begun){sim->now, place};
    place->changed_at = sim->now;
}

/* ---- the hosts ---- */

static bool is_over_quota(struct sim *sim, struct place *place)
{
    if (!place->kind->quota)
        return false;
    if (sim->now - place->quota_from >= QUOTA_TIME) {
        place->quota_from = sim->now;
        place->quota_used = 0;
    }
    return ++place->quota_used > place->kind->quota;
}

static bool fails(struct sim *sim, const struct place *place)
{
    if (place->kind->has_outages)
        return fmod(sim->now, OUTAGE_EACH) < OUTAGE_EACH / 3;
    return roll(sim) < place->kind->failures;
}

/* Decides how the task that starts now ends; seconds until then. */
static double meet_host(struct sim *sim, struct place *place, struct task *task)
{
    struct result *result = &task->result;

    task->outcome = OUTCOME_ANSWERED;
    result->reason = REASON_OK;
    result->http_code = 200;
    task->closed_for = 0;
    if (is_over_quota(sim, place)) {
        result->reason = REASON_HTTP;
        result->http_code = 429;
        task->closed_for = QUOTA_TIME - (sim->now - place->quota_from);
        return 0.05;
    }
    if (fails(sim, place)) {
        task->outcome = OUTCOME_FAILED;
        result->reason = REASON_CONNECT;
        return 10;
    }
    return place->kind->latency * (0.5 + roll(sim));
}

/* ---- the steps of the pump ---- */

static void finish(struct sim *sim, struct task *task)
{
    task_set_state(task, TASK_DONE);
    window_note_done(&sim->window, task);
}

static void retire(struct sim *sim)
{
    static struct store nothing;
    struct task *task;

    while ((task = window_due(&sim->window)) != NULL) {
        window_remove(&sim->window, task);
        sched_forget(sim->sched, task, sim->now);
        task_free(task, &nothing);
    }
}

static struct place *next_place(struct sim *sim)
{
    double share = roll(sim) * 100;
    const struct kind *kind = kinds;
    unsigned first = 0;

    for (; kind < kinds + ARRAY_LEN(kinds) - 1 && share >= kind->share; kind++) {
        share -= kind->share;
        first += kind->hosts;
    }
    return &sim->places[first + (unsigned)(roll(sim) * kind->hosts)];
}

static void admit(struct sim *sim)
{
    while (sim->left && window_has_slot(&sim->window)) {
        struct place *place = next_place(sim);
        struct task *task = task_new();
        sim->left--;
        tally_of(sim, place)->requests++;
        task->request.line = (uint64_t)(place - sim->places);
        task->since = sim->now;
        window_add(&sim->window, task);
        note_queued(sim, place);
        sched_add(sim->sched, task, place->name, true, false, sim->now);
    }
}

static void requeue(struct sim *sim, struct task *task)
{
    task_set_state(task, TASK_READY);
    task->since = sim->now;
    note_queued(sim, place_of(sim, task));
    sched_add_again(sim->sched, task, sim->now);
}

static void start(struct sim *sim)
{
    struct task *task;

    while ((task = sched_next_refused(sim->sched, sim->now)) != NULL) {
        struct place *place = place_of(sim, task);
        tally_of(sim, place)->refused++;
        note_unqueued(sim, place);
        finish(sim, task);
    }
    while (semaphore_is_free(&sim->permits) && (task = sched_next(sim->sched, sim->now)) != NULL) {
        struct place *place = place_of(sim, task);
        double due = place->kind->interval > 0 ? place->changed_at + place->kind->interval : 0;
        note_start(sim, place, task, due);
        note_unqueued(sim, place);
        semaphore_take(&sim->permits);
        place->running++;
        if (task->result.starts++ == 0)
            retry_note_try(&sim->retries);
        task->result.attempts += !task->met_outage && !sched_excuses(task);
        task_set_state(task, TASK_RUNNING);
        sched_note_connected(sim->sched, task, sim->now);
        heap_push(&sim->ends, &task->due, sim->now + meet_host(sim, place, task));
    }
}

/* Whether the task, which did not go well, is tried again. */
static bool try_again(struct sim *sim, struct task *task)
{
    struct retry_case one = {.reason = task->result.reason,
                             .http_code = task->result.http_code,
                             .method = "GET",
                             .attempts = task->met_outage ? 0 : task->result.attempts,
                             .own_max = -1};

    if (!retry_wants(&sim->rules, &one) || (sched_is_down(task, sim->now) && !task->met_outage))
        return false;
    if (task->closed_for > 0 || task->met_outage || sched_is_paused(task)) {
        requeue(sim, task);
        return true;
    }
    if (!retry_spend(&sim->rules, &sim->retries))
        return false;
    task_set_state(task, TASK_WAITING);
    heap_push(&sim->waiting, &task->due,
              sim->now + retry_pause(&sim->rules, &sim->retries, task->result.attempts));
    return true;
}

static void settle(struct sim *sim, struct task *task)
{
    struct place *place = place_of(sim, task);
    bool is_ok = task->result.reason == REASON_OK;
    struct lesson lesson = {.answered = task->outcome == OUTCOME_ANSWERED,
                            .lost = task->outcome == OUTCOME_FAILED,
                            .closed_for = task->closed_for};

    if (stands_in_the_way(place))
        place->changed_at = fmax(place->changed_at, sim->now + task->closed_for);
    place->running--;
    semaphore_give(&sim->permits);
    sched_end(sim->sched, task, &lesson, sim->now);
    tally_of(sim, place)->gated += task->closed_for > 0;
    if (!is_ok && try_again(sim, task))
        return;
    tally_of(sim, place)->ok += is_ok;
    tally_of(sim, place)->failed += !is_ok;
    finish(sim, task);
}

static void settle_due(struct sim *sim)
{
    struct heap_node *node;

    while ((node = heap_peek(&sim->ends)) && node->due <= sim->now) {
        heap_remove(&sim->ends, node);
        settle(sim, CONTAINER_OF(node, struct task, due));
    }
    while ((node = heap_peek(&sim->waiting)) && node->due <= sim->now) {
        heap_remove(&sim->waiting, node);
        requeue(sim, CONTAINER_OF(node, struct task, due));
    }
}

static double next_time(const struct sim *sim)
{
    struct heap_node *end = heap_peek(&sim->ends), *wake = heap_peek(&sim->waiting);
    double due = fmin(end ? end->due : INFINITY, wake ? wake->due : INFINITY);

    return semaphore_is_free(&sim->permits) ? fmin(due, sched_due(sim->sched)) : due;
}

static void run(struct sim *sim)
{
    double due;

    do {
        size_t alive;
        do {
            alive = sim->window.alive;
            settle_due(sim);
            start(sim);
            retire(sim);
            admit(sim);
        } while (sim->window.alive != alive || (sim->left && window_has_slot(&sim->window)));
        start(sim);
        due = next_time(sim);
        if (sim->window.alive && (isinf(due) || due <= sim->now)) {
            fprintf(stderr, "simulate: stuck at %g: %zu alive, due %g\n", sim->now,
                    sim->window.alive, due);
            exit(1);
        }
        sim->now = sim->window.alive ? due : sim->now;
    } while (sim->window.alive);
}

/* ---- birth and report ---- */

static void make_places(struct sim *sim, struct host_limits *own)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        for (unsigned k = 0; k < kinds[i].hosts; k++) {
            struct place *place = &sim->places[sim->n_places++];
            char host[16];
            int len = snprintf(host, sizeof host, "h%u", sim->n_places);
            snprintf(place->name, sizeof place->name, "http://%s:80", host);
            place->kind = &kinds[i];
            if (kinds[i].limit && host_limits_set_jobs(own, host, (size_t)len, kinds[i].limit))
                abort();
            if (kinds[i].interval > 0 &&
                host_limits_set_interval(own, host, (size_t)len, kinds[i].interval))
                abort();
        }
    }
}

static void report(const struct sim *sim)
{
    printf("%.1f hours, %zu starts, at most %u in flight\n\n", (sim->now - 1e6) / 3600,
           sim->n_starts, sim->permits.peak);
    printf("%-14s%6s%10s%10s%8s%8s%10s%8s%10s%9s%8s\n", "kind", "hosts", "requests", "ok", "failed",
           "refused", "tries", "429", "of limit", "wait", "turns");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct tally *tally = &sim->tallies[i];
        char share[16] = "-";
        if (tally->allowed > 0)
            snprintf(share, sizeof share, "%.1f%%",
                     100 * (double)(tally->tries - tally->gated) / tally->allowed);
        printf("%-14s%6u%10ju%10ju%8ju%8ju%10ju%8ju%10s%7.2f s%8u\n", kinds[i].name, kinds[i].hosts,
               (uintmax_t)tally->requests, (uintmax_t)tally->ok, (uintmax_t)tally->failed,
               (uintmax_t)tally->refused, (uintmax_t)tally->tries, (uintmax_t)tally->gated, share,
               tally->wait, tally->turns);
    }
}

static double argument(int argc, char **argv, int at, double otherwise)
{
    double value = argc > at ? strtod(argv[at], NULL) : otherwise;

    if (!(value >= 1)) {
        fprintf(stderr, "usage: simulate [REQUESTS [STARTS_PER_SECOND [JOBS [WINDOW]]]]\n");
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    static struct sim sim = {.now = 1e6, .dice = 1};
    struct host_limits own = {0};
    struct flow_rules rules = {
        .jobs = (unsigned)argument(argc, argv, 3, 50),
        .rate = {.interval = 1 / argument(argc, argv, 2, 12), .burst = 1},
        .host_rate.burst = 1,
        .own = &own,
        .errors_max = 3,
        .probe_wait = 0.5,
        .pause_max = 30,
        .down_wait = 30,
    };

    sim.left = (uint64_t)argument(argc, argv, 1, 1e6);
    sim.rules = (struct retry_rules){.max = 2, .delay = 0.5, .max_delay = 60, .budget = 0.2};
    codes_add(&sim.rules.on, 429, 429);
    make_places(&sim, &own);
    sim.sched = sched_new(&rules);
    semaphore_init(&sim.permits, rules.jobs);
    window_init(&sim.window, ORDER_INPUT, (size_t)argument(argc, argv, 4, 10000));
    retry_init(&sim.retries, 1);
    heap_init(&sim.ends);
    heap_init(&sim.waiting);
    run(&sim);
    report(&sim);
    heap_release(&sim.ends);
    heap_release(&sim.waiting);
    sched_free(sim.sched);
    host_limits_release(&own);
    free(sim.starts);
    return 0;
}
