#include "base/text.h"

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

/* While bytes are plain they are looked at by so many at once. */
enum { BLOCK = 32 };

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* The first byte is the lowest one. */
static uint64_t eight_at(const char *bytes)
{
    uint64_t eight;

    memcpy(&eight, bytes, sizeof eight);
    return le64toh(eight);
}

/* The first byte of eight that has a bit set; one has. */
static size_t first_marked(uint64_t marks)
{
    return (size_t)__builtin_ctzll(marks) / 8;
}

static bool block_is_ascii(const char *bytes)
{
    uint64_t any = 0;

    for (size_t i = 0; i < BLOCK; i += 8)
        any |= eight_at(bytes + i);
    return !(any & HIGH_BITS);
}

/* How many bytes at the start are ASCII. */
static size_t ascii_prefix(const char *bytes, size_t len)
{
    size_t at = 0;

    if (len >= 8 && (eight_at(bytes) & HIGH_BITS))
        return first_marked(eight_at(bytes) & HIGH_BITS);
    while (at + BLOCK <= len && block_is_ascii(bytes + at))
        at += BLOCK;
    for (; at + 8 <= len; at += 8) {
        uint64_t others = eight_at(bytes + at) & HIGH_BITS;
        if (others)
            return at + first_marked(others);
    }
    while (at < len && !((unsigned char)bytes[at] & 0x80))
        at++;
    return at;
}

/* How many bytes at the start are whole characters: those behind are none, or the beginning of
 * one. */
static size_t valid_prefix(const char *bytes, size_t len)
{
    size_t ascii = ascii_prefix(bytes, len);

    if (ascii == len)
        return len;
    /* The parentheses keep a newer libunistring's macro off, which casts the const away. */
    const uint8_t *bad = (u8_check)((const uint8_t *)bytes + ascii, len - ascii);
    return bad ? (size_t)((const char *)bad - bytes) : len;
}

bool text_is_utf8(const char *bytes, size_t len)
{
    return valid_prefix(bytes, len) == len;
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

/* C0, DEL, C1, and Cf: characters that have no shape, and turn or hide those around them. */
static bool moves_text(ucs4_t code)
{
    if (code < 0xA0)
        return code < 0x20 || code >= 0x7F;
    return uc_is_general_category(code, UC_FORMAT);
}

static void add_hex(struct buf *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf_addf(out, "\\x%02x", (unsigned char)bytes[i]);
}

void text_add_escaped(struct buf *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        ucs4_t code;
        size_t size = read_character(bytes + i, len - i, &code);
        bool bad = code == 0xFFFD && size == 1;
        if (bad || moves_text(code))
            add_hex(out, bytes + i, size);
        else
            buf_add(out, bytes + i, size);
        i += size;
    }
}

/* The letter that stands for it behind a backslash, or NUL. */
static char cell_letter(ucs4_t code)
{
    switch (code) {
    case '\t': return 't';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\\': return '\\';
    default: return '\0';
    }
}

void text_add_cell(struct buf *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
        ucs4_t code;
        size_t size = read_character(bytes + i, len - i, &code);
        char letter = cell_letter(code);
        if (letter)
            buf_addf(out, "\\%c", letter);
        else if (moves_text(code))
            add_hex(out, bytes + i, size);
        else
            text_add_valid(out, bytes + i, size, SIZE_MAX);
        i += size;
    }
}

