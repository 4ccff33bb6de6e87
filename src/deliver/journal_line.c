#include "deliver/journal_line.h"

#include <string.h>

#include "deliver/words.h"

enum { MARK_DIGITS = 16, BOOT_DIGITS = 16 };

static const char *const kinds[] = {
    [JOURNAL_HEAD] = "weir-journal", [JOURNAL_RUN] = "run",     [JOURNAL_NAME] = "name",
    [JOURNAL_FREE] = "free",         [JOURNAL_PART] = "part",   [JOURNAL_DONE] = "done",
    [JOURNAL_REDO] = "redo",         [JOURNAL_GROUP] = "group",
};

/* ---- writing ---- */

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
    words_add_fit(out, line->text, MIN(line->len, (size_t)JOURNAL_URL_MAX));
}

static void add_key(const struct key *key, struct buf *out)
{
    words_add_key(out, key);
    buf_add_char(out, ' ');
}

static void add_part(const struct journal_line *line, struct buf *out)
{
    words_add_hex(out, line->boot, BOOT_DIGITS);
    buf_add_char(out, ' ');
    buf_add_text(out, line->file);
    buf_add_char(out, ' ');
    add_offset(line->total, out);
    add_key(&line->source, out);
    words_add_fit(out, line->text, line->len);
}

static void add_digest(const struct journal_line *line, struct buf *out)
{
    buf_add_number(out, line->digest.len, 1);
    buf_add_char(out, ' ');
    add_key(&line->digest.hash, out);
    buf_add_number(out, line->code, 1);
    buf_add_char(out, ' ');
}

void journal_line_add(const struct journal_line *line, struct buf *out)
{
    size_t start = out->len;

    buf_add_text(out, kinds[line->kind]);
    buf_add_char(out, ' ');
    switch (line->kind) {
    case JOURNAL_HEAD: buf_add_number(out, line->version, 1); break;
    case JOURNAL_RUN: words_add_hex(out, line->mark, MARK_DIGITS); break;
    case JOURNAL_GROUP: buf_add_number(out, line->members, 1); break;
    case JOURNAL_NAME:
    case JOURNAL_FREE:
        add_key(&line->key, out);
        if (line->has_digest)
            add_digest(line, out);
        words_add_fit(out, line->text, line->len);
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
    words_add_sum(out, start);
}

/* ---- reading ---- */

static bool read_reason(const char *word, size_t len, enum reason *ret_reason)
{
    for (enum reason reason = REASON_OK; reason < REASON_COUNT; reason++) {
        if (words_is(word, len, reason_name(reason))) {
            *ret_reason = reason;
            return true;
        }
    }
    return false;
}

static bool read_kind(const char *word, size_t len, enum journal_kind *ret_kind)
{
    for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
        if (words_is(word, len, kinds[kind])) {
            *ret_kind = (enum journal_kind)kind;
            return true;
        }
    }
    return false;
}

static bool read_offset(struct words *left, uint64_t *ret_offset)
{
    const char *word;
    size_t len;

    if (!words_next(left, &word, &len))
        return false;
    *ret_offset = JOURNAL_NO_OFFSET;
    return words_is(word, len, "-") || words_read_number(word, len, ret_offset);
}

static bool read_result(struct words *left, struct journal_line *line)
{
    const char *word;
    uint64_t attempts;
    size_t len;

    if (!words_next(left, &word, &len) || !read_reason(word, len, &line->reason))
        return false;
    if (!words_next_number(left, &attempts))
        return false;
    line->attempts = (unsigned)attempts;
    if (!read_offset(left, &line->offset))
        return false;
    words_next(left, &line->text, &line->len); /* an invalid line may be an empty one */
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

    if (!words_next_hex(left, BOOT_DIGITS, &line->boot))
        return false;
    if (!words_next(left, &word, &len) || !is_file(word, len))
        return false;
    memcpy(line->file, word, len); /* the line was all zeros */
    return read_offset(left, &line->total) && words_next_key(left, &line->source) &&
           words_next(left, &line->text, &line->len);
}

/* The path is the last word; an older line has no other. */
static bool read_name(struct words *left, struct journal_line *line)
{
    struct words last = *left;
    uint64_t code;

    if (!words_next(&last, &line->text, &line->len))
        return false;
    line->has_digest = words_next_number(left, &line->digest.len) &&
                       words_next_key(left, &line->digest.hash) && words_next_number(left, &code) &&
                       words_next(left, &line->text, &line->len);
    if (line->has_digest) {
        line->code = (unsigned)code;
        return true;
    }
    line->digest = (struct digest){0};
    return last.at >= last.end;
}

static bool read_rest(struct words *left, struct journal_line *line)
{
    uint64_t version;

    switch (line->kind) {
    case JOURNAL_HEAD:
        if (!words_next_number(left, &version))
            return false;
        line->version = (unsigned)version;
        return true;
    case JOURNAL_RUN: return words_next_hex(left, MARK_DIGITS, &line->mark);
    case JOURNAL_GROUP: return words_next_number(left, &line->members);
    case JOURNAL_NAME: return words_next_key(left, &line->key) && read_name(left, line);
    case JOURNAL_FREE:
        return words_next_key(left, &line->key) && words_next(left, &line->text, &line->len);
    case JOURNAL_PART: return words_next_key(left, &line->key) && read_part(left, line);
    case JOURNAL_DONE:
    case JOURNAL_REDO: return words_next_key(left, &line->key) && read_result(left, line);
    }
    return false;
}

bool journal_line_read(const char *line, size_t len, struct journal_line *ret_line)
{
    struct words left;
    const char *word;
    size_t word_len;

    *ret_line = (struct journal_line){0};
    return words_begin(&left, line, len) && words_next(&left, &word, &word_len) &&
           read_kind(word, word_len, &ret_line->kind) && read_rest(&left, ret_line);
}

void journal_line_add_text(const struct journal_line *line, struct buf *out)
{
    words_add_plain(out, line->text, line->len);
}
