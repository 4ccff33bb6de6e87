#include "input/json_text.h"

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

struct member {
    const char *name, *value;
    size_t name_len, value_len;
};

static const char *first_member(const char *object, const char *end)
{
    return skip_blanks(object, end) + 1;
}

/* Reads the member at `*at`, if there is one, and steps over it and the comma. */
static bool next_member(const char **at, const char *end, struct member *member)
{
    const char *name = skip_blanks(*at, end);

    if (name >= end || *name != '"')
        return false;
    const char *behind = skip_string(name, end);
    const char *value = skip_blanks(MIN(skip_blanks(behind, end) + 1, end), end);
    *at = skip_value(value, end);
    *member = (struct member){.name = name + 1,
                              .name_len = (size_t)(behind - 1 - (name + 1)),
                              .value = value,
                              .value_len = (size_t)(*at - value)};
    *at = skip_blanks(*at, end) + 1;
    return true;
}

static bool is_called(const struct member *member, const char *key)
{
    return member->name_len == strlen(key) && memcmp(member->name, key, member->name_len) == 0;
}

const char *json_text_member(const char *object, size_t len, const char *key, size_t *ret_len)
{
    const char *end = object + len, *at = first_member(object, end);
    struct member member;

    while (next_member(&at, end, &member)) {
        if (is_called(&member, key)) {
            *ret_len = member.value_len;
            return member.value;
        }
    }
    return NULL;
}

size_t json_text_count(const char *object, size_t len, const char *key)
{
    const char *end = object + len, *at = first_member(object, end);
    struct member member;
    size_t count = 0;

    while (next_member(&at, end, &member))
        count += !key || is_called(&member, key);
    return count;
}

char *json_text_one_line(const char *text, size_t len)
{
    char *copy = xstrndup(text, len);

    for (char *at = copy; (at = strpbrk(at, "\n\r")) != NULL;)
        *at = ' ';
    return copy;
}

char *json_text_plain(const char *text, size_t *ret_len)
{
    json_t *value =
        json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    bool is_string = json_is_string(value);
    size_t len = is_string ? json_string_length(value) : strlen(text);
    char *plain = xmalloc(len + 1);

    memcpy(plain, is_string ? json_string_value(value) : text, len + 1);
    json_decref(value);
    *ret_len = len;
    return plain;
}
