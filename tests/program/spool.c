/* Bodies that memory has no room for. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "moment.h"
#include "program.h"
#include "stage.h"

enum {
    BODY = 200 * 1000,
    BODIES = 100,
    SPOOLED = 15 * 1000 * 1000, /* of them at least, behind a MiB of memory */
    DUE = 10,
    DUE_BODY = 60000,
    ALL_DUE = DUE * DUE_BODY,
};

/* A late "late", and a hundred bodies of 200 KB behind it. */
static struct blob late_head_and_bodies(struct stage *stage, const char *head)
{
    struct blob input = {0};

    blob_addf(&input, "%s%s\n", origin_url(stage->origin), head);
    for (int i = 0; i < BODIES; i++)
        blob_addf(&input, "%s/bytes/%d?tag=%d\n", origin_url(stage->origin), BODY, i);
    return input;
}

static void expect_bodies(struct stage *stage, const struct blob *out, size_t at)
{
    cr_assert_eq(out->len, at + (size_t)BODIES * BODY);
    for (int i = 0; i < BODIES; i++, at += BODY) {
        const char *target = stage_text(stage, "/bytes/%d?tag=%d", BODY, i);
        cr_assert_eq(origin_differs(target, out->at + at, BODY), -1, "%s", target);
    }
}

struct room {
    char memory[16];
    char spool_max[16];
    char jobs[8];
};

ParameterizedTestParameters(spool, of_any_size_lets_every_body_through)
{
    static struct room rooms[] = {
        {"64M", "8G", "20"},     {"256k", "8G", "20"},   {"256k", "1M", "20"},
        {"256k", "1M", "1"},     {"256k", "1M", "100"},  {"0", "1M", "20"},
        {"0", "8G", "50"},       {"200k", "256k", "20"}, {"1M", "0", "20"},
        {"4000000", "0", "100"},
    };

    return cr_make_param_array(struct room, rooms, sizeof rooms / sizeof *rooms);
}

ParameterizedTest(struct room *room, spool, of_any_size_lets_every_body_through)
{
    struct stage *stage = stage_new();
    const char *dir = scratch_mkdir(stage->scratch, "spool");
    struct blob input = late_head_and_bodies(stage, "/text/late?delay=0.7");
    struct run_result result = program_run(
        (struct run_options){.argv = RUN_WEIR("-j", room->jobs, "--memory", room->memory,
                                              "--spool-max", room->spool_max, "--spool-dir", dir),
                             .input = input.at,
                             .input_len = input.len});

    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    expect_bodies(stage, &result.out, strlen("late\n"));
    cr_expect_eq(scratch_count(stage->scratch, "spool"), 0);
    run_result_release(&result);
    blob_release(&input);
    stage_free(stage);
}

Test(spool, that_is_small_lets_every_body_through_in_order_of_completion)
{
    struct stage *stage = stage_new();
    struct blob input = late_head_and_bodies(stage, "/text/late?delay=0.7");
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("--unordered", "-j30", "--memory", "256k", "--spool-max", "1M")});

    run_hold(run, true);
    cr_assert(run_write(run, input.at, input.len));
    run_close_stdin(run);
    stage_settled_requests(stage);
    run_hold(run, false);
    struct run_result result = program_end(run);
    cr_expect_eq(result.out.len, strlen("late\n") + (size_t)BODIES * BODY);
    program_expect(result, 0, NULL, "");
    blob_release(&input);
    stage_free(stage);
}

/* It needs more than the rest of the house holds, and gets as much again. */
Test(spool, has_as_much_again_for_the_one_that_all_wait_for)
{
    struct stage *stage = stage_new();
    const char *large = stage_url(stage, "/bytes/1500000");
    struct blob input = late_head_and_bodies(stage, "/bytes/1200000?delay=0.5");

    program_expect(
        program_run((struct run_options){
            .argv = RUN_WEIR("--format", "none", "--memory", "256k", "--spool-max", "1M", large)}),
        0, "", "");
    struct run_result result = program_run(
        (struct run_options){.argv = RUN_WEIR("-j50", "--memory", "256k", "--spool-max", "1M"),
                             .input = input.at,
                             .input_len = input.len});
    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    expect_bodies(stage, &result.out, 1200000);
    run_result_release(&result);
    blob_release(&input);
    stage_free(stage);
}

