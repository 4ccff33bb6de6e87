/* --journal: what one run finished, the next does not do again. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "moment.h"
#include "program.h"
#include "record.h"
#include "stage.h"
#include "survivor.h"

static const int kill_only[] = {SIGKILL, 0};

static const char *text_of(struct stage *stage, const char *name)
{
    struct blob text = {0};

    cr_assert(scratch_read(stage->scratch, name, &text), "there is no %s", name);
    const char *copy = stage_text(stage, "%s", blob_text(&text));
    blob_release(&text);
    return copy;
}

static const char *path_of(struct stage *stage, const char *name)
{
    return scratch_path(stage->scratch, name);
}

static size_t lines_of(struct stage *stage, const char *name, const char *start)
{
    const char *line = text_of(stage, name);
    size_t count = 0;

    while (*line) {
        count += strncmp(line, start, strlen(start)) == 0;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return count;
}

/* Requests of all kinds, from `first` up to `end`: most take a moment, every seventh fails, every
 * eleventh has a body of some size, every thirteenth is one and the same. */
static void add_lines(struct stage *stage, struct blob *list, unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++) {
        const char *url = origin_url(stage->origin);
        if (i % 13 == 5)
            blob_addf(list, "%s/text/same?delay=0.002\n", url);
        else if (i % 7 == 3)
            blob_addf(list, "%s/text/bad-%u?status=404&delay=0.004\n", url, i);
        else if (i % 11 == 1)
            blob_addf(list, "%s/bytes/150000?ascii=1&tag=%u\n", url, i);
        else
            blob_addf(list, "%s/text/word-%u?delay=0.0%u\n", url, i, i % 4);
    }
}

static const char *list_of(struct stage *stage, unsigned count)
{
    struct blob list = {0};

    add_lines(stage, &list, 0, count);
    const char *path = scratch_write(stage->scratch, "list", list.at, list.len);
    blob_release(&list);
    return path;
}

#define JOURNAL(stage) "--journal", path_of(stage, "journal")
#define RESUME(stage)  JOURNAL(stage), "--resume"
#define FIELDS         "--jsonl", "--fields", "seq,url,ok,reason,http_code,attempts,body"

/* ---- killed and resumed ---- */

struct way {
    char options[6][24];
};

static struct way ways[] = {
    {{"--format=raw"}},
    {{"--jsonl", "--fields=seq,url,body"}},
    {{"--format=tsv", "--fields=seq,reason"}},
    {{"--format=raw", "--sync=0"}},
    {{"--jsonl", "--fields=seq,url", "-j1"}},
    {{"--format=raw", "--window=4", "-j3"}},
};

ParameterizedTestParameters(journal, makes_a_killed_run_whole)
{
    return cr_make_param_array(struct way, ways, sizeof ways / sizeof *ways);
}

static size_t fill(const char **argv, size_t len, struct way *way)
{
    for (size_t i = 0; i < 6 && way->options[i][0]; i++)
        argv[len++] = way->options[i];
    return len;
}

ParameterizedTest(struct way *way, journal, makes_a_killed_run_whole)
{
    struct stage *stage = stage_new();
    const char *list = list_of(stage, 150), *to = path_of(stage, "to");
    const char *plain[24] = {
        run_weir(), "-s", "-j6", "-a", list, "--to", path_of(stage, "expected")};
    const char *lasting[24] = {run_weir(), "-s", "-j6", "-a", list, "--to", to, RESUME(stage)};
    uint64_t seed = 7 + (uint64_t)(way->options[0][2]);

    fill(plain, 7, way);
    fill(lasting, 10, way);
    program_expect(program_fetch(plain, NULL), 1, "", "");
    struct survivor survivor = {
        .argv = lasting, .signals = kill_only, .ends_max = 12, .slowest_ms = 120, .code = 1};
    cr_expect_gt(survivor_run(&survivor, &seed), 0, "it was never killed");
    cr_expect_str_eq(text_of(stage, "to"), text_of(stage, "expected"));
    cr_expect_eq(lines_of(stage, "journal", "done "), 150);

    uint64_t before = origin_counts(stage->origin).requests;
    program_expect(program_fetch(lasting, NULL), 1, "", "");
    cr_expect_eq(origin_counts(stage->origin).requests, before, "all was done");
    cr_expect_str_eq(text_of(stage, "to"), text_of(stage, "expected"));
    stage_free(stage);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *sorted(struct stage *stage, const char *name)
{
    char *text = strdup(text_of(stage, name)), *rest = text, *line;
    struct blob all = {0};
    const char *lines[1024];
    size_t count = 0;

    while ((line = strsep(&rest, "\n")) != NULL && count < 1024)
        lines[count++] = line;
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++)
        blob_addf(&all, "%s\n", lines[i]);
    const char *copy = stage_text(stage, "%s", blob_text(&all));
    blob_release(&all);
    free(text);
    return copy;
}

