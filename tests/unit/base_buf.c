#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

Test(buf, is_an_empty_string_before_the_first_byte)
{
    struct buf buf;

    buf_init(&buf);
    cr_expect_str_eq(buf.data, "");
    cr_expect_eq(buf.len, 0);
    buf_clear(&buf);
    buf_add(&buf, NULL, 0);
    buf_extend(&buf, 0);
    buf_drop(&buf, 0);
    cr_expect_str_eq(buf.data, "");
    buf_release(&buf);
}

Test(buf, keeps_nul_bytes_and_ends_in_one_that_does_not_count)
{
    struct buf buf;

    buf_init(&buf);
    buf_add(&buf, "a\0b", 3);
    buf_add_char(&buf, '\0');
    cr_expect_eq(buf.len, 4);
    cr_expect_arr_eq(buf.data, "a\0b\0", 5);
    buf_release(&buf);
}

Test(buf, keeps_what_it_holds_as_it_grows)
{
    enum { BYTES = 100 * 1000 };
    struct buf buf;

    buf_init(&buf);
    bool ends_well = true, is_same = true;
    for (size_t i = 0; i < BYTES; i++) {
        buf_add_char(&buf, (char)(i % 251));
        ends_well = ends_well && buf.len < buf.capacity && buf.data[buf.len] == '\0';
    }
    for (size_t i = 0; i < BYTES; i++)
        is_same = is_same && buf.data[i] == (char)(i % 251);
    cr_expect_eq(buf.len, BYTES);
    cr_expect(ends_well);
    cr_expect(is_same);
    buf_release(&buf);
}

Test(buf, shows_only_what_was_written_into_a_reserved_place)
{
    struct buf buf;

    buf_init(&buf);
    buf_add_text(&buf, "ab");
    memcpy(buf_reserve(&buf, 1000), "cdXX", 4);
    buf_extend(&buf, 2);
    cr_expect_str_eq(buf.data, "abcd");
    cr_expect_eq(buf.len, 4);
    buf_release(&buf);
}

Test(buf, formats_text_longer_than_its_capacity)
{
    struct buf buf;

    buf_init(&buf);
    buf_addf(&buf, "%0500d", 7);
    buf_addf(&buf, "%s", "");
    cr_expect_eq(buf.len, 500);
    cr_expect_str_eq(buf.data + 498, "07");
    buf_addf(&buf, "-%d-%s", 12, "end");
    cr_expect_str_eq(buf.data + 500, "-12-end");
    buf_release(&buf);
}

Test(buf, replaces_words_with_shorter_ones)
{
    struct buf buf;

    buf_init(&buf);
    buf_setf(&buf, "%s", "a long first message");
    buf_setf(&buf, "%s %d", "short", 2);
    cr_expect_str_eq(buf.data, "short 2");
    cr_expect_eq(buf.len, 7);
    buf_release(&buf);
}

Test(buf, drops_from_the_front)
{
    struct buf buf;

    buf_init(&buf);
    buf_add_text(&buf, "abcdef");
    buf_drop(&buf, 2);
    cr_expect_str_eq(buf.data, "cdef");
    buf_drop(&buf, 4);
    cr_expect_str_eq(buf.data, "");
    cr_expect_eq(buf.len, 0);
    buf_release(&buf);
}

Test(buf, gives_its_bytes_away_and_starts_anew)
{
    struct buf buf;

    buf_init(&buf);
    char *nothing = buf_take(&buf);
    cr_expect_str_eq(nothing, "");
    buf_add_text(&buf, "first");
    char *first = buf_take(&buf);
    buf_add_text(&buf, "second");
    cr_expect_str_eq(first, "first");
    cr_expect_str_eq(buf.data, "second");
    free(nothing);
    free(first);
    buf_release(&buf);
}

Test(buf, can_be_used_again_after_its_release)
{
    struct buf buf;

    buf_init(&buf);
    buf_add_text(&buf, "x");
    buf_release(&buf);
    cr_expect_str_eq(buf.data, "");
    buf_add_text(&buf, "y");
    cr_expect_str_eq(buf.data, "y");
    buf_release(&buf);
}
