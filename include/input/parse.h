/*
 * One line of input to one request. Pure: bytes in, a request out; a line it cannot read becomes an
 * invalid request, never an error of the run.
 *
 * Bound: a line is at most PARSE_LINE_MAX bytes; the source cuts longer ones and says so.
 */
#ifndef WEIR_INPUT_PARSE_H
#define WEIR_INPUT_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

struct buf;
struct host_memo;
struct request;
struct url;

enum { PARSE_LINE_MAX = 1 << 20, PARSE_ECHO_MAX = 200 };

enum input_format { INPUT_AUTO, INPUT_URL, INPUT_JSONL };

struct parse_rules {
    enum input_format format;
    const char *default_scheme;
    const struct host_memo *hosts;      /* what is known of them; NULL: nothing */
    bool takes_body_file, takes_output; /* the command line says where such files are */
};

/* What the record of a group begins with, which asks for nothing: those of its members do. */
extern const char parse_group_record[];

bool parse_is_blank(char);
/* False for a line that asks for nothing: empty, a comment, the record of a group. */
bool parse_wants(const char *line, size_t len);

/* As url_parse, for the text of a request. */
int parse_url(const struct parse_rules *, const char *text, struct url **ret_url,
              struct buf *err) WARN_UNUSED;
/* Fills url and invalid of `request`, and `*ret_url` where it is valid. */
void parse_line(const struct parse_rules *, const char *line, size_t len, struct request *request,
                struct url **ret_url);
/* The same for a line of which only the first `len` bytes are there. */
void parse_long_line(const char *line, size_t len, struct request *request);

#endif
