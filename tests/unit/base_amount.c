#include <criterion/criterion.h>

#include "base/amount.h"
#include "base/buf.h"

static void expect(void (*add)(double, struct buf *), double amount, const char *text)
{
    struct buf out;

    buf_init(&out);
    add(amount, &out);
    cr_expect_str_eq(out.data, text);
    buf_release(&out);
}

Test(amount, of_bytes_is_told_in_the_unit_that_fits)
{
    expect(amount_add_bytes, 0, "0 B");
    expect(amount_add_bytes, 1023, "1023 B");
    expect(amount_add_bytes, 1536, "1.5 KiB");
    expect(amount_add_bytes, 3.0 * (1 << 30), "3.0 GiB");
    expect(amount_add_bytes, 5000.0 * 1024 * (1 << 30), "5000.0 TiB");
}

Test(amount, of_time_is_told_in_the_unit_that_fits)
{
    expect(amount_add_duration, 0.00004, "40 us");
    expect(amount_add_duration, 0.00125, "1.25 ms");
    expect(amount_add_duration, 3.2, "3.2 s");
    expect(amount_add_duration, 1234.5, "1234 s");
}

Test(amount, of_time_to_wait_is_told_as_a_clock_does)
{
    expect(amount_add_wait, -1, "0:00");
    expect(amount_add_wait, 27.2, "0:28");
    expect(amount_add_wait, 59.5, "1:00");
    expect(amount_add_wait, 3723, "1:02:03");
    expect(amount_add_wait, 187200, "2d 04h");
    expect(amount_add_wait, 1e30, "10000d 00h");
}

Test(amount, of_a_rate_has_no_more_digits_than_it_needs)
{
    expect(amount_add_rate, 0, "0/s");
    expect(amount_add_rate, 0.5, "0.5/s");
    expect(amount_add_rate, 31.234, "31.2/s");
    expect(amount_add_rate, 1204.4, "1204/s");
}
