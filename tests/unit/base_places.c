#include <criterion/criterion.h>

#include "base/places.h"

static struct key key_number(uint64_t number)
{
    uint64_t mixed = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return (struct key){.high = mixed, .low = ~mixed * 3};
}

Test(places, of_many_keys_are_all_found)
{
    enum { KEYS = 20000 };
    struct places places = {0};
    uint64_t offset;

    for (uint64_t i = 0; i < KEYS; i++) {
        struct key key = key_number(i);
        places_put(&places, &key, i * 7);
    }
    for (uint64_t i = 0; i < KEYS; i++) {
        struct key key = key_number(i);
        cr_assert(places_find(&places, &key, &offset), "%u", (unsigned)i);
        cr_assert_eq(offset, i * 7);
    }
    struct key other = key_number(KEYS);
    cr_expect_not(places_find(&places, &other, &offset));
    cr_expect_eq(places.used, KEYS);
    cr_expect_leq(places.capacity, (size_t)2 * KEYS, "the bound says so");
    places_release(&places);
}

Test(places, put_again_stand_for_the_later_one)
{
    struct places places = {0};
    struct key key = key_number(1);
    uint64_t offset = 7;

    cr_expect_not(places_find(&places, &key, &offset));
    places_put(&places, &key, 0);
    cr_assert(places_find(&places, &key, &offset));
    cr_expect_eq(offset, 0);
    places_put(&places, &key, 99);
    cr_assert(places_find(&places, &key, &offset));
    cr_expect_eq(offset, 99);
    cr_expect_eq(places.used, 1);
    places_release(&places);
}
