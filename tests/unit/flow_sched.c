#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/sched.h"
#include "tasks.h"

enum { TASKS_MAX = 6000 };

/* A scheduler, what it was given, and the clock. */
struct run {
    struct sched *sched;
    struct task **tasks;
    size_t len;
    double now;
};

static void start(struct run *run)
{
    static const struct flow_rules rules = {
        .jobs = TASKS_MAX, .rate.burst = 1, .host_rate.burst = 1};

    *run = (struct run){.sched = sched_new(&rules), .now = 1000};
    run->tasks = xcalloc(TASKS_MAX, sizeof(struct task *));
}

static void finish(struct run *run)
{
    for (size_t i = 0; i < run->len; i++) {
        sched_forget(run->sched, run->tasks[i], run->now);
        tasks_free(run->tasks[i]);
    }
    free(run->tasks);
    sched_free(run->sched);
}

static struct task *add(struct run *run, const char *name, bool numeric)
{
    struct task *task = task_new();

    cr_assert_lt(run->len, TASKS_MAX);
    run->tasks[run->len++] = task;
    sched_add(run->sched, task, name, numeric, false, run->now);
    return task;
}

/* A host of its own for each number. */
static struct task *add_numbered(struct run *run, unsigned number, bool numeric)
{
    char name[48];

    snprintf(name, sizeof name, "http://h%u.example:80", number);
    return add(run, name, numeric);
}

/* A connection to an address stands at once. */
static void connect_numeric(struct run *run, struct task *task)
{
    if (task && !task->looking_up)
        sched_note_connected(run->sched, task, run->now);
}

static struct task *next(struct run *run)
{
    struct task *task = sched_next(run->sched, run->now);

    connect_numeric(run, task);
    return task;
}

static bool take(struct run *run, struct task *task)
{
    bool taken = sched_take(run->sched, task, run->now);

    if (taken)
        connect_numeric(run, task);
    return taken;
}

static void end(struct run *run, struct task *task)
{
    static const struct lesson nothing;

    sched_end(run->sched, task, &nothing, run->now);
}

/* The name is found, and the connection stands. */
static void find(struct run *run, struct task *task)
{
    sched_note_found(run->sched, task, run->now);
    sched_note_connected(run->sched, task, run->now);
}

static void expect_none(struct run *run)
{
    cr_expect_null(next(run));
}

/* A lookup that comes out well, and the transfer's end. */
static void find_and_end(struct run *run, struct task *task)
{
    find(run, task);
    end(run, task);
}

/* Starts the host's first request and has its name found. */
static void make_known(struct run *run, const char *name)
{
    struct task *task = add(run, name, false);

    cr_assert_eq(next(run), task);
    find_and_end(run, task);
}

Test(sched, has_nothing_to_start_when_nothing_was_added)
{
    struct run run;

    start(&run);
    expect_none(&run);
    cr_expect_eq(sched_hosts(run.sched), 0);
    finish(&run);
    sched_free(NULL);
}

Test(sched, lets_hosts_take_turns_however_long_their_queues)
{
    enum { MANY = 300 };
    static const char *const names[] = {"http://a:80", "http://b:80", "http://c:80"};
    struct task *queues[3][MANY];
    struct run run;

    start(&run);
    for (size_t host = 0; host < 3; host++) {
        for (size_t i = 0; i < MANY; i++)
            queues[host][i] = add(&run, names[host], true);
    }
    for (size_t i = 0; i < (size_t)3 * MANY; i++) {
        struct task *task = next(&run);
        cr_assert_eq(task, queues[i % 3][i / 3], "start %zu", i);
    }
    expect_none(&run);
    for (size_t i = 0; i < run.len; i++)
        end(&run, run.tasks[i]);
    finish(&run);
}

Test(sched, gives_a_latecomer_its_turn_before_a_long_queue_is_through)
{
    struct run run;

    start(&run);
    for (int i = 0; i < 1000; i++)
        add(&run, "http://a:80", true);
    for (int i = 0; i < 10; i++)
        cr_assert_not_null(next(&run));
    struct task *late = add(&run, "http://b:80", true);
    struct task *first = next(&run), *second = next(&run);
    cr_expect(first == late || second == late);
    finish(&run);
}

