/* A template of a file name, a newline, and what is put into it. */
#include "fuzz.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "deliver/filename.h"

/* What a part may be that comes from outside alone. */
static void check_part(const char *part, size_t len)
{
    PROMISE(len > 0 && len <= NAME_MAX);
    PROMISE(part[0] != '-' && part[0] != '.');
    PROMISE(text_is_utf8(part, len));
    for (size_t i = 0; i < len; i++)
        PROMISE((unsigned char)part[i] >= 0x20 && part[i] != 0x7F);
}

static void check_name(const char *name)
{
    for (;;) {
        size_t len = strcspn(name, "/");
        check_part(name, len);
        if (!name[len])
            return;
        name += len + 1;
    }
}

static void try_template(const char *template, const struct filename_parts *parts, bool is_outside)
{
    struct filename *filename = NULL;
    struct buf name, err;

    buf_init(&name);
    buf_init(&err);
    if (filename_new(template, &filename, &err) == 0 &&
        filename_make(filename, parts, &name, &err) == 0) {
        PROMISE(name.len == strlen(name.data) && name.len < PATH_MAX);
        PROMISE(filename_trusted_len(filename) <= name.len);
        if (is_outside)
            check_name(name.data);
    } else {
        PROMISE(err.len > 0);
    }
    filename_free(filename);
    buf_release(&name);
    buf_release(&err);
}

int FUZZ(filename)(const uint8_t *bytes, size_t size)
{
    static const char *const outside[] = {"{id}",   "{host}",        "{path}",
                                          "{name}", "{host}/{path}", "{name}{id}"};
    char *template = xstrndup((const char *)bytes, size);
    char *newline = strchr(template, '\n');
    const char *rest = newline ? newline + 1 : template;
    struct filename_parts parts = {.seq = size, .id = rest, .host = rest, .path = rest};
    struct buf err;

    buf_init(&err);
    if (filename_check_relative(rest, &err) == 0)
        check_name(rest);
    for (size_t i = 0; i < ARRAY_LEN(outside); i++)
        try_template(outside[i], &parts, true);
    if (newline)
        *newline = '\0';
    try_template(template, &parts, false);
    buf_release(&err);
    free(template);
    return 0;
}
