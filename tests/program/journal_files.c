/* --journal with -o: none is lost, none is there twice, and nothing half-made stays. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/key.h"
#include "deliver/journal_line.h"
#include "program.h"
#include "record.h"
#include "stage.h"
#include "survivor.h"

static const int kill_only[] = {SIGKILL, 0};

#define RESUME(stage) \
    "--journal", scratch_path((stage)->scratch, "journal"), "--resume", "-o", template_of(stage)

static const char *template_of(struct stage *stage)
{
    return stage_text(stage, "%s/out/{seq}", scratch_dir(stage->scratch));
}

static const char *path_of(struct stage *stage, const char *name)
{
    return scratch_path(stage->scratch, name);
}

/* The journal as it is, its last line (or lines) starting with `start` taken off. */
static void cut_journal(struct stage *stage, const char *start)
{
    struct blob text = {0};
    size_t end = 0;

    cr_assert(scratch_read(stage->scratch, "journal", &text));
    for (size_t at = 0; at < text.len; at += strcspn(text.at + at, "\n") + 1) {
        if (strncmp(text.at + at, start, strlen(start)) == 0)
            end = at;
    }
    cr_assert_gt(end, 0, "%s", text.at);
    scratch_write(stage->scratch, "journal", text.at, end + strlen(start)); /* torn */
    blob_release(&text);
}

/* ---- killed and resumed ---- */

static void expect_bodies(struct stage *stage, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        const char *name = stage_text(stage, "out/%u", i);
        if (i % 9 == 0) {
            cr_expect_not(scratch_exists(stage->scratch, name), "%s failed", name);
        } else if (i % 5 == 0) {
            struct blob body = {0}, due = {0};
            cr_expect(scratch_read(stage->scratch, name, &body), "%s is lost", name);
            origin_body(stage_text(stage, "/bytes/90000?tag=%u", i), 90000, &due);
            cr_expect(body.len == due.len && memcmp(body.at, due.at, due.len) == 0, "%s", name);
            blob_release(&body);
            blob_release(&due);
        } else {
            stage_expect_file(stage, name, stage_text(stage, i % 8 == 7 ? "same\n" : "%u\n", i));
        }
    }
    cr_expect_eq(scratch_count(stage->scratch, "out"), count - count / 9,
                 "something is left behind, or there twice");
}

static void write_list(struct stage *stage, unsigned count)
{
    struct blob list = {0};

    for (unsigned i = 1; i <= count; i++) {
        if (i % 9 == 0)
            blob_addf(&list, "%s/text/%u?status=404\n", origin_url(stage->origin), i);
        else if (i % 5 == 0)
            blob_addf(&list, "%s/bytes/90000?tag=%u&drip=30000,0.01\n", origin_url(stage->origin),
                      i);
        else if (i % 8 == 7)
            blob_addf(&list, "%s/text/same\n", origin_url(stage->origin));
        else
            blob_addf(&list, "%s/text/%u?delay=0.0%u\n", origin_url(stage->origin), i, i % 3);
    }
    scratch_write(stage->scratch, "list", list.at, list.len);
    blob_release(&list);
}

struct conflict {
    char option[32];
    char order[24];
};

ParameterizedTestParameters(journal, makes_the_files_of_a_killed_run_whole)
{
    static struct conflict conflicts[] = {{"--on-conflict=number", "--order=input"},
                                          {"--on-conflict=fail", "--order=input"},
                                          {"--on-conflict=replace", "--order=input"}};

    return cr_make_param_array(struct conflict, conflicts, sizeof conflicts / sizeof *conflicts);
}