Test(sched, puts_some_ahead_of_others)
{
    struct run run;

    start(&run);
    struct task *a = add(&run, "http://a:80", true);
    struct task *b = task_new();
    run.tasks[run.len++] = b;
    sched_add(run.sched, b, "http://a:80", true, true, run.now);
    cr_expect_eq(next(&run), b);
    end(&run, b);
    sched_add_again(run.sched, b, run.now);
    cr_expect_eq(next(&run), b);
    cr_expect_eq(next(&run), a);
    expect_none(&run);
    finish(&run);
}

Test(sched, starts_what_comes_again_before_what_is_new_on_other_hosts)
{
    struct run run;

    start(&run);
    struct task *first = add_numbered(&run, 0, true);
    cr_assert_eq(next(&run), first);
    for (unsigned i = 1; i <= 200; i++)
        add_numbered(&run, i, true);
    end(&run, first);
    sched_add_again(run.sched, first, run.now);
    cr_expect_eq(next(&run), first);
    for (size_t i = 1; i <= 200; i++)
        cr_expect_eq(next(&run), run.tasks[i], "the others keep their turns: %zu", i);
    finish(&run);
}

Test(sched, lets_hosts_take_turns_with_what_comes_again)
{
    struct run run;

    start(&run);
    for (unsigned i = 0; i < 6; i++)
        add_numbered(&run, i / 3, true);
    for (unsigned i = 0; i < 6; i++)
        cr_assert_not_null(next(&run));
    for (size_t i = 0; i < 6; i++) {
        end(&run, run.tasks[i]);
        sched_add_again(run.sched, run.tasks[i], run.now);
    }
    for (size_t i = 0; i < 6; i++)
        cr_expect_eq(next(&run), run.tasks[i / 2 + i % 2 * 3], "%zu", i);
    finish(&run);
}

Test(sched, looks_a_name_up_again_before_those_of_others)
{
    enum { OTHERS = 100 };
    struct run run;

    start(&run);
    struct task *first = add_numbered(&run, 1000, false);
    cr_assert_eq(next(&run), first);
    for (unsigned i = 0; i < OTHERS; i++)
        add_numbered(&run, i, false);
    while (next(&run))
        ;
    end(&run, first);
    cr_expect_eq(next(&run), run.tasks[LOOKUPS_MAX]);
    sched_add_again(run.sched, first, run.now);
    expect_none(&run);
    find_and_end(&run, run.tasks[1]);
    cr_expect_eq(next(&run), first);
    finish(&run);
}

Test(sched, knows_a_host_by_scheme_name_and_port)
{
    struct run run;

    start(&run);
    add(&run, "http://a:80", true);
    add(&run, "http://a:81", true);
    add(&run, "https://a:80", true);
    add(&run, "http://a:80", true);
    cr_expect_eq(sched_hosts(run.sched), 3);
    finish(&run);
}

Test(sched, lets_the_first_request_of_an_unknown_host_go_alone)
{
    struct run run;

    start(&run);
    struct task *first = add(&run, "http://a:80", false);
    struct task *second = add(&run, "http://a:80", false), *third = add(&run, "http://a:80", false);
    cr_expect_eq(next(&run), first);
    cr_expect(first->looking_up && !first->name_is_stale);
    expect_none(&run);
    find(&run, first);
    cr_expect(!first->looking_up && !first->name_is_stale);
    cr_expect_eq(next(&run), second);
    cr_expect_eq(next(&run), third);
    cr_expect(!second->looking_up && !second->name_is_stale);
    expect_none(&run);
    for (size_t i = 0; i < run.len; i++)
        end(&run, run.tasks[i]);
    finish(&run);
}

