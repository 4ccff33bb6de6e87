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

    if (!len)
        return 0;
    len += strcspn(text + len, "/?#\\");
    return len <= HOST_MEMO_TEXT_MAX ? len : 0;
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

const struct host_name *host_memo_find(struct host_memo *memo, const char *text,
                                       const struct url *url)
{
    size_t len = telling_len(text);
    struct host_name *slot = len ? &memo->slots[slot_of(text, len)] : &memo->last;

    if (len && slot->text_len == len && !memcmp(slot->text, text, len))
        return slot;
    clear(slot);
    ask(slot, url);
    if (len) {
        slot->text = xstrndup(text, len);
        slot->text_len = len;
    }
    return slot;
}
