/* Names whose lookups take long: how many there are at once, and whom they hold up. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "program.h"
#include "record.h"
#include "stage.h"

/* The scheduler's. */
enum { LOOKUPS_AT_ONCE = 16 };

/* The main thread, and one that is not libcurl's. */
enum { OTHER_THREADS = 2 };

static struct run *spawn_slow(struct stage *stage, const char *seconds, const char *const *argv)
{
    const char *const env[] = {"LD_PRELOAD=" FAULTY_LIBRARY,
                               stage_text(stage, "SLOW_NAMES=%s", seconds),
                               "http_proxy",
                               "all_proxy",
                               "LC_ALL=C",
                               NULL};

    if (program_is_sanitized())
        cr_skip_test("the sanitizer wants to be loaded first");
    return program_spawn((struct run_options){.argv = argv, .env = env});
}

static void write_slow(struct run *run, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char line[48];
        snprintf(line, sizeof line, "http://slow%u.test/\n", i);
        cr_assert(run_write_text(run, line));
    }
}

static void write_good(struct run *run, struct stage *stage)
{
    const char *url = stage_url_at(stage, "good.test", "/text/a");

    cr_assert(run_write_text(run, stage_text(stage, "%s\n", url)));
}

/* libcurl cannot end a thread that looks a name up: one that was given up is one all the same. */
Test(lookups, are_bounded_however_soon_they_are_given_up)
{
    enum { NAMES = 100 };
    struct stage *stage = stage_new();
    struct run *run = spawn_slow(stage, "0.4",
                                 RUN_WEIR("--jsonl", "--retry=0", "-j100", "--connect-timeout=0.02",
                                          "--parallel-immediate"));
    long most_threads = 0, most_files = 0;

    write_slow(run, NAMES);
    run_close_stdin(run);
    while (!run_ended(run, 0.005)) {
        long threads = run_thread_count(run_pid(run)), files = run_fd_count(run_pid(run));
        most_threads = threads > most_threads ? threads : most_threads;
        most_files = files > most_files ? files : most_files;
    }
    cr_expect_gt(most_threads, 2, "it is not seen");
    cr_expect_leq(most_threads, LOOKUPS_AT_ONCE + OTHER_THREADS);
    cr_expect_leq(most_files, 3 * LOOKUPS_AT_ONCE + 40);
    json_t *records = records_of(program_end(run), 1, NAMES);
    cr_expect_eq(records_count(records, "timeout"), NAMES);
    json_decref(records);
    stage_free(stage);
}

/* A place that a lookup kept is taken again once it has come to its end. */
Test(lookups, that_were_given_up_leave_their_places_to_others)
{
    struct stage *stage = stage_new();
    struct run *run = spawn_slow(
        stage, "0.5", RUN_WEIR("--jsonl", "--retry=0", "--connect-timeout=0.05", "--order=input"));

    write_slow(run, 2 * LOOKUPS_AT_ONCE);
    write_good(run, stage);
    run_close_stdin(run);
    json_t *records = records_of(program_end(run), 1, 2 * LOOKUPS_AT_ONCE + 1);
    cr_expect_eq(records_count(records, "ok"), 1);
    json_decref(records);
    stage_free(stage);
}

/* They come first in the list, and more of them than there are places. */
Test(lookups, that_hang_hold_up_no_other_host_for_long)
{
    enum { NAMES = 40 };
    struct stage *stage = stage_new();
    struct run *run =
        spawn_slow(stage, "8", RUN_WEIR("-w", "%{reason}\n", "--retry=0", "--unordered"));

    write_slow(run, NAMES);
    write_good(run, stage);
    run_close_stdin(run);
    cr_expect(run_read_until(run, "\n", patience));
    cr_expect_str_eq(blob_text(run_out(run)), "ok\n");
    run_signal(run, SIGTERM);
    struct run_result result = program_end(run);
    cr_expect_eq(result.signal, SIGTERM);
    run_result_release(&result);
    stage_free(stage);
}
