#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

/* What an empty buffer points at, so that data is a string before the first byte. Never written. */
static const char nothing[1] = "";

void buf_init(struct buf *buf)
{
    *buf = (struct buf){.data = (char *)(uintptr_t)nothing};
}

void buf_release(struct buf *buf)
{
    if (buf->capacity)
        free(buf->data);
    buf_init(buf);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    if (buf->capacity)
        buf->data[0] = '\0';
}

char *buf_reserve(struct buf *buf, size_t len)
{
    size_t wanted = buf->len + len + 1;

    if (wanted > buf->capacity) {
        size_t capacity = MAX(buf->capacity * 2, FIRST_CAPACITY);
        capacity = MAX(capacity, wanted);
        buf->data = xrealloc(buf->capacity ? buf->data : NULL, capacity);
        buf->capacity = capacity;
        buf->data[buf->len] = '\0';
    }
    return buf->data + buf->len;
}

void buf_extend(struct buf *buf, size_t len)
{
    assert(buf->len + len < buf->capacity || (len == 0 && buf->capacity == 0));
    if (!len)
        return;
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (!len)
        return;
    memcpy(buf_reserve(buf, len), bytes, len);
    buf_extend(buf, len);
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

static void add_formatted(struct buf *buf, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

static void add_formatted(struct buf *buf, const char *format, va_list arguments)
{
    char *text = NULL;
    int len = vasprintf(&text, format, arguments);

    if (len < 0)
        out_of_memory();
    buf_add(buf, text, (size_t)len);
    free(text);
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add_formatted(buf, format, arguments);
    va_end(arguments);
}

void buf_add_number(struct buf *buf, uint64_t number, unsigned digits)
{
    char text[24];
    char *at = text + sizeof text;

    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    while (at > text && (size_t)(text + sizeof text - at) < digits)
        *--at = '0';
    buf_add(buf, at, (size_t)(text + sizeof text - at));
}

void buf_add_seconds(struct buf *buf, double seconds)
{
    uint64_t microseconds = (uint64_t)(seconds * 1e6 + 0.5);

    buf_add_number(buf, microseconds / 1000000, 1);
    buf_add_char(buf, '.');
    buf_add_number(buf, microseconds % 1000000, 6);
}

void buf_setf(struct buf *buf, const char *format, ...)
{
    va_list arguments;

    buf_clear(buf);
    va_start(arguments, format);
    add_formatted(buf, format, arguments);
    va_end(arguments);
}

void buf_drop(struct buf *buf, size_t len)
{
    assert(len <= buf->len);
    if (!len)
        return;
    memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
    buf->data[buf->len] = '\0';
}

char *buf_take(struct buf *buf)
{
    char *text = buf->capacity ? buf->data : xstrdup("");

    buf_init(buf);
    return text;
}