ParameterizedTest(struct conflict *conflict, journal, makes_the_files_of_a_killed_run_whole)
{
    struct stage *stage = stage_new();
    uint64_t seed = (uint64_t)conflict->option[14];

    write_list(stage, 90);
    struct survivor survivor = {.argv = RUN_WEIR("-s", "-j5", "-a", path_of(stage, "list"),
                                                 "--jsonl", "--to", path_of(stage, "to"),
                                                 conflict->option, conflict->order, RESUME(stage)),
                                .signals = kill_only,
                                .ends_max = 25,
                                .slowest_ms = 60,
                                .code = 1};
    cr_expect_gt(survivor_run(&survivor, &seed), 0, "it was never killed");
    expect_bodies(stage, 90);
    struct blob to = {0};
    cr_assert(scratch_read(stage->scratch, "to", &to));
    json_t *records = records_read(&to);
    cr_assert_eq(json_array_size(records), 90);
    for (size_t i = 0; i < 90; i++) {
        const json_t *record = record_at(records, i);
        cr_expect_eq(record_number(record, "seq"), (long long)i + 1);
        if (record_has(record, "body_file"))
            cr_expect_str_eq(record_text(record, "body_file"),
                             path_of(stage, stage_text(stage, "out/%zu", i + 1)));
    }
    json_decref(records);
    blob_release(&to);
    stage_free(stage);
}

/* ---- the name that was noted ---- */

static struct criterion_test_params each_conflict(void)
{
    static struct conflict conflicts[] = {{"--on-conflict=number", "-j1"},
                                          {"--on-conflict=fail", "-j1"},
                                          {"--on-conflict=replace", "-j1"},
                                          {"--skip-existing", "-j1"}};

    return cr_make_param_array(struct conflict, conflicts, sizeof conflicts / sizeof *conflicts);
}

ParameterizedTestParameters(journal, knows_its_own_file)
{
    return each_conflict();
}

/* As if it had been killed between the file's naming and the line that says it is done. */
ParameterizedTest(struct conflict *conflict, journal, knows_its_own_file)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a"), *b = stage_url(stage, "/text/b?status=203");
    const char *const *argv =
        RUN_WEIR("-s", conflict->option, "--jsonl", "--fields=seq,ok,http_code,size_body", "--to",
                 path_of(stage, "to"), RESUME(stage), a, b);

    program_expect(program_fetch(argv, NULL), 0, "", "");
    cut_journal(stage, "done ");
    program_expect(program_fetch(argv, NULL), 0, "", "");
    stage_expect_file(stage, "out/1", "a\n");
    stage_expect_file(stage, "out/2", "b\n");
    stage_expect_file(stage, "to",
                      "{\"seq\":1,\"ok\":true,\"http_code\":200,\"size_body\":2}\n"
                      "{\"seq\":2,\"ok\":true,\"http_code\":203,\"size_body\":2}\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 2, "it is there twice");
    cr_expect_eq(origin_counts(stage->origin).requests, 2, "it was there");
    stage_free(stage);
}

ParameterizedTestParameters(journal, takes_no_file_with_other_bytes_for_its_own)
{
    return each_conflict();
}

/* The same, and somebody has changed the file since: it is as long as before. */
ParameterizedTest(struct conflict *conflict, journal, takes_no_file_with_other_bytes_for_its_own)
{
    struct stage *stage = stage_new();
    const char *const *argv =
        RUN_WEIR("-s", conflict->option, RESUME(stage), stage_url(stage, "/text/a"));
    bool fails = strstr(conflict->option, "fail"), replaces = strstr(conflict->option, "replace");

    program_expect(program_fetch(argv, NULL), 0, "", "");
    cut_journal(stage, "done ");
    scratch_write_text(stage->scratch, "out/1", "?\n");
    program_expect(program_fetch(argv, NULL), fails ? 4 : 0, "", "");
    stage_expect_file(stage, "out/1", replaces ? "a\n" : "?\n");
    if (strstr(conflict->option, "number"))
        stage_expect_file(stage, "out/1.1", "a\n");
    stage_free(stage);
}

/* An older line has no digest. */
Test(journal, takes_no_file_for_its_own_by_the_name_alone)
{
    struct stage *stage = stage_new();
    const char *const *argv =
        RUN_WEIR("-s", "--on-conflict=number", RESUME(stage), stage_url(stage, "/text/a"));
    struct buf line;

    buf_init(&line);
    struct journal_line head = {.kind = JOURNAL_HEAD, .version = JOURNAL_VERSION};
    struct journal_line name = {.kind = JOURNAL_NAME,
                                .key = key_of_text(stage_url(stage, "/text/a")),
                                .text = path_of(stage, "out/1")};
    name.len = strlen(name.text);
    journal_line_add(&head, &line);
    journal_line_add(&name, &line);
    scratch_write(stage->scratch, "journal", line.data, line.len);
    buf_release(&line);
    scratch_write_text(stage->scratch, "out/1", "a\n");
    program_expect(program_fetch(argv, NULL), 0, "", "");
    stage_expect_file(stage, "out/1", "a\n");
    stage_expect_file(stage, "out/1.1", "a\n");
    stage_free(stage);
}

