/*
 * The records of a run as a script reads them. Reading checks what holds for all of them, whatever
 * they tell: each line is one valid JSON object in valid UTF-8, with fields of the man page's names
 * and types and in its order.
 *
 * Owns nothing. Knows nothing of: how the run was started.
 */
#ifndef TESTS_RECORD_H
#define TESTS_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "run.h"

struct blob;

/* The lines of `out`, as an array that the caller gives back; any that is no record fails the test. */
json_t *records_read(const struct blob *out);
/* The same of a run that must have ended with `code` and told of so many; *takes* the result. */
json_t *records_of(struct run_result result, int code, size_t count);
/* Fails the test where there are not so many. */
const json_t *record_at(const json_t *records, size_t index);
/* How many have this reason. */
size_t records_count(const json_t *records, const char *reason);

/* "" where the field is missing or no string. */
const char *record_text(const json_t *record, const char *field);
/* -1 where the field is missing or no integer. */
long long record_number(const json_t *record, const char *field);
/* Seconds; -1 where the field is missing or no number. */
double record_seconds(const json_t *record, const char *field);
bool record_has(const json_t *record, const char *field);

/* Whether the body it carries, as text or in base64, is exactly this. */
bool record_body_is(const json_t *record, const void *bytes, size_t len);
/* Whether its `body_file`, opened from `dir`, holds exactly this; it carries no body then. */
bool record_file_is(const json_t *record, const char *dir, const void *bytes, size_t len);

#endif
