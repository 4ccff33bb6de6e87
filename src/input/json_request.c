#include "input/json_request.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "input/framing.h"
#include "input/json_plain.h"
#include "input/json_text.h"
#include "input/request.h"

#define TIMEOUT_MAX 1e9

enum { GROUP_BYTES = 4096 /* and not so many: its record has to go out in one piece */ };

/* An object being read: parsed, and as text. */
struct reading {
    struct detail *detail;
    char **url;
    const char *text;
    size_t len;
    struct buf *err;
};

/* Of several faults the first is told. */
static int refuse(struct reading *reading, const char *field, const char *why)
{
    if (!reading->err->len)
        buf_setf(reading->err, "%s: %s", field, why);
    return -EINVAL;
}

static bool has_byte(const char *text, size_t len, const char *bytes)
{
    return memchr(text, '\0', len) || strcspn(text, bytes) < len;
}

/* What RFC 9110 calls a token. */
bool json_request_is_token(const char *text, size_t len)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (!c || !strchr(others, c)))
            return false;
    }
    return len > 0;
}

/* A string without a NUL, or an error. */
static int read_text(struct reading *reading, const char *field, const json_t *value, char **ret)
{
    const char *text = json_string_value(value);

    if (!text)
        return refuse(reading, field, "must be a string");
    if (strlen(text) != json_string_length(value))
        return refuse(reading, field, "must not hold a NUL");
    free(*ret);
    *ret = xstrdup(text);
    return 0;
}

static int read_url(struct reading *reading, const char *field, const json_t *value)
{
    int result = read_text(reading, field, value, reading->url);

    if (!result && strpbrk(*reading->url, "\r\n"))
        return refuse(reading, field, "must not hold a line break");
    return result;
}

static int read_method(struct reading *reading, const char *field, const json_t *value)
{
    int result = read_text(reading, field, value, &reading->detail->method);

    if (!result && !json_request_is_token(reading->detail->method, strlen(reading->detail->method)))
        return refuse(reading, field, "must be a word such as GET");
    return result;
}

/* *Takes* the line. */
static int keep_header(struct reading *reading, const char *name, char *line)
{
    struct strings *headers = &reading->detail->headers;
    enum framing framing = framing_of(line);
    int result = 0;

    if (framing == FRAMING_UNKNOWN)
        result = refuse(reading, name, "can only be chunked");
    else if (framing == FRAMING_NONE && headers->len == JSON_HEADERS_MAX)
        result = refuse(reading, "headers", "too many");
    else if (framing == FRAMING_NONE)
        strings_add(headers, xstrdup(line));
    else if (framing == FRAMING_CHUNKED && !framing_chunks(headers))
        strings_add(headers, xstrdup(framing_chunked));
    free(line);
    return result;
}

/* libcurl drops a header of blanks behind a colon, and sends an empty one for a semicolon. */
static int add_header(struct reading *reading, const char *name, const json_t *value)
{
    struct buf line;
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);

    if (!text)
        return refuse(reading, name, "must be a string, a list of strings or null");
    if (has_byte(text, len, "\r\n"))
        return refuse(reading, name, "a header must not hold a line break or a NUL");
    buf_init(&line);
    bool is_blank = strspn(text, " \t\v\f") == len;
    buf_addf(&line, is_blank ? "%s;" : "%s: %s", name + strlen("headers."), text);
    return keep_header(reading, name, buf_take(&line));
}

static int drop_header(struct reading *reading, const char *name)
{
    struct buf line;

    buf_init(&line);
    buf_addf(&line, "%s:", name + strlen("headers."));
    return keep_header(reading, name, buf_take(&line));
}

/* `name` is what the words call it: headers.NAME. */
static int read_header(struct reading *reading, const char *name, const json_t *value)
{
    const char *bare = name + strlen("headers.");
    size_t index;
    json_t *one;

    if (!json_request_is_token(bare, strlen(bare)))
        return refuse(reading, name, "is no name of a header");
    if (json_is_null(value))
        return drop_header(reading, name);
    if (!json_is_array(value))
        return add_header(reading, name, value);
    json_array_foreach(value, index, one) {
        int result = add_header(reading, name, one);
        if (result)
            return result;
    }
    return 0;
}

/* Whoever reads the request in its record would take one of the two, and feed that back in. */
static int refuse_twice(struct reading *reading, const char *field, const char *why)
{
    free(reading->detail->source);
    reading->detail->source = NULL;
    return refuse(reading, field, why);
}

