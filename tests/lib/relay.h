/*
 * A proxy that passes bytes on: SOCKS 5, or CONNECT of HTTP, whichever the client speaks. Any name
 * that it is asked for is this machine. It runs in a child process that ends with its parent.
 *
 * Bound: RELAY_RECORDS_MAX connections are written down.
 * Owns: the child, what it wrote down. Knows nothing of: what goes through.
 */
#ifndef RIG_RELAY_H
#define RIG_RELAY_H

#include <stddef.h>
#include <stdint.h>

enum { RELAY_RECORDS_MAX = 64, RELAY_TEXT_SIZE = 128 };

struct relay;

/* What a client said before anything was passed on. */
struct relay_record {
    char credentials
        [RELAY_TEXT_SIZE];        /* NAME:PASSWORD, or the value of Proxy-Authorization, or "" */
    char target[RELAY_TEXT_SIZE]; /* HOST:PORT, "" where it was refused before */
};

/* Who does not say these `credentials` is refused; NULL: everybody may. NULL with errno. */
struct relay *relay_start(const char *credentials);
/* Ends and reaps the child; NULL is nothing. Returns 0, or how the child died if not of its own will. */
int relay_stop(struct relay *);

uint16_t relay_port(const struct relay *);
/* How many connections have been written down; and one of them, from 0. */
size_t relay_count(const struct relay *);
const struct relay_record *relay_record(const struct relay *, size_t index);

#endif
