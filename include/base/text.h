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

/* Appends at most `max` bytes of it, U+FFFD in the place of each bad byte, never half a character. */
void text_add_valid(struct buf *out, const char *bytes, size_t len, size_t max);

/* Appends it with C0, DEL, C1 and bad bytes written as \xNN: safe on any terminal, one line. */
void text_add_escaped(struct buf *out, const char *bytes, size_t len);

#endif
