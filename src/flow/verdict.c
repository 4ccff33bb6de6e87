#include "flow/verdict.h"

#include "core/task.h"
#include "input/condition.h"

enum { CODE_NOT_MODIFIED = 304 };

static const char *method_of(const struct verdict_rules *rules, const struct task *task)
{
    return task->demoted ? "GET" : request_ask(&task->request, &rules->redirect.defaults).method;
}

/* No connection came to stand, or it was reset before the answer's first byte. A name that does not
 * exist, a bad certificate and a host that takes its time are no such thing. */
static bool is_lost(const struct task *task)
{
    const struct result *result = &task->result;

    return result->reason == REASON_CONNECT ||
           (result->reason == REASON_RESET && result->http_code == 0) ||
           (result->reason == REASON_TIMEOUT && !task->has_connected) ||
           (result->reason == REASON_TLS && result->exitcode == CODE_BROKEN_HANDSHAKE);
}

static enum verdict judge_failure(const struct verdict_rules *rules, const struct task *task)
{
    const struct detail *detail = task->request.detail;
    struct retry_case one = {
        .reason = task->result.reason,
        .exitcode = task->result.exitcode,
        .http_code = task->result.http_code,
        .method = method_of(rules, task),
        .attempts = task->result.attempts,
        .own_max = detail ? detail->retry : -1,
    };

    if (task->met_outage && is_lost(task)) {
        one.attempts = 0;
        return retry_wants(&rules->retry, &one) ? VERDICT_WAIT_FOR_HOST : VERDICT_DONE;
    }
    return retry_wants(&rules->retry, &one) ? VERDICT_RETRY : VERDICT_DONE;
}

/* An answer came whole: whether it is a good one is for its status to say. */
static enum verdict judge_answer(const struct verdict_rules *rules, struct task *task)
{
    struct result *result = &task->result;

    /* The answer to a condition of ours, whatever statuses are accepted. */
    result->is_unmodified =
        result->http_code == CODE_NOT_MODIFIED && task->condition && task->condition->is_sent;
    if (result->is_unmodified) {
        result->reason = REASON_OK;
        return VERDICT_DONE;
    }
    if (redirect_follow(&rules->redirect, task))
        return VERDICT_HOP;
    if (task->outcome == OUTCOME_FAILED)
        return VERDICT_DONE;
    if (codes_has(&rules->accept, result->http_code)) {
        result->reason = REASON_OK;
        return VERDICT_DONE;
    }
    result_setf(result, REASON_HTTP, "status %ld", result->http_code);
    return judge_failure(rules, task);
}

enum verdict verdict_of(const struct verdict_rules *rules, struct task *task)
{
    switch (task->outcome) {
    case OUTCOME_ANSWERED: return judge_answer(rules, task);
    case OUTCOME_MISFIT: return VERDICT_RESEND;
    case OUTCOME_NO_ROOM: return VERDICT_AGAIN;
    case OUTCOME_NO_DESCRIPTOR: return VERDICT_LATER;
    case OUTCOME_UNTOUCHED:
        if (task->resent < RESENDS_MAX)
            return VERDICT_RESEND;
        return judge_failure(rules, task);
    case OUTCOME_FAILED: return judge_failure(rules, task);
    case OUTCOME_LOCAL_TROUBLE: return VERDICT_DONE;
    }
    return VERDICT_DONE;
}

/* What went wrong on the way to the host or with what it sent; else it is our own affair. */
static bool is_of_transport(enum reason reason)
{
    return reason == REASON_DNS || reason == REASON_CONNECT || reason == REASON_TLS ||
           reason == REASON_TIMEOUT || reason == REASON_RESET || reason == REASON_PROTOCOL;
}

static bool is_refusal(long code)
{
    return code == 429 || code == 503;
}

/* What a head said holds, whatever became of the body. */
static struct lesson learn_from_failure(const struct task *task)
{
    const struct result *result = &task->result;
    bool is_heard = result->http_code > 0;
    struct lesson lesson = {.overloaded = is_refusal(result->http_code), .heard = is_heard};

    if (is_heard)
        lesson.closed_for = task->closed_for;
    if (is_of_transport(result->reason)) {
        lesson.lost = is_lost(task);
        lesson.unfound = result->reason == REASON_DNS;
        lesson.reached = !lesson.lost && !lesson.unfound;
        lesson.overloaded |= result->reason == REASON_TIMEOUT || result->reason == REASON_CONNECT;
    } else {
        lesson.answered = is_heard;
    }
    return lesson;
}

struct lesson verdict_lesson(const struct task *task)
{
    switch (task->outcome) {
    case OUTCOME_ANSWERED:
        return (struct lesson){.answered = true,
                               .overloaded = is_refusal(task->result.http_code),
                               .closed_for = task->closed_for,
                               .latency = task->latency};
    case OUTCOME_FAILED: return learn_from_failure(task);
    case OUTCOME_MISFIT: return (struct lesson){.answered = true, .closed_for = task->closed_for};
    case OUTCOME_UNTOUCHED: return (struct lesson){.lost = task->resent >= RESENDS_MAX};
    case OUTCOME_NO_ROOM:
    case OUTCOME_NO_DESCRIPTOR:
    case OUTCOME_LOCAL_TROUBLE: break;
    }
    return (struct lesson){0};
}
