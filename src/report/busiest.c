#include "report/busiest.h"

#include <stdlib.h>
#include <string.h>

#include "base/result.h"
#include "base/util.h"

void busiest_release(struct busiest *busiest)
{
    for (size_t i = 0; i < busiest->top.len; i++)
        free(busiest->hosts[i].name);
    *busiest = (struct busiest){0};
}

void busiest_note(struct busiest *busiest, const char *host, const struct result *result)
{
    bool is_new;
    uint64_t missed;
    struct busy_host *busy = &busiest->hosts[top_k_count(&busiest->top, host, &is_new, &missed)];

    if (is_new) {
        free(busy->name);
        *busy = (struct busy_host){.name = xstrndup(host, strnlen(host, BUSIEST_NAME_MAX)),
                                   .missed = missed};
    }
    if (result->reason == REASON_OK)
        busy->ok++;
    else
        busy->failed++;
    busy->retried += result->attempts > 1 ? result->attempts - 1 : 0;
    busy->bytes += result->body_bytes;
    if (result->facts && result->http_code)
        spread_add(&busy->totals, result->facts->total);
}
