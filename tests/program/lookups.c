/* Names whose lookups take long: how many there are at once, and whom they hold up. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "libcurl.h"
#include "program.h"
#include "record.h"
#include "stage.h"

/* The scheduler's. */
enum { LOOKUPS_AT_ONCE = 16 };

/* The main thread, and one that is not libcurl's. */
enum { OTHER_THREADS = 2 };

/* Once it is there, names that begin with `late` are. */
static const char *late_file(struct stage *stage)
{
    return stage_text(stage, "%s/late", scratch_dir(stage->scratch));
}

static struct run *spawn_slow(struct stage *stage, const char *seconds, const char *const *argv)
{
    const char *const env[] = {"LD_PRELOAD=" FAULTY_LIBRARY,
                               stage_text(stage, "SLOW_NAMES=%s", seconds),
                               stage_text(stage, "LATE_NAMES=%s", late_file(stage)),
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
    /* From 8.20 on each takes two threads. */
    int each = libcurl_is(0x081400) ? 2 : 1;
    cr_expect_leq(most_threads, each * LOOKUPS_AT_ONCE + OTHER_THREADS);
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

/* ---- names that appear while a run goes on ---- */

/* The whole of `--retry` is for a name that is not there at first. */
static void expect_found_later(struct stage *stage, const char *option, const char *value,
                               const char *url)
{
    struct run *run =
        spawn_slow(stage, "0",
                   RUN_WEIR("-v", "--jsonl", "--retry=9", "--retry-delay=0.2", option, value, url));

    cr_expect(run_read_error_until(run, "not resolve ", patience));
    scratch_write_text(stage->scratch, "late", "");
    json_t *records = records_of(program_end(run), 0, 1);
    cr_expect_gt(record_number(record_at(records, 0), "attempts"), 1);
    json_decref(records);
}

/* From 8.20 on libcurl remembers that a name was not found. */
Test(lookups, find_a_name_that_appears_later)
{
    struct stage *stage = stage_new();

    expect_found_later(stage, "-j", "1", stage_url_at(stage, "late.test", "/text/a"));
    stage_free(stage);
}

Test(lookups, find_a_proxy_that_appears_later)
{
    struct stage *stage = stage_new();

    expect_found_later(stage, "--proxy", stage_url_at(stage, "late.test", ""),
                       "http://any.test/text/a");
    stage_free(stage);
}

static void write_over_tls(struct run *run, int hosts)
{
    for (int host = 1; host <= hosts; host++) {
        char line[48];
        snprintf(line, sizeof line, "https://127.0.0.%d:1/\n", host);
        cr_assert(run_write_text(run, line));
    }
}

/* Hosts over TLS have several shares, and each remembers for itself that a name was not found: here all
 * ask before the first is told. */
Test(lookups, find_a_proxy_that_appears_later_for_each_host)
{
    enum { HOSTS = 4, ALL = 2 * HOSTS };
    struct stage *stage = stage_new();
    struct run *run = spawn_slow(stage, "0.5",
                                 RUN_WEIR("--jsonl", "--retry=0", "-j4", "--host-errors=0",
                                          "--proxy", stage_url_at(stage, "late.test", "")));

    write_over_tls(run, HOSTS);
    cr_assert(run_read_until(run, "\"seq\":4,", patience));
    scratch_write_text(stage->scratch, "late", "");
    write_over_tls(run, HOSTS);
    run_close_stdin(run);
    json_t *records = records_of(program_end(run), 1, ALL);
    for (size_t i = 0; i < json_array_size(records); i++)
        cr_expect_eq(strcmp(record_text(record_at(records, i), "reason"), "dns") == 0, i < HOSTS,
                     "%zu", i);
    json_decref(records);
    stage_free(stage);
}

Test(lookups, find_what_is_connected_to_in_a_hosts_place_when_it_appears_later)
{
    struct stage *stage = stage_new();

    expect_found_later(stage, "--connect-to",
                       "::late.test:", stage_url_at(stage, "any.test", "/text/a"));
    stage_free(stage);
}

/* The lookup that was given up comes to its end while nobody waits for it. */
Test(lookups, that_were_given_up_leave_no_name_unknown)
{
    struct stage *stage = stage_new();
    struct run *run = spawn_slow(
        stage, "0.5", RUN_WEIR("--jsonl", "--retry=0", "--unordered", "--connect-timeout=0.1"));
    const char *url = stage_text(stage, "%s\n", stage_url_at(stage, "late.test", "/text/a"));

    cr_assert(run_write_text(run, url));
    cr_expect(run_read_until(run, "\"timeout\"", patience));
    scratch_write_text(stage->scratch, "late", "");
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    cr_assert(run_write_text(run, url));
    run_close_stdin(run);
    json_t *records = records_of(program_end(run), 1, 2);
    cr_expect_eq(records_count(records, "ok"), 1);
    json_decref(records);
    stage_free(stage);
}

/* ---- lookups that hang ---- */

/* Longer than anything is waited for. */
#define HANGS "50"

/* From 8.20 on libcurl waits for its threads as a multi handle goes, unless it is told not to. */
Test(lookups, that_hang_hold_up_no_end)
{
    struct stage *stage = stage_new();
    struct run *run =
        spawn_slow(stage, HANGS, RUN_WEIR("--jsonl", "--retry=0", "--connect-timeout=0.5"));

    write_slow(run, 3);
    run_close_stdin(run);
    cr_expect(run_ended(run, patience));
    json_t *records = records_of(program_end(run), 1, 3);
    cr_expect_eq(records_count(records, "timeout"), 3);
    json_decref(records);
    stage_free(stage);
}

/* So many connections that other multi handles take over. */
Test(lookups, that_hang_hold_up_no_handing_over)
{
    enum { NAMES = 3, OTHERS = 600 };
    struct stage *stage = stage_new();
    struct run *run = spawn_slow(
        stage, HANGS, RUN_WEIR("--jsonl", "--retry=0", "--connect-timeout=0.5", "--unordered"));

    write_slow(run, NAMES);
    for (unsigned i = 0; i < OTHERS; i++)
        cr_assert(run_write_text(run, stage_url(stage, "/text/a?close=1\n")));
    run_close_stdin(run);
    cr_expect(run_ended(run, patience));
    json_t *records = records_of(program_end(run), 1, NAMES + OTHERS);
    cr_expect_eq(records_count(records, "timeout"), NAMES);
    cr_expect_eq(records_count(records, "ok"), OTHERS);
    json_decref(records);
    stage_free(stage);
}

/* libcurl tells no time of a name that was not found, and an older one when it last looked. */
Test(lookups, that_found_nothing_have_their_times)
{
    static const char *const limits[] = {"--connect-timeout=0.5", "--max-time=0.5", "-j1"};

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct stage *stage = stage_new();
        bool is_given_up = i < 2;
        struct run *run = spawn_slow(stage, is_given_up ? HANGS : "0.5",
                                     RUN_WEIR("--jsonl", "--retry=0", limits[i]));
        write_slow(run, 1);
        json_t *records = records_of(program_end(run), 1, 1);
        const json_t *record = record_at(records, 0);
        cr_expect_str_eq(record_text(record, "reason"), is_given_up ? "timeout" : "dns");
        cr_expect_geq(record_seconds(record, "time_namelookup"), 0.5);
        cr_expect_geq(record_seconds(record, "time_total"),
                      record_seconds(record, "time_namelookup"));
        cr_expect_eq(record_seconds(record, "time_connect"), 0);
        json_decref(records);
        stage_free(stage);
    }
}
