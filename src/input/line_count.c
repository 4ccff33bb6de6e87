#include "input/line_count.h"

#include <string.h>

#include "input/parse.h"

/* The source takes it off the first line. */
static const char mark[] = "\xEF\xBB\xBF";

void line_count_init(struct line_count *count, char ending)
{
    *count = (struct line_count){.ending = ending};
}

static void end_line(struct line_count *count)
{
    bool is_mark_cut = count->state == LINE_BEGINS && count->mark_seen % (sizeof mark - 1) != 0;

    count->lines += count->state == LINE_WANTED || count->state == LINE_MATCHES || is_mark_cut;
    count->state = LINE_BEGINS;
    count->mark_seen = 0;
    count->is_past_first = true;
}

/* Whether the byte belongs to the mark. */
static bool take_mark(struct line_count *count, char c)
{
    if (count->is_past_first || count->state != LINE_BEGINS || !mark[count->mark_seen] ||
        c != mark[count->mark_seen])
        return false;
    count->mark_seen++;
    return true;
}

static enum line_count_state first_byte(struct line_count *count, char c)
{
    if (parse_is_blank(c))
        return LINE_BLANK;
    if (c == '#')
        return LINE_UNWANTED;
    count->matched = c == parse_group_record[0];
    return count->matched ? LINE_MATCHES : LINE_WANTED;
}

static enum line_count_state next_byte(struct line_count *count, char c)
{
    if (c != parse_group_record[count->matched])
        return LINE_WANTED;
    return parse_group_record[++count->matched] ? LINE_MATCHES : LINE_UNWANTED;
}

static void take_byte(struct line_count *count, char c)
{
    if (c == count->ending)
        end_line(count);
    else if (count->state == LINE_MATCHES)
        count->state = next_byte(count, c);
    else if (!take_mark(count, c))
        count->state = first_byte(count, c);
}

static bool is_decided(const struct line_count *count)
{
    return count->state == LINE_WANTED || count->state == LINE_UNWANTED;
}

void line_count_feed(struct line_count *count, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len; at++) {
        if (is_decided(count)) {
            const char *end = memchr(bytes + at, count->ending, len - at);
            if (!end)
                return;
            at = (size_t)(end - bytes);
        }
        take_byte(count, bytes[at]);
    }
}

uint64_t line_count_end(struct line_count *count)
{
    end_line(count);
    return count->lines;
}
