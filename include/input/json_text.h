/*
 * Finding a member in the text of a JSON object that has been parsed already, so that its value can
 * be passed on exactly as it was written: no number is rounded, no key is moved or lost.
 */
#ifndef WEIR_INPUT_JSON_TEXT_H
#define WEIR_INPUT_JSON_TEXT_H

#include <stddef.h>

/* Where the value of the member `key` stands in `object`, valid JSON of `len` bytes, and how long
 * it is. NULL where no key is written so (it may be there with escapes). */
const char *json_text_member(const char *object, size_t len, const char *key, size_t *ret_len);

/* How many members are called `key`, or (NULL) how many there are: more than a parser knows of where a
 * name is there twice. */
size_t json_text_count(const char *object, size_t len, const char *key);

/* A copy of valid JSON on one line: what line breaks there are stand between tokens. */
char *json_text_one_line(const char *text, size_t len);

/* What a JSON string or number stands for, as text to be freed; it may hold NULs. */
char *json_text_plain(const char *text, size_t *ret_len);

#endif
