#include "deliver/fields.h"
#include "base/body.h"
#include "base/result.h"
#include "deliver/delivery.h"
#include "input/request.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "cli/options.h"
#include "input/json_text.h"
#include "input/url.h"

static const struct value absent = {.kind = VALUE_ABSENT};
static const struct value null = {.kind = VALUE_NULL};

static struct value text_value(const char *text)
{
    if (!text)
        return absent;
    return (struct value){.kind = VALUE_TEXT, .text = text, .len = strlen(text)};
}

static struct value plain_value(const char *text)
{
    return (struct value){.kind = VALUE_PLAIN, .text = text, .len = strlen(text)};
}

static struct value json_value(const char *text)
{
    if (!text)
        return absent;
    return (struct value){.kind = VALUE_JSON, .text = text, .len = strlen(text)};
}

static struct value word_value(const char *text)
{
    struct value value = json_value(text);

    if (text)
        value.kind = VALUE_WORD;
    return value;
}

static struct value number_value(uint64_t number)
{
    return (struct value){.kind = VALUE_NUMBER, .number = number};
}

static struct value seconds_value(double seconds)
{
    return (struct value){.kind = VALUE_SECONDS, .seconds = seconds > 0 ? seconds : 0};
}

#define GETTER(name)                                                                       \
    static struct value name(const struct field_rules *rules, const struct delivery *item, \
                             struct buf *scratch)
#define UNUSED_RULES   ((void)rules)
#define UNUSED_SCRATCH ((void)scratch)
#define UNUSED_BOTH    (UNUSED_RULES, UNUSED_SCRATCH)

/* ---- where it came from ---- */

GETTER(get_seq)
{
    UNUSED_BOTH;
    return number_value(item->request->seq);
}

GETTER(get_urlnum)
{
    UNUSED_BOTH;
    return number_value(item->request->seq - 1);
}

GETTER(get_input)
{
    UNUSED_BOTH;
    if (item->request->input)
        return text_value(item->request->input);
    return plain_value(item->request->line ? "-" : "argument");
}

GETTER(get_line)
{
    UNUSED_BOTH;
    return item->request->line ? number_value(item->request->line) : absent;
}

GETTER(get_id)
{
    UNUSED_BOTH;
    return word_value(item->request->detail ? item->request->detail->id : NULL);
}

GETTER(get_context)
{
    UNUSED_BOTH;
    return json_value(item->request->detail ? item->request->detail->context : NULL);
}

GETTER(get_group)
{
    UNUSED_BOTH;
    return word_value(item->request->detail ? item->request->detail->group : NULL);
}

/* ---- what was asked ---- */

GETTER(get_url)
{
    UNUSED_BOTH;
    return text_value(item->request->url);
}

GETTER(get_url_effective)
{
    UNUSED_RULES;
    if (!item->url)
        return absent;
    url_add_text(item->url, scratch);
    return (struct value){.kind = VALUE_TEXT, .text = scratch->data, .len = scratch->len};
}

GETTER(get_method)
{
    UNUSED_SCRATCH;
    if (item->request->invalid)
        return absent;
    return text_value(item->became_get ? "GET"
                                       : request_ask(item->request, &rules->defaults).method);
}

/* ---- how it ended ---- */

GETTER(get_ok)
{
    UNUSED_BOTH;
    return (struct value){.kind = VALUE_BOOL, .number = item->result->reason == REASON_OK};
}

GETTER(get_reason)
{
    UNUSED_BOTH;
    return plain_value(reason_name(item->result->reason));
}

GETTER(get_http_code)
{
    UNUSED_BOTH;
    return number_value((uint64_t)item->result->http_code);
}

/* What curl would have ended with, for what libcurl was not asked about or did not mind. */
static int exitcode_of(const struct result *result)
{
    enum { URL_MALFORMED = 3, REFUSED = 7, STATUS_NOT_ACCEPTED = 22, NOT_WRITTEN = 23 };
    static const int codes[REASON_COUNT] = {
        [REASON_HTTP] = STATUS_NOT_ACCEPTED,
        [REASON_INVALID] = URL_MALFORMED,
        [REASON_HOST_DOWN] = REFUSED,
        [REASON_OUTPUT] = NOT_WRITTEN,
    };

    return result->exitcode ? result->exitcode : codes[result->reason];
}

GETTER(get_exitcode)
{
    UNUSED_BOTH;
    return number_value((uint64_t)exitcode_of(item->result));
}

GETTER(get_errormsg)
{
    UNUSED_BOTH;
    return item->result->message ? text_value(item->result->message) : null;
}

GETTER(get_cancelled_by)
{
    UNUSED_BOTH;
    return item->result->cancelled_by ? number_value(item->result->cancelled_by) : absent;
}