Test(sched, counts_the_lookups_that_are_left_of_others)
{
    struct run run;

    start(&run);
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        add_numbered(&run, i, false);
    sched_note_lookups_left(run.sched, LOOKUPS_MAX - 1);
    cr_expect_not_null(next(&run));
    expect_none(&run);
    cr_expect_gt(sched_due(run.sched), run.now);
    sched_note_lookups_left(run.sched, 0);
    cr_expect_leq(sched_due(run.sched), run.now);
    for (unsigned i = 1; i < LOOKUPS_MAX; i++)
        cr_expect_not_null(next(&run));
    finish(&run);
}

Test(sched, keeps_places_for_who_comes_last_while_names_hang)
{
    struct run run;

    start(&run);
    for (unsigned i = 0; i < 2 * LOOKUPS_MAX; i++)
        add_numbered(&run, i, false);
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        cr_assert_eq(next(&run), run.tasks[i]);
    for (unsigned i = 0; i < LOOKUPS_KEPT; i++) {
        struct task *last = add_numbered(&run, 1000 + i, false);
        expect_none(&run);
        cr_expect_eq(sched_due(run.sched), run.now + LOOKUP_PACE);
        run.now += LOOKUP_PACE;
        cr_expect_eq(next(&run), last);
    }
    run.now += LOOKUP_PACE;
    expect_none(&run);
    cr_expect_eq(sched_due(run.sched), INFINITY);
    finish(&run);
}

Test(sched, has_no_name_that_was_found_wait_for_those_that_hang)
{
    struct run run;

    start(&run);
    struct task *first = add_numbered(&run, 1000, false);
    cr_assert_eq(next(&run), first);
    find_and_end(&run, first);
    run.now += 2 * NAME_AGE_MAX;
    for (unsigned i = 0; i < LOOKUPS_MAX; i++) {
        add_numbered(&run, i, false);
        cr_assert_not_null(next(&run));
    }
    struct task *second = add_numbered(&run, 1000, false);
    cr_expect_eq(next(&run), second);
    cr_expect(second->looking_up, "there is a place for that");
    find_and_end(&run, second);
    run.now += 2 * NAME_AGE_MAX;
    sched_note_lookups_left(run.sched, LOOKUPS_KEPT);
    struct task *third = add_numbered(&run, 1000, false);
    cr_expect_eq(next(&run), third);
    cr_expect_not(third->looking_up, "the address that is known is good for a while longer");
    finish(&run);
}

Test(sched, looks_no_name_up_for_an_address)
{
    struct run run;

    start(&run);
    for (unsigned i = 0; i < 3 * LOOKUPS_MAX; i++) {
        struct task *task = add_numbered(&run, i, true);
        cr_assert_eq(next(&run), task);
        cr_expect(!task->looking_up && !task->name_is_stale);
    }
    finish(&run);
}

Test(sched, has_at_most_so_many_lookups_on_their_way)
{
    struct run run;

    start(&run);
    for (unsigned i = 0; i < 2 * LOOKUPS_MAX; i++)
        add_numbered(&run, i, false);
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        cr_assert_eq(next(&run), run.tasks[i]);
    expect_none(&run);
    struct task *address = add_numbered(&run, 1000, true);
    cr_expect_eq(next(&run), address, "who needs none does not wait");
    find(&run, run.tasks[3]);
    cr_expect_eq(next(&run), run.tasks[LOOKUPS_MAX]);
    expect_none(&run);
    end(&run, run.tasks[5]);
    cr_expect_eq(next(&run), run.tasks[LOOKUPS_MAX + 1], "a failed one makes room as well");
    expect_none(&run);
    finish(&run);
}

Test(sched, counts_one_lookup_once_though_it_is_found_and_then_ends)
{
    struct run run;

    start(&run);
    for (unsigned i = 0; i < LOOKUPS_MAX + 3; i++)
        add_numbered(&run, i, false);
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        cr_assert_not_null(next(&run));
    find(&run, run.tasks[0]);
    find(&run, run.tasks[0]);
    end(&run, run.tasks[0]);
    cr_expect_eq(next(&run), run.tasks[LOOKUPS_MAX]);
    expect_none(&run);
    finish(&run);
}

