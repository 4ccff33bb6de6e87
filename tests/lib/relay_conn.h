/*
 * One connection through a relay, from its first byte to its last, in a process of its own.
 *
 * Owns nothing. Knows nothing of: who listens.
 */
#ifndef RIG_RELAY_CONN_H
#define RIG_RELAY_CONN_H

#include <stdbool.h>

struct relay_record;

/* Reads what the client wants into the record, and answers it. The descriptor that leads there, or -1:
 * it was refused, or left. */
int relay_conn_open(int fd, const char *credentials, struct relay_record *);
/* Passes bytes on both ways until both sides are at their end. */
void relay_conn_pass(int fd, int other);

#endif
