/*
 * Runs with random lists and options, ended at random instants by signals, or met by faults of the
 * disk, and resumed until they are done. In the environment TORTURE_ROUNDS=N has N of them be made
 * in each batch, and TORTURE_SEED=S others than usual: see scripts/torture.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "stage.h"
#include "survivor.h"

enum { BATCHES = 4, ROUNDS = 15, ARGS = 40, OPTION = 40 };

/* One round: its list, its options, and what must come of it. */
struct round {
    struct stage *stage;
    uint64_t *seed;
    unsigned requests;
    bool to_files, in_order, is_raw, has_faults, has_cache;
    bool clashes; /* its files share a few names */
    char options[8][OPTION];
    size_t n_options;
};

static unsigned dice(struct round *round, unsigned sides)
{
    return stage_dice(round->seed) % (sides ? sides : 1);
}

static void add_option(struct round *round, const char *option)
{
    cr_assert_lt(round->n_options, 8);
    snprintf(round->options[round->n_options++], OPTION, "%s", option);
}

static void roll_options(struct round *round)
{
    static const char *const syncs[] = {"--sync=0", "--sync=0.01", "--sync=1"};
    static const char *const windows[] = {"--window=2", "--window=16", "--window=1000"};
    static const char *const jobs[] = {"-j1", "-j4", "-j12", "-j50"};
    static const char *const conflicts[] = {"--on-conflict=number", "--on-conflict=fail",
                                            "--on-conflict=replace"};

    round->to_files = dice(round, 2);
    round->in_order = dice(round, 3) > 0;
    /* Bodies end as they like: where they are not in order they could not be told apart. */
    round->is_raw = dice(round, 2) && round->in_order;
    round->has_cache = dice(round, 2);
    add_option(round, syncs[dice(round, 3)]);
    add_option(round, windows[dice(round, 3)]);
    add_option(round, jobs[dice(round, 4)]);
    round->clashes = round->to_files && round->in_order && !round->has_faults && dice(round, 2);
    add_option(round, conflicts[dice(round, round->clashes ? 2 : 3)]);
    add_option(round, round->in_order ? "--order=input" : "--order=completion");
    if (round->is_raw && !round->to_files)
        add_option(round, "--format=raw");
    else
        add_option(round, "--jsonl");
    if (round->is_raw && !round->to_files)
        add_option(round, "--memory=100k");
    else
        add_option(round, round->in_order ? "--fields=seq,url,ok,body" : "--fields=url,ok,body");
}

/* In order of completion, and where some fail, it is not known which of equal requests was done: with
 * files, whose names are by their place, there are none then. Nor where equal ones share a name and
 * a cache, which knows them by both. */
static void write_list(struct round *round)
{
    struct blob list = {0};
    const char *url = origin_url(round->stage->origin);
    bool may_repeat = !round->to_files || (round->in_order && !round->has_faults &&
                                           !(round->clashes && round->has_cache));

    for (unsigned i = 0; i < round->requests; i++) {
        unsigned kind = dice(round, 12), word = round->clashes ? i % 7 : i;
        if (kind == 0 && may_repeat)
            blob_addf(&list, "%s/text/same\n", url);
        else if (kind == 1)
            blob_addf(&list, "%s/text/bad-%u?status=404\n", url, i);
        else if (kind == 2)
            blob_addf(&list, "%s/bytes/%u?ascii=1&tag=%u\n", url,
                      1 + dice(round, round->clashes ? 3 : 200000), i);
        else if (kind == 3)
            blob_addf(&list, "{\"url\":\"%s/text/json-%u\",\"id\":%u}\n", url, i, dice(round, 3));
        else if (kind == 4)
            blob_addf(&list, "%s/bytes/60000?ascii=1&drip=20000,0.004&tag=%u%s\n", url, i,
                      dice(round, 3) ? "&ranges=1&etag=v1" : "");
        else
            blob_addf(&list, "%s/text/word-%u?delay=0.0%02u&etag=1&tag=%u\n", url, word,
                      dice(round, 13), i);
    }
    scratch_write(round->stage->scratch, "list", list.at, list.len);
    blob_release(&list);
}

static const char *path_of(struct round *round, const char *name)
{
    return scratch_path(round->stage->scratch, name);
}

/* A run that is let alone puts what is due beside what is tortured. */
static void fill(struct round *round, const char *to, const char *out, bool lasts,
                 const char **argv)
{
    size_t len = 0;

    argv[len++] = run_weir();
    argv[len++] = "-s";
    argv[len++] = "-a";
    argv[len++] = path_of(round, "list");
    argv[len++] = "--to";
    argv[len++] = path_of(round, to);
    for (size_t i = 0; i < round->n_options; i++)
        argv[len++] = round->options[i];
    if (round->to_files) {
        argv[len++] = "-o";
        argv[len++] = stage_text(round->stage, round->clashes ? "%s/{name}" : "%s/{seq}",
                                 path_of(round, out));
    }
    if (lasts) {
        argv[len++] = "--journal";
        argv[len++] = path_of(round, "journal");
        argv[len++] = "--resume";
    }
    if (lasts && round->has_cache) {
        argv[len++] = "--cache";
        argv[len++] = path_of(round, "cache");
    }
    argv[len] = NULL;
    cr_assert_lt(len, (size_t)ARGS);
}

