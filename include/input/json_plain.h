/*
 * JSON requests of the plainest kind, read without a tree: an object of `url`, `id`, `context` and
 * `group`, each there once at most, without a backslash. Lists of URLs are mostly of such, and a
 * parser's tree for each costs more than all else that is done to admit it.
 *
 * What is read here the parser would take, and would take for the same; of anything else nothing
 * is said here, not even whether it is JSON. Bound: the text, of which nothing is copied.
 */
#ifndef WEIR_INPUT_JSON_PLAIN_H
#define WEIR_INPUT_JSON_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of the text; NULL: it is not there. */
struct json_piece {
    const char *text;
    size_t len;
};

struct json_plain {
    struct json_piece url;                /* without its quotes */
    struct json_piece id, context, group; /* as they are written */
};

/* False, and nothing said, for what is to be parsed. */
bool json_plain_read(const char *text, size_t len, struct json_plain *);

#endif
