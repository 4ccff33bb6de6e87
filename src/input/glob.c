#include "input/glob.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum part_kind { PART_TEXT, PART_LIST, PART_LETTERS, PART_NUMBERS };

/* One stretch of the pattern. A text has one value; a list one for each word; a range counts. */
struct part {
    enum part_kind kind;
    char **words; /* of a text or a list */
    size_t n_words;
    uint64_t first, step; /* of a range */
    int width;            /* of numbers written with leading zeros */
    uint64_t values;
    uint64_t turn; /* which of the values is next */
    uint64_t last; /* which was in the URL that was given last */
};

struct glob {
    struct part parts[GLOB_PARTS_MAX];
    size_t n_parts;
    bool done;
};

static void add_word(struct part *part, struct buf *word)
{
    part->words = xreallocarray(part->words, part->n_words + 1, sizeof(char *));
    part->words[part->n_words++] = buf_take(word);
    part->values = part->n_words;
}

static int refuse(struct buf *err, const char *pattern, const char *at, const char *why)
{
    buf_setf(err, "%s at position %zu of %s (--globoff takes brackets and braces as they are)", why,
             (size_t)(at - pattern) + 1, pattern);
    return -EINVAL;
}

static bool is_escape(const char *at)
{
    return at[0] == '\\' && at[1] && strchr("{}[],\\", at[1]);
}

/* The length of `[v6 address]` at `at`, or 0. */
static size_t address_len(const char *at)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN + 1];
    size_t len = strcspn(at + 1, "]%");

    if (!strchr(at, ']') || len >= sizeof text)
        return 0;
    memcpy(text, at + 1, len);
    text[len] = '\0';
    if (inet_pton(AF_INET6, text, &address) != 1)
        return 0;
    return (size_t)(strchr(at, ']') - at) + 1;
}

/* `[]` is left alone too, as curl does. */
static size_t literal_bracket_len(const char *at)
{
    if (at[0] != '[')
        return 0;
    return at[1] == ']' ? 2 : address_len(at);
}

static const char *read_text(struct part *part, const char *at)
{
    struct buf word;

    buf_init(&word);
    while (*at) {
        size_t literal = literal_bracket_len(at);
        if (literal) {
            buf_add(&word, at, literal);
            at += literal;
        } else if (is_escape(at)) {
            buf_add_char(&word, at[1]);
            at += 2;
        } else if (strchr("{}[]", *at)) {
            break;
        } else {
            buf_add_char(&word, *at++);
        }
    }
    part->kind = PART_TEXT;
    add_word(part, &word);
    return at;
}

/* `at` is behind the brace. Gives where the list ends, or NULL. */
static const char *read_list(struct part *part, const char *at)
{
    struct buf word;

    buf_init(&word);
    part->kind = PART_LIST;
    if (*at == '}')
        return NULL;
    for (;; at++) {
        if (is_escape(at)) {
            buf_add_char(&word, *++at);
        } else if (*at == ',') {
            add_word(part, &word);
        } else if (*at == '}') {
            add_word(part, &word);
            return at + 1;
        } else if (!*at || strchr("{[]", *at)) {
            buf_release(&word);
            return NULL;
        } else {
            buf_add_char(&word, *at);
        }
    }
}

/* The `:step]` or `]` behind a range. */
static const char *read_step(uint64_t *ret_step, const char *at)
{
    char *end = NULL;

    *ret_step = 1;
    if (*at == ':' && isdigit((unsigned char)at[1])) {
        errno = 0;
        *ret_step = strtoull(at + 1, &end, 10);
        at = end;
        if (errno || *ret_step == 0)
            return NULL;
    }
    return *at == ']' ? at + 1 : NULL;
}

static const char *finish_range(struct part *part, uint64_t last, const char *at)
{
    at = read_step(&part->step, at);
    if (!at || last < part->first || last - part->first == UINT64_MAX)
        return NULL;
    if (part->step > 1 && part->step > last - part->first)
        return NULL;
    part->values = (last - part->first) / part->step + 1;
    return at;
}

