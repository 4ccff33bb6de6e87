#include "report/stats.h"

#include "base/result.h"
#include "base/util.h"

void stats_count(struct stats *stats, const struct result *result)
{
    stats->results++;
    stats->reasons[result->reason]++;
    stats->starts += result->starts;
    stats->body_bytes += result->body_bytes;
    if (result->facts) {
        stats->opened += result->facts->opened;
        stats->reused += result->facts->reused;
    }
}

void stats_note_in_flight(struct stats *stats, unsigned running)
{
    stats->peak_in_flight = MAX(stats->peak_in_flight, running);
}

uint64_t stats_failed(const struct stats *stats)
{
    return stats->results - stats->reasons[REASON_OK];
}
