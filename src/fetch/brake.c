#include "fetch/brake.h"

static void begin_period(struct brake *brake, const struct store *store, double now)
{
    brake->given = store->given;
    brake->looks_at = now + BRAKE_PERIOD;
}

/* Whether waiting is worth it, by what went out since the period began, which is over. */
static void judge(struct brake *brake, const struct store *store, double now)
{
    double periods = (now - brake->looks_at) / BRAKE_PERIOD + 1;

    brake->is_in_vain = (double)(store->given - brake->given) < (double)BRAKE_BYTES * periods;
    begin_period(brake, store, now);
}

bool brake_wants(struct brake *brake, const struct store *store, double now)
{
    if (!brake_may_want(store))
        return false;
    if (brake->is_in_vain && now >= brake->looks_at)
        judge(brake, store, now);
    return !brake->is_in_vain;
}

/* They may have waited until just now: then the period is not over, or is to be judged. */
void brake_begin(struct brake *brake, const struct store *store, double now)
{
    if (now >= brake->looks_at + BRAKE_PERIOD)
        begin_period(brake, store, now);
}

bool brake_ends(struct brake *brake, const struct store *store, double since, double now)
{
    if (now >= brake->looks_at)
        judge(brake, store, now);
    if (now >= since + BRAKE_MAX)
        brake->is_in_vain = true;
    return brake->is_in_vain || store->memory_used <= store_body_max(store) / 8 * 5;
}
