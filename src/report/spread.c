#include "report/spread.h"

#include <math.h>

double spread_from(size_t place)
{
    return exp2((double)place / (double)SPREAD_STEPS) / 1e6;
}

void spread_add(struct spread *spread, double seconds)
{
    double place = floor(log2(fmax(seconds * 1e6, 1)) * (double)SPREAD_STEPS);

    spread->count++;
    spread->max = fmax(spread->max, seconds);
    spread->counts[(size_t)fmin(place, SPREAD_LEN - 1)]++;
}

double spread_at(const struct spread *spread, double share)
{
    uint64_t wanted = (uint64_t)ceil(share * (double)spread->count);
    uint64_t seen = 0;

    for (size_t place = 0; place < SPREAD_LEN && spread->count; place++) {
        seen += spread->counts[place];
        if (seen && seen >= wanted)
            return fmin(sqrt(spread_from(place) * spread_from(place + 1)), spread->max);
    }
    return spread->max;
}