/* jansson knows of the last only. */
static int check_header_names(struct reading *reading, const char *field, const json_t *headers)
{
    size_t len = 0;
    const char *text = json_text_member(reading->text, reading->len, field, &len);

    if (!text)
        return refuse(reading, field, "its name must be written without escapes");
    if (json_text_count(text, len, NULL) != json_object_size(headers))
        return refuse_twice(reading, field, "a name is there twice");
    return 0;
}

static int read_headers(struct reading *reading, const char *field, const json_t *value)
{
    const char *name;
    json_t *one;
    struct buf shown;
    int result = 0;

    if (!json_is_object(value))
        return refuse(reading, field, "must be an object");
    if (check_header_names(reading, field, value))
        return -EINVAL;
    buf_init(&shown);
    json_object_foreach((json_t *)(size_t)value, name, one) {
        buf_setf(&shown, "headers.%s", name);
        result = read_header(reading, shown.data, one);
        if (result)
            break;
    }
    buf_release(&shown);
    return result;
}

static int take_payload(struct reading *reading, const char *field, enum payload_kind kind,
                        char *payload, size_t len)
{
    struct detail *detail = reading->detail;

    if (detail->payload_kind != PAYLOAD_NONE) {
        free(payload);
        return refuse(reading, field, "there is another body already");
    }
    detail->payload_kind = kind;
    detail->payload = payload;
    detail->payload_len = len;
    return 0;
}

static int read_body(struct reading *reading, const char *field, const json_t *value)
{
    size_t len = json_string_length(value);
    char *bytes;

    if (!json_is_string(value))
        return refuse(reading, field, "must be a string");
    bytes = xmalloc(len + 1);
    memcpy(bytes, json_string_value(value), len + 1);
    return take_payload(reading, field, PAYLOAD_BYTES, bytes, len);
}

static int read_body_base64(struct reading *reading, const char *field, const json_t *value)
{
    struct buf bytes;

    if (!json_is_string(value))
        return refuse(reading, field, "must be a string");
    buf_init(&bytes);
    if (base64_decode(json_string_value(value), json_string_length(value), &bytes)) {
        buf_release(&bytes);
        return refuse(reading, field, "is not base64");
    }
    size_t len = bytes.len;
    return take_payload(reading, field, PAYLOAD_BYTES, buf_take(&bytes), len);
}

static int read_body_file(struct reading *reading, const char *field, const json_t *value)
{
    char *name = NULL;
    int result = read_text(reading, field, value, &name);

    if (!result && !*name)
        result = refuse(reading, field, "must not be empty");
    if (result) {
        free(name);
        return result;
    }
    return take_payload(reading, field, PAYLOAD_FILE, name, 0);
}

/* The member's own text on one line, or NULL with words. */
static char *text_of(struct reading *reading, const char *field)
{
    size_t len = 0;
    const char *text = json_text_member(reading->text, reading->len, field, &len);

    if (!text) {
        refuse(reading, field, "its name must be written without escapes");
        return NULL;
    }
    return json_text_one_line(text, len);
}

static int read_json(struct reading *reading, const char *field, const json_t *value)
{
    char *text = text_of(reading, field);

    (void)value;
    return text ? take_payload(reading, field, PAYLOAD_JSON, text, strlen(text)) : -EINVAL;
}

static int keep_text(struct reading *reading, const char *field, char **ret)
{
    char *text = text_of(reading, field);

    if (!text)
        return -EINVAL;
    free(*ret);
    *ret = text;
    return 0;
}

static int read_id(struct reading *reading, const char *field, const json_t *value)
{
    if (!json_is_string(value) && !json_is_number(value))
        return refuse(reading, field, "must be a string or a number");
    return keep_text(reading, field, &reading->detail->id);
}

/* A record says null of its own beside a request that has one: then that stays. */
static int read_context(struct reading *reading, const char *field, const json_t *value)
{
    if (json_is_null(value) && reading->detail->context)
        return 0;
    return keep_text(reading, field, &reading->detail->context);
}

static int read_group(struct reading *reading, const char *field, const json_t *value)
{
    if (!json_is_string(value) && !json_is_number(value))
        return refuse(reading, field, "must be a string or a number");
    int result = keep_text(reading, field, &reading->detail->group);
    if (result || strlen(reading->detail->group) < GROUP_BYTES)
        return result;
    free(reading->detail->group);
    reading->detail->group = NULL;
    return refuse(reading, field, "must be shorter than 4 KiB");
}

static int read_timeout(struct reading *reading, const char *field, const json_t *value)
{
    double seconds = json_number_value(value);

    if (!json_is_number(value) || !(seconds > 0 && seconds <= TIMEOUT_MAX))
        return refuse(reading, field, "must be a number of seconds above 0");
    reading->detail->timeout = seconds;
    return 0;
}

