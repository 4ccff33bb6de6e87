/*
 * Numbers as people write them in options: counts, durations (`1.5`, `500ms`, `2m`, `1h`, `7d`),
 * rates and sizes (`64M`, 1024 to the step, as curl has it). The whole text must be the number.
 *
 * Each returns 0, -EINVAL where the text is no such number, or -ERANGE where it is too large, and
 * leaves its result alone on failure.
 */
#ifndef WEIR_BASE_NUMBER_H
#define WEIR_BASE_NUMBER_H

#include <stdint.h>

#include "base/util.h"

int number_read_count(const char *text, uint64_t *ret_count) WARN_UNUSED;
int number_read_seconds(const char *text, double *ret_seconds) WARN_UNUSED;
/* `5/s`, `100/m`, `1/10s`: seconds from one to the next. */
int number_read_rate(const char *text, double *ret_interval) WARN_UNUSED;
/* A decimal number at the start of a text, with a dot for a point whatever the locale: where it ends,
 * or NULL where there is none. */
const char *number_read_decimal(const char *text, double *ret_value) WARN_UNUSED;
int number_read_bytes(const char *text, uint64_t *ret_bytes) WARN_UNUSED;

#endif
