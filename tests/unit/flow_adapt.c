#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "base/heap.h"
#include "base/util.h"
#include "flow/adapt.h"

/* ---- a server on a virtual clock, and a client that keeps to the limit ---- */

enum { SLOTS_MAX = 128 };

/* Refused at once: above `room` in flight. Else it takes `latency` seconds, and above `knee` in
 * flight so many times longer as the power says. */
struct server {
    unsigned room, knee;
    double latency, power;
    double spread; /* latencies are log-normal, with this sigma; 0: all the same */
};

struct slot {
    struct heap_node due;
    double started_at;
    bool refused;
};

struct sim {
    struct server server;
    struct adapt adapt;
    unsigned max;
    bool is_fixed; /* the limit is max */
    struct heap ends;
    struct slot slots[SLOTS_MAX];
    struct slot *idle[SLOTS_MAX];
    unsigned n_idle, running;
    double now;
    unsigned seed;
    unsigned good, refused; /* requests that ended */
};

static void init(struct sim *sim, struct server server, unsigned max)
{
    *sim = (struct sim){.server = server, .max = max, .now = 1000};
    adapt_init(&sim->adapt);
    heap_init(&sim->ends);
    for (sim->n_idle = 0; sim->n_idle < SLOTS_MAX; sim->n_idle++)
        sim->idle[sim->n_idle] = &sim->slots[sim->n_idle];
}

static unsigned limit_of(const struct sim *sim)
{
    return sim->is_fixed ? sim->max : adapt_limit(&sim->adapt, sim->max);
}

/* About normally distributed, by the sum of twelve. */
static double roll_normal(struct sim *sim)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += (double)(rand_r(&sim->seed) % 10000) / 10000;
    return sum;
}

/* A refusal takes the time of a round through an empty server's door. */
static void start(struct sim *sim)
{
    const struct server *server = &sim->server;
    struct slot *slot = sim->idle[--sim->n_idle];
    double latency = server->latency;

    sim->running++;
    slot->refused = sim->running > server->room;
    if (slot->refused)
        latency = 0.0001;
    else if (sim->running > server->knee)
        latency *= pow((double)sim->running / server->knee, server->power);
    if (server->spread > 0 && !slot->refused)
        latency *= exp(server->spread * roll_normal(sim));
    slot->started_at = sim->now;
    heap_push(&sim->ends, &slot->due, sim->now + latency);
}

static void end(struct sim *sim, struct slot *slot)
{
    unsigned running = sim->running--;

    heap_remove(&sim->ends, &slot->due);
    sim->idle[sim->n_idle++] = slot;
    sim->good += !slot->refused;
    sim->refused += slot->refused;
    if (slot->refused)
        adapt_bad(&sim->adapt, slot->started_at, sim->now);
    else
        adapt_good(&sim->adapt, sim->max, slot->started_at, sim->now - slot->started_at, sim->now,
                   running);
    unsigned limit = limit_of(sim);
    cr_assert(limit >= 1 && limit <= sim->max, "%u", limit);
}

/* Runs until so many requests ended well, those refused being asked again, or until then. */
static void run(struct sim *sim, unsigned good, double until)
{
    while (sim->good < good && sim->now < until) {
        while (sim->running < limit_of(sim) && sim->good + sim->running < good)
            start(sim);
        struct heap_node *node = heap_peek(&sim->ends);
        sim->now = node->due;
        end(sim, CONTAINER_OF(node, struct slot, due));
    }
}

/* Seconds that so many requests take. */
static double time_of(struct sim *sim, unsigned good)
{
    run(sim, good, INFINITY);
    heap_release(&sim->ends);
    return sim->now - 1000;
}

static double best_fixed_time(struct server server, unsigned good)
{
    double best = INFINITY;

    for (unsigned limit = 1; limit <= 100; limit++) {
        struct sim sim;
        init(&sim, server, limit);
        sim.is_fixed = true;
        best = fmin(best, time_of(&sim, good));
    }
    return best;
}

/* The average limit over the next so many seconds. */
static double average_limit(struct sim *sim, double seconds)
{
    double sum = 0, until = sim->now + seconds;
    unsigned steps = 0;

    for (; sim->now < until; steps++) {
        sum += limit_of(sim);
        run(sim, UINT32_MAX, sim->now + 0.01);
    }
    return sum / steps;
}

/* ---- step by step ---- */

enum { MAX_RUNNING = 100 };

