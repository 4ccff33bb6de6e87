#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/sched.h"
#include "tasks.h"

/* The scheduler with limits, over hours of a clock that is a variable. Connections stand at once
 * where nothing else is said. */

enum { TASKS_MAX = 4000 };

static const struct lesson fine = {.answered = true};
static const struct lesson lost = {.lost = true};

struct run {
    struct sched *sched;
    struct task *tasks[TASKS_MAX];
    size_t len;
    double now;
};

static struct flow_rules plain_rules(void)
{
    return (struct flow_rules){.jobs = 1000, .rate.burst = 1, .host_rate.burst = 1};
}

static void begin(struct run *run, const struct flow_rules *rules)
{
    run->sched = sched_new(rules);
    run->len = 0;
    run->now = 1000;
}

static void finish(struct run *run)
{
    for (size_t i = 0; i < run->len; i++) {
        sched_forget(run->sched, run->tasks[i], run->now);
        tasks_free(run->tasks[i]);
    }
    sched_free(run->sched);
}

static struct task *add_as(struct run *run, const char *name, bool again)
{
    struct task *task = task_new();

    cr_assert_lt(run->len, TASKS_MAX);
    run->tasks[run->len++] = task;
    sched_add(run->sched, task, name, true, again, run->now);
    return task;
}

static struct task *add(struct run *run, const char *name)
{
    return add_as(run, name, false);
}

static struct task *next(struct run *run)
{
    struct task *task = sched_next(run->sched, run->now);

    if (task)
        sched_note_connected(run->sched, task, run->now);
    else
        cr_assert_gt(sched_due(run->sched), run->now, "to ask again at once is to spin");
    return task;
}

static void end(struct run *run, struct task *task, const struct lesson *lesson)
{
    sched_end(run->sched, task, lesson, run->now);
}

/* How many start now. */
static unsigned start_all(struct run *run)
{
    unsigned started = 0;

    while (next(run))
        started++;
    return started;
}

/* ---- rates ---- */

Test(sched_flow, spaces_all_starts_while_hosts_take_turns)
{
    static const char *const names[] = {"http://a:80", "http://b:80", "http://c:80"};
    enum { EACH = 600 };
    struct flow_rules rules = plain_rules();
    struct task *queues[3][EACH];
    static struct run run;

    rules.rate.interval = 2;
    begin(&run, &rules);
    for (size_t host = 0; host < 3; host++) {
        for (size_t i = 0; i < EACH; i++)
            queues[host][i] = add(&run, names[host]);
    }
    for (size_t i = 0; i < (size_t)3 * EACH; i++) {
        struct task *task = next(&run);
        cr_assert_eq(task, queues[i % 3][i / 3], "start %zu", i);
        cr_assert_null(next(&run));
        cr_assert_eq(run.now, 1000 + 2.0 * (double)i);
        end(&run, task, &fine);
        if (i + 1 < (size_t)3 * EACH)
            run.now = sched_due(run.sched);
    }
    cr_expect_null(next(&run));
    cr_expect_eq(sched_due(run.sched), INFINITY, "nothing is queued");
    finish(&run);
}

Test(sched_flow, spaces_the_starts_to_each_host)
{
    enum { EACH = 720 };
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.host_rate.interval = 10;
    begin(&run, &rules);
    for (int i = 0; i < EACH; i++) {
        add(&run, "http://a:80");
        add(&run, "http://b:80");
    }
    for (int i = 0; i < EACH; i++) {
        cr_assert_eq(start_all(&run), 2);
        cr_assert_eq(run.now, 1000 + 10.0 * i);
        run.now = sched_due(run.sched);
    }
    cr_expect_eq(run.now, INFINITY);
    finish(&run);
}

Test(sched_flow, keeps_both_rates_and_the_burst)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.rate = (struct rate){.interval = 1, .burst = 2};
    rules.host_rate = (struct rate){.interval = 8, .burst = 3};
    begin(&run, &rules);
    for (int i = 0; i < 50; i++)
        add(&run, "http://a:80");
    cr_expect_eq(start_all(&run), 2, "the burst of all");
    cr_expect_eq(sched_due(run.sched), 1001);
    run.now = 1001;
    cr_expect_eq(start_all(&run), 1, "the burst of the host");
    for (int i = 1; i < 48; i++) {
        run.now = sched_due(run.sched);
        cr_assert_eq(run.now, 1000 + 8.0 * i);
        cr_assert_eq(start_all(&run), 1);
    }
    finish(&run);
}

