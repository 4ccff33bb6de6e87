#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/spool.h"
#include "tasks.h"

/* From each row to each column. */
static const bool legal[TASK_DONE + 1][TASK_DONE + 1] = {
    [TASK_READY] = {[TASK_RUNNING] = true, [TASK_WAITING] = true, [TASK_DONE] = true},
    [TASK_WAITING] = {[TASK_READY] = true, [TASK_DONE] = true},
    [TASK_RUNNING] = {[TASK_READY] = true, [TASK_WAITING] = true, [TASK_DONE] = true},
};

Test(task, is_born_ready_and_with_nothing)
{
    struct task *task = task_new();

    cr_expect_eq(task->state, TASK_READY);
    cr_expect_null(task->request.url);
    cr_expect_eq(task->body.size, 0);
    cr_expect(!heap_holds(&task->due));
    tasks_free(task);
    tasks_free(NULL);
}

Test(task, takes_every_legal_step)
{
    for (enum task_state from = 0; from <= TASK_DONE; from++) {
        for (enum task_state to = 0; to <= TASK_DONE; to++) {
            struct task task = {.state = from};
            if (!legal[from][to])
                continue;
            task_set_state(&task, to);
            cr_expect_eq(task.state, to);
        }
    }
}

#ifndef NDEBUG
/* Whether a process that takes the step is ended by an assertion. */
static bool dies(enum task_state from, enum task_state to)
{
    struct task task = {.state = from};
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        task_set_state(&task, to);
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

Test(task, takes_no_other_step)
{
    for (enum task_state from = 0; from <= TASK_DONE; from++) {
        for (enum task_state to = 0; to <= TASK_DONE; to++) {
            if (!legal[from][to])
                cr_expect(dies(from, to), "%d to %d", (int)from, (int)to);
        }
    }
}
#endif

Test(task, forgets_its_answer_but_not_its_past_when_it_is_rewound)
{
    struct task *task = tasks_answered("http://h/", 302, "/next");
    struct store store;
    struct buf err;

    buf_init(&err);
    store_init(&store, spool_new("/tmp", 0), 1000);
    cr_assert_eq(body_add(&task->body, &store, "abc", 3, false, &err), 0);
    result_pass(&task->result, xstrdup("http://first/"));
    task_rewind(task, &store);
    cr_expect_null(task->location);
    cr_expect_eq(task->body.size, 0);
    cr_expect_eq(store.memory_used, 0);
    cr_expect_eq(task->result.n_passed, 1);
    cr_expect_not_null(task->url);
    task_free(task, &store);
    store_release(&store);
    buf_release(&err);
}

Test(task, is_charged_for_its_line_and_its_redirects_until_it_is_freed)
{
    struct task *task = tasks_answered("http://h/", 302, "/next");
    struct store store;

    store_init(&store, spool_new("/tmp", 0), 1000);
    task_hold_line(task, &store, 100);
    uint64_t line = store.held;
    cr_expect_geq(line, sizeof *task + 100);
    result_pass(&task->result, xstrdup("http://first/"));
    task_hold_hop(task, &store);
    cr_expect_eq(store.held, line + 2 * strlen("http://first/") + strlen("/next"));
    task_rewind(task, &store);
    cr_expect_gt(store.held, line);
    task_free(task, &store);
    cr_expect_eq(store.held, 0);
    store_release(&store);
}

Test(task, gives_its_bodys_room_back_when_it_is_freed)
{
    struct task *task = tasks_new("http://h/");
    struct store store;
    struct buf err;

    buf_init(&err);
    store_init(&store, spool_new("/tmp", (uint64_t)2 * SPOOL_BLOCK_BYTES), 0);
    cr_assert_eq(body_add(&task->body, &store, "abc", 3, false, &err), 0);
    cr_expect_gt(spool_used_bytes(store.spool), 0);
    task_free(task, &store);
    cr_expect_eq(spool_used_bytes(store.spool), 0);
    store_release(&store);
    buf_release(&err);
}