/* So many good answers to what started a moment ago, while the limit is used. */
static void answer(struct adapt *adapt, unsigned count, double now)
{
    for (unsigned i = 0; i < count; i++)
        adapt_good(adapt, MAX_RUNNING, now - 0.04, 0.04, now, adapt_limit(adapt, MAX_RUNNING));
}

static unsigned limit_now(const struct adapt *adapt)
{
    return adapt_limit(adapt, MAX_RUNNING);
}

Test(adapt, doubles_each_round_trip_until_the_first_trouble)
{
    struct adapt adapt;

    adapt_init(&adapt);
    cr_expect(adapt_is_fresh(&adapt));
    cr_expect_eq(limit_now(&adapt), 2);
    for (unsigned limit = 2; limit < 64; limit *= 2) {
        cr_assert_eq(limit_now(&adapt), limit);
        answer(&adapt, limit, 1000 + limit * 0.1);
    }
    answer(&adapt, 1000, 1010);
    cr_expect_eq(limit_now(&adapt), MAX_RUNNING);
    cr_expect(adapt_is_fresh(&adapt), "that is soon found again");
    adapt_bad(&adapt, 1010, 1011);
    cr_expect_not(adapt_is_fresh(&adapt));
    cr_expect_eq(limit_now(&adapt), 70);
    answer(&adapt, 70, 1012);
    cr_expect(limit_now(&adapt) == 70 || limit_now(&adapt) == 71, "%u", limit_now(&adapt));
}

Test(adapt, cuts_once_a_round_trip)
{
    struct adapt adapt;

    adapt_init(&adapt);
    answer(&adapt, 98, 1000);
    cr_assert_eq(limit_now(&adapt), 100);
    for (int i = 0; i < 100; i++)
        adapt_bad(&adapt, 1000, 1001 + i);
    cr_expect_eq(limit_now(&adapt), 70, "what started before the cut is no news");
    adapt_bad(&adapt, 1001.5, 1200);
    cr_expect_eq(limit_now(&adapt), 49);
    adapt_bad(&adapt, 1150, 1201);
    cr_expect_eq(limit_now(&adapt), 49);
}

Test(adapt, never_goes_below_one)
{
    struct adapt adapt;

    adapt_init(&adapt);
    for (int i = 0; i < 1000; i++) {
        adapt_bad(&adapt, 1000 + i, 1000.5 + i);
        cr_assert_geq(limit_now(&adapt), 1);
    }
    cr_expect_eq(limit_now(&adapt), 1);
    answer(&adapt, 20, 3000);
    cr_expect_gt(limit_now(&adapt), 1, "and gets up again");
}

Test(adapt, never_goes_above_what_is_allowed)
{
    for (unsigned max = 1; max < 20; max++) {
        struct adapt adapt;
        adapt_init(&adapt);
        for (int i = 0; i < 1000; i++) {
            double now = 1000 + i * 0.04;
            adapt_good(&adapt, max, now - 0.04, 0.04, now, adapt_limit(&adapt, max));
            cr_assert_leq(adapt_limit(&adapt, max), max);
        }
        cr_expect_eq(adapt_limit(&adapt, max), max);
        cr_expect_leq(adapt.limit, max, "nothing is saved up");
    }
}

Test(adapt, does_not_grow_while_the_limit_is_not_used)
{
    struct adapt adapt;

    adapt_init(&adapt);
    answer(&adapt, 8, 1000);
    cr_assert_eq(limit_now(&adapt), 10);
    for (int i = 0; i < 1000; i++)
        adapt_good(&adapt, MAX_RUNNING, 1001 + i, 0.04, 1001.04 + i, 5);
    cr_expect_leq(limit_now(&adapt), 10);
}

/* ---- in a closed loop ---- */

Test(adapt, finds_how_many_are_not_refused)
{
    struct server server = {.room = 8, .knee = 1000, .latency = 0.04};
    struct sim sim;

    init(&sim, server, 100);
    double seconds = time_of(&sim, 1500);
    cr_expect_leq(seconds, 1.6 * 7.5, "%g s", seconds);
    cr_expect_leq(sim.refused, 150, "%u refused", sim.refused);
}

/* Of a host with room for less than four up to one in six is refused: whether it has more is asked
 * again and again. */
