#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/body.h"
#include "base/spool.h"

#define BLOCK ((size_t)SPOOL_BLOCK_BYTES)

/* What byte stands at a place: two bodies differ in it, and so do neighbouring blocks. */
static char byte_at(unsigned seed, uint64_t place)
{
    return (char)(place * 7 + place / BLOCK + seed);
}

static void start(struct store *store, uint64_t memory, uint64_t spool)
{
    store_init(store, spool_new("/tmp", spool), memory);
}

static int add(struct body *body, struct store *store, unsigned seed, size_t len, bool reserve)
{
    char *bytes = xmalloc(len);
    struct buf err;

    buf_init(&err);
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(seed, body->size + i);
    int result = body_add(body, store, bytes, len, reserve, &err);
    free(bytes);
    buf_release(&err);
    return result;
}

static bool is_right(const char *bytes, size_t len, unsigned seed, uint64_t place)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != byte_at(seed, place + i))
            return false;
    }
    return true;
}

/* Reads it by pieces of `max` bytes: what it is must be there, whole and once. */
static void check(const struct body *body, const struct store *store, unsigned seed, size_t max)
{
    char *bytes = xmalloc(max);
    struct body_cursor cursor = {0};
    uint64_t place = 0;
    struct buf err;
    ssize_t got;

    buf_init(&err);
    while ((got = body_read(body, store, &cursor, bytes, max, &err)) > 0) {
        if ((size_t)got > max || !is_right(bytes, (size_t)got, seed, place))
            cr_assert_fail("%zd of at most %zu at %lu", got, max, (unsigned long)place);
        place += (uint64_t)got;
    }
    cr_expect_eq(got, 0, "%s", err.data);
    cr_expect_eq(place, body->size);
    cr_expect_eq(body_read(body, store, &cursor, bytes, max, &err), 0, "the end stays the end");
    free(bytes);
    buf_release(&err);
}

Test(body, is_read_as_empty_when_nothing_came)
{
    struct store store;
    struct body body = {0};

    start(&store, 1000, 0);
    check(&body, &store, 1, 10);
    cr_expect_eq(add(&body, &store, 1, 0, false), 0);
    check(&body, &store, 1, 10);
    body_clear(&body, &store);
    store_release(&store);
}

Test(body, reads_the_same_by_any_pieces_from_memory_through_the_spool)
{
    static const size_t adds[] = {1, 100, 16384, 3, BLOCK, 2 * BLOCK + 17, 1, 40000};
    static const uint64_t memories[] = {0, 1, 150, 20000, 100000, 1 << 20};
    static const size_t pieces[] = {7, 1000, 4096, BLOCK, 10 * BLOCK};

    for (size_t m = 0; m < ARRAY_LEN(memories); m++) {
        struct store store;
        struct body body = {0};
        start(&store, memories[m], 100 * BLOCK);
        uint64_t size = 0;
        for (size_t i = 0; i < ARRAY_LEN(adds); i++) {
            cr_assert_eq(add(&body, &store, 3, adds[i], false), 0);
            size += adds[i];
            cr_assert_eq(body.size, size);
            cr_assert_leq(store.memory_used, store.memory_max);
        }
        for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
            check(&body, &store, 3, pieces[i]);
        body_clear(&body, &store);
        cr_expect_eq(store.memory_used, 0);
        cr_expect_eq(spool_used_bytes(store.spool), 0);
        store_release(&store);
    }
}

Test(body, uses_the_memory_before_the_spool)
{
    struct store store;
    struct body body = {0};

    start(&store, 1 << 20, 100 * BLOCK);
    for (int i = 0; i < 50; i++)
        cr_assert_eq(add(&body, &store, 1, 16384, false), 0);
    cr_expect_eq(body.spooled, 0);
    cr_expect_eq(spool_used_bytes(store.spool), 0);
    body_clear(&body, &store);
    store_release(&store);
}

