/*
 * The one table of what a record tells: JSONL, TSV and -w all read it, so a field that is here is
 * everywhere. A field's value is fetched from a finished request and written in the style of the
 * format.
 */
#ifndef WEIR_DELIVER_FIELDS_H
#define WEIR_DELIVER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "input/request.h"

struct delivery;

enum value_kind {
    VALUE_ABSENT, /* left out of JSON, empty elsewhere */
    VALUE_NULL,
    VALUE_TEXT,  /* any bytes */
    VALUE_PLAIN, /* text that stands in a JSON string as it is */
    VALUE_JSON,  /* valid JSON, written as it is */
    VALUE_WORD,  /* a JSON string or number, which elsewhere is what it stands for */
    VALUE_NUMBER,
    VALUE_SECONDS,
    VALUE_BOOL
};

struct value {
    enum value_kind kind;
    const char *text;
    size_t len;
    uint64_t number; /* of a bool: 0 or 1 */
    double seconds;
};

/* What the options say of records. */
struct field_rules {
    unsigned echo_request; /* enum echo_option */
    struct ask defaults;   /* what a request asks for that says nothing itself */
    bool include;
};

struct field {
    const char *name;
    /* Uses `scratch`, which is empty, for what it makes. */
    struct value (*get)(const struct field_rules *, const struct delivery *, struct buf *scratch);
    unsigned digits; /* of a number in a template: at least so many */
    bool is_body;    /* its value is streamed by the format */
    bool is_headers; /* its value is made by the format, which reads them */
    bool on_demand;  /* not in a record unless it is asked for by name */
};

/* All of them, in a record's order; ends with a row whose name is NULL. */
extern const struct field field_table[];

/* By name; curl's other names for some of them too. NULL where there is none. */
const struct field *field_find(const char *name, size_t len);

void value_add_json(const struct value *, struct buf *out);
/* As it is; a number has at least `digits` digits. */
void value_add_text(const struct value *, unsigned digits, struct buf *out);

/* A wall-clock time as RFC 3339 has it, UTC, to the millisecond. */
void field_add_time(double wall, struct buf *out);
/* Appends the answer's headers as a JSON object: names in lower case, each with its list of values,
 * in the order of their first appearance. `block` is as it came. */
void field_add_headers(const char *block, size_t len, struct buf *out);
/* The first header of that name, without blanks around; NULL where there is none. */
const char *field_find_header(const char *block, size_t len, const char *name, size_t name_len,
                              size_t *ret_len);

#endif
