#include <criterion/criterion.h>
#include <math.h>

#include "flow/valve.h"
#include "input/host_limits.h"

#define HOST "http://h.example:80"

static const struct lesson fine = {.answered = true};
static const struct lesson lost = {.lost = true};
static const struct lesson nothing;

static struct flow_rules plain_rules(void)
{
    return (struct flow_rules){.jobs = 100, .rate.burst = 1, .host_rate.burst = 1};
}

static bool may_start(const struct valve *valve, const struct flow_rules *rules, double now)
{
    return !valve_is_full(valve, rules) && !valve_is_down(valve, now) && valve_due(valve) <= now;
}

static unsigned fill(struct valve *valve, const struct flow_rules *rules, double now)
{
    unsigned started = 0;

    for (; may_start(valve, rules, now); started++)
        valve_take(valve, now);
    return started;
}

static void close_for(struct valve *valve, const struct flow_rules *rules, unsigned epoch,
                      double seconds, double now)
{
    struct lesson lesson = {.answered = true, .overloaded = true, .closed_for = seconds};

    valve_give(valve, rules, epoch, now, &lesson, now);
}

Test(valve, lets_as_many_run_as_may)
{
    struct flow_rules rules = plain_rules();
    struct valve valve;

    valve_init(&valve, &rules, HOST);
    cr_expect_eq(fill(&valve, &rules, 10), 100);
    rules.per_host = 7;
    valve_init(&valve, &rules, HOST);
    cr_expect(valve_is_fresh(&valve, &rules, 10));
    cr_expect_eq(fill(&valve, &rules, 10), 7);
    valve_give(&valve, &rules, 0, 10, &fine, 11);
    cr_expect_eq(fill(&valve, &rules, 11), 1);
}

Test(valve, has_what_is_said_of_its_host_alone)
{
    struct host_limits own = {0};
    struct flow_rules rules = plain_rules();
    struct valve valve;

    rules.per_host = 7;
    rules.own = &own;
    cr_assert_eq(host_limits_set_jobs(&own, "h.example", 9, 2), 0);
    cr_assert_eq(host_limits_set_interval(&own, "h.example", 9, 0.5), 0);
    valve_init(&valve, &rules, HOST);
    cr_expect_eq(fill(&valve, &rules, 10), 1);
    cr_expect_eq(fill(&valve, &rules, 10.5), 1);
    cr_expect_eq(fill(&valve, &rules, 11), 0, "two run");
    valve_init(&valve, &rules, "http://other.example:80");
    cr_expect_eq(fill(&valve, &rules, 10), 7);
    host_limits_release(&own);
}

Test(valve, spaces_starts)
{
    struct flow_rules rules = plain_rules();
    struct valve valve;

    rules.host_rate.interval = 2;
    valve_init(&valve, &rules, HOST);
    for (int i = 0; i < 50; i++) {
        double now = 10 + 2.0 * i;
        cr_assert_eq(fill(&valve, &rules, now), 1, "start %d", i);
        cr_assert_eq(valve_due(&valve), now + 2);
        valve_give(&valve, &rules, 0, now, &fine, now);
        cr_assert_not(valve_is_fresh(&valve, &rules, now + 1), "a start is not forgotten");
    }
    cr_expect(valve_is_fresh(&valve, &rules, 200));
}

/* All that may start does, and ends well. How many. */
static unsigned do_wave(struct valve *valve, const struct flow_rules *rules, double now)
{
    unsigned wave = fill(valve, rules, now);

    for (unsigned i = 0; i < wave; i++)
        valve_give(valve, rules, valve->epoch, now, &fine, now + 0.5);
    return wave;
}

/* A hundred that are all told to wait, in the same moment, do not come back all at once. */
Test(valve, opens_the_gate_for_one_and_then_for_more)
{
    struct flow_rules rules = plain_rules();
    struct valve valve;

    valve_init(&valve, &rules, HOST);
    cr_assert_eq(fill(&valve, &rules, 10), 100);
    for (int i = 0; i < 100; i++)
        close_for(&valve, &rules, 0, 5, 11);
    cr_expect_eq(valve_due(&valve), 16);
    cr_expect_eq(fill(&valve, &rules, 15.9), 0);
    cr_expect_not(valve_is_fresh(&valve, &rules, 17), "it is to open slowly");
    for (unsigned wave = 1; wave < 64; wave *= 2)
        cr_assert_eq(do_wave(&valve, &rules, 16 + wave), wave);
    for (unsigned wave = 50; wave <= 100; wave++)
        cr_assert_eq(do_wave(&valve, &rules, 50 + wave), wave, "slowly from half of what it was");
    cr_expect_eq(fill(&valve, &rules, 200), 100);
}

