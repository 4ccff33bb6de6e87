/*
 * What a line of our own files is made of, be it a journal's or a cache's: words with a blank
 * between them, each made fit to stand there, and a checksum at the end. A line that was cut, or
 * made by somebody else, is told by that.
 *
 * Owns nothing. Knows nothing of: what the words mean.
 */
#ifndef WEIR_DELIVER_WORDS_H
#define WEIR_DELIVER_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct key;

/* ---- written ---- */

void words_add_hex(struct buf *out, uint64_t number, unsigned n_digits);
void words_add_key(struct buf *out, const struct key *);
/* Blanks, control bytes and backslashes become \x20 and the like. */
void words_add_fit(struct buf *out, const char *text, size_t len);
/* Ends the line that begins at `start`. */
void words_add_sum(struct buf *line, size_t start);

/* ---- read ---- */

/* What is left of a line. */
struct words {
    const char *at, *end;
};

/* A line without its newline; false where it is not the one that was written. */
bool words_begin(struct words *, const char *line, size_t len);
/* The next word, borrowed; false where there is none. */
bool words_next(struct words *, const char **ret_word, size_t *ret_len);
bool words_next_hex(struct words *, unsigned n_digits, uint64_t *ret_number);
bool words_next_number(struct words *, uint64_t *ret_number);
bool words_next_key(struct words *, struct key *ret_key);
/* Whether the word is this one. */
bool words_is(const char *word, size_t len, const char *text);
bool words_read_number(const char *word, size_t len, uint64_t *ret_number);
/* Undoes what made a text fit. */
void words_add_plain(struct buf *out, const char *word, size_t len);

#endif
