#include <criterion/criterion.h>
#include <math.h>

#include "report/timeline.h"

static struct timeline timeline;

struct sums {
    uint64_t starts, ok, failed, undone;
    double busy;
};

static struct sums sums(void)
{
    struct sums sums = {0};

    for (size_t i = 0; i < TIMELINE_BINS; i++) {
        const struct timeline_bin *bin = &timeline.bins[i];
        sums.starts += bin->starts;
        sums.ok += bin->ok;
        sums.failed += bin->failed;
        sums.undone += bin->undone;
        sums.busy += bin->busy;
    }
    return sums;
}

Test(timeline, puts_each_start_where_it_was)
{
    timeline_init(&timeline, 100);
    timeline_note_start(&timeline, 100);
    timeline_note_start(&timeline, 100.0105);
    cr_expect_eq(timeline.bins[0].starts, 1);
    cr_expect_eq(timeline.bins[10].starts, 1);
    cr_expect_eq(timeline.n_bins, 11);
    cr_expect_eq(timeline.bins[0].peak, 1);
    cr_expect_eq(timeline.bins[5].peak, 1, "what goes on is in flight between, too");
    cr_expect_eq(timeline.bins[10].peak, 2);
}

Test(timeline, spreads_the_time_in_flight_over_the_bins)
{
    timeline_init(&timeline, 0);
    timeline_note_start(&timeline, 0.0005);
    timeline_note_end(&timeline, 0.0025);
    timeline_advance(&timeline, 0.0105);
    cr_expect_float_eq(timeline.bins[0].busy, 0.0005, 1e-9);
    cr_expect_float_eq(timeline.bins[1].busy, 0.001, 1e-9);
    cr_expect_float_eq(timeline.bins[2].busy, 0.0005, 1e-9);
    cr_expect_float_eq(timeline.bins[3].busy, 0, 1e-9);
    cr_expect_eq(timeline.bins[3].peak, 0);
    cr_expect_eq(timeline.n_bins, 11);
}

Test(timeline, keeps_its_sums_however_often_it_widens)
{
    enum { COUNT = 100000 };
    double now = 7;

    timeline_init(&timeline, now);
    timeline_note_limit(&timeline, 3, now);
    for (unsigned i = 0; i < COUNT; i++) {
        timeline_note_start(&timeline, now);
        now += 0.01;
        timeline_note_end(&timeline, now);
        timeline_note_done(&timeline, i % 10 ? REASON_OK : REASON_HTTP, now);
    }
    timeline_note_done(&timeline, REASON_HALTED, 7.5);
    struct sums is = sums();
    cr_expect_eq(is.starts, COUNT);
    cr_expect_eq(is.ok, COUNT - COUNT / 10);
    cr_expect_eq(is.failed, COUNT / 10);
    cr_expect_eq(is.undone, 1);
    cr_expect_float_eq(is.busy, (double)COUNT * 0.01, 1e-3);
    cr_expect_float_eq(timeline.width, 1.024, 1e-9, "1000 s in at most 1024 bins");
    cr_expect_leq(timeline.n_bins, TIMELINE_BINS);
    cr_expect_eq(timeline.bins[3].limit, 3);
    cr_expect_eq(timeline.bins[3].peak, 1);
}

Test(timeline, takes_a_year_of_nothing_in_one_step)
{
    timeline_init(&timeline, 0);
    timeline_note_start(&timeline, 0);
    timeline_note_end(&timeline, 365.0 * 86400);
    cr_expect_leq(timeline.n_bins, TIMELINE_BINS);
    cr_expect_float_eq(sums().busy, 365.0 * 86400, 1);
}

/* A clock that is read at different times by different rooms. */
Test(timeline, does_not_mind_a_moment_before_the_last)
{
    timeline_init(&timeline, 10);
    timeline_note_start(&timeline, 10.002);
    timeline_note_start(&timeline, 10.001);
    timeline_note_done(&timeline, REASON_OK, 9);
    timeline_note_end(&timeline, 10.003);
    cr_expect_eq(timeline.running, 1);
    cr_expect_eq(sums().starts, 2);
    cr_expect_eq(timeline.bins[0].ok, 1);
    cr_expect_float_eq(sums().busy, 0.002, 1e-9);
}

Test(timeline, tells_the_highest_limit_of_a_bin)
{
    timeline_init(&timeline, 0);
    timeline_note_limit(&timeline, 20, 0);
    timeline_note_limit(&timeline, 5, 0.0105);
    timeline_advance(&timeline, 0.0305);
    cr_expect_eq(timeline.bins[0].limit, 20);
    cr_expect_eq(timeline.bins[10].limit, 20);
    cr_expect_eq(timeline.bins[20].limit, 5);
}
