#include "deliver/cache.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/held.h"
#include "scratch.h"

static struct scratch *scratch;
static const char *path;

static void set_up(void)
{
    scratch = scratch_new();
    path = scratch_path(scratch, "cache");
}

static void tear_down(void)
{
    scratch_free(scratch);
}

TestSuite(cache_file, .init = set_up, .fini = tear_down);

static struct key key_number(uint64_t number)
{
    uint64_t mixed = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return (struct key){.high = mixed, .low = ~mixed * 3};
}

static struct cache *open_it(void)
{
    struct cache *cache = NULL;
    struct buf err;

    buf_init(&err);
    cr_assert_eq(cache_open(path, &cache, &err), 0, "%s", err.data);
    buf_release(&err);
    return cache;
}

static struct cache *begin(void)
{
    struct cache *cache = open_it();

    cr_assert_eq(cache_begin(cache), 0);
    return cache;
}

static struct cache_line line_of(uint64_t number, const char *etag)
{
    return (struct cache_line){.kind = CACHE_KEPT,
                               .key = key_number(number),
                               .modified = -1,
                               .etag = cache_text(etag),
                               .url = cache_text("http://x/")};
}

static void keep(struct cache *cache, uint64_t number, const char *etag)
{
    struct cache_line line = line_of(number, etag);

    cr_assert_eq(cache_write(cache, &line), 0);
}

/* NULL: nothing is kept. */
static void expect_kept(struct cache *cache, uint64_t number, const char *etag)
{
    struct key key = key_number(number);
    struct cache_line line;
    bool is_there = cache_find(cache, &key, &line);

    cr_expect_eq(is_there, etag != NULL, "%u", (unsigned)number);
    if (!is_there || !etag)
        return;
    char *plain = cache_text_plain(&line.etag);
    cr_expect_str_eq(plain, etag, "%u", (unsigned)number);
    free(plain);
}

static off_t size_of_file(void)
{
    struct stat status;

    cr_assert_eq(stat(path, &status), 0);
    return status.st_size;
}

Test(cache_file, keeps_the_last_of_each_key)
{
    struct cache *cache = begin();

    expect_kept(cache, 1, NULL);
    keep(cache, 1, "\"a\"");
    keep(cache, 2, "\"b\"");
    keep(cache, 1, "\"c\"");
    for (int i = 0; i < 3; i++) {
        expect_kept(cache, 1, "\"c\"");
        expect_kept(cache, 2, "\"b\"");
        expect_kept(cache, 3, NULL);
        cr_expect_eq(cache_tidy(cache), 0);
        cache_free(cache);
        cache = open_it();
    }
    cache_free(cache);
}

Test(cache_file, holds_lines_until_their_results_are_out)
{
    struct cache_line one = line_of(1, "\"a\""), two = line_of(2, "\"b\"");
    struct cache *cache = begin();
    off_t before = size_of_file();

    cache_add(cache, &one, 10);
    cache_add(cache, &two, 20);
    cr_expect_eq(cache_release(cache, 9), 0);
    cr_expect_eq(size_of_file(), before);
    cr_expect_eq(cache_release(cache, 10), 0);
    expect_kept(cache, 1, "\"a\"");
    expect_kept(cache, 2, NULL);
    cr_expect_eq(cache_release(cache, 20), 0);
    expect_kept(cache, 2, "\"b\"");
    cr_expect(cache_has_room(cache));
    cache_free(cache);
}

static void write_three(void)
{
    struct cache *cache = begin();

    keep(cache, 1, "\"a\"");
    keep(cache, 2, "\"b\"");
    keep(cache, 3, "\"c\"");
    cache_free(cache);
}

/* How many whole lines are in the first `len` bytes. */
static unsigned whole_lines(const struct blob *text, size_t len)
{
    unsigned lines = 0;

    for (size_t i = 0; i < len; i++)
        lines += text->at[i] == '\n';
    return lines;
}

Test(cache_file, cut_at_any_byte_is_good_up_to_its_last_whole_line)
{
    struct blob text = {0};

    write_three();
    cr_assert(scratch_read(scratch, "cache", &text));
    for (size_t len = 0; len <= text.len; len++) {
        unsigned lines = whole_lines(&text, len);
        scratch_write(scratch, "cache", text.at, len);
        struct cache *cache = begin();
        expect_kept(cache, 1, lines > 1 ? "\"a\"" : NULL);
        expect_kept(cache, 2, lines > 2 ? "\"b\"" : NULL);
        expect_kept(cache, 3, lines > 3 ? "\"c\"" : NULL);
        keep(cache, 4, "\"d\"");
        cache_free(cache);
        cache = open_it();
        expect_kept(cache, 1, lines > 1 ? "\"a\"" : NULL);
        expect_kept(cache, 4, "\"d\"");
        cache_free(cache);
    }
    blob_release(&text);
}