Test(valve, takes_no_request_that_was_alone_for_too_many)
{
    struct flow_rules rules = plain_rules();
    struct valve valve;

    valve_init(&valve, &rules, HOST);
    fill(&valve, &rules, 10);
    for (int i = 0; i < 100; i++)
        close_for(&valve, &rules, 0, 5, 11);
    unsigned epoch = valve_take(&valve, 16);
    close_for(&valve, &rules, epoch, 5, 17);
    for (unsigned wave = 1; wave < 64; wave *= 2)
        cr_assert_eq(do_wave(&valve, &rules, 22 + wave), wave);
    cr_expect_eq(do_wave(&valve, &rules, 100), 50);
}

Test(valve, closes_again_where_the_first_is_told_to_wait)
{
    struct flow_rules rules = plain_rules();
    struct valve valve;

    valve_init(&valve, &rules, HOST);
    unsigned epoch = valve_take(&valve, 10);
    close_for(&valve, &rules, epoch, 5, 11);
    epoch = valve_take(&valve, 16);
    cr_expect(valve_is_full(&valve, &rules));
    close_for(&valve, &rules, epoch, 5, 17);
    cr_expect_eq(valve_due(&valve), 22);
    cr_expect_eq(fill(&valve, &rules, 22), 1);
}

/* Those from before the gate closed may run for long; the one that tries it does not wait for them,
 * and what they come to does not open it wider. */
Test(valve, does_not_count_those_from_before)
{
    struct flow_rules rules = plain_rules();
    struct valve valve;

    valve_init(&valve, &rules, HOST);
    cr_assert_eq(fill(&valve, &rules, 10), 100);
    close_for(&valve, &rules, 0, 5, 11);
    valve_give(&valve, &rules, 0, 10, &fine, 12);
    cr_expect_eq(fill(&valve, &rules, 16), 1);
    for (int i = 0; i < 50; i++)
        valve_give(&valve, &rules, 0, 10, &fine, 17);
    cr_expect_eq(fill(&valve, &rules, 17), 0);
    valve_give(&valve, &rules, valve.epoch, 16, &fine, 18);
    cr_expect_eq(fill(&valve, &rules, 18), 2);
}

Test(valve, keeps_the_later_of_two_gates)
{
    struct flow_rules rules = plain_rules();
    struct valve valve;

    valve_init(&valve, &rules, HOST);
    valve_take(&valve, 10);
    valve_take(&valve, 10);
    close_for(&valve, &rules, 0, 50, 11);
    close_for(&valve, &rules, 0, 5, 12);
    cr_expect_eq(valve_due(&valve), 61);
}

/* ---- hosts that cannot be reached ---- */

static struct flow_rules outage_rules(unsigned errors_max)
{
    struct flow_rules rules = plain_rules();

    rules.errors_max = errors_max;
    rules.probe_wait = 0.5;
    rules.pause_max = 30;
    rules.down_wait = 30;
    return rules;
}

static void lose(struct valve *valve, const struct flow_rules *rules, unsigned times, double now)
{
    for (unsigned i = 0; i < times; i++)
        valve_give(valve, rules, valve_take(valve, now), now, &lost, now);
}

/* One that has answered, and is paused now. */
static void begin_pause(struct valve *valve, const struct flow_rules *rules, double now)
{
    valve_init(valve, rules, HOST);
    valve_give(valve, rules, valve_take(valve, now), now, &fine, now);
    lose(valve, rules, rules->errors_max, now);
    cr_assert_eq(valve->state, VALVE_PAUSED);
}

Test(valve, pauses_a_host_after_losses_in_a_row)
{
    static const struct lesson silent = {.reached = true},
                               broke_off = {.heard = true, .reached = true};
    const struct lesson *const ends[] = {&lost,      &lost, &fine, &lost,    &lost,
                                         &broke_off, &lost, &lost, &nothing, &silent};
    struct flow_rules rules = outage_rules(3);
    struct valve valve;

    valve_init(&valve, &rules, HOST);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        valve_give(&valve, &rules, valve_take(&valve, 10), 10, ends[i], 11);
    cr_expect_eq(valve.state, VALVE_OPEN, "answers between");
    cr_expect_not(valve_is_fresh(&valve, &rules, 11));
    lose(&valve, &rules, 1, 12);
    cr_expect_eq(valve.state, VALVE_PAUSED, "a silence is no answer");
    cr_expect_not(valve_is_down(&valve, 12));
    cr_expect_gt(valve_due(&valve), 12);
    cr_expect_leq(valve_due(&valve), 12.5);
}

