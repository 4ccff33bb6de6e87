#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <string.h>

#include "core/group.h"
#include "tasks.h"

enum { TASKS = 4 };

struct club {
    struct group *group;
    struct task *tasks[TASKS];
};

/* Their seqs are 11, 12, and so on; the first has waited since 5. */
static void gather(struct club *club, bool is_held)
{
    club->group = group_new("\"a\"", is_held);
    for (size_t i = 0; i < TASKS; i++) {
        club->tasks[i] = task_new();
        club->tasks[i]->request.seq = 11 + i;
        club->tasks[i]->since = 5.0 + (double)i;
        group_join(club->group, club->tasks[i]);
    }
}

static bool finish(struct club *club, size_t i, enum reason reason, double now)
{
    task_set_state(club->tasks[i], TASK_DONE);
    club->tasks[i]->result.reason = reason;
    return group_note_done(club->group, club->tasks[i], now);
}

static void leave(struct club *club, size_t i)
{
    group_leave(club->group, club->tasks[i]);
    cr_expect_null(club->tasks[i]->group);
    tasks_free(club->tasks[i]);
}

static void disband(struct club *club)
{
    for (size_t i = 0; i < TASKS; i++)
        leave(club, i);
    group_free(club->group);
}

static void expect_counts(const struct group *group, uint64_t succeeded, uint64_t failed,
                          uint64_t cancelled)
{
    cr_expect_eq(group->succeeded, succeeded);
    cr_expect_eq(group->failed, failed);
    cr_expect_eq(group->cancelled, cancelled);
}

Test(group, is_called_by_its_name)
{
    struct group *group = group_new("1", false);

    cr_expect(group_is_called(group, "1"));
    cr_expect_not(group_is_called(group, "\"1\""));
    cr_expect_not(group_is_called(group, "11"));
    cr_expect_not(group_is_called(group, NULL));
    group_free(group);
    group_free(NULL);
}

Test(group, knows_who_joined_it)
{
    struct club club;
    const struct task *pending;

    for (int is_held = 0; is_held < 2; is_held++) {
        gather(&club, is_held);
        cr_expect_eq(club.group->members, TASKS);
        cr_expect_eq(club.group->alive, TASKS);
        cr_expect_eq(club.group->first, club.tasks[0]);
        cr_expect_eq(club.group->first_seq, 11);
        cr_expect_float_eq(club.group->begun_at, 5.0, 0.0);
        pending = club.group->pending;
        for (size_t i = 0; i < TASKS; i++, pending = pending->junior) {
            cr_expect_eq(pending, club.tasks[i], "oldest first");
            cr_expect_eq(club.tasks[i]->group, club.group);
            cr_expect_eq(club.tasks[i]->is_held, is_held);
        }
        cr_expect_null(pending);
        for (size_t i = 0; i < TASKS; i++)
            finish(&club, i, REASON_OK, 6.0);
        disband(&club);
    }
}

Test(group, has_as_pending_who_is_not_done)
{
    struct club club;

    gather(&club, false);
    finish(&club, 0, REASON_OK, 6.0);
    cr_expect_eq(club.group->pending, club.tasks[1]);
    finish(&club, 2, REASON_OK, 6.0);
    cr_expect_eq(club.group->pending, club.tasks[1]);
    finish(&club, 1, REASON_OK, 6.0);
    cr_expect_eq(club.group->pending, club.tasks[3]);
    finish(&club, 3, REASON_OK, 6.0);
    cr_expect_null(club.group->pending);
    disband(&club);
}

Test(group, ends_with_its_first_failure_alone)
{
    struct club club;

    gather(&club, false);
    cr_expect_not(finish(&club, 2, REASON_OK, 6.0));
    cr_expect_not(club.group->has_failed);
    cr_expect(finish(&club, 1, REASON_TIMEOUT, 7.0));
    cr_expect(club.group->has_failed);
    cr_expect_eq(club.group->culprit, 12);
    cr_expect_not(finish(&club, 0, REASON_HTTP, 8.0), "a second one");
    cr_expect_not(finish(&club, 3, REASON_CANCELLED, 9.0));
    cr_expect_eq(club.group->culprit, 12);
    expect_counts(club.group, 1, 2, 1);
    cr_expect_float_eq(club.group->done_at, 9.0, 0.0);
    disband(&club);
}

/* Each reason as that of one member, the others' being good. */
struct kind {
    enum reason reason;
    bool is_failure;
    uint64_t succeeded, failed, cancelled;
};

ParameterizedTestParameters(group, counts_each_result)
{
    static struct kind kinds[] = {
        {REASON_OK, false, 1, 0, 0},        {REASON_HTTP, true, 0, 1, 0},
        {REASON_INVALID, true, 0, 1, 0},    {REASON_OUTPUT, true, 0, 1, 0},
        {REASON_CANCELLED, false, 0, 0, 1}, {REASON_HALTED, false, 0, 0, 1},
    };

    return cr_make_param_array(struct kind, kinds, sizeof kinds / sizeof *kinds);
}

ParameterizedTest(struct kind *kind, group, counts_each_result)
{
    struct club club;

    gather(&club, false);
    club.group->is_closed = true;
    for (size_t i = 1; i < TASKS; i++)
        cr_expect_not(finish(&club, i, REASON_OK, 6.0));
    cr_expect_not(group_is_whole(club.group), "one is not done");
    cr_expect_eq(finish(&club, 0, kind->reason, 7.0), kind->is_failure);
    cr_expect_eq(club.group->has_failed, kind->is_failure);
    cr_expect_eq(club.group->culprit, kind->is_failure ? 11 : 0);
    expect_counts(club.group, TASKS - 1 + kind->succeeded, kind->failed, kind->cancelled);
    cr_expect_eq(group_is_whole(club.group), kind->reason == REASON_OK);
    disband(&club);
}