Test(spool, of_nothing_beside_no_memory_takes_only_what_is_empty)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR("--memory=0", "--spool-max=0", stage_url(stage, "/bytes/0"),
                               stage_url(stage, "/text/a"), stage_url(stage, "/text/b?status=404")),
                      NULL),
        1, "", ": too_large: ");
    stage_free(stage);
}

/* The size of the one open file of the process that is in the directory and has no name, or -1. */
static long long spooled_bytes(pid_t pid, const char *dir)
{
    char path[64], target[PATH_MAX];
    long long bytes = -1;
    struct stat status;

    for (int fd = 0; fd < 200 && bytes < 0; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
        ssize_t len = readlink(path, target, sizeof target - 1);
        if (len < 0)
            continue;
        target[len] = '\0';
        if (strncmp(target, dir, strlen(dir)) == 0 && strstr(target, "(deleted)") &&
            stat(path, &status) == 0 && status.st_nlink == 0)
            bytes = (long long)status.st_size;
    }
    return bytes;
}

Test(spool, is_one_file_without_a_name_and_gives_its_room_back)
{
    struct stage *stage = stage_new();
    const char *dir = scratch_mkdir(stage->scratch, "spool");
    struct blob input = late_head_and_bodies(stage, "/text/late?delay=1");
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("-j10", "--memory", "1M", "--spool-dir", dir)});

    cr_assert(run_write(run, input.at, input.len));
    cr_expect_eq(spooled_bytes(run_pid(run), dir), -1, "it is made before it is needed");
    cr_assert(origin_wait_requests(stage->origin, BODIES + 1, patience));
    cr_assert(origin_wait_in_service(stage->origin, 1, patience));
    double deadline = moment_now() + patience;
    while (spooled_bytes(run_pid(run), dir) < SPOOLED && moment_now() < deadline)
        moment_nap();
    cr_expect_geq(spooled_bytes(run_pid(run), dir), SPOOLED);
    cr_expect_eq(scratch_count(stage->scratch, "spool"), 0);
    for (size_t read = 0; read < (size_t)BODIES * BODY + strlen("late\n");) {
        size_t got = run_read_some(run, 1 << 16, patience);
        cr_assert_gt(got, 0);
        read += got;
    }
    deadline = moment_now() + patience;
    while (spooled_bytes(run_pid(run), dir) > 0 && moment_now() < deadline)
        moment_nap();
    cr_expect_leq(spooled_bytes(run_pid(run), dir), 0);
    expect_bodies(stage, run_out(run), strlen("late\n"));
    program_expect(program_end(run), 0, NULL, "");
    blob_release(&input);
    stage_free(stage);
}

Test(spool, is_where_tmpdir_says_unless_it_is_told)
{
    struct stage *stage = stage_new();
    const char *dir = scratch_mkdir(stage->scratch, "spool");
    const char *other = scratch_mkdir(stage->scratch, "other");
    const char *const env[] = {stage_text(stage, "TMPDIR=%s", dir), NULL};
    const char *late = stage_url(stage, "/text/x?delay=20");
    const char *large = stage_url(stage, "/bytes/90000");
    struct run *by_env = program_spawn(
        (struct run_options){.argv = RUN_WEIR("--memory=0", late, large), .env = env});
    struct run *by_option = program_spawn((struct run_options){
        .argv = RUN_WEIR("--memory=0", "--spool-dir", other, late, large), .env = env});
    double deadline = moment_now() + patience;

    while ((spooled_bytes(run_pid(by_env), dir) <= 0 ||
            spooled_bytes(run_pid(by_option), other) <= 0) &&
           moment_now() < deadline)
        moment_nap();
    cr_expect_gt(spooled_bytes(run_pid(by_env), dir), 0);
    cr_expect_gt(spooled_bytes(run_pid(by_option), other), 0);
    run_free(by_env);
    run_free(by_option);
    stage_free(stage);
}

