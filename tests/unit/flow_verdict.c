#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "cli/options.h"
#include "flow/verdict.h"
#include "tasks.h"

/* Texts are part of the case: a case is copied into the process that runs it. */
struct ending {
    enum outcome outcome;
    long http_code;
    char location[32]; /* "": none */
    bool follows;
    enum verdict verdict;
    enum reason reason; /* of a task that is done */
    enum outcome outcome_after;
};

ParameterizedTestParameters(verdict, follows_from_how_a_transfer_ended)
{
    static struct ending endings[] = {
        {OUTCOME_ANSWERED, 200, "", true, VERDICT_DONE, REASON_OK, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 204, "", true, VERDICT_DONE, REASON_OK, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 304, "", true, VERDICT_DONE, REASON_OK, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 399, "", true, VERDICT_DONE, REASON_OK, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 400, "", true, VERDICT_DONE, REASON_HTTP, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 404, "", true, VERDICT_DONE, REASON_OK, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 405, "", true, VERDICT_DONE, REASON_HTTP, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 500, "", true, VERDICT_DONE, REASON_HTTP, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 0, "", true, VERDICT_DONE, REASON_HTTP, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 302, "/x", true, VERDICT_HOP, REASON_OK, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 302, "", true, VERDICT_DONE, REASON_OK, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 302, "/x", false, VERDICT_DONE, REASON_OK, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 200, "/x", true, VERDICT_DONE, REASON_OK, OUTCOME_ANSWERED},
        {OUTCOME_ANSWERED, 301, "ftp://h/", true, VERDICT_DONE, REASON_DENIED, OUTCOME_FAILED},
        {OUTCOME_ANSWERED, 301, "http://h:x/", true, VERDICT_DONE, REASON_PROTOCOL, OUTCOME_FAILED},
        {OUTCOME_FAILED, 0, "", true, VERDICT_DONE, REASON_TLS, OUTCOME_FAILED},
        {OUTCOME_FAILED, 200, "", true, VERDICT_DONE, REASON_TLS, OUTCOME_FAILED},
        {OUTCOME_MISFIT, 206, "", true, VERDICT_RESEND, REASON_OK, OUTCOME_MISFIT},
        {OUTCOME_MISFIT, 416, "", true, VERDICT_RESEND, REASON_OK, OUTCOME_MISFIT},
        {OUTCOME_NO_ROOM, 200, "", true, VERDICT_AGAIN, REASON_OK, OUTCOME_NO_ROOM},
        {OUTCOME_NO_DESCRIPTOR, 0, "", true, VERDICT_LATER, REASON_OK, OUTCOME_NO_DESCRIPTOR},
        {OUTCOME_LOCAL_TROUBLE, 200, "", true, VERDICT_DONE, REASON_TLS, OUTCOME_LOCAL_TROUBLE},
    };

    return cr_make_param_array(struct ending, endings, sizeof endings / sizeof *endings);
}

/* 404 is accepted beside the usual. A failure is said to be one of TLS by whoever saw it. */
ParameterizedTest(struct ending *ending, verdict, follows_from_how_a_transfer_ended)
{
    struct verdict_rules rules = {
        .redirect = {.follow = ending->follows,
                     .max = 10,
                     .protocols = OPTION_PROTO_HTTP | OPTION_PROTO_HTTPS}};
    struct task *task = tasks_answered("http://h/", ending->http_code,
                                       ending->location[0] ? ending->location : NULL);

    codes_add(&rules.accept, 100, 399);
    codes_add(&rules.accept, 404, 404);
    task->outcome = ending->outcome;
    if (ending->outcome != OUTCOME_ANSWERED)
        result_setf(&task->result, REASON_TLS, "bad certificate");
    cr_expect_eq(verdict_of(&rules, task), ending->verdict);
    cr_expect_eq(task->outcome, ending->outcome_after);
    if (ending->verdict == VERDICT_DONE)
        cr_expect_eq(task->result.reason, ending->reason, "%s", reason_name(task->result.reason));
    if (ending->verdict == VERDICT_DONE && ending->reason != REASON_OK)
        cr_expect_not_null(task->result.message);
    cr_expect_eq(task->result.n_passed, ending->verdict == VERDICT_HOP);
    tasks_free(task);
}

