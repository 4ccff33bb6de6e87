#include "model/host_memo.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "model/url.h"

static void clear(struct host_name *slot)
{
    free(slot->name);
    free(slot->text);
    url_free(slot->stem);
    *slot = (struct host_name){0};
}

void host_memo_release(struct host_memo *memo)
{
    for (size_t i = 0; i < HOST_MEMO_SLOTS; i++)
        clear(&memo->slots[i]);
    clear(&memo->last);
}

/* How much of the text says which host it is; 0 where that is not plain. */
static size_t telling_len(const char *text)
{
    const char *colon = text ? strstr(text, "://") : NULL;
    size_t len = colon ? (size_t)(colon + 3 - text) : 0;

    size_t host_len = len ? strcspn(text + len, "/?#\\") : 0;

    /* What begins with three slashes has its host behind them. */
    return host_len && len + host_len <= HOST_MEMO_TEXT_MAX ? len + host_len : 0;
}

static size_t slot_of(const char *text, size_t len)
{
    uint32_t hash = 2166136261U; /* FNV-1a */

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619U;
    return hash % HOST_MEMO_SLOTS;
}

static void ask(struct host_name *slot, const struct url *url)
{
    struct buf name;

    buf_init(&name);
    url_add_host(url, &name);
    slot->name = buf_take(&name);
    slot->numeric = url_is_numeric(url);
}

static bool is_slot_of(const struct host_name *slot, const char *text, size_t len)
{
    return slot->text_len == len && memcmp(slot->text, text, len) == 0;
}

/* What stands for itself in a path and in a query. A % does not: libcurl rewrites it. */
static bool is_plain(char c)
{
    return (c >= '&' && c <= ';') || (c >= '@' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '=' ||
           c == '_' || c == '~' || c == '!' || c == '$';
}

/* Where the plain bytes of a path end; NULL where they are no path, or one with dots. */
static const char *end_of_path(const char *at)
{
    if (*at != '/')
        return NULL;
    for (; is_plain(*at); at++) {
        if (at[0] == '/' && at[1] == '.')
            return NULL;
    }
    return at;
}

static const char *end_of_query(const char *at)
{
    while (is_plain(*at) || *at == '?')
        at++;
    return at;
}

static bool names_http(const char *text)
{
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

struct url *host_memo_read(const struct host_memo *memo, const char *text)
{
    size_t len = names_http(text) ? telling_len(text) : 0;
    const struct host_name *slot = &memo->slots[len ? slot_of(text, len) : 0];
    char path[HOST_MEMO_TEXT_MAX + 1];

    if (!len || !slot->stem || !is_slot_of(slot, text, len))
        return NULL;
    const char *end = end_of_path(text + len);
    size_t path_len = end ? (size_t)(end - text) - len : sizeof path;
    bool has_query = end && end[0] == '?' && end[1];

    if (path_len >= sizeof path || (*end && !has_query) || (has_query && *end_of_query(end + 1)))
        return NULL;
    memcpy(path, text + len, path_len);
    path[path_len] = '\0';
    return url_below(slot->stem, path, has_query ? end + 1 : NULL);
}

const struct host_name *host_memo_find(struct host_memo *memo, const char *text,
                                       const struct url *url)
{
    size_t len = telling_len(text);
    struct host_name *slot = len ? &memo->slots[slot_of(text, len)] : &memo->last;

    if (len && is_slot_of(slot, text, len)) {
        if (!slot->stem)
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
