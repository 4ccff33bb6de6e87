/*
 * A date as HTTP writes it (RFC 9110, 5.6.7): the one form that is to be sent, and the two old ones
 * that are to be understood. Nothing else is a date, and no locale has a say.
 *
 * Owns nothing. Knows nothing of: the clock.
 */
#ifndef WEIR_BASE_HTTP_DATE_H
#define WEIR_BASE_HTTP_DATE_H

#include <stdint.h>

#include "base/util.h"

/* Seconds since 1970; -EINVAL where the text is no such date. */
int http_date_read(const char *text, int64_t *ret_seconds) WARN_UNUSED;

#endif
