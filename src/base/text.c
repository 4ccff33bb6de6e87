#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistr.h>

bool text_is_utf8(const char *bytes, size_t len)
{
    return u8_check((const uint8_t *)bytes, len) == NULL;
}

/* The length of the character at `at`; 1 and `*ret_code` U+FFFD where the byte there starts
 * none. */
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

/* How many bytes at the start are ASCII, eight at a time. */
static size_t ascii_prefix(const char *bytes, size_t len)
{
    size_t at = 0;
    uint64_t word;

    for (; at + sizeof word <= len; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < len && !((unsigned char)bytes[at] & 0x80))
        at++;
    return at;
}

/* Takes bytes until the character that was begun is whole, or bad; gives how many. */
static size_t finish_character(struct utf8_stream *stream, const char *bytes, size_t len)
{
    size_t taken = 0;
    ucs4_t code;

    while (stream->n_begun && taken < len) {
        stream->begun[stream->n_begun++] = bytes[taken++];
        int size = u8_mbtoucr(&code, (const uint8_t *)stream->begun, stream->n_begun);
        if (size == -1)
            stream->bad = true;
        if (size != -2)
            stream->n_begun = 0;
    }
    return taken;
}

void utf8_stream_feed(struct utf8_stream *stream, const char *bytes, size_t len)
{
    size_t at = finish_character(stream, bytes, len);
    ucs4_t code;

    at += ascii_prefix(bytes + at, len - at);
    if (stream->bad || at == len)
        return;
    const uint8_t *bad = u8_check((const uint8_t *)bytes + at, len - at);
    if (!bad)
        return;
    size_t left = len - (size_t)((const char *)bad - bytes);
    if (left < sizeof stream->begun && u8_mbtoucr(&code, bad, left) == -2) {
        memcpy(stream->begun, bad, left);
        stream->n_begun = (unsigned)left;
    } else {
        stream->bad = true;
    }
}

bool utf8_stream_is_valid(const struct utf8_stream *stream)
{
    return !stream->bad && stream->n_begun == 0;
}

/* What a byte is written as: 0 as it is, 'u' as \u00XX, another letter behind a backslash. */
static const char json_escapes[128] = {
    [0] = 'u',  [1] = 'u',  [2] = 'u',  [3] = 'u',  [4] = 'u',   [5] = 'u',     [6] = 'u',
    [7] = 'u',  [8] = 'b',  [9] = 't',  [10] = 'n', [11] = 'u',  [12] = 'f',    [13] = 'r',
    [14] = 'u', [15] = 'u', [16] = 'u', [17] = 'u', [18] = 'u',  [19] = 'u',    [20] = 'u',
    [21] = 'u', [22] = 'u', [23] = 'u', [24] = 'u', [25] = 'u',  [26] = 'u',    [27] = 'u',
    [28] = 'u', [29] = 'u', [30] = 'u', [31] = 'u', ['"'] = '"', ['\\'] = '\\', [127] = 'u',
};

static char escape_of(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte < sizeof json_escapes ? json_escapes[byte] : '\0';
}

static char *write_escape(char *to, char c, char escape)
{
    static const char digits[] = "0123456789abcdef";

    *to++ = '\\';
    *to++ = escape;
    if (escape == 'u') {
        *to++ = '0';
        *to++ = '0';
        *to++ = digits[(unsigned char)c >> 4];
        *to++ = digits[(unsigned char)c & 15];
    }
    return to;
}

static char *write_each(char *to, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char escape = escape_of(bytes[i]);
        if (escape)
            to = write_escape(to, bytes[i], escape);
        else
            *to++ = bytes[i];
    }
    return to;
}

#define EIGHT(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The same as escape_of says, for eight at once, since text is mostly plain: a byte below a limit
 * leaves its highest bit set when the limit is taken off, and equal bytes differ by less than 1.
 * What it borrows from the next byte does no harm, for then the answer is yes. */
static bool any_is_escaped(uint64_t eight)
{
    uint64_t below = (eight - EIGHT(0x20)) | ((eight ^ EIGHT('"')) - EIGHT(1)) |
                     ((eight ^ EIGHT('\\')) - EIGHT(1)) | ((eight ^ EIGHT(0x7F)) - EIGHT(1));

    return below & ~eight & EIGHT(0x80);
}

size_t text_write_json(const char *bytes, size_t len, char *out)
{
    char *to = out;
    uint64_t eight;

    for (; len >= sizeof eight; bytes += sizeof eight, len -= sizeof eight) {
        memcpy(&eight, bytes, sizeof eight);
        if (any_is_escaped(eight)) {
            to = write_each(to, bytes, sizeof eight);
        } else {
            memcpy(to, &eight, sizeof eight);
            to += sizeof eight;
        }
    }
    return (size_t)(write_each(to, bytes, len) - out);
}

void text_add_json(struct buf *out, const char *bytes, size_t len)
{
    size_t at = 0;

    while (at < len) {
        size_t plain = len - at;
        const uint8_t *bad = u8_check((const uint8_t *)bytes + at, plain);
        if (bad)
            plain = (size_t)((const char *)bad - bytes) - at;
        char *to = buf_reserve(out, plain * TEXT_JSON_GROWTH);
        buf_extend(out, text_write_json(bytes + at, plain, to));
        at += plain;
        if (bad) {
            buf_add_text(out, "\xEF\xBF\xBD");
            at++;
        }
    }
}
