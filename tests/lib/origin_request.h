/*
 * A request as it comes in: its head taken apart, then its body, byte run by byte run, with either
 * framing. Spans point into the head and live as long as its bytes.
 *
 * Owns nothing. Knows nothing of: sockets, scripts.
 */
#ifndef RIG_ORIGIN_REQUEST_H
#define RIG_ORIGIN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"

struct origin_request {
    struct blob_span method;
    struct blob_span target;
    struct blob_span version;
    struct blob_span headers; /* lines with their CR LF, without the empty one */
    struct blob_span authorization;
    struct blob_span range;
    struct blob_span if_range;
    struct blob_span if_none_match;
    struct blob_span if_modified_since;
    uint64_t content_length;
    bool chunked;
    bool keep_alive;
    bool http10;
    bool expects_continue;
};

/* The length of the head that `bytes` begin with, its empty line included; 0: not whole yet. */
size_t origin_request_head_len(const char *bytes, size_t len);
/* False when it is no HTTP/1 request. */
bool origin_request_parse(struct origin_request *, const char *head, size_t len);

enum origin_upload_state {
    ORIGIN_UPLOAD_SIZE,    /* in a chunk's size line */
    ORIGIN_UPLOAD_DATA,    /* in a chunk, or in a body of known length */
    ORIGIN_UPLOAD_GAP,     /* in the line end behind a chunk */
    ORIGIN_UPLOAD_TRAILER, /* behind the last chunk */
    ORIGIN_UPLOAD_DONE,
    ORIGIN_UPLOAD_BAD,
};

/* The body of a request, as it arrives. */
struct origin_upload {
    enum origin_upload_state state;
    bool chunked;
    uint64_t left;   /* of the chunk, or of the body */
    uint64_t bytes;  /* of the body, so far */
    size_t line_len; /* of the size or trailer line, so far */
};

void origin_upload_init(struct origin_upload *, const struct origin_request *);
/* Takes the next bytes, appends what is body to `to` (may be NULL), returns how many it took: all
 * of them, unless it is done or bad. */
size_t origin_upload_take(struct origin_upload *, const char *bytes, size_t len, struct blob *to);

#endif
