/*
 * What is to become of a task whose transfer ended: it is done, it goes on at another place, or it
 * is started again; and what its end tells about its host. The rules are data; the judgement
 * changes the task alone.
 */
#ifndef WEIR_FLOW_VERDICT_H
#define WEIR_FLOW_VERDICT_H

#include "base/codes.h"
#include "flow/redirect.h"
#include "flow/retry.h"
#include "flow/valve.h"

struct task;

enum { RESENDS_MAX = 5 };

enum verdict {
    VERDICT_DONE,
    VERDICT_HOP,    /* to be started at its new URL */
    VERDICT_RETRY,  /* worth another try, if the budget allows one */
    VERDICT_RESEND, /* the origin has not seen it, or not as it is now: to be sent, not counted */
    VERDICT_AGAIN,  /* it found no room: to be started again when it is next in order */
    VERDICT_LATER,  /* no descriptor was free: to be started again in a moment */
    VERDICT_WAIT_FOR_HOST /* its host is in an outage: to be started once it is back, not counted */
};

struct verdict_rules {
    struct codes accept;
    struct redirect_rules redirect;
    struct retry_rules retry;
};

enum verdict verdict_of(const struct verdict_rules *, struct task *);
/* To be asked before the verdict. */
struct lesson verdict_lesson(const struct task *);

#endif
