/*
 * Chooses the lines about failures for a terminal: of one host and one reason the first
 * FLOOD_SHOWN; after that one line a second counts the rest.
 *
 * Bound: FLOOD_SLOTS pairs of host and reason. A pair that comes to another's slot takes it, and the
 * other begins anew when it comes again. Knows nothing of: the clock, the terminal.
 */
#ifndef WEIR_REPORT_FLOOD_H
#define WEIR_REPORT_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"

struct buf;

enum { FLOOD_SHOWN = 5, FLOOD_SLOTS = 1024 };

/* Seconds between two lines that count. */
#define FLOOD_EACH 1.0

struct flood {
    struct flood_slot {
        uint64_t host; /* its name, hashed */
        enum reason reason;
        unsigned shown;
    } slots[FLOOD_SLOTS];
    uint64_t rest[REASON_COUNT]; /* not shown and not yet counted */
    double due;                  /* when a line is to count them; INFINITY: there are none */
};

void flood_init(struct flood *);
/* Whether the line of this failure is to be shown; else it is one of the rest. `host` may be NULL. */
bool flood_shows(struct flood *, const char *host, enum reason reason, double now);
/* Appends the line that counts the rest, with its end, and begins anew; nothing where there is none. */
void flood_count(struct flood *, struct buf *out);

#endif