/* ---- what must be there in the end ---- */

static void read_file(struct round *round, const char *name, struct blob *text)
{
    cr_assert(scratch_read(round->stage->scratch, name, text), "there is no %s", name);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_lines(struct blob *text)
{
    struct blob sorted = {0};
    char *lines[4096], *rest = text->at, *line;
    size_t count = 0;

    while (rest && (line = strsep(&rest, "\n")) != NULL && count < 4096)
        lines[count++] = line;
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++)
        blob_addf(&sorted, "%s\n", lines[i]);
    blob_release(text);
    *text = sorted;
}

static void say(const struct round *round)
{
    fprintf(stderr, "torture: %s%s, %s%s:", round->to_files ? "files" : "one stream",
            round->clashes ? " of few names" : "", round->in_order ? "in order" : "as they come",
            round->has_cache ? ", cached" : "");
    for (size_t i = 0; i < round->n_options; i++)
        fprintf(stderr, " %s", round->options[i]);
    fprintf(stderr, "\n");
}

static void expect_stream(struct round *round)
{
    struct blob to = {0}, due = {0};

    read_file(round, "to", &to);
    read_file(round, "due", &due);
    if (!round->in_order) {
        sort_lines(&to);
        sort_lines(&due);
    }
    size_t same = 0;
    while (same < to.len && same < due.len && to.at[same] == due.at[same])
        same++;
    cr_expect(same == due.len && same == to.len,
              "%zu bytes came for %zu, and differ at %zu: %.300s", to.len, due.len, same,
              same < to.len ? to.at + same : "");
    if (same < due.len || same < to.len)
        say(round);
    blob_release(&to);
    blob_release(&due);
}

static void expect_files(struct round *round)
{
    struct scratch *scratch = round->stage->scratch;

    DIR *names = opendir(path_of(round, "due-out"));
    const struct dirent *name;

    cr_assert(names);
    cr_expect_eq(scratch_count(scratch, "out"), scratch_count(scratch, "due-out"));
    while ((name = readdir(names)) != NULL) {
        struct blob body = {0}, due = {0};
        if (name->d_name[0] == '.')
            continue;
        (void)scratch_read(scratch, stage_text(round->stage, "due-out/%s", name->d_name), &due);
        cr_expect(scratch_read(scratch, stage_text(round->stage, "out/%s", name->d_name), &body),
                  "file %s is missing", name->d_name);
        cr_expect(body.len == due.len && (!due.len || memcmp(body.at, due.at, due.len) == 0),
                  "file %s has %zu bytes of %zu", name->d_name, body.len, due.len);
        blob_release(&body);
        blob_release(&due);
    }
    closedir(names);
}

static uint64_t environment(const char *name, uint64_t usual)
{
    const char *text = getenv(name);

    return text && *text ? strtoull(text, NULL, 10) : usual;
}

static unsigned rounds_of_batch(void)
{
    return (unsigned)environment("TORTURE_ROUNDS", ROUNDS);
}

static uint64_t seed_of(unsigned batch, uint64_t factor, unsigned i)
{
    return environment("TORTURE_SEED", 0) * 100000007 + batch * factor + i;
}

static int run_alone(struct round *round, const char *const *argv)
{
    struct run_result result = program_fetch(argv, NULL);
    int code = result.code;

    cr_assert(code == 0 || code == 1 || (code == 4 && round->clashes), "%s",
              blob_text(&result.err));
    run_result_release(&result);
    scratch_mkdir(round->stage->scratch, "due-out");
    scratch_mkdir(round->stage->scratch, "out");
    return code;
}

static void begin(struct round *round, struct stage *stage, bool has_faults, uint64_t *seed)
{
    *round = (struct round){.stage = stage, .seed = seed, .has_faults = has_faults};
    round->requests = 10 + dice(round, 90);
    roll_options(round);
    write_list(round);
}

static void expect_due(struct round *round)
{
    expect_stream(round);
    if (round->to_files)
        expect_files(round);
}

/* ---- ended ---- */

static unsigned end_and_resume(uint64_t *seed)
{
    static const int signals[] = {SIGKILL, SIGKILL, SIGINT, SIGTERM, 0};
    const char *plain[ARGS], *lasting[ARGS];
    struct stage *stage = stage_new();
    struct round round;

    begin(&round, stage, false, seed);
    fill(&round, "due", "due-out", false, plain);
    fill(&round, "to", "out", true, lasting);
    struct survivor survivor = {.argv = lasting,
                                .signals = signals,
                                .ends_max = 12,
                                .slowest_ms = 15 + 60 * dice(&round, 2),
                                .code = run_alone(&round, plain)};
    unsigned ends = survivor_run(&survivor, seed);
    expect_due(&round);
    stage_free(stage);
    return ends;
}

