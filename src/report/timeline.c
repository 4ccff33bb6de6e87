#include "report/timeline.h"

#include <math.h>

#include "base/util.h"

void timeline_init(struct timeline *timeline, double now)
{
    *timeline = (struct timeline){.begun = now, .width = TIMELINE_WIDTH, .counted_to = now};
}

static void add(struct timeline_bin *to, const struct timeline_bin *from)
{
    to->starts += from->starts;
    to->ok += from->ok;
    to->failed += from->failed;
    to->undone += from->undone;
    to->busy += from->busy;
    to->peak = MAX(to->peak, from->peak);
    to->limit = MAX(to->limit, from->limit);
}

/* Each two bins become one. */
static void widen(struct timeline *timeline)
{
    for (size_t i = 0; i < TIMELINE_BINS; i++) {
        struct timeline_bin bin = timeline->bins[i];
        timeline->bins[i] = (struct timeline_bin){0};
        if (i % 2)
            add(&timeline->bins[i / 2], &bin);
        else
            timeline->bins[i / 2] = bin;
    }
    timeline->width *= 2;
    timeline->n_bins = (timeline->n_bins + 1) / 2;
}

/* Which bin a moment is in, if they are wide enough for that. */
static double place_of(const struct timeline *timeline, double when)
{
    return floor(fmax(0, when - timeline->begun) / timeline->width);
}

static struct timeline_bin *bin_at(struct timeline *timeline, double when)
{
    while (place_of(timeline, when) >= (double)TIMELINE_BINS)
        widen(timeline);
    size_t place = (size_t)place_of(timeline, when);
    timeline->n_bins = MAX(timeline->n_bins, place + 1);
    return &timeline->bins[place];
}

static void see(const struct timeline *timeline, struct timeline_bin *bin)
{
    bin->peak = MAX(bin->peak, timeline->running);
    bin->limit = MAX(bin->limit, timeline->limit);
}

void timeline_advance(struct timeline *timeline, double now)
{
    struct timeline_bin *last = bin_at(timeline, now);

    while (timeline->counted_to < now) {
        struct timeline_bin *bin = bin_at(timeline, timeline->counted_to);
        double end = bin == last
                         ? now
                         : timeline->begun + (double)(bin - timeline->bins + 1) * timeline->width;
        see(timeline, bin);
        /* A bin may end where it begins, as numbers are rounded. */
        end = fmin(fmax(end, nextafter(timeline->counted_to, INFINITY)), now);
        bin->busy += (end - timeline->counted_to) * timeline->running;
        timeline->counted_to = end;
    }
    see(timeline, last);
}

void timeline_note_limit(struct timeline *timeline, unsigned limit, double now)
{
    timeline_advance(timeline, now);
    timeline->limit = limit;
    see(timeline, bin_at(timeline, now));
}

void timeline_note_start(struct timeline *timeline, double now)
{
    timeline_advance(timeline, now);
    timeline->running++;
    struct timeline_bin *bin = bin_at(timeline, now);
    bin->starts++;
    see(timeline, bin);
}

void timeline_note_end(struct timeline *timeline, double now)
{
    timeline_advance(timeline, now);
    timeline->running--;
}

void timeline_note_done(struct timeline *timeline, enum reason reason, double when)
{
    struct timeline_bin *bin = bin_at(timeline, when);

    if (reason == REASON_OK)
        bin->ok++;
    else if (reason == REASON_HALTED || reason == REASON_CANCELLED)
        bin->undone++;
    else
        bin->failed++;
}
