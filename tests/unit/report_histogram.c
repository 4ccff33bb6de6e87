#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "base/util.h"
#include "report/histogram.h"

/* It counts whole microseconds, as libcurl tells them. */
static double tolerance(double seconds)
{
    return 0.01 * seconds + 0.5e-6;
}

static struct histogram *new_histogram(void)
{
    return xcalloc(1, sizeof(struct histogram));
}

/* Two of them, so that it is not the exact maximum that is told. */
static double told_of(double seconds)
{
    struct histogram *histogram = new_histogram();

    histogram_add(histogram, seconds);
    histogram_add(histogram, 1e9);
    double told = histogram_at(histogram, 0.5);
    free(histogram);
    return told;
}

Test(histogram, is_off_by_less_than_a_hundredth)
{
    double seconds = 1e-6;

    while (seconds <= 1e6) {
        cr_expect_lt(fabs(told_of(seconds) - seconds), tolerance(seconds), "%.9g is told as %.9g",
                     seconds, told_of(seconds));
        seconds *= 1.0137;
    }
}

/* Also at both sides of each step and each octave. */
Test(histogram, tells_whole_microseconds_as_they_are_while_they_are_few)
{
    for (int us = 1; us <= 5000; us++) {
        double seconds = us / 1e6;
        if (us < 256)
            cr_expect_float_eq(told_of(seconds), seconds, 1e-9, "%d us", us);
        else
            cr_expect_lt(fabs(told_of(seconds) - seconds), 0.01 * seconds, "%d us", us);
    }
    for (int octave = 0; octave < 40; octave++) {
        for (int off = -1; off <= 1; off++) {
            double seconds = (ldexp(1, octave) + off) / 1e6;
            cr_expect_lt(fabs(told_of(seconds) - seconds), tolerance(seconds), "%.9g", seconds);
        }
    }
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;

    return (a > b) - (a < b);
}

/* From a microsecond to a million seconds, each size as likely. */
static double drawn(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return pow(10, -6 + 12.0 * (double)(*state >> 33) / (double)(UINT64_C(1) << 31));
}

Test(histogram, gives_the_percentiles_of_a_sorted_list)
{
    enum { MANY = 20000 };
    static const double shares[] = {0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
    static const size_t sizes[] = {1, 2, 3, 10, 99, 100, 101, 1000, MANY};
    double *sorted = xmalloc(MANY * sizeof *sorted);
    uint64_t state = 7;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct histogram *histogram = new_histogram();
        for (size_t k = 0; k < sizes[i]; k++) {
            sorted[k] = drawn(&state);
            histogram_add(histogram, sorted[k]);
        }
        qsort(sorted, sizes[i], sizeof *sorted, compare);
        for (size_t k = 0; k < ARRAY_LEN(shares); k++) {
            double rank = fmax(ceil(shares[k] * (double)sizes[i]), 1);
            double due = sorted[(size_t)rank - 1], told = histogram_at(histogram, shares[k]);
            cr_expect_lt(fabs(told - due), tolerance(due), "%zu: %g of them: %.9g, not %.9g",
                         sizes[i], shares[k], told, due);
        }
        cr_expect_eq(histogram->count, sizes[i]);
        cr_expect_eq(histogram->max, sorted[sizes[i] - 1], "the maximum is exact");
        free(histogram);
    }
    free(sorted);
}

Test(histogram, tells_nothing_over_its_maximum)
{
    uint64_t state = 3;

    for (int i = 0; i < 1000; i++) {
        struct histogram *histogram = new_histogram();
        double seconds = drawn(&state);
        histogram_add(histogram, seconds);
        cr_expect_leq(histogram_at(histogram, 0.5), seconds);
        cr_expect_leq(histogram_at(histogram, 1), seconds);
        free(histogram);
    }
}

Test(histogram, is_zero_where_there_is_nothing)
{
    struct histogram *histogram = new_histogram();

    cr_expect_eq(histogram_at(histogram, 0.5), 0);
    cr_expect_eq(histogram_at(histogram, 1), 0);
    cr_expect_eq(histogram->max, 0);
    free(histogram);
}

/* A clock that went back, and a transfer of a year. */
Test(histogram, takes_what_is_out_of_its_range)
{
    struct histogram *histogram = new_histogram();

    histogram_add(histogram, -5);
    histogram_add(histogram, 0);
    cr_expect_eq(histogram_at(histogram, 0.5), 0);
    cr_expect_eq(histogram->max, 0);
    histogram_add(histogram, 1e300);
    histogram_add(histogram, 3e7);
    cr_expect_eq(histogram->count, 4);
    cr_expect_eq(histogram->max, 1e300);
    cr_expect_geq(histogram_at(histogram, 0.99), 1e6);
    free(histogram);
}

/* ---- rows ---- */

enum { ROWS = 10 };

static uint64_t sum_of(const struct histogram_row *rows, size_t len)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += rows[i].count;
    return sum;
}

Test(histogram, deals_all_out_to_rows_that_grow)
{
    struct histogram *histogram = new_histogram();
    struct histogram_row rows[ROWS];

    for (int i = 1; i <= 1000; i++)
        histogram_add(histogram, i / 1000.0);
    size_t len = histogram_rows(histogram, rows, ROWS);
    cr_expect_geq(len, ROWS - 1);
    cr_expect_leq(len, ROWS);
    cr_expect_eq(sum_of(rows, len), 1000);
    double before = 0.01, shorter = 0;
    for (size_t i = 0; i < len; i++) {
        double due = floor(rows[i].limit * 1000);
        cr_expect_gt(rows[i].limit, before);
        before = rows[i].limit;
        shorter += (double)rows[i].count;
        cr_expect_float_eq(shorter, due, due / 100 + 2, "up to %g: %g", rows[i].limit, shorter);
    }
    cr_expect_eq(rows[len - 1].limit, 1.0);
    free(histogram);
}

/* Nine in ten rows would else be empty. */
Test(histogram, lets_one_that_is_far_off_have_a_row_for_itself)
{
    struct histogram *histogram = new_histogram();
    struct histogram_row rows[ROWS];

    for (int i = 0; i < 1000; i++)
        histogram_add(histogram, 0.1 + i / 10000.0);
    histogram_add(histogram, 3600);
    size_t len = histogram_rows(histogram, rows, ROWS);
    cr_expect_eq(len, (size_t)ROWS);
    cr_expect_eq(sum_of(rows, len), 1001);
    cr_expect_eq(rows[len - 1].limit, 3600);
    cr_expect_leq(rows[len - 1].count, 12);
    for (size_t i = 0; i < len; i++)
        cr_expect_gt(rows[i].count, 0);
    free(histogram);
}

Test(histogram, has_no_two_rows_for_what_is_the_same)
{
    struct histogram *histogram = new_histogram();
    struct histogram_row rows[ROWS];

    cr_expect_eq(histogram_rows(histogram, rows, ROWS), 0);
    histogram_add(histogram, 0);
    cr_expect_eq(histogram_rows(histogram, rows, ROWS), 1);
    cr_expect_eq(rows[0].count, 1);
    for (int i = 0; i < 10; i++)
        histogram_add(histogram, 1e-6);
    cr_expect_eq(histogram_rows(histogram, rows, ROWS), 1);
    cr_expect_eq(rows[0].count, 11);
    cr_expect_eq(rows[0].limit, 1e-6);
    free(histogram);
}
