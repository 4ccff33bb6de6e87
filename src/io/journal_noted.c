#include "io/journal_noted.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct noted {
    UT_hash_handle hh;
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

/* A run that resumed another may have been about to do the same. */
static bool is_there(const struct noted *at, const struct noted *noted)
{
    while (at &&
           (strcmp(at->text, noted->text) != 0 || strcmp(at->line.file, noted->line.file) != 0))
        at = at->next;
    return at != NULL;
}

void noted_add(struct noted **table, const struct journal_line *line)
{
    struct noted *noted = new_noted(line), *found;

    HASH_FIND(hh, *table, &noted->key, sizeof noted->key, found);
    if (is_there(found, noted)) {
        free(noted);
    } else if (found) {
        found->last->next = noted;
        found->last = noted;
    } else {
        HASH_ADD(hh, *table, key, sizeof noted->key, noted);
    }
}

/* Takes out the first for that key. */
static struct noted *take_first(struct noted **table, const struct key *key)
{
    struct noted *found, *second;

    HASH_FIND(hh, *table, key, sizeof *key, found);
    if (!found)
        return NULL;
    HASH_DEL(*table, found);
    second = found->next;
    if (second) {
        second->last = found->last;
        HASH_ADD(hh, *table, key, sizeof second->key, second);
    }
    return found;
}

bool noted_take(struct noted **table, const struct key *key, struct journal_line *ret_line,
                struct buf *ret_text)
{
    struct noted *found = take_first(table, key);

    if (!found)
        return false;
    *ret_line = found->line;
    ret_line->text = NULL;
    if (ret_text) {
        buf_clear(ret_text);
        buf_add(ret_text, found->text, found->line.len);
    }
    free(found);
    return true;
}

void noted_remove(struct noted **table, const struct journal_line *line)
{
    struct noted *first, *before = NULL, *noted;
    struct buf text;

    buf_init(&text);
    journal_line_add_text(line, &text);
    HASH_FIND(hh, *table, &line->key, sizeof line->key, first);
    for (noted = first; noted && strcmp(noted->text, text.data) != 0; noted = noted->next)
        before = noted;
    if (noted && !before) {
        noted = take_first(table, &line->key);
    } else if (noted) {
        before->next = noted->next;
        first->last = noted->next ? first->last : before;
    }
    free(noted);
    buf_release(&text);
}

void noted_files(const struct noted *table, struct strings *ret_files)
{
    for (const struct noted *first = table; first; first = first->hh.next) {
        for (const struct noted *one = first; one; one = one->next)
            strings_add(ret_files, xstrdup(one->line.file));
    }
}

void noted_write(const struct noted *table, struct buf *out)
{
    for (const struct noted *first = table; first; first = first->hh.next) {
        for (const struct noted *one = first; one; one = one->next)
            journal_line_add(&one->line, out);
    }
}

void noted_release(struct noted **table)
{
    struct noted *first = *table, *next, *other;

    HASH_CLEAR(hh, *table);
    for (; first; first = next) {
        next = first->hh.next;
        while ((other = first->next) != NULL) {
            first->next = other->next;
            free(other);
        }
        free(first);
    }
}
