#include "ends_round.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "blob.h"
#include "program.h"
#include "stage.h"

static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
static const char *const groups[] = {"\"a\"", "\"b\"", "7", "\"a longer \\u00fc name\""};

enum { HOSTS = sizeof hosts / sizeof *hosts, GROUPS = sizeof groups / sizeof *groups };

/* From `first` to `last`, both included. */
static size_t between(struct round *round, size_t first, size_t last)
{
    return first + stage_dice(&round->dice) % (last - first + 1);
}

static bool chance(struct round *round, unsigned percent)
{
    return stage_dice(&round->dice) % 100 < percent;
}

static double seconds(struct round *round, double max)
{
    return max * stage_dice(&round->dice) / UINT32_MAX;
}

/* ---- the input ---- */

static void draw_good(struct round *round, struct stage *stage, struct line *line, size_t index)
{
    const char *wait =
        chance(round, 15) ? stage_text(stage, "&delay=0.%02zu", between(round, 1, 30)) : "";

    line->fate = GOOD;
    line->goes_once = true;
    line->word = stage_text(stage, "word-%zu\n", index);
    if (chance(round, 60)) {
        line->word = NULL;
        line->len = chance(round, 10) ? between(round, 20000, 60000) : between(round, 0, 3000);
        line->target = stage_text(stage, "/bytes/%zu?tag=%zu%s", line->len, index, wait);
    } else if (chance(round, 20)) {
        line->goes_once = false;
        line->target = stage_text(stage, "/text/word-%zu?hops=%zu", index, between(round, 1, 3));
    } else if (chance(round, 20)) {
        const char *there = stage_url_at(stage, hosts[between(round, 0, HOSTS - 1)],
                                         stage_text(stage, "/text/word-%zu", index));
        line->target =
            stage_text(stage, "/text/from-%zu?location=%s", index, stage_encoded(stage, there));
    } else {
        line->target = stage_text(stage, "/text/word-%zu?tag=x%s", index, wait);
    }
}

static void draw_bad(struct round *round, struct stage *stage, struct line *line, size_t index)
{
    static const char *const ways[] = {"reset=head", "closenow=1", "reset=100",
                                       "short=9",    "garbage=1",  "silent=1"};
    size_t way = between(round, 0, sizeof ways / sizeof *ways - 1);

    line->fate = BAD;
    if (strcmp(ways[way], "silent=1") == 0 && !(round->n_ending || round->deadline > 0))
        way = 0;
    line->is_refused = chance(round, 60);
    line->goes_once = line->is_refused;
    line->len = 1000;
    line->target = line->is_refused ? stage_text(stage, "/text/no?status=404&tag=%zu", index)
                                    : stage_text(stage, "/bytes/1000?tag=%zu&%s", index, ways[way]);
}

static void draw_maybe(struct round *round, struct stage *stage, struct line *line, size_t index)
{
    const char *way = chance(round, 50)   ? ""
                      : chance(round, 80) ? "&status=429&retryafter=0"
                                          : "&status=503&retryafter=1";

    line->fate = MAYBE;
    line->goes_once = true;
    line->word = stage_text(stage, "word-%zu\n", index);
    line->target = stage_text(stage, "/text/word-%zu?failtimes=1%s", index, way);
}

static void draw_invalid(struct round *round, struct stage *stage, struct line *line)
{
    line->fate = INVALID;
    if (*line->group && chance(round, 70)) {
        line->text = stage_text(stage, "{\"url\":5,\"group\":%s}", line->group);
        return;
    }
    line->group = "";
    line->text = chance(round, 50) ? "{" : "http://no host/";
}

