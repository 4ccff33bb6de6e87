/*
 * The built weir as the tests run it: with nothing in its environment that would lead it elsewhere,
 * and with an end that must come by itself.
 *
 * Owns nothing. Knows nothing of: what it fetches from.
 */
#ifndef TESTS_PROGRAM_H
#define TESTS_PROGRAM_H

#include <stdbool.h>

#include "run.h"

/* Enough for anything here on a machine under load; only what hangs takes as long. */
extern const double patience;

/* A name that is unknown at once and without anybody being asked: DNS has no room for such a label. */
#define UNKNOWN_NAME "an-unknown-name-whose-label-is-longer-than-any-resolver-would-ask-for"

/* Each asserts that it could be started; the last two, that it ended before its time was up. */
struct run *program_spawn(struct run_options);
struct run_result program_run(struct run_options);
/* *Takes* the run. */
struct run_result program_end(struct run *);

/* A run with this text as its stdin (NULL: none). */
struct run_result program_fetch(const char *const *argv, const char *input);

/* How it ended: its exit code, all of its stdout (NULL: anything), and what stands in its stderr
 * ("": nothing at all; NULL: anything). *Takes* the result. */
void program_expect(struct run_result, int code, const char *out, const char *err);

/* Whether stderr has a line for what `line` begins with ("line 2: URL" or "URL"), for that reason,
 * and with those words in it. */
bool program_told(const struct run_result *, const char *line, const char *reason,
                  const char *words);

/* Whether `unshare -m` gives a run mounts of its own: as root, where nothing forbids it. */
bool program_may_mount(void);

/* What is measured under a sanitizer is mostly the sanitizer. */
bool program_is_sanitized(void);
/* For run_options.env where memory is measured: a sanitizer then keeps little of what was freed. */
const char *const *program_lean(void);
/* KiB that may be used where the plain program may use `kib`. */
long program_allowance(long kib);

#endif