/* ---- a disk that takes no more ---- */

struct full {
    char fault[32];
    char words[32];
    int done; /* of three */
};

ParameterizedTestParameters(journal, goes_on_by_the_same_line_once_the_disk_takes_more)
{
    static struct full fulls[] = {
        {"write:2:ENOSPC", "No space left on device", 0}, {"write:5:EDQUOT", "Disk quota", 1},
        {"fsync:2:ENOSPC", "No space left on device", 0}, {"fsync:4:EDQUOT", "Disk quota", 1},
        {"rename:1:EROFS", "Read-only file system", 0},   {"rename:2:ENOSPC", "No space left", 1}};

    return cr_make_param_array(struct full, fulls, sizeof fulls / sizeof *fulls);
}

ParameterizedTest(struct full *full, journal, goes_on_by_the_same_line_once_the_disk_takes_more)
{
    struct stage *stage = stage_new();
    const char *fault = stage_text(stage, "FAULTY=%s", full->fault);
    const char *const env[] = {
        "LD_PRELOAD=" FAULTY_LIBRARY, fault, "http_proxy", "all_proxy", "LC_ALL=C", NULL};
    const char *const *argv =
        RUN_WEIR("-s", "-j1", "--jsonl", "--fields=seq,ok", "--to", path_of(stage, "to"),
                 RESUME(stage), stage_url(stage, "/text/[1-3]"));

    program_expect(program_run((struct run_options){.argv = argv, .env = env}), 4, "", full->words);
    cr_expect_eq(scratch_count(stage->scratch, "out"), full->done);
    cr_expect_eq(origin_counts(stage->origin).requests, (uint64_t)full->done + 1, "it went on");
    stage_expect_file(stage, "to", full->done ? "{\"seq\":1,\"ok\":true}\n" : "");
    program_expect(program_fetch(argv, NULL), 0, "", "");
    for (int i = 1; i <= 3; i++)
        stage_expect_file(stage, stage_text(stage, "out/%d", i), stage_text(stage, "%d\n", i));
    cr_expect_eq(scratch_count(stage->scratch, "out"), 3);
    stage_expect_file(
        stage, "to", "{\"seq\":1,\"ok\":true}\n{\"seq\":2,\"ok\":true}\n{\"seq\":3,\"ok\":true}\n");
    stage_free(stage);
}

/* The name is taken as the file is to have it, and the journal is full as it is to have the next: the
 * words are those of the journal, whichever of its lines it is. */
Test(journal, says_nothing_of_a_name_that_was_taken_before_the_disk_was_full)
{
    enum { WRITES = 8 };
    bool was_taken = false;

    for (int i = 2; i <= WRITES; i++) {
        struct stage *stage = stage_new();
        const char *fault = stage_text(stage, "FAULTY=rename:1:EEXIST,write:%d:ENOSPC", i);
        const char *const env[] = {
            "LD_PRELOAD=" FAULTY_LIBRARY, fault, "http_proxy", "all_proxy", "LC_ALL=C", NULL};
        struct run_result result = program_run((struct run_options){
            .argv = RUN_WEIR("--on-conflict=number", RESUME(stage), stage_url(stage, "/text/a")),
            .env = env});
        cr_expect_not(blob_contains(&result.err, "File exists"), "%s: %s", fault,
                      blob_text(&result.err));
        struct blob journal = {0};
        scratch_read(stage->scratch, "journal", &journal);
        was_taken |= result.code == 4 && blob_contains(&journal, "\nname ");
        blob_release(&journal);
        run_result_release(&result);
        stage_free(stage);
    }
    cr_expect(was_taken);
}

/* ---- names that clash ---- */

static struct criterion_test_params fail_and_number(void)
{
    static struct conflict conflicts[] = {{"--on-conflict=number", "-j1"},
                                          {"--on-conflict=fail", "-j1"}};

