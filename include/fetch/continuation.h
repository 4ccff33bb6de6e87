/*
 * Whether the rest of a body that was cut can be asked for, and what is to be made of the answer.
 * Bytes are joined only where the origin says that all are of one representation: by a strong
 * validator, and by a range that begins where the first end and goes on to the end of the whole.
 *
 * Knows nothing of: transfers, files, the clock.
 */
#ifndef WEIR_FETCH_CONTINUATION_H
#define WEIR_FETCH_CONTINUATION_H

#include <stdbool.h>
#include <stdint.h>

struct partial;

/* A longer validator is as good as none. */
enum { CONTINUATION_VALIDATOR_MAX = 1024 };

/* What the head of an answer says; a text is NULL where there is no such header. */
struct answer_head {
    long status;
    const char *etag, *last_modified, *content_range;
    int64_t modified, dated; /* Last-Modified and Date in seconds; -1: not said */
    bool is_encoded;
    bool refuses_ranges; /* Accept-Ranges: none */
};

enum continuation {
    CONTINUATION_OTHER,    /* an answer in its own right: what is there counts no more */
    CONTINUATION_REST,     /* its body goes behind what is there */
    CONTINUATION_COMPLETE, /* nothing is missing */
    CONTINUATION_MISFIT    /* neither: the whole is to be asked for */
};

/* The validator by which the rest of such a body can be asked for: the head's, or NULL. */
const char *continuation_validator(const struct answer_head *);
/* What answers the question for the rest. Where it is that, the total is known by then. */
enum continuation continuation_judge(struct partial *, const struct answer_head *);

#endif
