#include "policy/histogram.h"

#include <math.h>
#include <stddef.h>

#include "base/util.h"

enum { STEPS = 1 << HISTOGRAM_STEP_BITS };

/* Up to STEPS microseconds each has a place of its own; then each octave has STEPS places. */
static size_t place_of(uint64_t us)
{
    unsigned octave = 0;

    while (us >> octave >= (uint64_t)2 * STEPS)
        octave++;
    if (us < STEPS)
        return (size_t)us;
    return MIN(((size_t)octave << HISTOGRAM_STEP_BITS) + (size_t)(us >> octave),
               (size_t)HISTOGRAM_LEN - 1);
}

/* The middle of what counts there, in microseconds. */
static double middle_of(size_t place)
{
    if (place < (size_t)2 * STEPS)
        return (double)place;
    size_t octave = (place >> HISTOGRAM_STEP_BITS) - 1;
    size_t step = place - (octave << HISTOGRAM_STEP_BITS);
    return ldexp((double)step + 0.5, (int)octave);
}

void histogram_add(struct histogram *histogram, double seconds)
{
    double us = fmin(fmax(seconds, 0) * 1e6, 0x1p62);

    histogram->count++;
    histogram->max = fmax(histogram->max, seconds);
    histogram->counts[place_of((uint64_t)llround(us))]++;
}

double histogram_at(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)ceil(share * (double)histogram->count);
    uint64_t seen = 0;

    if (!histogram->count)
        return 0;
    wanted = MAX(wanted, 1);
    for (size_t place = 0; place < HISTOGRAM_LEN; place++) {
        seen += histogram->counts[place];
        if (seen >= wanted)
            return fmin(middle_of(place) / 1e6, histogram->max);
    }
    return histogram->max;
}
