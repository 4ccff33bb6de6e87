#include "base/util.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_OUT_OF_MEMORY = 4, GROW_FIRST = 8 };

/* Writes without stdio and leaves without handlers: both may want the memory there is none of. */
void out_of_memory(void)
{
    static const char words[] = "weir: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, words, sizeof words - 1);

    (void)ignored;
    _exit(EXIT_OUT_OF_MEMORY);
}

static void *checked(void *memory)
{
    if (!memory)
        out_of_memory();
    return memory;
}

void *xmalloc(size_t size)
{
    return checked(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *memory, size_t size)
{
    return checked(realloc(memory, size ? size : 1));
}

/* By realloc, which everything that watches or replaces the allocator knows. */
void *xreallocarray(void *memory, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        out_of_memory();
    return xrealloc(memory, count * size);
}

char *xstrdup(const char *text)
{
    return checked(strdup(text));
}

char *xstrndup(const char *text, size_t len)
{
    return checked(strndup(text, len));
}

void *xgrow(void *array, size_t len, size_t *capacity, size_t size)
{
    if (len < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : GROW_FIRST;
    return xreallocarray(array, *capacity, size);
}