/* It loses that line, or is refused where it is the first. */
Test(cache_file, with_a_broken_byte_loses_that_line_alone)
{
    struct blob text = {0};

    write_three();
    cr_assert(scratch_read(scratch, "cache", &text));
    size_t head = strcspn(text.at, "\n") + 1;
    for (size_t i = head; i < text.len; i++) {
        unsigned line = whole_lines(&text, i);
        if (text.at[i] == '\n')
            continue;
        text.at[i] ^= 0x40;
        scratch_write(scratch, "cache", text.at, text.len);
        struct cache *cache = begin();
        expect_kept(cache, 1, line == 1 ? NULL : "\"a\"");
        expect_kept(cache, 2, line == 2 ? NULL : "\"b\"");
        expect_kept(cache, 3, line == 3 ? NULL : "\"c\"");
        cache_free(cache);
        text.at[i] ^= 0x40;
    }
    blob_release(&text);
}

Test(cache_file, of_another_version_is_refused)
{
    struct cache_line head = {.kind = CACHE_HEAD, .version = 2};
    struct cache *cache = NULL;
    struct buf text, err;

    buf_init(&text);
    buf_init(&err);
    cache_line_add(&head, &text);
    scratch_write(scratch, "cache", text.data, text.len);
    cr_expect_eq(cache_open(path, &cache, &err), -EINVAL);
    cr_expect(strstr(err.data, "is of version 2"), "%s", err.data);
    cr_expect_eq((size_t)size_of_file(), text.len);
    buf_release(&text);
    buf_release(&err);
}

/* What is looked up is read from the file, which is anybody's. */
Test(cache_file, whose_lines_change_under_it_gives_none_of_them)
{
    struct cache *cache;
    struct blob text = {0};

    write_three();
    cache = open_it();
    cr_assert(scratch_read(scratch, "cache", &text));
    memset(text.at + 60, 'x', 40);
    scratch_write(scratch, "cache", text.at, text.len);
    expect_kept(cache, 1, NULL);
    cr_assert_eq(truncate(path, 10), 0);
    expect_kept(cache, 3, NULL);
    cache_free(cache);
    blob_release(&text);
}

Test(cache_file, made_anew_has_what_counts_and_no_more)
{
    struct cache *cache = begin();
    struct blob text = {0};

    for (uint64_t i = 1; i <= 100; i++)
        keep(cache, i, "\"old\"");
    for (uint64_t i = 1; i <= 24; i++)
        keep(cache, i, "\"new\"");
    off_t before = size_of_file();
    cr_expect_eq(cache_tidy(cache), 0);
    cr_expect_eq(size_of_file(), before, "it was not worth it");
    keep(cache, 25, "\"new\"");
    cr_expect_eq(cache_tidy(cache), 0);
    cache_free(cache);
    cache = open_it();
    for (uint64_t i = 1; i <= 100; i++)
        expect_kept(cache, i, i <= 25 ? "\"new\"" : "\"old\"");
    cache_free(cache);
    cr_assert(scratch_read(scratch, "cache", &text));
    cr_expect_eq(whole_lines(&text, text.len), 101);
    cr_expect_eq(scratch_count(scratch, ""), 1, "something is left behind");
    blob_release(&text);
}

Test(cache_file, that_may_not_grow_says_so_and_can_be_read)
{
    struct cache *cache = begin();
    struct cache_line line = line_of(2, "\"b\"");
    struct rlimit limit = {0, RLIM_INFINITY};

    keep(cache, 1, "\"a\"");
    signal(SIGXFSZ, SIG_IGN);
    limit.rlim_cur = (rlim_t)size_of_file() + 20;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(cache_write(cache, &line), -EFBIG);
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cache_free(cache);
    cache = begin();
    expect_kept(cache, 1, "\"a\"");
    expect_kept(cache, 2, NULL);
    keep(cache, 2, "\"b\"");
    expect_kept(cache, 2, "\"b\"");
    cache_free(cache);
}
