/* Runs that end before all is done, because --halt or --deadline says so. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "arrivals.h"
#include "program.h"
#include "record.h"
#include "stage.h"

/* A run's requests as letters, each an argument of its own: o is ok; f fails; s is never answered;
 * l is ok, but late; r fails for now. All arguments have been read before the first is answered. */
static const char *url_of(struct stage *stage, char letter, size_t index)
{
    switch (letter) {
    case 'f': return stage_url(stage, "/text/x?status=404&tag=%zu", index);
    case 's': return stage_url(stage, "/text/x?silent=1&tag=%zu", index);
    case 'l': return stage_url(stage, "/text/late?delay=1&tag=%zu", index);
    case 'r': return stage_url(stage, "/text/x?failtimes=1&tag=%zu", index);
    default: break;
    }
    return stage_url(stage, "/text/word-%zu", index);
}

struct call {
    const char *argv[RUN_ARGS_MAX + 2];
    size_t len;
};

static void call_add(struct call *call, const char *argument)
{
    cr_assert_lt(call->len, (size_t)RUN_ARGS_MAX);
    call->argv[call->len++] = argument;
}

static struct run_result run_letters(struct stage *stage, const char *const *options,
                                     const char *letters)
{
    struct call call = {0};

    for (; *options; options++)
        call_add(&call, *options);
    for (size_t i = 0; letters[i]; i++)
        call_add(&call, url_of(stage, letters[i], i));
    return program_fetch(call.argv, NULL);
}

/* What became of each, in letters again: o is ok, f failed, h was halted. */
static void expect_ends(const json_t *records, const char *ends)
{
    cr_assert_eq(json_array_size(records), strlen(ends));
    for (size_t i = 0; i < json_array_size(records); i++) {
        const json_t *record = record_at(records, i);
        const char *reason = record_text(record, "reason");
        size_t at = (size_t)record_number(record, "seq") - 1;
        cr_assert_lt(at, strlen(ends));
        const char *due = ends[at] == 'o' ? "ok" : ends[at] == 'h' ? "halted" : "http";
        cr_expect_str_eq(reason, due, "request %zu is %s", at + 1, reason);
    }
}

static size_t count_done(const char *ends)
{
    return strlen(ends) - (strchr(ends, 'h') ? strlen(strchr(ends, 'h')) : 0);
}

/* ---- when it is reached ---- */

/* One at a time, so that it is known what is done by then. */
struct ending {
    char option[24];
    char letters[24], ends[24];
    char words[48]; /* "": it is never reached */
    int code;
};

ParameterizedTestParameters(halt, comes_when_its_condition_is_reached)
{
    static struct ending endings[] = {
        {"--halt=soon,fail=3", "fofoffo", "fofofhh", "3 failures reached --halt soon,fail=3", 3},
        {"--halt=now,fail=3", "fofoffo", "fofofhh", "3 failures reached --halt now,fail=3", 3},
        {"--halt=now,fail=1", "ofo", "ofh", "1 failure reached --halt now,fail=1", 3},
        {"--fail-fast", "ofoo", "ofhh", "1 failure reached --halt now,fail=1", 3},
        {"--fail-early", "foo", "fhh", "1 failure reached --halt now,fail=1", 3},
        {"--halt=soon,success=2", "fofofo", "fofohh", "2 successes reached --halt soon,success=2",
         0},
        {"--halt=now,success=1", "ffof", "ffoh", "1 success reached --halt now,success=1", 0},
        {"--halt=soon,done=4", "foofoof", "foofhhh", "4 results reached --halt soon,done=4", 0},
        {"--halt=now,done=1", "fo", "fh", "1 result reached --halt now,done=1", 0},
        /* Also where nothing is left to be halted. */
        {"--halt=soon,fail=2", "off", "off", "2 failures reached --halt soon,fail=2", 3},
        {"--halt=now,success=2", "foo", "foo", "2 successes reached --halt now,success=2", 0},
        /* Shares, of at least ten. */
        {"--halt=soon,fail=50%", "ffffffffoooo", "ffffffffoohh",
         "8 failures reached --halt soon,fail=50%", 3},
        {"--halt=now,fail=30%", "foooooooooofff", "foooooooooofff", "", 1},
        {"--halt=now,fail=30%", "fooooooooofffoo", "fooooooooofffhh",
         "4 failures reached --halt now,fail=30%", 3},
        {"--halt=soon,fail=100%", "ffffffffffff", "ffffffffffhh",
         "10 failures reached --halt soon,fail=100%", 3},
        {"--halt=now,success=90%", "fooooooooooo", "fooooooooohh",
         "9 successes reached --halt now,success=90%", 0},
        {"--halt=now,done=50%", "fofofofofofofofofofofof", "fofofofofofohhhhhhhhhhh",
         "12 results reached --halt now,done=50%", 0},
        /* Not reached. */
        {"--halt=never", "ffo", "ffo", "", 1},
        {"--halt=soon,fail=4", "ffof", "ffof", "", 1},
        {"--halt=now,fail=10%", "fffffffff", "fffffffff", "", 1},
        {"--halt=now,success=3", "oofo", "oofo", "3 successes reached --halt now,success=3", 0},
        {"--halt=now,success=3", "oof", "oof", "", 1},
        {"--halt=soon,done=4", "ooo", "ooo", "", 0},
    };

    return cr_make_param_array(struct ending, endings, sizeof endings / sizeof *endings);
}

