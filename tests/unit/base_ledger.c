#include <criterion/criterion.h>

#include "base/ledger.h"

static struct key key_number(uint64_t number)
{
    uint64_t mixed = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return (struct key){.high = mixed ^ mixed >> 29, .low = mixed * UINT64_C(0xbf58476d1ce4e5b9)};
}

static void add(struct ledger *ledger, uint64_t number, enum ledger_kind kind)
{
    struct key key = key_number(number);

    ledger_add(ledger, &key, kind);
}

static bool take(struct ledger *ledger, uint64_t number, enum ledger_kind kind)
{
    struct key key = key_number(number);

    return ledger_take(ledger, &key, kind);
}

Test(ledger, holds_nothing_at_first)
{
    struct ledger ledger = {0};

    cr_expect_not(take(&ledger, 1, LEDGER_OK), "it was never made");
    ledger_init(&ledger, 0);
    cr_expect_not(take(&ledger, 1, LEDGER_OK));
    cr_expect_not(take(&ledger, 1, LEDGER_FAILED));
    cr_expect_eq(ledger.requests, 0);
    ledger_release(&ledger);
    cr_expect_not(take(&ledger, 1, LEDGER_OK));
}

Test(ledger, gives_back_each_as_often_as_it_was_added)
{
    struct ledger ledger;

    ledger_init(&ledger, 8);
    for (int i = 0; i < 3; i++)
        add(&ledger, 1, LEDGER_OK);
    add(&ledger, 2, LEDGER_OK);
    cr_expect_eq(ledger.requests, 4);
    for (int i = 0; i < 3; i++)
        cr_expect(take(&ledger, 1, LEDGER_OK), "time %d", i);
    cr_expect_not(take(&ledger, 1, LEDGER_OK));
    cr_expect(take(&ledger, 2, LEDGER_OK));
    cr_expect_not(take(&ledger, 2, LEDGER_OK));
    cr_expect_eq(ledger.requests, 0);
    add(&ledger, 1, LEDGER_OK);
    cr_expect(take(&ledger, 1, LEDGER_OK), "what was taken may come again");
    ledger_release(&ledger);
}

Test(ledger, keeps_what_failed_apart)
{
    struct ledger ledger;

    ledger_init(&ledger, 8);
    add(&ledger, 1, LEDGER_OK);
    add(&ledger, 2, LEDGER_FAILED);
    cr_expect_not(take(&ledger, 1, LEDGER_FAILED));
    cr_expect_not(take(&ledger, 2, LEDGER_OK));
    add(&ledger, 1, LEDGER_FAILED);
    cr_expect(take(&ledger, 1, LEDGER_OK));
    cr_expect_not(take(&ledger, 1, LEDGER_OK));
    cr_expect(take(&ledger, 1, LEDGER_FAILED));
    cr_expect(take(&ledger, 2, LEDGER_FAILED));
    add(&ledger, 2, LEDGER_OUTPUT);
    cr_expect_not(take(&ledger, 2, LEDGER_FAILED));
    cr_expect_not(take(&ledger, 2, LEDGER_OK));
    cr_expect(take(&ledger, 2, LEDGER_OUTPUT));
    cr_expect_eq(ledger.requests, 0);
    ledger_release(&ledger);
}

Test(ledger, knows_a_key_of_zeros)
{
    struct key zeros = {0}, near = {.low = 1};
    struct ledger ledger;

    ledger_init(&ledger, 8);
    ledger_add(&ledger, &zeros, LEDGER_OK);
    cr_expect_not(ledger_take(&ledger, &zeros, LEDGER_FAILED));
    cr_expect(ledger_take(&ledger, &zeros, LEDGER_OK));
    cr_expect_not(ledger_take(&ledger, &near, LEDGER_OK));
    ledger_release(&ledger);
}

