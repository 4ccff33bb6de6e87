#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "base/util.h"
#include "flow/rate.h"

enum { STARTS = 20000 };

static bool start_at(const struct rate *rate, struct bucket *bucket, double now)
{
    if (rate_due(rate, bucket) > now)
        return false;
    rate_take(rate, bucket, now);
    return true;
}

Test(rate, without_a_limit_lets_everything_start)
{
    struct rate rate = {.interval = 0, .burst = 1};
    struct bucket bucket = {0};

    for (int i = 0; i < 1000; i++)
        cr_assert(start_at(&rate, &bucket, 5));
    cr_expect(rate_is_full(&rate, &bucket, 5));
}

/* Hours of it, to the exact second. */
Test(rate, spaces_starts_evenly)
{
    static const double intervals[] = {1, 0.25, 10, 20, 3600};

    for (size_t i = 0; i < ARRAY_LEN(intervals); i++) {
        struct rate rate = {.interval = intervals[i], .burst = 1};
        struct bucket bucket = {0};
        double now = 1000;
        for (int k = 0; k < STARTS; k++) {
            cr_assert(start_at(&rate, &bucket, now));
            cr_assert_not(start_at(&rate, &bucket, now));
            cr_assert_eq(rate_due(&rate, &bucket), 1000 + (k + 1) * intervals[i]);
            now = rate_due(&rate, &bucket);
        }
    }
}

Test(rate, lets_a_burst_go_at_once_and_then_one_each_interval)
{
    struct rate rate = {.interval = 2, .burst = 5};
    struct bucket bucket = {0};

    for (int round = 0; round < 100; round++) {
        double now = 1000 + 100.0 * round;
        cr_expect(rate_is_full(&rate, &bucket, now));
        for (int i = 0; i < 5; i++)
            cr_assert(start_at(&rate, &bucket, now));
        for (int i = 1; i < 20; i++) {
            cr_assert_eq(rate_due(&rate, &bucket), now + 2 * i);
            cr_assert(start_at(&rate, &bucket, now + 2 * i));
        }
        cr_expect_not(rate_is_full(&rate, &bucket, now + 38));
    }
}

Test(rate, saves_nothing_up_beyond_the_burst)
{
    struct rate rate = {.interval = 1, .burst = 1};
    struct bucket bucket = {0};

    cr_assert(start_at(&rate, &bucket, 10));
    cr_assert(start_at(&rate, &bucket, 1000));
    cr_expect_eq(rate_due(&rate, &bucket), 1001);
}

Test(rate, keeps_its_grid_when_woken_a_little_late)
{
    struct rate rate = {.interval = 0.01, .burst = 1};
    struct bucket bucket = {0};
    double due = 100;

    cr_assert(start_at(&rate, &bucket, 100));
    for (int i = 1; i < 10000; i++) {
        due = rate_due(&rate, &bucket);
        cr_assert(start_at(&rate, &bucket, due + (i % 5) * 0.004));
    }
    cr_expect_float_eq(rate_due(&rate, &bucket), 100 + 10000 * 0.01, 1e-6);
}

/* Whenever it is asked: in no second more than rate and burst, and what lateness is worth. */
Test(rate, exceeds_its_share_in_no_second)
{
    static const struct rate rates[] = {{0.01, 1}, {0.01, 7}, {0.3, 1}, {0.001, 3}, {2, 4}};
    static double starts[STARTS];
    unsigned seed = 1;

    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        struct bucket bucket = {0};
        double now = 1000, share = (1 + RATE_LATE_MAX) / rates[i].interval + rates[i].burst;
        size_t len = 0, first = 0;
        for (int k = 0; k < STARTS; k++) {
            now += (double)(rand_r(&seed) % 1000) / 1000 * rates[i].interval * (k % 50 ? 1 : 30);
            if (start_at(&rates[i], &bucket, now))
                starts[len++] = now;
            while (first < len && starts[first] <= now - 1)
                first++;
            cr_assert_leq((double)(len - first), floor(share) + 1, "rate %zu at %g", i, now);
        }
    }
}
