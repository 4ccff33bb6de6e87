/* Groups whose results go out together: --group-commit. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "groups.h"
#include "program.h"
#include "record.h"
#include "stage.h"

static const char *const orders[] = {"--order=input", "--order=completion"};

enum { ORDERS = sizeof orders / sizeof *orders, SEQS = 9 };

/* The files of the directory `out` are these, each a digit, and nothing else is there. */
static void expect_files(struct stage *stage, const char *files, const char *what)
{
    for (int seq = 1; seq <= SEQS; seq++) {
        bool is_due = strchr(files, '0' + seq);
        cr_expect_eq(scratch_exists(stage->scratch, stage_text(stage, "out/%d", seq)), is_due,
                     "%s: file %d is %s", what, seq, is_due ? "missing" : "there");
    }
    cr_expect_eq(scratch_count(stage->scratch, "out"), (long)strlen(files),
                 "%s: something is left behind", what);
}

/* ---- all or none ---- */

struct whole {
    char options[48];
    char input[48], ends[48];
    char files[16];
    int code;
    char taken; /* a file that is there already; 0: none is */
};

ParameterizedTestParameters(group_commit, names_all_of_a_groups_files_or_none)
{
    static struct whole wholes[] = {
        {"-j4", "ao ao ao", "o o o", "123", 0, 0},
        {"-j4", "al ao bo", "o o o", "123", 0, 0},
        {"-j1", "ao af ao", "c2 f c2", "", 1, 0},
        {"-j4", "ao aF as", "c2 f c2", "", 1, 0},
        {"-j1", "ao ao ai", "c3 c3 i", "", 1, 0},
        {"-j1", "ao ao af bo bo -o", "c3 c3 f o o o", "456", 1, 0},
        {"-j1", "ao bo bf ao", "o c3 f o", "14", 1, 0},
        {"-j1 --retry-delay=0", "ar ao", "o o", "12", 0, 0},
        /* A name that is taken. */
        {"-j1", "ao ao ao bo", "c2 x c2 o", "24", 4, '2'},
        {"-j1", "ao ao ao bo", "c3 c3 x o", "34", 4, '3'},
        {"-j1 --on-conflict=replace", "ao ao", "o o", "12", 0, '2'},
        {"-j1 --on-conflict=replace", "ao af", "c2 f", "1", 1, '1'},
        /* The run ends first. */
        {"-j1 --halt=soon,fail=1", "-f ao ao", "f h h", "", 3, 0},
        {"-j1 --halt=now,done=1", "ao ao bo", "o o h", "12", 0, 0},
        {"-j1 --halt=now,done=3", "ao ao bo bo bo", "o o o o o", "12345", 0, 0},
        /* As large as the window is, and larger. */
        {"-j3 --window=3", "ao ao ao", "o o o", "123", 0, 0},
        {"-j3 --window=3", "ao ao ao bo bo bo -o", "o o o o o o o", "1234567", 0, 0},
        {"-j3 --window=3", "-o ao ao ao -o", "o o o o o", "12345", 0, 0},
        {"-j3 --window=3", "ao ao ao ao bo bo bo", "c c c c o o o", "567", 1, 0},
        {"-j3 --window=3", "ao as ao ao ao bo", "c c c c c o", "6", 1, 0},
        {"-j1 --window=1", "ao bo co co do", "o o c c o", "125", 1, 0},
    };

    return cr_make_param_array(struct whole, wholes, sizeof wholes / sizeof *wholes);
}

static void expect_taken(struct stage *stage, const struct whole *whole)
{
    bool is_replaced = strstr(whole->options, "replace") && whole->code == 0;
    const char *name = stage_text(stage, "out/%c", whole->taken);

    stage_expect_file(stage, name, is_replaced ? stage_text(stage, "o-%c\n", whole->taken) : "old");
}

