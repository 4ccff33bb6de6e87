/*
 * Checked allocation and the few words that every floor uses.
 *
 * Out of memory ends the program: no caller could do better, and a journal makes the run resumable.
 * Knows nothing of: anything above libc.
 */
#ifndef WEIR_BASE_UTIL_H
#define WEIR_BASE_UTIL_H

#include <stddef.h>

#define NOINLINE                 __attribute__((noinline))
#define WARN_UNUSED              __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)        ((a) < (b) ? (a) : (b))
#define MAX(a, b)        ((a) > (b) ? (a) : (b))

/* The struct whose member `member` stands at `pointer`. */
#define CONTAINER_OF(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Says so on stderr and ends the program with status 4. */
_Noreturn void out_of_memory(void);

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *memory, size_t size);
void *xreallocarray(void *memory, size_t count, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);

/* Makes room for one more element: gives the array back, perhaps moved, `*capacity` doubled. */
void *xgrow(void *array, size_t len, size_t *capacity, size_t size);

#endif