    return cr_make_param_array(struct conflict, conflicts, sizeof conflicts / sizeof *conflicts);
}

static struct run_result fetch_into(struct stage *stage, const struct conflict *conflict,
                                    const char *fault, const char *const *urls)
{
    const char *const env[] = {"LD_PRELOAD=" FAULTY_LIBRARY, fault, "http_proxy", "all_proxy",
                               NULL};
    const char *argv[16] = {run_weir(),       "-s",        "-j1",
                            conflict->option, "--journal", path_of(stage, "journal"),
                            "--resume",       "-o",        path_of(stage, "out/same")};

    for (size_t len = 9; *urls && len < 15; urls++)
        argv[len++] = *urls;
    return program_run((struct run_options){.argv = argv, .env = fault ? env : NULL});
}

/* Killed between the name's line and the rename. */
static void kill_before_the_name(struct stage *stage, const struct conflict *conflict,
                                 const char *url)
{
    struct run_result result =
        fetch_into(stage, conflict, "FAULTY=rename:1:kill", (const char *const[]){url, NULL});

    cr_assert_eq(result.signal, SIGKILL);
    run_result_release(&result);
    cr_assert_not(scratch_exists(stage->scratch, "out/same"));
}

static const char *const clashing[][2] = {{"/text/a", "/text/b"},
                                          {"/text/a?tag=1", "/text/a?tag=2"}};

ParameterizedTestParameters(journal, spares_the_file_of_a_request_that_came_ahead)
{
    return fail_and_number();
}

/* The list is turned around: the other is done first. Their bodies differ, or are equal. */
ParameterizedTest(struct conflict *conflict, journal, spares_the_file_of_a_request_that_came_ahead)
{
    bool fails = strstr(conflict->option, "fail");

    for (size_t i = 0; i < 2; i++) {
        struct stage *stage = stage_new();
        const char *one = stage_url(stage, "%s", clashing[i][0]);
        const char *other = stage_url(stage, "%s", clashing[i][1]);
        kill_before_the_name(stage, conflict, one);
        for (int run = 0; run < 2; run++) {
            program_expect(
                fetch_into(stage, conflict, NULL, (const char *const[]){other, one, NULL}),
                fails ? 4 : 0, "", "");
            stage_expect_file(stage, "out/same", i ? "a\n" : "b\n");
            if (!fails)
                stage_expect_file(stage, "out/same.1", "a\n");
            cr_expect_eq(scratch_count(stage->scratch, "out"), fails ? 1 : 2);
            cr_expect_eq(origin_counts(stage->origin).requests, 3, "the rest is done");
        }
        stage_free(stage);
    }
}

ParameterizedTestParameters(journal, spares_the_file_of_another_when_a_request_fails)
{
    return fail_and_number();
}

/* The same, and the request whose name was noted now fails. */
ParameterizedTest(struct conflict *conflict, journal,
                  spares_the_file_of_another_when_a_request_fails)
{
    struct stage *stage = stage_new();
    const char *one = stage_url(stage, "/text/a");
    const char *other = stage_url(stage, "/text/b?status=404");

    kill_before_the_name(stage, conflict, one);
    program_expect(
        fetch_into(stage, conflict, NULL, (const char *const[]){"--accept=404", other, one, NULL}),
        1, "", "");
    stage_expect_file(stage, "out/same", "b\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1);
    stage_free(stage);
}

Test(journal, remembers_that_a_file_could_not_be_written)
{
    struct stage *stage = stage_new();
    const char *urls[] = {stage_url(stage, "/text/a"), stage_url(stage, "/text/b?status=404"),
                          NULL};
    const struct conflict fail = {"--on-conflict=fail", ""};

    scratch_write_text(stage->scratch, "out/same", "?");
    for (int i = 0; i < 2; i++)
        program_expect(fetch_into(stage, &fail, NULL, urls), 4, "", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 2, "it is done");
    program_expect(fetch_into(stage, &fail, NULL, urls + 1), 1, "", "");
    stage_free(stage);
}

/* Nobody noted that one. */
Test(journal, does_not_replace_a_strangers_file)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a"), *b = stage_url(stage, "/text/b");

    program_expect(program_fetch(RUN_WEIR("-s", RESUME(stage), a), NULL), 0, "", "");
    scratch_write_text(stage->scratch, "out/2", "?");
    program_expect(program_fetch(RUN_WEIR("-s", "--on-conflict=fail", RESUME(stage), a, b), NULL),
                   4, "", "");
    stage_expect_file(stage, "out/2", "?");
    program_expect(
        program_fetch(RUN_WEIR("-s", "--on-conflict=number", "--retry-failed", RESUME(stage), a, b),
                      NULL),
        0, "", "");
    stage_expect_file(stage, "out/2", "?");
    stage_expect_file(stage, "out/2.1", "b\n");
    stage_free(stage);
}

