/*
 * What an answer says about leaving its host alone for a while: Retry-After on 429 and 503, and the
 * RateLimit family, in its drafts and its X- dialects, once nothing remains.
 *
 * Knows nothing of: hosts, the clock (the time is an argument).
 */
#ifndef WEIR_POLICY_GATE_H
#define WEIR_POLICY_GATE_H

#include <stdbool.h>
#include <stddef.h>

/* What the headers said so far; all zero at first. */
struct gate_words {
    bool is_empty; /* a remaining count of 0 was seen */
    bool has_reset;
    bool asks_for_pause; /* a Retry-After that is not 0 was seen, for others to read */
    double pause;        /* its seconds, where it is a number: others pass over a part of one */
    bool is_silly;       /* a reset that is no time was */
    double reset;        /* as written: seconds, or a moment since 1970 if above 1e9 */
};

struct gate_verdict {
    double seconds;  /* so long the gate is closed; 0: it is not */
    bool was_capped; /* they meant longer */
    bool was_silly;  /* they said something that is no time to wait */
};

/* Takes one line of an answer's head. Called for each line there is, so what is of no interest
 * costs next to nothing. */
void gate_read_header(struct gate_words *, const char *line, size_t len);

/* `retry_after` is in seconds; 0: none, or one that cannot be read; less: a date in the past. */
struct gate_verdict gate_judge(const struct gate_words *, long http_code, double retry_after,
                               double wall_now, double gate_max);

#endif