GETTER(get_trace_id)
{
    UNUSED_BOTH;
    return text_value(item->result->trace_id);
}

GETTER(get_attempts)
{
    UNUSED_BOTH;
    return number_value(item->result->attempts);
}

GETTER(get_redirects)
{
    const struct result *result = item->result;

    UNUSED_RULES;
    if (!result->n_passed)
        return json_value("[]");
    buf_add_char(scratch, '[');
    for (size_t i = 0; i < result->n_passed; i++) {
        buf_add_text(scratch, i ? ",\"" : "\"");
        text_add_json(scratch, result->passed[i], strlen(result->passed[i]));
        buf_add_char(scratch, '"');
    }
    buf_add_char(scratch, ']');
    return (struct value){.kind = VALUE_JSON, .text = scratch->data, .len = scratch->len};
}

GETTER(get_num_redirects)
{
    UNUSED_BOTH;
    return number_value(item->result->n_passed);
}

/* ---- what libcurl knows of it ---- */

GETTER(get_http_version)
{
    unsigned version = item->result->facts ? item->result->facts->http_version : 0;

    UNUSED_RULES;
    if (version == 0)
        return absent;
    buf_add_number(scratch, version / 10, 1);
    if (version < 20) {
        buf_add_char(scratch, '.');
        buf_add_number(scratch, version % 10, 1);
    }
    return (struct value){.kind = VALUE_PLAIN, .text = scratch->data, .len = scratch->len};
}

GETTER(get_remote_ip)
{
    const struct facts *facts = item->result->facts;

    UNUSED_BOTH;
    /* Over a socket of --unix-socket it is the path, as far as there is room. */
    return facts && facts->remote_ip[0] ? text_value(facts->remote_ip) : absent;
}

GETTER(get_remote_port)
{
    const struct facts *facts = item->result->facts;

    UNUSED_BOTH;
    return facts && facts->remote_ip[0] ? number_value((uint64_t)facts->remote_port) : absent;
}

GETTER(get_content_type)
{
    UNUSED_BOTH;
    return item->result->facts ? text_value(item->result->facts->content_type) : absent;
}

GETTER(get_size_download)
{
    UNUSED_BOTH;
    return number_value(item->result->facts ? item->result->facts->size_download : 0);
}

GETTER(get_size_body)
{
    UNUSED_BOTH;
    return number_value(item->result->body_bytes);
}

/* Of two digits, and what is behind them. */
static char *write_part(char *to, int number, char behind)
{
    *to++ = (char)('0' + number / 10);
    *to++ = (char)('0' + number % 10);
    *to++ = behind;
    return to;
}

void field_add_time(double wall, struct buf *out)
{
    struct tm parts;
    uint64_t ms = (uint64_t)(wall * 1000);
    time_t whole = (time_t)(ms / 1000);

    gmtime_r(&whole, &parts);
    buf_add_number(out, (uint64_t)parts.tm_year + 1900, 4);
    char *start = buf_reserve(out, sizeof "-MM-DDThh:mm:ss.mmmZ"), *to = start;
    *to++ = '-';
    to = write_part(to, parts.tm_mon + 1, '-');
    to = write_part(to, parts.tm_mday, 'T');
    to = write_part(to, parts.tm_hour, ':');
    to = write_part(to, parts.tm_min, ':');
    to = write_part(to, parts.tm_sec, '.');
    *to++ = (char)('0' + ms % 1000 / 100);
    to = write_part(to, (int)(ms % 100), 'Z');
    buf_extend(out, (size_t)(to - start));
}

GETTER(get_ts)
{
    const struct facts *facts = item->result->facts;

    UNUSED_RULES;
    if (!facts || facts->begun_at <= 0)
        return absent;
    field_add_time(facts->begun_at, scratch);
    return (struct value){.kind = VALUE_PLAIN, .text = scratch->data, .len = scratch->len};
}

#define TIME_GETTER(name, member)                                                    \
    GETTER(name)                                                                     \
    {                                                                                \
        UNUSED_BOTH;                                                                 \
        return seconds_value(item->result->facts ? item->result->facts->member : 0); \
    }

TIME_GETTER(get_time_queue, queued)
TIME_GETTER(get_time_namelookup, namelookup)
TIME_GETTER(get_time_connect, connect)
TIME_GETTER(get_time_appconnect, appconnect)
TIME_GETTER(get_time_starttransfer, starttransfer)
TIME_GETTER(get_time_total, total)

/* For a field whose text the format makes itself. */
GETTER(get_nothing)
{
    UNUSED_BOTH;
    (void)item;
    return absent;
}

GETTER(get_body_file)
{
    UNUSED_BOTH;
    return text_value(item->body_file);
}

