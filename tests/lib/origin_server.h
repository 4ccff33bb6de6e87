/*
 * The listener and its loop: accepts while there is room, ends when its life line does.
 *
 * Bound: ORIGIN_CONNECTIONS_MAX connections, fewer where descriptors run out; further clients wait
 * in the backlog. Owns: the loop. Knows nothing of: processes, what is served.
 */
#ifndef RIG_ORIGIN_SERVER_H
#define RIG_ORIGIN_SERVER_H

#include <stdint.h>

struct origin_log;
struct origin_options;

/* A descriptor that listens as the options say, or -1 with errno. */
int origin_server_listen(const struct origin_options *);

enum { ORIGIN_URL_SIZE = 80 };

/* The URL that reaches it from this machine, and its port (0 for a Unix socket; may be NULL). */
void origin_server_address(int listen_fd, char url[ORIGIN_URL_SIZE], uint16_t *ret_port);

/* Serves until `life_fd` reads as ended; *takes* `listen_fd`. */
void origin_server_run(int listen_fd, int life_fd, struct origin_log *);

#endif
