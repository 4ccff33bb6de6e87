#include "report/histogram.h"

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

/* Up to how long those of a row are, which are each as many times as long as those before. */
static double limit_of(double from, double to, size_t row, size_t len)
{
    return from * pow(to / from, (double)(row + 1) / (double)len);
}

static size_t set_limits(const struct histogram *histogram, struct histogram_row *rows, size_t max)
{
    double from = fmax(histogram_at(histogram, HISTOGRAM_ODD), 1e-6);
    double to = fmax(histogram_at(histogram, 1 - HISTOGRAM_ODD), from);
    size_t len = MIN(max - 1, (size_t)(log(to / from) / log(HISTOGRAM_ROW_RATIO)) + 1);

    for (size_t row = 0; row < len; row++)
        rows[row] = (struct histogram_row){.limit = limit_of(from, to, row, len)};
    if (histogram->max > to * HISTOGRAM_ROW_RATIO)
        rows[len++] = (struct histogram_row){.limit = histogram->max};
    else
        rows[len - 1].limit = fmax(to, histogram->max);
    return len;
}

size_t histogram_rows(const struct histogram *histogram, struct histogram_row *rows, size_t max)
{
    size_t row = 0;

    if (!histogram->count || max < 2)
        return 0;
    size_t len = set_limits(histogram, rows, max);
    for (size_t place = 0; place < HISTOGRAM_LEN; place++) {
        while (row + 1 < len && middle_of(place) / 1e6 > rows[row].limit)
            row++;
        rows[row].count += histogram->counts[place];
    }
    return len;
}