ParameterizedTest(struct whole *whole, group_commit, names_all_of_a_groups_files_or_none)
{
    for (size_t i = 0; i < ORDERS; i++) {
        struct stage *stage = stage_new();
        const char *options =
            stage_text(stage, "--group-commit -o %s/{seq} %s %s",
                       scratch_mkdir(stage->scratch, "out"), whole->options, orders[i]);
        if (whole->taken)
            scratch_write_text(stage->scratch, stage_text(stage, "out/%c", whole->taken), "old");
        struct run_result result = groups_run(stage, options, groups_input(stage, whole->input));
        cr_expect_lt(result.wall, GROUPS_SLOW, "it waited for who was cancelled");
        cr_expect_eq(result.code, whole->code, "%s %s: ended with %d", options, whole->input,
                     result.code);
        json_t *records = records_read(&result.out);
        groups_expect_ends(records, whole->ends, options);
        expect_files(stage, whole->files, options);
        if (whole->taken)
            expect_taken(stage, whole);
        for (size_t k = 0; k < json_array_size(records); k++) {
            const json_t *record = record_at(records, k);
            cr_expect_eq(record_has(record, "body_file"),
                         strcmp(record_text(record, "reason"), "ok") == 0);
        }
        json_decref(records);
        run_result_release(&result);
        stage_free(stage);
    }
}

/* The halt comes while one is read ahead of the full window, of the group or not. How many more are
 * read by then is left to chance. */
ParameterizedTestParameters(group_commit, lets_a_run_end_that_has_read_ahead)
{
    static char words[][24] = {"-f ao ao ao", "-f ao ao ao ao ao", "-f ao bo bo", "-f ao bo -o",
                               "-f ao -o ao"};

    return cr_make_param_array(char[24], words, sizeof words / sizeof *words);
}

ParameterizedTest(char (*words)[24], group_commit, lets_a_run_end_that_has_read_ahead)
{
    static const char *const halts[] = {"soon,fail=1", "now,fail=1"};

    for (size_t i = 0; i < (size_t)2 * ORDERS; i++) {
        struct stage *stage = stage_new();
        const char *options =
            stage_text(stage, "-j1 --window=2 --group-commit -o %s/{seq} --halt=%s %s",
                       scratch_mkdir(stage->scratch, "out"), halts[i / ORDERS], orders[i % ORDERS]);
        struct run_result result = groups_run(stage, options, groups_input(stage, *words));
        json_t *records = records_read(&result.out);
        cr_expect_eq(result.code, 3, "%s %s: ended with %d", options, *words, result.code);
        cr_expect_geq(json_array_size(records), 2);
        cr_expect_eq(records_count(records, "http"), 1);
        cr_expect_eq(records_count(records, "halted") + records_count(records, "cancelled"),
                     json_array_size(records) - 1);
        expect_files(stage, "", options);
        json_decref(records);
        run_result_release(&result);
        stage_free(stage);
    }
}

/* ---- while it is held ---- */

static struct run *start(struct stage *stage, const char *order, const char *words, size_t requests)
{
    const char *template = stage_text(stage, "%s/{seq}", scratch_mkdir(stage->scratch, "out"));
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("-s", "--jsonl", "--group-commit", "-o", template, order)});

    cr_assert(run_write_text(run, groups_input(stage, words)));
    cr_assert(origin_wait_requests(stage->origin, requests, patience));
    cr_assert(origin_wait_in_service(stage->origin, 0, patience));
    return run;
}

ParameterizedTestParameters(group_commit, takes_names_back)
{
    static char options[][24] = {"--order=input", "--order=completion"};

    return cr_make_param_array(char[24], options, sizeof options / sizeof *options);
}

/* The group waits for more lines, and meanwhile somebody else takes the second's name. */
ParameterizedTest(char (*order)[24], group_commit, takes_names_back)
{
    struct stage *stage = stage_new();
    struct run *run = start(stage, *order, "ao ao ao", 3);

    for (int seq = 1; seq <= 3; seq++)
        cr_expect_not(scratch_exists(stage->scratch, stage_text(stage, "out/%d", seq)));
    scratch_write_text(stage->scratch, "out/2", "another's");
    json_t *records = records_of(program_end(run), 4, 3);
    groups_expect_ends(records, "c2 x c2", *order);
    expect_files(stage, "2", *order);
    stage_expect_file(stage, "out/2", "another's");
    json_decref(records);
    stage_free(stage);
}

/* All that came is done, but the input is open: more might have come. */
Test(group_commit, is_not_made_where_a_signal_ends_the_run)
{
    struct stage *stage = stage_new();
    struct run *run = start(stage, "--order=input", "ao ao", 2);

    run_signal(run, SIGTERM);
    cr_assert(run_ended(run, patience));
    json_t *records = records_of(program_end(run), 128 + SIGTERM, 2);
    groups_expect_ends(records, "h h", "a signal");
    expect_files(stage, "", "a signal");
    json_decref(records);
    stage_free(stage);
}

