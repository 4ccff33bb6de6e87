/*
 * Which host a URL is for, remembered. libcurl has the last word on what a URL's host is, and
 * asking it costs more than all else that is done to admit a line; but URLs that are alike up to
 * the first `/`, `?` or `#` after `://` are for the same host. From the third such URL on only what
 * follows is read, where that is plain: else libcurl reads the whole again.
 *
 * Bound: HOST_MEMO_SLOTS names and URLs, of texts of at most HOST_MEMO_TEXT_MAX bytes. Owns: those;
 * a user's password may be in them.
 */
#ifndef WEIR_INPUT_HOST_MEMO_H
#define WEIR_INPUT_HOST_MEMO_H

#include <stdbool.h>
#include <stddef.h>

struct url;

enum { HOST_MEMO_SLOTS = 64, HOST_MEMO_TEXT_MAX = 255 };

/* As url_add_host and url_is_numeric tell it. */
struct host_name {
    char *name; /* `scheme://name:port`; NULL: an empty slot */
    bool numeric;
    size_t text_len;
    char *text;       /* what the URLs begin with */
    struct url *stem; /* that text as a URL; NULL: seen once so far, or not plain */
};

struct host_memo {
    struct host_name slots[HOST_MEMO_SLOTS + 1]; /* the last is for what is not remembered */
    size_t recent;                               /* the one that was last found */
};

void host_memo_release(struct host_memo *);

/* The URL that url_parse would read from `text`; NULL where libcurl has to say what it is. */
struct url *host_memo_read(const struct host_memo *, const char *text);

/* The host of `url`, which was read from `text`; NULL: from something else. Good until the next
 * call. */
const struct host_name *host_memo_find(struct host_memo *, const char *text, const struct url *url);

#endif
