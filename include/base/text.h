/*
 * Bytes from outside, made fit to be shown. What a server or an input line says may hold anything;
 * what we print of it holds no control byte and is valid UTF-8.
 */
#ifndef WEIR_BASE_TEXT_H
#define WEIR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

bool text_is_utf8(const char *bytes, size_t len);

/* Appends at most `max` bytes of it, U+FFFD in the place of each bad byte, never half a
 * character. */
void text_add_valid(struct buf *out, const char *bytes, size_t len, size_t max);

/* Appends it with C0, DEL, C1, Cf and bad bytes written as \xNN: safe on any terminal, one line. */
void text_add_escaped(struct buf *out, const char *bytes, size_t len);
/* Appends it as a value of tab-separated ones: \t, \n, \r and \\ stand for their characters, \xNN
 * for the other bytes of C0, DEL, C1 and Cf, U+FFFD for each bad byte. */
void text_add_cell(struct buf *out, const char *bytes, size_t len);

/* The same, at most `max` bytes of what that makes, and then "..." where it is cut: never within a
 * character or an escape. */
void text_add_shown(struct buf *out, const char *bytes, size_t len, size_t max);

/* Whether a stream of bytes is UTF-8, told piece by piece. Zeroed: nothing seen yet. */
struct utf8_stream {
    char begun[4]; /* of a character whose end has not come */
    unsigned n_begun;
    bool bad;
};

void utf8_stream_feed(struct utf8_stream *, const char *bytes, size_t len);
bool utf8_stream_is_valid(const struct utf8_stream *);

/* Appends it as the inside of a JSON string: valid UTF-8, without control bytes, U+FFFD in the
 * place of each bad byte. */
void text_add_json(struct buf *out, const char *bytes, size_t len);
/* The same for bytes known to be UTF-8, at most TEXT_JSON_GROWTH times as many, to `out`; a piece
 * may end within a character. Returns how many. */
enum { TEXT_JSON_GROWTH = 6 };
size_t text_write_json(const char *bytes, size_t len, char *out);

#endif