Test(valve, never_pauses_without_a_number)
{
    struct flow_rules rules = outage_rules(0);
    struct valve valve;

    valve_init(&valve, &rules, HOST);
    lose(&valve, &rules, 1000, 10);
    cr_expect_eq(valve.state, VALVE_OPEN);
}

/* The waits double, are rolled from half to whole, and end with the pause. */
Test(valve, probes_a_paused_host_after_waits_that_double)
{
    struct flow_rules rules = outage_rules(3);
    struct valve valve;
    double now = 1000, wait = 0.5;
    unsigned probes = 0;

    begin_pause(&valve, &rules, now);
    for (; valve_due(&valve) < INFINITY; probes++) {
        double due = valve_due(&valve);
        cr_assert_lt(due, 1030);
        cr_expect(due >= now + wait / 2 || due == 1029, "probe %u at %g", probes, due);
        cr_expect_leq(due, now + wait);
        cr_expect_eq(fill(&valve, &rules, due), 1, "one at a time");
        now = due;
        wait *= 2;
        valve_give(&valve, &rules, valve.epoch, now, &lost, now);
    }
    cr_expect_geq(probes, 6);
    cr_expect_eq(now, 1029, "the last is not long before the end");
    cr_expect_eq(valve_turn_due(&valve), 1030);
    valve_turn(&valve, &rules, 1029.9);
    cr_expect_eq(valve.state, VALVE_PAUSED);
    valve_turn(&valve, &rules, 1030);
    cr_expect(valve_is_down(&valve, 1030));
    cr_expect(valve_is_down(&valve, 1059.9));
    cr_expect_not(valve_is_down(&valve, 1060), "a probe is due");
}

Test(valve, waits_at_most_so_long_from_probe_to_probe)
{
    struct flow_rules rules = outage_rules(1);
    struct valve valve;
    double now = 1000;

    rules.pause_max = 3600;
    begin_pause(&valve, &rules, now);
    while (valve_due(&valve) < INFINITY) {
        cr_assert_leq(valve_due(&valve), now + PROBE_WAIT_MAX);
        now = valve_due(&valve);
        lose(&valve, &rules, 1, now);
    }
    cr_expect_eq(now, 4599);
}

Test(valve, waits_less_for_a_host_that_never_answered)
{
    struct flow_rules rules = outage_rules(3);
    struct valve valve;

    valve_init(&valve, &rules, HOST);
    lose(&valve, &rules, 3, 10);
    lose(&valve, &rules, 1, valve_due(&valve));
    cr_expect_eq(valve_turn_due(&valve), 10 + STRANGER_PAUSE_MAX);
    rules.pause_max = 1;
    valve_init(&valve, &rules, HOST);
    lose(&valve, &rules, 3, 10);
    lose(&valve, &rules, 1, valve_due(&valve));
    cr_expect_eq(valve_turn_due(&valve), 11);
}

Test(valve, without_a_pause_takes_a_host_down_at_once)
{
    struct flow_rules rules = outage_rules(2);
    struct valve valve;

    rules.pause_max = 0;
    valve_init(&valve, &rules, HOST);
    lose(&valve, &rules, 2, 10);
    cr_expect(valve_is_down(&valve, 10));
    cr_expect(valve_is_down(&valve, 39.9));
    cr_expect_not(valve_is_down(&valve, 40));
    rules.down_wait = 0;
    valve_init(&valve, &rules, HOST);
    lose(&valve, &rules, 2, 10);
    cr_expect(valve_is_down(&valve, 1e12), "no probe");
}

/* Permits and rates may have held back the first one. */
Test(valve, takes_no_host_down_that_was_not_probed)
{
    struct flow_rules rules = outage_rules(3);
    struct valve valve;

    begin_pause(&valve, &rules, 1000);
    valve_turn(&valve, &rules, 1500);
    cr_expect_eq(valve.state, VALVE_PAUSED);
    cr_expect_eq(fill(&valve, &rules, 1500), 1);
    valve_turn(&valve, &rules, 1500);
    cr_expect_eq(valve.state, VALVE_PAUSED, "it has time to come back");
    valve_give(&valve, &rules, valve.epoch, 1500, &lost, 1500.5);
    valve_turn(&valve, &rules, 1501);
    cr_expect(valve_is_down(&valve, 1501));
}

