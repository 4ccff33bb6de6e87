/*
 * What a request may be asked under, so that only what has changed is sent: the validators that came
 * with its answer in an earlier run, where they came from, and the file that answer became. It is for
 * GET and HEAD alone, and for nobody who says such a thing himself.
 *
 * Bound: CONDITION_ETAG_MAX, a path. Owns: its strings. Knows nothing of: where it is kept.
 */
#ifndef WEIR_INPUT_CONDITION_H
#define WEIR_INPUT_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/key.h"

struct ask;
struct request;
struct strings;
struct url;

enum { CONDITION_ETAG_MAX = 1024 };

/* The last second that has a date in four digits of year. */
#define CONDITION_TIME_MAX INT64_C(253402300799)

/* What tells a file from another of its name. */
struct stamp {
    uint64_t size;
    uint64_t time; /* of its last change, in nanoseconds */
};

struct condition {
    struct key key;   /* what it is kept under */
    char *etag;       /* as it came, or NULL */
    int64_t modified; /* -1: not known */
    uint64_t at;      /* the place that said so; see condition_place */
    char *file;       /* what that answer became; NULL: no file */
    struct stamp stamp, former;
    bool has_former;       /* `former` stood there before it */
    struct stamp replaced; /* what is kept, and its next answer takes the place of */
    bool has_replaced;
    bool is_known;    /* something is kept of an earlier run */
    bool is_in_place; /* what was kept is still there, as it was */
    uint64_t here;    /* the place that its running transfer asks */
    bool is_sent;     /* and whether it is asked under this condition */
};

bool stamp_is(const struct stamp *, const struct stamp *);

/* Whether the request may be asked so. `headers` and `range` are what the options say of all. */
bool condition_fits(const struct request *, const struct ask *, const struct strings *headers,
                    const char *range);
/* What the request is, for an answer to be known again: its method, its URL, its headers save those
 * that say who asks, and the file (NULL: none) that the answer goes to. */
struct key condition_key(const struct request *, const struct ask *, const struct strings *headers,
                         const char *file);
/* What stands for the URL: a validator is good at the very URL that gave it. */
uint64_t condition_place(const struct url *);

struct condition *condition_new(void);
void condition_free(struct condition *);

/* Whether it is one as HTTP has it, and not too long: what is sent back is nothing else. */
bool condition_is_etag(const char *text, size_t len);
bool condition_has_validator(const struct condition *);
/* The header lines that say it; empty where there is none. */
void condition_add_if_none_match(const struct condition *, struct buf *out);
void condition_add_if_modified_since(const struct condition *, struct buf *out);

#endif