/* ---- no disk ---- */

/* Ten bodies that are due and that nobody has read yet, then a late one, and behind it more than there
 * is disk for. */
static struct run *spawn_into_full(struct stage *stage, struct run_options options)
{
    struct run *run = program_spawn(options);
    struct blob input = late_head_and_bodies(stage, "/text/late?delay=20");

    run_hold(run, true);
    for (int i = 0; i < DUE; i++)
        cr_assert(run_write_text(run, stage_url(stage, "/bytes/60000?tag=%d\n", i)));
    cr_assert(origin_wait_requests(stage->origin, DUE, patience));
    stage_settled_requests(stage);
    cr_assert(origin_wait_in_service(stage->origin, 0, patience));
    cr_assert(run_write(run, input.at, input.len));
    blob_release(&input);
    return run;
}

/* The ten, and behind them whatever else was whole by then. */
static void expect_what_was_due(struct stage *stage, struct run *run, const char *words)
{
    cr_assert(run_read_error_until(run, words, patience), "%s", blob_text(run_err(run)));
    run_hold(run, false);
    struct run_result result = program_end(run);
    cr_assert_geq(result.out.len, ALL_DUE, "%zu bytes", result.out.len);
    for (size_t i = 0; i < DUE; i++) {
        const char *target = stage_text(stage, "/bytes/60000?tag=%zu", i);
        cr_expect_eq(origin_differs(target, result.out.at + i * DUE_BODY, DUE_BODY), -1, "%s",
                     target);
    }
    cr_expect_eq((result.out.len - ALL_DUE) % BODY, 0, "a body is torn");
    cr_expect_lt(result.out.len, ALL_DUE + (size_t)BODIES * BODY);
    cr_expect_eq(result.signal, 0);
    cr_expect(blob_contains(&result.err, "weir: halted: "), "%s", blob_text(&result.err));
    program_expect(result, 4, NULL, words);
}

Test(spool, that_cannot_grow_ends_the_run_with_what_was_due)
{
    struct stage *stage = stage_new();
    const char *dir = scratch_mkdir(stage->scratch, "spool");
    struct run *run = spawn_into_full(
        stage, (struct run_options){.argv = RUN_WEIR("--memory", "1M", "--spool-dir", dir, "-j5"),
                                    .file_bytes = 1 << 20,
                                    .ignored = SIGXFSZ});

    expect_what_was_due(stage, run, "weir: cannot write the spool in ");
    cr_expect_eq(scratch_count(stage->scratch, "spool"), 0);
    stage_free(stage);
}

Test(spool, on_a_full_disk_ends_the_run_with_what_was_due)
{
    struct stage *stage = stage_new();
    const char *dir = scratch_mkdir(stage->scratch, "disk");
    const char *script = "mount -t tmpfs -o size=2m tmpfs \"$1\" && "
                         "exec \"$0\" --memory 1M --spool-dir \"$1\" -j5";
    const char *const argv[] = {"unshare", "-m", "sh", "-c", script, run_weir(), dir, NULL};

    if (!program_may_mount())
        cr_skip_test("needs root, and mounts of its own");
    struct run *run = spawn_into_full(stage, (struct run_options){.argv = argv});
    expect_what_was_due(stage, run, "No space left on device");
    stage_free(stage);
}

/* With no file of any size to be had, and bodies that memory holds, nothing is missed. */
Test(spool, is_not_needed_where_memory_has_room)
{
    struct stage *stage = stage_new();
    struct blob input = late_head_and_bodies(stage, "/text/late?delay=0.3");
    struct run_result result = program_run((struct run_options){.argv = RUN_WEIR("--memory=64M"),
                                                                .input = input.at,
                                                                .input_len = input.len,
                                                                .file_bytes = 1,
                                                                .ignored = SIGXFSZ});

    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    expect_bodies(stage, &result.out, strlen("late\n"));
    run_result_release(&result);
    blob_release(&input);
    stage_free(stage);
}
