/* Neighbours with one `group` value: one operation. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "program.h"
#include "record.h"
#include "stage.h"

static const char *const orders[] = {"--order=input", "--order=completion"};

enum { ORDERS = sizeof orders / sizeof *orders };

/* ---- who is cancelled, and who is not ---- */

struct fate {
    char options[48];
    char input[48], ends[48];
    int code;
    int requests; /* that the origin saw; -1: that is left to chance */
};

ParameterizedTestParameters(groups, stand_or_fall_together)
{
    static struct fate fates[] = {
        {"-j4", "ao ao bo", "o o o", 0, 3},
        /* What runs is aborted, and nobody waits for it. */
        {"-j4", "as as aF", "c3 c3 f", 1, 3},
        {"-j4", "aF as", "f c1", 1, 2},
        /* What waits never starts. */
        {"-j1", "af ao ao ao", "f c1 c1 c1", 1, 1},
        {"-j2", "as aF ao ao", "c2 f c2 c2", 1, 2},
        /* What was done stays as it is. */
        {"-j1", "ao ao af as", "o o f c3", 1, 3},
        /* The first failure is the culprit, whoever comes behind it. */
        {"-j1", "ao af af af", "o f c2 c2", 1, 2},
        {"-j2", "aF aS", "f c1", 1, 2},
        /* Others do not notice. */
        {"-j1", "af ao bo bo -o", "f c1 o o o", 1, 4},
        {"-j4", "bl aF as bl -l", "o f c2 o o", 1, -1},
        {"-j1", "af ao bf bo", "f c1 f c3", 1, 2},
        /* The same name further down is another group. */
        {"-j1", "af ao bo ao ao", "f c1 o o o", 1, 4},
        {"-j1", "af ao bo af ao", "f c1 o f c4", 1, 3},
        /* So it is behind a line of no group, or of none that could be read. */
        {"-j1", "af ao -o ao", "f c1 o o", 1, 3},
        {"-j1", "af ao ! ao", "f c1 i o", 1, 2},
        {"-j1", "ao ! af ao", "o i f c3", 1, 2},
        {"-j1", "-f -o -o", "f o o", 1, 3},
        /* A number is a name, and not that of the text. */
        {"-j1", "1f 1o 2o", "f c1 o", 1, 2},
        {"-j1", "1f \"o", "f o", 1, 2},
        /* A member that cannot be a request has failed. */
        {"-j4", "as ai ao", "c2 i c2", 1, -1},
        {"-j4", "ai ao bo", "i c1 o", 1, 1},
        /* One that succeeds in the end has not. */
        {"-j1 --retry-delay=0", "ar ao", "o o", 0, 3},
        {"-j2 --retry-delay=0", "ar ar bo", "o o o", 0, 5},
        {"-j1 --retry=0", "ar ao", "f c1", 1, 1},
        /* The run's own end: a cancelled one is no failure. */
        {"-j2 --halt=soon,fail=1", "aF as bo", "f c1 h", 3, 2},
        {"-j1 --halt=soon,fail=2", "af ao ao bo bo -f -o", "f c1 c1 o o f h", 3, 4},
        {"-j1 --halt=soon,fail=3", "af ao ao bf bo -o", "f c1 c1 f c4 o", 1, 3},
    };

    return cr_make_param_array(struct fate, fates, sizeof fates / sizeof *fates);
}

ParameterizedTest(struct fate *fate, groups, stand_or_fall_together)
{
    for (size_t i = 0; i < ORDERS; i++) {
        struct stage *stage = stage_new();
        const char *options = stage_text(stage, "%s %s", fate->options, orders[i]);
        const char *input = groups_input(stage, fate->input);
        struct run_result result = groups_run(stage, options, input);

        cr_expect_lt(result.wall, GROUPS_SLOW, "it waited for who was cancelled");
        cr_expect_eq(result.code, fate->code, "%s %s: ended with %d", options, fate->input,
                     result.code);
        json_t *records = records_read(&result.out);
        groups_expect_ends(records, fate->ends, fate->input);
        if (fate->requests >= 0)
            cr_expect_eq(origin_counts(stage->origin).requests, (uint64_t)fate->requests,
                         "%s %s: %llu requests", options, fate->input,
                         (unsigned long long)origin_counts(stage->origin).requests);
        json_decref(records);
        run_result_release(&result);
        stage_free(stage);
    }
}

