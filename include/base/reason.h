/*
 * Why a request ended as it did: one of a closed set of words that scripts may rely on.
 */
#ifndef WEIR_BASE_REASON_H
#define WEIR_BASE_REASON_H

enum reason {
    REASON_OK,
    REASON_HTTP,      /* a status that is not accepted */
    REASON_DNS,       /* name not found */
    REASON_CONNECT,   /* refused, unreachable */
    REASON_TLS,       /* handshake, certificate, name */
    REASON_TIMEOUT,   /* any of ours */
    REASON_RESET,     /* the connection ended before the answer was whole */
    REASON_PROTOCOL,  /* what came is not HTTP */
    REASON_REDIRECTS, /* too many */
    REASON_TOO_LARGE, /* over the limit, or no room to hold it */
    REASON_ENCODING,  /* content that does not decode */
    REASON_DENIED,    /* a scheme or address that is not permitted */
    REASON_HOST_DOWN, /* the host was given up */
    REASON_INVALID,   /* the input line is no request */
    REASON_CANCELLED, /* a sibling failed */
    REASON_HALTED,    /* the run ended first */
    REASON_OUTPUT,    /* a local file */
    REASON_COUNT
};

const char *reason_name(enum reason);

#endif
