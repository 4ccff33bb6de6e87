/*
 * A JSON object to a request: `url`, `method`, `headers`, one of `body` `body_base64` `json`
 * `body_file`, `id`, `context`, `group`, `timeout`, `retry`, `output`. Each field is checked; one
 * that is unknown or wrong makes the request invalid, and the words name it. An object with
 * `reason` is one of our own records, and asks for its request again.
 *
 * Bound: the line; JSON_HEADERS_MAX headers.
 */
#ifndef WEIR_INPUT_JSON_REQUEST_H
#define WEIR_INPUT_JSON_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct request;

enum { JSON_HEADERS_MAX = 256, JSON_RETRY_MAX = 1000 };

/* Fills `url` and `detail` of the request. -EINVAL, with words in `err`. */
int json_request_parse(const char *text, size_t len, struct request *, struct buf *err) WARN_UNUSED;

/* Whether the text can stand as a method, or as a header's name. */
bool json_request_is_token(const char *text, size_t len);

#endif
