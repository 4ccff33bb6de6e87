/*
 * An authority of the test's own and what it signs, made at run time by the `openssl` command, so
 * that nothing in the tree expires.
 *
 * Owns nothing: the files are the scratch's. Knows nothing of: who uses them.
 */
#ifndef RIG_CERTS_H
#define RIG_CERTS_H

struct scratch;

/* Paths of PEM files, as long as the scratch lives. All certificates share one key. */
struct certs {
    const char *ca;
    const char *key;
    const char *good;        /* 127.0.0.1, ::1, localhost, good.localhost */
    const char *expired;     /* the same names, until yesterday */
    const char *wrong_name;  /* wrong.example only */
    const char *self_signed; /* the right names, by no authority */
    const char *client;      /* for a client to show */
};

/* 0, or -1 after openssl's complaint went to stderr. */
int certs_make(struct scratch *, struct certs *ret_certs) __attribute__((warn_unused_result));

#endif
