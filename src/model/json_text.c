#include "model/json_text.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/util.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* `at` is on the opening quote; gives what is behind the closing one. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\';
    return at < end ? at + 1 : end;
}

/* Gives what is behind the value at `at`: it ends where nothing is open and a comma, a bracket or a
 * blank comes. */
static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;

    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            if (depth == 0)
                return at;
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (depth == 0 && (*at == ',' || *at == '}' || *at == ']' || is_blank(*at)))
            return at;
        else if ((*at == '}' || *at == ']') && --depth == 0)
            return at + 1;
        at++;
    }
    return end;
}

const char *json_text_member(const char *object, size_t len, const char *key, size_t *ret_len)
{
    const char *end = object + len, *at = skip_blanks(object, end) + 1;
    size_t key_len = strlen(key);

    for (;;) {
        at = skip_blanks(at, end);
        if (at >= end || *at != '"')
            return NULL;
        const char *name = at + 1;
        at = skip_string(at, end);
        bool found = (size_t)(at - 1 - name) == key_len && memcmp(name, key, key_len) == 0;
        at = skip_blanks(skip_blanks(at, end) + 1, end);
        const char *value = at;
        at = skip_value(at, end);
        if (found) {
            *ret_len = (size_t)(at - value);
            return value;
        }
        at = skip_blanks(at, end) + 1;
    }
}

char *json_text_one_line(const char *text, size_t len)
{
    char *copy = xstrndup(text, len);

    for (char *at = copy; *at; at++) {
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    }
    return copy;
}

char *json_text_plain(const char *text)
{
    json_t *value =
        json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    char *plain = xstrdup(json_is_string(value) ? json_string_value(value) : text);

    json_decref(value);
    return plain;
}
