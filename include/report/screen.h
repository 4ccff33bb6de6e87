/*
 * The lines that stand at the end of a terminal and are drawn over, and what takes them away. The
 * cursor rests behind the last of them. Nothing is switched on that would have to be switched off:
 * whatever ends the program leaves a terminal that works.
 *
 * Bound: SCREEN_LINES lines. Knows nothing of: what the lines say, where the bytes go.
 */
#ifndef WEIR_REPORT_SCREEN_H
#define WEIR_REPORT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum { SCREEN_LINES = 2 };

struct screen {
    size_t n_lines;               /* that stand there */
    size_t width;                 /* of the terminal as they were drawn */
    size_t columns[SCREEN_LINES]; /* how wide each is */
};

/* Appends what takes away the lines that stand there, on a terminal that is now `width` columns
 * wide: one that got narrower has broken them. */
void screen_erase(struct screen *, size_t width, struct buf *out);
/* They scrolled away, or stand where nobody knows. */
void screen_forget(struct screen *);

/* To draw: begin, each line, end. */
void screen_begin(struct screen *, size_t width, struct buf *out);
/* `text` is `columns` wide, which is less than the terminal. */
void screen_add_line(struct screen *, const char *text, size_t columns, struct buf *out);
void screen_end(struct screen *, struct buf *out);

#endif
