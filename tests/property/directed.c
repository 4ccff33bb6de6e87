#include <criterion/criterion.h>
#include <math.h>

#include "base/spool.h"
#include "core/engine.h"
#include "scratch.h"
#include "trial.h"
#include "world.h"

/*
 * The corners that chance finds seldom, each by a scenario of its own. What every run must keep to
 * is checked here too; a test says only what is to become of this one.
 */

enum { MANY_SEEDS = 20 };

static const struct reader never = {.kind = READER_NEVER, .pipe = 65536};
static const struct reader slow = {
    .kind = READER_PIPE, .pipe = 65536, .read_max = 65536, .pause_max = 1};

static struct world *try(const struct scenario *scenario)
{
    struct scratch *scratch = scratch_new();
    struct world *world = trial_run(scenario, scratch);

    scratch_free(scratch);
    return world;
}

static size_t count_reason(const struct world *world, enum reason reason)
{
    size_t count = 0;

    for (size_t i = 0; i < world->buried; i++)
        count += world->records[world->burials[i] - 1].reason == reason;
    return count;
}

/* Bodies that neither memory nor spool hold more than a few of. */
static void make_large(struct scenario *scenario)
{
    scenario->big = 100;
    scenario->big_max = 4 * SPOOL_BLOCK_BYTES;
    scenario->spool_max = UINT64_C(4) * SPOOL_BLOCK_BYTES;
    scenario->memory = 100000;
}

Test(property, large_bodies_behind_a_late_head_are_all_delivered)
{
    struct scenario scenario;

    for (uint64_t seed = 1; seed <= MANY_SEEDS; seed++) {
        scenario_plain(&scenario, seed);
        make_large(&scenario);
        scenario.head_delay = 3600;
        struct world *world = try(&scenario);
        cr_expect_eq(world->status, EXIT_ALL_OK, "seed %d", (int)seed);
        cr_expect_eq(count_reason(world, REASON_OK), 100, "seed %d", (int)seed);
        world_free(world);
    }
}

Test(property, large_bodies_are_all_delivered_as_they_come)
{
    struct scenario scenario;

    for (uint64_t seed = 1; seed <= MANY_SEEDS; seed++) {
        scenario_plain(&scenario, seed);
        make_large(&scenario);
        scenario.order = OPTION_ORDER_COMPLETION;
        scenario.out = slow;
        struct world *world = try(&scenario);
        cr_expect_eq(count_reason(world, REASON_OK), 100, "seed %d", (int)seed);
        world_free(world);
    }
}

Test(property, a_head_that_is_redirected_is_not_starved_by_what_finds_no_room)
{
    struct scenario scenario;

    for (uint64_t seed = 1; seed <= MANY_SEEDS; seed++) {
        scenario_plain(&scenario, seed);
        make_large(&scenario);
        scenario.jobs = 1;
        scenario.hosts = 1;
        scenario.moved = 50;
        scenario.memory = 0;
        scenario.spool_max = 0;
        struct world *world = try(&scenario);
        cr_expect_eq(world->buried, 100, "seed %d", (int)seed);
        world_free(world);
    }
}

Test(property, a_spool_that_fails_ends_the_run_and_what_is_done_goes_out)
{
    struct scenario scenario;
    size_t done = 0, halted = 0;

    for (uint64_t seed = 1; seed <= MANY_SEEDS; seed++) {
        scenario_plain(&scenario, seed);
        make_large(&scenario);
        scenario.order = seed % 2 ? OPTION_ORDER_INPUT : OPTION_ORDER_COMPLETION;
        scenario.spool_end = SPOOL_FILLS_DISK;
        scenario.spool_disk = 3 * SPOOL_BLOCK_BYTES - 1000;
        struct world *world = try(&scenario);
        cr_expect_eq(world->status, EXIT_LOCAL_TROUBLE, "seed %d", (int)seed);
        cr_expect_geq(count_reason(world, REASON_OUTPUT), 1, "seed %d", (int)seed);
        done += count_reason(world, REASON_OK);
        halted += count_reason(world, REASON_HALTED);
        world_free(world);
    }
    cr_expect_gt(done, 0);
    cr_expect_gt(halted, 0);
}

Test(property, a_spool_without_a_place_ends_the_run)
{
    struct scenario scenario;

    scenario_plain(&scenario, 1);
    make_large(&scenario);
    scenario.spool_end = SPOOL_HAS_NO_PLACE;
    struct world *world = try(&scenario);
    cr_expect_eq(world->status, EXIT_LOCAL_TROUBLE);
    world_free(world);
}