static void write_line(struct round *round, struct stage *stage, struct line *line, size_t index)
{
    const char *host = hosts[between(round, 0, chance(round, 50) ? 0 : HOSTS - 1)];

    line->url = line->text = stage_url_at(stage, host, line->target);
    if (!*line->group && chance(round, 70))
        return;
    const char *group = *line->group ? stage_text(stage, ",\"group\":%s", line->group) : "";
    bool is_post = chance(round, 10);
    const char *payload = is_post ? ",\"method\":\"POST\",\"body\":\"payload\"" : "";
    line->text =
        stage_text(stage, "{\"id\":%zu,\"url\":\"%s\"%s%s}", index, line->url, group, payload);
    /* What is held for its group finds no room, and what is sent once is not put back for it. */
    if (line->fate == GOOD && round->is_tight && (is_post || (round->commits && *line->group)))
        line->fate = MAYBE;
}

static void draw_input(struct round *round, struct stage *stage)
{
    static const unsigned shares[] = {0, 3, 10, 30};
    unsigned bad = shares[between(round, 0, 3)], maybe = shares[between(round, 0, 2)];
    unsigned invalid = shares[between(round, 0, 1)], grouped = (unsigned)between(round, 0, 60);
    size_t left = 0, largest = chance(round, 15) ? round->window + 3 : 12;
    const char *group = "";

    round->n_lines = between(round, 1, chance(round, 50) ? 30 : ROUND_LINES_MAX);
    for (size_t i = 0; i < round->n_lines; i++) {
        struct line *line = &round->lines[i];
        if (!left) {
            bool begins = chance(round, grouped);
            group = begins ? groups[between(round, 0, GROUPS - 1)] : "";
            left = begins ? between(round, 1, largest) : 1;
        }
        left--;
        line->group = group;
        if (chance(round, invalid)) {
            draw_invalid(round, stage, line);
            continue;
        }
        if (chance(round, bad))
            draw_bad(round, stage, line, i);
        else if (chance(round, maybe))
            draw_maybe(round, stage, line, i);
        else
            draw_good(round, stage, line, i);
        write_line(round, stage, line, i);
    }
}

/* ---- the options ---- */

static void add(struct round *round, const char *argument)
{
    cr_assert_lt(round->argc, (size_t)RUN_ARGS_MAX);
    round->argv[round->argc++] = argument;
}

static void draw_halt(struct round *round, struct stage *stage)
{
    static const char *const whats[] = {"fail", "success", "done"};
    size_t what = between(round, 0, 2);

    round->spares = chance(round, 50);
    round->halts_on_fail = what == 0;
    round->halts_on_success = what == 1;
    if (chance(round, 70)) {
        round->halt_count = between(round, 1, round->halts_on_fail ? 5 : 80);
        round->halt = stage_text(stage, "%s,%s=%zu", round->spares ? "soon" : "now", whats[what],
                                 round->halt_count);
    } else {
        round->halt = stage_text(stage, "%s,%s=%zu%%", round->spares ? "soon" : "now", whats[what],
                                 between(round, 1, 100));
    }
    add(round, stage_text(stage, "--halt=%s", round->halt));
}

static void draw_flow(struct round *round, struct stage *stage)
{
    round->jobs = between(round, 1, chance(round, 50) ? 4 : 16);
    round->window = round->jobs + between(round, 0, 30);
    round->retries = (unsigned)between(round, 0, 2);
    add(round, stage_text(stage, "-j%zu", round->jobs));
    add(round, stage_text(stage, "--window=%zu", round->window));
    add(round, stage_text(stage, "--retry=%u", round->retries));
    add(round, "--retry-delay=0.02");
    add(round, "--retry-max-delay=0.05");
    add(round, "--host-errors=0"); /* bad requests come to be neighbours, and no outage is meant */
    if (chance(round, 25))
        add(round, stage_text(stage, "--per-host=%zu", between(round, 1, 3)));
    if (chance(round, 40))
        draw_halt(round, stage);
    if (chance(round, 25))
        round->deadline = 0.05 + seconds(round, 0.8);
    round->is_tight = chance(round, 25);
    if (round->is_tight) {
        add(round, "--memory=8k");
        add(round, "--spool-max=128k");
    }
}