static void expect_words(const struct run_result *result, const char *words, size_t halted)
{
    struct blob line = {0};

    if (*words)
        blob_addf(&line, "weir: halted: %s", words);
    if (halted)
        blob_addf(&line, "; requests read and not done: %zu", halted);
    if (line.len)
        blob_addf(&line, "\n");
    cr_expect_str_eq(blob_text(&result->err), blob_text(&line));
    blob_release(&line);
}

ParameterizedTest(struct ending *ending, halt, comes_when_its_condition_is_reached)
{
    static const char *const orders[] = {"--order=input", "--order=completion"};

    for (size_t i = 0; i < 2; i++) {
        struct stage *stage = stage_new();
        struct run_result result = run_letters(
            stage, RUN_WEIR("-j1", "--jsonl", orders[i], ending->option), ending->letters);
        size_t done = count_done(ending->ends), all = strlen(ending->ends);
        expect_words(&result, ending->words, all - done);
        json_t *records = records_of(result, ending->code, all);
        expect_ends(records, ending->ends);
        for (size_t k = 0; k < done; k++)
            cr_expect_eq(record_number(record_at(records, k), "seq"), (long long)k + 1);
        cr_expect_eq(origin_counts(stage->origin).requests, done, "something started after it");
        json_decref(records);
        stage_free(stage);
    }
}