static int read_retry(struct reading *reading, const char *field, const json_t *value)
{
    double times = json_number_value(value);

    if (!json_is_number(value) || !(times >= 0 && times <= (double)JSON_RETRY_MAX) ||
        times > (double)(int)times)
        return refuse(reading, field, "must be a whole number from 0 to 1000");
    reading->detail->retry = (int)times;
    return 0;
}

static int read_output(struct reading *reading, const char *field, const json_t *value)
{
    int result = read_text(reading, field, value, &reading->detail->output);

    if (!result && !*reading->detail->output)
        return refuse(reading, field, "must not be empty");
    return result;
}

struct field {
    const char *name;
    int (*read)(struct reading *, const char *field, const json_t *value);
    bool is_plain;    /* a record has it beside the request */
    bool is_echoed;   /* of a request that is invalid too */
    bool may_be_null; /* in a record, too, where null elsewhere stands for nothing */
};

static const struct field fields[] = {
    {.name = "url", .read = read_url, .is_plain = true},
    {.name = "id", .read = read_id, .is_plain = true, .is_echoed = true},
    {.name = "context",
     .read = read_context,
     .is_plain = true,
     .is_echoed = true,
     .may_be_null = true},
    {.name = "group", .read = read_group, .is_plain = true, .is_echoed = true},
    {.name = "method", .read = read_method},
    {.name = "headers", .read = read_headers},
    {.name = "body", .read = read_body},
    {.name = "body_base64", .read = read_body_base64},
    {.name = "json", .read = read_json},
    {.name = "body_file", .read = read_body_file},
    {.name = "timeout", .read = read_timeout},
    {.name = "retry", .read = read_retry},
    {.name = "output", .read = read_output},
};

static const struct field *find_field(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    }
    return NULL;
}

static bool sends_in_vain(const struct detail *detail)
{
    return detail->payload_kind != PAYLOAD_NONE && detail->method &&
           strcmp(detail->method, "HEAD") == 0;
}

/* Each field is there once; within `context` and `json` names are not ours to judge. */
static int check_names(struct reading *reading, const json_t *object)
{
    const char *name = "a field";

    if (json_text_count(reading->text, reading->len, NULL) == json_object_size(object))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (json_text_count(reading->text, reading->len, fields[i].name) > 1)
            name = fields[i].name;
    }
    return refuse_twice(reading, name, "is there twice");
}

/* What a record gives back, even where the rest is wrong; one that is wrong itself, or there twice,
 * is left out. */
static int read_echoed(struct reading *reading, const json_t *object, bool is_record)
{
    int result = 0;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const char *name = fields[i].name;
        json_t *value = fields[i].is_echoed ? json_object_get(object, name) : NULL;
        if (!value || (is_record && json_is_null(value) && !fields[i].may_be_null))
            continue;
        if (json_text_count(reading->text, reading->len, name) > 1)
            continue;
        if (fields[i].read(reading, name, value))
            result = -EINVAL;
    }
    return result;
}

static int read_others(struct reading *reading, json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value) {
        const struct field *field = find_field(name);
        if (!field)
            return refuse(reading, name, "there is no such field");
        int result = field->is_echoed ? 0 : field->read(reading, name, value);
        if (result)
            return result;
        reading->detail->is_plain &= field->is_plain;
    }
    if (!*reading->url)
        return refuse(reading, "url", "is missing");
    if (sends_in_vain(reading->detail))
        return refuse(reading, "method", "HEAD sends no body");
    if (reading->detail->payload_kind == PAYLOAD_NONE && framing_chunks(&reading->detail->headers))
        return refuse(reading, "headers.Transfer-Encoding", "there is no body to send in chunks");
    return 0;
}

static int read_request(struct reading *reading, json_t *object)
{
    reading->detail->source = json_text_one_line(reading->text, reading->len);
    int names = check_names(reading, object);
    int echoed = read_echoed(reading, object, false);
    return names || echoed ? -EINVAL : read_others(reading, object);
}

/* What such a record calls its URL is a piece of the line. */
static bool is_of_invalid_line(const json_t *record)
{
    const char *reason = json_string_value(json_object_get(record, "reason"));

    return reason && strcmp(reason, "invalid") == 0;
}