Test(sched, fans_out_within_the_bound_after_a_lookup_failed)
{
    struct run run;

    start(&run);
    for (unsigned i = 0; i < 3 * LOOKUPS_MAX; i++)
        add(&run, "http://a:80", false);
    cr_assert_eq(next(&run), run.tasks[0]);
    expect_none(&run);
    end(&run, run.tasks[0]);
    for (unsigned i = 1; i <= LOOKUPS_MAX; i++) {
        cr_assert_eq(next(&run), run.tasks[i]);
        cr_expect(run.tasks[i]->looking_up);
    }
    expect_none(&run);
    for (unsigned i = LOOKUPS_MAX + 1; i < run.len; i++) {
        end(&run, run.tasks[i - LOOKUPS_MAX]);
        cr_assert_eq(next(&run), run.tasks[i]);
        expect_none(&run);
    }
    finish(&run);
}

Test(sched, opens_a_host_again_once_a_later_lookup_succeeds)
{
    struct run run;

    start(&run);
    for (unsigned i = 0; i < 2 * LOOKUPS_MAX; i++)
        add(&run, "http://a:80", false);
    cr_assert_eq(next(&run), run.tasks[0]);
    end(&run, run.tasks[0]);
    cr_assert_eq(next(&run), run.tasks[1]);
    find(&run, run.tasks[1]);
    for (unsigned i = 2; i < run.len; i++) {
        cr_assert_eq(next(&run), run.tasks[i]);
        cr_expect(!run.tasks[i]->looking_up);
    }
    finish(&run);
}

Test(sched, keeps_a_name_found_though_another_lookup_of_it_failed)
{
    struct run run;

    start(&run);
    for (unsigned i = 0; i < 5; i++)
        add(&run, "http://a:80", false);
    cr_assert_eq(next(&run), run.tasks[0]);
    end(&run, run.tasks[0]);
    cr_assert_eq(next(&run), run.tasks[1]);
    cr_assert_eq(next(&run), run.tasks[2]);
    find(&run, run.tasks[1]);
    end(&run, run.tasks[2]);
    cr_assert_eq(next(&run), run.tasks[3]);
    cr_expect(!run.tasks[3]->looking_up);
    finish(&run);
}

/* Seventeen hosts wait for a lookup while sixteen are on their way; what frees those sixteen also
 * frees the first sixteen of the waiting from their need. The seventeenth must not be forgotten. */
Test(sched, starts_who_waited_for_a_lookup_once_all_lookups_are_over)
{
    struct run run;

    start(&run);
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        add_numbered(&run, i, false);
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        cr_assert_eq(next(&run), run.tasks[i]);
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        end(&run, run.tasks[i]);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < LOOKUPS_MAX; i++)
            add_numbered(&run, i, false);
    }
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        cr_assert_eq(next(&run), run.tasks[LOOKUPS_MAX + i]);
    expect_none(&run);
    struct task *last = add_numbered(&run, 1000, false);
    expect_none(&run);
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        find_and_end(&run, run.tasks[LOOKUPS_MAX + i]);
    size_t started = 0;
    bool last_started = false;
    for (struct task *task; (task = next(&run)) != NULL; started++)
        last_started = last_started || task == last;
    cr_expect_eq(started, LOOKUPS_MAX + 1, "%zu", started);
    cr_expect(last_started);
    finish(&run);
}

Test(sched, starts_who_waited_for_a_lookup_though_those_before_it_were_withdrawn)
{
    const size_t last = (size_t)2 * LOOKUPS_MAX;
    struct run run;

    start(&run);
    for (unsigned i = 0; i <= last; i++)
        add_numbered(&run, i, false);
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        cr_assert_eq(next(&run), run.tasks[i]);
    expect_none(&run);
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        find_and_end(&run, run.tasks[i]);
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        sched_remove(run.sched, run.tasks[LOOKUPS_MAX + i], run.now);
    cr_expect_eq(next(&run), run.tasks[last]);
    finish(&run);
}

