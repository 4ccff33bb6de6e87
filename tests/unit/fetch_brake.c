#include <criterion/criterion.h>

#include "base/body.h"
#include "fetch/brake.h"

enum { MEMORY = 1000 };

static const double start = 100;

static struct store full(void)
{
    return (struct store){.memory_max = MEMORY, .memory_used = MEMORY};
}

Test(brake, has_nobody_wait_while_a_quarter_of_the_memory_is_free)
{
    struct store store = full();
    struct brake brake = {0};

    store.memory_used = (uint64_t)MEMORY / 4 * 3;
    cr_expect_not(brake_wants(&brake, &store, start));
    store.memory_used++;
    cr_expect(brake_wants(&brake, &store, start));
    store = (struct store){0};
    cr_expect_not(brake_wants(&brake, &store, start), "there is no memory to wait for");
}

Test(brake, lets_go_once_there_is_room_again)
{
    struct store store = full();
    struct brake brake = {0};

    brake_begin(&brake, &store, start);
    cr_expect_not(brake_ends(&brake, &store, start, start));
    store.memory_used = (uint64_t)MEMORY / 8 * 5 + 1;
    cr_expect_not(brake_ends(&brake, &store, start, start));
    store.memory_used--;
    cr_expect(brake_ends(&brake, &store, start, start));
}

Test(brake, lets_go_when_little_went_out_in_a_period)
{
    struct store store = full();
    struct brake brake = {0};

    brake_begin(&brake, &store, start);
    cr_expect_float_eq(brake.looks_at, start + BRAKE_PERIOD, 1e-9);
    store.given += BRAKE_BYTES - 1;
    cr_expect_not(brake_ends(&brake, &store, start, start + BRAKE_PERIOD / 2));
    cr_expect(brake_ends(&brake, &store, start, brake.looks_at));
    cr_expect_not(brake_wants(&brake, &store, start + BRAKE_PERIOD));
}

Test(brake, holds_as_long_as_much_goes_out_but_not_for_ever)
{
    struct store store = full();
    struct brake brake = {0};
    double now = start;

    brake_begin(&brake, &store, now);
    while (now < start + BRAKE_MAX - BRAKE_PERIOD) {
        now = brake.looks_at;
        store.given += BRAKE_BYTES;
        cr_assert_not(brake_ends(&brake, &store, start, now));
    }
    store.given += 10ULL * BRAKE_BYTES;
    cr_expect(brake_ends(&brake, &store, start, start + BRAKE_MAX));
    cr_expect_not(brake_wants(&brake, &store, start + BRAKE_MAX));
}

Test(brake, is_put_on_again_when_much_goes_out_again)
{
    struct store store = full();
    struct brake brake = {0};
    double now = start + BRAKE_PERIOD;

    brake_begin(&brake, &store, start);
    cr_assert(brake_ends(&brake, &store, start, now));
    for (int i = 0; i < 10; i++) {
        now += BRAKE_PERIOD;
        store.given += BRAKE_BYTES / 2;
        cr_assert_not(brake_wants(&brake, &store, now));
    }
    store.given += 2ULL * BRAKE_BYTES;
    cr_expect_not(brake_wants(&brake, &store, now + BRAKE_PERIOD / 2), "looked too early");
    cr_expect(brake_wants(&brake, &store, now + BRAKE_PERIOD * 1.1));
}

/* Each wait is short, and all the same nothing gets on. */
Test(brake, judges_many_short_waits_as_one)
{
    struct store store = full();
    struct brake brake = {0};
    double now = start;
    int waits = 0;

    while (brake_wants(&brake, &store, now)) {
        brake_begin(&brake, &store, now);
        store.memory_used = MEMORY / 2;
        cr_assert(brake_ends(&brake, &store, now, now + BRAKE_PERIOD / 8));
        store.memory_used = MEMORY;
        now += BRAKE_PERIOD / 4;
        cr_assert_lt(++waits, 10);
    }
    cr_expect_gt(waits, 2);
}

Test(brake, begins_anew_after_a_while_without_waits)
{
    struct store store = full();
    struct brake brake = {0};

    brake_begin(&brake, &store, start);
    brake_begin(&brake, &store, start + 2 * BRAKE_PERIOD);
    cr_expect_not(brake_ends(&brake, &store, start + 2 * BRAKE_PERIOD, start + 2.5 * BRAKE_PERIOD));
}
