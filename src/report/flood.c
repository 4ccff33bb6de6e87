#include "report/flood.h"

#include <math.h>

#include "base/buf.h"
#include "base/key.h"

void flood_init(struct flood *flood)
{
    *flood = (struct flood){.due = INFINITY};
}

static struct flood_slot *slot_of(struct flood *flood, const char *host, enum reason reason)
{
    uint64_t hash = key_of_text(host ? host : "").high;
    struct flood_slot *slot = &flood->slots[(hash + reason) % FLOOD_SLOTS];

    if (slot->host != hash || slot->reason != reason)
        *slot = (struct flood_slot){.host = hash, .reason = reason};
    return slot;
}

bool flood_shows(struct flood *flood, const char *host, enum reason reason, double now)
{
    struct flood_slot *slot = slot_of(flood, host, reason);

    if (slot->shown < FLOOD_SHOWN) {
        slot->shown++;
        return true;
    }
    flood->rest[reason]++;
    if (flood->due == INFINITY)
        flood->due = now + FLOOD_EACH;
    return false;
}

void flood_count(struct flood *flood, struct buf *out)
{
    uint64_t all = 0;
    const char *between = "";

    for (enum reason reason = 0; reason < REASON_COUNT; reason++)
        all += flood->rest[reason];
    if (!all)
        return;
    buf_addf(out, "weir: and %llu more failed: ", (unsigned long long)all);
    for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
        if (flood->rest[reason]) {
            buf_addf(out, "%s%llu %s", between, (unsigned long long)flood->rest[reason],
                     reason_name(reason));
            between = ", ";
        }
        flood->rest[reason] = 0;
    }
    buf_add_char(out, '\n');
    flood->due = INFINITY;
}