Test(body, takes_little_more_memory_than_it_has_bytes_when_it_is_small)
{
    struct store store;
    struct body body = {0};

    start(&store, 1 << 20, 0);
    cr_expect_eq(add(&body, &store, 1, 100, false), 0);
    cr_expect_leq(store.memory_used, 200);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(add(&body, &store, 1, 100, false), 0);
    cr_expect_leq(store.memory_used, 2 * body.size + 200);
    body_clear(&body, &store);
    store_release(&store);
}

Test(body, stays_in_the_spool_though_memory_comes_back)
{
    struct store store;
    struct body first = {0}, second = {0};

    start(&store, 2000, 10 * BLOCK);
    cr_assert_eq(add(&first, &store, 1, 1500, false), 0);
    cr_assert_eq(add(&second, &store, 2, 1000, false), 0);
    cr_expect_eq(second.spooled, 1000);
    body_clear(&first, &store);
    cr_assert_eq(add(&second, &store, 2, 1000, false), 0);
    cr_expect_eq(second.spooled, 2000, "its bytes are in one order");
    check(&second, &store, 2, 300);
    body_clear(&second, &store);
    store_release(&store);
}

Test(body, grows_beside_others_without_mixing_with_them)
{
    enum { BODIES = 5 };
    struct store store;
    struct body bodies[BODIES] = {0};

    start(&store, 50000, 40 * BLOCK);
    for (unsigned round = 0; round < 30; round++) {
        for (unsigned i = 0; i < BODIES; i++)
            cr_assert_eq(add(&bodies[i], &store, i, 1000 * (i + 1) + round, false), 0);
    }
    body_clear(&bodies[1], &store);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(add(&bodies[1], &store, 1, BLOCK, false), 0);
    for (unsigned i = 0; i < BODIES; i++)
        check(&bodies[i], &store, i, 5000);
    for (unsigned i = 0; i < BODIES; i++)
        body_clear(&bodies[i], &store);
    cr_expect_eq(spool_used_bytes(store.spool), 0);
    store_release(&store);
}

Test(body, takes_all_or_nothing_where_room_runs_out)
{
    struct store store;
    struct body body = {0};

    start(&store, 1000, 2 * BLOCK);
    cr_assert_eq(add(&body, &store, 1, 900, false), 0);
    uint64_t memory = store.memory_used;
    cr_expect_eq(add(&body, &store, 1, 2 * BLOCK + 1, false), -ENOBUFS);
    cr_expect_eq(body.size, 900);
    cr_expect_eq(store.memory_used, memory);
    cr_expect_eq(spool_used_bytes(store.spool), 0, "the blocks it took are back");
    check(&body, &store, 1, 1000);
    cr_expect_eq(add(&body, &store, 1, 2 * BLOCK, false), 0, "it fits to the last byte");
    check(&body, &store, 1, 1000);
    cr_expect_eq(add(&body, &store, 1, 1, false), -ENOBUFS);
    check(&body, &store, 1, BLOCK);
    body_clear(&body, &store);
    store_release(&store);
}