/* Its lines come when it has failed already. */
ParameterizedTestParameters(groups, cancel_their_later_lines_as_they_arrive)
{
    static char options[][24] = {"--order=input", "--order=completion"};

    return cr_make_param_array(char[24], options, sizeof options / sizeof *options);
}

ParameterizedTest(char (*option)[24], groups, cancel_their_later_lines_as_they_arrive)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("--jsonl", *option)});

    cr_assert(run_write_text(run, groups_input(stage, "af")));
    cr_assert(origin_wait_requests(stage->origin, 1, patience));
    cr_assert(origin_wait_in_service(stage->origin, 0, patience));
    stage_settled_requests(stage);
    cr_assert(run_write_text(run, groups_input(stage, "ao ao bo ao")));
    json_t *records = records_of(program_end(run), 1, 5);
    groups_expect_ends(records, "f c1 c1 o o", "lines that come later");
    cr_expect_eq(origin_counts(stage->origin).requests, 3);
    json_decref(records);
    stage_free(stage);
}

Test(groups, say_in_a_record_who_is_in_which)
{
    struct stage *stage = stage_new();
    const char *input = groups_input(stage, "ao 1o -o");
    json_t *records = records_of(groups_run(stage, "", input), 0, 3);

    cr_expect_str_eq(record_text(record_at(records, 0), "group"), "a");
    cr_expect_eq(record_number(record_at(records, 1), "group"), 1);
    cr_expect_not(record_has(record_at(records, 2), "group"));
    json_decref(records);
    stage_free(stage);
}

/* ---- records of groups ---- */

static const json_t *group_record(const json_t *lines, const char *name)
{
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = record_at(lines, i);
        if (record_has(line, "group_record") && strcmp(record_text(line, "group"), name) == 0)
            return line;
    }
    cr_assert_fail("no record of group %s", name);
    return NULL;
}

static void expect_counts(const json_t *lines, const char *name, const char *counts)
{
    const json_t *record = group_record(lines, name);
    char text[96];

    snprintf(text, sizeof text, "%lld: %lld %lld %lld, by %lld", record_number(record, "members"),
             record_number(record, "succeeded"), record_number(record, "failed"),
             record_number(record, "cancelled"), record_number(record, "cancelled_by"));
    cr_expect_str_eq(text, counts, "group %s is %s", name, text);
    cr_expect_eq(json_is_true(json_object_get(record, "ok")),
                 record_number(record, "members") == record_number(record, "succeeded"));
    cr_expect_geq(record_seconds(record, "time_total"), 0.0);
    cr_expect_eq(strlen(record_text(record, "ts")), strlen("2026-01-01T00:00:00.000Z"));
}

/* It follows all of its members' records, wherever they stand. */
static void expect_order(const json_t *lines, const char *name, size_t members)
{
    size_t seen = 0;

    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = record_at(lines, i);
        if (strcmp(record_text(line, "group"), name) != 0)
            continue;
        cr_expect_eq(record_has(line, "group_record"), seen == members);
        seen++;
    }
    cr_expect_eq(seen, members + 1, "%s: %zu lines", name, seen);
}

ParameterizedTestParameters(group_records, follow_their_members)
{
    static char options[][64] = {"-j1 --order=input", "-j1 --order=completion",
                                 "-j1 --order=input --group-commit",
                                 "-j1 --order=completion --group-commit"};

    return cr_make_param_array(char[64], options, sizeof options / sizeof *options);
}

