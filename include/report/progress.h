/*
 * How a run goes while it does, as one or two lines of a terminal or as a line of a log: how much
 * is done of how much, what is in flight, how fast, what failed, what is waited for, and how long
 * it will still take.
 *
 * Bound: PROGRESS_SAMPLES moments of the last half minute, from which the rates are read.
 * Knows nothing of: the clock, the terminal, where the numbers come from.
 */
#ifndef WEIR_REPORT_PROGRESS_H
#define WEIR_REPORT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum { PROGRESS_SAMPLES = 64, PROGRESS_LINES = 2 };

/* Seconds between two moments; those that rates are told of, and those that what is left is judged
 * by, which should not jump about. */
#define PROGRESS_STEP      0.5
#define PROGRESS_RATE_SPAN 5.0
#define PROGRESS_LEFT_SPAN 30.0

struct progress {
    struct progress_sample {
        double at;
        uint64_t done, bytes;
    } samples[PROGRESS_SAMPLES]; /* a ring */
    size_t n_samples, next;
};

/* Why fewer run than may. */
enum wait_reason {
    WAIT_NOTHING,
    WAIT_ENDING, /* `words` say what ended the run early */
    WAIT_RATE,
    WAIT_HOST_RATE, /* `words` is the host */
    WAIT_GATE,      /* likewise, `until` the wall clock's time */
    WAIT_PAUSED,    /* likewise: it cannot be reached */
    WAIT_HOST_FULL,
    WAIT_LOOKUP,
    WAIT_READER,
    WAIT_WINDOW, /* `seq` and, in `words`, the URL of what all others wait for */
    WAIT_MEMORY, /* likewise */
    WAIT_DESCRIPTOR,
    WAIT_RETRY, /* `seconds` to the next one */
    WAIT_INPUT
};

struct wait {
    enum wait_reason reason;
    const char *words;
    uint64_t seq;
    double until, seconds;
};

/* The run at one moment. */
struct progress_view {
    double now, begun_at; /* the monotonic clock */
    uint64_t done, total; /* of all requests; 0: it is not known how many there are */
    uint64_t before;      /* of those done, by the run that is resumed */
    uint64_t bytes, retries;
    const uint64_t *reasons; /* results by reason */
    unsigned in_flight, jobs;
    struct wait wait;
};

struct progress_style {
    size_t width; /* columns that may be used */
    bool color, utf8;
};

struct progress_line {
    struct buf *text;
    size_t columns;
};

void progress_init(struct progress *, double now);
/* Notes the moment, if the last one noted is long enough ago. */
void progress_note(struct progress *, const struct progress_view *);

/* Appends the lines to the text of each. How many there are: the second is for what is not as it
 * should be. */
size_t progress_draw(const struct progress *, const struct progress_view *,
                     const struct progress_style *, struct progress_line lines[PROGRESS_LINES]);
/* Appends all of it as one line, with its end. */
void progress_tell(const struct progress *, const struct progress_view *, struct buf *out);

#endif
