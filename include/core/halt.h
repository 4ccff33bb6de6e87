/*
 * When a run is to end early, in GNU parallel's words: `never`, `soon,fail=3`, `now,success=1`,
 * `soon,fail=20%`, `now,done=50`.
 */
#ifndef WEIR_CORE_HALT_H
#define WEIR_CORE_HALT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* A share counts once so many requests are done: the first failure of three is not 33% of a run. */
enum { HALT_SHARE_MIN = 10 };

enum halt_when {
    HALT_NEVER,
    HALT_SOON, /* start no more, let what runs finish */
    HALT_NOW   /* cancel what runs */
};

enum halt_what { HALT_FAIL, HALT_SUCCESS, HALT_DONE };

struct halt {
    enum halt_when when;
    enum halt_what what;
    uint64_t count; /* 0: it is a share */
    double share;   /* percent */
};

/* What a run has come to. */
struct halt_tally {
    uint64_t failed, succeeded;
    uint64_t read; /* requests there are, as far as is known */
    bool read_all; /* and there are no more */
};

/* -EINVAL, with words in `err`. */
int halt_parse(struct halt *, const char *text, struct buf *err) WARN_UNUSED;
/* A share of failures or successes is one of what is done; a share of what is done is one of all
 * requests, and so counts once the input has ended. */
bool halt_is_reached(const struct halt *, const struct halt_tally *);
/* Appends `3 failures reached --halt soon,fail=3`. */
void halt_describe(const struct halt *, const struct halt_tally *, struct buf *out);

#endif