Test(body, takes_all_or_nothing_where_the_disk_fails_between_two_blocks)
{
    struct rlimit before;
    struct store store;
    struct body body = {0};

    start(&store, 0, 10 * BLOCK);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {.rlim_cur = BLOCK, .rlim_max = before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_eq(add(&body, &store, 1, 100, false), 0);
    int result = add(&body, &store, 1, BLOCK, false);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    cr_expect_eq(result, -EFBIG);
    cr_expect(!store.pressed, "that is trouble, not want of room");
    cr_expect_eq(body.size, 100, "%lu", (unsigned long)body.size);
    check(&body, &store, 1, BLOCK);
    body_clear(&body, &store);
    store_release(&store);
}

Test(body, goes_on_in_the_reserve_when_it_is_next_in_order)
{
    struct store store;
    struct body other = {0}, next = {0};

    start(&store, 0, 2 * BLOCK);
    cr_assert_eq(add(&other, &store, 1, 2 * BLOCK, false), 0);
    cr_expect_eq(add(&next, &store, 2, 1, false), -ENOBUFS);
    cr_expect_eq(add(&next, &store, 2, 2 * BLOCK, true), 0);
    cr_expect_eq(add(&next, &store, 2, 1, true), -ENOBUFS, "the reserve has an end too");
    check(&other, &store, 1, BLOCK);
    check(&next, &store, 2, BLOCK);
    body_clear(&other, &store);
    body_clear(&next, &store);
    store_release(&store);
}

Test(body, reports_what_the_spool_could_not_do)
{
    struct store store;
    struct body body = {0};
    struct buf err;

    buf_init(&err);
    store_init(&store, spool_new("/no/such/directory", 10 * BLOCK), 0);
    cr_expect_eq(body_add(&body, &store, "abc", 3, false, &err), -ENOENT);
    cr_expect_not_null(strstr(err.data, "/no/such/directory"), "%s", err.data);
    cr_expect_eq(body.size, 0);
    cr_expect(!store.pressed);
    body_clear(&body, &store);
    buf_release(&err);
    store_release(&store);
}

Test(body, can_be_filled_again_after_it_was_cleared)
{
    struct store store;
    struct body body = {0};

    start(&store, 1000, 10 * BLOCK);
    cr_assert_eq(add(&body, &store, 1, 5000, false), 0);
    body_clear(&body, &store);
    cr_expect_eq(body.size, 0);
    cr_assert_eq(add(&body, &store, 9, 900, false), 0);
    cr_expect_eq(body.spooled, 0, "memory is back");
    check(&body, &store, 9, 100);
    body_clear(&body, &store);
    body_clear(&body, &store);
    store_release(&store);
}

Test(store, has_room_until_a_body_found_none_and_again_when_half_the_spool_is_free)
{
    struct store store;
    struct body bodies[4] = {0};

    start(&store, 0, 4 * BLOCK);
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(add(&bodies[i], &store, i, BLOCK, false), 0);
    cr_expect(store_has_room(&store), "full, but nobody was turned away");
    cr_expect_eq(add(&bodies[0], &store, 0, 1, false), -ENOBUFS);
    cr_expect(!store_has_room(&store));
    body_clear(&bodies[0], &store);
    cr_expect(!store_has_room(&store), "one block free is not enough");
    body_clear(&bodies[1], &store);
    cr_expect(store_has_room(&store));
    cr_assert_eq(add(&bodies[0], &store, 0, BLOCK, false), 0);
    cr_expect(store_has_room(&store), "over half again, but not pressed");
    for (unsigned i = 0; i < 4; i++)
        body_clear(&bodies[i], &store);
    store_release(&store);
}

/* What is held beside bodies, as it grows, takes these away in turn. */
Test(store, stops_bodies_then_reading_then_starting_as_it_fills)
{
    struct store store;
    struct body body = {0};
    const uint64_t memory = UINT64_C(63) << 20, limit = memory + STORE_FLOOR;

    start(&store, memory, 100 * BLOCK);
    cr_expect(store_may_read(&store));
    store_hold(&store, limit / 2);
    cr_expect(!store_may_read(&store), "lines may hold half of it");
    cr_expect_eq(store_body_max(&store), limit / 8 * 3);
    store.memory_used = limit / 8 * 3;
    cr_expect_eq(add(&body, &store, 1, 1, false), 0);
    cr_expect_eq(body.spooled, 1);
    cr_expect(store_has_room(&store));
    cr_expect(store_may_hold(&store, limit / 8));
    cr_expect(!store_may_hold(&store, limit / 8 + 1));
    store_hold(&store, limit / 8);
    cr_expect(!store_has_room(&store));
    store_give(&store, limit / 8 * 5);
    store.memory_used = 0;
    cr_expect(store_has_room(&store));
    body_clear(&body, &store);
    store_release(&store);
}

Test(store, lends_a_mebibyte_beside_bodies_where_there_is_no_memory)
{
    struct store store;

    start(&store, 0, 0);
    cr_expect_eq(store_body_max(&store), 0);
    cr_expect(store_may_read(&store));
    cr_expect(store_may_hold(&store, STORE_FLOOR));
    cr_expect(!store_may_hold(&store, STORE_FLOOR + 1));
    store_release(&store);
}
