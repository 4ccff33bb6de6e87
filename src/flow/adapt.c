#include "flow/adapt.h"

#include <math.h>

/* An average of fewer answers says too little. A small limit has to be told sooner: 16 answers are
 * many round trips of it, in which it grows on. */
enum { ROUND_MIN = 16, SMALL_ROUND_MIN = 10, SMALL_LIMIT = 12 };

/* Latency can be so much in excess that the limit is far off. */
#define CUT_MAX 0.5

/* So much of the way from the best to what the others are the best goes in each round: of many
 * rounds one is the best by chance. */
#define BEST_DRIFT 0.02

/* What the limit dips to, as a share of itself. */
#define DIP 0.25

void adapt_init(struct adapt *adapt)
{
    *adapt = (struct adapt){.limit = ADAPT_START};
}

unsigned adapt_limit(const struct adapt *adapt, unsigned max)
{
    return (unsigned)fmax(1, fmin(adapt->limit, max));
}

bool adapt_is_fresh(const struct adapt *adapt)
{
    return adapt->threshold <= 0;
}

static void begin_round(struct adapt *adapt, double now)
{
    adapt->round_at = now;
    adapt->sum = adapt->squares = adapt->count = 0;
}

/* What was started before the last cut met the limit that was cut: it is no news. */
static bool is_news(const struct adapt *adapt, double started_at)
{
    return started_at > adapt->cut_at;
}

static void cut(struct adapt *adapt, double share, double now)
{
    adapt->limit = fmax(1, adapt->limit * share);
    adapt->threshold = adapt->limit;
    adapt->cut_at = now;
    begin_round(adapt, now);
}

/* Only a limit that is used is known to be too low. */
static void grow(struct adapt *adapt, unsigned max, unsigned running)
{
    bool doubles = adapt->threshold <= 0 || adapt->limit < adapt->threshold;

    if (running + 1 < adapt_limit(adapt, max))
        return;
    adapt->limit = fmin(adapt->limit + (doubles ? 1 : 1 / fmax(adapt->limit, ADAPT_PATIENCE)), max);
}

static void dip(struct adapt *adapt, double now)
{
    if (adapt->dip_at <= 0)
        adapt->dip_at = now + ADAPT_DIP_EACH;
    if (now < adapt->dip_at)
        return;
    adapt->dip_at = now + ADAPT_DIP_EACH;
    adapt->threshold = adapt->limit;
    adapt->limit = fmax(1, adapt->limit * DIP);
    adapt->best = 0;
    adapt->cut_at = now;
    begin_round(adapt, now);
}

/* By how much the average of the round may be off by chance alone: two and a half standard errors. */
static double chance(const struct adapt *adapt)
{
    double average = adapt->sum / adapt->count;
    double variance = fmax(0, adapt->squares / adapt->count - average * average);

    return 2.5 * sqrt(variance / adapt->count);
}

static void end_round(struct adapt *adapt, double now)
{
    double average = adapt->sum / adapt->count;

    if (adapt->best <= 0 || average < adapt->best)
        adapt->best = average;
    else if (average > ADAPT_LATENCY_MAX * adapt->best + chance(adapt))
        cut(adapt, fmax(CUT_MAX, adapt->best / average), now);
    else
        adapt->best += BEST_DRIFT * (average - adapt->best);
    begin_round(adapt, now);
}

/* The best, which the others are measured by, is to be of many answers. */
static unsigned round_min(const struct adapt *adapt)
{
    bool is_small = adapt->best > 0 && adapt->limit <= (double)SMALL_LIMIT;

    return is_small ? SMALL_ROUND_MIN : ROUND_MIN;
}

/* A round ends with the first answer to what was started in it; sooner while the limit doubles,
 * which is to be stopped before it is far too high. */
static void measure(struct adapt *adapt, double started_at, double latency, double now)
{
    bool is_round = adapt->threshold <= 0 || started_at >= adapt->round_at;

    adapt->sum += latency;
    adapt->squares += latency * latency;
    adapt->count++;
    if (is_round && adapt->count >= round_min(adapt))
        end_round(adapt, now);
}

/* Some answers, ended by us, tell of no latency. */
void adapt_good(struct adapt *adapt, unsigned max, double started_at, double latency, double now,
                unsigned running)
{
    dip(adapt, now);
    if (!is_news(adapt, started_at))
        return;
    grow(adapt, max, running);
    if (latency > 0)
        measure(adapt, started_at, latency, now);
}

void adapt_bad(struct adapt *adapt, double started_at, double now)
{
    if (is_news(adapt, started_at))
        cut(adapt, ADAPT_CUT, now);
}
