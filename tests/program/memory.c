/* Memory depends on what is asked for, and not on how long the input is or how slow the world. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "moment.h"
#include "program.h"
#include "stage.h"

/* A file of so many lines: of a run's own memory the test must not hold any when it forks. */
static const char *write_lines(struct stage *stage, const char *name, size_t count,
                               const char *const lines[3])
{
    const char *path = scratch_path(stage->scratch, name);
    FILE *file = fopen(path, "w");

    cr_assert(file);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%s\n", lines[i % 3]);
    cr_assert_eq(fclose(file), 0);
    return path;
}

static long peak_of(const char *const *argv, int code)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct run_result result =
        program_run((struct run_options){.argv = argv, .output_fd = null, .env = program_lean()});
    long peak = result.peak_rss_kib;

    close(null);
    cr_expect_eq(result.code, code, "%s", blob_text(&result.err));
    run_result_release(&result);
    return peak;
}

static void expect_no_growth(struct stage *stage, size_t few, size_t many, int code,
                             const char *const lines[3])
{
    const char *shorter = write_lines(stage, "shorter", few, lines);
    const char *longer = write_lines(stage, "longer", many, lines);
    long before = peak_of(RUN_WEIR("-s", "-j50", "-a", shorter), code);
    long after = peak_of(RUN_WEIR("-s", "-j50", "-a", longer), code);

    cr_expect_leq(after, before + before / 10, "%ld KiB for %zu, %ld KiB for %zu", before, few,
                  after, many);
}

Test(memory, does_not_grow_with_the_number_of_requests)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/bytes/500");

    expect_no_growth(stage, 4000, 40000, 0, (const char *const[3]){url, url, url});
    cr_expect_eq(origin_counts(stage->origin).requests, 44000);
    stage_free(stage);
}

Test(memory, does_not_grow_with_the_number_of_lines)
{
    struct stage *stage = stage_new();

    expect_no_growth(
        stage, 10000, 300000, 1,
        (const char *const[3]){"ftp://127.0.0.1/denied", "http://in valid/", "{\"url\": 1}"});
    stage_free(stage);
}

/* Hosts are forgotten, and so is what libcurl knows of them. */
Test(memory, does_not_grow_with_the_number_of_hosts)
{
    struct stage *stage = stage_new_any();
    const unsigned port = origin_port(stage->origin);
    const char *few = stage_text(stage, "http://n[1-6000].localhost:%u/text/x", port);
    const char *many = stage_text(stage, "http://n[1-12000].localhost:%u/text/x", port);
    long before = peak_of(RUN_WEIR("-4", "-j50", few), 0);
    long after = peak_of(RUN_WEIR("-4", "-j50", many), 0);

    cr_expect_leq(after, before + before / 10, "%ld and %ld KiB", before, after);
    stage_free(stage);
}

/* The test writes on and on; the origin tells how far weir has come. */
static long rss_after(struct stage *stage, struct run *run, const struct blob *lines,
                      uint64_t requests)
{
    while (origin_counts(stage->origin).requests < requests)
        cr_assert(run_write(run, lines->at, lines->len));
    return run_rss_kib(run_pid(run));
}

Test(memory, is_constant_for_an_input_without_end)
{
    struct stage *stage = stage_new();
    struct blob lines = {0};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("-s"), .output_fd = null, .env = program_lean()});

    for (int i = 0; i < 200; i++)
        blob_addf(&lines, "%s\nfile:///x\n", stage_url(stage, "/text/x"));
    long before = rss_after(stage, run, &lines, 4000);
    long after = rss_after(stage, run, &lines, 30000);
    cr_expect_leq(after, before + before / 10, "%ld and %ld KiB", before, after);
    cr_expect(!run_ended(run, 0));
    run_free(run);
    close(null);
    blob_release(&lines);
    stage_free(stage);
}

/* Sixty bodies of a mebibyte, and a reader that takes its time. */
Test(memory, of_bodies_is_bounded_however_slow_the_reader)
{
    enum { BODIES = 60, BODY = 1 << 20 };
    struct stage *stage = stage_new();
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("-j8", "--window", "16", "--memory", "1M",
                                              "--spool-dir", scratch_mkdir(stage->scratch, "spool"),
                                              stage_url(stage, "/bytes/1048576?tag=[1-60]")),
                             .env = program_lean()});
    long peak = 0;

    run_hold(run, true);
    for (size_t read = 0; read < (size_t)BODIES * BODY;) {
        size_t got = run_read_some(run, 60000, patience);
        long now = run_rss_kib(run_pid(run));
        cr_assert_gt(got, 0);
        read += got;
        peak = now > peak ? now : peak;
    }
    cr_expect_lt(peak, program_allowance(24 * 1024L), "%ld KiB", peak);
    for (size_t i = 0; i < BODIES; i++) {
        const char *target = stage_text(stage, "/bytes/1048576?tag=%zu", i + 1);
        cr_assert_eq(origin_differs(target, run_out(run)->at + i * BODY, BODY), -1, "%s", target);
    }
    program_expect(program_end(run), 0, NULL, "");
    cr_expect_eq(scratch_count(stage->scratch, "spool"), 0);
    stage_free(stage);
}