ParameterizedTest(char (*options)[64], group_records, follow_their_members)
{
    struct stage *stage = stage_new();
    const char *all = stage_text(stage, "--group-records --retry-delay=0 %s", *options);
    struct run_result result =
        groups_run(stage, all, groups_input(stage, "ao ar -o bo bf bo bo ci dl"));
    json_t *lines = groups_lines(&result.out);

    cr_expect_eq(result.code, 1);
    cr_assert_eq(json_array_size(lines), 9 + 4, "%s", blob_text(&result.out));
    expect_counts(lines, "a", "2: 2 0 0, by -1");
    expect_counts(lines, "b", "4: 1 1 2, by 5");
    expect_counts(lines, "c", "1: 0 1 0, by 8");
    expect_counts(lines, "d", "1: 1 0 0, by -1");
    expect_order(lines, "a", 2);
    expect_order(lines, "b", 4);
    expect_order(lines, "c", 1);
    expect_order(lines, "d", 1);
    json_decref(lines);
    run_result_release(&result);
    stage_free(stage);
}

Test(group_records, count_what_was_halted_with_the_cancelled)
{
    struct stage *stage = stage_new();
    struct run_result result = groups_run(stage, "-j1 --group-records --halt=soon,fail=1",
                                          groups_input(stage, "-f ao ao"));
    json_t *lines = groups_lines(&result.out);

    cr_expect_eq(result.code, 3);
    cr_assert_eq(json_array_size(lines), 4, "%s", blob_text(&result.out));
    expect_counts(lines, "a", "2: 0 0 2, by -1");
    json_decref(lines);
    run_result_release(&result);
    stage_free(stage);
}

Test(group_records, are_not_there_unless_asked_for)
{
    struct stage *stage = stage_new();

    json_decref(records_of(groups_run(stage, "", groups_input(stage, "ao ao bo")), 0, 3));
    stage_free(stage);
}

Test(group_records, need_jsonl)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("--group-records", stage_url(stage, "/text/x")), NULL), 2,
                   "", "--group-records");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

Test(group_records, are_skipped_as_input)
{
    struct stage *stage = stage_new();
    struct run_result result =
        groups_run(stage, "--group-records", groups_input(stage, "ao ao bo -o"));

    cr_expect(blob_contains(&result.out, "\"group_record\""));
    json_t *records = records_of(groups_run(stage, "", blob_text(&result.out)), 0, 4);
    groups_expect_ends(records, "o o o o", "records as input");
    cr_expect_eq(origin_counts(stage->origin).requests, 8);
    json_decref(records);
    run_result_release(&result);
    stage_free(stage);
}

/* ---- many ---- */

ParameterizedTestParameters(groups, may_be_many)
{
    static char options[][24] = {"--order=input", "--order=completion"};

    return cr_make_param_array(char[24], options, sizeof options / sizeof *options);
}

ParameterizedTest(char (*option)[24], groups, may_be_many)
{
    enum { GROUPS = 20000, EACH = 2, LINES = GROUPS * EACH };
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x");
    struct blob input = {0};
    char *seen = calloc(LINES, 1);

    for (size_t i = 0; i < LINES; i++)
        blob_addf(&input, "{\"url\":\"%s\",\"group\":%zu}\n", url, i / EACH);
    json_t *records = records_of(
        program_run((struct run_options){
            .argv = RUN_WEIR("-s", "--jsonl", "--group-commit", "--no-body", "-j16", *option),
            .input = input.at,
            .input_len = input.len,
            .seconds = patience}),
        0, LINES);
    for (size_t i = 0; i < LINES; i++) {
        long long seq = record_number(record_at(records, i), "seq");
        cr_assert(seq >= 1 && seq <= LINES && !seen[seq - 1], "request %lld", seq);
        cr_assert_eq(record_number(record_at(records, i), "group"), (seq - 1) / EACH);
        seen[seq - 1] = 1;
    }
    cr_expect_eq(records_count(records, "ok"), LINES);
    json_decref(records);
    free(seen);
    blob_release(&input);
    stage_free(stage);
}