/* A hop to a host counts there, wherever it comes from. */
Test(sched_flow, counts_what_is_put_ahead_under_the_rate_too)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.host_rate.interval = 10;
    begin(&run, &rules);
    add(&run, "http://a:80");
    struct task *hop = add_as(&run, "http://a:80", true);
    cr_expect_eq(next(&run), hop);
    cr_expect_null(next(&run));
    cr_expect_eq(sched_due(run.sched), 1010);
    cr_expect_eq(sched_task_due(run.sched, run.tasks[0]), 1010);
    cr_expect_not(sched_take(run.sched, run.tasks[0], 1009.999));
    cr_expect(sched_take(run.sched, run.tasks[0], 1010));
    finish(&run);
}

/* ---- limits ---- */

Test(sched_flow, lets_so_many_run_on_each_host)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.per_host = 3;
    begin(&run, &rules);
    for (int i = 0; i < 30; i++) {
        add(&run, "http://a:80");
        add(&run, "http://b:80");
    }
    for (int wave = 0; wave < 10; wave++) {
        cr_assert_eq(start_all(&run), 6);
        cr_assert_eq(sched_due(run.sched), INFINITY, "an end, not the time, lets more start");
        run.now += 5;
        for (int i = 0; i < 6; i++)
            end(&run, run.tasks[6 * wave + i], &fine);
    }
    cr_expect_eq(start_all(&run), 0);
    finish(&run);
}

Test(sched_flow, goes_past_a_host_that_is_full)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.per_host = 1;
    begin(&run, &rules);
    struct task *a = add(&run, "http://a:80"), *a2 = add(&run, "http://a:80");
    struct task *b = add(&run, "http://b:80"), *c = add(&run, "http://c:80");
    cr_expect_eq(next(&run), a);
    cr_expect_eq(next(&run), b);
    cr_expect_eq(next(&run), c);
    cr_expect_null(next(&run));
    cr_expect_not(sched_take(run.sched, a2, run.now));
    end(&run, a, &fine);
    cr_expect_eq(next(&run), a2);
    finish(&run);
}

/* ---- the gate ---- */

Test(sched_flow, opens_a_gate_for_one_and_then_for_more)
{
    struct lesson closing = {.answered = true, .overloaded = true, .closed_for = 60};
    struct flow_rules rules = plain_rules();
    static struct run run;

    begin(&run, &rules);
    for (int i = 0; i < 100; i++)
        add(&run, "http://a:80");
    struct task *first = next(&run);
    run.now = 1001;
    end(&run, first, &closing);
    struct task *other = add(&run, "http://b:80");
    cr_expect_eq(next(&run), other, "others go on");
    cr_expect_null(next(&run));
    run.now = sched_due(run.sched);
    cr_expect_eq(run.now, 1061);
    struct task *wave[64];
    for (unsigned size = 1; size < 64; size *= 2) {
        for (unsigned i = 0; i < size; i++)
            cr_assert_not_null(wave[i] = next(&run), "%u of %u", i, size);
        cr_assert_null(next(&run));
        cr_assert_eq(sched_due(run.sched), INFINITY);
        run.now++;
        for (unsigned i = 0; i < size; i++)
            end(&run, wave[i], &fine);
    }
    cr_expect_eq(start_all(&run), 36, "the rest");
    finish(&run);
}

Test(sched_flow, closes_a_gate_on_a_host_whose_turn_it_is)
{
    struct lesson closing = {.answered = true, .closed_for = 60};
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.rate.interval = 1;
    begin(&run, &rules);
    add(&run, "http://a:80");
    add(&run, "http://a:80");
    struct task *first = next(&run);
    run.now = 1000.5;
    end(&run, first, &closing);
    cr_expect_eq(sched_due(run.sched), 1060.5);
    run.now = 1001;
    cr_expect_null(next(&run));
    finish(&run);
}

/* ---- again ---- */

Test(sched_flow, starts_what_comes_again_first_and_in_its_order)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    begin(&run, &rules);
    for (int i = 0; i < 6; i++)
        add(&run, "http://a:80");
    for (int i = 0; i < 3; i++)
        cr_assert_eq(next(&run), run.tasks[i]);
    static const size_t order[] = {2, 0, 1};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        end(&run, run.tasks[order[i]], &fine);
        sched_add_again(run.sched, run.tasks[order[i]], run.now);
    }
    struct task *hop = add_as(&run, "http://a:80", true), *last = add(&run, "http://a:80");
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        cr_expect_eq(next(&run), run.tasks[order[i]]);
    cr_expect_eq(next(&run), hop);
    for (size_t i = 3; i < 6; i++)
        cr_expect_eq(next(&run), run.tasks[i]);
    cr_expect_eq(next(&run), last);
    cr_expect_null(next(&run));
    finish(&run);
}

