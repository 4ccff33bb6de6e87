#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "report/page.h"

static const char ellipsis[] = "\xe2\x80\xa6";

/* ---- without who one is ---- */

/* Where a URL's name and password end, if it has any: behind the last @ before the path. */
static const char *behind_user(const char *authority)
{
    size_t len = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', len);

    return at ? at + 1 : authority;
}

/* A scheme may have one slash or three and be read all the same. */
static void add_without_user(struct buf *out, const char *text)
{
    const char *from = text + strspn(text, "/ ");
    const char *next;

    from = behind_user(from);
    while ((next = strstr(from, ":/")) != NULL) {
        next += 1 + strspn(next + 1, "/");
        buf_add(out, from, (size_t)(next - from));
        from = behind_user(next);
    }
    buf_add_text(out, from);
}

/* ---- as JSON in HTML ---- */

/* How long a character of JSON text is that holds no bad byte. */
static size_t unit_len(const char *at)
{
    unsigned char byte = (unsigned char)*at;

    if (byte == '\\')
        return at[1] == 'u' ? 6 : 2;
    return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/* U+2028 and U+2029 end a line in a script. */
static bool is_line_end(const char *at, size_t len)
{
    return len == 3 && (memcmp(at, "\xe2\x80\xa8", 3) == 0 || memcmp(at, "\xe2\x80\xa9", 3) == 0);
}

static void add_unit(struct buf *out, const char *at, size_t len)
{
    if (*at == '<' || *at == '>' || *at == '&')
        buf_addf(out, "\\u%04x", (unsigned)*at);
    else if (is_line_end(at, len))
        buf_addf(out, "\\u%04x", 0x2000U | ((unsigned char)at[2] & 0x3FU));
    else
        buf_add(out, at, len);
}

/* All of it where it fits, else as much as leaves room for the sign that it is cut. */
static void add_cut(struct buf *out, const struct buf *json)
{
    size_t start = out->len, fits = start;

    for (size_t at = 0; at < json->len;) {
        size_t len = unit_len(json->data + at);
        add_unit(out, json->data + at, len);
        at += len;
        if (out->len - start <= PAGE_TEXT_MAX - strlen(ellipsis))
            fits = out->len;
        if (out->len - start > PAGE_TEXT_MAX) {
            out->len = fits;
            buf_add_text(out, ellipsis);
            return;
        }
    }
}

void page_add_text(struct buf *out, const char *text)
{
    struct buf plain, json;

    buf_init(&plain);
    buf_init(&json);
    add_without_user(&plain, text);
    /* One more than can be shown, so that it is seen to be cut. */
    text_add_json(&json, plain.data, MIN(plain.len, PAGE_TEXT_MAX + 1));
    add_cut(out, &json);
    buf_release(&json);
    buf_release(&plain);
}

void page_add_line(struct buf *out, const char *line)
{
    if (line && !strchr("{[", line[strspn(line, " \t")]))
        page_add_text(out, line);
}

void page_add_html(struct buf *out, const char *text)
{
    struct buf valid;

    buf_init(&valid);
    text_add_valid(&valid, text, strlen(text), PAGE_TEXT_MAX);
    for (size_t i = 0; i < valid.len; i++) {
        char c = valid.data[i];
        if (strchr("<>&\"'", c))
            buf_addf(out, "&#%d;", c);
        else
            buf_add_char(out, c);
    }
    buf_release(&valid);
}
