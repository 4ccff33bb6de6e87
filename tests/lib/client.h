/*
 * A client that hides nothing: bytes to a socket and back, for tests of servers.
 *
 * Owns nothing. Knows nothing of: HTTP beyond where a head ends.
 */
#ifndef RIG_CLIENT_H
#define RIG_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "blob.h"

/* A connected socket that blocks, or a negative errno; the address is numeric, v4 or v6. */
int client_connect(const char *address, uint16_t port);
/* 0 or a negative errno. */
int client_send(int fd, const void *bytes, size_t len);
int client_send_text(int fd, const char *text);
/* Reads to the end (0), a reset (-ECONNRESET) or the time limit (-ETIMEDOUT). */
int client_read_all(int fd, struct blob *, double seconds);
/* Likewise, but 0 as soon as there are `len` bytes in all; -EPIPE when the end came first. */
int client_read_len(int fd, struct blob *, size_t len, double seconds);

/* One GET with Connection: close, its answer to the end; what client_read_all gives. */
int client_get(uint16_t port, const char *target, struct blob *, double seconds);

/* Of an answer: 0 where there is none. */
int client_status(const struct blob *);
/* What follows its head; an empty span where there is none. */
struct blob_span client_body(const struct blob *);

#endif
