#include "fuzz.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "input/json_text.h"

_Noreturn void promise_broken(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
    abort();
}

int is_record(const char *text, size_t len)
{
    size_t flags = JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
    json_t *object;

    if (len == 0 || memchr(text, '\n', len) != text + len - 1 || !text_is_utf8(text, len))
        return 0;
    /* A name in what it echoes may hold a NUL, which jansson knows of no name. */
    char *copy = xstrndup(text, len);
    for (char *at = copy; (at = strstr(at, "\\u0000")) != NULL;)
        at[5] = '1';
    object = json_loadb(copy, len, flags, NULL);
    free(copy);
    /* What it echoes may have a name twice, not the record itself. */
    int is_object =
        json_is_object(object) && json_text_count(text, len, NULL) == json_object_size(object);
    json_decref(object);
    return is_object;
}
