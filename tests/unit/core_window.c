#include <criterion/criterion.h>

#include "core/group.h"
#include "core/window.h"
#include "tasks.h"

enum { TASKS = 5 };

struct held {
    struct window window;
    struct task *tasks[TASKS];
};

static void fill(struct held *held, enum order order)
{
    window_init(&held->window, order, TASKS);
    for (size_t i = 0; i < TASKS; i++) {
        cr_assert(window_has_slot(&held->window));
        held->tasks[i] = task_new();
        window_add(&held->window, held->tasks[i]);
    }
    cr_expect(!window_has_slot(&held->window));
}

static void finish(struct held *held, size_t i)
{
    task_set_state(held->tasks[i], TASK_DONE);
    window_note_done(&held->window, held->tasks[i]);
}

/* Takes out the one whose turn it is, which must be this. */
static void retire(struct held *held, size_t i)
{
    cr_assert_eq(window_due(&held->window), held->tasks[i], "not the turn of %zu", i);
    window_remove(&held->window, held->tasks[i]);
    tasks_free(held->tasks[i]);
}

Test(window, holds_back_until_the_gap_closes)
{
    struct held held;

    fill(&held, ORDER_INPUT);
    finish(&held, 2);
    finish(&held, 1);
    cr_expect_null(window_due(&held.window));
    finish(&held, 0);
    retire(&held, 0);
    retire(&held, 1);
    retire(&held, 2);
    cr_expect_null(window_due(&held.window), "the fourth is not done");
    finish(&held, 4);
    cr_expect_null(window_due(&held.window));
    finish(&held, 3);
    retire(&held, 3);
    retire(&held, 4);
    cr_expect_eq(held.window.alive, 0);
    cr_expect_null(window_due(&held.window));
}

Test(window, lets_whichever_was_done_first_go_first_in_completion_order)
{
    static const size_t order[] = {3, 0, 4, 1, 2};
    struct held held;

    fill(&held, ORDER_COMPLETION);
    cr_expect_null(window_due(&held.window));
    for (size_t i = 0; i < TASKS; i++)
        finish(&held, order[i]);
    for (size_t i = 0; i < TASKS; i++)
        retire(&held, order[i]);
    cr_expect_eq(held.window.alive, 0);
    cr_expect_null(window_due(&held.window));
}

Test(window, frees_a_slot_only_when_a_task_is_taken_out)
{
    struct held held;

    for (enum order order = ORDER_INPUT; order <= ORDER_COMPLETION; order++) {
        fill(&held, order);
        finish(&held, 0);
        cr_expect(!window_has_slot(&held.window), "done and not yet out takes its slot");
        retire(&held, 0);
        cr_expect(window_has_slot(&held.window));
        held.tasks[0] = task_new();
        window_add(&held.window, held.tasks[0]);
        cr_expect(!window_has_slot(&held.window));
        for (size_t i = 1; i <= TASKS; i++) {
            finish(&held, i % TASKS);
            retire(&held, i % TASKS);
        }
        cr_expect_eq(held.window.alive, 0);
    }
}

Test(window, awaits_the_oldest_that_is_not_done)
{
    struct held held;

    fill(&held, ORDER_INPUT);
    cr_expect_eq(window_awaited(&held.window), held.tasks[0]);
    finish(&held, 1);
    cr_expect_eq(window_awaited(&held.window), held.tasks[0]);
    finish(&held, 0);
    cr_expect_null(window_awaited(&held.window), "the next in order only has to go out");
    retire(&held, 0);
    cr_expect_null(window_awaited(&held.window));
    retire(&held, 1);
    cr_expect_eq(window_awaited(&held.window), held.tasks[2]);
    for (size_t i = 2; i < TASKS; i++) {
        finish(&held, i);
        retire(&held, i);
    }
    cr_expect_null(window_awaited(&held.window));
}

