#include "deliver/journal_file.h"

#include <errno.h>
#include <string.h>

/* By how they begin, which is enough for a number that need not be exact. */
static bool is_like_result(const char *at, const char *end)
{
    return end - at > 2 && (at[0] == 'd' || (at[0] == 'r' && at[1] == 'e'));
}

size_t journal_text_results(const struct line_file_text *text)
{
    const char *at = text->bytes, *end = text->bytes + text->len;
    size_t results = 0;

    while (at) {
        results += is_like_result(at, end);
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    return results;
}

/* The next whole line behind `from`; false where there is none. */
static bool next_line(const struct line_file_text *text, size_t from, struct journal_line *ret_line,
                      size_t *ret_end)
{
    size_t len;

    if (!line_file_line(text, from, &len))
        return false;
    *ret_end = from + len + 1;
    return journal_line_read(text->bytes + from, len, ret_line);
}

/* What a run that was killed as it began may have left. */
static bool is_torn_head(const struct line_file_text *text)
{
    struct buf head;
    struct journal_line line = {.kind = JOURNAL_HEAD, .version = JOURNAL_VERSION};

    buf_init(&head);
    journal_line_add(&line, &head);
    bool is_torn = text->len < head.len && memcmp(text->bytes, head.data, text->len) == 0;
    buf_release(&head);
    return is_torn;
}

int journal_text_check(const struct line_file_text *text, const char *path, struct buf *err)
{
    struct journal_line line;
    size_t end;

    if (next_line(text, 0, &line, &end) && line.kind == JOURNAL_HEAD) {
        if (line.version == JOURNAL_VERSION)
            return 0;
        buf_setf(err, "--journal: %s is of version %u, and this program writes %d", path,
                 line.version, JOURNAL_VERSION);
        return -EINVAL;
    }
    if (is_torn_head(text))
        return 0;
    buf_setf(err, "--journal: %s is no journal of weir", path);
    return -EINVAL;
}

/* Its offset becomes that of its last result. */
static bool is_whole_group(const struct line_file_text *text, struct journal_line *group, size_t at)
{
    struct journal_line line;

    for (uint64_t i = 0; i < group->members; i++) {
        if (!next_line(text, at, &line, &at) ||
            (line.kind != JOURNAL_DONE && line.kind != JOURNAL_REDO))
            return false;
        group->offset = line.offset;
    }
    return true;
}

size_t journal_text_walk(const struct line_file_text *text, journal_visitor *visit, void *userdata)
{
    struct journal_line line;
    size_t at = 0, end;

    while (next_line(text, at, &line, &end) &&
           (line.kind != JOURNAL_GROUP || is_whole_group(text, &line, end)) &&
           visit(userdata, &line))
        at = end;
    return at;
}
