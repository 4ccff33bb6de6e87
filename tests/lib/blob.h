/*
 * Bytes that grow: the rig's own buffer, so that the rig stands without the program it tests.
 * What is there always ends in a NUL that does not count. All zero is an empty blob. Out of memory
 * ends the program. It has no bound of its own: whoever fills it names one.
 *
 * Owns: its bytes. Knows nothing of: what they mean.
 */
#ifndef RIG_BLOB_H
#define RIG_BLOB_H

#include <stdbool.h>
#include <stddef.h>

struct blob {
    char *at; /* NULL until something was put in */
    size_t len;
    size_t capacity;
};

/* Bytes that belong to somebody else. */
struct blob_span {
    const char *at;
    size_t len;
};

/* Room for `len` more bytes: write there, then add to `len` by blob_extend. */
char *blob_reserve(struct blob *, size_t len);
void blob_extend(struct blob *, size_t len);
void blob_add(struct blob *, const void *bytes, size_t len);
void blob_add_text(struct blob *, const char *text);
void blob_addf(struct blob *, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));

/* Drops the first `len` bytes. */
void blob_drop(struct blob *, size_t len);
/* Empties it; memory over `keep` bytes goes back. */
void blob_clear(struct blob *, size_t keep);
void blob_release(struct blob *);

/* What is there as a string, "" where there is nothing. */
const char *blob_text(const struct blob *);
bool blob_contains(const struct blob *, const char *text);

#endif