Test(sched_flow, keeps_that_order_though_one_of_them_is_taken_out)
{
    for (size_t out = 0; out < 3; out++) {
        struct flow_rules rules = plain_rules();
        static struct run run;
        begin(&run, &rules);
        struct task *plain = add(&run, "http://a:80"), *again[4];
        for (size_t i = 0; i < 3; i++)
            again[i] = add_as(&run, "http://a:80", true);
        sched_remove(run.sched, again[out], run.now);
        again[3] = add_as(&run, "http://a:80", true);
        for (size_t i = 0; i < 4; i++) {
            if (i != out)
                cr_expect_eq(next(&run), again[i], "%zu without %zu", i, out);
        }
        cr_expect_eq(next(&run), plain);
        finish(&run);
    }
}

/* ---- hosts that cannot be reached ---- */

static void give_up(struct run *run, const char *name, unsigned failures)
{
    for (unsigned i = 0; i < failures; i++)
        add(run, name);
    for (unsigned i = 0; i < failures; i++)
        end(run, next(run), &lost);
}

static void expect_why(struct run *run, enum sched_hold hold, double until, const char *host)
{
    struct sched_why why = sched_why(run->sched, run->now);

    cr_expect_eq(why.hold, hold, "%d", (int)why.hold);
    if (!host)
        return;
    cr_expect_eq(why.until, until);
    cr_expect_str_eq(why.host, host);
}

static struct flow_rules pausing_rules(void)
{
    struct flow_rules rules = plain_rules();

    rules.errors_max = 2;
    rules.probe_wait = 0.5;
    rules.pause_max = 30;
    rules.down_wait = 30;
    return rules;
}

Test(sched_flow, has_the_others_wait_while_one_at_a_time_probes_a_paused_host)
{
    struct flow_rules rules = pausing_rules();
    static struct run run;
    struct task *tasks[3], *probe;

    begin(&run, &rules);
    end(&run, (add(&run, "http://a:80"), next(&run)), &fine);
    give_up(&run, "http://a:80", 2);
    for (int i = 0; i < 3; i++)
        tasks[i] = add(&run, "http://a:80");
    cr_expect(sched_is_paused(tasks[0]) && !sched_is_down(tasks[0], run.now));
    expect_why(&run, SCHED_PAUSED, sched_due(run.sched), "http://a:80");
    for (int i = 0; i < 5; i++) {
        cr_assert_null(next(&run));
        cr_assert_null(sched_next_refused(run.sched, run.now));
        cr_assert_gt(sched_due(run.sched), run.now);
        run.now = sched_due(run.sched);
        probe = next(&run);
        cr_assert_eq(probe, tasks[i % 3], "each in its turn, for it may be what the host fails at");
        cr_assert_null(next(&run), "one at a time");
        end(&run, probe, &lost);
        cr_expect(probe->met_outage);
        sched_add_again(run.sched, probe, run.now);
    }
    run.now = sched_due(run.sched);
    probe = next(&run);
    end(&run, probe, &fine);
    cr_expect_eq(start_all(&run), 2);
    finish(&run);
}

Test(sched_flow, refuses_what_waits_once_a_pause_has_lasted_long_enough)
{
    struct flow_rules rules = pausing_rules();
    static struct run run;

    begin(&run, &rules);
    give_up(&run, "http://a:80", 2);
    double paused_at = run.now;
    struct task *first = add(&run, "http://a:80"), *second = add(&run, "http://a:80");
    run.now = sched_due(run.sched);
    cr_assert_eq(sched_next(run.sched, run.now), first, "no connection stands");
    cr_expect_null(sched_next_refused(run.sched, run.now));
    cr_expect_eq(sched_refused_due(run.sched), paused_at + STRANGER_PAUSE_MAX);
    run.now = sched_refused_due(run.sched);
    cr_expect_eq(sched_next_refused(run.sched, run.now), second, "whatever the probe comes to");
    end(&run, first, &lost);
    sched_add_again(run.sched, first, run.now);
    cr_expect_eq(sched_next_refused(run.sched, run.now), first);
    finish(&run);
}

