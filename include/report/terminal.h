/*
 * What is asked of a terminal before something is drawn on it.
 *
 * Owns nothing: no mode is changed. Knows nothing of: what is drawn.
 */
#ifndef WEIR_REPORT_TERMINAL_H
#define WEIR_REPORT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

struct terminal_size {
    size_t columns, rows;
};

/* Whether the terminal that TERM names can have its lines drawn over. */
bool terminal_can_move(void);
/* As it is now; 80 x 24 where nobody knows. */
struct terminal_size terminal_size(int number);
/* Whether the terminal is for us now, and not for a job in the foreground of ours. */
bool terminal_is_ours(int number);
/* Whether the locale has all characters there are. */
bool terminal_is_utf8(void);

#endif
