/*
 * How many requests there are in an input, counted piece by piece: each line that parse_wants, told
 * without keeping it. A line is decided by its first few bytes, the rest is only searched for its
 * end.
 *
 * Bound: itself. Knows nothing of: where the bytes come from.
 */
#ifndef WEIR_INPUT_LINE_COUNT_H
#define WEIR_INPUT_LINE_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum line_count_state {
    LINE_BEGINS,  /* nothing of it was seen */
    LINE_BLANK,   /* blanks were */
    LINE_MATCHES, /* so far it begins as the record of a group does */
    LINE_WANTED,
    LINE_UNWANTED
};

struct line_count {
    char ending;
    enum line_count_state state;
    size_t matched;     /* so many bytes of what the record of a group begins with */
    size_t mark_seen;   /* so many bytes of the mark that a file may begin with */
    bool is_past_first; /* lines */
    uint64_t lines;     /* that are wanted */
};

/* `ending` is '\n' or '\0'. */
void line_count_init(struct line_count *, char ending);
void line_count_feed(struct line_count *, const char *bytes, size_t len);
/* The input is at its end: how many there are. A last line needs no ending. */
uint64_t line_count_end(struct line_count *);

#endif
