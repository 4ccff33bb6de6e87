#include "input/host_memo.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/util.h"
#include "input/url.h"

static void clear(struct host_name *slot)
{
    free(slot->name);
    free(slot->text);
    url_free(slot->stem);
    *slot = (struct host_name){0};
}

void host_memo_release(struct host_memo *memo)
{
    for (size_t i = 0; i < ARRAY_LEN(memo->slots); i++)
        clear(&memo->slots[i]);
}

/* As libcurl has it. A backslash does not: it is part of a user's name, and the host comes later. */
static bool ends_host(char c)
{
    return c == '/' || c == '?' || c == '#' || c == '\0';
}

/* How much of the text says which host it is; 0 where that is not plain. */
static size_t telling_len(const char *text)
{
    const char *colon = strstr(text, "://");
    size_t from = colon ? (size_t)(colon + 3 - text) : 0, len = from;

    while (len && len <= HOST_MEMO_TEXT_MAX && !ends_host(text[len]))
        len++;
    /* What begins with three slashes has its host behind them. */
    return len > from && len <= HOST_MEMO_TEXT_MAX ? len : 0;
}

static bool begins_as(const struct host_name *slot, const char *text)
{
    return slot->text && strncmp(slot->text, text, slot->text_len) == 0 &&
           ends_host(text[slot->text_len]);
}

/* The slot that is for `text`, whose it may or may not be yet, and how much of the text tells.
 * Neighbours are mostly for the same host. */
static size_t slot_of(const struct host_memo *memo, const char *text, size_t *ret_len,
                      bool *ret_known)
{
    *ret_len = 0;
    *ret_known = text && begins_as(&memo->slots[memo->recent], text);
    if (*ret_known) {
        *ret_len = memo->slots[memo->recent].text_len;
        return memo->recent;
    }
    *ret_len = text ? telling_len(text) : 0;
    if (!*ret_len)
        return HOST_MEMO_SLOTS;
    size_t at = XXH3_64bits(text, *ret_len) % HOST_MEMO_SLOTS;
    *ret_known = begins_as(&memo->slots[at], text);
    return at;
}

static void ask(struct host_name *slot, const struct url *url)
{
    struct buf name;

    buf_init(&name);
    url_add_host(url, &name);
    slot->name = buf_take(&name);
    slot->numeric = url_is_numeric(url);
}

/* In a path and in a query. A % does not: libcurl rewrites it. */
static bool stands_for_itself(char c)
{
    return (c >= '&' && c <= ';') || (c >= '@' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '=' ||
           c == '_' || c == '~' || c == '!' || c == '$';
}

/* A path without dots to be resolved, and perhaps a query. */
static bool is_plain_rest(const char *at)
{
    if (*at != '/')
        return false;
    for (; stands_for_itself(*at); at++) {
        if (at[0] == '/' && at[1] == '.')
            return false;
    }
    if (*at == '?') {
        while (stands_for_itself(*at) || *at == '?')
            at++;
    }
    return *at == '\0';
}

/* A % in a host is decoded, or is that of a zone, which libcurl loses where it copies a URL. */
static bool may_be_stem(const char *text, size_t len)
{
    return (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0) &&
           !memchr(text, '%', len);
}

struct url *host_memo_read(const struct host_memo *memo, const char *text)
{
    size_t len;
    bool is_known;
    const struct host_name *slot = &memo->slots[slot_of(memo, text, &len, &is_known)];

    if (!is_known || !slot->stem || !is_plain_rest(text + len))
        return NULL;
    return url_below(slot->stem, text + len);
}

const struct host_name *host_memo_find(struct host_memo *memo, const char *text,
                                       const struct url *url)
{
    bool is_known;
    size_t len, at = slot_of(memo, text, &len, &is_known);
    struct host_name *slot = &memo->slots[at];

    memo->recent = at;
    if (is_known) {
        if (!slot->stem && may_be_stem(text, len))
            slot->stem = url_stem(url);
        return slot;
    }
    clear(slot);
    ask(slot, url);
    if (len) {
        slot->text = xstrndup(text, len);
        slot->text_len = len;
    }
    return slot;
}