Test(sched_flow, refuses_nothing_while_the_connection_of_a_probe_stands)
{
    struct flow_rules rules = pausing_rules();
    static struct run run;

    begin(&run, &rules);
    give_up(&run, "http://a:80", 2);
    struct task *first = add(&run, "http://a:80"), *second = add(&run, "http://a:80");
    run.now = sched_due(run.sched);
    cr_assert_eq(next(&run), first);
    cr_expect_eq(sched_refused_due(run.sched), INFINITY);
    run.now += 10;
    cr_expect_null(sched_next_refused(run.sched, run.now));
    end(&run, first, &lost);
    cr_expect_eq(sched_next_refused(run.sched, run.now), second);
    finish(&run);
}

Test(sched_flow, excuses_the_losses_that_led_to_a_pause)
{
    struct flow_rules rules = pausing_rules();
    static struct run run;

    begin(&run, &rules);
    struct task *first = add(&run, "http://a:80"), *second = add(&run, "http://a:80");
    cr_assert_eq(start_all(&run), 2);
    end(&run, first, &lost);
    cr_expect_not(sched_excuses(first), "nobody knows of an outage yet");
    end(&run, second, &lost);
    cr_expect(sched_excuses(first) && sched_excuses(second));
    cr_expect_not(first->met_outage || second->met_outage);
    finish(&run);
}

Test(sched_flow, refuses_all_that_is_queued_for_a_host_given_up)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.errors_max = 3;
    rules.down_wait = 30; /* and no pause before it */
    begin(&run, &rules);
    give_up(&run, "http://a:80", 2);
    cr_expect_null(sched_next_refused(run.sched, run.now));
    struct task *third = add(&run, "http://a:80"), *queued[50];
    for (int i = 0; i < 50; i++)
        queued[i] = add(&run, "http://a:80");
    struct task *other = add(&run, "http://b:80");
    cr_assert_eq(next(&run), third);
    end(&run, third, &lost);
    cr_expect(sched_is_down(third, run.now));
    for (int i = 0; i < 50; i++)
        cr_assert_eq(sched_next_refused(run.sched, run.now), queued[i]);
    cr_expect_null(sched_next_refused(run.sched, run.now));
    cr_expect_eq(next(&run), other);
    cr_expect_null(next(&run));
    run.now += 29.9;
    struct task *late = add(&run, "http://a:80");
    cr_expect_null(next(&run));
    cr_expect_eq(sched_next_refused(run.sched, run.now), late);
    finish(&run);
}

Test(sched_flow, probes_a_host_given_up_with_one_request_each_pause)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.errors_max = 1;
    rules.down_wait = 30;
    begin(&run, &rules);
    give_up(&run, "http://a:80", 1);
    for (int hour = 0; hour < 120; hour++) {
        run.now += 30;
        struct task *probe = add(&run, "http://a:80"), *second = add(&run, "http://a:80");
        cr_assert_null(sched_next_refused(run.sched, run.now));
        cr_assert_eq(next(&run), probe);
        cr_assert_null(next(&run));
        cr_assert_eq(sched_next_refused(run.sched, run.now), second);
        end(&run, probe, &lost);
    }
    run.now += 30;
    struct task *probe = add(&run, "http://a:80");
    cr_assert_eq(next(&run), probe);
    end(&run, probe, &fine);
    add(&run, "http://a:80");
    cr_expect_null(sched_next_refused(run.sched, run.now));
    cr_expect_eq(start_all(&run), 1);
    finish(&run);
}

/* ---- scouts ---- */

Test(sched_flow, sends_one_ahead_until_its_connection_stands_or_it_ends)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    begin(&run, &rules);
    for (int i = 0; i < 5; i++)
        add(&run, "http://a:80");
    struct task *scout = sched_next(run.sched, run.now);
    cr_expect_eq(scout, run.tasks[0]);
    cr_expect(scout->is_scout);
    cr_expect_null(sched_next(run.sched, run.now));
    cr_expect_eq(sched_due(run.sched), INFINITY);
    cr_expect_not(sched_take(run.sched, run.tasks[3], run.now));
    sched_note_connected(run.sched, scout, run.now);
    struct task *second = sched_next(run.sched, run.now);
    cr_expect_eq(second, run.tasks[1]);
    cr_expect_not(scout->is_scout || second->is_scout);
    cr_expect_eq(start_all(&run), 3);
    add(&run, "http://b:80");
    add(&run, "http://b:80");
    scout = sched_next(run.sched, run.now);
    cr_expect_null(sched_next(run.sched, run.now));
    end(&run, scout, &lost);
    cr_expect_eq(start_all(&run), 1, "it ended without one");
    finish(&run);
}

