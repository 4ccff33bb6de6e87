#include <criterion/criterion.h>

#include "report/spread.h"

Test(spread, tells_shares_within_five_percent)
{
    struct spread spread = {0};

    for (int i = 1; i <= 10000; i++)
        spread_add(&spread, i / 1000.0);
    cr_expect_eq(spread.count, 10000);
    cr_expect_float_eq(spread_at(&spread, 0.5), 5, 0.25);
    cr_expect_float_eq(spread_at(&spread, 0.95), 9.5, 0.48);
    cr_expect_float_eq(spread_at(&spread, 1), 10, 0.5);
    cr_expect_eq(spread.max, 10);
}

Test(spread, never_tells_more_than_the_longest)
{
    struct spread spread = {0};

    spread_add(&spread, 0.1);
    cr_expect_leq(spread_at(&spread, 0.5), 0.1);
    cr_expect_eq(spread_at(&(struct spread){0}, 0.5), 0, "and nothing of nothing");
}

Test(spread, has_a_place_for_the_shortest_and_the_longest)
{
    struct spread spread = {0};

    spread_add(&spread, 0);
    spread_add(&spread, -1);
    spread_add(&spread, 1e9);
    cr_expect_eq(spread.counts[0], 2);
    cr_expect_eq(spread.counts[SPREAD_LEN - 1], 1);
}

Test(spread, counts_a_duration_where_its_place_begins)
{
    for (size_t place = 8; place < SPREAD_LEN - 1; place++) {
        struct spread spread = {0};
        spread_add(&spread, spread_from(place) * 1.0001);
        spread_add(&spread, spread_from(place + 1) * 0.9999);
        cr_expect_eq(spread.counts[place], 2, "%zu", place);
    }
}
