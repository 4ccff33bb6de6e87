#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/number.h"

struct whole_case {
    const char *text;
    int result;
    uint64_t number;
};

Test(number, reads_counts_that_are_the_whole_text)
{
    static const struct whole_case cases[] = {
        {"0", 0, 0},
        {"1", 0, 1},
        {"007", 0, 7},
        {"18446744073709551615", 0, UINT64_MAX},
        {"00000000000000000000000000000001", 0, 1},
        {"18446744073709551616", -ERANGE, 0},
        {"99999999999999999999999", -ERANGE, 0},
        {"", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"1.5", -EINVAL, 0},
        {"1k", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"x", -EINVAL, 0},
        {"1\n", -EINVAL, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t number = 12345;
        int result = number_read_count(cases[i].text, &number);
        cr_expect_eq(result, cases[i].result, "'%s': %d", cases[i].text, result);
        cr_expect_eq(number, cases[i].result ? 12345 : cases[i].number, "'%s'", cases[i].text);
    }
}

Test(number, reads_sizes_with_a_letter_of_1024_to_the_step)
{
    static const struct whole_case cases[] = {
        {"0", 0, 0},
        {"65536", 0, 65536},
        {"1k", 0, 1024},
        {"1K", 0, 1024},
        {"64M", 0, UINT64_C(64) << 20},
        {"64m", 0, UINT64_C(64) << 20},
        {"8G", 0, UINT64_C(8) << 30},
        {"2t", 0, UINT64_C(2) << 40},
        {"9223372036854775807", 0, INT64_MAX},
        {"8388607T", 0, UINT64_C(8388607) << 40},
        {"9007199254740991k", 0, UINT64_C(9007199254740991) << 10},
        {"9223372036854775808", -ERANGE, 0},
        {"9007199254740992k", -ERANGE, 0},
        {"8388608T", -ERANGE, 0},
        {"18446744073709551616", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"k", -EINVAL, 0},
        {"1kb", -EINVAL, 0},
        {"1 k", -EINVAL, 0},
        {"1P", -EINVAL, 0},
        {"1.5M", -EINVAL, 0},
        {"-1k", -EINVAL, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t number = 12345;
        int result = number_read_bytes(cases[i].text, &number);
        cr_expect_eq(result, cases[i].result, "'%s': %d", cases[i].text, result);
        cr_expect_eq(number, cases[i].result ? 12345 : cases[i].number, "'%s'", cases[i].text);
    }
}

struct seconds_case {
    const char *text;
    int result;
    double seconds;
};

Test(number, reads_durations_with_a_unit)
{
    static const struct seconds_case cases[] = {
        {"0", 0, 0},
        {"5", 0, 5},
        {"0.5", 0, 0.5},
        {".25", 0, 0.25},
        {"1.", 0, 1},
        {"1.5s", 0, 1.5},
        {"500ms", 0, 0.5},
        {"2m", 0, 120},
        {"1.5h", 0, 5400},
        {"7d", 0, 604800},
        {"36600d", 0, 36600 * 86400.0},
        {"36601d", -ERANGE, 0},
        {"99999999999999999999", -ERANGE, 0},
        {"", -EINVAL, 0},
        {".", -EINVAL, 0},
        {".s", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"inf", -EINVAL, 0},
        {"nan", -EINVAL, 0},
        {"1,5", -EINVAL, 0},
        {"1.2.3", -EINVAL, 0},
        {"1 s", -EINVAL, 0},
        {"5S", -EINVAL, 0},
        {"5min", -EINVAL, 0},
        {"1h30m", -EINVAL, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double seconds = 12345;
        double expected = cases[i].result ? 12345 : cases[i].seconds;
        int result = number_read_seconds(cases[i].text, &seconds);
        cr_expect_eq(result, cases[i].result, "'%s': %d", cases[i].text, result);
        cr_expect_float_eq(seconds, expected, 1e-9, "'%s': %g", cases[i].text, seconds);
    }
}

Test(number, refuses_a_duration_of_a_thousand_digits)
{
    char text[1001];
    double seconds = 1;

    for (size_t i = 0; i < 1000; i++)
        text[i] = '9';
    text[1000] = '\0';
    cr_expect_eq(number_read_seconds(text, &seconds), -ERANGE);
    cr_expect_float_eq(seconds, 1, 0);
}

static const struct seconds_case rates[] = {
    {"1/s", 0, 1},
    {"5/s", 0, 0.2},
    {"100/m", 0, 0.6},
    {"20/h", 0, 180},
    {"3/d", 0, 28800},
    {"1/ms", 0, 0.001},
    {"1/10s", 0, 10},
    {"5/10s", 0, 2},
    {"1/500ms", 0, 0.5},
    {"2/15m", 0, 450},
    {"1/7d", 0, 604800},
    {"0.5/s", 0, 2},
    {".5/s", 0, 2},
    {"2.5/10s", 0, 4},
    {"0.001/s", 0, 1000},
    {"1000000/s", 0, 1e-6},
    {"1/36600d", 0, 36600 * 86400.0},
    {"1/36601d", -ERANGE, 0},
    {"0.5/36600d", -ERANGE, 0},
    {"2000000/s", -ERANGE, 0},
    {"2000/ms", -ERANGE, 0},
    {"1/99999999999999999999d", -ERANGE, 0},
    {"", -EINVAL, 0},
    {"/", -EINVAL, 0},
    {"/s", -EINVAL, 0},
    {"5", -EINVAL, 0},
    {"5/", -EINVAL, 0},
    {"5/10", -EINVAL, 0},
    {"5s", -EINVAL, 0},
    {"0/s", -EINVAL, 0},
    {"0.0/s", -EINVAL, 0},
    {"-1/s", -EINVAL, 0},
    {"+1/s", -EINVAL, 0},
    {"1/0s", -EINVAL, 0},
    {"1/-1s", -EINVAL, 0},
    {"1/+1s", -EINVAL, 0},
    {"1/1.5s", -EINVAL, 0},
    {"1/.5s", -EINVAL, 0},
    {"inf/s", -EINVAL, 0},
    {"nan/s", -EINVAL, 0},
    {"1/inf", -EINVAL, 0},
    {"1e3/s", -EINVAL, 0},
    {"0x10/s", -EINVAL, 0},
    {"./s", -EINVAL, 0},
    {"1,5/s", -EINVAL, 0},
    {"1 /s", -EINVAL, 0},
    {"1/ s", -EINVAL, 0},
    {"1/s ", -EINVAL, 0},
    {" 1/s", -EINVAL, 0},
    {"1/S", -EINVAL, 0},
    {"1/sec", -EINVAL, 0},
    {"1/min", -EINVAL, 0},
    {"1/w", -EINVAL, 0},
    {"1//s", -EINVAL, 0},
    {"1/s/s", -EINVAL, 0},
    {"a/s", -EINVAL, 0},
    {"1a/s", -EINVAL, 0},
};

Test(number, reads_rates_as_the_time_from_one_to_the_next)
{
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        double interval = 12345;
        double expected = rates[i].result ? 12345 : rates[i].seconds;
        int result = number_read_rate(rates[i].text, &interval);
        cr_expect_eq(result, rates[i].result, "'%s': %d", rates[i].text, result);
        cr_expect_float_eq(interval, expected, expected * 1e-12, "'%s': %g", rates[i].text,
                           interval);
    }
}

Test(number, refuses_a_rate_of_a_thousand_digits)
{
    char text[1003];
    double interval = 1;

    memset(text, '9', 1000);
    memcpy(text + 1000, "/s", 3);
    cr_expect_eq(number_read_rate(text, &interval), -ERANGE);
    cr_expect_eq(interval, 1);
}
