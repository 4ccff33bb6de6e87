#include <criterion/criterion.h>

#include "base/util.h"
#include "report/samples.h"

static struct samples samples;

static void release(void)
{
    samples_release(&samples);
}

TestSuite(samples, .fini = release);

static void feed(uint64_t seq)
{
    struct sample *sample = samples_add(&samples, seq);

    if (sample)
        sample->url = xstrdup("u");
}

Test(samples, are_all_while_there_is_room)
{
    for (uint64_t seq = 1; seq <= SAMPLES_MAX; seq++)
        feed(seq);
    cr_expect_eq(samples.len, SAMPLES_MAX);
    cr_expect_eq(samples.stride, 1);
    for (size_t i = 0; i < samples.len; i++)
        cr_expect_eq(samples.at[i].seq, i + 1);
}

Test(samples, are_every_second_as_soon_as_there_is_one_too_many)
{
    for (uint64_t seq = 1; seq <= SAMPLES_MAX + 1; seq++)
        feed(seq);
    cr_expect_eq(samples.len, SAMPLES_MAX / 2 + 1);
    cr_expect_eq(samples.stride, 2);
}

Test(samples, are_even_over_a_million)
{
    for (uint64_t seq = 1; seq <= 1000000; seq++)
        feed(seq);
    cr_expect_eq(samples.stride, 256);
    cr_expect_eq(samples.len, (1000000 + 255) / 256);
    for (size_t i = 0; i < samples.len; i++)
        cr_expect_eq(samples.at[i].seq, i * 256 + 1);
}

/* Backwards, which is as far from the order of the input as results can come. */
Test(samples, are_the_same_in_whatever_order_results_come)
{
    enum { COUNT = 30000, STRIDE = 8 };
    uint64_t sum = 0, wanted = 0;

    for (uint64_t seq = COUNT; seq >= 1; seq--)
        feed(seq);
    cr_expect_eq(samples.stride, STRIDE);
    cr_expect_eq(samples.len, COUNT / STRIDE);
    for (size_t i = 0; i < samples.len; i++)
        sum += samples.at[i].seq;
    for (uint64_t seq = 1; seq <= COUNT; seq += STRIDE)
        wanted += seq;
    cr_expect_eq(sum, wanted);
}

Test(samples, end_where_all_positions_are_far_apart)
{
    for (uint64_t i = 0; i <= SAMPLES_MAX; i++)
        feed((i << 20) + 1);
    cr_expect_eq(samples.stride, UINT64_C(1) << 21);
    cr_expect_eq(samples.len, SAMPLES_MAX / 2 + 1);
}