static const char *read_letters(struct part *part, const char *at)
{
    unsigned char first = (unsigned char)at[0], last = (unsigned char)at[2];

    if (!isalpha(last) || !islower(first) != !islower(last))
        return NULL;
    part->kind = PART_LETTERS;
    part->first = first;
    return finish_range(part, last, at + 3);
}

static const char *read_numbers(struct part *part, const char *at)
{
    char *end = NULL;

    errno = 0;
    part->kind = PART_NUMBERS;
    part->first = strtoull(at, &end, 10);
    if (errno || *end != '-' || !isdigit((unsigned char)end[1]))
        return NULL;
    if (at[0] == '0' && end - at > 1)
        part->width = (int)MIN(end - at, 20);
    uint64_t last = strtoull(end + 1, &end, 10);
    return errno ? NULL : finish_range(part, last, end);
}

/* `at` is behind the bracket. Gives where the range ends, or NULL. */
static const char *read_range(struct part *part, const char *at)
{
    if (isalpha((unsigned char)at[0]) && at[1] == '-')
        return read_letters(part, at);
    if (isdigit((unsigned char)at[0]))
        return read_numbers(part, at);
    return NULL;
}

static int read_parts(struct glob *glob, const char *pattern, struct buf *err)
{
    const char *at = pattern;

    while (*at) {
        const char *start = at;
        if (glob->n_parts == GLOB_PARTS_MAX)
            return refuse(err, pattern, at, "too many globs");
        struct part *part = &glob->parts[glob->n_parts++];
        if (*at == '{' && !(at = read_list(part, at + 1)))
            return refuse(err, pattern, start, "bad list");
        else if (*start == '[' && !literal_bracket_len(start) && !(at = read_range(part, at + 1)))
            return refuse(err, pattern, start, "bad range");
        else if (*start == '}' || *start == ']')
            return refuse(err, pattern, start, "unmatched close");
        else if (at == start)
            at = read_text(part, at);
    }
    return 0;
}

int glob_new(const char *pattern, struct glob **ret_glob, struct buf *err)
{
    struct glob *glob = xcalloc(1, sizeof *glob);
    int result = read_parts(glob, pattern, err);

    if (result) {
        glob_free(glob);
        return result;
    }
    *ret_glob = glob;
    return 0;
}

void glob_free(struct glob *glob)
{
    if (!glob)
        return;
    for (size_t i = 0; i < glob->n_parts; i++) {
        for (size_t k = 0; k < glob->parts[i].n_words; k++)
            free(glob->parts[i].words[k]);
        free(glob->parts[i].words);
    }
    free(glob);
}

uint64_t glob_count(const struct glob *glob)
{
    uint64_t count = 1;

    for (size_t i = 0; i < glob->n_parts; i++) {
        if (count > UINT64_MAX / glob->parts[i].values)
            return UINT64_MAX;
        count *= glob->parts[i].values;
    }
    return count;
}

static void add_part(const struct part *part, uint64_t which, struct buf *out)
{
    uint64_t value = part->first + which * part->step;

    switch (part->kind) {
    case PART_TEXT:
    case PART_LIST: buf_add_text(out, part->words[which]); break;
    case PART_LETTERS: buf_add_char(out, (char)value); break;
    case PART_NUMBERS: buf_addf(out, "%0*llu", part->width, (unsigned long long)value); break;
    }
}

/* Turns the rightmost part on; one that is through starts over and turns the one on its left. */
static void turn(struct glob *glob)
{
    for (size_t i = glob->n_parts; i-- > 0;) {
        struct part *part = &glob->parts[i];
        if (++part->turn < part->values)
            return;
        part->turn = 0;
    }
    glob->done = true;
}

bool glob_next(struct glob *glob, struct buf *out)
{
    if (glob->done)
        return false;
    for (size_t i = 0; i < glob->n_parts; i++) {
        glob->parts[i].last = glob->parts[i].turn;
        add_part(&glob->parts[i], glob->parts[i].turn, out);
    }
    turn(glob);
    return true;
}

void glob_add_taken(const struct glob *glob, struct buf *out)
{
    for (size_t i = 0; i < glob->n_parts; i++) {
        if (glob->parts[i].kind == PART_TEXT)
            continue;
        add_part(&glob->parts[i], glob->parts[i].last, out);
        buf_add_char(out, '\n');
    }
}
