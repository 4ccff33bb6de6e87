#include "flow/valve.h"

#include <assert.h>
#include <math.h>

#include "base/chance.h"
#include "base/util.h"
#include "input/host_limits.h"

/* From the second probe of a pause on, however short --retry-delay is. */
#define PROBE_WAIT_MIN 0.1

/* The last probe of a pause has so many seconds to come back, or this share of a short pause. */
#define LAST_PROBE_TIME  1.0
#define LAST_PROBE_SHARE 0.1

void valve_init(struct valve *valve, const struct flow_rules *rules, const char *host)
{
    struct host_limit own =
        rules->own ? host_limits_find(rules->own, host) : (struct host_limit){0};

    *valve = (struct valve){.max = rules->per_host ? rules->per_host : rules->jobs,
                            .rate = rules->host_rate};
    if (own.jobs)
        valve->max = own.jobs;
    if (own.interval > 0)
        valve->rate.interval = own.interval;
    adapt_init(&valve->adapt);
}

static unsigned limit_of(const struct valve *valve, const struct flow_rules *rules)
{
    return rules->adaptive ? adapt_limit(&valve->adapt, valve->max) : valve->max;
}

bool valve_is_full(const struct valve *valve, const struct flow_rules *rules)
{
    return valve->running >= limit_of(valve, rules) ||
           (valve->ramp && valve->running_since >= valve->ramp) ||
           (valve->state == VALVE_PAUSED && valve->is_probed);
}

double valve_due(const struct valve *valve)
{
    double due = fmax(valve->closed_until, rate_due(&valve->rate, &valve->bucket));

    return valve->state == VALVE_PAUSED ? fmax(due, valve->probe_at) : due;
}

bool valve_is_down(const struct valve *valve, double now)
{
    return valve->state == VALVE_DOWN && (valve->is_probed || now < valve->probe_at);
}

bool valve_is_fresh(const struct valve *valve, const struct flow_rules *rules, double now)
{
    return valve->running == 0 && valve->closed_until <= now && !valve->ramp && !valve->streak &&
           valve->state == VALVE_OPEN && rate_is_full(&valve->rate, &valve->bucket, now) &&
           (!rules->adaptive || adapt_is_fresh(&valve->adapt));
}

/* ---- hosts that cannot be reached ---- */

/* The wait is rolled from its half to its whole. The last probe still has time to come back before
 * the pause ends, and there is none after it. */
static void plan_probe(struct valve *valve, double now)
{
    double at = now + valve->probe_wait * (0.5 + chance_share(&valve->dice) / 2);

    valve->probe_at = now < valve->last_probe_at ? fmin(at, valve->last_probe_at) : INFINITY;
    valve->probe_wait = fmin(fmax(2 * valve->probe_wait, PROBE_WAIT_MIN), PROBE_WAIT_MAX);
}

static void take_down(struct valve *valve, const struct flow_rules *rules, double since)
{
    valve->state = VALVE_DOWN;
    valve->probe_at = rules->down_wait > 0 ? since + rules->down_wait : INFINITY;
}

static void pause_host(struct valve *valve, const struct flow_rules *rules, double now)
{
    double stranger = fmin(rules->pause_max, STRANGER_PAUSE_MAX);
    double seconds = valve->has_answered ? rules->pause_max : stranger;

    if (seconds <= 0) {
        take_down(valve, rules, now);
        return;
    }
    valve->state = VALVE_PAUSED;
    valve->outages++;
    valve->was_probed = false;
    valve->down_at = now + seconds;
    valve->last_probe_at = valve->down_at - fmin(LAST_PROBE_TIME, LAST_PROBE_SHARE * seconds);
    valve->probe_wait = fmin(rules->probe_wait, PROBE_WAIT_MAX);
    plan_probe(valve, now);
}

/* A host that nothing was free to probe is not down yet. */
void valve_turn(struct valve *valve, const struct flow_rules *rules, double now)
{
    if (now >= valve_turn_due(valve))
        take_down(valve, rules, valve->down_at);
}

static void count_loss(struct valve *valve, const struct flow_rules *rules, double now)
{
    valve->streak++;
    if (valve->state == VALVE_OPEN && rules->errors_max && valve->streak >= rules->errors_max)
        pause_host(valve, rules, now);
}

static void end_probe_in_vain(struct valve *valve, const struct flow_rules *rules, double now)
{
    switch (valve->state) {
    case VALVE_OPEN: break;
    case VALVE_PAUSED:
        if (now < valve->down_at)
            plan_probe(valve, now);
        else
            take_down(valve, rules, now);
        break;
    case VALVE_DOWN: take_down(valve, rules, now); break;
    }
}

