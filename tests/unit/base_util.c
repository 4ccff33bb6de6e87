#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/strings.h"
#include "base/util.h"

struct outer {
    int before;
    double member;
};

Test(util, finds_the_struct_around_a_member)
{
    struct outer outer;

    cr_expect_eq(CONTAINER_OF(&outer.member, struct outer, member), &outer);
}

Test(util, gives_memory_of_no_bytes_too)
{
    void *memory[] = {xmalloc(0), xcalloc(0, 8), xcalloc(8, 0), xreallocarray(NULL, 0, 8),
                      xrealloc(NULL, 0)};

    for (size_t i = 0; i < ARRAY_LEN(memory); i++) {
        cr_expect_not_null(memory[i]);
        free(memory[i]);
    }
}

Test(util, grows_only_an_array_that_is_full)
{
    size_t capacity = 0, grown = 0;
    int *array = NULL;

    for (int i = 0; i < 1000; i++) {
        size_t before = capacity;
        array = xgrow(array, (size_t)i, &capacity, sizeof *array);
        grown += capacity != before;
        if (capacity <= (size_t)i)
            cr_assert_fail("no room for element %d", i);
        array[i] = i;
    }
    cr_expect_lt(grown, 12);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(array[i], i);
    free(array);
}

static void run_out(void)
{
    out_of_memory();
}

static void ask_for_more_than_there_are_numbers(void)
{
    free(xreallocarray(NULL, SIZE_MAX / 4 + 2, 4));
}

static void check_that_it_ends(void (*act)(void))
{
    char words[64] = "";
    int ends[2], status;

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        act();
        _exit(0);
    }
    close(ends[1]);
    cr_expect_gt(read(ends[0], words, sizeof words - 1), 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 4);
    cr_expect_str_eq(words, "weir: out of memory\n");
    close(ends[0]);
}

Test(util, ends_with_status_4_when_memory_is_out)
{
    check_that_it_ends(run_out);
    check_that_it_ends(ask_for_more_than_there_are_numbers);
}

Test(strings, owns_what_it_was_given_in_order)
{
    struct strings strings = {0};

    for (int i = 0; i < 100; i++) {
        char text[] = {(char)('!' + i % 90), '\0'};
        strings_add(&strings, xstrdup(text));
    }
    cr_assert_eq(strings.len, 100);
    for (int i = 0; i < 100; i++)
        cr_expect_eq(strings.at[i][0], '!' + i % 90);
    strings_release(&strings);
    cr_expect_eq(strings.len, 0);
    cr_expect_null(strings.at);
    strings_release(&strings);
}

Test(clock, tells_people_the_time_since_1970)
{
    time_t before = time(NULL);
    double wall = clock_wall();
    time_t after = time(NULL);

    cr_expect_geq(wall, (double)before - 1);
    cr_expect_leq(wall, (double)after + 1);
}

Test(clock, counts_what_waits_by_the_monotonic_clock)
{
    struct timespec before, after;

    clock_gettime(CLOCK_MONOTONIC, &before);
    double now = clock_now();
    clock_gettime(CLOCK_MONOTONIC, &after);
    cr_expect_geq(now, (double)before.tv_sec + (double)before.tv_nsec / 1e9);
    cr_expect_leq(now, (double)after.tv_sec + (double)after.tv_nsec / 1e9);
}
