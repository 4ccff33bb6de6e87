#include "base/key.h"

#include <string.h>
#include <xxhash.h>

#include "base/buf.h"
#include "input/request.h"

/* Each part with its length before it, so that no two requests run into one; what is not there is
 * longer than anything. */
static void add(struct buf *parts, const char *bytes, size_t len)
{
    uint64_t size = bytes ? len : UINT64_MAX;

    buf_add(parts, (const char *)&size, sizeof size);
    if (bytes)
        buf_add(parts, bytes, len);
}

static void add_text(struct buf *parts, const char *text)
{
    add(parts, text, text ? strlen(text) : 0);
}

static void add_detail(struct buf *parts, const struct detail *detail)
{
    char kind = (char)detail->payload_kind;

    add_text(parts, detail->method);
    add_text(parts, detail->id);
    add(parts, &kind, sizeof kind);
    add(parts, detail->payload, detail->payload_len);
    for (size_t i = 0; i < detail->headers.len; i++)
        add_text(parts, detail->headers.at[i]);
}

static bool says_more(const struct detail *detail)
{
    return detail && (detail->method || detail->id || detail->headers.len ||
                      detail->payload_kind != PAYLOAD_NONE);
}

static struct key hash(const char *bytes, size_t len)
{
    XXH128_hash_t sum = XXH3_128bits(bytes, len);

    return (struct key){.high = sum.high64, .low = sum.low64};
}

struct key key_of_text(const char *text)
{
    return hash(text, strlen(text));
}

/* A plain URL and a JSON request for it alone are the same. */
struct key key_of(const struct request *request)
{
    struct buf parts;
    struct key key;

    if (!says_more(request->detail))
        return key_of_text(request->url);
    buf_init(&parts);
    add_text(&parts, request->url);
    add_detail(&parts, request->detail);
    key = hash(parts.data, parts.len);
    buf_release(&parts);
    return key;
}
