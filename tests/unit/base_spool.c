#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/spool.h"
#include "scratch.h"

#define BLOCK ((size_t)SPOOL_BLOCK_BYTES)

static uint32_t take(struct spool *spool, bool reserve)
{
    uint32_t block = UINT32_MAX;
    struct buf err;

    buf_init(&err);
    int result = spool_take(spool, reserve, &block, &err);
    cr_assert_eq(result, 0, "%d: %s", result, err.data);
    buf_release(&err);
    return block;
}

static int try(struct spool *spool, bool reserve)
{
    uint32_t block = 77;
    struct buf err;

    buf_init(&err);
    int result = spool_take(spool, reserve, &block, &err);
    if (result)
        cr_expect_eq(block, 77, "a failure leaves the result alone");
    buf_release(&err);
    return result;
}

/* The descriptor that the next open gets: the spool's, if that is what opens. */
static int next_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

Test(spool, makes_no_file_before_the_first_block)
{
    struct spool *spool = spool_new("/no/such/directory", 10 * BLOCK);
    struct buf err;
    uint32_t block = 77;

    buf_init(&err);
    cr_expect_eq(spool_used_bytes(spool), 0);
    cr_expect_eq(spool_take(spool, false, &block, &err), -ENOENT);
    cr_expect_not_null(strstr(err.data, "/no/such/directory"), "%s", err.data);
    cr_expect_eq(block, 77);
    cr_expect_eq(spool_used_bytes(spool), 0);
    buf_release(&err);
    spool_free(spool);
}

Test(spool, leaves_no_name_behind)
{
    struct scratch *scratch = scratch_new();
    struct spool *spool = spool_new(scratch_dir(scratch), BLOCK);
    int fd = next_descriptor();
    struct stat status;

    take(spool, false);
    cr_assert_eq(fstat(fd, &status), 0);
    cr_expect(S_ISREG(status.st_mode));
    cr_expect_eq(status.st_nlink, 0);
    cr_expect_eq(scratch_count(scratch, ""), 0);
    spool_free(spool);
    cr_expect_eq(fstat(fd, &status), -1, "the descriptor is back");
    scratch_free(scratch);
}

Test(spool, gives_as_many_blocks_as_fit_and_as_many_again_in_reserve)
{
    static const struct {
        uint64_t bytes;
        unsigned blocks;
    } cases[] = {{0, 0}, {BLOCK - 1, 0}, {BLOCK, 1}, {2 * BLOCK - 1, 1}, {5 * BLOCK, 5}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spool *spool = spool_new("/tmp", cases[i].bytes);
        for (unsigned k = 0; k < cases[i].blocks; k++)
            take(spool, false);
        cr_expect_eq(try(spool, false), -ENOBUFS, "%zu", i);
        for (unsigned k = 0; k < cases[i].blocks; k++)
            take(spool, true);
        cr_expect_eq(try(spool, true), -ENOBUFS, "%zu", i);
        cr_expect_eq(spool_used_bytes(spool), (uint64_t)2 * BLOCK * cases[i].blocks);
        spool_free(spool);
    }
}

Test(spool, has_a_reserve_of_another_size_where_that_is_said)
{
    static const struct {
        size_t bytes;
        unsigned blocks;
    } cases[] = {{0, 0}, {1, 1}, {BLOCK, 1}, {BLOCK + 1, 2}, {5 * BLOCK, 5}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spool *spool = spool_new("/tmp", BLOCK);
        spool_set_reserve(spool, cases[i].bytes);
        take(spool, false);
        cr_expect_eq(try(spool, false), -ENOBUFS, "%zu", i);
        for (unsigned k = 0; k < cases[i].blocks; k++)
            take(spool, true);
        cr_expect_eq(try(spool, true), -ENOBUFS, "%zu", i);
        spool_free(spool);
    }
}

Test(spool, keeps_the_reserve_from_others_until_enough_came_back)
{
    struct spool *spool = spool_new("/tmp", 2 * BLOCK);
    uint32_t blocks[3];

    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        blocks[i] = take(spool, true);
    cr_expect_eq(try(spool, false), -ENOBUFS);
    spool_give(spool, blocks[0]);
    cr_expect_eq(try(spool, false), -ENOBUFS);
    spool_give(spool, blocks[1]);
    cr_expect_eq(try(spool, false), 0);
    spool_free(spool);
}