/* The bits that are kept all tell keys apart. */
Test(ledger, tells_apart_keys_that_differ_in_one_bit)
{
    struct key base = {.high = UINT64_C(0x0123456789abcdef), .low = UINT64_C(0xfedcba9876543210)};
    struct ledger ledger;

    ledger_init(&ledger, 8);
    ledger_add(&ledger, &base, LEDGER_OK);
    for (unsigned bit = 0; bit < 94; bit++) {
        struct key other = base;
        if (bit < 64)
            other.high ^= UINT64_C(1) << bit;
        else
            other.low ^= UINT64_C(1) << (63 - (bit - 64));
        cr_expect_not(ledger_take(&ledger, &other, LEDGER_OK), "bit %u", bit);
    }
    cr_expect(ledger_take(&ledger, &base, LEDGER_OK));
    ledger_release(&ledger);
}

/* Every third twice, every fifth a failure; half of them taken before the other half comes. */
Test(ledger, grows_and_forgets_nothing)
{
    enum { N = 50000 };
    struct ledger ledger;

    ledger_init(&ledger, 0);
    for (uint64_t i = 0; i < N; i++) {
        add(&ledger, i, i % 5 == 0 ? LEDGER_FAILED : LEDGER_OK);
        if (i % 3 == 0)
            add(&ledger, i, i % 5 == 0 ? LEDGER_FAILED : LEDGER_OK);
        if (i % 2 == 0)
            cr_assert(take(&ledger, i, i % 5 == 0 ? LEDGER_FAILED : LEDGER_OK));
    }
    for (uint64_t i = 0; i < N; i++) {
        enum ledger_kind kind = i % 5 == 0 ? LEDGER_FAILED : LEDGER_OK;
        int left = 1 + (i % 3 == 0) - (i % 2 == 0);
        for (; left > 0; left--)
            cr_assert(take(&ledger, i, kind), "%u is lost", (unsigned)i);
        cr_assert_not(take(&ledger, i, LEDGER_OK), "%u is there too often", (unsigned)i);
        cr_assert_not(take(&ledger, i, LEDGER_FAILED));
    }
    cr_expect_eq(ledger.requests, 0);
    ledger_release(&ledger);
}

/* Taking and adding over and over is no reason to grow for ever. */
Test(ledger, stays_small_where_few_are_there_at_a_time)
{
    struct ledger ledger;

    ledger_init(&ledger, 100);
    for (uint64_t i = 0; i < 100000; i++) {
        add(&ledger, i % 100, LEDGER_OK);
        cr_assert(take(&ledger, i % 100, LEDGER_OK));
    }
    cr_expect_leq(ledger.capacity, 256, "%zu", ledger.capacity);
    ledger_release(&ledger);
}

/* Told how many are to come it neither grows nor takes more than 32 bytes for each. */
Test(ledger, takes_at_most_32_bytes_for_each_request)
{
    static const size_t sizes[] = {1, 47, 48, 49, 1000, 4095, 4096, 4097, 65536, 100003};

    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct ledger ledger;
        ledger_init(&ledger, sizes[s]);
        size_t capacity = ledger.capacity;
        for (uint64_t i = 0; i < sizes[s]; i++)
            add(&ledger, i, i % 2 ? LEDGER_OK : LEDGER_FAILED);
        cr_expect_eq(ledger.capacity, capacity, "%zu made it grow", sizes[s]);
        cr_expect_leq(capacity * 16, 32 * sizes[s] + 1024, "%zu", sizes[s]);
        for (uint64_t i = 0; i < sizes[s]; i++)
            cr_assert(take(&ledger, i, i % 2 ? LEDGER_OK : LEDGER_FAILED));
        ledger_release(&ledger);
    }
}

/* Not told, it keeps half full at least. */
Test(ledger, is_half_full_at_least_once_it_grew)
{
    struct ledger ledger;

    ledger_init(&ledger, 0);
    size_t before = ledger.capacity;
    for (uint64_t i = 0; i < 200000; i++) {
        add(&ledger, i, LEDGER_OK);
        if (ledger.capacity > before)
            cr_assert_leq(ledger.capacity, 2 * (i + 1) + 16, "at %u", (unsigned)i);
    }
    cr_expect_gt(ledger.capacity, before);
    ledger_release(&ledger);
}
