/*
 * How the run goes, shown on stderr while it does: as lines that are drawn over at the end of a
 * terminal, or as a line each few seconds. Nothing else that goes there scrolls them away: they are
 * taken off before it, and stand behind it again, in one write. Nothing outside src/engine includes
 * this.
 *
 * Bound: SHOWING_EACH between two drawings, which a terminal that takes no more does not see.
 */
#ifndef WEIR_CORE_SHOWING_H
#define WEIR_CORE_SHOWING_H

#include <stdbool.h>

#include "base/buf.h"
#include "report/flood.h"
#include "report/progress.h"
#include "report/screen.h"

struct counter;
struct engine;

/* Seconds. A run that ends before the first shows nothing. */
#define SHOWING_FIRST 0.5
#define SHOWING_EACH  0.1
#define PLAIN_FIRST   1.0
#define PLAIN_EACH    5.0

enum showing_mode { SHOWING_NOTHING, SHOWING_LINES, SHOWING_BAR };

struct showing {
    enum showing_mode mode;
    double due; /* INFINITY: nothing is shown */
    double shown_at;
    bool has_color, is_utf8;
    bool is_terminal;   /* it goes to one */
    bool is_out_there;  /* the results go to the same terminal */
    bool is_piped;      /* stdout is a pipe, whose reader may write to the same terminal */
    bool had_two_lines; /* so there are two from then on */
    bool is_counting;
    struct progress progress;
    struct screen screen;
    struct flood flood;      /* of lines about failures, on a terminal */
    struct buf drawn;        /* what stands there */
    struct counter *counter; /* or NULL */
};

/* Before anything is read. */
void engine_begin_showing(struct engine *);
/* Shows what is due; the notes that wait for it go out with it. */
void engine_show(struct engine *, double now);
/* Whether what was noted had better wait for the next drawing. */
bool engine_holds_notes(const struct engine *, double now);
/* Something else is to stand at the end of the terminal. */
void engine_hide(struct engine *);
/* The process was stopped, and others used the terminal. */
void engine_show_anew(struct engine *, double now);
/* Shows nothing any more. */
void engine_end_showing(struct engine *);

/* Whether lines on stderr may have colours. */
bool engine_has_color(const struct engine *);

#endif
