#include <criterion/criterion.h>

#include "flow/semaphore.h"

Test(semaphore, gives_out_its_limit_and_no_more)
{
    struct semaphore permits;

    semaphore_init(&permits, 3);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(semaphore_is_free(&permits));
        semaphore_take(&permits);
    }
    cr_expect(!semaphore_is_free(&permits));
    semaphore_give(&permits);
    cr_expect(semaphore_is_free(&permits));
    cr_expect_eq(permits.held, 2);
}

Test(semaphore, remembers_the_most_it_ever_held)
{
    struct semaphore permits;

    semaphore_init(&permits, 5);
    semaphore_take(&permits);
    semaphore_take(&permits);
    semaphore_give(&permits);
    semaphore_give(&permits);
    semaphore_take(&permits);
    cr_expect_eq(permits.peak, 2);
    cr_expect_eq(permits.held, 1);
}

Test(semaphore, gives_nothing_after_its_limit_was_lowered_until_enough_came_back)
{
    struct semaphore permits;

    semaphore_init(&permits, 4);
    for (unsigned i = 0; i < 4; i++)
        semaphore_take(&permits);
    permits.limit = 2;
    semaphore_give(&permits);
    cr_expect(!semaphore_is_free(&permits));
    semaphore_give(&permits);
    cr_expect(!semaphore_is_free(&permits));
    semaphore_give(&permits);
    cr_expect(semaphore_is_free(&permits));
}