Test(group, is_whole_only_when_nobody_else_comes)
{
    struct club club;

    gather(&club, true);
    for (size_t i = 0; i < TASKS; i++)
        finish(&club, i, REASON_OK, 6.0);
    cr_expect_not(group_is_whole(club.group));
    club.group->is_closed = true;
    cr_expect(group_is_whole(club.group));
    disband(&club);
}

/* A good result came to nothing: its file did not get its name. */
Test(group, counts_a_result_that_is_replaced_once)
{
    struct club club;

    gather(&club, true);
    club.group->is_closed = true;
    for (size_t i = 0; i < TASKS; i++)
        finish(&club, i, REASON_OK, 6.0);
    club.tasks[2]->result.reason = REASON_OUTPUT;
    group_note_changed(club.group, club.tasks[2]);
    expect_counts(club.group, TASKS - 1, 1, 0);
    cr_expect(club.group->has_failed);
    cr_expect_eq(club.group->culprit, 13);
    cr_expect_not(group_is_whole(club.group));
    club.tasks[0]->result.reason = REASON_CANCELLED;
    group_note_changed(club.group, club.tasks[0]);
    expect_counts(club.group, TASKS - 2, 1, 1);
    cr_expect_eq(club.group->culprit, 13);
    disband(&club);
}

Test(group, is_over_when_nothing_is_left_of_it)
{
    struct club club;

    gather(&club, false);
    cr_expect(finish(&club, 0, REASON_HTTP, 6.0));
    club.group->is_failing = true;
    for (size_t i = 1; i < TASKS; i++)
        finish(&club, i, REASON_CANCELLED, 6.0);
    for (size_t i = 1; i < TASKS; i++)
        leave(&club, i);
    club.group->is_closed = true;
    club.group->is_failing = false;
    cr_expect_not(group_is_over(club.group), "one is alive");
    leave(&club, 0);
    cr_expect(group_is_over(club.group));
    club.group->is_failing = true;
    cr_expect_not(group_is_over(club.group), "its failure has yet to be seen to");
    club.group->is_failing = false;
    club.group->is_closed = false;
    cr_expect_not(group_is_over(club.group), "another may come");
    group_free(club.group);
}

/* ---- its record ---- */

static json_t *record_of(const struct group *group)
{
    struct buf line;
    json_error_t error;

    buf_init(&line);
    group_add_record(group, &line);
    cr_assert_gt(line.len, 1);
    cr_assert_eq(memchr(line.data, '\n', line.len), line.data + line.len - 1, "one line");
    json_t *record = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, &error);
    cr_assert(record, "%s: %s", error.text, line.data);
    buf_release(&line);
    return record;
}

static void expect_number(const json_t *record, const char *field, json_int_t value)
{
    const json_t *number = json_object_get(record, field);

    cr_assert(json_is_integer(number), "no %s", field);
    cr_expect_eq(json_integer_value(number), value, "%s", field);
}

Test(group_record, tells_of_a_failure)
{
    struct club club;

    gather(&club, false);
    club.group->is_closed = true;
    club.group->begun_at_wall = 1767225600.25;
    finish(&club, 0, REASON_OK, 5.5);
    finish(&club, 2, REASON_HTTP, 6.25);
    finish(&club, 1, REASON_CANCELLED, 6.5);
    finish(&club, 3, REASON_HALTED, 7.5);
    json_t *record = record_of(club.group);
    cr_expect(json_is_true(json_object_get(record, "group_record")));
    cr_expect_str_eq(json_string_value(json_object_get(record, "group")), "a");
    cr_expect(json_is_false(json_object_get(record, "ok")));
    expect_number(record, "members", 4);
    expect_number(record, "succeeded", 1);
    expect_number(record, "failed", 1);
    expect_number(record, "cancelled", 2);
    expect_number(record, "cancelled_by", 13);
    cr_expect_str_eq(json_string_value(json_object_get(record, "ts")), "2026-01-01T00:00:00.250Z");
    cr_expect_float_eq(json_real_value(json_object_get(record, "time_total")), 2.5, 1e-9);
    json_decref(record);
    disband(&club);
}

Test(group_record, tells_of_nobody_who_failed_where_all_is_well)
{
    struct club club;

    gather(&club, false);
    club.group->is_closed = true;
    for (size_t i = 0; i < TASKS; i++)
        finish(&club, i, REASON_OK, 6.0);
    json_t *record = record_of(club.group);
    cr_expect(json_is_true(json_object_get(record, "ok")));
    expect_number(record, "succeeded", 4);
    cr_expect_null(json_object_get(record, "cancelled_by"));
    json_decref(record);
    disband(&club);
}

/* The name is the request's own text of it. */
Test(group_record, has_its_name_as_it_came)
{
    struct group *group = group_new("\"a\\\"\\n\\\\b\\u00e9\"", false);
    json_t *record = record_of(group);

    cr_expect_str_eq(json_string_value(json_object_get(record, "group")), "a\"\n\\b\xc3\xa9");
    json_decref(record);
    group_free(group);
    group = group_new("-7", false);
    record = record_of(group);
    expect_number(record, "group", -7);
    json_decref(record);
    group_free(group);
}
