#include "blob.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 512 };

static void blob_grow(struct blob *blob, size_t wanted)
{
    size_t capacity = blob->capacity ? blob->capacity : FIRST_CAPACITY;

    while (capacity < wanted) {
        assert(capacity <= SIZE_MAX / 2);
        capacity *= 2;
    }
    char *at = realloc(blob->at, capacity);
    if (!at) {
        fputs("rig: out of memory\n", stderr);
        abort();
    }
    blob->at = at;
    blob->capacity = capacity;
}

char *blob_reserve(struct blob *blob, size_t len)
{
    size_t wanted = blob->len + len + 1;

    if (wanted > blob->capacity) {
        blob_grow(blob, wanted);
        blob->at[blob->len] = '\0';
    }
    return blob->at + blob->len;
}

void blob_extend(struct blob *blob, size_t len)
{
    assert(blob->len + len < blob->capacity);
    blob->len += len;
    blob->at[blob->len] = '\0';
}

void blob_add(struct blob *blob, const void *bytes, size_t len)
{
    if (!len)
        return;
    memcpy(blob_reserve(blob, len), bytes, len);
    blob_extend(blob, len);
}

void blob_add_text(struct blob *blob, const char *text)
{
    blob_add(blob, text, strlen(text));
}

void blob_addf(struct blob *blob, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(len >= 0);

    char *to = blob_reserve(blob, (size_t)len);
    va_start(arguments, format);
    vsnprintf(to, (size_t)len + 1, format, arguments);
    va_end(arguments);
    blob_extend(blob, (size_t)len);
}

void blob_drop(struct blob *blob, size_t len)
{
    assert(len <= blob->len);
    if (!len)
        return;
    blob->len -= len;
    memmove(blob->at, blob->at + len, blob->len);
    blob->at[blob->len] = '\0';
}

void blob_clear(struct blob *blob, size_t keep)
{
    if (blob->capacity > keep) {
        blob_release(blob);
        return;
    }
    blob->len = 0;
    if (blob->at)
        blob->at[0] = '\0';
}

void blob_release(struct blob *blob)
{
    free(blob->at);
    *blob = (struct blob){0};
}

const char *blob_text(const struct blob *blob)
{
    return blob->at ? blob->at : "";
}

bool blob_contains(const struct blob *blob, const char *text)
{
    return blob->len && memmem(blob->at, blob->len, text, strlen(text));
}
