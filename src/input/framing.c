#include "input/framing.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/strings.h"
#include "base/util.h"

const char framing_chunked[] = "Transfer-Encoding: chunked";

static const char blanks[] = " \t\r";

static bool is_named(const char *header, const char *name)
{
    size_t len = strlen(name);

    return strncasecmp(header, name, len) == 0 && (header[len] == ':' || header[len] == ';');
}

/* The value without the blanks around it. */
static const char *value_of(const char *header, size_t *ret_len)
{
    const char *value = header + strcspn(header, ":;");

    value += *value != '\0';
    value += strspn(value, blanks);
    *ret_len = strlen(value);
    while (*ret_len && strchr(blanks, value[*ret_len - 1]))
        --*ret_len;
    return value;
}

static bool has_value(const char *header, const char *word)
{
    size_t len;
    const char *value = value_of(header, &len);

    return len == strlen(word) && strncasecmp(value, word, len) == 0;
}

bool framing_closes(const char *header)
{
    return is_named(header, "Connection") && has_value(header, "close");
}

enum framing framing_of(const char *header)
{
    static const char *const copied[] = {"Content-Length",   "Connection", "Keep-Alive",
                                         "Proxy-Connection", "TE",         "Trailer",
                                         "Upgrade"};

    if (is_named(header, "Transfer-Encoding")) {
        if (has_value(header, ""))
            return FRAMING_NONE; /* takes back the one of the command line */
        return has_value(header, "chunked") ? FRAMING_CHUNKED : FRAMING_UNKNOWN;
    }
    if (is_named(header, "Connection") && (has_value(header, "close") || has_value(header, "")))
        return FRAMING_NONE;
    for (size_t i = 0; i < ARRAY_LEN(copied); i++) {
        if (is_named(header, copied[i]))
            return FRAMING_COPIED;
    }
    return FRAMING_NONE;
}

bool framing_chunks(const struct strings *headers)
{
    for (size_t i = 0; i < headers->len; i++) {
        if (framing_of(headers->at[i]) == FRAMING_CHUNKED)
            return true;
    }
    return false;
}
