#include "input/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/util.h"

struct ask request_ask(const struct request *request, const struct ask *defaults)
{
    const struct detail *detail = request->detail;
    struct ask ask = *defaults;

    if (detail && detail->payload_kind != PAYLOAD_NONE) {
        ask.payload_kind = detail->payload_kind;
        ask.payload = detail->payload;
        ask.payload_len = detail->payload_len;
        if (!ask.method_is_named || strcmp(ask.method, "HEAD") == 0)
            ask.method = NULL;
    }
    if (detail && detail->method)
        ask.method = detail->method;
    /* Data for every request is not for those that send none. */
    if (ask.method && strcmp(ask.method, "HEAD") == 0)
        ask = (struct ask){.method = ask.method};
    if (!ask.method)
        ask.method = ask.payload_kind == PAYLOAD_NONE ? "GET" : "POST";
    return ask;
}

bool request_may_repeat(const char *method)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (strcmp(method, methods[i]) == 0)
            return true;
    }
    return false;
}

bool request_names_header(const struct strings *headers, const char *header)
{
    size_t len = strcspn(header, ":; ");

    for (size_t i = 0; i < headers->len; i++) {
        if (strcspn(headers->at[i], ":; ") == len && strncasecmp(headers->at[i], header, len) == 0)
            return true;
    }
    return false;
}

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

/* A plain URL and a JSON request for it alone are the same. */
struct key request_key(const struct request *request)
{
    struct buf parts;
    struct key key;

    if (!says_more(request->detail))
        return key_of_text(request->url);
    buf_init(&parts);
    add_text(&parts, request->url);
    add_detail(&parts, request->detail);
    key = key_of_bytes(parts.data, parts.len);
    buf_release(&parts);
    return key;
}

struct detail *detail_new(void)
{
    struct detail *detail = xcalloc(1, sizeof *detail);

    detail->retry = -1;
    return detail;
}

void detail_free(struct detail *detail)
{
    if (!detail)
        return;
    free(detail->source);
    free(detail->id);
    free(detail->context);
    free(detail->group);
    free(detail->method);
    strings_release(&detail->headers);
    free(detail->payload);
    free(detail->output);
    free(detail);
}

void request_release(struct request *request)
{
    free(request->url);
    free(request->taken);
    free(request->invalid);
    detail_free(request->detail);
    *request = (struct request){0};
}
