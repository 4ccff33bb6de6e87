/*
 * One random run: its input, its options, and what happens to it meanwhile. All of it follows from
 * one number.
 *
 * Owns nothing: its texts are the stage's. Knows nothing of: what became of it.
 */
#ifndef TESTS_ENDS_ROUND_H
#define TESTS_ENDS_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run.h"

struct blob;
struct stage;

enum fate {
    GOOD,   /* ok, if the run lets it */
    BAD,    /* never ok */
    MAYBE,  /* either: what retries, room and luck make of it */
    INVALID /* no request */
};

struct line {
    const char *text;
    const char *url;    /* as its record has it; of an invalid one NULL */
    const char *target; /* what the origin sees first, or NULL */
    const char *group;  /* JSON text, or "" */
    const char *word;   /* its body, or NULL: `len` bytes of its target */
    size_t len;
    enum fate fate;
    bool is_refused; /* its first answer is final, and a failure */
    bool goes_once;  /* one attempt is one request */
};

enum source {
    FROM_FILE,
    FROM_OPEN_PIPE, /* that nobody closes until the run has ended */
    WITHOUT_END     /* the lines over and over */
};

enum reader { READS, SLEEPS, LEAVES };

enum { ROUND_LINES_MAX = 150, ROUND_SIGNALS_MAX = 3 };

struct sent {
    int number;
    double after; /* seconds, since the one before */
};

struct round {
    uint64_t seed, dice;
    struct line lines[ROUND_LINES_MAX];
    size_t n_lines;
    enum source source;
    enum reader reader;
    double reader_after;
    struct sent sent[ROUND_SIGNALS_MAX];
    size_t n_sent, n_ending;

    const char *argv[RUN_ARGS_MAX + 2];
    size_t argc;
    size_t jobs, window;
    bool is_ordered, has_records, has_files, goes_to_file, commits, tells_groups, tells_summary;
    bool is_tight; /* memory and spool are small */
    unsigned retries;
    double deadline;   /* 0: none */
    const char *halt;  /* what is behind --halt=, or NULL */
    size_t halt_count; /* 0: none, or a share */
    bool spares, halts_on_fail, halts_on_success;
};

void round_draw(struct round *, struct stage *, uint64_t seed);
/* The line that the request came from. */
const struct line *round_line(const struct round *, uint64_t seq);
/* Whether the request goes on with the group of the one before. */
bool round_goes_on(const struct round *, uint64_t seq);
void round_add_input(const struct round *, struct blob *);
/* For who wants to see it again. */
void round_describe(const struct round *, struct blob *);

#endif