/* A line that is no request has failed, too. */
Test(halt, counts_invalid_lines_as_failures)
{
    struct stage *stage = stage_new();
    struct run_result result =
        program_fetch(RUN_WEIR("-s", "--halt=soon,fail=2", "--format=none"),
                      stage_text(stage, "{\n{]\n%s\n", stage_url(stage, "/text/x")));

    program_expect(result, 3, "", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

Test(halt, is_told_unless_silent)
{
    struct stage *stage = stage_new();

    program_expect(run_letters(stage, RUN_WEIR("-j1", "-s", "--fail-fast"), "fo"), 3, "", "");
    struct run_result result = run_letters(stage, RUN_WEIR("-j1", "--fail-fast"), "foo");
    cr_expect(program_told(&result, url_of(stage, 'f', 0), "http", "404"));
    program_expect(result, 3, "",
                   "weir: halted: 1 failure reached --halt now,fail=1; requests read and not "
                   "done: 2\n");
    stage_free(stage);
}

/* The largest status that applies. */
Test(halt, gives_way_to_local_trouble)
{
    struct stage *stage = stage_new();
    const char *missing = scratch_path(stage->scratch, "missing");

    program_expect(program_fetch(RUN_WEIR("-j1", "--fail-fast", "-a", missing,
                                          url_of(stage, 'f', 0), url_of(stage, 'o', 1)),
                                 NULL),
                   4, "", "reached --halt now,fail=1");
    stage_free(stage);
}

ParameterizedTestParameters(halt, refuses_what_says_nothing)
{
    static char values[][24] = {
        "",           "later",        "soon",          "now,",        "now,fail",     "now,fail=",
        "now,fail=0", "now,fail=0%",  "now,fail=101%", "now,fail=-1", "now,fail=x",   "now,fails=1",
        "soon,ok=1",  "never,fail=1", "soon fail=1",   "now,fail=1,", "now,fail=1.5", "Now,fail=1",
        "2",
    };

    return cr_make_param_array(char[24], values, sizeof values / sizeof *values);
}

ParameterizedTest(char (*value)[24], halt, refuses_what_says_nothing)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x");

    program_expect(program_fetch(RUN_WEIR("--halt", *value, url), NULL), 2, "", "--halt");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

/* ---- what runs, and what waits ---- */

/* Both are under way when the third fails, for it comes after them and they take their time. */
Test(halt_soon, lets_what_runs_finish)
{
    struct stage *stage = stage_new();
    json_t *records = records_of(
        run_letters(stage, RUN_WEIR("-j3", "--jsonl", "--halt=soon,fail=1"), "llfoo"), 3, 5);

    expect_ends(records, "oofhh");
    cr_expect_str_eq(record_text(record_at(records, 1), "body"), "late\n");
    cr_expect_eq(origin_counts(stage->origin).requests, 3);
    json_decref(records);
    stage_free(stage);
}

Test(halt_now, cancels_what_runs)
{
    static const char *const orders[] = {"--order=input", "--order=completion"};

    for (size_t i = 0; i < 2; i++) {
        struct stage *stage = stage_new();
        json_t *records = records_of(
            run_letters(stage, RUN_WEIR("-j3", "--jsonl", orders[i], "--fail-fast"), "ssfoo"), 3,
            5);
        expect_ends(records, "hhfhh");
        cr_expect_eq(record_number(record_at(records, i ? 0 : 2), "seq"), 3);
        cr_expect_str_empty(record_text(record_at(records, 4), "body"));
        cr_expect_eq(origin_counts(stage->origin).requests, 3);
        json_decref(records);
        stage_free(stage);
    }
}

/* What ended before it goes out, though something older never came. */
Test(halt_now, lets_go_what_waited_for_its_turn)
{
    struct stage *stage = stage_new();

    program_expect(run_letters(stage, RUN_WEIR("-j2", "--fail-fast"), "soofo"), 3,
                   "word-1\nword-2\n", "requests read and not done: 2\n");
    cr_expect_eq(origin_counts(stage->origin).requests, 4);
    stage_free(stage);
}

/* The second condition that ends it, the deadline, comes while what runs is spared by the first. */
Test(halt_soon, spares_nobody_from_the_deadline)
{
    struct stage *stage = stage_new();
    struct run_result result =
        run_letters(stage, RUN_WEIR("-j2", "--halt=soon,success=1", "--deadline=1.5"), "sooo");

    program_expect(result, 3, "word-1\n",
                   "weir: halted: 1 success reached --halt soon,success=1; requests read and not "
                   "done: 3\n");
    stage_free(stage);
}

static struct criterion_test_params soon_and_now(void)
{
    static char options[][24] = {"--halt=soon,fail=1", "--halt=now,fail=1"};

    return cr_make_param_array(char[24], options, sizeof options / sizeof *options);
}

/* Whether it runs is what counts: one that waits for its next attempt does not. */
ParameterizedTestParameters(halt, comes_over_those_that_wait)
{
    return soon_and_now();
}

ParameterizedTest(char (*option)[24], halt, comes_over_those_that_wait)
{
    struct stage *stage = stage_new();
    json_t *records =
        records_of(run_letters(stage,
                               RUN_WEIR("-j1", "--jsonl", *option, "--retry-delay=9000",
                                        "--retry-max-delay=9000"),
                               "rorfo"),
                   3, 5);

    expect_ends(records, "hohfh");
    cr_expect_eq(record_number(record_at(records, 0), "attempts"), 1);
    cr_expect_eq(record_number(record_at(records, 4), "attempts"), 0);
    cr_expect_eq(origin_counts(stage->origin).requests, 4);
    json_decref(records);
    stage_free(stage);
}

static const char first[] = "127.0.0.1", second[] = "127.0.0.2";

/* A host's gate is closed, and behind it are one that came to it and one that was never tried. */
ParameterizedTestParameters(halt, comes_over_those_behind_a_gate)
{
    return soon_and_now();
}

ParameterizedTest(char (*option)[24], halt, comes_over_those_behind_a_gate)
{
    static const char shut[] = "/text/x?status=429&retryafter=1000";
    struct stage *stage = stage_new_any();
    const char *const *argv =
        RUN_WEIR("-j1", "--jsonl", *option, stage_url_at(stage, first, shut),
                 stage_url_at(stage, first, "/text/never"), stage_url_at(stage, second, "/text/y"),
                 stage_url_at(stage, second, "/text/z?status=404"));
    json_t *records = records_of(program_fetch(argv, NULL), 3, 4);

    expect_ends(records, "hhof");
    cr_expect_eq(arrivals_count(stage, first), 1);
    cr_expect_eq(record_number(record_at(records, 0), "attempts"), 1);
    json_decref(records);
    stage_free(stage);
}

/* Where it was led to it may go only in an hour; until then it is not done. */
ParameterizedTestParameters(halt, comes_over_hops)
{
    return soon_and_now();
}

ParameterizedTest(char (*option)[24], halt, comes_over_hops)
{
    struct stage *stage = stage_new_any();
    const char *there = stage_encoded(stage, stage_url_at(stage, second, "/text/there"));
    const char *const *argv =
        RUN_WEIR("-j1", "--jsonl", *option, "--host-rate=127.0.0.2=1/h",
                 stage_url_at(stage, second, "/text/x"),
                 stage_url_at(stage, first, stage_text(stage, "/text/x?location=%s", there)),
                 stage_url_at(stage, first, "/text/z?status=404"));
    json_t *records = records_of(program_fetch(argv, NULL), 3, 3);

    expect_ends(records, "ohf");
    cr_expect_eq(arrivals_count(stage, second), 1);
    cr_expect_eq(record_number(record_at(records, 1), "num_redirects"), 1);
    json_decref(records);
    stage_free(stage);
}

/* ---- an input that goes on ---- */

/* Whatever the window holds has a record, and nothing beyond it. */
struct endless {
    char option[24], order[24];
    char target[32];
    size_t jobs, done;
    int code;
};

ParameterizedTestParameters(halt, ends_an_endless_input)
{
    static struct endless endless[] = {
        {"--halt=now,done=50", "--order=input", "/text/x", 4, 50, 0},
        {"--halt=soon,done=50", "--order=completion", "/text/x", 4, 50, 0},
        {"--halt=soon,fail=40%", "--order=input", "/text/x?status=404", 2, 10, 3},
        {"--halt=now,fail=20", "--order=completion", "/text/x?closenow=1", 2, 20, 3},
    };

    return cr_make_param_array(struct endless, endless, sizeof endless / sizeof *endless);
}

ParameterizedTest(struct endless *with, halt, ends_an_endless_input)
{
    enum { WINDOW = 16 };
    struct stage *stage = stage_new();
    FILE *lines =
        popen(stage_text(stage, "exec yes '%s'", stage_url(stage, "%s", with->target)), "r");
    const char *jobs = stage_text(stage, "-j%zu", with->jobs);

    cr_assert(lines);
    struct run_result result = program_run(
        (struct run_options){.argv = RUN_WEIR(jobs, "--jsonl", "--window=16", "--retry=0",
                                              "--host-errors=0", with->order, with->option),
                             .input_fd = fileno(lines)});
    json_t *records = records_read(&result.out);
    size_t halted = records_count(records, "halted"), all = json_array_size(records);
    cr_expect_geq(all - halted, with->done);
    cr_expect_leq(all - halted, with->done + with->jobs);
    cr_expect_leq(halted, WINDOW);
    cr_expect_leq(origin_counts(stage->origin).requests, with->done + with->jobs);
    for (size_t i = 0; i < all && strcmp(with->order, "--order=input") == 0; i++)
        cr_expect_eq(record_number(record_at(records, i), "seq"), (long long)i + 1);
    json_decref(records);
    program_expect(result, with->code, NULL, "weir: halted: ");
    pclose(lines);
    stage_free(stage);
}

/* The oldest is not answered, so nothing goes out and nothing more is read until the halt. */
Test(halt, comes_while_the_window_is_full)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (size_t i = 0; i < 30; i++)
        blob_addf(&input, "%s\n", url_of(stage, "sooof"[i < 5 ? i : 1], i));
    json_t *records = records_of(
        program_fetch(RUN_WEIR("-j2", "--jsonl", "--window=5", "--fail-fast"), blob_text(&input)),
        3, 5);
    expect_ends(records, "hooof");
    cr_expect_eq(origin_counts(stage->origin).requests, 5);
    json_decref(records);
    blob_release(&input);
    stage_free(stage);
}

/* ---- results that wait for each other ---- */

static const char *in_group(struct stage *stage, const char *group, const char *url)
{
    return stage_text(stage, "{\"group\":\"%s\",\"url\":\"%s\"}\n", group, url);
}

/* The group of the first two is the whole window, and the third was read to see whether it goes on. */
Test(halt, tells_of_what_was_read_ahead)
{
    static const char *const orders[] = {"--order=input", "--order=completion"};

    for (size_t i = 0; i < 2; i++) {
        struct stage *stage = stage_new();
        const char *input = stage_text(stage, "%s%s%s", in_group(stage, "a", url_of(stage, 's', 0)),
                                       in_group(stage, "a", url_of(stage, 's', 1)),
                                       in_group(stage, "b", url_of(stage, 'o', 2)));
        struct run_result result = program_fetch(
            RUN_WEIR("-j2", "--jsonl", "--window=2", "--group-commit", "--deadline=1", orders[i]),
            input);
        cr_expect(blob_contains(&result.err, "requests read and not done: 3\n"), "%s",
                  blob_text(&result.err));
        json_t *records = records_of(result, 3, 3);
        expect_ends(records, "hhh");
        json_decref(records);
        stage_free(stage);
    }
}

/* As the first is halted its group is done, and the second leaves its place between the others. */
Test(halt, finds_everyone_behind_a_group_that_is_let_go)
{
    static const char *const orders[] = {"--order=input", "--order=completion"};

    for (size_t i = 0; i < 2; i++) {
        struct stage *stage = stage_new();
        const char *input =
            stage_text(stage, "%s%s%s\n%s\n", in_group(stage, "a", url_of(stage, 's', 0)),
                       in_group(stage, "a", url_of(stage, 'o', 1)), url_of(stage, 's', 2),
                       stage_url(stage, "/text/x?status=404&delay=0.5"));
        json_t *records = records_of(
            program_fetch(RUN_WEIR("-j4", "--jsonl", "--group-commit", "--fail-fast", orders[i]),
                          input),
            3, 4);
        expect_ends(records, "hohf");
        json_decref(records);
        stage_free(stage);
    }
}

/* ---- the deadline ---- */

Test(deadline, cancels_what_runs)
{
    struct stage *stage = stage_new();
    struct run_result result =
        run_letters(stage, RUN_WEIR("-j2", "--jsonl", "--deadline=1.5"), "osso");

    cr_expect(blob_contains(&result.err, "weir: halted: the --deadline of 1.5 s passed; requests "
                                         "read and not done: 3\n"),
              "%s", blob_text(&result.err));
    json_t *records = records_of(result, 3, 4);
    expect_ends(records, "ohhh");
    json_decref(records);
    stage_free(stage);
}

Test(deadline, ends_a_wait_for_a_retry)
{
    struct stage *stage = stage_new();

    program_expect(run_letters(stage,
                               RUN_WEIR("-s", "--deadline=1.5", "--retry-delay=9000",
                                        "--retry-max-delay=9000"),
                               "r"),
                   3, "", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 1);
    stage_free(stage);
}

/* Nobody writes to its stdin, and nobody closes it. */
Test(deadline, ends_a_wait_for_input)
{
    struct run *run =
        program_spawn((struct run_options){.argv = RUN_WEIR("--jsonl", "--deadline=0.3")});

    cr_expect(run_ended(run, patience));
    program_expect(program_end(run), 3, "", "weir: halted: the --deadline of 0.3 s passed\n");
}

/* Nobody reads its stdout meanwhile; what had finished is all there for who reads it then. */
Test(deadline, waits_for_who_reads_what_is_done)
{
    enum { LEN = 500000 };
    struct stage *stage = stage_new();
    const char *target = stage_text(stage, "/bytes/%d", LEN);
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR("-j2", "--deadline=2", stage_url(stage, "%s", target),
                                              url_of(stage, 's', 1))});

    run_hold(run, true);
    cr_assert(origin_wait_requests(stage->origin, 2, patience));
    cr_expect(origin_wait_in_service(stage->origin, 0, patience));
    run_hold(run, false);
    struct run_result result = program_end(run);
    cr_expect_eq(result.out.len, LEN);
    cr_expect_eq(origin_differs(target, blob_text(&result.out), result.out.len), -1);
    program_expect(result, 3, NULL, "passed; requests read and not done: 1\n");
    stage_free(stage);
}

