#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "model/options.h"
#include "policy/verdict.h"
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
