#include <criterion/criterion.h>

#include "base/buf.h"
#include "report/screen.h"

static struct screen screen;
static struct buf out;

static void begin(void)
{
    buf_init(&out);
}

static void release(void)
{
    buf_release(&out);
}

TestSuite(screen, .init = begin, .fini = release);

static void draw(size_t width, size_t first, size_t second)
{
    screen_begin(&screen, width, &out);
    screen_add_line(&screen, "one", first, &out);
    if (second)
        screen_add_line(&screen, "two", second, &out);
    screen_end(&screen, &out);
}

Test(screen, draws_its_lines_from_the_left)
{
    draw(80, 3, 3);
    cr_expect_str_eq(out.data, "\rone\033[K\r\ntwo\033[K\033[J");
}

Test(screen, draws_over_what_stands_there)
{
    draw(80, 3, 3);
    buf_clear(&out);
    draw(80, 3, 0);
    cr_expect_str_eq(out.data, "\r\033[1Aone\033[K\033[J");
}

Test(screen, takes_its_lines_away)
{
    draw(80, 3, 3);
    buf_clear(&out);
    screen_erase(&screen, 80, &out);
    cr_expect_str_eq(out.data, "\r\033[1A\033[J");
    buf_clear(&out);
    screen_erase(&screen, 80, &out);
    cr_expect_str_empty(out.data, "there are none any more");
}

/* Lines of 79 and 20 columns take two rows and one where there are 40. */
Test(screen, knows_that_a_narrower_terminal_has_broken_its_lines)
{
    draw(80, 79, 20);
    buf_clear(&out);
    draw(40, 3, 3);
    cr_expect_str_eq(out.data, "\r\033[2A\033[J\rone\033[K\r\ntwo\033[K\033[J");
}

Test(screen, forgets_lines_that_scrolled_away)
{
    draw(80, 3, 3);
    screen_forget(&screen);
    buf_clear(&out);
    draw(80, 3, 0);
    cr_expect_str_eq(out.data, "\rone\033[K\033[J");
}
