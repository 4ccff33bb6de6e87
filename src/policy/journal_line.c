#include "policy/journal_line.h"

#include <string.h>
#include <xxhash.h>

enum { SUM_DIGITS = 8, KEY_DIGITS = 32, MARK_DIGITS = 16, BOOT_DIGITS = 16 };

static const char *const words[] = {
    [JOURNAL_HEAD] = "weir-journal", [JOURNAL_RUN] = "run",   [JOURNAL_NAME] = "name",
    [JOURNAL_PART] = "part",         [JOURNAL_DONE] = "done", [JOURNAL_REDO] = "redo",
};

static const char digits[] = "0123456789abcdef";

/* ---- writing ---- */

static void add_hex(uint64_t number, unsigned n_digits, struct buf *out)
{
    while (n_digits--)
        buf_add_char(out, digits[number >> (4 * n_digits) & 15]);
}

static bool is_fit(unsigned char c)
{
    return c > ' ' && c != 0x7f && c != '\\';
}

/* At most `max` bytes of the text. */
static void add_fit(const char *text, size_t len, size_t max, struct buf *out)
{
    for (size_t i = 0; i < MIN(len, max); i++) {
        unsigned char c = (unsigned char)text[i];
        if (is_fit(c)) {
            buf_add_char(out, text[i]);
        } else {
            buf_add_text(out, "\\x");
            add_hex(c, 2, out);
        }
    }
}

static void add_offset(uint64_t offset, struct buf *out)
{
    if (offset == JOURNAL_NO_OFFSET)
        buf_add_char(out, '-');
    else
        buf_add_number(out, offset, 1);
    buf_add_char(out, ' ');
}

static void add_result(const struct journal_line *line, struct buf *out)
{
    buf_add_text(out, reason_name(line->reason));
    buf_add_char(out, ' ');
    buf_add_number(out, line->attempts, 1);
    buf_add_char(out, ' ');
    add_offset(line->offset, out);
    add_fit(line->text, line->len, JOURNAL_URL_MAX, out);
}

static void add_key(const struct key *key, struct buf *out)
{
    add_hex(key->high, KEY_DIGITS / 2, out);
    add_hex(key->low, KEY_DIGITS / 2, out);
    buf_add_char(out, ' ');
}

static void add_part(const struct journal_line *line, struct buf *out)
{
    add_hex(line->boot, BOOT_DIGITS, out);
    buf_add_char(out, ' ');
    buf_add_text(out, line->file);
    buf_add_char(out, ' ');
    add_offset(line->total, out);
    add_key(&line->source, out);
    add_fit(line->text, line->len, line->len, out);
}

void journal_line_add_sum(struct buf *line, size_t start)
{
    uint32_t sum = (uint32_t)XXH3_64bits(line->data + start, line->len - start);

    buf_add_char(line, ' ');
    add_hex(sum, SUM_DIGITS, line);
    buf_add_char(line, '\n');
}

void journal_line_add(const struct journal_line *line, struct buf *out)
{
    size_t start = out->len;

    buf_add_text(out, words[line->kind]);
    buf_add_char(out, ' ');
    switch (line->kind) {
    case JOURNAL_HEAD: buf_add_number(out, line->version, 1); break;
    case JOURNAL_RUN: add_hex(line->mark, MARK_DIGITS, out); break;
    case JOURNAL_NAME:
        add_key(&line->key, out);
        add_fit(line->text, line->len, line->len, out);
        break;
    case JOURNAL_PART:
        add_key(&line->key, out);
        add_part(line, out);
        break;
    case JOURNAL_DONE:
    case JOURNAL_REDO:
        add_key(&line->key, out);
        add_result(line, out);
        break;
    }
    journal_line_add_sum(out, start);
}

/* ---- reading ---- */

struct words {
    const char *at, *end;
};

/* The next word; false where there is none. */
static bool next_word(struct words *left, const char **ret_word, size_t *ret_len)
{
    const char *end;

    if (left->at >= left->end)
        return false;
    end = memchr(left->at, ' ', (size_t)(left->end - left->at));
    if (!end)
        end = left->end;
    *ret_word = left->at;
    *ret_len = (size_t)(end - left->at);
    left->at = end + 1;
    return *ret_len > 0;
}

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

static bool read_number(const char *word, size_t len, uint64_t *ret_number)
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