/* It was noted, but the file never got it. */
/* Which is told once, and not tried for ever. */
Test(journal, does_not_replace_what_another_of_its_results_has_become)
{
    struct stage *stage = stage_new();
    const char *const *argv =
        RUN_WEIR("--on-conflict=replace", "--journal", path_of(stage, "journal"), "-o",
                 path_of(stage, "out"), stage_url(stage, "/text/a"), stage_url(stage, "/text/b"));

    program_expect(program_fetch(argv, NULL), 4, "", "another result's of this run");
    stage_expect_file(stage, "out", "a\n");
    stage_free(stage);
}

static struct run_result replace_there(struct stage *stage, const char *how, const char *input)
{
    struct run_result result = program_run((struct run_options){
        .argv = RUN_WEIR("--on-conflict=replace", "-O", "--journal", "journal", how),
        .cwd = scratch_dir(stage->scratch),
        .input = input,
        .input_len = strlen(input)});
    return result;
}

/* A file that is older than the journal may be replaced by each run. */
Test(journal, has_no_result_replaced_by_another_of_a_resumed_run)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a\n"), *echo = stage_url(stage, "/echo/a\n");
    const char *b = stage_url(stage, "/text/b\n");

    scratch_write_text(stage->scratch, "b", "old");
    usleep(50000); /* the clock of a file system ticks */
    program_expect(replace_there(stage, "--restart", a), 0, "", "");
    program_expect(replace_there(stage, "--resume", stage_text(stage, "%s%s%s", a, echo, b)), 4, "",
                   "the name is another result's of this run");
    stage_expect_file(stage, "a", "a\n");
    stage_expect_file(stage, "b", "b\n");
    scratch_write_text(stage->scratch, "c", "a stranger's, of between the runs");
    usleep(50000);
    program_expect(replace_there(stage, "--resume", stage_url(stage, "/text/c\n")), 0, "", "");
    stage_expect_file(stage, "c", "c\n");
    program_expect(replace_there(stage, "--restart", b), 0, "", "");
    stage_free(stage);
}

Test(journal, has_no_result_replaced_where_it_was_compacted_between_the_runs)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a\n"), *echo = stage_url(stage, "/echo/a\n");

    program_expect(replace_there(stage, "--restart", a), 0, "", "");
    program_expect(
        program_fetch(RUN_WEIR("--journal", path_of(stage, "journal"), "--compact"), NULL), 0, "",
        "");
    program_expect(replace_there(stage, "--resume", stage_text(stage, "%s%s", a, echo)), 4, "",
                   "the name is another result's of this run");
    stage_expect_file(stage, "a", "a\n");
    stage_free(stage);
}

Test(journal, does_not_replace_a_strangers_file_for_a_name_it_gave_up)
{
    struct stage *stage = stage_new();
    const char *argv[] = {
        run_weir(), "-s", "--on-conflict=fail", RESUME(stage), stage_url(stage, "/text/a"),
        NULL,       NULL};
    const char *const env[] = {"LD_PRELOAD=" FAULTY_LIBRARY, "FAULTY=rename+:1:EIO", "http_proxy",
                               "all_proxy", NULL};

    program_expect(program_run((struct run_options){.argv = argv, .env = env}), 4, "", "");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 0);
    scratch_write_text(stage->scratch, "out/1", "?");
    argv[sizeof argv / sizeof *argv - 2] = "--retry-failed";
    program_expect(program_fetch(argv, NULL), 4, "", "");
    stage_expect_file(stage, "out/1", "?");
    stage_free(stage);
}

