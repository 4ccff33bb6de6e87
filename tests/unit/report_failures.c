#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/task.h"
#include "report/failures.h"
#include "tasks.h"

static struct failures failures;

static void release(void)
{
    failures_release(&failures);
}

TestSuite(failures, .fini = release);

/* A failure at this host; the URL and words say which one it was. */
static void fail(uint64_t seq, enum reason reason, const char *host)
{
    struct task *task = task_new();

    task->request.seq = seq;
    task->request.url = xstrdup("http://h/");
    result_setf(&task->result, reason, "words of %llu", (unsigned long long)seq);
    failures_note(&failures, &TASKS_FINISHED(task, host));
    tasks_free(task);
}

static void fail_with(const char *url, const char *message)
{
    struct task *task = task_new();

    task->request.seq = 1;
    task->request.url = url ? xstrdup(url) : NULL;
    task->result.reason = REASON_RESET;
    task->result.message = message ? xstrdup(message) : NULL;
    failures_note(&failures, &TASKS_FINISHED(task, NULL));
    tasks_free(task);
}

Test(failures, keeps_the_first_few_of_each_reason)
{
    for (uint64_t seq = 1; seq <= 20; seq++)
        fail(seq, seq % 2 ? REASON_HTTP : REASON_DNS, NULL);
    cr_expect_eq(failures.reasons[REASON_HTTP], 10);
    cr_expect_eq(failures.reasons[REASON_DNS], 10);
    cr_expect_eq(failures.reasons[REASON_TLS], 0);
    for (uint64_t i = 0; i < FAILURE_EXAMPLES; i++) {
        const struct failure_example *example = &failures.examples[REASON_HTTP][i];
        char words[32];
        snprintf(words, sizeof words, "words of %d", (int)(2 * i + 1));
        cr_expect_eq(example->seq, 2 * i + 1);
        cr_expect_str_eq(example->url, "http://h/");
        cr_expect_str_eq(example->message, words);
        cr_expect_eq(failures.examples[REASON_DNS][i].seq, 2 * i + 2);
    }
    cr_expect_null(failures.examples[REASON_TLS][0].url);
    cr_expect_eq(failures.top.len, 0, "none of them was at a host");
}

Test(failures, counts_for_each_host)
{
    const struct failing_host *worst[FAILURE_HOSTS_TOLD];

    fail(1, REASON_HTTP, "http://a:80");
    fail(2, REASON_RESET, "http://b:80");
    fail(3, REASON_RESET, "http://b:80");
    fail(4, REASON_TLS, "https://a:443");
    fail(5, REASON_HTTP, "http://b:80");
    fail(6, REASON_INVALID, NULL);
    cr_expect_eq(failures_worst(&failures, worst), 3);
    cr_expect_str_eq(worst[0]->name, "http://b:80");
    cr_expect_eq(worst[0]->failed, 3);
    cr_expect_eq(worst[0]->reasons[REASON_RESET], 2);
    cr_expect_eq(worst[0]->reasons[REASON_HTTP], 1);
    /* Of those with as many the first to fail comes first. */
    cr_expect_str_eq(worst[1]->name, "http://a:80");
    cr_expect_str_eq(worst[2]->name, "https://a:443");
    cr_expect_eq(worst[2]->reasons[REASON_TLS], 1);
}

Test(failures, have_no_worst_where_there_are_none)
{
    const struct failing_host *worst[FAILURE_HOSTS_TOLD];

    cr_expect_eq(failures_worst(&failures, worst), 0);
}

/* Host number `n` of `many` fails this often: each another number of times. */
static size_t times_of(size_t n, size_t many)
{
    return (n * 7) % many + 1;
}

Test(failures, tells_the_worst_in_their_order)
{
    enum { MANY = 101 };
    const struct failing_host *worst[FAILURE_HOSTS_TOLD];

    for (size_t n = 0; n < MANY; n++) {
        char name[32];
        snprintf(name, sizeof name, "http://%zu:80", n);
        for (size_t i = 0; i < times_of(n, MANY); i++)
            fail(1, REASON_HTTP, name);
    }
    cr_expect_eq(failures_worst(&failures, worst), (size_t)FAILURE_HOSTS_TOLD);
    for (size_t i = 0; i < FAILURE_HOSTS_TOLD; i++)
        cr_expect_eq(worst[i]->failed, (size_t)MANY - i);
}

static const struct failing_host *host_called(const char *name)
{
    for (size_t i = 0; i < failures.top.len; i++) {
        if (strcmp(failures.hosts[i].name, name) == 0)
            return &failures.hosts[i];
    }
    return NULL;
}

