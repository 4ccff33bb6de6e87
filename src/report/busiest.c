#include "report/busiest.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/result.h"
#include "base/util.h"

void busiest_release(struct busiest *busiest)
{
    for (size_t i = 0; i < busiest->len; i++)
        free(busiest->hosts[i].name);
    *busiest = (struct busiest){0};
}

static size_t lightest(const struct busiest *busiest)
{
    size_t found = 0;

    for (size_t i = 1; i < busiest->len; i++) {
        if (busiest->weights[i] < busiest->weights[found])
            found = i;
    }
    return found;
}

/* Two names with one hash would be one host here; of 256 that never is. */
static size_t place_of(struct busiest *busiest, const char *name)
{
    size_t len = strlen(name), place;
    uint64_t hash = XXH3_64bits(name, len);
    uint64_t missed = 0;

    if (busiest->last < busiest->len && busiest->hashes[busiest->last] == hash)
        return busiest->last;
    for (place = 0; place < busiest->len; place++) {
        if (busiest->hashes[place] == hash)
            return place;
    }
    if (busiest->len < BUSIEST_MAX) {
        busiest->len++;
    } else {
        place = lightest(busiest);
        missed = busiest->weights[place];
        busiest->turned_out++;
        free(busiest->hosts[place].name);
    }
    busiest->hashes[place] = hash;
    busiest->weights[place] = missed;
    busiest->hosts[place] =
        (struct busy_host){.name = xstrndup(name, MIN(len, BUSIEST_NAME_MAX)), .missed = missed};
    return place;
}

void busiest_note(struct busiest *busiest, const char *host, const struct result *result)
{
    size_t place = place_of(busiest, host);
    struct busy_host *busy = &busiest->hosts[place];

    busiest->last = place;
    busiest->weights[place]++;
    if (result->reason == REASON_OK)
        busy->ok++;
    else
        busy->failed++;
    busy->retried += result->attempts > 1 ? result->attempts - 1 : 0;
    busy->bytes += result->body_bytes;
    if (result->facts && result->http_code)
        spread_add(&busy->totals, result->facts->total);
}

size_t busiest_order(const struct busiest *busiest, size_t order[BUSIEST_MAX])
{
    for (size_t i = 0; i < busiest->len; i++) {
        size_t at = i;
        for (; at > 0 && busiest->weights[order[at - 1]] < busiest->weights[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return busiest->len;
}
