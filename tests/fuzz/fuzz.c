#include "fuzz.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/json_text.h"

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
    object = json_loadb(text, len, flags, NULL);
    /* What it echoes may have a name twice, not the record itself. */
    int is_object =
        json_is_object(object) && json_text_count(text, len, NULL) == json_object_size(object);
    json_decref(object);
    return is_object;
}