/* So that a failure can be fed back in with all that it asked for. */
GETTER(get_request)
{
    const struct detail *detail = item->request->detail;
    bool failed = item->result->reason != REASON_OK;

    UNUSED_SCRATCH;
    if (!detail || !detail->source || rules->echo_request == OPTION_ECHO_NONE)
        return absent;
    /* The URL of one that is invalid is only its line. */
    bool is_told_by_url = detail->is_plain && !item->request->invalid;
    if (rules->echo_request == OPTION_ECHO_FAILED && (!failed || is_told_by_url))
        return absent;
    return json_value(detail->source);
}

const struct field field_table[] = {
    {.name = "seq", .get = get_seq},
    {.name = "input", .get = get_input},
    {.name = "line", .get = get_line},
    {.name = "id", .get = get_id},
    {.name = "context", .get = get_context},
    {.name = "group", .get = get_group},
    {.name = "url", .get = get_url},
    {.name = "url_effective", .get = get_url_effective},
    {.name = "method", .get = get_method},
    {.name = "ok", .get = get_ok},
    {.name = "reason", .get = get_reason},
    {.name = "http_code", .get = get_http_code, .digits = 3},
    {.name = "exitcode", .get = get_exitcode},
    {.name = "errormsg", .get = get_errormsg},
    {.name = "cancelled_by", .get = get_cancelled_by},
    {.name = "trace_id", .get = get_trace_id},
    {.name = "attempts", .get = get_attempts},
    {.name = "redirects", .get = get_redirects},
    {.name = "http_version", .get = get_http_version},
    {.name = "remote_ip", .get = get_remote_ip},
    {.name = "remote_port", .get = get_remote_port},
    {.name = "num_redirects", .get = get_num_redirects},
    {.name = "content_type", .get = get_content_type},
    {.name = "size_download", .get = get_size_download},
    {.name = "size_body", .get = get_size_body},
    {.name = "ts", .get = get_ts},
    {.name = "time_queue", .get = get_time_queue},
    {.name = "time_namelookup", .get = get_time_namelookup},
    {.name = "time_connect", .get = get_time_connect},
    {.name = "time_appconnect", .get = get_time_appconnect},
    {.name = "time_starttransfer", .get = get_time_starttransfer},
    {.name = "time_total", .get = get_time_total},
    {.name = "headers", .get = get_nothing, .is_headers = true},
    {.name = "body", .get = get_nothing, .is_body = true},
    {.name = "body_file", .get = get_body_file},
    {.name = "request", .get = get_request},
    {.name = "response_code", .get = get_http_code, .digits = 3, .on_demand = true},
    {.name = "urlnum", .get = get_urlnum, .on_demand = true},
    {.name = NULL},
};

const struct field *field_find(const char *name, size_t len)
{
    for (const struct field *field = field_table; field->name; field++) {
        if (strlen(field->name) == len && memcmp(field->name, name, len) == 0)
            return field;
    }
    return NULL;
}

static void add_string(const struct value *value, struct buf *out)
{
    buf_add_char(out, '"');
    if (value->kind == VALUE_PLAIN)
        buf_add(out, value->text, value->len);
    else
        text_add_json(out, value->text, value->len);
    buf_add_char(out, '"');
}

void value_add_json(const struct value *value, struct buf *out)
{
    switch (value->kind) {
    case VALUE_ABSENT:
    case VALUE_NULL: buf_add_text(out, "null"); break;
    case VALUE_TEXT:
    case VALUE_PLAIN: add_string(value, out); break;
    case VALUE_JSON:
    case VALUE_WORD: buf_add(out, value->text, value->len); break;
    case VALUE_NUMBER: buf_add_number(out, value->number, 1); break;
    case VALUE_SECONDS: buf_add_seconds(out, value->seconds); break;
    case VALUE_BOOL: buf_add_text(out, value->number ? "true" : "false"); break;
    }
}

static void add_plain(const char *json, struct buf *out)
{
    size_t len = 0;
    char *plain = json_text_plain(json, &len);

    buf_add(out, plain, len);
    free(plain);
}

void value_add_text(const struct value *value, unsigned digits, struct buf *out)
{
    switch (value->kind) {
    case VALUE_ABSENT:
    case VALUE_NULL: break;
    case VALUE_TEXT:
    case VALUE_PLAIN:
    case VALUE_JSON: buf_add(out, value->text, value->len); break;
    case VALUE_WORD: add_plain(value->text, out); break;
    case VALUE_NUMBER: buf_add_number(out, value->number, digits); break;
    case VALUE_SECONDS:
    case VALUE_BOOL: value_add_json(value, out); break;
    }
}