Test(verdict, names_the_status_that_is_not_accepted)
{
    struct verdict_rules rules = {0};
    struct task *task = tasks_answered("http://h/", 200, NULL);

    cr_expect_eq(verdict_of(&rules, task), VERDICT_DONE);
    cr_expect_eq(task->result.reason, REASON_HTTP);
    cr_expect_str_eq(task->result.message, "status 200");
    tasks_free(task);
}

/* ---- tried again, sent again ---- */

static struct verdict_rules retrying_rules(void)
{
    struct verdict_rules rules = {.redirect = {.max = 10, .protocols = OPTION_PROTO_HTTP},
                                  .retry = {.max = 2, .delay = 0.5, .max_delay = 60}};

    codes_add(&rules.accept, 100, 399);
    codes_add(&rules.retry.on, 503, 503);
    return rules;
}

static enum verdict judge(const struct verdict_rules *rules, struct task *task,
                          enum outcome outcome, enum reason reason, unsigned attempts)
{
    task->outcome = outcome;
    task->result.attempts = attempts;
    if (outcome != OUTCOME_ANSWERED)
        result_setf(&task->result, reason, "so it ended");
    return verdict_of(rules, task);
}

Test(verdict, tries_again_what_may_pass_as_often_as_it_may)
{
    struct verdict_rules rules = retrying_rules();

    for (unsigned attempts = 1; attempts < 5; attempts++) {
        enum verdict expected = attempts <= 2 ? VERDICT_RETRY : VERDICT_DONE;
        struct task *task = tasks_answered("http://h/", 503, NULL);
        cr_expect_eq(judge(&rules, task, OUTCOME_ANSWERED, REASON_OK, attempts), expected);
        cr_expect_eq(task->result.reason, REASON_HTTP, "should the budget allow no other try");
        cr_expect_eq(judge(&rules, task, OUTCOME_FAILED, REASON_TIMEOUT, attempts), expected);
        cr_expect_eq(task->result.reason, REASON_TIMEOUT);
        cr_expect_eq(judge(&rules, task, OUTCOME_FAILED, REASON_TOO_LARGE, attempts), VERDICT_DONE);
        tasks_free(task);
    }
}

Test(verdict, does_not_try_again_what_is_accepted)
{
    struct verdict_rules rules = retrying_rules();
    struct task *task = tasks_answered("http://h/", 503, NULL);

    codes_add(&rules.accept, 503, 503);
    cr_expect_eq(judge(&rules, task, OUTCOME_ANSWERED, REASON_OK, 1), VERDICT_DONE);
    cr_expect_eq(task->result.reason, REASON_OK);
    tasks_free(task);
}

Test(verdict, heeds_the_method_that_was_sent)
{
    struct verdict_rules rules = retrying_rules();
    struct task *task = tasks_answered("http://h/", 503, NULL);

    rules.redirect.defaults.method = "POST";
    cr_expect_eq(judge(&rules, task, OUTCOME_ANSWERED, REASON_OK, 1), VERDICT_DONE);
    cr_expect_eq(judge(&rules, task, OUTCOME_FAILED, REASON_RESET, 1), VERDICT_DONE);
    cr_expect_eq(judge(&rules, task, OUTCOME_FAILED, REASON_CONNECT, 1), VERDICT_RETRY);
    task->demoted = true;
    cr_expect_eq(judge(&rules, task, OUTCOME_ANSWERED, REASON_OK, 1), VERDICT_RETRY);
    task->demoted = false;
    rules.retry.all_methods = true;
    cr_expect_eq(judge(&rules, task, OUTCOME_ANSWERED, REASON_OK, 1), VERDICT_RETRY);
    tasks_free(task);
}

Test(verdict, heeds_the_requests_own_number)
{
    struct verdict_rules rules = retrying_rules();
    struct task *task = tasks_answered("http://h/", 503, NULL);

    task->request.detail = detail_new();
    cr_expect_eq(judge(&rules, task, OUTCOME_ANSWERED, REASON_OK, 2), VERDICT_RETRY);
    cr_expect_eq(judge(&rules, task, OUTCOME_ANSWERED, REASON_OK, 3), VERDICT_DONE);
    task->request.detail->retry = 3;
    cr_expect_eq(judge(&rules, task, OUTCOME_ANSWERED, REASON_OK, 3), VERDICT_RETRY);
    task->request.detail->retry = 0;
    cr_expect_eq(judge(&rules, task, OUTCOME_ANSWERED, REASON_OK, 1), VERDICT_DONE);
    tasks_free(task);
}

