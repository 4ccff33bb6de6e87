#include "deliver/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/body.h"
#include "base/result.h"
#include "base/text.h"
#include "cli/options.h"
#include "deliver/delivery.h"
#include "deliver/fields.h"
#include "deliver/filename.h"
#include "input/request.h"

enum segment_kind {
    SEGMENT_TEXT,
    SEGMENT_FIELD,
    SEGMENT_HEADER,  /* one header of the answer, by name */
    SEGMENT_HEADERS, /* all of them, as they came */
    SEGMENT_BODY
};

struct segment {
    enum segment_kind kind;
    const struct field *field;
    char *text; /* a text, a header's name, or what a field's value stands behind in JSON */
    size_t len;
};

struct format {
    unsigned kind; /* enum format_option */
    struct field_rules rules;
    struct segment *segments;
    size_t n_segments, capacity;
    bool has_body, has_headers;
    bool on_terminal;
    char *header_line;
};

static const char *const tsv_fields[] = {"seq",       "id",        "url",           "ok",
                                         "reason",    "http_code", "url_effective", "content_type",
                                         "size_body", "attempts",  "time_total",    "errormsg"};

/* ---- building ---- */

static struct segment *add_segment(struct format *format, enum segment_kind kind)
{
    format->segments =
        xgrow(format->segments, format->n_segments, &format->capacity, sizeof *format->segments);
    struct segment *segment = &format->segments[format->n_segments++];
    *segment = (struct segment){.kind = kind};
    return segment;
}

static void add_text(struct format *format, const char *text, size_t len)
{
    struct segment *segment = add_segment(format, SEGMENT_TEXT);

    segment->text = xstrndup(text, len);
    segment->len = len;
}

/* `,"name":`, of which the first member of an object leaves out the comma. */
static char *member_text(const char *name)
{
    struct buf text;

    buf_init(&text);
    buf_addf(&text, ",\"%s\":", name);
    return buf_take(&text);
}

static void add_field(struct format *format, const struct field *field)
{
    if (field->is_body) {
        add_segment(format, SEGMENT_BODY);
        format->has_body = true;
    } else {
        struct segment *segment = add_segment(format, SEGMENT_FIELD);
        segment->field = field;
        segment->text = member_text(field->name);
        segment->len = strlen(segment->text);
    }
}

/* Whether the name at `at` stands in the list before that too. */
static bool is_repeated(const char *list, const char *at, size_t len)
{
    for (const char *one = list; one < at; one += strcspn(one, ",") + 1) {
        if (strcspn(one, ",") == len && memcmp(one, at, len) == 0)
            return true;
    }
    return false;
}

/* The fields that are chosen by name, or those of a record of this format. An object has no two
 * members of one name. */
static int add_chosen(struct format *format, const char *list, struct buf *err)
{
    for (const char *at = list; *at;) {
        size_t len = strcspn(at, ",");
        const struct field *field = field_find(at, len);
        if (!field) {
            buf_setf(err, "--fields: there is no field called %.*s", (int)len, at);
            if (len == strlen("body_base64") && memcmp(at, "body_base64", len) == 0)
                buf_add_text(err, "; body is, in base64 where it is not UTF-8");
            return -EINVAL;
        }
        if (format->kind == OPTION_FORMAT_JSONL && is_repeated(list, at, len)) {
            buf_setf(err, "--fields: %s is there twice", field->name);
            return -EINVAL;
        }
        if (format->kind == OPTION_FORMAT_TSV && format->n_segments)
            add_text(format, "\t", 1);
        add_field(format, field);
        at += len + (at[len] == ',');
    }
    return 0;
}

static void add_record(struct format *format, bool with_body)
{
    for (const struct field *field = field_table; field->name; field++) {
        if (!field->on_demand && (with_body || !field->is_body))
            add_field(format, field);
    }
}

static void add_tsv_fields(struct format *format)
{
    for (size_t i = 0; i < ARRAY_LEN(tsv_fields); i++) {
        if (i)
            add_text(format, "\t", 1);
        add_field(format, field_find(tsv_fields[i], strlen(tsv_fields[i])));
    }
}

