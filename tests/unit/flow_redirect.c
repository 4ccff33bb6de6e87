#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/codes.h"
#include "base/text.h"
#include "cli/options.h"
#include "flow/redirect.h"
#include "tasks.h"

enum { web = OPTION_PROTO_HTTP | OPTION_PROTO_HTTPS };

static const struct redirect_rules usual = {.follow = true, .max = 10, .protocols = web};

static void lead(struct task *task, const char *location)
{
    free(task->location);
    task->location = xstrdup(location);
    task->outcome = OUTCOME_ANSWERED;
    task->result.http_code = 302;
}

static void expect_url(const struct task *task, const char *expected)
{
    char *url = tasks_url(task);

    cr_expect_str_eq(url, expected, "%s", url);
    free(url);
}

Test(redirect, is_five_statuses_and_no_other)
{
    for (long code = 0; code < 1000; code++) {
        bool expected = code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
        cr_expect_eq(code_is_redirect(code), expected, "%ld", code);
    }
}

Test(redirect, goes_where_the_location_leads_and_keeps_the_chain)
{
    struct task *task = tasks_answered("http://h/a/b", 301, "c?d");

    cr_expect(redirect_follow(&usual, task));
    expect_url(task, "http://h/a/c?d");
    lead(task, "//g:81/");
    cr_expect(redirect_follow(&usual, task));
    expect_url(task, "http://g:81/");
    lead(task, "HTTPS://i/x");
    cr_expect(redirect_follow(&usual, task));
    cr_assert_eq(task->result.n_passed, 3);
    cr_expect_str_eq(task->result.passed[0], "http://h/a/b");
    cr_expect_str_eq(task->result.passed[1], "http://h/a/c?d");
    cr_expect_str_eq(task->result.passed[2], "http://g:81/");
    cr_expect_eq(task->outcome, OUTCOME_ANSWERED);
    tasks_free(task);
}

Test(redirect, stays_where_nothing_leads_elsewhere)
{
    static const struct redirect_rules never = {.follow = false, .max = 10, .protocols = web};
    static const struct {
        long code;
        const char *location;
        const struct redirect_rules *rules;
    } cases[] = {
        {302, NULL, &usual}, {200, "/x", &usual}, {304, "/x", &usual},
        {300, "/x", &usual}, {404, "/x", &usual}, {302, "/x", &never},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct task *task = tasks_answered("http://h/", cases[i].code, cases[i].location);
        cr_expect(!redirect_follow(cases[i].rules, task), "case %zu", i);
        cr_expect_eq(task->outcome, OUTCOME_ANSWERED);
        cr_expect_null(task->result.message);
        cr_expect_eq(task->result.n_passed, 0);
        expect_url(task, "http://h/");
        tasks_free(task);
    }
}

Test(redirect, goes_as_often_as_it_may_and_fails_then)
{
    for (unsigned max = 0; max <= 3; max++) {
        struct redirect_rules rules = {.follow = true, .max = max, .protocols = web};
        struct task *task = tasks_answered("http://h/", 302, "/x");
        for (unsigned hop = 0; hop < max; hop++)
            cr_assert(redirect_follow(&rules, task));
        cr_expect(!redirect_follow(&rules, task));
        cr_expect_eq(task->outcome, OUTCOME_FAILED);
        cr_expect_eq(task->result.reason, REASON_REDIRECTS);
        cr_expect_eq(task->result.exitcode, 47);
        cr_expect_eq(task->result.n_passed, max);
        tasks_free(task);
    }
}

