/*
 * A real nginx on ports of its own, in a scratch directory: what it serves, writes and listens to
 * is there. It runs as whoever runs the test and ends with it.
 *
 * Owns: its process, its scratch. Knows nothing of: who asks it.
 */
#ifndef RIG_NGINX_H
#define RIG_NGINX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs.h"

/* All zero: files from the document root, HTTP/2 where TLS asks for it. */
struct nginx_options {
    unsigned keepalive_requests; /* a connection is closed (with HTTP/2: GOAWAY) after as many */
    const char *limit_rate;      /* "10r/s": more is answered with 429 */
    unsigned limit_burst;
    bool gzip;        /* compress whatever its size and type */
    bool http1;       /* no HTTP/2 */
    bool http3;       /* HTTP/3, too, wherever there is TLS; not every nginx can */
    bool trace;       /* nginx_log has a line a request: status, connection, protocol, target */
    const char *http; /* more text for the http block */
    const char *locations; /* more text for every server block */
};

/* Each with all of the locations. */
struct nginx_ports {
    uint16_t plain;
    uint16_t tls;
    uint16_t expired;
    uint16_t self_signed;
    uint16_t wrong_name;
    uint16_t client_cert; /* as `tls`, but wants a certificate of the client's */
};

struct nginx;

/* Answers once this returns. NULL after what went wrong was said on stderr. */
struct nginx *nginx_start(const struct nginx_options *);
/* NULL is nothing. Returns 0, or its exit code when it did not end well. */
int nginx_stop(struct nginx *);

const struct nginx_ports *nginx_ports(const struct nginx *);
const struct certs *nginx_certs(const struct nginx *);
/* Puts a file into the document root; directories on the way are made. */
void nginx_put(struct nginx *, const char *name, const void *bytes, size_t len);
void nginx_put_text(struct nginx *, const char *name, const char *text);
/* What the access log (with `trace`), or the error log, says so far; as long as nginx runs. */
const char *nginx_log(struct nginx *);
const char *nginx_error_log(struct nginx *);

#endif
