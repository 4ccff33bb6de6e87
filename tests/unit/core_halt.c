#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>

#include "base/util.h"
#include "core/halt.h"

static int read_halt(struct halt *halt, const char *text)
{
    struct buf err;

    buf_init(&err);
    int result = halt_parse(halt, text, &err);
    cr_expect_eq(result != 0, err.len != 0, "%s: %s", text, err.data);
    buf_release(&err);
    return result;
}

struct grammar {
    char text[32];
    struct halt halt;
};

ParameterizedTestParameters(halt, is_read_in_the_words_of_parallel)
{
    static struct grammar good[] = {
        {"never", {.when = HALT_NEVER}},
        {"soon,fail=1", {HALT_SOON, HALT_FAIL, 1, 0}},
        {"soon,success=3", {HALT_SOON, HALT_SUCCESS, 3, 0}},
        {"soon,done=5000000000", {HALT_SOON, HALT_DONE, 5000000000, 0}},
        {"now,fail=2", {HALT_NOW, HALT_FAIL, 2, 0}},
        {"now,success=1%", {HALT_NOW, HALT_SUCCESS, 0, 1}},
        {"now,done=100%", {HALT_NOW, HALT_DONE, 0, 100}},
        {"soon,fail=20%", {HALT_SOON, HALT_FAIL, 0, 20}},
    };

    return cr_make_param_array(struct grammar, good, ARRAY_LEN(good));
}

ParameterizedTest(struct grammar *good, halt, is_read_in_the_words_of_parallel)
{
    struct halt halt = {0};

    cr_assert_eq(read_halt(&halt, good->text), 0, "%s", good->text);
    cr_expect_eq(halt.when, good->halt.when, "%s", good->text);
    cr_expect_eq(halt.what, good->halt.what, "%s", good->text);
    cr_expect_eq(halt.count, good->halt.count, "%s", good->text);
    cr_expect_eq(halt.share, good->halt.share, "%s", good->text);
}

Test(halt, is_left_alone_by_what_is_none)
{
    static const char *const bad[] = {
        "",
        "nev",
        "never,",
        "never,fail=1",
        "soon",
        "now",
        "soon,",
        "now,fail",
        "now,fail=",
        "now,fail=0",
        "now,fail=%",
        "now,fail=0%",
        "now,fail=101%",
        "now,fail=-1",
        "now,fail=1.5",
        "now,fail=x",
        "now,fail=1,",
        "now,fail=1%%",
        "Now,fail=1",
        "now, fail=1",
        "2",
        "later,done=1",
        "now,failed=1",
        "now,fai=1",
        "now=fail,1",
        "now,fail 1",
        "now,success=99999999999999999999",
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct halt halt = {HALT_SOON, HALT_DONE, 7, 0};
        cr_expect_eq(read_halt(&halt, bad[i]), -EINVAL, "%s", bad[i]);
        cr_expect(halt.when == HALT_SOON && halt.what == HALT_DONE && halt.count == 7, "%s",
                  bad[i]);
    }
}

struct point {
    char text[32];
    struct halt_tally tally;
    bool is_reached;
};

ParameterizedTestParameters(halt, is_reached_at_its_count_or_its_share)
{
    static struct point points[] = {
        {"never", {1000, 1000, 2000, true}, false},
        {"soon,fail=3", {2, 100, 102, true}, false},
        {"soon,fail=3", {3, 0, 3, false}, true},
        {"now,fail=3", {4, 0, 100, false}, true},
        {"now,success=2", {50, 1, 51, true}, false},
        {"now,success=2", {50, 2, 52, false}, true},
        {"now,done=5", {2, 2, 100, false}, false},
        {"now,done=5", {2, 3, 100, false}, true},
        /* A share is one of what is done, from the tenth on. */
        {"now,fail=10%", {9, 0, 9, true}, false},
        {"now,fail=10%", {1, 8, 9, true}, false},
        {"now,fail=10%", {1, 9, 1000, false}, true},
        {"now,fail=10%", {1, 10, 1000, false}, false},
        {"now,fail=10%", {0, 1000, 1000, true}, false},
        {"soon,success=50%", {6, 5, 11, false}, false},
        {"soon,success=50%", {5, 5, 11, false}, true},
        {"soon,fail=100%", {10, 0, 11, false}, true},
        {"soon,fail=100%", {99, 1, 100, true}, false},
        /* A share of what is done is one of all there is, and so needs to know that. */
        {"now,done=50%", {10, 10, 40, false}, false},
        {"now,done=50%", {10, 10, 40, true}, true},
        {"now,done=50%", {10, 9, 40, true}, false},
        {"now,done=50%", {4, 5, 12, true}, false},
        {"now,done=100%", {0, 99, 100, true}, false},
        {"now,done=100%", {50, 50, 100, true}, true},
    };

    return cr_make_param_array(struct point, points, ARRAY_LEN(points));
}

ParameterizedTest(struct point *point, halt, is_reached_at_its_count_or_its_share)
{
    struct halt halt = {0};

    cr_assert_eq(read_halt(&halt, point->text), 0);
    cr_expect_eq(halt_is_reached(&halt, &point->tally), point->is_reached,
                 "%s: %llu failed, %llu succeeded", point->text,
                 (unsigned long long)point->tally.failed,
                 (unsigned long long)point->tally.succeeded);
}

static void expect_words(const char *text, struct halt_tally tally, const char *words)
{
    struct halt halt = {0};
    struct buf out;

    buf_init(&out);
    cr_assert_eq(read_halt(&halt, text), 0);
    halt_describe(&halt, &tally, &out);
    cr_expect_str_eq(out.data, words);
    buf_release(&out);
}

Test(halt, tells_what_was_reached)
{
    struct halt_tally tally = {.failed = 3, .succeeded = 1, .read = 9};
    struct halt_tally one = {.failed = 1, .succeeded = 2, .read = 9};

    expect_words("soon,fail=3", tally, "3 failures reached --halt soon,fail=3");
    expect_words("now,fail=1", one, "1 failure reached --halt now,fail=1");
    expect_words("now,success=1", tally, "1 success reached --halt now,success=1");
    expect_words("now,success=2", one, "2 successes reached --halt now,success=2");
    expect_words("soon,done=4", tally, "4 results reached --halt soon,done=4");
    expect_words("now,fail=20%", tally, "3 failures reached --halt now,fail=20%");
}
