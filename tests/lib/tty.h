/*
 * A terminal without a screen before it: a pseudo-terminal for a program to write to, and what
 * somebody who sits before it would see. It knows what weir may send: printable characters, CR, LF,
 * cursor up, erasing to the end of line and of screen, colours. Anything else is kept as a fault.
 * Each character is taken as one column wide; a line that is too long goes on in the next row.
 *
 * Bound: TTY_ROWS_MAX rows of TTY_COLUMNS_MAX columns; all that was written is kept.
 * Owns: both ends. Knows nothing of: who writes.
 */
#ifndef RIG_TTY_H
#define RIG_TTY_H

#include <stdbool.h>
#include <stddef.h>

#include "blob.h"

enum { TTY_COLUMNS_MAX = 400, TTY_ROWS_MAX = 100 };

struct tty;

/* NULL with errno. */
struct tty *tty_new(unsigned columns, unsigned rows);
void tty_free(struct tty *);
/* The end that the program is given. */
int tty_number(const struct tty *);
void tty_resize(struct tty *, unsigned columns, unsigned rows);

/* Reads what was written so far. */
void tty_read(struct tty *);
/* Reads until the screen shows the text; false when `seconds` are over. */
bool tty_shows_soon(struct tty *, const char *text, double seconds);
/* What is to be seen now: each row with a newline, blanks at its end and empty rows below taken
 * away; what scrolled off the top comes first. Until the next call. */
const char *tty_screen(struct tty *);
bool tty_shows(struct tty *, const char *text);
/* All that was ever written. */
const struct blob *tty_bytes(const struct tty *);
/* What it does not know, "" for none. */
const char *tty_fault(const struct tty *);

#endif
