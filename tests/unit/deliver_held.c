#include <criterion/criterion.h>
#include <string.h>

#include "deliver/held.h"

static void add(struct held *held, const char *line, uint64_t position)
{
    buf_add_text(&held->lines, line);
    held_mark(held, position);
}

Test(held, is_ready_as_far_as_the_results_are_out)
{
    struct held held;

    held_init(&held);
    cr_expect_eq(held_ready(&held, UINT64_MAX), 0);
    held_drop(&held, 0);
    add(&held, "one\n", 10);
    add(&held, "two\n", 10);
    add(&held, "three\n", 25);
    cr_expect_eq(held_ready(&held, 9), 0);
    cr_expect_eq(held_ready(&held, 10), 8);
    cr_expect_eq(held_ready(&held, 24), 8);
    cr_expect_eq(held_ready(&held, 25), 14);
    held_release(&held);
}

Test(held, goes_on_behind_what_was_dropped)
{
    struct held held;

    held_init(&held);
    add(&held, "one\n", 10);
    add(&held, "two\n", 20);
    add(&held, "three\n", 30);
    held_drop(&held, held_ready(&held, 20));
    cr_expect_str_eq(held.lines.data, "three\n");
    cr_expect_eq(held_ready(&held, 29), 0);
    add(&held, "four\n", 30);
    add(&held, "five\n", 40);
    cr_expect_eq(held_ready(&held, 30), 11);
    held_drop(&held, 11);
    cr_expect_str_eq(held.lines.data, "five\n");
    cr_expect_eq(held_ready(&held, 40), 5);
    held_release(&held);
}

Test(held, says_when_it_is_full)
{
    struct held held;

    held_init(&held);
    memset(buf_reserve(&held.lines, HELD_BYTES_MAX), 'x', HELD_BYTES_MAX);
    buf_extend(&held.lines, HELD_BYTES_MAX - 1);
    held_mark(&held, 1);
    cr_expect(held_has_room(&held));
    add(&held, "\n", 2);
    cr_expect_not(held_has_room(&held));
    held_drop(&held, held_ready(&held, 1));
    cr_expect(held_has_room(&held));
    held_release(&held);
}
