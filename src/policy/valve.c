#include "policy/valve.h"

#include <assert.h>
#include <math.h>

#include "base/util.h"
#include "model/host_limits.h"

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
           (valve->ramp && valve->running_since >= valve->ramp);
}

double valve_due(const struct valve *valve)
{
    return fmax(valve->closed_until, rate_due(&valve->rate, &valve->bucket));
}

bool valve_is_down(const struct valve *valve, double now)
{
    return valve->is_down && (valve->is_probed || now < valve->probe_at);
}

bool valve_is_fresh(const struct valve *valve, const struct flow_rules *rules, double now)
{
    return valve->running == 0 && valve->closed_until <= now && !valve->ramp && !valve->streak &&
           !valve->is_down && rate_is_full(&valve->rate, &valve->bucket, now) &&
           (!rules->adaptive || adapt_is_fresh(&valve->adapt));
}

/* What still runs then says nothing about how the host takes what starts from now on. */
static void begin_epoch(struct valve *valve)
{
    valve->epoch++;
    valve->ramp = 1;
    valve->good = 0;
    valve->running_since = 0;
}

unsigned valve_take(struct valve *valve, double now)
{
    rate_take(&valve->rate, &valve->bucket, now);
    if (valve->is_down) {
        begin_epoch(valve);
        valve->is_probed = true;
    }
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

static void count_failure(struct valve *valve, const struct flow_rules *rules, double now)
{
    valve->streak++;
    if (!rules->errors_max || valve->streak < rules->errors_max)
        return;
    valve->is_down = true;
    valve->probe_at = rules->probe_pause > 0 ? now + rules->probe_pause : INFINITY;
}

void valve_give(struct valve *valve, const struct flow_rules *rules, unsigned epoch,
                double started_at, const struct lesson *lesson, double now)
{
    bool is_of_now = epoch == valve->epoch;
    unsigned running = valve->running, width = valve->running_since;

    assert(valve->running > 0);
    valve->running--;
    if (is_of_now) {
        valve->running_since--;
        valve->is_probed = false;
    }
    if (lesson->failed)
        count_failure(valve, rules, now);
    if (lesson->answered) {
        valve->streak = 0;
        valve->is_down = valve->is_probed = false;
    }
    if (lesson->closed_for > 0 && lesson->overloaded && is_of_now)
        lower_ceiling(valve, width);
    if (lesson->closed_for > 0)
        close_gate(valve, now + lesson->closed_for);
    else if (is_of_now && lesson->answered && !lesson->overloaded)
        open_wider(valve);
    if (lesson->overloaded)
        adapt_bad(&valve->adapt, started_at, now);
    else if (lesson->answered)
        adapt_good(&valve->adapt, valve->max, started_at, lesson->latency, now, running);
}
