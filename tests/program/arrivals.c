#include "arrivals.h"

#include <criterion/criterion.h>
#include <string.h>

#include "stage.h"

/* Clocks are read in another process, and numbers are rounded. */
static const double tolerance = 0.002;

static const struct origin_record *next_at(struct stage *stage, const char *local,
                                           const struct origin_record *record)
{
    do
        record = origin_log_next(stage->origin, record);
    while (record && local && strcmp(record->local, local) != 0);
    return record;
}

size_t arrivals_count(struct stage *stage, const char *local)
{
    size_t count = 0;

    for (const struct origin_record *at = NULL; (at = next_at(stage, local, at)) != NULL;)
        count++;
    return count;
}

size_t arrivals_peak(struct stage *stage, const char *local)
{
    size_t peak = 0;

    for (const struct origin_record *at = NULL; (at = next_at(stage, local, at)) != NULL;) {
        size_t here = 1;
        for (const struct origin_record *other = NULL;
             (other = next_at(stage, local, other)) != at;)
            here += other->finished <= 0 || other->finished > at->arrived;
        peak = here > peak ? here : peak;
    }
    return peak;
}

double arrivals_time(struct stage *stage, const char *local, size_t index)
{
    const struct origin_record *at = next_at(stage, local, NULL);

    while (at && index--)
        at = next_at(stage, local, at);
    cr_assert(at, "the origin saw fewer requests");
    return at->arrived;
}

void arrivals_expect_spaced(struct stage *stage, const char *local, double since, double interval,
                            size_t burst)
{
    size_t index = 0;

    for (const struct origin_record *at = NULL; (at = next_at(stage, local, at)) != NULL; index++) {
        double due = index < burst ? since : since + (double)(index + 1 - burst) * interval;
        cr_expect_geq(at->arrived, due - tolerance, "request %zu came %g s too early", index,
                      due - at->arrived);
    }
}