/* A server that goes away each time is not asked for ever. */
Test(verdict, sends_again_what_was_not_touched_and_then_takes_it_for_a_failure)
{
    struct verdict_rules rules = retrying_rules();
    struct task *task = tasks_answered("http://h/", 0, NULL);

    for (task->resent = 0; task->resent < RESENDS_MAX; task->resent++)
        cr_expect_eq(judge(&rules, task, OUTCOME_UNTOUCHED, REASON_RESET, 3), VERDICT_RESEND);
    cr_expect_eq(judge(&rules, task, OUTCOME_UNTOUCHED, REASON_RESET, 1), VERDICT_RETRY);
    cr_expect_eq(judge(&rules, task, OUTCOME_UNTOUCHED, REASON_RESET, 3), VERDICT_DONE);
    cr_expect_eq(task->result.reason, REASON_RESET);
    tasks_free(task);
}

/* ---- lessons ---- */

Test(verdict, learns_from_an_answer)
{
    static const long codes[] = {0, 200, 302, 404, 429, 500, 502, 503, 504};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct task *task = tasks_answered("http://h/", codes[i], NULL);
        task->latency = 0.25;
        task->closed_for = 7;
        struct lesson lesson = verdict_lesson(task);
        cr_expect(lesson.answered && !lesson.lost, "%ld", codes[i]);
        cr_expect_eq(lesson.overloaded, codes[i] == 429 || codes[i] == 503, "%ld", codes[i]);
        cr_expect_eq(lesson.latency, 0.25);
        cr_expect_eq(lesson.closed_for, 7);
        tasks_free(task);
    }
}

/* What a failure says of its host: whether a connection stood, before it and after it. */
struct meaning {
    enum reason reason;
    int exitcode;
    long http_code;
    bool has_connected, lost, reached, heard, answered;
};

ParameterizedTestParameters(verdict, learns_from_a_failure_whether_the_host_was_reached)
{
    static struct meaning meanings[] = {
        {REASON_DNS, 6, 0, false, false, false, false, false},
        {REASON_CONNECT, 7, 0, false, true, false, false, false},
        {REASON_TLS, 35, 0, false, true, false, false, false},
        {REASON_TLS, 60, 0, false, false, true, false, false},
        {REASON_TIMEOUT, 28, 0, false, true, false, false, false},
        {REASON_TIMEOUT, 28, 0, true, false, true, false, false},
        {REASON_TIMEOUT, 28, 200, true, false, true, true, false},
        {REASON_RESET, 52, 0, true, true, false, false, false},
        {REASON_RESET, 56, 0, false, true, false, false, false},
        {REASON_RESET, 56, 200, true, false, true, true, false},
        {REASON_PROTOCOL, 1, 0, true, false, true, false, false},
        {REASON_TOO_LARGE, 63, 200, true, false, false, true, true},
        {REASON_ENCODING, 61, 200, true, false, false, true, true},
        {REASON_DENIED, 0, 0, false, false, false, false, false},
        {REASON_OUTPUT, 23, 0, false, false, false, false, false},
    };

    return cr_make_param_array(struct meaning, meanings, sizeof meanings / sizeof *meanings);
}

ParameterizedTest(struct meaning *meaning, verdict,
                  learns_from_a_failure_whether_the_host_was_reached)
{
    struct task *task = tasks_answered("http://h/", meaning->http_code, NULL);
    const char *name = reason_name(meaning->reason);

    task->outcome = OUTCOME_FAILED;
    task->closed_for = 7;
    task->has_connected = meaning->has_connected;
    task->result.reason = meaning->reason;
    task->result.exitcode = meaning->exitcode;
    struct lesson lesson = verdict_lesson(task);
    cr_expect_eq(lesson.lost, meaning->lost, "%s", name);
    cr_expect_eq(lesson.reached, meaning->reached, "%s", name);
    cr_expect_eq(lesson.heard, meaning->heard, "%s", name);
    cr_expect_eq(lesson.answered, meaning->answered, "%s", name);
    cr_expect_eq(lesson.overloaded,
                 meaning->reason == REASON_TIMEOUT || meaning->reason == REASON_CONNECT, "%s",
                 name);
    cr_expect_eq(lesson.closed_for, meaning->heard ? 7 : 0, "%s", name);
    tasks_free(task);
}

