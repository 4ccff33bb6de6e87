/*
 * A line of the cache, written and read: words with a blank between them, made fit for that, and a
 * checksum at its end:
 *
 *   weir-cache 1 SUM                                                the first
 *   kept KEY PLACE ETAG MODIFIED STAMP FORMER FILE URL SUM          an answer, as it was kept
 *
 * KEY is 32 hexadecimal digits, PLACE 16, SUM 8; MODIFIED is in seconds since 1970; STAMP and FORMER
 * are SIZE:TIME, of the file and of what it replaced, TIME in nanoseconds. What there is none of is
 * `-`. Of two lines with one key the later one counts.
 *
 * Bound: CONDITION_ETAG_MAX, PATH_MAX and CACHE_URL_MAX, each byte of them four in the line.
 */
#ifndef WEIR_DELIVER_CACHE_LINE_H
#define WEIR_DELIVER_CACHE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "input/condition.h"

enum cache_kind { CACHE_HEAD, CACHE_KEPT };

enum { CACHE_VERSION = 1, CACHE_URL_MAX = 200, CACHE_LINE_MAX = 32 * 1024 };

/* A text that is borrowed; NULL: there is none. Where it was read it is as it stands in the line. */
struct cache_text {
    const char *at;
    size_t len;
};

struct cache_line {
    enum cache_kind kind;
    unsigned version; /* of a head */
    struct key key;
    uint64_t place;
    int64_t modified; /* -1: none */
    bool has_stamp, has_former;
    struct stamp stamp, former;
    struct cache_text etag, file, url;
};

struct cache_text cache_text(const char *);
void cache_line_add(const struct cache_line *, struct buf *out);
/* A line without its newline. False for one that is not whole, or not of ours. */
bool cache_line_read(const char *line, size_t len, struct cache_line *ret_line);
/* What a text was that was read: the caller's, or NULL. */
char *cache_text_plain(const struct cache_text *);

#endif