static void open_again(struct valve *valve)
{
    valve->state = VALVE_OPEN;
    valve->streak = 0;
    valve->is_probed = false;
}

/* While a host is paused only a probe opens it: one that is going away may still answer those that
 * it has, and takes no others. */
static void learn_reach(struct valve *valve, const struct flow_rules *rules, bool is_probe,
                        const struct lesson *lesson, double now)
{
    bool is_heard = lesson->answered || lesson->heard;
    bool opens = valve->state == VALVE_PAUSED ? is_probe && (is_heard || lesson->reached)
                                              : is_heard || (is_probe && lesson->reached);

    valve->has_answered |= is_heard;
    if (is_probe && (lesson->lost || lesson->unfound))
        end_probe_in_vain(valve, rules, now);
    if (lesson->lost)
        count_loss(valve, rules, now);
    if (opens)
        open_again(valve);
}

void valve_note_standing(struct valve *valve, unsigned epoch)
{
    valve->probe_stands |= valve->is_probed && epoch == valve->probe_epoch;
}

/* The answer may be a long one, and the pause shorter. */
void valve_note_heard(struct valve *valve, unsigned epoch)
{
    if (!valve->is_probed || epoch != valve->probe_epoch)
        return;
    valve->has_answered = true;
    open_again(valve);
}

/* ---- starts and ends ---- */

/* What still runs then says nothing about how the host takes what starts from now on. */
static void begin_epoch(struct valve *valve)
{
    valve->epoch++;
    valve->ramp = 1;
    valve->good = 0;
    valve->running_since = 0;
}

static void begin_probe(struct valve *valve, double now)
{
    begin_epoch(valve);
    valve->probe_epoch = valve->epoch;
    valve->is_probed = true;
    valve->probe_stands = false;
    if (valve->state == VALVE_PAUSED && !valve->was_probed && now > valve->last_probe_at) {
        valve->down_at += now - valve->last_probe_at;
        valve->last_probe_at = now;
    }
    valve->was_probed = true;
}

unsigned valve_take(struct valve *valve, double now)
{
    rate_take(&valve->rate, &valve->bucket, now);
    if (valve->state != VALVE_OPEN)
        begin_probe(valve, now);
    valve->running++;
    valve->running_since++;
    return valve->epoch;
}

/* Only what says so later than the gate closes closes it again. */
static void close_gate(struct valve *valve, double until)
{
    if (until <= valve->closed_until)
        return;
    valve->closed_until = until;
    begin_epoch(valve);
}

/* One more with each success doubles what runs in each round trip, which soon is too much again
 * where it was before. */
static void open_wider(struct valve *valve)
{
    if (!valve->ramp)
        return;
    if (valve->ceiling && valve->ramp >= valve->ceiling) {
        if (++valve->good < MAX(valve->ramp, VALVE_PATIENCE))
            return;
        valve->good = 0;
    }
    if (++valve->ramp > valve->max)
        valve->ramp = valve->ceiling = 0;
}

/* So many of this epoch were too many. One alone was not: it came too early. */
static void lower_ceiling(struct valve *valve, unsigned width)
{
    if (width > 1)
        valve->ceiling = width / 2;
}

void valve_give(struct valve *valve, const struct flow_rules *rules, unsigned epoch,
                double started_at, const struct lesson *lesson, double now)
{
    bool is_of_now = epoch == valve->epoch;
    bool is_probe = valve->is_probed && epoch == valve->probe_epoch;
    unsigned running = valve->running, width = valve->running_since;

    assert(valve->running > 0);
    valve->running--;
    valve->running_since -= is_of_now;
    valve->is_probed &= !is_probe;
    learn_reach(valve, rules, is_probe, lesson, now);
    /* A cancelled probe tells nothing of its host, so the next one asks. */
    if (is_probe && valve->probe_stands && !lesson->lost && !lesson->unfound)
        valve->was_probed = false;
    if (lesson->closed_for > 0 && lesson->overloaded && is_of_now)
        lower_ceiling(valve, width);
    if (lesson->closed_for > 0)
        close_gate(valve, now + lesson->closed_for);
    else if (is_of_now && lesson->answered && !lesson->overloaded)
        open_wider(valve);
    if (!rules->adaptive)
        return;
    if (lesson->overloaded)
        adapt_bad(&valve->adapt, started_at, now);
    else if (lesson->answered)
        adapt_good(&valve->adapt, valve->max, started_at, lesson->latency, now, running);
}