ParameterizedTestParameters(group_commit, is_made_by_the_line_that_ends_the_group)
{
    static char words[][8] = {"bo", "-o", "!"};

    return cr_make_param_array(char[8], words, sizeof words / sizeof *words);
}

/* The input stays open. */
ParameterizedTest(char (*words)[8], group_commit, is_made_by_the_line_that_ends_the_group)
{
    struct stage *stage = stage_new();
    struct run *run = start(stage, "--order=input", "ao", 1);

    cr_expect_not(scratch_exists(stage->scratch, "out/1"));
    run_hold(run, true);
    cr_assert(run_write_text(run, groups_input(stage, *words)));
    cr_expect_gt(run_read_some(run, 1, patience), 0);
    cr_expect(scratch_exists(stage->scratch, "out/1"));
    run_hold(run, false);
    struct run_result result = program_end(run);
    cr_expect(blob_contains(&result.out, "\"reason\":\"ok\""), "%s", blob_text(&result.out));
    run_result_release(&result);
    stage_free(stage);
}

/* ---- names that clash within one group ---- */

Test(group_commit, has_no_two_files_of_one_name)
{
    for (size_t i = 0; i < ORDERS; i++) {
        struct stage *stage = stage_new();
        const char *options = stage_text(stage, "-j1 --group-commit -o %s/same %s",
                                         scratch_mkdir(stage->scratch, "out"), orders[i]);
        json_t *records =
            records_of(groups_run(stage, options, groups_input(stage, "ao ao")), 4, 2);
        groups_expect_ends(records, "c2 x", options);
        expect_files(stage, "", options);
        json_decref(records);
        stage_free(stage);
    }
}

/* ---- without files ---- */

/* What was read is there, whatever became of the others. */
Test(group_commit, keeps_results_that_are_no_files)
{
    for (size_t i = 0; i < ORDERS; i++) {
        struct stage *stage = stage_new();
        const char *options = stage_text(stage, "-j1 --group-commit %s", orders[i]);
        json_t *records =
            records_of(groups_run(stage, options, groups_input(stage, "ao af ao bo")), 1, 4);
        groups_expect_ends(records, "o f c2 o", options);
        json_decref(records);
        stage_free(stage);
    }
}

/* The name is found to be taken only as the file gets it: that is a failure as any. */
Test(group, fails_with_a_member_whose_file_cannot_be_named)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");
    const char *input = stage_text(stage,
                                   "{\"url\":\"%s\",\"group\":1,\"output\":\"x\"}\n"
                                   "{\"url\":\"%s\",\"group\":1,\"output\":\"x\"}\n"
                                   "{\"url\":\"%s?delay=30\",\"group\":1,\"output\":\"y\"}\n",
                                   url, url, url);
    json_t *records = records_of(
        program_fetch(
            RUN_WEIR("-j1", "--jsonl", "--output-dir", scratch_path(stage->scratch, "out")), input),
        4, 3);

    cr_expect_str_eq(record_text(record_at(records, 0), "reason"), "ok");
    cr_expect_str_eq(record_text(record_at(records, 1), "reason"), "output");
    cr_expect_str_eq(record_text(record_at(records, 2), "reason"), "cancelled");
    cr_expect_eq(record_number(record_at(records, 2), "cancelled_by"), 2);
    json_decref(records);
    stage_free(stage);
}

/* A group's record goes out in one piece, so its name has a bound. */
Test(group, has_a_name_of_less_than_four_kibibytes)
{
    struct stage *stage = stage_new();
    char name[4096];

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (int len = 4093; len <= 4094; len++) {
        const char *input = stage_text(stage, "{\"url\":\"%s\",\"group\":\"%.*s\"}\n",
                                       stage_url(stage, "/text/a"), len, name);
        struct run_result result = program_fetch(RUN_WEIR("--jsonl", "--group-records"), input);
        bool is_told = blob_contains(&result.out, "{\"group_record\":true,");
        cr_expect_eq(is_told, len == 4093, "%d", len);
        program_expect(result, is_told ? 0 : 1, NULL, "");
    }
    stage_free(stage);
}