Test(journal, makes_a_killed_run_whole_in_order_of_completion)
{
    struct stage *stage = stage_new();
    const char *list = list_of(stage, 150);
    uint64_t seed = 11;

    program_expect(program_fetch(RUN_WEIR("-s", "-j6", "-a", list, FIELDS, "--to",
                                          path_of(stage, "expected"), "--order=completion"),
                                 NULL),
                   1, "", "");
    struct survivor survivor = {.argv = RUN_WEIR("-s", "-j6", "-a", list, FIELDS, "--to",
                                                 path_of(stage, "to"), "--order=completion",
                                                 RESUME(stage)),
                                .signals = kill_only,
                                .ends_max = 12,
                                .slowest_ms = 120,
                                .code = 1};
    cr_expect_gt(survivor_run(&survivor, &seed), 0, "it was never killed");
    /* Which of equal requests was done is not known, so `seq` may be another's. */
    cr_expect_eq(lines_of(stage, "to", ""), 150);
    cr_expect_eq(lines_of(stage, "journal", "done "), 150);
    cr_expect_eq(strlen(sorted(stage, "to")), strlen(sorted(stage, "expected")));
    stage_free(stage);
}

static void expect_urls_once(struct stage *stage, const json_t *records, unsigned count)
{
    size_t same = 0;

    cr_expect_eq(json_array_size(records), count);
    for (unsigned i = 0; i < count; i++) {
        const char *word = stage_text(stage, "-%u?", i), *tag = stage_text(stage, "tag=%u", i);
        size_t seen = 0;
        for (size_t k = 0; k < json_array_size(records); k++) {
            const char *url = record_text(record_at(records, k), "url");
            const char *found = strstr(url, tag);
            seen += strstr(url, word) != NULL || (found && !found[strlen(tag)]);
        }
        cr_expect_eq(seen, i % 13 == 5 ? 0 : 1, "request %u is there %zu times", i, seen);
        same += i % 13 == 5;
    }
    for (size_t k = 0; k < json_array_size(records); k++)
        same -= strstr(record_text(record_at(records, k), "url"), "/same?") != NULL;
    cr_expect_eq(same, 0);
}

/* A list that is turned around, and longer. */
Test(journal, takes_a_list_that_has_grown_and_was_reordered)
{
    struct stage *stage = stage_new();
    struct blob list = {0};
    const char *path = list_of(stage, 60);

    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("-s", "-j6", "-a", path, "--jsonl", "--to",
                                              path_of(stage, "to"), RESUME(stage))});
    cr_assert(origin_wait_requests(stage->origin, 40, patience));
    run_signal(run, SIGKILL);
    struct run_result killed = program_end(run);
    run_result_release(&killed);
    uint64_t done = lines_of(stage, "journal", "done ");

    add_lines(stage, &list, 40, 90);
    add_lines(stage, &list, 0, 40);
    scratch_write(stage->scratch, "list", list.at, list.len);
    program_expect(program_fetch(RUN_WEIR("-s", "-j6", "-a", path, "--jsonl", "--to",
                                          path_of(stage, "to"), RESUME(stage)),
                                 NULL),
                   1, "", "");
    blob_clear(&list, 0);
    cr_assert(scratch_read(stage->scratch, "to", &list));
    json_t *records = records_read(&list);
    expect_urls_once(stage, records, 90);
    for (size_t i = (size_t)done + 1; i < json_array_size(records); i++)
        cr_expect_lt(record_number(record_at(records, i - 1), "seq"),
                     record_number(record_at(records, i), "seq"), "in the list's order");
    json_decref(records);
    blob_release(&list);
    stage_free(stage);
}

