/*
 * The JSONL on a run's stdout, read back.
 *
 * Owns: what was parsed. Knows nothing of: which fields a record has.
 */
#ifndef TESTS_RECORD_H
#define TESTS_RECORD_H

#include <jansson.h>
#include <stddef.h>

#include "run.h"

/* The records as an array, which the caller gives back by json_decref. Fails the test where a line is
 * no object, or there are not that many. *Takes* the result, which must have ended with `code`. */
json_t *records_of(struct run_result result, int code, size_t count);

/* Of the array's record `index`: a member's text ("" where there is none), or its value. */
const char *record_text(const json_t *records, size_t index, const char *name);
const json_t *record_value(const json_t *records, size_t index, const char *name);

#endif
