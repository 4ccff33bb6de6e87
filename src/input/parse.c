#include "input/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "input/host_memo.h"
#include "input/json_request.h"
#include "input/request.h"
#include "input/url.h"

const char parse_group_record[] = "{\"group_record\":";

bool parse_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

static void trim(const char **line, size_t *len)
{
    while (*len && parse_is_blank((*line)[0])) {
        (*line)++;
        (*len)--;
    }
    while (*len && parse_is_blank((*line)[*len - 1]))
        (*len)--;
}

static bool is_group_record(const char *line, size_t len)
{
    const size_t start_len = sizeof parse_group_record - 1;

    return len >= start_len && memcmp(line, parse_group_record, start_len) == 0;
}

bool parse_wants(const char *line, size_t len)
{
    trim(&line, &len);
    return len > 0 && line[0] != '#' && !is_group_record(line, len);
}

/* The line's text as a string: a NUL in it is as bad as a byte that is no UTF-8. */
static void add_echo(struct buf *text, const char *line, size_t len)
{
    for (const char *end = line + len; line < end && text->len < PARSE_ECHO_MAX;) {
        size_t piece = strnlen(line, (size_t)(end - line));
        text_add_valid(text, line, piece, PARSE_ECHO_MAX - text->len);
        line += piece;
        if (line < end)
            text_add_valid(text, "\xFF", 1, PARSE_ECHO_MAX - text->len);
        line += line < end;
    }
}

static void refuse(struct request *request, const char *line, size_t len, const char *why)
{
    struct buf text;

    buf_init(&text);
    add_echo(&text, line, len);
    request->url = buf_take(&text);
    request->invalid = xstrdup(why);
}

void parse_long_line(const char *line, size_t len, struct request *request)
{
    trim(&line, &len);
    refuse(request, line, len, "a line of more than 1 MiB");
}

int parse_url(const struct parse_rules *rules, const char *text, struct url **ret_url,
              struct buf *err)
{
    *ret_url = rules->hosts ? host_memo_read(rules->hosts, text) : NULL;
    return *ret_url ? 0 : url_parse(text, rules->default_scheme, ret_url, err);
}

/* Reads `text` (taken) as the request's URL. */
static void take_url(const struct parse_rules *rules, char *text, const char *line, size_t len,
                     struct request *request, struct url **ret_url)
{
    struct buf err;

    buf_init(&err);
    if (parse_url(rules, text, ret_url, &err) == 0) {
        request->url = text;
    } else {
        request->url = NULL;
        refuse(request, line, len, err.data);
        free(text);
    }
    buf_release(&err);
}

/* Says which field is meant. */
static void name_field(char **message, const char *field)
{
    struct buf words;

    buf_init(&words);
    buf_addf(&words, "%s: %s", field, *message);
    free(*message);
    *message = buf_take(&words);
}

/* A line that a stranger wrote names local files only where the command line says which. */
static int check_files(const struct parse_rules *rules, const struct detail *detail,
                       struct buf *err)
{
    if (detail->payload_kind == PAYLOAD_FILE && !rules->takes_body_file)
        buf_setf(err, "body_file: needs --body-dir, the directory that such files are in");
    else if (detail->output && !rules->takes_output)
        buf_setf(err, "output: needs --output or --output-dir, the directory for such files");
    else
        return 0;
    return -EINVAL;
}

static void parse_json(const struct parse_rules *rules, const char *line, size_t len,
                       struct request *request, struct url **ret_url)
{
    struct buf err;

    buf_init(&err);
    if (json_request_parse(line, len, request, &err) == 0 &&
        check_files(rules, request->detail, &err) == 0) {
        take_url(rules, request->url, request->url, strlen(request->url), request, ret_url);
        if (request->invalid)
            name_field(&request->invalid, "url");
    } else {
        free(request->url);
        refuse(request, line, len, err.data);
    }
    buf_release(&err);
}

void parse_line(const struct parse_rules *rules, const char *line, size_t len,
                struct request *request, struct url **ret_url)
{
    bool json;

    trim(&line, &len);
    json = rules->format == INPUT_JSONL || (rules->format == INPUT_AUTO && line[0] == '{');
    if (json)
        parse_json(rules, line, len, request, ret_url);
    else if (memchr(line, '\0', len))
        refuse(request, line, len, "a NUL byte in the line");
    else if (!text_is_utf8(line, len))
        refuse(request, line, len, "the line is not valid UTF-8");
    else
        take_url(rules, xstrndup(line, len), line, len, request, ret_url);
}
