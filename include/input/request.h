/*
 * One line of the input, made a request: what to fetch and where the line stood. A line that is no
 * request is one too: `invalid` says why, and it keeps its place in the order.
 *
 * Owns: its strings.
 */
#ifndef WEIR_INPUT_REQUEST_H
#define WEIR_INPUT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/key.h"
#include "base/strings.h"

enum payload_kind {
    PAYLOAD_NONE,
    PAYLOAD_BYTES,
    PAYLOAD_JSON, /* bytes that are sent as application/json */
    PAYLOAD_FILE
};

/* What a JSON request says beside its URL. What stood there as JSON is kept as it stood. */
struct detail {
    char *source;               /* the whole request as JSON text on one line; or NULL */
    bool is_plain;              /* there is no more to it than a URL and what is echoed */
    char *id, *context, *group; /* JSON text, or NULL */
    char *method;
    struct strings headers; /* `Name: value`; `Name:` drops one, `Name;` has no value */
    enum payload_kind payload_kind;
    char *payload; /* bytes, or the file's name */
    size_t payload_len;
    double timeout; /* 0: as the options say */
    int retry;      /* -1: as the options say */
    char *output;   /* a relative path, or NULL */
};

struct request {
    uint64_t seq;      /* position in the input, from 1 */
    uint64_t line;     /* line of its input, from 1; 0 for an argument */
    const char *input; /* name of its input; borrowed, lives as long as the run */
    char *taken;       /* what the globs of its argument took, a line each; or NULL */
    char *url;         /* as it was read; of an invalid line its text, made valid and cut short */
    char *invalid;     /* why the line is no request, or NULL */
    struct detail *detail; /* of a JSON request, or NULL */
};

/* What is to be sent: a request's own, or what the command line says. Borrows its strings. */
struct ask {
    const char *method;   /* NULL: GET, or POST with a payload */
    bool method_is_named; /* and not what another option means */
    enum payload_kind payload_kind;
    const char *payload;
    uint64_t payload_len;
};

/* What the request asks for, with `defaults` where it says nothing; the method is never NULL. */
struct ask request_ask(const struct request *, const struct ask *defaults);
/* Whether sending a request twice does no more than sending it once. */
bool request_may_repeat(const char *method);

/* Tells a request from others wherever it stands in the input: made of its own method, URL, headers, payload
 * and id, and of nothing that the command line says. */
struct key request_key(const struct request *);

/* Whether one of `headers` has the name of this one: `Name: value` or only `Name:`. */
bool request_names_header(const struct strings *headers, const char *header);

struct detail *detail_new(void);
void detail_free(struct detail *);
void request_release(struct request *);

#endif
