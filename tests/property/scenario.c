#include "scenario.h"

#include <math.h>

#include "base/spool.h"
#include "cli/options.h"
#include "dice.h"

/* So much body in a run that thousands of them are done in seconds. */
enum { BODIES_BYTES = 4 << 20 };

static uint64_t one_of(struct dice *dice, const uint64_t *values, size_t count)
{
    return values[dice_below(dice, count)];
}

#define ONE_OF(dice, ...)                         \
    one_of(dice, (const uint64_t[]){__VA_ARGS__}, \
           sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void roll_input(struct scenario *scenario, struct dice *dice)
{
    scenario->lines = (uint32_t)dice_between(dice, 0, ONE_OF(dice, 3, 30, 100, 200));
    scenario->arguments = (uint32_t)ONE_OF(dice, 0, 0, 1, 5);
    scenario->junk = (unsigned)ONE_OF(dice, 0, 5, 40);
    scenario->bursts = (unsigned)ONE_OF(dice, 0, 80, 95, 100);
    scenario->gap_max = (double)ONE_OF(dice, 1, 10, 100) / 10;
    if (dice_chance(dice, 5))
        scenario->trouble_at = (uint32_t)dice_between(dice, 1, 50);
}

static void roll_flow(struct scenario *scenario, struct dice *dice)
{
    scenario->jobs = (unsigned)dice_between(dice, 1, ONE_OF(dice, 1, 4, 20, 60));
    scenario->window = scenario->jobs + dice_below(dice, ONE_OF(dice, 1, 10, 100, 300));
    scenario->memory = dice_below(dice, ONE_OF(dice, 1, 5000, 50000, 1 << 20, 64 << 20));
    scenario->spool_max = dice_below(dice, ONE_OF(dice, 1, 2, 4, 10, 1000) * SPOOL_BLOCK_BYTES + 1);
    if (dice_chance(dice, 3))
        scenario->spool_end = SPOOL_HAS_NO_PLACE;
    if (dice_chance(dice, 5))
        scenario->spool_end = SPOOL_FILLS_DISK;
    scenario->spool_disk = dice_between(dice, 1, UINT64_C(5) * SPOOL_BLOCK_BYTES);
}

static void roll_web(struct scenario *scenario, struct dice *dice)
{
    scenario->hosts = (uint32_t)dice_between(dice, 1, ONE_OF(dice, 1, 3, 40, 300));
    scenario->pages = (uint32_t)ONE_OF(dice, 2, 10, 1000, 1 << 20);
    scenario->numeric = (unsigned)ONE_OF(dice, 0, 20, 100);
    scenario->dead = (unsigned)ONE_OF(dice, 0, 0, 20);
    scenario->missing = (unsigned)ONE_OF(dice, 0, 10);
    scenario->broken = (unsigned)ONE_OF(dice, 0, 10);
    scenario->moved = (unsigned)ONE_OF(dice, 0, 20, 75);
    scenario->big = (unsigned)ONE_OF(dice, 0, 5, 30, 100);
    scenario->small_max = (uint32_t)ONE_OF(dice, 1, 20, 3000);
    scenario->big_max = (uint32_t)ONE_OF(dice, 20000, 100000, 500000, 2000000);
    scenario->piece_max = (uint32_t)ONE_OF(dice, 500, 5000, 16384);
    scenario->latency = (double)ONE_OF(dice, 0, 1, 20, 200) / 100;
    scenario->head_delay = dice_chance(dice, 15) ? dice_real(dice, 1000) : 0;
    scenario->famine_from = dice_chance(dice, 10) ? dice_real(dice, 5) : INFINITY;
    scenario->famine_to = scenario->famine_from + dice_real(dice, 3);
    scenario->sockets = dice_chance(dice, 50);
}

static void roll_reader(struct reader *reader, struct dice *dice)
{
    reader->kind = dice_chance(dice, 40) ? READER_FILE : READER_PIPE;
    reader->pipe = (size_t)ONE_OF(dice, 100, 4096, 65536);
    reader->read_max = (size_t)ONE_OF(dice, 700, 65536);
    reader->pause_max = (double)ONE_OF(dice, 1, 10, 100) / 100;
    reader->sleeps = (unsigned)ONE_OF(dice, 0, 1);
    reader->limit = dice_below(dice, ONE_OF(dice, 1, 10000, 1000000));
}

static void roll_output(struct scenario *scenario, struct dice *dice)
{
    scenario->order = dice_chance(dice, 60) ? OPTION_ORDER_INPUT : OPTION_ORDER_COMPLETION;
    scenario->format = dice_chance(dice, 90) ? OPTION_FORMAT_RAW : OPTION_FORMAT_NONE;
    scenario->max_redirs = (unsigned)ONE_OF(dice, 0, 1, 3, 10);
    scenario->location = dice_chance(dice, 85);
    scenario->trusted = dice_chance(dice, 20);
    scenario->silent = dice_chance(dice, 10);
    scenario->to_file = dice_chance(dice, 20);
    roll_reader(&scenario->out, dice);
    roll_reader(&scenario->notes, dice);
    uint64_t odd = dice_below(dice, 100);
    if (odd < 3)
        scenario->out.kind = READER_NEVER;
    else if (odd < 8)
        scenario->out.kind = READER_CLOSES;
    else if (odd < 13)
        scenario->out.kind = READER_FULL;
    if (dice_chance(dice, 3))
        scenario->notes.kind = READER_CLOSES;
}

/* In half of the runs nothing limits anything, as it was before there were limits. */
static void roll_limits(struct scenario *scenario, struct dice *dice)
{
    scenario->burst = 1;
    if (dice_chance(dice, 50))
        return;
    scenario->retry = (unsigned)ONE_OF(dice, 0, 1, 2, 5);
    scenario->retry_delay = (double)ONE_OF(dice, 0, 1, 50, 1000) / 100;
    scenario->retry_budget = (double)ONE_OF(dice, 0, 20, 100) / 100;
    if (dice_chance(dice, 40))
        scenario->retry_budget = INFINITY;
    scenario->shaky = (unsigned)ONE_OF(dice, 0, 10, 50, 100);
    scenario->closing = (unsigned)ONE_OF(dice, 0, 0, 5, 50);
    scenario->per_host = (unsigned)ONE_OF(dice, 0, 1, 2, 7);
    if (dice_chance(dice, 30))
        scenario->rate = (double)ONE_OF(dice, 1, 10, 300, 20000) / 1000;
    if (dice_chance(dice, 30))
        scenario->host_rate = (double)ONE_OF(dice, 1, 100, 3000, 60000) / 1000;
    scenario->burst = (unsigned)ONE_OF(dice, 1, 1, 3, 50);
    if (dice_chance(dice, 30))
        scenario->host_errors = (unsigned)ONE_OF(dice, 1, 2, 10);
    scenario->host_wait = (double)ONE_OF(dice, 0, 1, 15, 300) / 10;
    scenario->host_retry_after = (double)ONE_OF(dice, 0, 1, 30, 3000) / 10;
    scenario->adaptive = dice_chance(dice, 30);
    scenario->parallel_immediate = dice_chance(dice, 30);
}

/* More lines than URLs are kept for, more hosts than idle ones are remembered. */
static void make_huge(struct scenario *scenario)
{
    scenario->lines = 7000;
    scenario->bursts = 100;
    scenario->window = 6000;
    scenario->jobs = 200;
    scenario->hosts = 6500;
    scenario->pages = 3;
}

/* Bodies share what a run may come to, and a slow reader is not so slow that it takes all day. */
static void limit(struct scenario *scenario)
{
    uint64_t bodies = (uint64_t)scenario->lines * scenario->big / 100 + 1;

    scenario->big_max = (uint32_t)MIN(scenario->big_max, BODIES_BYTES / bodies);
    scenario->head_bytes = MIN(scenario->head_bytes, BODIES_BYTES / (scenario->lines + 1));
    if (bodies * scenario->big_max > 100000) {
        scenario->out.pipe = MAX(scenario->out.pipe, 4096);
        scenario->out.read_max = MAX(scenario->out.read_max, 4096);
    }
}

void scenario_from_seed(struct scenario *scenario, uint64_t seed)
{
    struct dice dice = {seed};

    *scenario = (struct scenario){.seed = seed};
    roll_input(scenario, &dice);
    roll_flow(scenario, &dice);
    roll_web(scenario, &dice);
    roll_output(scenario, &dice);
    if (dice_below(&dice, 400) == 0)
        make_huge(scenario);
    roll_limits(scenario, &dice);
    if (dice_chance(&dice, 30))
        scenario->head_bytes = (size_t)dice_between(&dice, 1, ONE_OF(&dice, 300, 20000, 300000));
    limit(scenario);
}

void scenario_plain(struct scenario *scenario, uint64_t seed)
{
    *scenario = (struct scenario){
        .seed = seed,
        .lines = 100,
        .bursts = 100,
        .jobs = 10,
        .window = 40,
        .burst = 1,
        .memory = 64 << 20,
        .spool_max = 64 << 20,
        .hosts = 10,
        .pages = 1000,
        .small_max = 1000,
        .piece_max = 16384,
        .latency = 0.1,
        .famine_from = INFINITY,
        .famine_to = INFINITY,
        .max_redirs = 10,
        .location = true,
    };
}

static void describe_reader(const char *name, const struct reader *reader, struct buf *out)
{
    static const char *const kinds[] = {
        [READER_FILE] = "file",     [READER_PIPE] = "pipe", [READER_NEVER] = "never",
        [READER_CLOSES] = "closes", [READER_FULL] = "full",
    };

    buf_addf(out, "; %s: %s, pipe %zu, reads %zu, pause %g, sleeps %u%%, limit %llu", name,
             kinds[reader->kind], reader->pipe, reader->read_max, reader->pause_max, reader->sleeps,
             (unsigned long long)reader->limit);
}

void scenario_describe(const struct scenario *scenario, struct buf *out)
{
    buf_addf(out,
             "seed %llu: lines %u, arguments %u, junk %u%%, gap %g, bursts %u%%, trouble at %u",
             (unsigned long long)scenario->seed, scenario->lines, scenario->arguments,
             scenario->junk, scenario->gap_max, scenario->bursts, scenario->trouble_at);
    buf_addf(out, "; jobs %u, window %llu, memory %llu, spool %llu, spool's end %d at %llu",
             scenario->jobs, (unsigned long long)scenario->window,
             (unsigned long long)scenario->memory, (unsigned long long)scenario->spool_max,
             (int)scenario->spool_end, (unsigned long long)scenario->spool_disk);
    buf_addf(out,
             "; hosts %u, pages %u, numeric %u%%, dead %u%%, 404 %u%%, broken %u%%, moved %u%%",
             scenario->hosts, scenario->pages, scenario->numeric, scenario->dead, scenario->missing,
             scenario->broken, scenario->moved);
    buf_addf(out, "; big %u%%, sizes %u and %u, pieces %u, latency %g, head %g, famine %g to %g",
             scenario->big, scenario->small_max, scenario->big_max, scenario->piece_max,
             scenario->latency, scenario->head_delay, scenario->famine_from, scenario->famine_to);
    buf_addf(out,
             "; sockets %d, order %u, format %u, redirs %u, location %d, trusted %d, silent %d",
             scenario->sockets, scenario->order, scenario->format, scenario->max_redirs,
             scenario->location, scenario->trusted, scenario->silent);
    buf_addf(out, ", to file %d, heads of %zu", scenario->to_file, scenario->head_bytes);
    buf_addf(
        out,
        "; per host %u, rate %g, host rate %g, burst %u, retry %u after %g, budget %g, errors %u, "
        "host wait %g, back after %g, adaptive %d, immediate %d, shaky %u%%, closing %u%%",
        scenario->per_host, scenario->rate, scenario->host_rate, scenario->burst, scenario->retry,
        scenario->retry_delay, scenario->retry_budget, scenario->host_errors, scenario->host_wait,
        scenario->host_retry_after, scenario->adaptive, scenario->parallel_immediate,
        scenario->shaky, scenario->closing);
    describe_reader("out", &scenario->out, out);
    describe_reader("notes", &scenario->notes, out);
}
