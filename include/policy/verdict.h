/*
 * What is to become of a task whose transfer ended: it is done, it goes on at another place, or it
 * is started again. The rules are data; the judgement changes the task alone.
 */
#ifndef WEIR_POLICY_VERDICT_H
#define WEIR_POLICY_VERDICT_H

#include "model/codes.h"
#include "policy/redirect.h"

struct task;

enum verdict {
    VERDICT_DONE,
    VERDICT_HOP,   /* to be started at its new URL */
    VERDICT_AGAIN, /* it found no room: to be started again when it is next in order */
    VERDICT_LATER  /* no descriptor was free: to be started again in a moment */
};

struct verdict_rules {
    struct codes accept;
    struct redirect_rules redirect;
};

enum verdict verdict_of(const struct verdict_rules *, struct task *);

#endif