Test(sched, looks_a_name_up_again_when_it_is_old)
{
    struct run run;

    start(&run);
    make_known(&run, "http://a:80");
    run.now += NAME_AGE_MAX;
    struct task *fresh = add(&run, "http://a:80", false);
    cr_expect_eq(next(&run), fresh);
    cr_expect(!fresh->looking_up, "not older than it may be");
    run.now += 0.5;
    struct task *stale = add(&run, "http://a:80", false), *waits = add(&run, "http://a:80", false);
    cr_expect_eq(next(&run), stale);
    cr_expect(stale->looking_up && stale->name_is_stale);
    expect_none(&run);
    find(&run, stale);
    cr_expect_eq(next(&run), waits);
    cr_expect(!waits->looking_up);
    run.now += NAME_AGE_MAX;
    struct task *renewed = add(&run, "http://a:80", false);
    cr_expect_eq(next(&run), renewed);
    cr_expect(!renewed->looking_up, "its age counts anew");
    finish(&run);
}

Test(sched, knows_the_first_wave_of_a_host_from_those_that_follow)
{
    struct run run;

    start(&run);
    for (int i = 0; i < 3; i++)
        add(&run, "http://a:80", true);
    cr_assert_eq(next(&run), run.tasks[0]);
    cr_assert_eq(next(&run), run.tasks[1]);
    cr_expect(run.tasks[0]->is_first_wave && run.tasks[1]->is_first_wave);
    end(&run, run.tasks[0]);
    cr_assert_eq(next(&run), run.tasks[2]);
    cr_expect(!run.tasks[2]->is_first_wave);
    finish(&run);
}

Test(sched, takes_one_certain_task_out_of_its_queue)
{
    struct run run;

    start(&run);
    for (int i = 0; i < 3; i++)
        add(&run, "http://a:80", true);
    cr_expect(take(&run, run.tasks[1]));
    cr_expect_eq(next(&run), run.tasks[0]);
    cr_expect_eq(next(&run), run.tasks[2]);
    expect_none(&run);
    finish(&run);
}

Test(sched, takes_a_task_only_where_its_host_is_ready)
{
    struct run run;

    start(&run);
    struct task *first = add(&run, "http://a:80", false), *second = add(&run, "http://a:80", false);
    cr_expect(take(&run, second));
    cr_expect(second->looking_up);
    cr_expect(!take(&run, first), "the lookup is on its way");
    find(&run, second);
    cr_expect(take(&run, first));
    cr_expect(!first->looking_up);
    expect_none(&run);
    finish(&run);
}

Test(sched, takes_no_task_that_would_be_a_lookup_too_many)
{
    struct run run;

    start(&run);
    for (unsigned i = 0; i <= LOOKUPS_MAX; i++)
        add_numbered(&run, i, false);
    for (unsigned i = 0; i < LOOKUPS_MAX; i++)
        cr_assert(take(&run, run.tasks[i]));
    struct task *last = run.tasks[LOOKUPS_MAX];
    cr_expect(!take(&run, last));
    expect_none(&run);
    find(&run, run.tasks[0]);
    cr_expect(take(&run, last));
    expect_none(&run);
    finish(&run);
}

Test(sched, never_starts_what_was_removed)
{
    struct run run;

    start(&run);
    for (int i = 0; i < 3; i++)
        add(&run, "http://a:80", true);
    sched_remove(run.sched, run.tasks[0], run.now);
    sched_remove(run.sched, run.tasks[2], run.now);
    cr_expect_eq(next(&run), run.tasks[1]);
    expect_none(&run);
    finish(&run);
}

Test(sched, remembers_idle_hosts_up_to_a_bound_and_names_those_it_drops)
{
    struct run run;
    struct buf name;

    start(&run);
    buf_init(&name);
    for (unsigned i = 0; i < HOSTS_IDLE_MAX + 2; i++) {
        struct task *task = add_numbered(&run, i, true);
        cr_assert(task && next(&run) == task);
        end(&run, task);
        sched_forget(run.sched, task, run.now);
        cr_expect_null(task->host);
        cr_assert_leq(sched_hosts(run.sched), HOSTS_IDLE_MAX);
    }
    cr_expect_eq(sched_hosts(run.sched), HOSTS_IDLE_MAX);
    cr_expect(sched_next_dropped(run.sched, &name));
    cr_expect_str_eq(name.data, "http://h0.example:80", "the one idle longest first: %s",
                     name.data);
    buf_clear(&name);
    cr_expect(sched_next_dropped(run.sched, &name));
    cr_expect_str_eq(name.data, "http://h1.example:80");
    cr_expect(!sched_next_dropped(run.sched, &name));
    buf_release(&name);
    finish(&run);
}

