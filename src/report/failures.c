#include "report/failures.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/text.h"
#include "report/finished.h"

void failures_release(struct failures *failures)
{
    for (size_t reason = 0; reason < REASON_COUNT; reason++) {
        for (size_t i = 0; i < FAILURE_EXAMPLES; i++) {
            free(failures->examples[reason][i].url);
            free(failures->examples[reason][i].message);
        }
    }
    for (size_t i = 0; i < failures->n_hosts; i++)
        free(failures->hosts[i].name);
    *failures = (struct failures){0};
}

static char *shortened(const char *text)
{
    struct buf out;

    buf_init(&out);
    if (text)
        text_add_valid(&out, text, strlen(text), FAILURE_TEXT_MAX);
    else
        buf_add_text(&out, "");
    return buf_take(&out);
}

static void note_example(struct failures *failures, const struct finished *over)
{
    enum reason reason = over->result->reason;
    uint64_t before = failures->reasons[reason];

    if (before >= FAILURE_EXAMPLES)
        return;
    failures->examples[reason][before] = (struct failure_example){
        .seq = over->seq,
        .url = shortened(over->url),
        .message = shortened(over->result->message),
    };
}

static bool is_called(const struct failing_host *host, const char *name)
{
    return strncmp(host->name, name, FAILURE_TEXT_MAX) == 0;
}

static uint64_t weight_of(const struct failing_host *host)
{
    return host->failed + host->missed;
}

static struct failing_host *find(struct failures *failures, const char *name)
{
    struct failing_host *last = &failures->hosts[failures->last];

    if (failures->last < failures->n_hosts && is_called(last, name))
        return last;
    for (size_t i = 0; i < failures->n_hosts; i++) {
        if (is_called(&failures->hosts[i], name)) {
            failures->last = i;
            return &failures->hosts[i];
        }
    }
    return NULL;
}

static struct failing_host *with_fewest(struct failures *failures)
{
    struct failing_host *found = &failures->hosts[0];

    for (size_t i = 1; i < failures->n_hosts; i++) {
        if (weight_of(&failures->hosts[i]) < weight_of(found))
            found = &failures->hosts[i];
    }
    return found;
}

static struct failing_host *add(struct failures *failures, const char *name)
{
    struct failing_host *host;
    uint64_t missed = 0;

    if (failures->n_hosts < FAILURE_HOSTS) {
        host = &failures->hosts[failures->n_hosts++];
    } else {
        host = with_fewest(failures);
        missed = weight_of(host);
        free(host->name);
    }
    *host = (struct failing_host){.name = xstrndup(name, strnlen(name, FAILURE_TEXT_MAX)),
                                  .missed = missed};
    return host;
}

void failures_note(struct failures *failures, const struct finished *over)
{
    enum reason reason = over->result->reason;

    note_example(failures, over);
    failures->reasons[reason]++;
    if (!over->host || reason == REASON_HALTED || reason == REASON_CANCELLED)
        return;
    struct failing_host *found = find(failures, over->host);
    if (!found)
        found = add(failures, over->host);
    found->failed++;
    found->reasons[reason]++;
}

size_t failures_worst(const struct failures *failures,
                      const struct failing_host *worst[FAILURE_HOSTS_TOLD])
{
    size_t len = 0;

    for (size_t i = 0; i < failures->n_hosts; i++) {
        const struct failing_host *host = &failures->hosts[i];
        size_t at = len;
        while (at > 0 && worst[at - 1]->failed < host->failed)
            at--;
        if (at == FAILURE_HOSTS_TOLD)
            continue;
        len = MIN(len + 1, FAILURE_HOSTS_TOLD);
        memmove(&worst[at + 1], &worst[at], (len - 1 - at) * sizeof(struct failing_host *));
        worst[at] = host;
    }
    return len;
}
