#include "input/json_plain.h"

#include <string.h>

#include "base/text.h"
#include "base/util.h"

/* What is more than this is not plain: of digits in a row, and of lists and objects within each
 * other. */
enum { DIGITS_MAX = 15, DEPTH_MAX = 16 };

/* What is left to be read. Those that step over something say whether it was there. */
struct text {
    const char *at, *end;
};

static char peek(const struct text *text)
{
    return text->at < text->end ? *text->at : '\0';
}

static void skip_blanks(struct text *text)
{
    while (text->at < text->end &&
           (*text->at == ' ' || *text->at == '\t' || *text->at == '\n' || *text->at == '\r'))
        text->at++;
}

static bool skip(struct text *text, char c)
{
    if (peek(text) != c)
        return false;
    text->at++;
    return true;
}

/* With the blanks around it. */
static bool skip_between(struct text *text, char c)
{
    skip_blanks(text);
    bool is_there = skip(text, c);
    skip_blanks(text);
    return is_there;
}

static bool skip_string(struct text *text)
{
    if (!skip(text, '"'))
        return false;
    const char *at = text->at;
    while (at < text->end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
        at++;
    text->at = at;
    return skip(text, '"');
}

static size_t skip_digits(struct text *text)
{
    const char *start = text->at;

    while (peek(text) >= '0' && peek(text) <= '9')
        text->at++;
    return (size_t)(text->at - start);
}

/* One without an exponent: as large as it can be, it is a double still. */
static bool skip_number(struct text *text)
{
    text->at += peek(text) == '-';
    bool is_zero = peek(text) == '0';
    size_t digits = skip_digits(text);

    if (digits == 0 || digits > DIGITS_MAX || (is_zero && digits > 1))
        return false;
    if (peek(text) != '.')
        return true;
    text->at++;
    digits = skip_digits(text);
    return digits > 0 && digits <= DIGITS_MAX;
}

static bool skip_word(struct text *text)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(text->end - text->at) >= len && memcmp(text->at, words[i], len) == 0) {
            text->at += len;
            return true;
        }
    }
    return false;
}

static bool skip_scalar(struct text *text)
{
    char c = peek(text);

    if (c == '"')
        return skip_string(text);
    return c == '-' || (c >= '0' && c <= '9') ? skip_number(text) : skip_word(text);
}

static bool skip_name(struct text *text)
{
    return skip_string(text) && skip_between(text, ':');
}

/* The brackets that are to come, the innermost last. */
struct nest {
    char closers[DEPTH_MAX];
    size_t depth;
};

/* Behind a value: steps over what ends there, and then to where the next one begins, if anything is
 * still open. */
static bool skip_to_next(struct text *text, struct nest *nest)
{
    while (nest->depth) {
        char closer = nest->closers[nest->depth - 1];
        skip_blanks(text);
        if (!skip(text, closer))
            return skip_between(text, ',') && (closer == ']' || skip_name(text));
        nest->depth--;
    }
    return true;
}

/* Steps into a list or an object, to its first value or, where it has none, behind what ends
 * there. */
static bool skip_into(struct text *text, struct nest *nest)
{
    char closer = peek(text) == '{' ? '}' : ']';

    if (nest->depth == DEPTH_MAX)
        return false;
    nest->closers[nest->depth++] = closer;
    text->at++;
    skip_blanks(text);
    if (peek(text) == closer)
        return skip_to_next(text, nest);
    return closer == ']' || skip_name(text);
}

static bool skip_value(struct text *text)
{
    struct nest nest = {.depth = 0};

    do {
        bool opens = peek(text) == '{' || peek(text) == '[';
        if (opens ? !skip_into(text, &nest) : !skip_scalar(text) || !skip_to_next(text, &nest))
            return false;
    } while (nest.depth);
    return true;
}

static bool is_called(const struct json_piece *name, const char *key)
{
    return name->len == strlen(key) && memcmp(name->text, key, name->len) == 0;
}

static struct json_piece *find(struct json_plain *plain, const struct json_piece *name)
{
    if (is_called(name, "\"url\""))
        return &plain->url;
    if (is_called(name, "\"id\""))
        return &plain->id;
    if (is_called(name, "\"context\""))
        return &plain->context;
    return is_called(name, "\"group\"") ? &plain->group : NULL;
}

static bool read_member(struct text *text, struct json_plain *plain)
{
    struct json_piece name = {.text = text->at}, *piece;

    if (!skip_string(text))
        return false;
    name.len = (size_t)(text->at - name.text);
    piece = find(plain, &name);
    if (!piece || piece->text || !skip_between(text, ':'))
        return false;
    piece->text = text->at;
    if (!skip_value(text))
        return false;
    piece->len = (size_t)(text->at - piece->text);
    return true;
}

/* A string, or a number where that may be, too. */
static bool is_word(const struct json_piece *piece)
{
    return !piece->text || piece->text[0] == '"' || piece->text[0] == '-' ||
           (piece->text[0] >= '0' && piece->text[0] <= '9');
}

bool json_plain_read(const char *text, size_t len, struct json_plain *ret_plain)
{
    struct text left = {.at = text, .end = text + len};
    struct json_plain plain = {0};

    if (!skip_between(&left, '{'))
        return false;
    do {
        if (!read_member(&left, &plain))
            return false;
    } while (skip_between(&left, ','));
    if (!skip_between(&left, '}') || left.at < left.end || !text_is_utf8(text, len))
        return false;
    if (!plain.url.text || plain.url.text[0] != '"' || !is_word(&plain.id) ||
        !is_word(&plain.group))
        return false;
    plain.url.text++;
    plain.url.len -= 2;
    *ret_plain = plain;
    return true;
}