ParameterizedTestParameters(journal, does_not_stand_in_its_own_way)
{
    return each_conflict();
}

/* Killed between the file's naming and its line: no origin and no disk is needed for it any more. */
ParameterizedTest(struct conflict *conflict, journal, does_not_stand_in_its_own_way)
{
    struct stage *stage = stage_new();
    const char *argv[] = {
        run_weir(), "-s", conflict->option, RESUME(stage), stage_url(stage, "/text/a"), NULL, NULL};
    const char *const env[] = {"LD_PRELOAD=" FAULTY_LIBRARY, "FAULTY=rename+:1:EIO", "http_proxy",
                               "all_proxy", NULL};

    program_expect(program_fetch(argv, NULL), 0, "", "");
    cut_journal(stage, "done ");
    argv[sizeof argv / sizeof *argv - 2] = "--accept=404";
    program_expect(program_run((struct run_options){.argv = argv, .env = env}), 0, "", "");
    stage_expect_file(stage, "out/1", "a\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1);
    stage_free(stage);
}

/* With a number it was that number's. */
Test(journal, knows_its_own_file_by_its_number)
{
    struct stage *stage = stage_new();
    const char *b = stage_url(stage, "/text/b");
    const char *const *argv = RUN_WEIR("-s", "--on-conflict=number", RESUME(stage), b);

    scratch_write_text(stage->scratch, "out/1", "?");
    program_expect(program_fetch(argv, NULL), 0, "", "");
    stage_expect_file(stage, "out/1.1", "b\n");
    cut_journal(stage, "done ");
    program_expect(program_fetch(argv, NULL), 0, "", "");
    stage_expect_file(stage, "out/1", "?");
    stage_expect_file(stage, "out/1.1", "b\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 2);
    cr_expect_eq(origin_counts(stage->origin).requests, 1);
    stage_free(stage);
}

/* Equal requests get their names in turn. */
Test(journal, knows_the_files_of_equal_requests)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a");
    const char *const *argv = RUN_WEIR("-s", "-j1", "--on-conflict=fail", RESUME(stage), a, a, a);

    program_expect(program_fetch(argv, NULL), 0, "", "");
    cut_journal(stage, "done ");
    program_expect(program_fetch(argv, NULL), 0, "", "");
    for (int i = 1; i <= 3; i++)
        stage_expect_file(stage, stage_text(stage, "out/%d", i), "a\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 3);
    cr_expect_eq(origin_counts(stage->origin).requests, 3);
    stage_free(stage);
}

/* ---- what is half-made ---- */

/* It is taken for a run's by the mark that the journal has of it. */
Test(journal, sweeps_up_after_its_own_runs_only)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a"), *b = stage_url(stage, "/bytes/9000?stall=500");
    const char *c = stage_url(stage, "/text/c");
    struct run *run =
        program_spawn((struct run_options){.argv = RUN_WEIR("-s", RESUME(stage), a, b)});

    cr_assert(origin_wait_requests(stage->origin, 2, patience));
    for (int i = 0; scratch_count(stage->scratch, "out") < 2 && i < patience * 100; i++)
        cr_assert_not(run_ended(run, 0.01));
    run_signal(run, SIGKILL);
    struct run_result result = program_end(run);
    run_result_release(&result);
    cr_assert_eq(scratch_count(stage->scratch, "out"), 2);
    scratch_write_text(stage->scratch, "out/.weir-0123456789abcdef-1", "somebody else's");
    program_expect(program_fetch(RUN_WEIR("-s", RESUME(stage), a, c), NULL), 0, "", "");
    stage_expect_file(stage, "out/1", "a\n");
    stage_expect_file(stage, "out/2", "c\n");
    stage_expect_file(stage, "out/.weir-0123456789abcdef-1", "somebody else's");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 3, "something is left behind");
    stage_free(stage);
}

/* ---- groups ---- */

