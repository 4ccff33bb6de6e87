#include "policy/stats.h"

#include "model/result.h"

void stats_count(struct stats *stats, const struct result *result)
{
    stats->results++;
    stats->reasons[result->reason]++;
    stats->starts += result->starts;
    stats->body_bytes += result->body_bytes;
}

uint64_t stats_failed(const struct stats *stats)
{
    return stats->results - stats->reasons[REASON_OK];
}
