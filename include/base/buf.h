/*
 * The one growable byte buffer. It always ends in a NUL that does not count, so that its bytes
 * can be used as a string. It has no bound of its own: whoever fills it names one.
 *
 * Owns: its bytes. Knows nothing of: what they mean.
 */
#ifndef WEIR_BASE_BUF_H
#define WEIR_BASE_BUF_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/util.h"

struct buf {
    char *data; /* never NULL after buf_init */
    size_t len;
    size_t capacity;
};

/* An empty buffer points at this, so that data is a string before the first byte. Never written. */
extern const char buf_nothing[1];

static inline void buf_init(struct buf *buf)
{
    *buf = (struct buf){.data = (char *)(uintptr_t)buf_nothing};
}

/* Frees the bytes there are: what buf_release does where there are any. */
void buf_free(struct buf *);

static inline void buf_release(struct buf *buf)
{
    if (buf->capacity)
        buf_free(buf);
}

static inline void buf_clear(struct buf *buf)
{
    buf->len = 0;
    if (buf->capacity)
        buf->data[0] = '\0';
}

/* Moves it to where there is room for `len` more bytes: what buf_reserve does where there is not. */
char *buf_grow(struct buf *, size_t len);

/* Room for `len` more bytes behind the present ones: write there, then buf_extend. */
static inline char *buf_reserve(struct buf *buf, size_t len)
{
    return len < buf->capacity - buf->len ? buf->data + buf->len : buf_grow(buf, len);
}

static inline void buf_extend(struct buf *buf, size_t len)
{
    assert(buf->len + len < buf->capacity || (len == 0 && buf->capacity == 0));
    if (!len)
        return;
    buf->len += len;
    buf->data[buf->len] = '\0';
}

static inline void buf_add_char(struct buf *buf, char c)
{
    *buf_reserve(buf, 1) = c;
    buf_extend(buf, 1);
}

static inline void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (!len)
        return;
    memcpy(buf_reserve(buf, len), bytes, len);
    buf_extend(buf, len);
}

void buf_add_text(struct buf *, const char *text);
void buf_addf(struct buf *, const char *format, ...) PRINTF_LIKE(2, 3);

/* In decimal, with at least `digits` digits, up to BUF_DIGITS_MAX of them. */
enum { BUF_DIGITS_MAX = 24 };
void buf_add_number(struct buf *, uint64_t number, unsigned digits);
/* Seconds to the microsecond, without the locale's decimal point. */
void buf_add_seconds(struct buf *, double seconds);

/* Replaces what is there: the way words for the user are put into a caller's `err`. */
void buf_setf(struct buf *, const char *format, ...) PRINTF_LIKE(2, 3);

/* Drops the first `len` bytes. */
void buf_drop(struct buf *, size_t len);
/* Gives the bytes away as a string the caller frees; the buffer is empty afterwards. */
char *buf_take(struct buf *);

#endif