Test(memory, behind_a_late_head_is_what_memory_says)
{
    struct stage *stage = stage_new();
    long peak = peak_of(RUN_WEIR("--window", "200", "--memory", "2M", "-j50",
                                 stage_url(stage, "/text/late?delay=2"),
                                 stage_url(stage, "/bytes/20000?tag=[1-2000]")),
                        0);

    cr_expect_lt(peak, program_allowance(24 * 1024L), "%ld KiB", peak);
    stage_free(stage);
}

/* A body that never ends, and that is in nobody's way. */
Test(memory, of_an_endless_body_is_bounded)
{
    struct stage *stage = stage_new();
    const char *dir = scratch_mkdir(stage->scratch, "spool");
    long peak =
        peak_of(RUN_WEIR("-s", "--memory", "1M", "--spool-max", "4M", "--spool-dir", dir,
                         stage_url(stage, "/bytes/1?endless=1"), stage_url(stage, "/text/a")),
                1);

    cr_expect_lt(peak, program_allowance(24 * 1024L), "%ld KiB", peak);
    stage_free(stage);
}

/* ---- what is held beside bodies ---- */

enum { PROCESS = 24 * 1024, MEMORY_DEFAULT = 64 * 1024 };
enum { CONNECTION = 400 /* KiB: libcurl keeps the headers of an answer, here 270 KB of them */ };

static void expect_peak(const char *const *argv, int code, long memory, long connections)
{
    long peak = peak_of(argv, code);

    cr_expect_lt(peak, program_allowance(memory + PROCESS + connections * CONNECTION), "%ld KiB",
                 peak);
}

Test(memory, of_kept_headers_is_what_memory_says)
{
    struct stage *stage = stage_new();

    expect_peak(RUN_WEIR("-i", "--jsonl", stage_url(stage, "/text/late?delay=3"),
                         stage_url(stage, "/text/a?bigheaders=270&tag=[1-1000]")),
                0, MEMORY_DEFAULT, 20);
    stage_free(stage);
}

Test(memory, of_kept_headers_does_not_grow_with_the_window)
{
    struct stage *stage = stage_new();

    expect_peak(RUN_WEIR("-i", "--jsonl", "--window", "4000", "--memory", "8M",
                         stage_url(stage, "/text/late?delay=3"),
                         stage_url(stage, "/text/a?bigheaders=200&tag=[1-1500]")),
                0, 8 * 1024L, 20);
    stage_free(stage);
}

Test(memory, of_headers_in_flight_is_what_memory_says)
{
    struct stage *stage = stage_new();

    expect_peak(RUN_WEIR("-i", "--jsonl", "--memory", "1M", "-j", "100",
                         stage_url(stage, "/text/late?delay=3"),
                         stage_url(stage, "/text/a?bigheaders=270&tag=[1-1000]")),
                0, 1024, 100);
    stage_free(stage);
}

/* With the spool full, too, what finds no room is put back, and what may not be sent again fails. */
Test(memory, that_has_no_room_for_headers_puts_the_request_back_or_fails_it)
{
    struct stage *stage = stage_new();
    const char *late = stage_url(stage, "/text/late?delay=1");
    const char *many = stage_url(stage, "/text/a?bigheaders=200&tag=[1-20]");
    program_expect(program_fetch(RUN_WEIR("--memory=0", "--spool-max=500k", "-w",
                                          "%{reason} %header{x-none}", late, many),
                                 NULL),
                   0, "ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok ok ", "");
    struct run_result result =
        program_fetch(RUN_WEIR("--memory=0", "--spool-max=500k", "-d", "x", "-w",
                               "%{reason}:%{errormsg} %header{x-none}", late, many),
                      NULL);
    cr_expect(
        blob_contains(&result.out, "too_large:no room to hold the headers (--memory, --spool-max)"),
        "%s", blob_text(&result.out));
    program_expect(result, 1, NULL, "");
    stage_free(stage);
}