Test(redirect, refuses_what_it_may_not_fetch_and_what_is_no_url)
{
    static const struct {
        const char *location;
        enum reason reason;
        int exitcode;
        const char *words;
    } cases[] = {
        {"file:///etc/passwd", REASON_DENIED, 1, "not permitted: file:///etc/passwd"},
        {"ftp://h/", REASON_DENIED, 1, "not permitted: ftp://h/"},
        {"gopher://h/", REASON_DENIED, 1, "not permitted"},
        {"http://h:99999/", REASON_PROTOCOL, 3, "no URL: http://h:99999/"},
        {"http://", REASON_PROTOCOL, 3, "no URL"},
        {"http://h:\x1b[2J/", REASON_PROTOCOL, 3, "no URL: http://h:\\x1b[2J/"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct task *task = tasks_answered("http://h/", 302, cases[i].location);
        cr_expect(!redirect_follow(&usual, task), "%s", cases[i].location);
        cr_expect_eq(task->outcome, OUTCOME_FAILED);
        cr_expect_eq(task->result.reason, cases[i].reason, "%s", cases[i].location);
        cr_expect_eq(task->result.exitcode, cases[i].exitcode);
        cr_expect_not_null(strstr(task->result.message, cases[i].words), "%s",
                           task->result.message);
        cr_expect_eq(task->result.n_passed, 0);
        expect_url(task, "http://h/");
        tasks_free(task);
    }
}

/* Each hop takes the URL before as its base, and adds to it. */
Test(redirect, lets_no_url_grow_from_hop_to_hop_without_end)
{
    const struct redirect_rules rules = {.follow = true, .max = 1000, .protocols = web};
    char location[8001];

    memset(location, 'a', sizeof location);
    memcpy(location + sizeof location - 2, "/", 2);
    struct task *task = tasks_answered("http://h/", 302, location);
    while (redirect_follow(&rules, task))
        cr_assert_lt(task->result.n_passed, 10);
    cr_expect_eq(task->result.reason, REASON_PROTOCOL);
    cr_expect_not_null(strstr(task->result.message, "too long a URL"));
    cr_expect_gt(task->result.passed_bytes, 8000);
    tasks_free(task);
}

/* Whatever it is written as: four bytes for one that is none of a character's, two for half of one. */
Test(redirect, shows_at_most_200_bytes_of_a_location)
{
    static const char *const units[] = {"abcdefgh", "\xff", "\x01", "\xc3\xbc", "\xe2\x82\xac"};
    static const char *const starts[] = {"ftp://h/", "ftp://hh/", "http://a:b:c/"};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        for (size_t k = 0; k < sizeof starts / sizeof *starts; k++) {
            struct task *task = tasks_answered("http://h/", 302, "");
            struct buf location;
            buf_init(&location);
            buf_add_text(&location, starts[k]);
            while (location.len < 4000)
                buf_add_text(&location, units[i]);
            lead(task, location.data);
            cr_expect(!redirect_follow(&usual, task));
            const char *message = task->result.message, *shown = strstr(message, starts[k]);
            cr_assert_not_null(shown, "%s", message);
            cr_expect_leq(strlen(shown), 200 + strlen("..."), "%s", message);
            cr_expect_geq(strlen(shown), 190, "%s", message);
            cr_expect_str_eq(message + strlen(message) - 3, "...");
            cr_expect(text_is_utf8(message, strlen(message)));
            tasks_free(task);
            buf_release(&location);
        }
    }
}

Test(redirect, trusts_only_the_host_it_was_meant_for)
{
    static const struct {
        const char *location;
        bool away;
    } hops[] = {
        {"/other", false},      {"http://H:80/same", false}, {"http://g/", true},
        {"/still/there", true}, {"http://h/home", false},    {"https://h/", true},
        {"http://h:81/", true}, {"http://h:80/", false},     {"http://sub.h/", true},
    };
    static const struct redirect_rules trusting = {
        .follow = true, .trusted = true, .max = 10, .protocols = web};
    struct task *task = tasks_new("http://h/"), *trusted = tasks_new("http://h/");

    for (size_t i = 0; i < ARRAY_LEN(hops); i++) {
        lead(task, hops[i].location);
        cr_assert(redirect_follow(&usual, task));
        cr_expect_eq(task->away, hops[i].away, "%s", hops[i].location);
        lead(trusted, hops[i].location);
        cr_assert(redirect_follow(&trusting, trusted));
        cr_expect(!trusted->away, "%s", hops[i].location);
    }
    tasks_free(task);
    tasks_free(trusted);
}
