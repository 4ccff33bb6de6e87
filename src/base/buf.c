#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

const char buf_nothing[1] = "";

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                            "25262728293031323334353637383940414243444546474849"
                            "50515253545556575859606162636465666768697071727374"
                            "75767778798081828384858687888990919293949596979899";

void buf_free(struct buf *buf)
{
    free(buf->data);
    buf_init(buf);
}

char *buf_grow(struct buf *buf, size_t len)
{
    size_t capacity = MAX(buf->capacity * 2, FIRST_CAPACITY);

    capacity = MAX(capacity, buf->len + len + 1);
    buf->data = xrealloc(buf->capacity ? buf->data : NULL, capacity);
    buf->capacity = capacity;
    buf->data[buf->len] = '\0';
    return buf->data + buf->len;
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
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

static unsigned count_digits(uint64_t number)
{
    unsigned digits = 1;

    for (; number >= 10000; number /= 10000)
        digits += 4;
    return digits + (number >= 10) + (number >= 100) + (number >= 1000);
}

/* The last `digits` digits of it, two at a time; gives what is before them. */
static uint64_t write_digits(char *to, uint64_t number, unsigned digits)
{
    for (; digits >= 2; number /= 100) {
        digits -= 2;
        memcpy(to + digits, pairs + number % 100 * 2, 2);
    }
    if (!digits)
        return number;
    to[0] = (char)('0' + number % 10);
    return number / 10;
}

void buf_add_number(struct buf *buf, uint64_t number, unsigned digits)
{
    if (number < 10 && digits <= 1) {
        buf_add_char(buf, (char)('0' + number));
        return;
    }
    unsigned len = MAX(count_digits(number), MIN(digits, (unsigned)BUF_DIGITS_MAX));
    write_digits(buf_reserve(buf, len), number, len);
    buf_extend(buf, len);
}

void buf_add_seconds(struct buf *buf, double seconds)
{
    enum { DECIMALS = 6 };
    uint64_t microseconds = (uint64_t)(seconds * 1e6 + 0.5);
    unsigned whole = MAX(count_digits(microseconds), DECIMALS + 1U) - DECIMALS;
    char *to = buf_reserve(buf, whole + 1 + DECIMALS);

    microseconds = write_digits(to + whole + 1, microseconds, DECIMALS);
    to[whole] = '.';
    write_digits(to, microseconds, whole);
    buf_extend(buf, whole + 1 + DECIMALS);
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