Test(memory, lets_headers_come_back_from_the_spool_as_they_were)
{
    struct stage *stage = stage_new();
    struct blob expected = {0};

    for (int i = 1; i <= 30; i++)
        blob_addf(&expected, "%d:%d ", i, i);
    program_expect(
        program_fetch(RUN_WEIR("--memory=0", "-w", "%header{x-last}:%{seq} ",
                               stage_url(stage, "/text/a?delay=0.5&hdr=X-Last:1"),
                               stage_url(stage, "/text/a?bigheaders=150&hdr=X-Last:[2-30]")),
                      NULL),
        0, blob_text(&expected), "");
    blob_release(&expected);
    stage_free(stage);
}

/* Each URL is some 7 KB long, and each request goes through ten of them; none can go out. */
Test(memory, of_redirect_chains_is_what_memory_says)
{
    struct stage *stage = stage_new();
    const char *pad = stage_text(stage, "%0*d", 7000, 0);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("--jsonl", "--memory", "1M", stage_url(stage, "/text/late?delay=100"),
                         stage_url(stage, "/text/a?hops=10&tag=%s&tag=[1-600]", pad)),
        .output_fd = null,
        .env = program_lean()});

    stage_settled_requests(stage);
    long rss = run_rss_kib(run_pid(run));
    cr_expect_lt(rss, program_allowance(1024 + PROCESS), "%ld KiB", rss);
    run_free(run);
    close(null);
    stage_free(stage);
}

/* The test writes what it does not hold itself. */
static long peak_behind_lines(const char *const *argv, const char *first, const char *line,
                              size_t count, int code)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct run *run =
        program_spawn((struct run_options){.argv = argv, .output_fd = null, .env = program_lean()});

    cr_assert(run_write_text(run, first));
    for (size_t i = 0; i < count; i++)
        cr_assert(run_write_text(run, line));
    run_close_stdin(run);
    struct run_result result = program_end(run);
    long peak = result.peak_rss_kib;
    close(null);
    cr_expect_eq(result.code, code, "%s", blob_text(&result.err));
    run_result_release(&result);
    return peak;
}

enum { LINES = 300, LINE = 1000 * 1000 };

Test(memory, of_json_lines_is_what_memory_says)
{
    struct stage *stage = stage_new();
    struct blob line = {0};
    const char *late = stage_text(stage, "%s\n", stage_url(stage, "/text/late?delay=3"));

    blob_addf(&line, "{\"url\":\"%s\",\"context\":\"%0*d\"}\n", stage_url(stage, "/text/a"), LINE,
              0);
    long peak = peak_behind_lines(RUN_WEIR("--jsonl"), late, blob_text(&line), LINES, 0);
    cr_expect_lt(peak, program_allowance(MEMORY_DEFAULT + PROCESS), "%ld KiB", peak);
    blob_release(&line);
    stage_free(stage);
}

/* A group without end is held until there is no room: it fails, and the run goes on. */
Test(memory, that_a_group_is_too_large_for_fails_the_group)
{
    struct stage *stage = stage_new();
    struct blob input = {0}, expected = {0};

    for (int i = 0; i < 12; i++) {
        blob_addf(&input, "{\"url\":\"%s\",\"group\":1,\"context\":\"%0*d\"}\n",
                  stage_url(stage, "/text/a"), LINE, 0);
        blob_addf(&expected, "too_large ");
    }
    blob_addf(&input, "%s\n", stage_url(stage, "/text/b"));
    blob_addf(&expected, "ok ");
    program_expect(
        program_fetch(RUN_WEIR("--group-commit", "--memory", "4M", "-s", "-w", "%{reason} "),
                      blob_text(&input)),
        1, blob_text(&expected), "");
    blob_release(&input);
    blob_release(&expected);
    stage_free(stage);
}

/* ---- many at once ---- */

enum { CROWD = 5000, KIB_EACH = 28, DESCRIPTORS = CROWD + 1000 };

Test(memory, of_five_thousand_in_flight_is_little_each)
{
    struct stage *stage = stage_new();
    struct rlimit limit;
    /* All are to be asked for before the first is answered, be the machine slow. */
    const char *wait = program_is_sanitized() ? "15" : "4";

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < DESCRIPTORS)
        cr_skip_test("this machine lends only %lu descriptors", (unsigned long)limit.rlim_max);
    long few = peak_of(RUN_WEIR("-j20", stage_url(stage, "/text/[1-1000]")), 0);
    long many = peak_of(RUN_WEIR("-j5000", stage_url(stage, "/text/[1-5000]?delay=%s", wait)), 0);
    cr_expect_eq(origin_counts(stage->origin).in_service_peak, CROWD);
    cr_expect_leq(many - few, program_allowance((long)CROWD * KIB_EACH), "%ld KiB each",
                  (many - few) / CROWD);
    stage_free(stage);
}
