#include "policy/verdict.h"

#include "model/task.h"

/* An answer came whole: whether it is a good one is for its status to say. */
static enum verdict judge_answer(const struct verdict_rules *rules, struct task *task)
{
    struct result *result = &task->result;

    if (redirect_follow(&rules->redirect, task))
        return VERDICT_HOP;
    if (task->outcome == OUTCOME_FAILED)
        return VERDICT_DONE;
    if (codes_has(&rules->accept, result->http_code))
        result->reason = REASON_OK;
    else
        result_setf(result, REASON_HTTP, "status %ld", result->http_code);
    return VERDICT_DONE;
}

enum verdict verdict_of(const struct verdict_rules *rules, struct task *task)
{
    switch (task->outcome) {
    case OUTCOME_ANSWERED: return judge_answer(rules, task);
    case OUTCOME_NO_ROOM: return VERDICT_AGAIN;
    case OUTCOME_NO_DESCRIPTOR: return VERDICT_LATER;
    case OUTCOME_FAILED:
    case OUTCOME_LOCAL_TROUBLE: return VERDICT_DONE;
    }
    return VERDICT_DONE;
}