Test(sched_flow, sends_no_one_ahead_where_that_is_wanted)
{
    struct flow_rules rules = plain_rules();
    static struct run run;
    unsigned started = 0;

    rules.fan_out_at_once = true;
    begin(&run, &rules);
    for (int i = 0; i < 50; i++)
        add(&run, "http://a:80");
    while (sched_next(run.sched, run.now))
        started++;
    cr_expect_eq(started, 50);
    finish(&run);
}

/* Lookups that end while the rate holds everybody back leave nothing behind that could wake us later. */
Test(sched_flow, knows_when_one_that_waits_for_a_lookup_may_start)
{
    struct flow_rules rules = plain_rules();
    struct task *tasks[LOOKUPS_MAX + 1];
    static struct run run;

    rules.rate = (struct rate){.interval = 1, .burst = LOOKUPS_MAX};
    begin(&run, &rules);
    for (unsigned i = 0; i <= LOOKUPS_MAX; i++) {
        char name[48];
        snprintf(name, sizeof name, "http://h%u:80", i);
        tasks[i] = run.tasks[run.len++] = task_new();
        sched_add(run.sched, tasks[i], name, false, false, run.now);
    }
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        cr_assert_eq(sched_next(run.sched, run.now), tasks[i]);
    run.now = 1001;
    cr_assert_null(next(&run), "too many lookups");
    struct task *address = add(&run, "http://1.2.3.4:80");
    cr_assert_eq(next(&run), address);
    run.now = 1001.5;
    end(&run, tasks[0], &fine);
    cr_assert_null(next(&run));
    cr_assert_eq(sched_due(run.sched), 1002);
    run.now = 1002;
    cr_assert_eq(next(&run), tasks[LOOKUPS_MAX]);
    finish(&run);
}

/* ---- many hosts ---- */

static void add_numbered(struct sched *sched, struct task *task, unsigned number, double now)
{
    char name[48];

    snprintf(name, sizeof name, "http://h%u:80", number);
    sched_add(sched, task, name, true, false, now);
}

Test(sched_flow, lets_a_hundred_thousand_hosts_take_turns)
{
    enum { HOSTS = 100000, ROUNDS = 3 };
    struct flow_rules rules = plain_rules();
    struct task **tasks = xcalloc(HOSTS, sizeof(struct task *));

    rules.fan_out_at_once = true;
    struct sched *sched = sched_new(&rules);
    for (unsigned i = 0; i < HOSTS; i++) {
        tasks[i] = task_new();
        add_numbered(sched, tasks[i], i, 1000);
    }
    for (unsigned i = 0; i < HOSTS * ROUNDS; i++) {
        struct task *task = sched_next(sched, 1000 + i);
        cr_assert_eq(task, tasks[i % HOSTS], "start %u", i);
        sched_end(sched, task, &fine, 1000 + i);
        sched_forget(sched, task, 1000 + i);
        add_numbered(sched, task, i % HOSTS, 1000 + i);
    }
    for (unsigned i = 0; i < HOSTS; i++) {
        sched_remove(sched, tasks[i], 1e6);
        sched_forget(sched, tasks[i], 1e6);
        tasks_free(tasks[i]);
    }
    cr_expect_eq(sched_hosts(sched), HOSTS_IDLE_MAX);
    free(tasks);
    sched_free(sched);
}

/* Asks each host of so many once; the most records there were. */
static size_t visit_hosts(struct sched *sched, unsigned count)
{
    struct task *task = task_new();
    struct buf dropped;
    size_t most = 0;

    buf_init(&dropped);
    for (unsigned i = 0; i < count; i++) {
        char name[48];
        snprintf(name, sizeof name, "http://h%u:80", i);
        sched_add(sched, task, name, true, false, 1000);
        cr_assert_eq(sched_next(sched, 1000), task);
        sched_end(sched, task, &fine, 1000);
        sched_forget(sched, task, 1000);
        while (sched_next_dropped(sched, &dropped))
            buf_clear(&dropped);
        most = MAX(most, sched_hosts(sched));
    }
    buf_release(&dropped);
    tasks_free(task);
    return most;
}