ParameterizedTestParameters(torture, loses_nothing_to_signals)
{
    static unsigned batches[BATCHES] = {1, 2, 3, 4};

    return cr_make_param_array(unsigned, batches, BATCHES);
}

ParameterizedTest(unsigned *batch, torture, loses_nothing_to_signals, .timeout = 0)
{
    unsigned ends = 0, rounds = rounds_of_batch();

    for (unsigned i = 0; i < rounds; i++) {
        uint64_t seed = seed_of(*batch, 1000003, i);
        ends += end_and_resume(&seed);
    }
    fprintf(stderr, "torture: batch %u survived %u ends in %u rounds\n", *batch, ends, rounds);
    cr_expect(ends > rounds || rounds < ROUNDS, "it was hardly ever ended");
}

/* ---- met by faults ---- */

static const char *roll_fault(struct round *round)
{
    static const char *const faults[] = {
        "write:%u:short",   "write+:%u:short",  "write:%u:EINTR",   "write:%u:ENOSPC",
        "write+:%u:EIO",    "write+:%u:ENOSPC", "fsync:%u:EIO",     "fsync+:%u:ENOSPC",
        "rename:%u:EIO",    "rename+:%u:EIO",   "rename:%u:EINTR",  "fdatasync:%u:EIO",
        "fdatasync+:1:EIO", "write:%u:EIO",     "ftruncate:%u:EIO",
    };
    const char *fault = faults[dice(round, sizeof faults / sizeof *faults)];
    unsigned most = strstr(fault, "truncate") ? 2 : round->to_files ? 2 * round->requests : 10;

    struct blob plan = {0};
    blob_add_text(&plan, "FAULTY=");
    const char *number = strstr(fault, "%u");
    blob_add(&plan, fault, number ? (size_t)(number - fault) : strlen(fault));
    if (number)
        blob_addf(&plan, "%u%s", 1 + dice(round, most), number + 2);
    const char *text = stage_text(round->stage, "%s", blob_text(&plan));
    blob_release(&plan);
    return text;
}

/* True if the fault showed in how it ended. */
static bool run_with_fault(struct round *round, const char *const *argv)
{
    const char *fault = roll_fault(round);
    const char *const env[] = {
        "LD_PRELOAD=" FAULTY_LIBRARY, fault, "http_proxy", "all_proxy", "LC_ALL=C", NULL};
    struct run_result result = program_run((struct run_options){.argv = argv, .env = env});
    bool showed = result.code == 4;

    bool is_good = result.code == 0 || result.code == 1 || result.code == 4;
    if (!is_good)
        say(round);
    cr_expect(is_good, "%s made it %d: %s", fault, result.code, blob_text(&result.err));
    run_result_release(&result);
    return showed;
}

/* What failed for the disk's sake is done again, so records come in another order, with those of
 * the failures among them: files are what counts then. */
static unsigned fail_and_resume(uint64_t *seed)
{
    const char *plain[ARGS], *lasting[ARGS + 1];
    struct stage *stage = stage_new();
    struct round round;
    unsigned showed = 0;
    size_t len = 0;

    begin(&round, stage, true, seed);
    fill(&round, "due", "due-out", false, plain);
    fill(&round, "to", "out", true, lasting);
    while (lasting[len])
        len++;
    lasting[len] = round.to_files ? "--retry-failed" : NULL;
    lasting[len + 1] = NULL;
    int code = run_alone(&round, plain);
    for (int i = 0; i < 3; i++)
        showed += run_with_fault(&round, lasting);
    program_expect(program_fetch(lasting, NULL), code, "", "");
    if (round.to_files)
        expect_files(&round);
    else
        expect_stream(&round);
    stage_free(stage);
    return showed;
}

ParameterizedTestParameters(torture, loses_nothing_to_faults)
{
    static unsigned batches[BATCHES] = {1, 2, 3, 4};

    return cr_make_param_array(unsigned, batches, BATCHES);
}

ParameterizedTest(unsigned *batch, torture, loses_nothing_to_faults, .timeout = 0)
{
    unsigned showed = 0, rounds = rounds_of_batch();

    for (unsigned i = 0; i < rounds; i++) {
        uint64_t seed = seed_of(*batch, 7000003, i);
        showed += fail_and_resume(&seed);
    }
    fprintf(stderr,
            "torture: batch %u survived %u runs with a fault, of which %u could not go on\n",
            *batch, 3 * rounds, showed);
    cr_expect(showed > rounds / 2 || rounds < ROUNDS, "hardly a fault was met");
}
