#include "base/columns.h"

#include <stdint.h>
#include <unistr.h>
#include <uniwidth.h>

size_t columns_fit(const char *text, size_t len, size_t max, size_t *ret_columns)
{
    size_t columns = 0, at = 0;

    while (at < len) {
        ucs4_t code;
        int size = u8_mbtouc(&code, (const uint8_t *)text + at, len - at);
        int width = uc_width(code, "UTF-8");
        size_t needed = width > 0 ? (size_t)width : 0;
        if (columns + needed > max)
            break;
        columns += needed;
        at += (size_t)size;
    }
    *ret_columns = columns;
    return at;
}

size_t columns_of(const char *text, size_t len)
{
    size_t columns;

    columns_fit(text, len, SIZE_MAX, &columns);
    return columns;
}