Test(spool, uses_a_block_that_came_back_before_a_new_one)
{
    struct spool *spool = spool_new("/tmp", 10 * BLOCK);
    bool taken[5] = {false};

    for (uint32_t i = 0; i < 5; i++)
        taken[take(spool, false)] = true;
    spool_give(spool, 1);
    spool_give(spool, 3);
    taken[1] = taken[3] = false;
    for (int i = 0; i < 2; i++) {
        uint32_t block = take(spool, false);
        cr_assert_lt(block, 5);
        cr_expect(!taken[block], "block %u was given out twice", block);
        taken[block] = true;
    }
    cr_expect_eq(take(spool, false), 5);
    spool_free(spool);
}

Test(spool, gives_its_disk_space_back_when_it_is_empty)
{
    struct spool *spool = spool_new("/tmp", 10 * BLOCK);
    char *bytes = xcalloc(1, BLOCK);
    int fd = next_descriptor();
    struct stat status;
    struct buf err;

    buf_init(&err);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(spool_write(spool, take(spool, false), 0, bytes, BLOCK, &err), 0);
    cr_assert_eq(fstat(fd, &status), 0);
    cr_expect_eq(status.st_size, 3 * BLOCK);
    spool_give(spool, 0);
    spool_give(spool, 2);
    cr_assert_eq(fstat(fd, &status), 0);
    cr_expect_eq(status.st_size, 3 * BLOCK, "not while a block is in use");
    spool_give(spool, 1);
    cr_assert_eq(fstat(fd, &status), 0);
    cr_expect_eq(status.st_size, 0);
    cr_expect_eq(take(spool, false), 0, "and begins anew");
    cr_expect_eq(take(spool, false), 1);
    free(bytes);
    buf_release(&err);
    spool_free(spool);
}

Test(spool, reads_what_was_written_where_it_was_written)
{
    struct spool *spool = spool_new("/tmp", 10 * BLOCK);
    uint32_t first = take(spool, false), second = take(spool, false);
    char got[8] = "";
    struct buf err;

    buf_init(&err);
    cr_expect_eq(spool_write(spool, second, BLOCK - 3, "two", 3, &err), 0);
    cr_expect_eq(spool_write(spool, first, 0, "one", 3, &err), 0);
    cr_expect_eq(spool_read(spool, second, BLOCK - 3, got, 3, &err), 0);
    cr_expect_str_eq(got, "two");
    cr_expect_eq(spool_read(spool, first, 1, got, 2, &err), 0);
    cr_expect_arr_eq(got, "ne", 2);
    buf_release(&err);
    spool_free(spool);
}

Test(spool, says_so_when_there_is_nothing_where_it_reads)
{
    struct spool *spool = spool_new("/tmp", 10 * BLOCK);
    char got[8];
    struct buf err;

    buf_init(&err);
    cr_expect_eq(spool_read(spool, take(spool, false), 0, got, 8, &err), -EIO);
    cr_expect_not_null(strstr(err.data, "cannot read the spool in /tmp"), "%s", err.data);
    buf_release(&err);
    spool_free(spool);
}

Test(spool, says_so_when_the_disk_takes_no_more)
{
    struct spool *spool = spool_new("/tmp", 10 * BLOCK);
    struct rlimit before;
    struct buf err;

    buf_init(&err);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {.rlim_cur = 10, .rlim_max = before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int result = spool_write(spool, take(spool, false), 8, "abcd", 4, &err);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    cr_expect_eq(result, -EFBIG);
    cr_expect_not_null(strstr(err.data, "cannot write the spool in /tmp"), "%s", err.data);
    buf_release(&err);
    spool_free(spool);
}

Test(spool, is_roomy_while_at_most_half_of_it_is_taken)
{
    struct spool *spool = spool_new("/tmp", 4 * BLOCK);

    cr_expect(spool_is_roomy(spool));
    take(spool, false);
    uint32_t second = take(spool, false);
    cr_expect(spool_is_roomy(spool));
    uint32_t third = take(spool, false);
    cr_expect(!spool_is_roomy(spool));
    spool_give(spool, third);
    cr_expect(spool_is_roomy(spool));
    spool_give(spool, second);
    cr_expect(spool_is_roomy(spool));
    spool_free(spool);
}

Test(spool, can_be_freed_without_being)
{
    struct spool *spool = spool_new("/tmp", 0);

    spool_free(NULL);
    cr_expect_eq(try(spool, true), -ENOBUFS);
    spool_free(spool);
}
