#include "input/condition.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <xxhash.h>

#include "input/request.h"
#include "input/url.h"

bool stamp_is(const struct stamp *a, const struct stamp *b)
{
    return a->size == b->size && a->time == b->time;
}

/* ---- which requests ---- */

/* Who says one of these knows what to do with the answer. */
static const char *const conditions[] = {"If-None-Match", "If-Modified-Since",   "If-Match",
                                         "If-Range",      "If-Unmodified-Since", "Range"};

static bool names_condition(const struct strings *headers)
{
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
        if (request_names_header(headers, conditions[i]))
            return true;
    }
    return false;
}

bool condition_fits(const struct request *request, const struct ask *ask,
                    const struct strings *headers, const char *range)
{
    bool is_get = strcmp(ask->method, "GET") == 0 || strcmp(ask->method, "HEAD") == 0;

    return is_get && ask->payload_kind == PAYLOAD_NONE && !range && !names_condition(headers) &&
           !(request->detail && names_condition(&request->detail->headers));
}

/* ---- what they are known by ---- */

/* A token that is given out anew each day makes no other request. */
static const char *const identities[] = {"Authorization", "Cookie", "Proxy-Authorization",
                                         "traceparent"};

static bool says_who_asks(const char *header)
{
    const struct strings one = {.at = (char *[]){(char *)(uintptr_t)header}, .len = 1};

    for (size_t i = 0; i < ARRAY_LEN(identities); i++) {
        if (request_names_header(&one, identities[i]))
            return true;
    }
    return false;
}

/* With its NUL, which none of them has in it. */
static void add_part(struct buf *parts, const char *text)
{
    buf_add(parts, text, strlen(text) + 1);
}

static void add_headers(struct buf *parts, const struct strings *headers)
{
    for (size_t i = 0; i < headers->len; i++) {
        if (!says_who_asks(headers->at[i]))
            add_part(parts, headers->at[i]);
    }
    add_part(parts, "");
}

struct key condition_key(const struct request *request, const struct ask *ask,
                         const struct strings *headers, const char *file)
{
    static const struct strings none = {0};
    struct buf parts;

    buf_init(&parts);
    add_part(&parts, ask->method);
    add_part(&parts, request->url);
    add_headers(&parts, headers);
    add_headers(&parts, request->detail ? &request->detail->headers : &none);
    if (file)
        add_part(&parts, file);
    XXH128_hash_t sum = XXH3_128bits(parts.data, parts.len);
    buf_release(&parts);
    return (struct key){.high = sum.high64, .low = sum.low64};
}

uint64_t condition_place(const struct url *url)
{
    struct buf text;

    buf_init(&text);
    url_add_text(url, &text);
    uint64_t place = XXH3_64bits(text.data, text.len);
    buf_release(&text);
    return place;
}

/* ---- birth and death ---- */

struct condition *condition_new(void)
{
    struct condition *condition = xcalloc(1, sizeof *condition);

    condition->modified = -1;
    return condition;
}

void condition_free(struct condition *condition)
{
    if (!condition)
        return;
    free(condition->etag);
    free(condition->file);
    free(condition);
}

/* ---- validators ---- */

bool condition_is_etag(const char *text, size_t len)
{
    if (len > CONDITION_ETAG_MAX)
        return false;
    if (len >= 2 && text[0] == 'W' && text[1] == '/') {
        text += 2;
        len -= 2;
    }
    if (len < 2 || text[0] != '"' || text[len - 1] != '"')
        return false;
    for (size_t i = 1; i < len - 1; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c == '"' || c == 0x7f)
            return false;
    }
    return true;
}

bool condition_has_validator(const struct condition *condition)
{
    return condition->etag || condition->modified >= 0;
}

void condition_add_if_none_match(const struct condition *condition, struct buf *out)
{
    if (condition->etag)
        buf_addf(out, "If-None-Match: %s", condition->etag);
}

/* In HTTP's words, whatever the language is here. */
void condition_add_if_modified_since(const struct condition *condition, struct buf *out)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t when = (time_t)condition->modified;
    struct tm parts;

    if (condition->modified < 0 || condition->modified > CONDITION_TIME_MAX)
        return;
    gmtime_r(&when, &parts);
    buf_addf(out, "If-Modified-Since: %s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday],
             parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
             parts.tm_sec);
}