static int build_jsonl(struct format *format, const struct options *options, struct buf *err)
{
    int result = 0;

    add_text(format, "{", 1);
    if (options->fields)
        result = add_chosen(format, options->fields, err);
    else
        add_record(format, options->body);
    add_text(format, "}\n", 2);
    return result;
}

static void build_header_line(struct format *format, const struct options *options)
{
    struct buf line;

    buf_init(&line);
    for (size_t i = 0; i < ARRAY_LEN(tsv_fields) && !options->fields; i++)
        buf_addf(&line, "%s%s", i ? "\t" : "", tsv_fields[i]);
    for (const char *at = options->fields; at && *at; at++) {
        if (*at != ',' || at[1])
            buf_add_char(&line, *at == ',' ? '\t' : *at);
    }
    buf_add_char(&line, '\n');
    format->header_line = buf_take(&line);
}

static int build_tsv(struct format *format, const struct options *options, struct buf *err)
{
    int result = 0;

    if (options->fields)
        result = add_chosen(format, options->fields, err);
    else
        add_tsv_fields(format);
    add_text(format, "\n", 1);
    if (options->header_line)
        build_header_line(format, options);
    return result;
}

static void build_raw(struct format *format, const struct options *options)
{
    if (options->include || options->head) {
        add_segment(format, SEGMENT_HEADERS);
        format->has_headers = true;
    }
    add_segment(format, SEGMENT_BODY);
    format->has_body = true;
}

static int refuse_variable(const char *name, size_t len, struct buf *err)
{
    buf_setf(err, "--write-out: there is no %%{%.*s}", (int)len, name);
    return -EINVAL;
}

/* `at` is behind `%{` or `%header{`; gives what is behind the brace, or NULL with words. */
static const char *read_variable(struct format *format, const char *at, bool is_header,
                                 struct buf *err)
{
    size_t len = strcspn(at, "}");

    if (at[len] != '}') {
        buf_setf(err, "--write-out: the } of %%%s{%.*s is missing", is_header ? "header" : "",
                 (int)MIN(len, 40), at);
        return NULL;
    }
    if (is_header && len == 0) {
        buf_setf(err, "--write-out: %%header{} names no header");
        return NULL;
    }
    if (is_header) {
        struct segment *segment = add_segment(format, SEGMENT_HEADER);
        segment->text = xstrndup(at, len);
        segment->len = len;
        format->has_headers = true;
        return at + len + 1;
    }
    const struct field *field = field_find(at, len);
    if (!field) {
        refuse_variable(at, len, err);
        return NULL;
    }
    add_field(format, field);
    return at + len + 1;
}

static char meaning_of_escape(char c)
{
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case '\\': return '\\';
    default: return '\0';
    }
}

/* Reads text up to the next variable, with curl's escapes. */
static const char *read_text(struct format *format, const char *at)
{
    struct buf text;

    buf_init(&text);
    while (*at && strncmp(at, "%{", 2) != 0 && strncmp(at, "%header{", 8) != 0) {
        char meaning = at[0] == '\\' ? meaning_of_escape(at[1]) : '\0';
        bool is_percent = strncmp(at, "%%", 2) == 0;
        buf_add_char(&text, meaning ? meaning : *at);
        at += meaning || is_percent ? 2 : 1;
    }
    if (text.len)
        add_text(format, text.data, text.len);
    buf_release(&text);
    return at;
}

static int build_template(struct format *format, const char *template, struct buf *err)
{
    for (const char *at = template; at && *at;) {
        if (strncmp(at, "%{", 2) == 0)
            at = read_variable(format, at + 2, false, err);
        else if (strncmp(at, "%header{", 8) == 0)
            at = read_variable(format, at + 8, true, err);
        else
            at = read_text(format, at);
        if (!at)
            return -EINVAL;
    }
    return 0;
}

