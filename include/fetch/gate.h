/*
 * What an answer says about leaving its host alone for a while: Retry-After on 429 and 503, and the
 * RateLimit family, in its drafts and its X- dialects, once nothing remains. No other file reads
 * these headers.
 *
 * Knows nothing of: hosts, the clock (the time is an argument).
 */
#ifndef WEIR_FETCH_GATE_H
#define WEIR_FETCH_GATE_H

#include <stdbool.h>
#include <stddef.h>

/* How long to wait, as several headers may have said it. */
struct gate_time {
    bool is_said;
    bool is_silly;  /* some header said what is no time to wait */
    double seconds; /* the longest that was said, counted from the answer */
    double moment;  /* the latest that was said, in seconds since 1970; 0: none was */
};

/* What the headers said so far; all zero at first. */
struct gate_words {
    bool is_empty; /* a remaining count of 0 was seen */
    struct gate_time reset, pause;
};

struct gate_verdict {
    double seconds;  /* so long the gate is closed; 0: it is not */
    bool was_capped; /* they meant longer */
    bool was_silly;  /* they said something that is no time to wait */
};

/* Whether a header whose line begins with this byte may be one of them: others need not be read. */
static inline bool gate_may_read(char first)
{
    return (first | 0x20) == 'r' || (first | 0x20) == 'x';
}

/* Takes one line of an answer's head. */
void gate_read_header(struct gate_words *, const char *line, size_t len);

/* Whether there is anything to judge. */
bool gate_is_concerned(const struct gate_words *);
struct gate_verdict gate_judge(const struct gate_words *, long http_code, double wall_now,
                               double gate_max);

#endif