static void write_groups(struct stage *stage, unsigned groups)
{
    struct blob list = {0};

    for (unsigned g = 0; g < groups; g++) {
        for (unsigned i = 0; i < 4; i++)
            blob_addf(&list,
                      "{\"url\":\"%s/text/%u-%u?delay=0.0%u%s\",\"group\":%u,"
                      "\"output\":\"%u-%u\"}\n",
                      origin_url(stage->origin), g, i, (g + i) % 4,
                      g % 5 == 2 && i == 2 ? "&status=404" : "", g, g, i);
    }
    scratch_write(stage->scratch, "list", list.at, list.len);
    blob_release(&list);
}

/* A group is done or failed as one, however often the run is killed. */
Test(journal, makes_the_groups_of_a_killed_run_whole)
{
    enum { GROUPS = 20 };
    struct stage *stage = stage_new();
    uint64_t seed = 5;

    write_groups(stage, GROUPS);
    struct survivor survivor = {.argv = RUN_WEIR("-s", "-j6", "-a", path_of(stage, "list"),
                                                 "--group-commit", "--format=none",
                                                 "--on-conflict=fail", "--output-dir",
                                                 scratch_mkdir(stage->scratch, "out"), "--journal",
                                                 path_of(stage, "journal"), "--resume"),
                                .signals = kill_only,
                                .ends_max = 20,
                                .slowest_ms = 60,
                                .code = 1};
    cr_expect_gt(survivor_run(&survivor, &seed), 0);
    for (unsigned g = 0; g < GROUPS; g++) {
        for (unsigned i = 0; i < 4 && g % 5 != 2; i++)
            stage_expect_file(stage, stage_text(stage, "out/%u-%u", g, i),
                              stage_text(stage, "%u-%u\n", g, i));
    }
    cr_expect_eq(scratch_count(stage->scratch, "out"), 4L * (GROUPS - GROUPS / 5),
                 "a part of a group that failed is there");
    stage_free(stage);
}

static struct run_result fetch_group(struct stage *stage, const char *option, const char *fault)
{
    const char *const env[] = {"LD_PRELOAD=" FAULTY_LIBRARY, fault, "http_proxy", "all_proxy",
                               NULL};
    const char *input =
        stage_text(stage,
                   "{\"url\":\"%s\",\"group\":1,\"output\":\"a\"}\n"
                   "{\"url\":\"%s\",\"group\":1,\"output\":\"b\"}\n"
                   "{\"url\":\"%s\",\"group\":1,\"output\":\"c\"}\n",
                   stage_url(stage, "/text/a"), stage_url(stage, "/text/b?failtimes=1&status=404"),
                   stage_url(stage, "/text/c"));

    return program_run((struct run_options){
        .argv = RUN_WEIR("-s", "-j1", "--jsonl", "--fields=seq,reason", "--group-commit",
                         "--output-dir", scratch_mkdir(stage->scratch, "out"), "--to",
                         path_of(stage, "to"), "--journal", path_of(stage, "journal"), option),
        .env = fault ? env : NULL,
        .input = input,
        .input_len = strlen(input)});
}

#define FAILED_GROUP                         \
    "{\"seq\":1,\"reason\":\"cancelled\"}\n" \
    "{\"seq\":2,\"reason\":\"http\"}\n"      \
    "{\"seq\":3,\"reason\":\"cancelled\"}\n"

/* The second is not found, but would be by now. */
Test(group_commit, has_failed_for_the_next_run_too)
{
    struct stage *stage = stage_new();

    for (int i = 0; i < 2; i++) {
        program_expect(fetch_group(stage, "--resume", NULL), 1, "", "");
        cr_expect_eq(scratch_count(stage->scratch, "out"), 0);
        stage_expect_file(stage, "to", FAILED_GROUP);
        cr_expect_eq(origin_counts(stage->origin).requests, 2,
                     "one was cancelled before its start");
    }
    program_expect(fetch_group(stage, "--retry-failed", NULL), 0, "", "");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 3);
    cr_expect_eq(origin_counts(stage->origin).requests, 5);
    stage_free(stage);
}

