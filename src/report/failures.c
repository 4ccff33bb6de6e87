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
    for (size_t i = 0; i < failures->top.len; i++)
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

static struct failing_host *host_of(struct failures *failures, const char *name)
{
    bool is_new;
    uint64_t missed;
    struct failing_host *host =
        &failures->hosts[top_k_count(&failures->top, name, &is_new, &missed)];

    if (is_new) {
        free(host->name);
        *host = (struct failing_host){.name = xstrndup(name, strnlen(name, FAILURE_TEXT_MAX))};
    }
    return host;
}

void failures_note(struct failures *failures, const struct finished *over)
{
    enum reason reason = over->result->reason;

    note_example(failures, over);
    failures->reasons[reason]++;
    if (!over->host || reason == REASON_HALTED || reason == REASON_CANCELLED)
        return;
    struct failing_host *host = host_of(failures, over->host);
    host->failed++;
    host->reasons[reason]++;
}

size_t failures_worst(const struct failures *failures,
                      const struct failing_host *worst[FAILURE_HOSTS_TOLD])
{
    uint64_t failed[FAILURE_HOSTS];
    size_t order[FAILURE_HOSTS_TOLD];

    for (size_t i = 0; i < failures->top.len; i++)
        failed[i] = failures->hosts[i].failed;
    size_t len = top_k_order(failed, failures->top.len, order, FAILURE_HOSTS_TOLD);
    for (size_t i = 0; i < len; i++)
        worst[i] = &failures->hosts[order[i]];
    return len;
}
