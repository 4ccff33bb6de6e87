/*
 * A list of strings that it owns.
 */
#ifndef WEIR_BASE_STRINGS_H
#define WEIR_BASE_STRINGS_H

#include <stddef.h>

struct strings {
    char **at;
    size_t len;
    size_t capacity;
};

void strings_release(struct strings *);
/* Takes a string that the caller allocated. */
void strings_add(struct strings *, char *text);

#endif