/* The journal has the failure, and nothing of its siblings. */
Test(group_commit, has_failed_where_one_member_is_known_to_have)
{
    struct stage *stage = stage_new();
    struct blob text = {0}, known = {0};

    program_expect(fetch_group(stage, "--resume", NULL), 1, "", "");
    cr_assert(scratch_read(stage->scratch, "journal", &text));
    for (const char *line = text.at; *line; line += strcspn(line, "\n") + 1) {
        if (!memmem(line, strcspn(line, "\n"), " cancelled ", 11))
            blob_add(&known, line, strcspn(line, "\n") + 1);
    }
    scratch_write(stage->scratch, "journal", known.at, known.len);
    program_expect(fetch_group(stage, "--resume", NULL), 1, "", "");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 0, "it was made without its second");
    cr_expect_leq(origin_counts(stage->origin).requests, 3);
    blob_release(&text);
    blob_release(&known);
    stage_free(stage);
}

/* Killed as the third file is to get its name: two are there, and go as the group fails. */
Test(group_commit, takes_back_what_a_killed_run_named)
{
    struct stage *stage = stage_new();
    struct run_result result = fetch_group(stage, "--accept=404,200", "FAULTY=rename:3:kill");

    cr_expect_eq(result.signal, SIGKILL);
    run_result_release(&result);
    cr_assert(scratch_exists(stage->scratch, "out/a") && scratch_exists(stage->scratch, "out/b"));
    scratch_write_text(stage->scratch, "out/c", "another's");
    result = fetch_group(stage, "--resume", NULL);
    cr_expect_eq(result.code, 4);
    run_result_release(&result);
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1);
    stage_expect_file(stage, "out/c", "another's");
    stage_expect_file(stage, "to",
                      "{\"seq\":1,\"reason\":\"cancelled\"}\n"
                      "{\"seq\":2,\"reason\":\"cancelled\"}\n"
                      "{\"seq\":3,\"reason\":\"output\"}\n");
    stage_free(stage);
}

/* ... or to its end, where nothing is in the way; and only the third is fetched again. */
Test(group_commit, keeps_what_a_killed_run_named)
{
    struct stage *stage = stage_new();
    struct run_result result = fetch_group(stage, "--accept=404,200", "FAULTY=rename:3:kill");

    cr_expect_eq(result.signal, SIGKILL);
    run_result_release(&result);
    program_expect(fetch_group(stage, "--resume", NULL), 0, "", "");
    stage_expect_file(stage, "out/a", "a\n");
    stage_expect_file(stage, "out/c", "c\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 3);
    cr_expect_eq(origin_counts(stage->origin).requests, 4);
    stage_free(stage);
}

/* ---- what a killed run left ---- */

/* The hosts take turns, so each directory is come to again once all others were. Whoever reads more
 * of them than there are, and the one above them, is killed. */
Test(leftovers, are_looked_for_once_in_each_directory)
{
    enum { HOSTS = 300, ROUNDS = 3 };
    struct stage *stage = stage_new_any();
    struct blob list = {0};
    const char *const env[] = {"LD_PRELOAD=" FAULTY_LIBRARY,
                               stage_text(stage, "FAULTY=fdopendir:%d:kill", HOSTS + 2),
                               "http_proxy",
                               "all_proxy",
                               "LC_ALL=C",
                               NULL};

    for (int i = 0; i < HOSTS * ROUNDS; i++)
        blob_addf(&list, "%s\n",
                  stage_url_at(stage,
                               stage_text(stage, "127.0.%d.%d", i % HOSTS / 100, 1 + i % 100),
                               stage_text(stage, "/text/%d", i)));
    const char *file = scratch_write(stage->scratch, "list", list.at, list.len);
    const char *const *argv =
        RUN_WEIR("--journal", scratch_path(stage->scratch, "journal"), "--resume", "-o",
                 stage_text(stage, "%s/out/{host}/{seq}", scratch_dir(stage->scratch)), "-a", file);
    struct run *run = program_spawn((struct run_options){.argv = argv});
    cr_expect(origin_wait_requests(stage->origin, 20, patience));
    run_signal(run, SIGKILL);
    struct run_result result = program_end(run);
    cr_assert_eq(result.signal, SIGKILL, "it was over before it could be killed");
    run_result_release(&result);
    program_expect(program_run((struct run_options){.argv = argv, .env = env}), 0, "", NULL);
    cr_expect_eq(scratch_count(stage->scratch, "out"), HOSTS);
    blob_release(&list);
    stage_free(stage);
}
