/*
 * Runs of groups, in words: two letters a request. The first is its group, or - for none, ! alone
 * is a line that cannot be read, and " the name of a text that is a digit. The second is what
 * becomes of it: o is ok; l is ok, but late; f fails, F late; s is slow; S is slow and fails; r
 * fails at first; i cannot be a request.
 *
 * Owns nothing. Knows nothing of: which options there are.
 */
#ifndef TESTS_GROUPS_H
#define TESTS_GROUPS_H

#include <jansson.h>

#include "run.h"

struct stage;

/* Seconds that a slow one takes. */
#define GROUPS_SLOW 30

/* Lines of JSON for these words, each a target of its own: /text/LETTER-INDEX and what belongs to
 * it. */
const char *groups_input(struct stage *, const char *words);
/* With --jsonl and these options, which are apart by blanks. */
struct run_result groups_run(struct stage *, const char *options, const char *input);

/* What became of each request, by its seq: o is ok, f failed, i invalid, h halted, x could not be
 * written, cN cancelled by N, c cancelled by nobody. */
void groups_expect_ends(const json_t *records, const char *ends, const char *what);
/* Any lines of JSON, those of groups too. */
json_t *groups_lines(const struct blob *out);

#endif
