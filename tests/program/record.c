#include "record.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "blob.h"

enum type { TEXT, NUMBER, SECONDS, BOOLEAN, LIST, OBJECT, NAME, ANY };

/* In the order of the man page. */
static const struct {
    const char *name;
    enum type type;
    bool always;
} fields[] = {
    {"seq", NUMBER, true},
    {"input", TEXT, true},
    {"line", NUMBER, false},
    {"id", NAME, false},
    {"context", ANY, false},
    {"group", NAME, false},
    {"url", TEXT, true},
    {"url_effective", TEXT, false},
    {"method", TEXT, false},
    {"ok", BOOLEAN, true},
    {"reason", TEXT, true},
    {"http_code", NUMBER, true},
    {"exitcode", NUMBER, true},
    {"errormsg", ANY, true},
    {"cancelled_by", NUMBER, false},
    {"trace_id", TEXT, false},
    {"attempts", NUMBER, true},
    {"redirects", LIST, true},
    {"http_version", TEXT, false},
    {"remote_ip", TEXT, false},
    {"remote_port", NUMBER, false},
    {"num_redirects", NUMBER, true},
    {"content_type", TEXT, false},
    {"size_download", NUMBER, true},
    {"size_body", NUMBER, true},
    {"ts", TEXT, false},
    {"time_queue", SECONDS, true},
    {"time_namelookup", SECONDS, true},
    {"time_connect", SECONDS, true},
    {"time_appconnect", SECONDS, true},
    {"time_starttransfer", SECONDS, true},
    {"time_total", SECONDS, true},
    {"headers", OBJECT, false},
    {"body", TEXT, false},
    {"body_base64", TEXT, false},
    {"body_file", TEXT, false},
    {"request", OBJECT, false},
};

enum { FIELDS = sizeof fields / sizeof *fields };

static bool is_of(enum type type, const json_t *value)
{
    switch (type) {
    case TEXT: return json_is_string(value);
    case NUMBER: return json_is_integer(value);
    case SECONDS: return json_is_real(value);
    case BOOLEAN: return json_is_boolean(value);
    case LIST: return json_is_array(value);
    case OBJECT: return json_is_object(value);
    case NAME: return json_is_string(value) || json_is_number(value);
    case ANY: return true;
    }
    return false;
}

/* It keeps the order of its members. */
static void check_fields(json_t *record)
{
    const char *name;
    json_t *value;
    size_t next = 0;

    json_object_foreach(record, name, value) {
        while (next < FIELDS && strcmp(fields[next].name, name) != 0) {
            cr_assert(!fields[next].always, "%s is missing, or is behind %s", fields[next].name,
                      name);
            next++;
        }
        cr_assert_lt(next, (size_t)FIELDS, "%s is unknown, or not in its place", name);
        cr_assert(is_of(fields[next].type, value), "%s is of a wrong type", name);
        next++;
    }
    for (; next < FIELDS; next++)
        cr_assert(!fields[next].always, "%s is missing", fields[next].name);
}

/* What each failure must tell, and each success must not. */
static void check_outcome(const json_t *record)
{
    const json_t *words = json_object_get(record, "errormsg");
    bool ok = json_is_true(json_object_get(record, "ok"));

    cr_assert_eq(ok, strcmp(record_text(record, "reason"), "ok") == 0);
    if (ok) {
        cr_expect(json_is_null(words));
        cr_expect_eq(record_number(record, "exitcode"), 0);
    } else {
        cr_expect_str_not_empty(record_text(record, "errormsg"), "no words for %s",
                                record_text(record, "reason"));
    }
    cr_expect_eq(json_array_size(json_object_get(record, "redirects")),
                 (size_t)record_number(record, "num_redirects"));
}

json_t *records_read(const struct blob *out)
{
    json_t *records = json_array();
    json_error_t error;

    for (const char *at = blob_text(out), *end = at + out->len; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        cr_assert(newline, "the last line has no end: %.100s", at);
        json_t *record =
            json_loadb(at, (size_t)(newline - at), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        cr_assert(record, "%s: %.200s", error.text, at);
        cr_assert(json_is_object(record));
        check_fields(record);
        check_outcome(record);
        json_array_append_new(records, record);
        at = newline + 1;
    }
    return records;
}

json_t *records_of(struct run_result result, int code, size_t count)
{
    json_t *records = records_read(&result.out);

    cr_expect_eq(result.code, code, "ended with %d, not %d; stderr: %s", result.code, code,
                 blob_text(&result.err));
    cr_assert_eq(json_array_size(records), count, "%zu records: %s", json_array_size(records),
                 blob_text(&result.out));
    run_result_release(&result);
    return records;
}

const json_t *record_at(const json_t *records, size_t index)
{
    const json_t *record = json_array_get(records, index);

    cr_assert(record, "there are only %zu records", json_array_size(records));
    return record;
}

size_t records_count(const json_t *records, const char *reason)
{
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(records); i++)
        count += strcmp(record_text(record_at(records, i), "reason"), reason) == 0;
    return count;
}

const char *record_text(const json_t *record, const char *field)
{
    const char *text = json_string_value(json_object_get(record, field));

    return text ? text : "";
}

long long record_number(const json_t *record, const char *field)
{
    const json_t *value = json_object_get(record, field);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

double record_seconds(const json_t *record, const char *field)
{
    const json_t *value = json_object_get(record, field);

    return json_is_number(value) ? json_number_value(value) : -1;
}

bool record_has(const json_t *record, const char *field)
{
    return json_object_get(record, field) != NULL;
}

static unsigned digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *digit = c ? strchr(digits, c) : NULL;

    cr_assert(digit, "no digit of base64: %c", c);
    return (unsigned)(digit - digits);
}

static void add_decoded(const char *text, size_t len, struct blob *to)
{
    unsigned bits = 0, held = 0;

    cr_assert_eq(len % 4, 0, "base64 of %zu digits", len);
    for (; len && *text != '='; text++, len--) {
        held = held << 6 | digit_of(*text);
        bits += 6;
        if (bits >= 8) {
            char byte = (char)(held >> (bits - 8) & 0xFF);
            blob_add(to, &byte, 1);
            bits -= 8;
        }
    }
    cr_assert_leq(len, 2);
}

static bool is(const struct blob *content, const void *bytes, size_t len)
{
    return content->len == len && (!len || memcmp(content->at, bytes, len) == 0);
}

bool record_body_is(const json_t *record, const void *bytes, size_t len)
{
    const json_t *text = json_object_get(record, "body");
    const json_t *coded = json_object_get(record, "body_base64");
    struct blob body = {0};

    if (!text == !coded)
        return false;
    if (text)
        blob_add(&body, json_string_value(text), json_string_length(text));
    else
        add_decoded(json_string_value(coded), json_string_length(coded), &body);
    bool same = is(&body, bytes, len);
    blob_release(&body);
    return same;
}

bool record_file_is(const json_t *record, const char *dir, const void *bytes, size_t len)
{
    const char *name = record_text(record, "body_file");
    struct blob path = {0}, content = {0};
    size_t got;

    if (!*name || record_has(record, "body") || record_has(record, "body_base64"))
        return false;
    blob_addf(&path, "%s%s%s", *name == '/' ? "" : dir, *name == '/' ? "" : "/", name);
    FILE *file = fopen(path.at, "rb");
    blob_release(&path);
    if (!file)
        return false;
    while ((got = fread(blob_reserve(&content, 65536), 1, 65536, file)) > 0)
        blob_extend(&content, got);
    fclose(file);
    bool same = is(&content, bytes, len);
    blob_release(&content);
    return same;
}