static int build(struct format *format, const struct options *options, struct buf *err)
{
    switch (options->format) {
    case OPTION_FORMAT_RAW: build_raw(format, options); return 0;
    case OPTION_FORMAT_JSONL: return build_jsonl(format, options, err);
    case OPTION_FORMAT_TSV: return build_tsv(format, options, err);
    case OPTION_FORMAT_TEMPLATE:
        return build_template(format, options->write_out ? options->write_out : "", err);
    default: return 0;
    }
}

int format_new(const struct options *options, struct format **ret_format, struct buf *err)
{
    struct format *format;

    if (options->group_records && options->format != OPTION_FORMAT_JSONL && !options->dry_run) {
        buf_setf(err, "--group-records: needs --jsonl");
        return -EINVAL;
    }
    format = xcalloc(1, sizeof *format);
    format->kind = options->format;
    format->rules = (struct field_rules){.echo_request = options->echo_request,
                                         .defaults = options_ask(options),
                                         .include = options->include || options->head};
    int result = build(format, options, err);
    if (result) {
        format_free(format);
        return result;
    }
    if (options->output && filename_is_discard(options->output))
        format->has_body = false;
    *ret_format = format;
    return 0;
}

void format_free(struct format *format)
{
    if (!format)
        return;
    for (size_t i = 0; i < format->n_segments; i++)
        free(format->segments[i].text);
    free(format->segments);
    free(format->header_line);
    free(format);
}

const char *format_header_line(const struct format *format, size_t *ret_len)
{
    *ret_len = format->header_line ? strlen(format->header_line) : 0;
    return format->header_line;
}

void format_set_on_terminal(struct format *format, bool on_terminal)
{
    format->on_terminal = on_terminal;
}

static bool makes_records(const struct format *format)
{
    return format->kind != OPTION_FORMAT_RAW && format->kind != OPTION_FORMAT_NONE;
}

bool format_wants_facts(const struct format *format)
{
    return makes_records(format) || format_wants_headers(format);
}

bool format_wants_headers(const struct format *format)
{
    return format->has_headers || (format->rules.include && makes_records(format));
}

enum format_bodies format_wants_bodies(const struct format *format)
{
    if (!format->has_body)
        return FORMAT_NO_BODIES;
    return makes_records(format) ? FORMAT_ALL_BODIES : FORMAT_BODIES_OF_SUCCESS;
}

bool format_wants_utf8(const struct format *format)
{
    return format->kind == OPTION_FORMAT_JSONL && format->has_body;
}

/* ---- rendering ---- */

void rendering_init(struct rendering *rendering)
{
    *rendering = (struct rendering){0};
    buf_init(&rendering->text);
    buf_init(&rendering->scratch);
    buf_init(&rendering->head);
}

void rendering_release(struct rendering *rendering)
{
    buf_release(&rendering->text);
    buf_release(&rendering->scratch);
    buf_release(&rendering->head);
}

enum { RENDERING_KEPT = 64 * 1024 };

void rendering_restart(struct rendering *rendering)
{
    if (rendering_bytes(rendering) > RENDERING_KEPT) {
        rendering_release(rendering);
        rendering_init(rendering);
        return;
    }
    struct buf text = rendering->text, scratch = rendering->scratch, head = rendering->head;

    buf_clear(&text);
    buf_clear(&head);
    *rendering = (struct rendering){.text = text, .scratch = scratch, .head = head};
}

size_t rendering_bytes(const struct rendering *rendering)
{
    return rendering->text.capacity + rendering->scratch.capacity + rendering->head.capacity;
}

static void add_member_text(struct rendering *rendering, const char *text, size_t len)
{
    size_t comma = rendering->any ? 0 : 1;

    buf_add(&rendering->text, text + comma, len - comma);
    rendering->any = true;
}

/* The letter that stands for a byte of a body behind a backslash, or NUL. */
static char tsv_escape(char c)
{
    switch (c) {
    case '\t': return 't';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\\': return '\\';
    default: return '\0';
    }
}