void text_add_shown(struct buf *out, const char *bytes, size_t len, size_t max)
{
    struct buf shown;
    size_t end = 0;

    buf_init(&shown);
    for (size_t i = 0; i < len && shown.len <= max;) {
        ucs4_t code;
        size_t size = read_character(bytes + i, len - i, &code);
        end = shown.len;
        text_add_escaped(&shown, bytes + i, size);
        i += size;
    }
    bool is_cut = shown.len > max;
    buf_add(out, shown.data, is_cut ? end : shown.len);
    if (is_cut)
        buf_add_text(out, "...");
    buf_release(&shown);
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

static bool is_tail(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The length of the character that begins there, which is not ASCII; -2 where the bytes end within
 * it, -1 where there is none. Those of two and three bytes are most of all text and looked at here;
 * about the others, and what is wrong, the library is asked. */
static int character_len(const char *bytes, size_t len)
{
    const uint8_t *at = (const uint8_t *)bytes;
    ucs4_t code;

    if (len >= 2 && at[0] >= 0xC2 && at[0] < 0xE0 && is_tail(at[1]))
        return 2;
    if (len >= 3 && (at[0] & 0xF0) == 0xE0 && is_tail(at[1]) && is_tail(at[2])) {
        unsigned upper = (at[0] & 0x0FU) << 6 | (at[1] & 0x3FU);
        bool is_surrogate = upper >= 0xD800 >> 6 && upper <= 0xDFFF >> 6;
        return upper >= 0x800 >> 6 && !is_surrogate ? 3 : -1;
    }
    return u8_mbtoucr(&code, at, len);
}

void utf8_stream_feed(struct utf8_stream *stream, const char *bytes, size_t len)
{
    size_t at = finish_character(stream, bytes, len);

    while (!stream->bad && at < len) {
        if (!((unsigned char)bytes[at] & 0x80)) {
            at += ascii_prefix(bytes + at, len - at);
            continue;
        }
        int size = character_len(bytes + at, len - at);
        if (size == -2) {
            stream->n_begun = (unsigned)(len - at);
            memcpy(stream->begun, bytes + at, stream->n_begun);
            return;
        }
        stream->bad = size < 0;
        at += (size_t)MAX(size, 0);
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

/* Sixteen bytes that the compiler looks at with what the machine has for it. */
typedef uint8_t sixteen __attribute__((vector_size(16)));

static sixteen sixteen_at(const char *bytes)
{
    sixteen those;

    memcpy(&those, bytes, sizeof those);
    return those;
}

/* All bits of each byte that escape_of says something of. */
static sixteen mark_escaped(sixteen those)
{
    return (sixteen)((those < 0x20) | (those == '"') | (those == '\\') | (those == 0x7F));
}

/* The first of them that has bits set, or 16. */
static size_t first_of_sixteen(sixteen marks)
{
    uint64_t halves[2];

    memcpy(halves, &marks, sizeof halves);
    if (halves[0])
        return first_marked(le64toh(halves[0]));
    return 8 + (halves[1] ? first_marked(le64toh(halves[1])) : 8);
}

static bool block_is_plain(const char *bytes)
{
    return first_of_sixteen(mark_escaped(sixteen_at(bytes)) |
                            mark_escaped(sixteen_at(bytes + 16))) == 16;
}

/* Writes the first sixteen or, where there is one among them that is escaped, up to and with that;
 * gives how many it took. */
static size_t write_sixteen(char **to, const char *bytes)
{
    size_t plain = first_of_sixteen(mark_escaped(sixteen_at(bytes)));

    memcpy(*to, bytes, 16);
    *to += plain;
    if (plain == 16)
        return plain;
    *to = write_escape(*to, bytes[plain], escape_of(bytes[plain]));
    return plain + 1;
}

size_t text_write_json(const char *bytes, size_t len, char *out)
{
    size_t at = 0;
    char *to = out;

    while (len - at >= 16) {
        if (len - at >= BLOCK && block_is_plain(bytes + at)) {
            memcpy(to, bytes + at, BLOCK);
            to += BLOCK;
            at += BLOCK;
            continue;
        }
        for (size_t end = at + BLOCK; at < end && len - at >= 16;)
            at += write_sixteen(&to, bytes + at);
    }
    return (size_t)(write_each(to, bytes + at, len - at) - out);
}

void text_add_json(struct buf *out, const char *bytes, size_t len)
{
    size_t at = 0;

    while (at < len) {
        size_t valid = valid_prefix(bytes + at, len - at);
        char *to = buf_reserve(out, valid * TEXT_JSON_GROWTH);
        buf_extend(out, text_write_json(bytes + at, valid, to));
        at += valid;
        if (at < len) {
            buf_add_text(out, "\xEF\xBF\xBD");
            at++;
        }
    }
}