static void draw_output(struct round *round, struct stage *stage)
{
    round->is_ordered = chance(round, 60);
    round->has_files = chance(round, 50);
    round->has_records = !round->has_files || chance(round, 70);
    round->goes_to_file = round->has_records && chance(round, 15);
    round->commits = chance(round, 40);
    round->tells_groups = round->has_records && chance(round, 30);
    round->tells_summary = chance(round, 30);
    if (!round->is_ordered)
        add(round, "--unordered");
    if (round->has_files) {
        add(round, "-o");
        add(round, stage_text(stage, "%s/{seq}", scratch_mkdir(stage->scratch, "out")));
    }
    if (round->has_records)
        add(round, "--jsonl");
    if (round->goes_to_file) {
        add(round, "--to");
        add(round, scratch_path(stage->scratch, "to"));
    }
    if (round->commits)
        add(round, "--group-commit");
    if (round->tells_groups)
        add(round, "--group-records");
    add(round, round->tells_summary ? "--summary=json" : "--summary=none");
    add(round, "--spool-dir");
    add(round, scratch_mkdir(stage->scratch, "spool"));
}

/* ---- meanwhile ---- */

static void draw_signals(struct round *round)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    if (chance(round, 15))
        round->sent[round->n_sent++] = (struct sent){SIGUSR1, seconds(round, 0.2)};
    if (!chance(round, 45))
        return;
    round->n_ending = chance(round, 40) ? 2 : 1;
    for (size_t i = 0; i < round->n_ending; i++)
        round->sent[round->n_sent++] = (struct sent){
            numbers[between(round, 0, 2)], seconds(round, i && chance(round, 50) ? 0.01 : 0.5)};
}

static void draw_meanwhile(struct round *round)
{
    static const enum reader readers[] = {READS, READS, READS, SLEEPS, SLEEPS, LEAVES};

    draw_signals(round);
    round->reader = round->goes_to_file ? READS : readers[between(round, 0, 5)];
    round->reader_after = seconds(round, 0.4);
}

/* What has no end by itself must have one from us. */
static void draw_source(struct round *round)
{
    if (round->deadline > 0 || round->n_ending)
        round->source = chance(round, 50)   ? FROM_FILE
                        : chance(round, 50) ? FROM_OPEN_PIPE
                                            : WITHOUT_END;
}

void round_draw(struct round *round, struct stage *stage, uint64_t seed)
{
    *round = (struct round){.seed = seed, .dice = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    for (int i = 0; i < 4; i++)
        stage_dice(&round->dice);
    add(round, run_weir());
    add(round, "--stall-timeout=3");
    draw_flow(round, stage);
    draw_output(round, stage);
    draw_meanwhile(round);
    if (round->deadline > 0)
        add(round, stage_text(stage, "--deadline=%.3f", round->deadline));
    draw_input(round, stage);
    draw_source(round);
}

const struct line *round_line(const struct round *round, uint64_t seq)
{
    return &round->lines[(seq - 1) % round->n_lines];
}

bool round_goes_on(const struct round *round, uint64_t seq)
{
    const char *group = round_line(round, seq)->group;

    return seq > 1 && *group && strcmp(group, round_line(round, seq - 1)->group) == 0;
}

void round_add_input(const struct round *round, struct blob *blob)
{
    for (size_t i = 0; i < round->n_lines; i++)
        blob_addf(blob, "%s\n", round->lines[i].text);
}

void round_describe(const struct round *round, struct blob *blob)
{
    static const char *const sources[] = {"from a file", "from an open pipe", "without end"};
    static const char *const readers[] = {"reads", "sleeps", "leaves"};

    blob_addf(blob, "ENDS_SEED=%llu ENDS_ROUNDS=1: %zu lines %s; its reader %s after %.3f;",
              (unsigned long long)round->seed, round->n_lines, sources[round->source],
              readers[round->reader], round->reader_after);
    for (size_t i = 0; i < round->n_sent; i++)
        blob_addf(blob, " SIG%s after %.3f;", sigabbrev_np(round->sent[i].number),
                  round->sent[i].after);
    for (size_t i = 1; i < round->argc; i++)
        blob_addf(blob, " %s", round->argv[i]);
}
