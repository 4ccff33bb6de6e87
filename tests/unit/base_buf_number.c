#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"

Test(buf_number, has_as_many_digits_as_it_needs_or_more)
{
    static const struct {
        uint64_t number;
        unsigned digits;
        const char *expected;
    } cases[] = {
        {0, 0, "0"},
        {0, 1, "0"},
        {0, 3, "000"},
        {7, 3, "007"},
        {999, 3, "999"},
        {1000, 3, "1000"},
        {10, 0, "10"},
        {42, 20, "00000000000000000042"},
        {UINT64_MAX, 1, "18446744073709551615"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf buf;
        buf_init(&buf);
        buf_add_char(&buf, '<');
        buf_add_number(&buf, cases[i].number, cases[i].digits);
        cr_assert_not_null(buf.data);
        cr_expect_str_eq(buf.data + 1, cases[i].expected, "%s", buf.data);
        cr_expect_eq(buf.data[0], '<');
        buf_release(&buf);
    }
}

static void expect_as_printed(uint64_t number, unsigned digits)
{
    char expected[32];
    struct buf buf;

    buf_init(&buf);
    snprintf(expected, sizeof expected, "%0*" PRIu64, (int)digits, number);
    buf_add_number(&buf, number, digits);
    cr_expect_str_eq(buf.data, expected);
    buf_release(&buf);
}

Test(buf_number, is_what_printf_makes_of_it)
{
    for (uint64_t number = 1; number < UINT64_MAX / 3; number = number * 3 + 1)
        expect_as_printed(number, 8);
}

Test(buf_number, is_right_beside_each_power_of_ten)
{
    uint64_t power = 1;

    for (unsigned digits = 1; digits <= 20; digits++, power *= 10) {
        for (uint64_t number = power - 1; number <= power + 1; number++)
            expect_as_printed(number, 1);
    }
}

Test(buf_number, has_no_more_digits_than_it_may)
{
    struct buf buf;

    buf_init(&buf);
    buf_add_number(&buf, 5, 1000);
    cr_expect_eq(buf.len, BUF_DIGITS_MAX);
    cr_expect_str_eq(buf.data, "000000000000000000000005");
    buf_release(&buf);
}

Test(buf_seconds, are_what_printf_makes_of_the_microseconds)
{
    double seconds = 1e-7;

    for (unsigned step = 0; step < 3300; step++) { /* up to some 1e11 */
        seconds *= 1.013;
        double values[] = {seconds, (double)step / 1e6, (double)step - 5e-7, (double)step - 4e-7};
        for (size_t i = 0; i < ARRAY_LEN(values); i++) {
            uint64_t us = values[i] > 0 ? (uint64_t)(values[i] * 1e6 + 0.5) : 0;
            char expected[64];
            struct buf buf;
            buf_init(&buf);
            snprintf(expected, sizeof expected, "%" PRIu64 ".%06" PRIu64, us / 1000000,
                     us % 1000000);
            buf_add_seconds(&buf, values[i] > 0 ? values[i] : 0);
            cr_expect_str_eq(buf.data, expected, "%s", buf.data);
            buf_release(&buf);
        }
    }
}

Test(buf_seconds, are_rounded_to_the_microsecond)
{
    static const struct {
        double seconds;
        const char *expected;
    } cases[] = {
        {0, "0.000000"},         {1, "1.000000"},
        {0.5, "0.500000"},       {0.000001, "0.000001"},
        {0.0000004, "0.000000"}, {0.0000006, "0.000001"},
        {0.9999999, "1.000000"}, {59.999999, "59.999999"},
        {12.034, "12.034000"},   {1e9, "1000000000.000000"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf buf;
        buf_init(&buf);
        buf_add_seconds(&buf, cases[i].seconds);
        cr_expect_str_eq(buf.data, cases[i].expected, "%s", buf.data);
        buf_release(&buf);
    }
}