/* ---- outages ---- */

Test(verdict, counts_no_try_that_an_outage_spoiled)
{
    struct verdict_rules rules = retrying_rules();
    struct task *task = tasks_answered("http://h/", 0, NULL);

    task->met_outage = true;
    for (unsigned attempts = 1; attempts < 5; attempts++) {
        cr_expect_eq(judge(&rules, task, OUTCOME_FAILED, REASON_CONNECT, attempts),
                     VERDICT_WAIT_FOR_HOST);
        cr_expect_eq(judge(&rules, task, OUTCOME_FAILED, REASON_RESET, attempts),
                     VERDICT_WAIT_FOR_HOST);
    }
    rules.retry.max = 0;
    cr_expect_eq(judge(&rules, task, OUTCOME_FAILED, REASON_CONNECT, 1), VERDICT_WAIT_FOR_HOST);
    tasks_free(task);
}

Test(verdict, counts_what_is_not_the_outages_doing)
{
    struct verdict_rules rules = retrying_rules();
    struct task *task = tasks_answered("http://h/", 0, NULL);

    task->met_outage = true;
    task->has_connected = true;
    cr_expect_eq(judge(&rules, task, OUTCOME_FAILED, REASON_TIMEOUT, 1), VERDICT_RETRY);
    cr_expect_eq(judge(&rules, task, OUTCOME_FAILED, REASON_TIMEOUT, 3), VERDICT_DONE);
    cr_expect_eq(judge(&rules, task, OUTCOME_FAILED, REASON_DNS, 3), VERDICT_DONE);
    task->has_connected = false;
    rules.redirect.defaults.method = "POST";
    cr_expect_eq(judge(&rules, task, OUTCOME_FAILED, REASON_RESET, 1), VERDICT_DONE,
                 "the origin may have done it already");
    cr_expect_eq(judge(&rules, task, OUTCOME_FAILED, REASON_CONNECT, 1), VERDICT_WAIT_FOR_HOST);
    tasks_free(task);
}

Test(verdict, learns_from_a_head_whatever_became_of_the_body)
{
    static const enum reason reasons[] = {REASON_RESET, REASON_TIMEOUT, REASON_TOO_LARGE,
                                          REASON_ENCODING, REASON_OUTPUT};
    static const long codes[] = {200, 429, 500, 503};

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        for (size_t k = 0; k < ARRAY_LEN(codes); k++) {
            struct task *task = tasks_answered("http://h/", codes[k], NULL);
            bool is_refusal = codes[k] == 429 || codes[k] == 503;
            task->outcome = OUTCOME_FAILED;
            task->closed_for = 7;
            task->result.reason = reasons[i];
            struct lesson lesson = verdict_lesson(task);
            cr_expect_eq(lesson.overloaded, is_refusal || reasons[i] == REASON_TIMEOUT, "%ld",
                         codes[k]);
            cr_expect_eq(lesson.closed_for, 7, "%ld", codes[k]);
            tasks_free(task);
        }
    }
}

Test(verdict, takes_a_rest_that_does_not_fit_for_an_answer)
{
    struct task *task = tasks_answered("http://h/", 206, NULL);

    task->outcome = OUTCOME_MISFIT;
    task->closed_for = 7;
    struct lesson lesson = verdict_lesson(task);
    cr_expect(lesson.answered && !lesson.lost && !lesson.overloaded);
    cr_expect_eq(lesson.closed_for, 7);
    tasks_free(task);
}

Test(verdict, learns_nothing_from_what_is_our_own_affair)
{
    static const enum outcome own[] = {OUTCOME_UNTOUCHED, OUTCOME_NO_ROOM, OUTCOME_NO_DESCRIPTOR,
                                       OUTCOME_LOCAL_TROUBLE};

    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        struct task *task = tasks_answered("http://h/", 503, NULL);
        task->outcome = own[i];
        task->result.reason = REASON_TIMEOUT;
        task->closed_for = 7;
        struct lesson lesson = verdict_lesson(task);
        cr_expect_not(lesson.answered || lesson.lost || lesson.overloaded, "%zu", i);
        cr_expect_not(lesson.heard || lesson.reached, "%zu", i);
        cr_expect_eq(lesson.closed_for, 0, "%zu", i);
        tasks_free(task);
    }
}
