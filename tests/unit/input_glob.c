#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "input/glob.h"

static struct glob *open_glob(const char *pattern)
{
    struct glob *glob = NULL;
    struct buf err;

    buf_init(&err);
    int result = glob_new(pattern, &glob, &err);
    cr_assert_eq(result, 0, "%s: %s", pattern, err.data);
    buf_release(&err);
    return glob;
}

/* All that it stands for, a blank after each. */
static void expand(const char *pattern, struct buf *out)
{
    struct glob *glob = open_glob(pattern);

    while (glob_next(glob, out))
        buf_add_char(out, ' ');
    cr_expect(!glob_next(glob, out), "%s: the end stays the end", pattern);
    glob_free(glob);
}

Test(glob, expands_as_curl_does)
{
    static const struct {
        const char *pattern, *expected;
    } cases[] = {
        {"http://h/", "http://h/ "},
        {"", " "},
        {"{a,b,c}", "a b c "},
        {"{,a}", " a "},
        {"x{a,}", "xa x "},
        {"{one}", "one "},
        {"[0-3]", "0 1 2 3 "},
        {"[5-5]", "5 "},
        {"[9-11]", "9 10 11 "},
        {"[008-011]", "008 009 010 011 "},
        {"[00-2]", "00 01 02 "},
        {"[0-10:5]", "0 5 10 "},
        {"[001-100:33]", "001 034 067 100 "},
        {"[1-6:4]", "1 5 "},
        {"[a-e]", "a b c d e "},
        {"[A-C]", "A B C "},
        {"[a-a]", "a "},
        {"[a-e:2]", "a c e "},
        {"[18446744073709551613-18446744073709551615]",
         "18446744073709551613 18446744073709551614 18446744073709551615 "},
        {"a\\{b\\}\\[1-2\\]", "a{b}[1-2] "},
        {"{a\\,b,c\\}}", "a,b c} "},
        {"a\\\\b", "a\\b "},
        {"a\\x\\", "a\\x\\ "},
        {"x[]y", "x[]y "},
        {"http://[::1]:80/[1-2]", "http://[::1]:80/1 http://[::1]:80/2 "},
        {"http://[2001:db8::7]/", "http://[2001:db8::7]/ "},
        {"http://[fe80::1%25eth0]/", "http://[fe80::1%25eth0]/ "},
        {"http://[::ffff:1.2.3.4]/", "http://[::ffff:1.2.3.4]/ "},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out);
        expand(cases[i].pattern, &out);
        cr_expect_str_eq(out.data, cases[i].expected, "%s: %s", cases[i].pattern, out.data);
        buf_release(&out);
    }
}

/* Written apart from the code: the rightmost is the innermost loop. */
Test(glob, turns_the_rightmost_part_fastest)
{
    static const char *const words[] = {"x", "yy", ""};
    struct buf out, expected;

    buf_init(&out);
    buf_init(&expected);
    for (size_t w = 0; w < ARRAY_LEN(words); w++) {
        for (int n = 7; n <= 11; n += 2) {
            for (int c = 'b'; c <= 'd'; c++)
                buf_addf(&expected, "http://h/%s/%03d-%c.txt ", words[w], n, c);
        }
    }
    expand("http://h/{x,yy,}/[007-12:2]-[b-d].txt", &out);
    cr_expect_str_eq(out.data, expected.data);
    buf_release(&out);
    buf_release(&expected);
}

Test(glob, begins_a_huge_range_without_counting_it_out)
{
    struct glob *glob = open_glob("[0-18446744073709551614]/[1-1000000000000]/{a,b}");
    static const char *const expected[] = {"0/1/a", "0/1/b", "0/2/a"};
    struct buf out;

    buf_init(&out);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        buf_clear(&out);
        cr_assert(glob_next(glob, &out));
        cr_expect_str_eq(out.data, expected[i]);
    }
    buf_release(&out);
    glob_free(glob);
}

Test(glob, appends_to_what_is_there)
{
    struct glob *glob = open_glob("{a,b}");
    struct buf out;

    buf_init(&out);
    buf_add_text(&out, "before ");
    cr_expect(glob_next(glob, &out));
    cr_expect_str_eq(out.data, "before a");
    buf_release(&out);
    glob_free(glob);
}

