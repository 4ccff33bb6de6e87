/*
 * A terminal without a screen before it: a pseudo-terminal for a program to write to, and what
 * somebody who sits before it would see. It knows what weir may send: printable characters, CR, LF,
 * cursor up, erasing to the end of line and of screen, colours. Anything else is kept as a fault.
 * Each character is taken as one column wide; a line that is too long goes on in the next row.
 *
 * Bound: PTY_ROWS_MAX rows of PTY_COLUMNS_MAX columns; all that was written is kept.
 * Owns: both ends. Knows nothing of: who writes.
 */
#ifndef RIG_PTY_H
#define RIG_PTY_H

#include <stdbool.h>
#include <stddef.h>

#include "blob.h"

enum { PTY_COLUMNS_MAX = 400, PTY_ROWS_MAX = 100 };

struct pty;

/* NULL with errno. */
struct pty *pty_new(unsigned columns, unsigned rows);
void pty_free(struct pty *);
/* The end that the program is given. */
int pty_number(const struct pty *);
void pty_resize(struct pty *, unsigned columns, unsigned rows);

/* Reads what was written so far. */
void pty_read(struct pty *);
/* Reads until the screen shows the text; false when `seconds` are over. */
bool pty_shows_soon(struct pty *, const char *text, double seconds);
/* What is to be seen now: each row with a newline, blanks at its end and empty rows below taken
 * away; what scrolled off the top comes first. Until the next call. */
const char *pty_screen(struct pty *);
bool pty_shows(struct pty *, const char *text);
/* All that was ever written. */
const struct blob *pty_bytes(const struct pty *);
/* What it does not know, "" for none. */
const char *pty_fault(const struct pty *);

#endif