Test(sched, drops_no_host_that_has_a_task_alive)
{
    struct run run;
    struct buf name;

    start(&run);
    buf_init(&name);
    struct task *waits = add(&run, "http://waits:80", true);
    for (unsigned i = 0; i <= HOSTS_IDLE_MAX; i++) {
        struct task *task = add_numbered(&run, i, true);
        cr_assert(take(&run, task));
        end(&run, task);
        sched_forget(run.sched, task, run.now);
    }
    cr_expect_eq(sched_hosts(run.sched), HOSTS_IDLE_MAX + 1);
    while (sched_next_dropped(run.sched, &name))
        continue;
    cr_expect_str_eq(name.data, "http://h0.example:80");
    cr_expect_eq(next(&run), waits);
    buf_release(&name);
    finish(&run);
}

Test(sched, looks_the_name_of_a_dropped_host_up_anew_and_of_an_idle_one_not)
{
    struct run run;
    struct task *task;

    start(&run);
    make_known(&run, "http://a:80");
    sched_forget(run.sched, run.tasks[0], run.now);
    task = add(&run, "http://a:80", false);
    cr_assert_eq(next(&run), task);
    cr_expect(!task->looking_up);
    end(&run, task);
    sched_forget(run.sched, task, run.now);
    for (unsigned i = 0; i < HOSTS_IDLE_MAX; i++) {
        task = add_numbered(&run, i, true);
        sched_remove(run.sched, task, run.now);
        sched_forget(run.sched, task, run.now);
    }
    task = add(&run, "http://a:80", false);
    cr_assert_eq(next(&run), task);
    cr_expect(task->looking_up);
    finish(&run);
}

static void drop_task(struct run *run, struct task *task)
{
    sched_remove(run->sched, task, run->now);
    sched_forget(run->sched, task, run->now);
}

/* The host that was found last is looked at first; it may be gone by then. */
Test(sched, finds_a_host_anew_that_was_found_last_and_dropped)
{
    struct task *others[HOSTS_IDLE_MAX];
    struct run run;
    struct buf name;

    start(&run);
    buf_init(&name);
    for (unsigned i = 0; i < ARRAY_LEN(others); i++)
        others[i] = add_numbered(&run, i, true);
    struct task *last = add(&run, "http://last:80", true);
    cr_assert(take(&run, last));
    end(&run, last);
    sched_forget(run.sched, last, run.now);
    for (unsigned i = 0; i < ARRAY_LEN(others); i++)
        drop_task(&run, others[i]);
    cr_assert(sched_next_dropped(run.sched, &name));
    cr_expect_str_eq(name.data, "http://last:80");
    struct task *again = add(&run, "http://last:80", true);
    cr_expect_eq(sched_hosts(run.sched), HOSTS_IDLE_MAX + 1);
    cr_expect_eq(next(&run), again);
    buf_release(&name);
    finish(&run);
}

/* Nobody has looked them up, and nobody would ever take their names. */
Test(sched, does_not_name_the_hosts_that_had_no_request_started)
{
    struct run run;
    struct buf name;

    start(&run);
    buf_init(&name);
    for (unsigned i = 0; i < HOSTS_IDLE_MAX + 100; i++)
        drop_task(&run, add_numbered(&run, i, i % 2));
    cr_expect_eq(sched_hosts(run.sched), HOSTS_IDLE_MAX);
    cr_expect_not(sched_next_dropped(run.sched, &name));
    buf_release(&name);
    finish(&run);
}

Test(sched, lets_go_of_a_task_without_a_host)
{
    struct run run;
    struct task *task = task_new();

    start(&run);
    sched_forget(run.sched, task, run.now);
    cr_expect_eq(sched_hosts(run.sched), 0);
    tasks_free(task);
    finish(&run);
}