Test(sched_flow, does_not_grow_with_the_hosts_that_were_asked)
{
    struct flow_rules rules = plain_rules();
    struct sched *sched = sched_new(&rules);

    cr_expect_eq(visit_hosts(sched, 1000000), HOSTS_IDLE_MAX);
    sched_free(sched);
    rules.host_rate.interval = 3600;
    sched = sched_new(&rules);
    cr_expect_eq(visit_hosts(sched, 200000), HOSTS_IDLE_MAX + HOSTS_KEPT_MAX);
    sched_free(sched);
}

/* To drop it would be to forget that it was asked a moment ago. */
Test(sched_flow, keeps_an_idle_host_whose_rate_is_used_up)
{
    struct flow_rules rules = plain_rules();
    static struct run run;
    struct buf name;

    rules.host_rate.interval = 3600;
    begin(&run, &rules);
    buf_init(&name);
    struct task *used = add(&run, "http://used:80");
    cr_assert_eq(next(&run), used);
    end(&run, used, &fine);
    sched_forget(run.sched, used, run.now);
    for (unsigned i = 0; i < HOSTS_IDLE_MAX + 10; i++) {
        char text[48];
        snprintf(text, sizeof text, "http://h%u:80", i);
        struct task *task = task_new();
        sched_add(run.sched, task, text, true, false, run.now);
        sched_remove(run.sched, task, run.now);
        sched_forget(run.sched, task, run.now);
        tasks_free(task);
    }
    cr_expect_eq(sched_hosts(run.sched), HOSTS_IDLE_MAX + 1);
    cr_assert(sched_next_dropped(run.sched, &name), "what is kept needs no name");
    cr_expect_str_eq(name.data, "http://used:80");
    cr_expect_not(sched_next_dropped(run.sched, &name));
    run.now = 2000;
    add(&run, "http://used:80");
    cr_expect_null(next(&run));
    cr_expect_eq(sched_due(run.sched), 4600);
    buf_release(&name);
    finish(&run);
}

/* Idle hosts, as many as are remembered: of those before them only what is kept remains. */
static void crowd_out(struct run *run)
{
    for (unsigned i = 0; i < HOSTS_IDLE_MAX; i++) {
        struct task *task = task_new();
        add_numbered(run->sched, task, i, run->now);
        sched_remove(run->sched, task, run->now);
        sched_forget(run->sched, task, run->now);
        tasks_free(task);
    }
}

static void forget_names(struct run *run)
{
    struct buf name;

    buf_init(&name);
    while (sched_next_dropped(run->sched, &name))
        buf_clear(&name);
    buf_release(&name);
}

Test(sched_flow, drops_a_host_it_kept_once_nothing_is_lost_by_that)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.host_rate.interval = 10;
    begin(&run, &rules);
    for (int i = 0; i < 5; i++) {
        char text[48];
        snprintf(text, sizeof text, "http://used%d:80", i);
        struct task *task = add(&run, text);
        cr_assert_eq(next(&run), task);
        end(&run, task, &fine);
        sched_forget(run.sched, task, run.now);
    }
    crowd_out(&run);
    forget_names(&run);
    cr_expect_eq(sched_hosts(run.sched), HOSTS_IDLE_MAX + 5);
    run.now += 20;
    crowd_out(&run);
    cr_expect_eq(sched_hosts(run.sched), HOSTS_IDLE_MAX);
    finish(&run);
}

Test(sched_flow, looks_up_anew_the_name_of_a_host_it_kept)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.host_rate.interval = 10;
    begin(&run, &rules);
    for (int i = 0; i < 2; i++) {
        struct task *task = run.tasks[run.len++] = task_new();
        sched_add(run.sched, task, "http://used:80", false, false, run.now);
        cr_assert_eq(sched_next(run.sched, run.now), task);
        cr_expect(task->looking_up);
        cr_expect_not(task->name_is_stale, "libcurl has it no more");
        sched_note_found(run.sched, task, run.now);
        end(&run, task, &fine);
        sched_forget(run.sched, task, run.now);
        crowd_out(&run);
        forget_names(&run);
        run.now += 10;
    }
    finish(&run);
}

/* ---- random runs ---- */

enum { TRIAL_HOSTS = 30, TRIAL_TASKS = 600 };