static size_t write_tsv(const char *bytes, size_t len, char *out)
{
    char *to = out;

    for (size_t i = 0; i < len; i++) {
        char escape = tsv_escape(bytes[i]);
        if (escape)
            *to++ = '\\';
        *to++ = escape ? escape : bytes[i];
    }
    return (size_t)(to - out);
}

static void add_tsv_value(const struct value *value, struct rendering *rendering)
{
    struct buf plain;

    switch (value->kind) {
    case VALUE_ABSENT:
    case VALUE_NULL:
    case VALUE_PLAIN:
    case VALUE_NUMBER:
    case VALUE_SECONDS:
    case VALUE_BOOL: value_add_text(value, 0, &rendering->text); break;
    case VALUE_TEXT:
    case VALUE_JSON: text_add_cell(&rendering->text, value->text, value->len); break;
    case VALUE_WORD:
        buf_init(&plain);
        value_add_text(value, 0, &plain);
        text_add_cell(&rendering->text, plain.data, plain.len);
        buf_release(&plain);
        break;
    }
}

/* A line break in a value would begin a line that nobody asked for. */
static void add_without_breaks(struct buf *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\r' || bytes[i] == '\n')
            buf_addf(out, "\\x%02x", (unsigned char)bytes[i]);
        else
            buf_add_char(out, bytes[i]);
    }
}

/* Makes a value of a template, which is the text from `from` on, fit for where it goes. */
static void shield(const struct format *format, struct buf *text, size_t from)
{
    struct buf value;
    size_t len = text->len - from;

    if (!len || (!format->on_terminal && !memchr(text->data + from, '\n', len) &&
                 !memchr(text->data + from, '\r', len)))
        return;
    buf_init(&value);
    buf_add(&value, text->data + from, len);
    text->len = from;
    if (format->on_terminal)
        text_add_escaped(text, value.data, value.len);
    else
        add_without_breaks(text, value.data, value.len);
    buf_release(&value);
}

static struct value headers_value(const struct format *format, struct rendering *rendering,
                                  const struct delivery *item)
{
    if (!format->rules.include || !item->result->facts)
        return (struct value){.kind = VALUE_ABSENT};
    field_add_headers(rendering->head.data, rendering->head.len, &rendering->scratch);
    return (struct value){
        .kind = VALUE_JSON, .text = rendering->scratch.data, .len = rendering->scratch.len};
}

static void render_field(const struct format *format, struct rendering *rendering,
                         const struct delivery *item, const struct segment *segment)
{
    const struct field *field = segment->field;
    size_t from = rendering->text.len;

    buf_clear(&rendering->scratch);
    struct value value = field->is_headers ? headers_value(format, rendering, item)
                                           : field->get(&format->rules, item, &rendering->scratch);
    if (format->kind == OPTION_FORMAT_JSONL && value.kind != VALUE_ABSENT) {
        add_member_text(rendering, segment->text, segment->len);
        value_add_json(&value, &rendering->text);
    } else if (format->kind == OPTION_FORMAT_TSV) {
        add_tsv_value(&value, rendering);
    } else if (format->kind == OPTION_FORMAT_TEMPLATE) {
        value_add_text(&value, field->digits, &rendering->text);
        shield(format, &rendering->text, from);
    }
}

static void render_header(const struct format *format, struct rendering *rendering,
                          const struct segment *segment)
{
    size_t len = 0, from = rendering->text.len;
    const char *value = field_find_header(rendering->head.data, rendering->head.len, segment->text,
                                          segment->len, &len);

    if (value)
        buf_add(&rendering->text, value, len);
    shield(format, &rendering->text, from);
}

static void render_segment(const struct format *format, struct rendering *rendering,
                           const struct delivery *item, const struct segment *segment)
{
    switch (segment->kind) {
    case SEGMENT_TEXT: buf_add(&rendering->text, segment->text, segment->len); break;
    case SEGMENT_FIELD: render_field(format, rendering, item, segment); break;
    case SEGMENT_HEADER: render_header(format, rendering, segment); break;
    case SEGMENT_HEADERS:
        buf_add(&rendering->text, rendering->head.data, rendering->head.len);
        break;
    case SEGMENT_BODY: break;
    }
}