Test(window, awaits_in_completion_order_the_oldest_that_runs_while_none_is_done)
{
    struct held held;

    fill(&held, ORDER_COMPLETION);
    cr_expect_eq(window_awaited(&held.window), held.tasks[0]);
    finish(&held, 2);
    cr_expect_null(window_awaited(&held.window), "one only has to go out");
    finish(&held, 0);
    retire(&held, 2);
    cr_expect_null(window_awaited(&held.window));
    retire(&held, 0);
    cr_expect_eq(window_awaited(&held.window), held.tasks[1]);
    for (size_t i = 1; i < TASKS; i += i == 1 ? 2 : 1) {
        finish(&held, i);
        retire(&held, i);
    }
    cr_expect_null(window_awaited(&held.window));
}

/* ---- what is held back ---- */

static void join(struct held *held, size_t i, struct group *group)
{
    group_join(group, held->tasks[i]);
    cr_assert(held->tasks[i]->is_held);
}

/* Done, and held back by its group. */
static void finish_held(struct held *held, size_t i)
{
    task_set_state(held->tasks[i], TASK_DONE);
    group_note_done(held->tasks[i]->group, held->tasks[i], 1.0);
}

static void let_go(struct held *held, size_t i)
{
    held->tasks[i]->is_held = false;
    group_leave(held->tasks[i]->group, held->tasks[i]);
    window_note_done(&held->window, held->tasks[i]);
}

Test(window, in_input_order_awaits_for_a_held_one_who_it_waits_for)
{
    struct held held;
    struct group *group = group_new("1", true);

    fill(&held, ORDER_INPUT);
    join(&held, 0, group);
    join(&held, 1, group);
    join(&held, 2, group);
    finish(&held, 3);
    finish_held(&held, 0);
    cr_expect_null(window_due(&held.window), "the oldest is held back");
    cr_expect_eq(window_awaited(&held.window), held.tasks[1]);
    finish_held(&held, 1);
    cr_expect_eq(window_awaited(&held.window), held.tasks[2]);
    finish_held(&held, 2);
    cr_expect_null(window_due(&held.window));
    cr_expect_null(window_awaited(&held.window), "it waits for the input alone");
    for (size_t i = 0; i < 3; i++)
        let_go(&held, i);
    for (size_t i = 0; i < 4; i++)
        retire(&held, i);
    cr_expect_eq(window_awaited(&held.window), held.tasks[4]);
    finish(&held, 4);
    retire(&held, 4);
    group_free(group);
}

Test(window, in_completion_order_lets_others_pass_by_those_held)
{
    struct held held;
    struct group *group = group_new("1", true);

    fill(&held, ORDER_COMPLETION);
    join(&held, 0, group);
    join(&held, 1, group);
    finish_held(&held, 1);
    cr_expect_eq(window_awaited(&held.window), held.tasks[0]);
    cr_expect_null(window_due(&held.window));
    finish(&held, 3);
    cr_expect_null(window_awaited(&held.window), "one only has to go out");
    retire(&held, 3);
    finish_held(&held, 0);
    cr_expect_null(window_due(&held.window));
    cr_expect_null(window_awaited(&held.window));
    finish(&held, 2);
    let_go(&held, 0);
    let_go(&held, 1);
    retire(&held, 2);
    retire(&held, 0);
    retire(&held, 1);
    cr_expect_eq(window_awaited(&held.window), held.tasks[4]);
    finish(&held, 4);
    retire(&held, 4);
    group_free(group);
}

Test(window, in_completion_order_awaits_who_a_held_one_waits_for)
{
    struct held held;
    struct group *group = group_new("1", true);

    fill(&held, ORDER_COMPLETION);
    join(&held, 0, group);
    join(&held, 1, group);
    finish_held(&held, 0);
    cr_expect_null(window_due(&held.window));
    cr_expect_eq(window_awaited(&held.window), held.tasks[1]);
    finish_held(&held, 1);
    let_go(&held, 1);
    let_go(&held, 0);
    retire(&held, 1);
    retire(&held, 0);
    for (size_t i = 2; i < TASKS; i++) {
        finish(&held, i);
        retire(&held, i);
    }
    group_free(group);
}
