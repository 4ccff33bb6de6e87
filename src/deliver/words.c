#include "deliver/words.h"

#include <string.h>
#include <xxhash.h>

#include "base/key.h"

enum { SUM_DIGITS = 8, KEY_DIGITS = 32 };

static const char digits[] = "0123456789abcdef";

/* ---- writing ---- */

void words_add_hex(struct buf *out, uint64_t number, unsigned n_digits)
{
    while (n_digits--)
        buf_add_char(out, digits[number >> (4 * n_digits) & 15]);
}

void words_add_key(struct buf *out, const struct key *key)
{
    words_add_hex(out, key->high, KEY_DIGITS / 2);
    words_add_hex(out, key->low, KEY_DIGITS / 2);
}

static bool is_fit(unsigned char c)
{
    return c > ' ' && c != 0x7f && c != '\\';
}

void words_add_fit(struct buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (is_fit(c)) {
            buf_add_char(out, text[i]);
        } else {
            buf_add_text(out, "\\x");
            words_add_hex(out, c, 2);
        }
    }
}

void words_add_sum(struct buf *line, size_t start)
{
    uint32_t sum = (uint32_t)XXH3_64bits(line->data + start, line->len - start);

    buf_add_char(line, ' ');
    words_add_hex(line, sum, SUM_DIGITS);
    buf_add_char(line, '\n');
}

/* ---- reading ---- */

/* One more than a digit's value; 0 for what is none. Without a branch: digits come as they like. */
static const unsigned char values[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static bool read_hex(const char *word, size_t len, uint64_t *ret_number)
{
    uint64_t number = 0;
    bool all_digits = true;

    for (size_t i = 0; i < len; i++) {
        unsigned value = values[(unsigned char)word[i]];
        all_digits &= value != 0;
        number = number << 4 | ((value - 1) & 15);
    }
    if (all_digits)
        *ret_number = number;
    return all_digits;
}

bool words_begin(struct words *words, const char *line, size_t len)
{
    uint64_t sum;

    if (len <= SUM_DIGITS + 1 || line[len - SUM_DIGITS - 1] != ' ')
        return false;
    *words = (struct words){.at = line, .end = line + len - SUM_DIGITS - 1};
    return read_hex(words->end + 1, SUM_DIGITS, &sum) &&
           sum == (uint32_t)XXH3_64bits(line, (size_t)(words->end - line));
}

bool words_next(struct words *words, const char **ret_word, size_t *ret_len)
{
    const char *end;

    if (words->at >= words->end)
        return false;
    end = memchr(words->at, ' ', (size_t)(words->end - words->at));
    if (!end)
        end = words->end;
    *ret_word = words->at;
    *ret_len = (size_t)(end - words->at);
    words->at = end + 1;
    return *ret_len > 0;
}

bool words_next_hex(struct words *words, unsigned n_digits, uint64_t *ret_number)
{
    const char *word;
    size_t len;

    return words_next(words, &word, &len) && len == n_digits && read_hex(word, len, ret_number);
}

bool words_read_number(const char *word, size_t len, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (len > 19)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (word[i] < '0' || word[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(word[i] - '0');
    }
    *ret_number = number;
    return true;
}

bool words_next_number(struct words *words, uint64_t *ret_number)
{
    const char *word;
    size_t len;

    return words_next(words, &word, &len) && words_read_number(word, len, ret_number);
}

bool words_next_key(struct words *words, struct key *ret_key)
{
    const char *word;
    size_t len;

    return words_next(words, &word, &len) && len == KEY_DIGITS &&
           read_hex(word, KEY_DIGITS / 2, &ret_key->high) &&
           read_hex(word + KEY_DIGITS / 2, KEY_DIGITS / 2, &ret_key->low);
}

bool words_is(const char *word, size_t len, const char *text)
{
    return strlen(text) == len && memcmp(text, word, len) == 0;
}

void words_add_plain(struct buf *out, const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint64_t c;
        if (word[i] == '\\' && i + 3 < len && read_hex(word + i + 2, 2, &c)) {
            buf_add_char(out, (char)c);
            i += 3;
        } else {
            buf_add_char(out, word[i]);
        }
    }
}