Test(journal, counts_equal_requests)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");
    const char *to = path_of(stage, "to");

    program_expect(program_fetch(RUN_WEIR("--to", to, JOURNAL(stage), url, url), NULL), 0, "", "");
    program_expect(program_fetch(RUN_WEIR("--to", to, RESUME(stage), url, url, url, url), NULL), 0,
                   "", "");
    stage_expect_file(stage, "to", "a\na\na\na\n");
    cr_expect_eq(origin_counts(stage->origin).requests, 4);
    program_expect(program_fetch(RUN_WEIR("--to", to, RESUME(stage), url), NULL), 0, "", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 4);
    stage_free(stage);
}

Test(journal, that_holds_results_is_not_given_up_by_a_missing_word)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a"), *to = path_of(stage, "to");

    for (int i = 1; i <= 2; i++) {
        const char *words = stage_text(stage,
                                       "--journal: %s holds %d result%s: --resume goes on behind "
                                       "them, --restart starts it and the file of --to empty",
                                       path_of(stage, "journal"), i, i == 1 ? "" : "s");
        program_expect(
            program_fetch(RUN_WEIR("-s", "--to", to, RESUME(stage), url, i == 1 ? NULL : url),
                          NULL),
            0, "", "");
        const char *before = text_of(stage, "journal");
        program_expect(program_fetch(RUN_WEIR("-s", "--to", to, JOURNAL(stage), url), NULL), 2, "",
                       words);
        cr_expect_str_eq(text_of(stage, "journal"), before);
        stage_expect_file(stage, "to", i == 1 ? "a\n" : "a\na\n");
    }
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    stage_free(stage);
}

Test(journal, is_started_anew_where_that_is_asked_for)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a"), *to = path_of(stage, "to");

    for (int i = 0; i < 2; i++)
        program_expect(
            program_fetch(RUN_WEIR("--to", to, JOURNAL(stage), "--restart", url, url), NULL), 0, "",
            "");
    stage_expect_file(stage, "to", "a\na\n");
    cr_expect_eq(origin_counts(stage->origin).requests, 4);
    cr_expect_eq(lines_of(stage, "journal", "run "), 1);
    cr_expect_eq(lines_of(stage, "journal", "done "), 2);
    stage_free(stage);
}

/* A run that was ended before its first result has nothing to lose. */
Test(journal, without_results_needs_no_word)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a"), *to = path_of(stage, "to");

    for (int i = 0; i < 2; i++)
        program_expect(program_fetch(RUN_WEIR("--to", to, JOURNAL(stage)), NULL), 0, "", "");
    program_expect(program_fetch(RUN_WEIR("--to", to, JOURNAL(stage), url), NULL), 0, "", "");
    stage_expect_file(stage, "to", "a\n");
    stage_free(stage);
}

/* ---- failures ---- */