struct trial {
    struct run run;
    struct flow_rules rules;
    unsigned seed;
    double end_at[TRIAL_TASKS]; /* of what runs; INFINITY: of others */
    unsigned host_of[TRIAL_TASKS], running[TRIAL_HOSTS];
    double started_at[TRIAL_HOSTS], last_start;
    size_t starts, ended;
};

static unsigned roll(struct trial *trial, unsigned sides)
{
    return (unsigned)rand_r(&trial->seed) % sides;
}

static void begin_trial(struct trial *trial, unsigned seed)
{
    *trial = (struct trial){.seed = seed, .rules = plain_rules(), .last_start = -1e9};
    trial->rules.rate.interval = roll(trial, 2) ? 0.25 : 0;
    trial->rules.host_rate.interval = roll(trial, 2) ? 1 : 0;
    trial->rules.per_host = 1 + roll(trial, 5);
    trial->rules.errors_max = roll(trial, 2) ? 3 : 0;
    trial->rules.probe_wait = roll(trial, 2) ? 0.5 : 0;
    trial->rules.pause_max = roll(trial, 2) ? 10 : 0;
    trial->rules.down_wait = roll(trial, 2) ? 5 : 0;
    trial->rules.adaptive = roll(trial, 2);
    trial->rules.fan_out_at_once = roll(trial, 2);
    begin(&trial->run, &trial->rules);
    for (size_t i = 0; i < TRIAL_HOSTS; i++)
        trial->started_at[i] = -1e9;
    for (unsigned i = 0; i < TRIAL_TASKS; i++) {
        char name[48];
        trial->end_at[i] = INFINITY;
        trial->host_of[i] = roll(trial, TRIAL_HOSTS);
        snprintf(name, sizeof name, "http://h%u:80", trial->host_of[i]);
        trial->run.tasks[i] = task_new();
        sched_add(trial->run.sched, trial->run.tasks[i], name, trial->host_of[i] % 2,
                  roll(trial, 5) == 0, trial->run.now);
    }
    trial->run.len = TRIAL_TASKS;
}

static size_t index_of(const struct trial *trial, const struct task *task)
{
    size_t i = 0;

    while (trial->run.tasks[i] != task)
        i++;
    return i;
}

/* No limit is ever overstepped. */
static void start_one(struct trial *trial, struct task *task)
{
    double now = trial->run.now;
    size_t i = index_of(trial, task);
    unsigned host = trial->host_of[i];

    cr_assert_leq(++trial->running[host], trial->rules.per_host);
    cr_assert_geq(now - trial->last_start, trial->rules.rate.interval);
    cr_assert_geq(now - trial->started_at[host], trial->rules.host_rate.interval);
    trial->last_start = trial->started_at[host] = now;
    trial->end_at[i] = now + 1 + roll(trial, 16) * 0.25;
    trial->starts++;
}

/* Some are found, connected, and end well or badly; some of those come again. */
static void end_one(struct trial *trial, size_t i)
{
    static const struct lesson ends[] = {
        {.answered = true, .latency = 0.5},
        {.answered = true, .overloaded = true, .closed_for = 7},
        {.lost = true},
        {.lost = true, .overloaded = true},
        {0},
    };
    unsigned end_kind = roll(trial, 3) ? 0 : roll(trial, ARRAY_LEN(ends));
    struct run *run = &trial->run;

    trial->end_at[i] = INFINITY;
    trial->running[trial->host_of[i]]--;
    if (roll(trial, 4))
        sched_note_found(run->sched, run->tasks[i], run->now);
    if (roll(trial, 4))
        sched_note_connected(run->sched, run->tasks[i], run->now);
    end(run, run->tasks[i], &ends[end_kind]);
    if (end_kind && roll(trial, 2))
        sched_add_again(run->sched, run->tasks[i], run->now);
    else
        trial->ended++;
}

static double end_those_due(struct trial *trial)
{
    double due = INFINITY;

    for (size_t i = 0; i < TRIAL_TASKS; i++) {
        if (trial->end_at[i] <= trial->run.now)
            end_one(trial, i);
        due = fmin(due, trial->end_at[i]);
    }
    return due;
}

