#include "cli/option_near.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "cli/option_table.h"

/* The words of xargs, parallel, wget, aria2 and httpx for what has another name here. */
static const struct {
    const char *name, *ours;
} others[] = {
    {"arg-file", "input"},
    {"input-file", "input"},
    {"concurrency", "jobs"},
    {"max-concurrent-downloads", "jobs"},
    {"max-procs", "jobs"},
    {"max-threads", "jobs"},
    {"threads", "jobs"},
    {"workers", "jobs"},
    {"max-connection-per-server", "per-host"},
    {"delay", "rate"},
    {"rate-limit", "rate"},
    {"wait", "rate"},
    {"max-tries", "retry"},
    {"retries", "retry"},
    {"tries", "retry"},
    {"retry-wait", "retry-delay"},
    {"waitretry", "retry-delay"},
    {"retry-on-http-error", "retry-on"},
    {"timeout", "max-time"},
    {"read-timeout", "stall-timeout"},
    {"speed-time", "stall-timeout"},
    {"joblog", "journal"},
    {"save-session", "journal"},
    {"continue", "resume"},
    {"resume-failed", "retry-failed"},
    {"no-clobber", "skip-existing"},
    {"directory-prefix", "output-dir"},
    {"output-document", "output"},
    {"results", "output"},
    {"ndjson", "jsonl"},
    {"quiet", "silent"},
    {"match-code", "accept"},
    {"method", "request"},
    {"post-data", "data"},
    {"load-cookies", "cookie"},
    {"save-cookies", "cookie-jar"},
    {"ca-certificate", "cacert"},
    {"no-check-certificate", "insecure"},
};

enum { NAME_MAX_LEN = 32, PREFIX_MIN = 3 };

/* How many slips lead from one name to the other: a letter too many, too few or wrong, or two
 * neighbours swapped. Both are at most NAME_MAX_LEN long. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NAME_MAX_LEN + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    size_t len = strlen(b);

    for (size_t k = 0; k <= len; k++)
        row[k] = k;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
        row[0] = i;
        for (size_t k = 1; k <= len; k++) {
            size_t least = MIN(MIN(row[k - 1], last[k]) + 1, last[k - 1] + (a[i - 1] != b[k - 1]));
            bool is_swapped = i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1];
            row[k] = is_swapped ? MIN(least, before[k - 2] + 1) : least;
        }
    }
    return row[len];
}

/* The one name that begins so, or NULL. */
static const char *only_continuation(const char *name)
{
    const char *found = NULL;
    size_t len = strlen(name);

    for (const struct option *option = option_table; option->name && len >= PREFIX_MIN; option++) {
        if (strncmp(option->name, name, len) != 0)
            continue;
        if (found)
            return NULL;
        found = option->name;
    }
    return found;
}

/* A slip for every third letter; with more it is another word. */
const char *option_nearest(const char *name)
{
    const char *nearest = NULL;
    size_t len = strlen(name);
    size_t best = len > 6 ? (len - 1) / 3 + 1 : 2;

    if (len > NAME_MAX_LEN)
        return NULL;
    for (const struct option *option = option_table; option->name; option++) {
        size_t own = distance(name, option->name);
        if (own < best) {
            best = own;
            nearest = option->name;
        }
    }
    return nearest ? nearest : only_continuation(name);
}

const char *option_of_others(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (strcmp(others[i].name, name) == 0)
            return others[i].ours;
    }
    return NULL;
}

void option_suggest(const char *name, struct buf *err)
{
    const char *ours = option_of_others(name);
    const char *nearest = ours ? NULL : option_nearest(name);

    if (ours)
        buf_addf(err, "; here it is --%s", ours);
    else if (nearest)
        buf_addf(err, "; is it --%s?", nearest);
    else
        buf_add_text(err, "; weir --help all shows every one");
}