/* The first time it is not found, then it is. */
Test(journal, counts_failures_as_done_unless_told_to_retry_them)
{
    struct stage *stage = stage_new();
    const char *bad = stage_url(stage, "/text/bad?failtimes=1&status=404");
    const char *good = stage_url(stage, "/text/good"), *to = path_of(stage, "to");

    program_expect(program_fetch(RUN_WEIR("-s", "--to", to, JOURNAL(stage), bad, good), NULL), 1,
                   "", "");
    cr_expect_eq(lines_of(stage, "journal", "done "), 2);
    program_expect(program_fetch(RUN_WEIR("-s", "--to", to, RESUME(stage), bad, good), NULL), 1, "",
                   "");
    cr_expect_eq(origin_counts(stage->origin).requests, 2, "it is done");
    stage_expect_file(stage, "to", "good\n");
    for (int i = 0; i < 2; i++) {
        program_expect(
            program_fetch(RUN_WEIR("-s", "--to", to, JOURNAL(stage), "--retry-failed", bad, good),
                          NULL),
            0, "", "");
        stage_expect_file(stage, "to", "good\nbad\n");
        cr_expect_eq(origin_counts(stage->origin).requests, 3, "once more and no more");
    }
    cr_expect_eq(lines_of(stage, "journal", "redo "), 1);
    program_expect(program_fetch(RUN_WEIR("--compact", JOURNAL(stage)), NULL), 0, "", "");
    cr_expect_eq(lines_of(stage, "journal", "redo "), 0);
    cr_expect_eq(lines_of(stage, "journal", "done "), 2);
    program_expect(program_fetch(RUN_WEIR("-s", "--to", to, RESUME(stage), bad, good), NULL), 0, "",
                   "");
    cr_expect_eq(origin_counts(stage->origin).requests, 3);
    stage_expect_file(stage, "to", "good\nbad\n");
    stage_free(stage);
}

Test(journal, leaves_nothing_of_a_rewriting_that_was_killed_for_long)
{
    struct stage *stage = stage_new();
    const char *const env[] = {"LD_PRELOAD=" FAULTY_LIBRARY,
                               "FAULTY=rename:1:kill",
                               "http_proxy",
                               "all_proxy",
                               "LC_ALL=C",
                               NULL};

    program_expect(program_fetch(RUN_WEIR(JOURNAL(stage), stage_url(stage, "/text/a")), NULL), 0,
                   "a\n", "");
    long count = scratch_count(stage->scratch, "");
    for (int i = 0; i < 3; i++)
        program_expect(program_run((struct run_options){
                           .argv = RUN_WEIR("--compact", JOURNAL(stage)), .env = env}),
                       137, "", "");
    cr_expect_eq(scratch_count(stage->scratch, ""), count + 1, "each kill leaves one more");
    program_expect(program_fetch(RUN_WEIR("--compact", JOURNAL(stage)), NULL), 0, "", "");
    cr_expect_eq(scratch_count(stage->scratch, ""), count, "something is left behind");
    stage_free(stage);
}

Test(journal, knows_lines_that_are_no_requests)
{
    struct stage *stage = stage_new();
    const char *input = stage_text(stage, "{\n%s\n{]\n", stage_url(stage, "/text/a"));
    const char *const *argv = RUN_WEIR("-s", FIELDS, "--to", path_of(stage, "to"), RESUME(stage));

    for (int i = 0; i < 2; i++) {
        program_expect(program_fetch(argv, input), 1, "", "");
        cr_expect_eq(lines_of(stage, "to", "{"), 3);
        cr_expect_eq(lines_of(stage, "journal", "done "), 3);
    }
    stage_free(stage);
}

/* ---- halted ---- */

struct ended {
    char option[24];
    int code;
};

ParameterizedTestParameters(journal, goes_on_where_a_run_was_halted)
{
    static struct ended ends[] = {{"--halt=now,done=20", 0},
                                  {"--halt=soon,done=20", 0},
                                  {"--halt=now,fail=3", 3},
                                  {"--fail-fast", 3},
                                  {"--deadline=0.1", 3}};

    return cr_make_param_array(struct ended, ends, sizeof ends / sizeof *ends);
}

ParameterizedTest(struct ended *ended, journal, goes_on_where_a_run_was_halted)
{
    struct stage *stage = stage_new();
    const char *list = list_of(stage, 120);
    const char *to = path_of(stage, "to");

    program_expect(
        program_fetch(RUN_WEIR("-s", "-j8", "-a", list, FIELDS, "--to", path_of(stage, "expected")),
                      NULL),
        1, "", "");
    struct run_result result = program_fetch(
        RUN_WEIR("-s", "-j8", "-a", list, FIELDS, "--to", to, RESUME(stage), ended->option), NULL);
    cr_expect(result.code == ended->code || result.code == 1, "%d", result.code);
    run_result_release(&result);
    cr_expect_null(strstr(text_of(stage, "to"), "halted"), "that is left for later");
    cr_expect_null(strstr(text_of(stage, "journal"), "halted"));
    cr_expect_eq(
        strncmp(text_of(stage, "expected"), text_of(stage, "to"), strlen(text_of(stage, "to"))), 0,
        "it is the beginning of all");
    program_expect(
        program_fetch(RUN_WEIR("-s", "-j8", "-a", list, FIELDS, "--to", to, RESUME(stage)), NULL),
        1, "", "");
    cr_expect_str_eq(text_of(stage, "to"), text_of(stage, "expected"));
    stage_free(stage);
}

