/*
 * How wide text stands on a terminal: a Chinese character takes two columns, an accent that
 * combines none. The text is UTF-8 that holds no control character (base/text has seen to that).
 *
 * Owns nothing. Knows nothing of: terminals.
 */
#ifndef WEIR_BASE_COLUMNS_H
#define WEIR_BASE_COLUMNS_H

#include <stddef.h>

size_t columns_of(const char *text, size_t len);
/* How many bytes of it stand within `max` columns: whole characters, with what combines with
 * them. `*ret_columns` is what those take, which may be one less than `max`. */
size_t columns_fit(const char *text, size_t len, size_t max, size_t *ret_columns);

#endif
