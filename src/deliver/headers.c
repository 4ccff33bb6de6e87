#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "deliver/fields.h"

/* One header of a block. */
struct header {
    const char *name, *value;
    size_t name_len, value_len;
    size_t place;       /* in the block */
    size_t first_place; /* of the first that has the same name */
};

static void trim(const char **text, size_t *len)
{
    while (*len && isspace((unsigned char)(*text)[0])) {
        (*text)++;
        (*len)--;
    }
    while (*len && isspace((unsigned char)(*text)[*len - 1]))
        (*len)--;
}

/* Reads the line at `*at` and steps over it; false for one that is no header. Those that were
 * folded have been put together already. */
static bool read_line(const char **at, const char *end, struct header *header)
{
    const char *line = *at;
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    size_t len = (size_t)((newline ? newline : end) - line);
    const char *colon = memchr(line, ':', len);

    *at = newline ? newline + 1 : end;
    if (!colon || *line == ' ' || *line == '\t' || strncmp(line, "HTTP/", 5) == 0)
        return false;
    *header = (struct header){.name = line,
                              .name_len = (size_t)(colon - line),
                              .value = colon + 1,
                              .value_len = len - (size_t)(colon + 1 - line)};
    trim(&header->name, &header->name_len);
    trim(&header->value, &header->value_len);
    return true;
}

/* Names are ASCII without NUL. Whatever else stands there is one and the same, compared and shown:
 * or two names might be shown alike, and an object has no two members of one name. */
enum { OTHER = 0x80 };

static int folded(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte && byte < OTHER ? tolower(byte) : OTHER;
}

static int compare_names(const struct header *a, const struct header *b)
{
    for (size_t i = 0; i < MIN(a->name_len, b->name_len); i++) {
        int order = folded(a->name[i]) - folded(b->name[i]);
        if (order)
            return order;
    }
    return (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static int compare_places(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int by_name(const void *a, const void *b)
{
    const struct header *one = a, *other = b;
    int order = compare_names(one, other);

    return order ? order : compare_places(one->place, other->place);
}

static int by_first_place(const void *a, const void *b)
{
    const struct header *one = a, *other = b;
    int order = compare_places(one->first_place, other->first_place);

    return order ? order : compare_places(one->place, other->place);
}

static struct header *read_block(const char *block, size_t len, size_t *ret_count)
{
    struct header *headers = NULL, one;
    size_t capacity = 0, count = 0;

    for (const char *at = block, *end = block + len; at < end;) {
        if (!read_line(&at, end, &one))
            continue;
        one.place = count;
        headers = xgrow(headers, count, &capacity, sizeof *headers);
        headers[count++] = one;
    }
    *ret_count = count;
    return headers;
}

/* Brings those of one name together, each name at its first place. By sorting: a server may send
 * tens of thousands. */
static void gather(struct header *headers, size_t count)
{
    if (!count)
        return;
    qsort(headers, count, sizeof *headers, by_name);
    for (size_t i = 0; i < count; i++) {
        bool same = i && compare_names(&headers[i - 1], &headers[i]) == 0;
        headers[i].first_place = same ? headers[i - 1].first_place : headers[i].place;
    }
    qsort(headers, count, sizeof *headers, by_first_place);
}

static void add_name(const struct header *header, struct buf *out)
{
    struct buf lower;

    buf_init(&lower);
    for (size_t i = 0; i < header->name_len; i++) {
        int c = folded(header->name[i]);
        if (c == OTHER)
            buf_add_text(&lower, "\xEF\xBF\xBD");
        else
            buf_add_char(&lower, (char)c);
    }
    buf_add_char(out, '"');
    text_add_json(out, lower.data, lower.len);
    buf_add_text(out, "\":[");
    buf_release(&lower);
}

void field_add_headers(const char *block, size_t len, struct buf *out)
{
    size_t count = 0;
    struct header *headers = read_block(block, len, &count);

    gather(headers, count);
    buf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || headers[i].first_place != headers[i - 1].first_place;
        if (i)
            buf_add_text(out, first ? "]," : ",");
        if (first)
            add_name(&headers[i], out);
        buf_add_char(out, '"');
        text_add_json(out, headers[i].value, headers[i].value_len);
        buf_add_char(out, '"');
    }
    buf_add_text(out, count ? "]}" : "}");
    free(headers);
}

const char *field_find_header(const char *block, size_t len, const char *name, size_t name_len,
                              size_t *ret_len)
{
    struct header one, wanted = {.name = name, .name_len = name_len};

    for (const char *at = block, *end = block + len; at < end;) {
        if (read_line(&at, end, &one) && compare_names(&one, &wanted) == 0) {
            *ret_len = one.value_len;
            return one.value;
        }
    }
    return NULL;
}