Test(journal, goes_on_where_a_signal_ended_a_run)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, 0};
    struct stage *stage = stage_new();
    const char *list = list_of(stage, 150);
    uint64_t seed = 3;

    program_expect(
        program_fetch(RUN_WEIR("-s", "-j6", "-a", list, FIELDS, "--to", path_of(stage, "expected")),
                      NULL),
        1, "", "");
    struct survivor survivor = {.argv = RUN_WEIR("-s", "-j6", "-a", list, FIELDS, "--to",
                                                 path_of(stage, "to"), RESUME(stage)),
                                .signals = signals,
                                .ends_max = 12,
                                .slowest_ms = 120,
                                .code = 1};
    cr_expect_gt(survivor_run(&survivor, &seed), 0);
    cr_expect_str_eq(text_of(stage, "to"), text_of(stage, "expected"));
    stage_free(stage);
}

/* ---- refused ---- */

Test(journal, tells_why_a_run_with_nothing_to_do_failed)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/bad?status=404"), *to = path_of(stage, "to");

    program_expect(program_fetch(RUN_WEIR("-s", "--to", to, JOURNAL(stage), url), NULL), 1, "", "");
    program_expect(program_fetch(RUN_WEIR("--summary=none", "--to", to, RESUME(stage), url), NULL),
                   1, "",
                   "weir: failed in an earlier run and not tried again: 1 (--retry-failed does)\n");
    stage_free(stage);
}

Test(journal, is_needed_to_resume)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");

    program_expect(program_fetch(RUN_WEIR("--resume", url), NULL), 2, "",
                   "--resume: needs --journal");
    program_expect(program_fetch(RUN_WEIR("--retry-failed", url), NULL), 2, "",
                   "--retry-failed: needs --journal");
    program_expect(program_fetch(RUN_WEIR("--compact"), NULL), 2, "", "--compact: needs --journal");
    program_expect(program_fetch(RUN_WEIR("--restart", url), NULL), 2, "",
                   "--restart: needs --journal");
    program_expect(program_fetch(RUN_WEIR(RESUME(stage), "--restart", url), NULL), 2, "",
                   "--restart: starts what --resume goes on with");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

Test(journal, is_no_place_for_results)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("--to", path_of(stage, "journal"), JOURNAL(stage),
                                          stage_url(stage, "/text/a")),
                                 NULL),
                   2, "", "is the file of --to");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

Test(journal, that_is_none_is_refused_and_untouched)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a"), *to = path_of(stage, "to");

    scratch_write_text(stage->scratch, "to", "kept\n");
    scratch_write_text(stage->scratch, "journal", "a diary\n");
    program_expect(program_fetch(RUN_WEIR("--to", to, RESUME(stage), url), NULL), 2, "",
                   "is no journal of weir");
    program_expect(program_fetch(RUN_WEIR("--to", to, JOURNAL(stage), url), NULL), 2, "",
                   "is no journal of weir");
    program_expect(program_fetch(RUN_WEIR("--compact", JOURNAL(stage)), NULL), 2, "",
                   "is no journal of weir");
    stage_expect_file(stage, "journal", "a diary\n");
    stage_expect_file(stage, "to", "kept\n");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