Test(glob, refuses_what_is_no_pattern_and_says_where)
{
    static const struct {
        const char *pattern, *where;
    } cases[] = {
        {"x]", "position 2"},
        {"ab}", "position 3"},
        {"{a", "position 1"},
        {"{", "position 1"},
        {"{a,b", "position 1"},
        {"{a{b}}", "position 1"},
        {"{[1-2],b}", "position 1"},
        {"a[", "position 2"},
        {"a[1", "position 2"},
        {"[1-", "position 1"},
        {"[1-2", "position 1"},
        {"[1]", "position 1"},
        {"[3-1]", "position 1"},
        {"[z-a]", "position 1"},
        {"[a-Z]", "position 1"},
        {"[A-z]", "position 1"},
        {"[a-3]", "position 1"},
        {"[1-a]", "position 1"},
        {"[1--2]", "position 1"},
        {"[-1-2]", "position 1"},
        {"[1-2:]", "position 1"},
        {"[1-2:0]", "position 1"},
        {"[1-2:x]", "position 1"},
        {"[1-2:-1]", "position 1"},
        {"[ab]", "position 1"},
        {"[a-b-c]", "position 1"},
        {"[::z]", "position 1"},
        {"[0-18446744073709551615]", "position 1"},
        {"[1-18446744073709551616]", "position 1"},
        {"[99999999999999999999-2]", "position 1"},
        {"[1-2:18446744073709551616]", "position 1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct glob *glob = NULL;
        struct buf err;
        buf_init(&err);
        cr_expect_eq(glob_new(cases[i].pattern, &glob, &err), -EINVAL, "%s", cases[i].pattern);
        cr_expect_null(glob, "%s", cases[i].pattern);
        cr_expect_not_null(strstr(err.data, cases[i].where), "%s: %s", cases[i].pattern, err.data);
        cr_expect_not_null(strstr(err.data, "--globoff"), "%s", err.data);
        buf_release(&err);
        glob_free(glob);
    }
}

Test(glob, refuses_where_curl_does_a_step_over_its_range_and_empty_braces)
{
    static const char *const patterns[] = {"[1-5:10]", "[5-5:3]", "[a-f:9]", "{}"};

    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        struct glob *glob = NULL;
        struct buf err;
        buf_init(&err);
        cr_expect_eq(glob_new(patterns[i], &glob, &err), -EINVAL, "%s", patterns[i]);
        buf_release(&err);
        glob_free(glob);
    }
}

Test(glob, has_at_most_a_hundred_parts)
{
    struct buf pattern, out, err;
    struct glob *glob = NULL;

    buf_init(&pattern);
    buf_init(&out);
    buf_init(&err);
    for (int i = 0; i < GLOB_PARTS_MAX; i++)
        buf_add_text(&pattern, "{a}");
    expand(pattern.data, &out);
    cr_expect_eq(out.len, GLOB_PARTS_MAX + 1);
    buf_add_text(&pattern, "b");
    cr_expect_eq(glob_new(pattern.data, &glob, &err), -EINVAL);
    cr_expect_null(glob);
    glob_free(NULL);
    buf_release(&pattern);
    buf_release(&out);
    buf_release(&err);
}

Test(glob, counts_what_it_stands_for)
{
    static const struct {
        const char *pattern;
        uint64_t count;
    } cases[] = {
        {"http://h/", 1},
        {"", 1},
        {"{a,b,c}/[0-9]", 30},
        {"[a-e:2]{x}", 3},
        {"[0-18446744073709551614]", UINT64_MAX},
        {"[1-4294967296][1-4294967296][1-9]", UINT64_MAX},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct glob *glob = open_glob(cases[i].pattern);
        cr_expect_eq(glob_count(glob), cases[i].count, "%s", cases[i].pattern);
        glob_free(glob);
    }
}

Test(glob, tells_what_each_of_its_parts_took)
{
    static const char *const expected[] = {"a\n08\n", "a\n09\n", "\n08\n", "\n09\n"};
    struct glob *glob = open_glob("http://[::1]/{a,}/x[08-09]");
    struct buf url, taken;

    buf_init(&url);
    buf_init(&taken);
    for (size_t i = 0; i < 4; i++) {
        cr_assert(glob_next(glob, &url));
        buf_clear(&taken);
        glob_add_taken(glob, &taken);
        cr_expect_str_eq(taken.data, expected[i], "%s", taken.data);
    }
    cr_expect_str_eq(url.data,
                     "http://[::1]/a/x08http://[::1]/a/x09http://[::1]//x08http://[::1]//x09");
    glob_free(glob);
    buf_release(&url);
    buf_release(&taken);
}