Test(failures, let_the_host_with_the_fewest_make_room)
{
    char name[32];

    for (size_t n = 0; n < FAILURE_HOSTS; n++) {
        snprintf(name, sizeof name, "http://%zu:80", n);
        for (size_t i = 0; i < (n == 100 ? 2 : 3); i++)
            fail(1, REASON_HTTP, name);
    }
    cr_expect_eq(failures.top.len, (size_t)FAILURE_HOSTS);
    fail(1, REASON_TLS, "http://new:80");
    cr_expect_eq(failures.top.len, (size_t)FAILURE_HOSTS);
    cr_expect_null(host_called("http://100:80"));
    cr_assert(host_called("http://new:80"));
    cr_expect_eq(host_called("http://new:80")->failed, 1);
    cr_expect_eq(host_called("http://new:80")->reasons[REASON_HTTP], 0, "it has another's count");
    cr_expect_eq(failures.top.weights[host_called("http://new:80") - failures.hosts], 3);
    /* It returns, and the newest, which may have had as many as any, stays. */
    fail(1, REASON_DNS, "http://100:80");
    cr_expect(host_called("http://new:80"));
    cr_assert(host_called("http://100:80"));
    cr_expect_eq(host_called("http://100:80")->failed, 1);
    /* What each reason comes to has nothing to do with that. */
    cr_expect_eq(failures.reasons[REASON_HTTP], 3 * FAILURE_HOSTS - 1);
    cr_expect_eq(failures.reasons[REASON_TLS], 1);
}

/* The table is full before it comes, and somebody new comes each time it fails. */
Test(failures, keep_the_worst_though_it_came_late)
{
    const struct failing_host *worst[FAILURE_HOSTS_TOLD];
    char name[32];

    for (int n = 0; n < 2300; n++) {
        snprintf(name, sizeof name, "http://%d:80", n);
        fail(1, REASON_HTTP, name);
        if (n >= 300)
            fail(1, REASON_RESET, "http://late:80");
    }
    cr_assert_gt(failures_worst(&failures, worst), 0);
    cr_expect_str_eq(worst[0]->name, "http://late:80");
    cr_expect_gt(worst[0]->failed, 1900);
}

Test(failures, cut_a_name_that_is_too_long)
{
    char name[FAILURE_TEXT_MAX * 3];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    fail(1, REASON_HTTP, name);
    fail(1, REASON_HTTP, name);
    cr_assert_eq(failures.top.len, 1);
    cr_expect_eq(strlen(failures.hosts[0].name), (size_t)FAILURE_TEXT_MAX);
    cr_expect_eq(failures.hosts[0].failed, 2);
}

/* However many hosts fail once, the ones that fail all the time are told. */
Test(failures, keep_the_worst_whatever_comes)
{
    const struct failing_host *worst[FAILURE_HOSTS_TOLD];
    char name[32];

    for (int n = 0; n < 5000; n++) {
        snprintf(name, sizeof name, "http://%d:80", n);
        fail(1, REASON_HTTP, name);
        if (n % 10 == 0)
            fail(1, REASON_RESET, "http://bad:80");
    }
    cr_assert_gt(failures_worst(&failures, worst), 0);
    cr_expect_str_eq(worst[0]->name, "http://bad:80");
    cr_expect_eq(worst[0]->failed, 500);
}

Test(failures, has_an_empty_text_where_there_is_none)
{
    fail_with(NULL, NULL);
    cr_expect_str_eq(failures.examples[REASON_RESET][0].url, "");
    cr_expect_str_eq(failures.examples[REASON_RESET][0].message, "");
}

/* Each character of them is whole: 200 bytes are 66 of three bytes, and two that are not used. */
Test(failures, cuts_long_texts_between_characters)
{
    char text[1024];

    for (size_t before = 0; before < 3; before++) {
        memset(text, 'x', before);
        text[before] = '\0';
        for (int i = 0; i < 300; i++)
            memcpy(text + before + (size_t)3 * (size_t)i, "\xe2\x82\xac", 4);
        failures_release(&failures);
        fail_with(text, text);
        const struct failure_example *example = &failures.examples[REASON_RESET][0];
        size_t len = before + (FAILURE_TEXT_MAX - before) / 3 * 3;
        cr_expect_eq(strlen(example->url), len);
        cr_expect_eq(strncmp(example->url, text, len), 0);
        cr_expect(text_is_utf8(example->url, len));
        cr_expect_str_eq(example->message, example->url);
    }
}

Test(failures, leaves_a_text_alone_that_just_fits)
{
    char text[FAILURE_TEXT_MAX + 2] = {0};

    memset(text, 'x', FAILURE_TEXT_MAX);
    fail_with(text, "");
    cr_expect_str_eq(failures.examples[REASON_RESET][0].url, text);
    text[FAILURE_TEXT_MAX] = 'y';
    fail_with(text, "");
    cr_expect_eq(strlen(failures.examples[REASON_RESET][1].url), (size_t)FAILURE_TEXT_MAX);
}

Test(failures, has_valid_text_whatever_the_bytes)
{
    fail_with("http://h/\xff\xc3", "\x80");
    cr_expect_str_eq(failures.examples[REASON_RESET][0].url, "http://h/\xef\xbf\xbd\xef\xbf\xbd");
    cr_expect_str_eq(failures.examples[REASON_RESET][0].message, "\xef\xbf\xbd");
}