Test(journal, does_not_take_somebody_elses_results_for_its_own)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a"), *to = path_of(stage, "to");

    scratch_write_text(stage->scratch, "to", "kept\n");
    for (int i = 0; i < 2; i++) {
        program_expect(program_fetch(RUN_WEIR("--to", to, RESUME(stage), url), NULL), 2, "",
                       "has data from another run: move it, or use its journal");
        stage_expect_file(stage, "to", "kept\n");
    }
    program_expect(program_fetch(RUN_WEIR("--to", to, JOURNAL(stage), url), NULL), 0, "", "");
    stage_expect_file(stage, "to", "a\n");
    stage_free(stage);
}

Test(journal, is_one_runs_at_a_time)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a?silent=1"), *to = path_of(stage, "to");
    struct run *run =
        program_spawn((struct run_options){.argv = RUN_WEIR("--to", to, JOURNAL(stage), url)});

    cr_assert(origin_wait_requests(stage->origin, 1, patience));
    const char *words = stage_text(stage, "is in use by process %d", (int)run_pid(run));
    const char *before = text_of(stage, "journal");
    program_expect(program_fetch(RUN_WEIR("--to", to, RESUME(stage), url), NULL), 2, "", words);
    program_expect(program_fetch(RUN_WEIR("--to", to, JOURNAL(stage), url), NULL), 2, "", words);
    program_expect(program_fetch(RUN_WEIR("--compact", JOURNAL(stage)), NULL), 2, "", words);
    cr_expect_str_eq(text_of(stage, "journal"), before);
    cr_expect_eq(origin_counts(stage->origin).requests, 1);
    run_free(run);
    stage_free(stage);
}

Test(journal, that_cannot_be_opened_is_told)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");

    program_expect(program_fetch(RUN_WEIR("--journal", "/no/such/journal", url), NULL), 4, "",
                   "cannot use the journal /no/such/journal: ");
    program_expect(program_fetch(RUN_WEIR("--journal", "/dev/full", url), NULL), 2, "",
                   "is no regular file");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

/* ---- a pipe ---- */

Test(journal, warns_once_that_a_pipe_may_have_it_twice)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a"), *b = stage_url(stage, "/text/b");
    const char *warning = "weir: --resume: without --to or -o a result may come out twice\n";

    program_expect(program_fetch(RUN_WEIR(JOURNAL(stage), a), NULL), 0, "a\n", "");
    struct run_result result = program_fetch(RUN_WEIR(RESUME(stage), a, b), NULL);
    cr_expect_str_eq(blob_text(&result.err), warning);
    program_expect(result, 0, "b\n", NULL);
    program_expect(program_fetch(RUN_WEIR("-s", RESUME(stage), a, b), NULL), 0, "", "");
    program_expect(program_fetch(RUN_WEIR("--to", path_of(stage, "to"), RESUME(stage), a, b), NULL),
                   0, "", "");
    stage_free(stage);
}

/* ---- a disk that is full ---- */

/* A file that may not grow stands for it: bodies and records are small, the journal is not. */
Test(journal, that_cannot_be_written_ends_the_run_which_can_be_resumed)
{
    struct stage *stage = stage_new();
    struct blob list = {0}, expected = {0};

    for (int i = 0; i < 100; i++) {
        blob_addf(&list, "%s/text/%d?tag=%0100d\n", origin_url(stage->origin), i, i);
        blob_addf(&expected, "%d\n", i);
    }
    const char *path = scratch_write(stage->scratch, "list", list.at, list.len);
    const char *const argv[] = {"sh",
                                "-c",
                                "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$@\"",
                                run_weir(),
                                "-a",
                                path,
                                "--to",
                                path_of(stage, "to"),
                                RESUME(stage),
                                NULL};
    for (int i = 0; i < 2; i++) {
        program_expect(program_run((struct run_options){.argv = argv}), 4, "",
                       "cannot write the journal");
        const char *to = text_of(stage, "to");
        cr_expect_eq(strncmp(blob_text(&expected), to, strlen(to)), 0, "%s", to);
    }
    program_expect(program_fetch(argv + 3, NULL), 0, "", "");
    stage_expect_file(stage, "to", blob_text(&expected));
    cr_expect_eq(lines_of(stage, "journal", "done "), 100);
    blob_release(&list);
    blob_release(&expected);
    stage_free(stage);
}
