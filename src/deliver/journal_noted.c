#include "deliver/journal_noted.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct noted {
    UT_hash_handle hh;
    UT_hash_handle path_hh;
    struct noted *next; /* of the same key, behind it */
    struct noted *last; /* of those; where the first is asked */
    struct key key;
    struct journal_line line; /* its text is here */
    char text[];
};

static struct noted *new_noted(const struct journal_line *line)
{
    struct noted *noted;
    struct buf text;

    buf_init(&text);
    journal_line_add_text(line, &text);
    noted = xcalloc(1, sizeof *noted + text.len + 1);
    memcpy(noted->text, text.data, text.len + 1);
    noted->key = line->key;
    noted->last = noted;
    noted->line = *line;
    noted->line.text = noted->text;
    noted->line.len = text.len;
    buf_release(&text);
    return noted;
}

static bool is_name(const struct noted *noted)
{
    return noted->line.kind == JOURNAL_NAME;
}

static struct noted *first_of(const struct noted_table *table, const struct key *key)
{
    struct noted *found;

    HASH_FIND(hh, table->by_key, key, sizeof *key, found);
    return found;
}

static void take_out(struct noted_table *table, struct noted *noted)
{
    struct noted *first = first_of(table, &noted->key), *before = first, *second = first->next;

    if (is_name(noted))
        HASH_DELETE(path_hh, table->by_path, noted);
    if (noted == first) {
        HASH_DEL(table->by_key, first);
        if (second) {
            second->last = first->last;
            HASH_ADD(hh, table->by_key, key, sizeof second->key, second);
        }
        return;
    }
    while (before->next != noted)
        before = before->next;
    before->next = noted->next;
    first->last = noted->next ? first->last : before;
}

/* A run that resumed another may have been about to do the same. */
static struct noted *find_same(const struct noted_table *table, const struct noted *noted)
{
    struct noted *at = first_of(table, &noted->key);

    while (at &&
           (strcmp(at->text, noted->text) != 0 || strcmp(at->line.file, noted->line.file) != 0))
        at = at->next;
    return at;
}

static void put(struct noted_table *table, struct noted *noted)
{
    struct noted *first = first_of(table, &noted->key);

    if (is_name(noted))
        HASH_ADD_KEYPTR(path_hh, table->by_path, noted->text, noted->line.len, noted);
    if (first) {
        first->last->next = noted;
        first->last = noted;
    } else {
        HASH_ADD(hh, table->by_key, key, sizeof noted->key, noted);
    }
}

void noted_remove_path(struct noted_table *table, const char *path, size_t len,
                       const struct key *key)
{
    struct noted *noted;

    HASH_FIND(path_hh, table->by_path, path, len, noted);
    if (!noted || (key && memcmp(key, &noted->key, sizeof *key) != 0))
        return;
    take_out(table, noted);
    free(noted);
}

void noted_add(struct noted_table *table, const struct journal_line *line)
{
    struct noted *noted = new_noted(line), *same = find_same(table, noted);

    if (same) {
        same->line.has_digest = noted->line.has_digest;
        same->line.digest = noted->line.digest;
        same->line.code = noted->line.code;
        free(noted);
        return;
    }
    if (is_name(noted))
        noted_remove_path(table, noted->text, noted->line.len, NULL);
    put(table, noted);
}

bool noted_take(struct noted_table *table, const struct key *key, struct journal_line *ret_line,
                struct buf *ret_text)
{
    struct noted *found = first_of(table, key);

    if (!found)
        return false;
    take_out(table, found);
    *ret_line = found->line;
    ret_line->text = NULL;
    if (ret_text) {
        buf_clear(ret_text);
        buf_add(ret_text, found->text, found->line.len);
    }
    free(found);
    return true;
}

void noted_files(const struct noted_table *table, struct strings *ret_files)
{
    for (const struct noted *first = table->by_key; first; first = first->hh.next) {
        for (const struct noted *one = first; one; one = one->next)
            strings_add(ret_files, xstrdup(one->line.file));
    }
}

void noted_write(const struct noted_table *table, struct buf *out)
{
    for (const struct noted *first = table->by_key; first; first = first->hh.next) {
        for (const struct noted *one = first; one; one = one->next)
            journal_line_add(&one->line, out);
    }
}

void noted_release(struct noted_table *table)
{
    struct noted *first = table->by_key, *next, *other;

    HASH_CLEAR(path_hh, table->by_path);
    HASH_CLEAR(hh, table->by_key);
    for (; first; first = next) {
        next = first->hh.next;
        while ((other = first->next) != NULL) {
            first->next = other->next;
            free(other);
        }
        free(first);
    }
}