Test(property, nothing_is_started_that_a_reader_who_never_reads_leaves_no_slot_for)
{
    struct scenario scenario;

    scenario_plain(&scenario, 1);
    scenario.lines = 5000;
    scenario.big = 100;
    scenario.big_max = 20000;
    scenario.out = never;
    struct world *world = try(&scenario);
    cr_expect_eq(world->status, -1);
    cr_expect_gt(world->buried, 0);
    cr_expect_eq(world->asked_for, world->buried + scenario.window);
    cr_expect_eq(world->starts, world->asked_for);
    world_free(world);
}

Test(property, a_reader_who_leaves_ends_the_run_at_once)
{
    struct scenario scenario;

    scenario_plain(&scenario, 1);
    scenario.lines = 5000;
    scenario.out = slow;
    scenario.out.kind = READER_CLOSES;
    scenario.out.limit = 3000;
    struct world *world = try(&scenario);
    cr_expect(world->lost_reader);
    cr_expect_lt(world->buried, 1000);
    world_free(world);
}

Test(property, a_full_disk_under_stdout_ends_the_run)
{
    struct scenario scenario;

    for (uint64_t seed = 1; seed <= MANY_SEEDS; seed++) {
        scenario_plain(&scenario, seed);
        scenario.out = (struct reader){.kind = READER_FULL, .limit = seed * 100};
        scenario.order = seed % 2 ? OPTION_ORDER_INPUT : OPTION_ORDER_COMPLETION;
        struct world *world = try(&scenario);
        cr_expect_eq(world->status, EXIT_LOCAL_TROUBLE, "seed %d", (int)seed);
        cr_expect_gt(count_reason(world, REASON_HALTED), 0, "seed %d", (int)seed);
        world_free(world);
    }
}

Test(property, a_named_pipe_whose_reader_leaves_is_local_trouble)
{
    struct scenario scenario;

    scenario_plain(&scenario, 1);
    scenario.to_file = true;
    scenario.out = slow;
    scenario.out.kind = READER_CLOSES;
    scenario.out.limit = 3000;
    struct world *world = try(&scenario);
    cr_expect_eq(world->status, EXIT_LOCAL_TROUBLE);
    world_free(world);
}

/* He reads just as the engine has given up on him for this turn, and nothing else will happen. */
Test(property, a_reader_who_reads_in_the_midst_of_a_turn_is_not_forgotten)
{
    struct scenario scenario;

    for (uint64_t seed = 1; seed <= MANY_SEEDS; seed++) {
        scenario_plain(&scenario, seed);
        scenario.lines = 500;
        scenario.window = 500;
        scenario.jobs = 500;
        scenario.big = 100;
        scenario.big_max = 30000;
        scenario.out = slow;
        scenario.out.pipe = 300000;
        scenario.out.read_max = 300000;
        struct world *world = try(&scenario);
        cr_expect_eq(world->status, EXIT_ALL_OK, "seed %d", (int)seed);
        world_free(world);
    }
}

static void try_without_descriptors(double latency)
{
    struct scenario scenario;

    scenario_plain(&scenario, 1);
    scenario.latency = latency;
    scenario.famine_from = 0;
    scenario.famine_to = INFINITY;
    struct world *world = try(&scenario);
    cr_expect_eq(world->status, EXIT_LOCAL_TROUBLE);
    cr_expect_geq(count_reason(world, REASON_HALTED), 40);
    cr_expect_lt(world->now, 1000 + 100);
    world_free(world);
}

Test(property, a_run_that_never_gets_a_descriptor_ends)
{
    try_without_descriptors(0);
}

/* So slowly that without a bound on what is tried meanwhile something would always be running. */
Test(property, a_run_that_is_slow_to_get_none_ends_too)
{
    try_without_descriptors(0.5);
}

Test(property, names_that_take_long_hold_up_no_address)
{
    struct scenario scenario;

    scenario_plain(&scenario, 1);
    scenario.lines = 2000;
    scenario.hosts = 400;
    scenario.numeric = 30;
    scenario.dead = 20;
    scenario.latency = 20;
    scenario.jobs = 100;
    scenario.window = 400;
    struct world *world = try(&scenario);
    cr_expect_eq(world->buried, 2000);
    cr_expect_gt(count_reason(world, REASON_DNS), 0);
    world_free(world);
}

Test(property, more_requests_than_urls_are_kept_and_more_hosts_than_are_remembered)
{
    struct scenario scenario;

    scenario_plain(&scenario, 1);
    scenario.lines = 15000;
    scenario.window = 10000;
    scenario.hosts = 6000;
    scenario.jobs = 200;
    scenario.pages = 3;
    scenario.moved = 30;
    scenario.latency = 0.01;
    scenario.head_delay = 1;
    struct world *world = try(&scenario);
    cr_expect_eq(world->buried, 15000);
    world_free(world);
}