/* The part of a record that says what was asked for. */
static int read_asked(struct reading *reading, json_t *record)
{
    json_t *request = json_object_get(record, "request"), *url = json_object_get(record, "url");
    struct reading inner = *reading;

    if (json_is_object(request)) {
        inner.text = json_text_member(reading->text, reading->len, "request", &inner.len);
        return inner.text ? read_request(&inner, request)
                          : refuse(reading, "request", "its name must be written without escapes");
    }
    if (request)
        return refuse(reading, "request", "must be an object");
    if (is_of_invalid_line(record))
        return refuse(reading, "reason", "the line was invalid before, and here is no request");
    if (!url)
        return refuse(reading, "url", "is missing");
    return read_url(reading, "url", url);
}

/* Of a record only what was asked for counts, never what was answered. */
static int read_record(struct reading *reading, json_t *record)
{
    int names = check_names(reading, record);
    int asked = names ? 0 : read_asked(reading, record);
    int echoed = read_echoed(reading, record, true);

    return names || asked || echoed ? -EINVAL : 0;
}

static char *copy_of(const struct json_piece *piece)
{
    return piece->text ? json_text_one_line(piece->text, piece->len) : NULL;
}

/* False for what has to be parsed. */
static bool read_plain(const char *text, size_t len, struct request *request)
{
    struct json_plain plain;

    if (!json_plain_read(text, len, &plain) || plain.group.len >= GROUP_BYTES)
        return false;
    request->url = xstrndup(plain.url.text, plain.url.len);
    request->detail = detail_new();
    request->detail->is_plain = true;
    request->detail->source = json_text_one_line(text, len);
    request->detail->id = copy_of(&plain.id);
    request->detail->context = copy_of(&plain.context);
    request->detail->group = copy_of(&plain.group);
    return true;
}

static void hide_nuls(char *text, size_t len)
{
    static const char nul[] = "\\u0000";

    for (char *at = text; (at = memmem(at, len - (size_t)(at - text), nul, strlen(nul))) != NULL;)
        at[strlen(nul) - 1] = '1';
}

/* The member's value within the object, which may be changed; NULL where there is none. */
static char *member_of(char *object, size_t len, const char *key, size_t *ret_len)
{
    const char *value = json_text_member(object, len, key, ret_len);

    return value ? object + (value - object) : NULL;
}

/* jansson only has to say of a value kept as text whether it is JSON. */
static void hide_kept(char *object, size_t len)
{
    static const char *const kept[] = {"context", "json"};

    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        size_t value_len = 0;
        char *value = member_of(object, len, kept[i], &value_len);
        if (value)
            hide_nuls(value, value_len);
    }
}

/* jansson takes no name with a NUL, but in what we echo there may be one. */
static json_t *load(const char *text, size_t len, json_error_t *ret_error)
{
    size_t flags = JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
    json_t *object = json_loadb(text, len, flags, ret_error);

    if (object || json_error_code(ret_error) != json_error_null_byte_in_key)
        return object;
    char *copy = xstrndup(text, len);
    size_t request_len = 0;
    char *request = member_of(copy, len, "request", &request_len);
    hide_kept(copy, len);
    if (request)
        hide_kept(request, request_len);
    object = json_loadb(copy, len, flags, ret_error);
    free(copy);
    return object;
}

static void explain(const json_error_t *error, struct buf *err)
{
    buf_setf(err, "bad JSON at byte %d: ", error->position);
    if (json_error_code(error) == json_error_stack_overflow)
        buf_addf(err, "lists and objects nested more than %d deep", JSON_PARSER_MAX_DEPTH);
    else
        buf_add_text(err, error->text);
}

static int parse(const char *text, size_t len, struct request *request, struct buf *err)
{
    const char *nul = memchr(text, '\0', len);
    json_error_t error;
    int result;

    /* jansson passes over one behind a value. */
    if (nul) {
        buf_setf(err, "bad JSON at byte %zu: a NUL byte", (size_t)(nul - text));
        return -EINVAL;
    }
    json_t *object = load(text, len, &error);
    if (!object) {
        explain(&error, err);
        return -EINVAL;
    }
    request->detail = detail_new();
    request->detail->is_plain = true;
    struct reading reading = {
        .detail = request->detail, .url = &request->url, .text = text, .len = len, .err = err};
    if (!json_is_object(object))
        result = refuse(&reading, "a JSON request", "must be an object");
    else if (json_object_get(object, "reason"))
        result = read_record(&reading, object);
    else
        result = read_request(&reading, object);
    json_decref(object);
    return result;
}

int json_request_parse(const char *text, size_t len, struct request *request, struct buf *err)
{
    buf_clear(err);
    return read_plain(text, len, request) ? 0 : parse(text, len, request, err);
}
