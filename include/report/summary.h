/*
 * What is told at the end of a run, as text for a person or as one JSON object on a line.
 *
 * Knows nothing of: where it goes.
 */
#ifndef WEIR_REPORT_SUMMARY_H
#define WEIR_REPORT_SUMMARY_H

#include <stdbool.h>

#include "base/buf.h"
#include "report/failures.h"
#include "report/histogram.h"
#include "report/slowest.h"
#include "report/stats.h"

struct finished;

struct summary {
    struct stats stats;
    struct failures failures;
    struct slowest slowest;
    struct histogram total, starttransfer, queue; /* of what was answered */
    double wall;                                  /* seconds */
    const char *ended;                            /* why, borrowed */
};

/* A result is out. `host` is the one it was last sent to, or NULL. */
void summary_note(struct summary *, const struct finished *);
void summary_release(struct summary *);

/* So many answers, and how long they took is drawn, too. */
enum { SUMMARY_DRAWN_MIN = 10 };

/* Lines of text, nothing in them that could move a terminal. `utf8`: characters beyond ASCII may be
 * drawn with. */
void summary_add_text(const struct summary *, bool utf8, struct buf *out);
/* Adds one line if it is to be `brief` or there were few requests, else at most six. */
enum { SUMMARY_LINE_BELOW = 10 };
void summary_add_short(const struct summary *, bool brief, struct buf *out);
void summary_add_json(const struct summary *, struct buf *out);

#endif
