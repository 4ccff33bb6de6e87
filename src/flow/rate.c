#include "flow/rate.h"

#include <math.h>

double rate_due(const struct rate *rate, const struct bucket *bucket)
{
    if (rate->interval <= 0)
        return 0;
    return fmax(0, bucket->next - (rate->burst - 1) * rate->interval);
}

void rate_take(const struct rate *rate, struct bucket *bucket, double now)
{
    if (rate->interval <= 0)
        return;
    bool keeps_grid = bucket->next > 0 && now - bucket->next <= RATE_LATE_MAX;
    bucket->next = (keeps_grid ? bucket->next : now) + rate->interval;
}

bool rate_is_full(const struct rate *rate, const struct bucket *bucket, double now)
{
    return rate->interval <= 0 || bucket->next <= now;
}