Test(adapt, finds_it_where_the_server_has_room_for_few_or_many)
{
    static const unsigned rooms[] = {1, 2, 3, 5, 16, 33, 64, 99};

    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        struct server server = {.room = rooms[i], .knee = 1000, .latency = 0.04};
        struct sim sim;
        init(&sim, server, 100);
        double seconds = time_of(&sim, 200 * rooms[i]), ideal = 200 * 0.04;
        cr_expect_leq(seconds, 1.25 * ideal, "room %u: %g s", rooms[i], seconds);
        unsigned share = rooms[i] < 4 ? 6 : 10;
        cr_expect_leq(sim.refused * share, sim.good, "room %u: %u refused", rooms[i], sim.refused);
    }
}

static void expect_near_best(struct server server, unsigned good)
{
    struct sim sim;
    double best = best_fixed_time(server, good);

    init(&sim, server, 100);
    double seconds = time_of(&sim, good);
    cr_expect_leq(seconds, 1.25 * best, "power %g: %g s, best %g", server.power, seconds, best);
}

Test(adapt, is_near_the_best_fixed_limit_where_latency_grows)
{
    expect_near_best((struct server){.room = 1000, .knee = 16, .latency = 0.02, .power = 1}, 3000);
    expect_near_best((struct server){.room = 1000, .knee = 16, .latency = 0.02, .power = 2}, 3000);
    expect_near_best((struct server){.room = 1000, .knee = 8, .latency = 0.04, .power = 1}, 3000);
    expect_near_best((struct server){.room = 1000, .knee = 8, .latency = 0.04, .power = 2}, 3000);
}

Test(adapt, is_near_the_best_where_nothing_is_in_the_way)
{
    expect_near_best((struct server){.room = 1000, .knee = 1000, .latency = 0.02}, 3000);
}

Test(adapt, follows_what_the_server_can_take_both_ways)
{
    struct server server = {.room = 50, .knee = 1000, .latency = 0.04};
    struct sim sim;

    init(&sim, server, 100);
    run(&sim, UINT32_MAX, 1010);
    double before = average_limit(&sim, 10);
    sim.server.room = 5;
    run(&sim, UINT32_MAX, 1021);
    double within = average_limit(&sim, 10);
    sim.server.room = 50;
    run(&sim, UINT32_MAX, 1041);
    double after = average_limit(&sim, 20);
    cr_expect(before > 30 && before <= 51, "%g", before);
    cr_expect(within > 3 && within <= 6, "%g", within);
    cr_expect(after > 30 && after <= 51, "%g", after);
    heap_release(&sim.ends);
}

Test(adapt, follows_a_knee_both_ways)
{
    struct server server = {.room = 1000, .knee = 50, .latency = 0.04, .power = 2};
    struct sim sim;

    init(&sim, server, 100);
    run(&sim, UINT32_MAX, 1010);
    double before = average_limit(&sim, 10);
    sim.server.knee = 5;
    run(&sim, UINT32_MAX, 1025);
    double within = average_limit(&sim, 10);
    sim.server.knee = 50;
    run(&sim, UINT32_MAX, 1060);
    double after = average_limit(&sim, 20);
    cr_expect(before > 35 && before < 80, "%g", before);
    cr_expect(within > 3 && within < 10, "%g", within);
    cr_expect(after > 35 && after < 80, "%g", after);
    heap_release(&sim.ends);
}

/* When a server is slower than it was for good, that is what it is measured by. */
Test(adapt, gets_used_to_a_server_that_became_slower)
{
    struct server server = {.room = 50, .knee = 1000, .latency = 0.02};
    struct sim sim;

    init(&sim, server, 100);
    run(&sim, UINT32_MAX, 1010);
    sim.server.latency = 0.2;
    run(&sim, UINT32_MAX, 1010 + ADAPT_DIP_EACH + 15);
    double average = average_limit(&sim, 15);
    cr_expect_gt(average, 25, "%g", average);
    heap_release(&sim.ends);
}

/* Pages differ, and their latencies with them; that says nothing about how full the server is. */
Test(adapt, is_not_held_down_by_latencies_that_scatter)
{
    static const double spreads[] = {0.3, 0.6, 1};

    for (size_t i = 0; i < ARRAY_LEN(spreads); i++) {
        struct server server = {.room = 1000, .knee = 1000, .latency = 0.04, .spread = spreads[i]};
        struct sim sim;
        init(&sim, server, 20);
        run(&sim, UINT32_MAX, 1005);
        double average = average_limit(&sim, 300);
        cr_expect_gt(average, 14, "spread %g: %g", spreads[i], average);
        heap_release(&sim.ends);
    }
}