Test(valve, opens_for_one_and_then_for_more_once_a_probe_came_through)
{
    static const struct lesson silent = {.reached = true};
    const struct lesson *const ends[] = {&fine, &silent};
    struct flow_rules rules = outage_rules(3);
    struct valve valve;

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        begin_pause(&valve, &rules, 1000);
        unsigned probe = valve_take(&valve, 1001);
        valve_give(&valve, &rules, probe, 1001, ends[i], 1002);
        cr_expect_eq(valve.state, VALVE_OPEN);
        cr_expect_eq(fill(&valve, &rules, 1002), ends[i] == &fine ? 2 : 1, "it is not overrun");
    }
}

Test(valve, takes_no_host_down_while_a_probe_stands)
{
    struct flow_rules rules = outage_rules(3);
    struct valve valve;

    begin_pause(&valve, &rules, 1000);
    unsigned probe = valve_take(&valve, 1029);
    valve_note_standing(&valve, probe + 1);
    cr_expect_eq(valve_turn_due(&valve), 1030, "that was another request");
    valve_note_standing(&valve, probe);
    cr_expect_eq(valve_turn_due(&valve), INFINITY);
    valve_turn(&valve, &rules, 1035);
    cr_expect_not(valve_is_down(&valve, 1035));
    cr_expect_eq(fill(&valve, &rules, 1035), 0, "one at a time");
    valve_give(&valve, &rules, probe, 1029, &lost, 1036);
    cr_expect(valve_is_down(&valve, 1065.9));
    begin_pause(&valve, &rules, 2000);
    valve_note_standing(&valve, valve_take(&valve, 2001));
    valve_give(&valve, &rules, valve.epoch, 2001, &lost, 2002);
    valve_take(&valve, 2029);
    cr_expect_eq(valve_turn_due(&valve), 2030, "this one has no connection yet");
}

/* A cancelled probe says nothing of the host: the next one asks. */
Test(valve, probes_again_where_a_standing_probe_is_cancelled)
{
    struct flow_rules rules = outage_rules(3);
    struct valve valve;

    begin_pause(&valve, &rules, 1000);
    unsigned probe = valve_take(&valve, 1029);
    valve_note_standing(&valve, probe);
    valve_give(&valve, &rules, probe, 1029, &nothing, 1035);
    cr_expect_eq(valve_turn_due(&valve), INFINITY);
    cr_expect_eq(fill(&valve, &rules, 1035), 1);
    valve_give(&valve, &rules, valve.epoch, 1035, &lost, 1036);
    valve_turn(&valve, &rules, 1037);
    cr_expect(valve_is_down(&valve, 1037));
}

/* Its name may come back, but the resolver is not asked for it by each that waits. */
Test(valve, waits_after_a_probe_whose_name_was_not_found)
{
    static const struct lesson unfound = {.unfound = true};
    struct flow_rules rules = outage_rules(3);
    struct valve valve;

    begin_pause(&valve, &rules, 1000);
    double due = valve_due(&valve);
    valve_give(&valve, &rules, valve_take(&valve, due), due, &unfound, due);
    cr_expect_geq(valve_due(&valve), due + 0.5);
    cr_expect_leq(valve_due(&valve), due + 1);
    valve_turn(&valve, &rules, 1030);
    cr_expect(valve_is_down(&valve, 1059.9));
    valve_give(&valve, &rules, valve_take(&valve, 1060), 1060, &unfound, 1061);
    cr_expect(valve_is_down(&valve, 1090.9));
    cr_expect_not(valve_is_down(&valve, 1091));
}

Test(valve, takes_no_host_down_whose_probe_is_heard)
{
    struct flow_rules rules = outage_rules(3);
    struct valve valve;

    begin_pause(&valve, &rules, 1000);
    unsigned probe = valve_take(&valve, 1001);
    valve_note_heard(&valve, probe + 1);
    cr_expect_eq(valve.state, VALVE_PAUSED, "that was another request");
    valve_note_heard(&valve, probe);
    cr_expect_eq(valve.state, VALVE_OPEN);
    valve_turn(&valve, &rules, 1e6);
    cr_expect_not(valve_is_down(&valve, 1e6));
    cr_expect_eq(fill(&valve, &rules, 1e6), 0, "the others follow once it ends");
    valve_give(&valve, &rules, probe, 1001, &fine, 1e6);
    cr_expect_eq(fill(&valve, &rules, 1e6), 2);
}