static bool read_reason(const char *word, size_t len, enum reason *ret_reason)
{
    for (enum reason reason = REASON_OK; reason < REASON_COUNT; reason++) {
        const char *name = reason_name(reason);
        if (strlen(name) == len && memcmp(name, word, len) == 0) {
            *ret_reason = reason;
            return true;
        }
    }
    return false;
}

static bool read_kind(const char *word, size_t len, enum journal_kind *ret_kind)
{
    for (size_t kind = 0; kind < ARRAY_LEN(words); kind++) {
        if (strlen(words[kind]) == len && memcmp(words[kind], word, len) == 0) {
            *ret_kind = (enum journal_kind)kind;
            return true;
        }
    }
    return false;
}

static bool read_key(struct words *left, struct key *ret_key)
{
    const char *word;
    size_t len;

    return next_word(left, &word, &len) && len == KEY_DIGITS &&
           read_hex(word, KEY_DIGITS / 2, &ret_key->high) &&
           read_hex(word + KEY_DIGITS / 2, KEY_DIGITS / 2, &ret_key->low);
}

static bool read_offset(struct words *left, uint64_t *ret_offset)
{
    const char *word;
    size_t len;

    if (!next_word(left, &word, &len))
        return false;
    *ret_offset = JOURNAL_NO_OFFSET;
    return (len == 1 && *word == '-') || read_number(word, len, ret_offset);
}

static bool read_result(struct words *left, struct journal_line *line)
{
    const char *word;
    uint64_t attempts;
    size_t len;

    if (!next_word(left, &word, &len) || !read_reason(word, len, &line->reason))
        return false;
    if (!next_word(left, &word, &len) || !read_number(word, len, &attempts))
        return false;
    line->attempts = (unsigned)attempts;
    if (!read_offset(left, &line->offset))
        return false;
    next_word(left, &line->text, &line->len); /* an invalid line may be an empty one */
    return true;
}

static bool is_file(const char *word, size_t len)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

    for (size_t i = 0; i < len; i++) {
        if (!memchr(letters, word[i], sizeof letters - 1))
            return false;
    }
    return len <= JOURNAL_FILE_MAX;
}

static bool read_part(struct words *left, struct journal_line *line)
{
    const char *word;
    size_t len;

    if (!next_word(left, &word, &len) || len != BOOT_DIGITS || !read_hex(word, len, &line->boot))
        return false;
    if (!next_word(left, &word, &len) || !is_file(word, len))
        return false;
    memcpy(line->file, word, len); /* the line was all zeros */
    return read_offset(left, &line->total) && read_key(left, &line->source) &&
           next_word(left, &line->text, &line->len);
}

static bool read_rest(struct words *left, struct journal_line *line)
{
    const char *word;
    uint64_t version;
    size_t len;

    switch (line->kind) {
    case JOURNAL_HEAD:
        if (!next_word(left, &word, &len) || !read_number(word, len, &version))
            return false;
        line->version = (unsigned)version;
        return true;
    case JOURNAL_RUN:
        return next_word(left, &word, &len) && len == MARK_DIGITS &&
               read_hex(word, len, &line->mark);
    case JOURNAL_NAME:
        return read_key(left, &line->key) && next_word(left, &line->text, &line->len);
    case JOURNAL_PART: return read_key(left, &line->key) && read_part(left, line);
    case JOURNAL_DONE:
    case JOURNAL_REDO: return read_key(left, &line->key) && read_result(left, line);
    }
    return false;
}

bool journal_line_read(const char *line, size_t len, struct journal_line *ret_line)
{
    struct words left = {.at = line};
    const char *word;
    size_t word_len;
    uint64_t sum;

    *ret_line = (struct journal_line){0};
    if (len <= SUM_DIGITS + 1 || line[len - SUM_DIGITS - 1] != ' ')
        return false;
    left.end = line + len - SUM_DIGITS - 1;
    if (!read_hex(left.end + 1, SUM_DIGITS, &sum) ||
        sum != (uint32_t)XXH3_64bits(line, (size_t)(left.end - line)))
        return false;
    return next_word(&left, &word, &word_len) && read_kind(word, word_len, &ret_line->kind) &&
           read_rest(&left, ret_line);
}

void journal_line_add_text(const struct journal_line *line, struct buf *out)
{
    for (size_t i = 0; i < line->len; i++) {
        uint64_t c;
        if (line->text[i] == '\\' && i + 3 < line->len && read_hex(line->text + i + 2, 2, &c)) {
            buf_add_char(out, (char)c);
            i += 3;
        } else {
            buf_add_char(out, line->text[i]);
        }
    }
}