Test(deadline, that_is_not_reached_says_nothing)
{
    struct stage *stage = stage_new();

    program_expect(run_letters(stage, RUN_WEIR("--deadline=600"), "oo"), 0, "word-0\nword-1\n", "");
    stage_free(stage);
}

/* ---- files ---- */

/* One is whole, one is half there, one was never begun. */
ParameterizedTestParameters(halt, leaves_whole_files_alone)
{
    static char options[][24] = {"--fail-fast", "--deadline=2"};

    return cr_make_param_array(char[24], options, sizeof options / sizeof *options);
}

ParameterizedTest(char (*option)[24], halt, leaves_whole_files_alone)
{
    struct stage *stage = stage_new();
    bool fails = strcmp(*option, "--fail-fast") == 0;
    const char *template = stage_text(stage, "%s/{seq}", scratch_mkdir(stage->scratch, "out"));
    const char *const *argv =
        RUN_WEIR("-j2", "--jsonl", "-o", template, *option, url_of(stage, 'o', 1),
                 stage_url(stage, "/bytes/200000?stall=100000"),
                 fails ? stage_url(stage, "/text/x?delay=0.5&status=404") : url_of(stage, 's', 2),
                 url_of(stage, 'o', 3));
    json_t *records = records_of(program_fetch(argv, NULL), 3, 4);

    expect_ends(records, fails ? "ohfh" : "ohhh");
    stage_expect_file(stage, "out/1", "word-1\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1, "something is left behind");
    cr_expect(!record_has(record_at(records, 1), "body_file"));
    json_decref(records);
    stage_free(stage);
}

Test(halt_soon, lets_a_file_become_whole)
{
    enum { LEN = 100000 };
    struct stage *stage = stage_new();
    const char *target = stage_text(stage, "/bytes/%d?headdelay=1", LEN);
    const char *template = stage_text(stage, "%s/{seq}", scratch_mkdir(stage->scratch, "out"));
    struct blob body = {0};

    program_expect(program_fetch(RUN_WEIR("-s", "-j2", "-o", template, "--halt=soon,fail=1",
                                          stage_url(stage, "%s", target), url_of(stage, 'f', 1),
                                          url_of(stage, 'o', 2)),
                                 NULL),
                   3, "", "");
    cr_expect(scratch_read(stage->scratch, "out/1", &body));
    cr_expect_eq(body.len, LEN);
    cr_expect_eq(origin_differs(target, blob_text(&body), body.len), -1);
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1, "something is left behind");
    blob_release(&body);
    stage_free(stage);
}

Test(halt, ends_the_stream_that_goes_to_a_file)
{
    struct stage *stage = stage_new();
    const char *to = stage_text(stage, "%s/all", scratch_mkdir(stage->scratch, "out"));
    struct blob stream = {0};

    program_expect(
        run_letters(stage, RUN_WEIR("-s", "-j2", "--jsonl", "--to", to, "--fail-fast"), "osofo"), 3,
        "", "");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1, "something is left behind");
    cr_assert(scratch_read(stage->scratch, "out/all", &stream));
    json_t *records = records_read(&stream);
    expect_ends(records, "ohofh");
    json_decref(records);
    blob_release(&stream);
    stage_free(stage);
}
