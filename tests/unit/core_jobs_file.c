#include <criterion/criterion.h>
#include <ev.h>
#include <unistd.h>

#include "base/util.h"
#include "core/jobs_file.h"
#include "loops.h"
#include "scratch.h"

/* A file with this in it, read at the start; 0: nothing was taken from it. */
static unsigned taken_from(const char *text)
{
    struct scratch *scratch = scratch_new();
    struct ev_loop *loop = ev_loop_new(0);
    struct jobs_file *file = jobs_file_new(loop, scratch_write_text(scratch, "jobs", text));
    unsigned jobs = 0, again;

    bool is_new = jobs_file_take(file, &jobs);
    cr_expect_eq(is_new, jobs != 0);
    cr_expect_not(jobs_file_take(file, &again));
    jobs_file_free(file);
    ev_loop_destroy(loop);
    scratch_free(scratch);
    return jobs;
}

Test(jobs_file, is_read_at_the_start)
{
    cr_expect_eq(taken_from("7"), 7);
    cr_expect_eq(taken_from("12\n"), 12);
    cr_expect_eq(taken_from("3 of them\n5\n"), 3);
    cr_expect_eq(taken_from("2147483647\r\n"), 2147483647u);
}

Test(jobs_file, that_holds_no_number_says_nothing)
{
    static const char *const bad[] = {
        "", "\n", " 4", "x", "0", "-1", "1.5", "4x", "2147483648", "99999999999999999999", "4,5"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_expect_eq(taken_from(bad[i]), 0, "%s", bad[i]);
}

/* Its watcher keeps no loop alive, so something else has to, for as long as the loop is turned. */
static void wait_for(struct ev_loop *loop, struct jobs_file *file, unsigned expected)
{
    unsigned jobs = 0;

    while (!jobs_file_take(file, &jobs))
        loops_turn(loop);
    cr_expect_eq(jobs, expected);
}

Test(jobs_file, is_read_again_when_it_changes)
{
    struct scratch *scratch = scratch_new();
    struct ev_loop *loop = ev_loop_new(0);
    struct jobs_file *file = jobs_file_new(loop, scratch_write_text(scratch, "jobs", "2\n"));

    wait_for(loop, file, 2);
    scratch_write_text(scratch, "jobs", "15\n");
    wait_for(loop, file, 15);
    scratch_write_text(scratch, "jobs", "garbage\n");
    loops_turn(loop);
    unlink(scratch_path(scratch, "jobs"));
    loops_turn(loop);
    unsigned jobs;
    cr_expect_not(jobs_file_take(file, &jobs));
    scratch_write_text(scratch, "jobs", "4");
    wait_for(loop, file, 4);
    jobs_file_free(file);
    ev_loop_destroy(loop);
    scratch_free(scratch);
}

Test(jobs_file, may_be_missing_at_first)
{
    struct scratch *scratch = scratch_new();
    struct ev_loop *loop = ev_loop_new(0);
    struct jobs_file *file = jobs_file_new(loop, scratch_path(scratch, "jobs"));
    unsigned jobs;

    cr_expect_not(jobs_file_take(file, &jobs));
    scratch_write_text(scratch, "jobs", "9");
    wait_for(loop, file, 9);
    jobs_file_free(file);
    jobs_file_free(NULL);
    ev_loop_destroy(loop);
    scratch_free(scratch);
}