/* Until nothing is left; each step leads to a later time, and nobody is forgotten. */
Test(sched_flow, neither_stalls_nor_spins_nor_oversteps_a_limit)
{
    static struct trial trial;

    for (unsigned seed = 1; seed <= 300; seed++) {
        struct run *run = &trial.run;
        struct task *task;
        begin_trial(&trial, seed);
        while (trial.ended < TRIAL_TASKS) {
            double due = end_those_due(&trial);
            while (sched_next_refused(run->sched, run->now))
                trial.ended++;
            while ((task = sched_next(run->sched, run->now)) != NULL) {
                start_one(&trial, task);
                due = fmin(due, trial.end_at[index_of(&trial, task)]);
            }
            if (trial.ended == TRIAL_TASKS)
                break;
            double asked = sched_due(run->sched);
            cr_assert_gt(asked, run->now, "seed %u spins at %g", seed, run->now);
            due = fmin(due, asked);
            cr_assert(isfinite(due), "seed %u stalls at %g with %zu of %d", seed, run->now,
                      trial.ended, TRIAL_TASKS);
            run->now = due;
        }
        cr_assert_geq(trial.starts, 1);
        finish(run);
    }
}

/* ---- what does not start after all ---- */

Test(sched_flow, knows_nothing_of_what_was_put_back)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.rate.interval = 2;
    rules.host_rate.interval = 3;
    begin(&run, &rules);
    struct task *first = add(&run, "http://a:80"), *second = add(&run, "http://a:80");
    cr_assert_eq(sched_next(run.sched, run.now), first);
    cr_expect_null(sched_next(run.sched, run.now));
    sched_put_back(run.sched, first, run.now);
    cr_expect_leq(sched_due(run.sched), run.now, "no rate is used up");
    cr_assert_eq(sched_next(run.sched, run.now), second);
    cr_expect(second->is_scout, "nobody knows whether the host stands");
    cr_expect(second->is_first_wave);
    sched_put_back(run.sched, second, run.now);
    sched_add_again(run.sched, first, run.now);
    cr_assert_eq(sched_next(run.sched, run.now), first);
    end(&run, first, &fine);
    finish(&run);
}

/* ---- why nothing starts ---- */

Test(sched_why, tells_a_rate_from_a_rate_of_a_host)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.host_rate.interval = 10;
    begin(&run, &rules);
    expect_why(&run, SCHED_EMPTY, 0, NULL);
    add(&run, "http://a:80");
    add(&run, "http://a:80");
    expect_why(&run, SCHED_READY, 0, NULL);
    cr_expect_eq(start_all(&run), 1);
    expect_why(&run, SCHED_HOST_RATE, 1010, "http://a:80");
    run.now = 1010;
    cr_expect_eq(start_all(&run), 1);
    expect_why(&run, SCHED_EMPTY, 0, NULL);
    finish(&run);
    rules.rate.interval = 20;
    begin(&run, &rules);
    add(&run, "http://a:80");
    add(&run, "http://b:80");
    cr_expect_eq(start_all(&run), 1);
    expect_why(&run, SCHED_RATE, 0, NULL);
    finish(&run);
}

Test(sched_why, tells_of_a_host_that_has_enough)
{
    struct flow_rules rules = plain_rules();
    static struct run run;

    rules.per_host = 1;
    begin(&run, &rules);
    struct task *first = add(&run, "http://a:80");
    struct task *second = add(&run, "http://a:80");
    cr_expect_eq(start_all(&run), 1);
    expect_why(&run, SCHED_HOST_FULL, 0, NULL);
    sched_remove(run.sched, second, run.now);
    expect_why(&run, SCHED_EMPTY, 0, NULL);
    end(&run, first, &fine);
    finish(&run);
}

Test(sched_why, tells_of_a_gate)
{
    struct flow_rules rules = plain_rules();
    const struct lesson asked = {.answered = true, .overloaded = true, .closed_for = 60};
    static struct run run;

    begin(&run, &rules);
    struct task *first = add(&run, "http://a:80");
    cr_expect_eq(start_all(&run), 1);
    end(&run, first, &asked);
    sched_add_again(run.sched, first, run.now);
    expect_why(&run, SCHED_GATE, 1060, "http://a:80");
    finish(&run);
}

Test(sched_why, tells_of_names_that_are_looked_up)
{
    struct flow_rules rules = plain_rules();
    static struct run run;
    char name[32];

    begin(&run, &rules);
    for (int i = 0; i <= LOOKUPS_MAX; i++) {
        struct task *task = task_new();
        run.tasks[run.len++] = task;
        snprintf(name, sizeof name, "http://h%d:80", i);
        sched_add(run.sched, task, name, false, false, run.now);
    }
    while (sched_next(run.sched, run.now))
        ;
    expect_why(&run, SCHED_LOOKUP, 0, NULL);
    finish(&run);
}