/* Up to the body; in pieces, lest a record be held as a whole that has much in it. */
static void render_segments(const struct format *format, struct rendering *rendering,
                            const struct delivery *item)
{
    const struct segment *end = format->segments + format->n_segments;
    const struct segment *at = format->segments + rendering->segment;

    for (; at < end && at->kind != SEGMENT_BODY && rendering->text.len < FORMAT_ROOM_MIN; at++)
        render_segment(format, rendering, item, at);
    rendering->segment = (size_t)(at - format->segments);
}

static bool is_text(const struct delivery *item)
{
    return utf8_stream_is_valid(&item->body->utf8);
}

/* Reads until `max` bytes are there or the body is at its end. */
static ssize_t read_full(const struct delivery *item, const struct store *store,
                         struct rendering *rendering, char *bytes, size_t max, struct buf *err)
{
    size_t done = 0;

    while (done < max) {
        ssize_t got =
            body_read(item->body, store, &rendering->cursor, bytes + done, max - done, err);
        if (got < 0)
            return got;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* A piece of the body, encoded as the format has it; 0 at its end. */
static ssize_t render_body_piece(const struct format *format, struct rendering *rendering,
                                 const struct delivery *item, const struct store *store, char *to,
                                 size_t max, struct buf *err)
{
    char piece[3 * 1024];
    bool encodes = format->kind == OPTION_FORMAT_JSONL || format->kind == OPTION_FORMAT_TSV;

    if (!encodes)
        return body_read(item->body, store, &rendering->cursor, to, max, err);
    size_t room = MIN(sizeof piece, max / TEXT_JSON_GROWTH / 3 * 3);
    ssize_t got = read_full(item, store, rendering, piece, room, err);
    if (got <= 0)
        return got;
    if (format->kind == OPTION_FORMAT_TSV)
        return (ssize_t)write_tsv(piece, (size_t)got, to);
    return (ssize_t)(is_text(item) ? text_write_json(piece, (size_t)got, to)
                                   : base64_encode(piece, (size_t)got, to));
}

/* A body is in a record where an answer came whole; elsewhere there is none to show. */
static bool shows_body(const struct format *format, const struct delivery *item)
{
    if (!format->has_body || item->body_file || item->result->is_unmodified ||
        item->result->reason == REASON_OUTPUT)
        return false;
    if (!makes_records(format))
        return item->result->reason == REASON_OK;
    return item->is_answered && item->result->http_code;
}

static void begin_body(const struct format *format, struct rendering *rendering,
                       const struct delivery *item)
{
    if (format->kind != OPTION_FORMAT_JSONL)
        return;
    if (is_text(item))
        add_member_text(rendering, ",\"body\":\"", 9);
    else
        add_member_text(rendering, ",\"body_base64\":\"", 16);
}

static void end_body(const struct format *format, struct rendering *rendering)
{
    if (format->kind == OPTION_FORMAT_JSONL)
        buf_add_char(&rendering->text, '"');
    rendering->segment++;
    rendering->body_begun = false;
    rendering->cursor = (struct body_cursor){0};
}

static ssize_t render_body(const struct format *format, struct rendering *rendering,
                           const struct delivery *item, const struct store *store, char *to,
                           size_t max, struct buf *err)
{
    if (!shows_body(format, item)) {
        rendering->segment++;
        return 0;
    }
    if (!rendering->body_begun) {
        rendering->body_begun = true;
        begin_body(format, rendering, item);
        return 0;
    }
    ssize_t len = render_body_piece(format, rendering, item, store, to, max, err);
    if (len == 0)
        end_body(format, rendering);
    return len;
}

static size_t give_text(struct rendering *rendering, char *to, size_t max)
{
    size_t len = MIN(rendering->text.len - rendering->text_at, max);

    memcpy(to, rendering->text.data + rendering->text_at, len);
    rendering->text_at += len;
    if (rendering->text_at == rendering->text.len) {
        buf_clear(&rendering->text);
        rendering->text_at = 0;
    }
    return len;
}

/* Of a failed request a stream of bodies shows nothing. */
static bool shows_nothing(const struct format *format, const struct delivery *item)
{
    return format->kind == OPTION_FORMAT_RAW && item->result->reason != REASON_OK;
}

bool format_is_all_out(const struct format *format, const struct rendering *rendering)
{
    return !rendering->text.len && rendering->segment == format->n_segments;
}

/* Whether nothing more can be done in `room` bytes: all is out, or a piece of the body would not
 * fit. */
static bool must_stop(const struct format *format, const struct rendering *rendering, size_t done,
                      size_t room)
{
    if (rendering->text.len)
        return false;
    if (rendering->segment == format->n_segments)
        return true;
    return format->segments[rendering->segment].kind == SEGMENT_BODY && done &&
           room < FORMAT_ROOM_MIN;
}

/* Gives out text that waits, or makes the next segment: how many bytes were put at `to`. */
static ssize_t render_next(const struct format *format, struct rendering *rendering,
                           const struct delivery *item, const struct store *store, char *to,
                           size_t room, struct buf *err)
{
    const struct segment *segment = &format->segments[rendering->segment];

    if (rendering->text.len)
        return (ssize_t)give_text(rendering, to, room);
    if (segment->kind == SEGMENT_BODY)
        return render_body(format, rendering, item, store, to, room, err);
    render_segments(format, rendering, item);
    return 0;
}

/* The headers of one answer, 300 KB at most, are read at once: their names are to be sorted. */
static int begin(const struct format *format, struct rendering *rendering,
                 const struct delivery *item, const struct store *store, struct buf *err)
{
    struct body_cursor cursor = {0};
    size_t len = format_wants_headers(format) ? (size_t)item->head->size : 0;

    rendering->has_begun = true;
    while (rendering->head.len < len) {
        size_t left = len - rendering->head.len;
        ssize_t got =
            body_read(item->head, store, &cursor, buf_reserve(&rendering->head, left), left, err);
        if (got < 0)
            return (int)got;
        buf_extend(&rendering->head, (size_t)got);
    }
    return 0;
}

ssize_t format_render(const struct format *format, struct rendering *rendering,
                      const struct delivery *item, const struct store *store, char *bytes,
                      size_t max, struct buf *err)
{
    size_t done = 0;

    if (shows_nothing(format, item))
        return 0;
    int result = rendering->has_begun ? 0 : begin(format, rendering, item, store, err);
    if (result)
        return result;
    while (done < max && !must_stop(format, rendering, done, max - done)) {
        ssize_t len = render_next(format, rendering, item, store, bytes + done, max - done, err);
        if (len < 0)
            return len;
        done += (size_t)len;
    }
    return (ssize_t)done;
}

/* ---- failures ---- */

/* A URL may be a megabyte long; a line for people is not. */
enum { SHOWN_MAX = 1000 };

static void add_shown(struct buf *out, const char *text)
{
    size_t len = strnlen(text, SHOWN_MAX + 1);

    text_add_escaped(out, text, MIN(len, SHOWN_MAX));
    if (len > SHOWN_MAX)
        buf_add_text(out, "...");
}

void format_failure(const struct delivery *item, struct buf *out)
{
    const struct request *request = item->request;

    buf_add_text(out, "weir: ");
    if (request->input) {
        add_shown(out, request->input);
        buf_add_text(out, ": ");
    }
    if (request->line)
        buf_addf(out, "line %llu: ", (unsigned long long)request->line);
    add_shown(out, request->url);
    buf_addf(out, ": %s", reason_name(item->result->reason));
    if (item->result->message) {
        buf_add_text(out, ": ");
        add_shown(out, item->result->message);
    }
    buf_add_char(out, '\n');
}
