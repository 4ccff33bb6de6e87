#include "input/host_limits.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "input/url.h"

void host_limits_release(struct host_limits *limits)
{
    for (size_t i = 0; i < limits->len; i++)
        free(limits->at[i].host);
    free(limits->at);
    *limits = (struct host_limits){0};
}

static bool can_be_in_name(char c)
{
    return isalnum((unsigned char)c) || strchr("-._~%:[]", c) || (c & 0x80);
}

/* `name`, `name:port`, `[address]:port`, with or without a scheme in front. */
static bool can_be_host(const char *host, size_t len)
{
    const char *separator = memmem(host, len, "://", 3);
    const char *at = separator ? separator + 3 : host, *end = host + len;
    size_t colons = 0;

    for (const char *c = at; c < end; c++) {
        if (!*c || !can_be_in_name(*c))
            return false;
        colons = *c == ']' ? 0 : colons + (*c == ':');
    }
    return at < end && colons <= 1 && (*at != '[' || memchr(at, ']', (size_t)(end - at)));
}

/* As a URL has it: the name may be spelled in more than one way. NULL where it cannot be. */
static char *spell(const char *host, size_t len)
{
    char *text = xstrndup(host, len), *separator = strstr(text, "://");
    char *name = separator ? separator + 3 : text;
    size_t name_len = *name == '[' ? strcspn(name, "]") + 1 : strcspn(name, ":");
    char *bare = xstrndup(name, name_len);
    struct buf spelled, whole, err;

    buf_init(&spelled);
    buf_init(&whole);
    buf_init(&err);
    if (url_spell_host(bare, &spelled, &err) == 0)
        buf_addf(&whole, "%.*s%s%s", (int)(name - text), text, spelled.data, name + name_len);
    for (size_t i = 0; i < whole.len; i++)
        whole.data[i] = (char)tolower((unsigned char)whole.data[i]);
    free(text);
    free(bare);
    buf_release(&spelled);
    buf_release(&err);
    return whole.len ? buf_take(&whole) : NULL;
}

static struct host_limit *find_or_add(struct host_limits *limits, const char *host, size_t len)
{
    char *own = can_be_host(host, len) ? spell(host, len) : NULL;

    if (!own)
        return NULL;
    for (size_t i = 0; i < limits->len; i++) {
        if (!strcmp(limits->at[i].host, own)) {
            free(own);
            return &limits->at[i];
        }
    }
    limits->at = xreallocarray(limits->at, limits->len + 1, sizeof *limits->at);
    limits->at[limits->len] = (struct host_limit){.host = own};
    return &limits->at[limits->len++];
}

int host_limits_set_jobs(struct host_limits *limits, const char *host, size_t host_len,
                         unsigned jobs)
{
    struct host_limit *limit = find_or_add(limits, host, host_len);

    if (!limit)
        return -EINVAL;
    limit->jobs = jobs;
    return 0;
}

int host_limits_set_interval(struct host_limits *limits, const char *host, size_t host_len,
                             double interval)
{
    struct host_limit *limit = find_or_add(limits, host, host_len);

    if (!limit)
        return -EINVAL;
    limit->interval = interval;
    return 0;
}

/* How much of `scheme://name:port` the text says: 0 where it says something else. */
static unsigned exactness(const char *text, const char *key)
{
    const char *name = strstr(key, "://") + 3;
    const char *port = strrchr(name, ':');
    const char *separator = strstr(text, "://");
    const char *own_name = separator ? separator + 3 : text;
    size_t name_len = (size_t)(port - name);

    if (separator && strncmp(text, key, (size_t)(own_name - text)) != 0)
        return 0;
    if (strncmp(own_name, name, name_len) != 0)
        return 0;
    if (own_name[name_len] == '\0')
        return separator ? 2 : 1;
    return strcmp(own_name + name_len, port) == 0 ? (separator ? 4 : 3) : 0;
}

struct host_limit host_limits_find(const struct host_limits *limits, const char *key)
{
    struct host_limit found = {0};
    unsigned jobs_exact = 0, interval_exact = 0;

    for (size_t i = 0; i < limits->len; i++) {
        const struct host_limit *limit = &limits->at[i];
        unsigned exact = exactness(limit->host, key);
        if (limit->jobs && exact > jobs_exact) {
            found.jobs = limit->jobs;
            jobs_exact = exact;
        }
        if (limit->interval > 0 && exact > interval_exact) {
            found.interval = limit->interval;
            interval_exact = exact;
        }
    }
    return found;
}
