#include "report/samples.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/util.h"

void samples_release(struct samples *samples)
{
    for (size_t i = 0; i < samples->len; i++)
        free(samples->at[i].url);
    free(samples->at);
    *samples = (struct samples){0};
}

static bool is_one(const struct samples *samples, uint64_t seq)
{
    return (seq - 1) % samples->stride == 0;
}

static void thin_out(struct samples *samples)
{
    size_t kept = 0;

    samples->stride *= 2;
    for (size_t i = 0; i < samples->len; i++) {
        if (is_one(samples, samples->at[i].seq))
            samples->at[kept++] = samples->at[i];
        else
            free(samples->at[i].url);
    }
    samples->len = kept;
}

struct sample *samples_add(struct samples *samples, uint64_t seq)
{
    if (!samples->at) {
        samples->at = xcalloc(SAMPLES_MAX, sizeof *samples->at);
        samples->stride = 1;
    }
    /* No two have one position, so this ends. */
    while (is_one(samples, seq) && samples->len == SAMPLES_MAX)
        thin_out(samples);
    if (!is_one(samples, seq))
        return NULL;
    struct sample *sample = &samples->at[samples->len++];
    *sample = (struct sample){.seq = seq};
    return sample;
}