/* A server that is shut down answers what it has, and takes no more. */
Test(valve, is_not_opened_by_answers_to_what_was_asked_before_the_pause)
{
    struct flow_rules rules = outage_rules(3);
    struct valve valve;

    valve_init(&valve, &rules, HOST);
    unsigned slow = valve_take(&valve, 10);
    lose(&valve, &rules, 3, 10);
    valve_give(&valve, &rules, slow, 10, &fine, 10.1);
    cr_expect_eq(valve.state, VALVE_PAUSED);
    cr_expect_gt(valve_due(&valve), 10.1);
}

Test(valve, takes_a_host_back_after_one_good_probe)
{
    struct flow_rules rules = outage_rules(1);
    struct valve valve;

    rules.pause_max = 0;
    valve_init(&valve, &rules, HOST);
    lose(&valve, &rules, 1, 10);
    cr_expect_eq(fill(&valve, &rules, 40), 1);
    cr_expect(valve_is_down(&valve, 40), "one probe is enough");
    valve_give(&valve, &rules, valve.epoch, 40, &lost, 41);
    cr_expect(valve_is_down(&valve, 70.9));
    cr_expect_eq(fill(&valve, &rules, 71), 1);
    valve_give(&valve, &rules, valve.epoch, 71, &nothing, 72);
    cr_expect_eq(fill(&valve, &rules, 72), 1, "what told nothing was no probe");
    valve_give(&valve, &rules, valve.epoch, 72, &fine, 73);
    cr_expect_not(valve_is_down(&valve, 73));
    cr_expect_eq(fill(&valve, &rules, 73), 2, "the host is not overrun");
}

/* Others that were on their way when the probe came back are of no account. */
Test(valve, is_not_kept_down_by_latecomers)
{
    struct flow_rules rules = outage_rules(1);
    struct valve valve;

    rules.pause_max = 0;
    valve_init(&valve, &rules, HOST);
    unsigned slow = valve_take(&valve, 10);
    lose(&valve, &rules, 1, 10);
    unsigned probe = valve_take(&valve, 40);
    valve_give(&valve, &rules, slow, 10, &nothing, 41);
    cr_expect(valve_is_down(&valve, 41), "the probe is still on its way");
    valve_give(&valve, &rules, probe, 40, &lost, 42);
    cr_expect_not(valve_is_down(&valve, 72));
}

/* A slow answer from before takes the host back and closes its gate, and then the probe is lost. */
Test(valve, probes_again_though_a_gate_closed_under_the_probe)
{
    struct flow_rules rules = outage_rules(1);
    struct valve valve;

    rules.pause_max = 0;
    valve_init(&valve, &rules, HOST);
    unsigned slow = valve_take(&valve, 10);
    lose(&valve, &rules, 1, 10);
    unsigned probe = valve_take(&valve, 40);
    close_for(&valve, &rules, slow, 5, 41);
    valve_give(&valve, &rules, probe, 40, &lost, 42);
    cr_expect(valve_is_down(&valve, 71.9));
    cr_expect_not(valve_is_down(&valve, 72));
    cr_expect_eq(fill(&valve, &rules, 72), 1);
}

Test(valve, follows_what_the_host_can_take)
{
    struct flow_rules rules = plain_rules();
    struct valve valve;

    rules.adaptive = true;
    valve_init(&valve, &rules, HOST);
    cr_expect(valve_is_fresh(&valve, &rules, 10));
    cr_expect_eq(fill(&valve, &rules, 10), 2);
    valve_give(&valve, &rules, 0, 10, &fine, 11);
    valve_give(&valve, &rules, 0, 10, &fine, 11);
    cr_expect_gt(fill(&valve, &rules, 11), 2);
    cr_expect_not(valve_is_fresh(&valve, &rules, 11));
}

/* All that may run does, and ends a second later; one in so many tells how long it took. */
static unsigned do_round(struct valve *valve, const struct flow_rules *rules, unsigned each,
                         double *now)
{
    const struct lesson slow = {.answered = true, .latency = 1};
    unsigned count = fill(valve, rules, *now);

    for (unsigned i = 0; i < count; i++)
        valve_give(valve, rules, 0, *now, i % each ? &fine : &slow, *now + 1);
    *now += 1.001;
    return count;
}

/* An answer that we broke off (--max-filesize) has no latency to tell of, which is not one of 0. */
Test(valve, does_not_take_a_missing_latency_for_a_short_one)
{
    struct flow_rules rules = plain_rules();
    struct valve valve;
    double now = 10;

    rules.adaptive = true;
    rules.per_host = 8;
    valve_init(&valve, &rules, HOST);
    for (int i = 0; i < 10; i++)
        do_round(&valve, &rules, 4, &now);
    for (int i = 0; i < 10; i++)
        cr_expect_eq(do_round(&valve, &rules, 1, &now), 8);
}
