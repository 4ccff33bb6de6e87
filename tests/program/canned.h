/*
 * A server with one answer: whatever asks it gets the same bytes, and then the end of the
 * connection. For what no server that knows HTTP would say.
 *
 * Owns: its process. Knows nothing of: HTTP, beyond the end of a request's head.
 */
#ifndef TESTS_CANNED_H
#define TESTS_CANNED_H

#include <stddef.h>
#include <stdint.h>

struct canned;

/* Fails the test where it cannot. */
struct canned *canned_start(const void *answer, size_t len);
uint16_t canned_port(const struct canned *);
/* NULL is nothing. */
void canned_stop(struct canned *);

#endif
