#include "base/base64.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Four times three bytes are made sixteen characters at once, with what the machine has for it. */
enum { STEP = 12, STEP_LETTERS = 16 };

typedef uint32_t four __attribute__((vector_size(16)));
typedef int8_t sixteen __attribute__((vector_size(16)));

/* Three bytes, the first the lowest, and one more that does not count. */
static uint32_t three_at(const uint8_t *bytes)
{
    uint32_t three;

    memcpy(&three, bytes, sizeof three);
    return le32toh(three);
}

/* Six bits in each byte, the first again the lowest. */
static four spread(four three)
{
    return (three >> 2 & 0x3F) | (three << 12 & 0x3000) | (three >> 4 & 0x0F00) |
           (three << 10 & 0x3C0000) | (three >> 6 & 0x030000) | (three << 8 & 0x3F000000);
}

/* What the alphabet has for each: it has four breaks, and the lanes behind one step over it. The
 * steps come first, or a sum would leave its lane. */
static sixteen letters_of(sixteen sixes)
{
    sixteen steps = ((sixes > 25) & ('a' - 'Z' - 1)) + ((sixes > 51) & ('0' - 'z' - 1)) +
                    ((sixes > 61) & ('+' - '9' - 1)) + ((sixes > 62) & ('/' - '+' - 1));

    return sixes + steps + 'A';
}

/* Reads a byte more than it encodes. */
static void encode_step(const uint8_t *from, char *to)
{
    four lanes = {three_at(from), three_at(from + 3), three_at(from + 6), three_at(from + 9)};

    lanes = (four)letters_of((sixteen)spread(lanes));
    for (size_t i = 0; i < 4; i++)
        lanes[i] = htole32(lanes[i]);
    memcpy(to, &lanes, sizeof lanes);
}

size_t base64_encode(const void *bytes, size_t len, char *out)
{
    const uint8_t *from = bytes;
    char *to = out;

    for (; len > STEP; len -= STEP, from += STEP, to += STEP_LETTERS)
        encode_step(from, to);
    for (; len >= 3; len -= 3, from += 3, to += 4) {
        uint32_t word = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        char quad[4] = {alphabet[word >> 18], alphabet[word >> 12 & 63], alphabet[word >> 6 & 63],
                        alphabet[word & 63]};
        memcpy(to, quad, sizeof quad);
    }
    if (len) {
        uint32_t word = (uint32_t)from[0] << 16 | (len == 2 ? (uint32_t)from[1] << 8 : 0);
        *to++ = alphabet[word >> 18];
        *to++ = alphabet[word >> 12 & 63];
        *to++ = len == 2 ? alphabet[word >> 6 & 63] : '=';
        *to++ = '=';
    }
    return (size_t)(to - out);
}

/* The six bits that a character stands for, or -1. */
static int value_of(char c)
{
    const char *found = c ? strchr(alphabet, c) : NULL;

    return found ? (int)(found - alphabet) : -1;
}

static size_t count_padding(const char *text, size_t len)
{
    size_t padding = 0;

    while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
        padding++;
    return padding;
}

static void drop_from(struct buf *out, size_t len)
{
    if (out->len > len)
        out->data[len] = '\0';
    out->len = len;
}

int base64_decode(const char *text, size_t len, struct buf *out)
{
    size_t before = out->len, padding = count_padding(text, len);
    uint32_t word = 0;

    if (len % 4)
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        int value = i < len - padding ? value_of(text[i]) : 0;
        if (value < 0) {
            drop_from(out, before);
            return -EINVAL;
        }
        word = word << 6 | (uint32_t)value;
        if (i % 4 == 3) {
            char bytes[] = {(char)(word >> 16 & 255), (char)(word >> 8 & 255), (char)(word & 255)};
            buf_add(out, bytes, i == len - 1 ? 3 - padding : 3);
            word = 0;
        }
    }
    return 0;
}
