#include "base/text.h"

#include <stdint.h>
#include <unistr.h>

bool text_is_utf8(const char *bytes, size_t len)
{
    return u8_check((const uint8_t *)bytes, len) == NULL;
}

/* The length of the character at `at`; 1 and `*ret_code` U+FFFD where the byte there starts none. */
static size_t read_character(const char *at, size_t len, ucs4_t *ret_code)
{
    int size = u8_mbtoucr(ret_code, (const uint8_t *)at, len);

    if (size > 0)
        return (size_t)size;
    *ret_code = 0xFFFD;
    return 1;
}

void text_add_valid(struct buf *out, const char *bytes, size_t len, size_t max)
{
    size_t room = max;

    for (size_t i = 0; i < len;) {
        ucs4_t code;
        uint8_t encoded[6];
        i += read_character(bytes + i, len - i, &code);
        int size = u8_uctomb(encoded, code, sizeof encoded);
        if (size <= 0 || (size_t)size > room)
            return;
        buf_add(out, encoded, (size_t)size);
        room -= (size_t)size;
    }
}

static bool is_control(ucs4_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

void text_add_escaped(struct buf *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        ucs4_t code;
        size_t size = read_character(bytes + i, len - i, &code);
        bool bad = code == 0xFFFD && size == 1;
        if (bad || is_control(code)) {
            for (size_t k = 0; k < size; k++)
                buf_addf(out, "\\x%02x", (unsigned char)bytes[i + k]);
        } else {
            buf_add(out, bytes + i, size);
        }
        i += size;
    }
}
