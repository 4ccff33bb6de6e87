#include "fetch/continuation.h"

#include <string.h>
#include <strings.h>

#include "input/partial.h"

enum { STATUS_OK = 200, STATUS_PARTIAL = 206, STATUS_BEYOND = 416, NUMBER_DIGITS_MAX = 18 };

/* ---- validators ---- */

/* "..." and nothing that would end it before its end, or the header it is sent in. */
static bool is_strong_etag(const char *etag)
{
    size_t len = strlen(etag);

    if (len < 2 || etag[0] != '"' || etag[len - 1] != '"')
        return false;
    for (size_t i = 1; i < len - 1; i++) {
        unsigned char c = (unsigned char)etag[i];
        if (c <= ' ' || c == '"' || c == 0x7f)
            return false;
    }
    return true;
}

/* A date tells two changes within its second apart only once that second is over. */
static bool is_strong_date(const struct answer_head *head)
{
    return head->last_modified && head->modified >= 0 && head->dated > head->modified;
}

const char *continuation_validator(const struct answer_head *head)
{
    const char *validator = NULL;

    if (head->status != STATUS_OK || head->is_encoded || head->refuses_ranges)
        return NULL;
    /* Who has a tag, even a weak one, must not go by the date. */
    if (head->etag)
        validator = is_strong_etag(head->etag) ? head->etag : NULL;
    else if (is_strong_date(head))
        validator = head->last_modified;
    return validator && strlen(validator) <= CONTINUATION_VALIDATOR_MAX ? validator : NULL;
}

/* ---- Content-Range ---- */

struct range {
    bool is_beyond; /* no bytes, only the total */
    uint64_t first, last, total;
};

static bool read_number(const char **at, uint64_t *ret_number)
{
    size_t digits = strspn(*at, "0123456789");
    uint64_t number = 0;

    if (!digits || digits > NUMBER_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (uint64_t)((*at)[i] - '0');
    *at += digits;
    *ret_number = number;
    return true;
}

static bool read_char(const char **at, char c)
{
    bool is_there = **at == c;

    *at += is_there;
    return is_there;
}

static bool read_total(const char **at, uint64_t *ret_total)
{
    *ret_total = PARTIAL_NO_TOTAL;
    return read_char(at, '*') || read_number(at, ret_total);
}

static bool read_range(const char *text, struct range *range)
{
    const char *at = text;

    *range = (struct range){0};
    if (!at || strncasecmp(at, "bytes", 5) != 0)
        return false;
    at += 5;
    if (!strspn(at, " \t"))
        return false;
    at += strspn(at, " \t");
    range->is_beyond = read_char(&at, '*');
    if (!range->is_beyond && (!read_number(&at, &range->first) || !read_char(&at, '-') ||
                              !read_number(&at, &range->last)))
        return false;
    if (!read_char(&at, '/') || !read_total(&at, &range->total))
        return false;
    return !at[strspn(at, " \t")] && range->first <= range->last;
}

/* ---- judging ---- */

/* Whether what the answer says, where it does, is of the same representation. A tag has to come
 * with a part as it came with the whole; a date need not, and an error has neither. */
static bool is_same(const struct partial *partial, const struct answer_head *head, bool is_part)
{
    bool by_tag = partial->validator[0] == '"';
    const char *now = by_tag ? head->etag : head->last_modified;

    if (!now)
        return !(by_tag && is_part);
    return strcmp(now, partial->validator) == 0;
}

static bool is_rest(struct partial *partial, const struct answer_head *head)
{
    struct range range;

    if (head->is_encoded || !is_same(partial, head, true) ||
        !read_range(head->content_range, &range) || range.is_beyond)
        return false;
    uint64_t total = range.total != PARTIAL_NO_TOTAL ? range.total : partial->total;
    if (range.first != partial->len || total == PARTIAL_NO_TOTAL || range.last + 1 != total ||
        (partial->total != PARTIAL_NO_TOTAL && partial->total != total))
        return false;
    partial->total = total;
    return true;
}

static bool is_complete(const struct partial *partial, const struct answer_head *head)
{
    struct range range;

    return is_same(partial, head, false) && read_range(head->content_range, &range) &&
           range.is_beyond && range.total == partial->len &&
           (partial->total == PARTIAL_NO_TOTAL || partial->total == range.total);
}

enum continuation continuation_judge(struct partial *partial, const struct answer_head *head)
{
    if (head->status == STATUS_PARTIAL)
        return is_rest(partial, head) ? CONTINUATION_REST : CONTINUATION_MISFIT;
    if (head->status == STATUS_BEYOND)
        return is_complete(partial, head) ? CONTINUATION_COMPLETE : CONTINUATION_MISFIT;
    return CONTINUATION_OTHER;
}
