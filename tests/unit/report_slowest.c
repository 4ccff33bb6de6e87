#include <criterion/criterion.h>
#include <string.h>

#include "core/task.h"
#include "report/slowest.h"
#include "tasks.h"

static struct slowest slowest;

static void release(void)
{
    slowest_release(&slowest);
}

TestSuite(slowest, .fini = release);

static void note(uint64_t seq, double seconds)
{
    struct task *task = task_new();

    task->request.seq = seq;
    task->request.url = xstrdup("http://h/");
    task->result.http_code = 200;
    slowest_note(&slowest, &TASKS_FINISHED(task, NULL), seconds);
    tasks_free(task);
}

static void expect(size_t len, const uint64_t *seqs)
{
    cr_assert_eq(slowest.len, len);
    for (size_t i = 0; i < len; i++)
        cr_expect_eq(slowest.at[i].seq, seqs[i], "%zu: #%zu", i, (size_t)slowest.at[i].seq);
}

Test(slowest, are_the_longest_first)
{
    note(1, 0.5);
    note(2, 2);
    note(3, 1);
    expect(3, (const uint64_t[]){2, 3, 1});
    cr_expect_str_eq(slowest.at[0].url, "http://h/");
    cr_expect_eq(slowest.at[0].seconds, 2);
    cr_expect_eq(slowest.at[0].http_code, 200);
}

Test(slowest, are_so_many_however_many_there_were)
{
    for (uint64_t seq = 1; seq <= 1000; seq++)
        note(seq, (double)(seq * 389 % 1009));
    cr_expect_eq(slowest.len, (size_t)SLOWEST_MAX);
    for (size_t i = 0; i < SLOWEST_MAX; i++) {
        double longer = 0;
        for (uint64_t seq = 1; seq <= 1000; seq++)
            longer += (double)(seq * 389 % 1009) > slowest.at[i].seconds;
        cr_expect_eq(longer, (double)i);
    }
}

Test(slowest, of_equals_are_the_first)
{
    for (uint64_t seq = 1; seq <= 9; seq++)
        note(seq, 1);
    expect(SLOWEST_MAX, (const uint64_t[]){1, 2, 3, 4, 5});
}

Test(slowest, keep_no_more_of_a_url_than_is_told)
{
    struct task *task = task_new();
    char url[1000];

    memset(url, 'x', sizeof url - 1);
    url[sizeof url - 1] = '\0';
    task->request.url = xstrdup(url);
    slowest_note(&slowest, &TASKS_FINISHED(task, NULL), 1);
    cr_expect_eq(strlen(slowest.at[0].url), (size_t)SLOWEST_URL_MAX);
    tasks_free(task);
}
