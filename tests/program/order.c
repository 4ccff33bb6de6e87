/* What goes out, and in which order. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "stage.h"

/* A target and how much of it is to come out. */
struct lot {
    const char *target;
    size_t size;
};

/* Bodies of every size up to `largest`, that take any time up to 60 ms, some of them in pieces. */
static struct lot *draw_lots(struct stage *stage, size_t count, uint32_t largest,
                             struct blob *input)
{
    struct lot *lots = calloc(count, sizeof *lots);
    uint64_t seed = count;

    cr_assert(lots);
    for (size_t i = 0; i < count; i++) {
        uint32_t size = stage_dice(&seed) % largest;
        const char *shape[] = {"", "&chunked=1", "&gzip=1", "&nolength=1"};
        lots[i].size = size;
        lots[i].target =
            stage_text(stage, "/bytes/%u?tag=%zu&delay=0.%03u%s", (unsigned)size, i,
                       (unsigned)(stage_dice(&seed) % 60), shape[stage_dice(&seed) % 4]);
        blob_addf(input, "%s%s\n", origin_url(stage->origin), lots[i].target);
    }
    return lots;
}

static void expect_lots(const struct blob *out, const struct lot *lots, size_t count)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        cr_assert_leq(at + lots[i].size, out->len, "body %zu of %zu is missing", i, count);
        int64_t differs = origin_differs(lots[i].target, blob_text(out) + at, lots[i].size);
        cr_assert_eq(differs, -1, "body %zu (%s) differs at %lld", i, lots[i].target,
                     (long long)differs);
        at += lots[i].size;
    }
    cr_expect_eq(at, out->len, "%zu bytes too many", out->len - at);
}

struct crowd {
    size_t requests;
    uint32_t largest;
    char jobs[8];
    char window[8];
};

ParameterizedTestParameters(order, is_that_of_the_input_byte_for_byte)
{
    static struct crowd crowds[] = {
        {60, 2000, "1", "1"},         {1000, 40000, "20", "20"}, {1500, 40000, "50", "1024"},
        {4000, 400, "100", "100000"}, {300, 400000, "8", "64"},
    };

    return cr_make_param_array(struct crowd, crowds, sizeof crowds / sizeof *crowds);
}

ParameterizedTest(struct crowd *crowd, order, is_that_of_the_input_byte_for_byte)
{
    struct stage *stage = stage_new();
    struct blob input = {0};
    struct lot *lots = draw_lots(stage, crowd->requests, crowd->largest, &input);
    struct run_result result = program_run(
        (struct run_options){.argv = RUN_WEIR("-j", crowd->jobs, "--window", crowd->window),
                             .input = input.at,
                             .input_len = input.len});

    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    expect_lots(&result.out, lots, crowd->requests);
    cr_expect_eq(origin_counts(stage->origin).requests, crowd->requests);
    run_result_release(&result);
    blob_release(&input);
    free(lots);
    stage_free(stage);
}

/* Asks for a late "late", then for "a" and "b" at once, and waits until those two were answered. */
static struct run *spawn_with_late_head(struct stage *stage, const char *order)
{
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR(order)});

    run_write_text(run, stage_url(stage, "/text/late?delay=1.5\n"));
    run_write_text(run, stage_url(stage, "/text/a\n"));
    run_write_text(run, stage_url(stage, "/text/b\n"));
    cr_assert(origin_wait_requests(stage->origin, 3, patience));
    cr_assert(origin_wait_in_service(stage->origin, 1, patience));
    return run;
}

Test(order, of_input_waits_for_a_late_head)
{
    struct stage *stage = stage_new();
    struct run *run = spawn_with_late_head(stage, "--keep-order");

    cr_expect_eq(run_read_some(run, 1, 0.2), 0, "shown before the first: %s",
                 blob_text(run_out(run)));
    program_expect(program_end(run), 0, "late\na\nb\n", "");
    stage_free(stage);
}

Test(order, of_completion_does_not_wait)
{
    struct stage *stage = stage_new();
    struct run *run = spawn_with_late_head(stage, "--unordered");

    cr_expect(run_read_until(run, "a\n", patience));
    cr_expect_eq(origin_counts(stage->origin).in_service, 1, "the first was done already");
    struct run_result result = program_end(run);
    cr_expect_eq(result.out.len, strlen("late\na\nb\n"));
    cr_expect_str_eq(blob_text(&result.out) + 4, "late\n");
    run_result_release(&result);
    stage_free(stage);
}

/* The last asked for is the first answered. */
Test(order, of_completion_is_the_order_in_which_answers_end)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/");

    program_expect(
        program_fetch(RUN_WEIR("--order", "completion", stage_text(stage, "%sa?delay=1.6", url),
                               stage_text(stage, "%sb?delay=1.2", url),
                               stage_text(stage, "%sc?delay=0.8", url),
                               stage_text(stage, "%sd?delay=0.4", url),
                               stage_text(stage, "%se", url)),
                      NULL),
        0, "e\nd\nc\nb\na\n", "");
    stage_free(stage);
}

enum { LETTERS = 200, LETTER_LEN = 3000 };

static bool is_one_letter(const char *line, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        if (line[i] != line[0])
            return false;
    }
    return true;
}

/* Bodies of one letter each, that come in small pieces and all at the same time. */
Test(order, of_completion_keeps_each_body_whole)
{
    struct stage *stage = stage_new();
    struct blob input = {0};
    char word[LETTER_LEN + 1] = "";
    size_t lines = 0;

    for (int i = 0; i < LETTERS; i++) {
        memset(word, 'a' + i % 26, LETTER_LEN);
        blob_addf(&input, "%s/text/%s?drip=150,0.002\n", origin_url(stage->origin), word);
    }
    struct run_result result = program_run((struct run_options){
        .argv = RUN_WEIR("-j", "60", "--unordered"), .input = input.at, .input_len = input.len});
    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    cr_assert_eq(result.out.len, LETTERS * (LETTER_LEN + 1UL));
    for (const char *at = result.out.at; *at; at += LETTER_LEN + 1, lines++) {
        cr_assert_eq(at[LETTER_LEN], '\n', "line %zu is torn", lines);
        cr_assert(is_one_letter(at, LETTER_LEN), "line %zu is mixed", lines);
    }
    cr_expect_eq(lines, LETTERS);
    run_result_release(&result);
    blob_release(&input);
    stage_free(stage);
}

Test(order, gives_a_failure_its_place)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    blob_addf(&input, "%s\n", stage_url(stage, "/text/one?delay=0.2"));
    blob_addf(&input, "%s\n", stage_url(stage, "/text/two?status=404"));
    blob_addf(&input, "gopher://three/\n");
    blob_addf(&input, "%s\n", stage_url(stage, "/text/four"));
    blob_addf(&input, "%s\n", stage_url(stage, "/bytes/50000?reset=30000"));
    blob_addf(&input, "http://no good/\n");
    blob_addf(&input, "%s\n", stage_url(stage, "/text/seven"));
    struct run_result result = program_fetch(RUN_WEIR(), blob_text(&input));
    const char *err = blob_text(&result.err);
    const char *two = strstr(err, "line 2: "), *three = strstr(err, "line 3: ");
    const char *five = strstr(err, "line 5: "), *six = strstr(err, "line 6: ");
    cr_expect_str_eq(blob_text(&result.out), "one\nfour\nseven\n");
    cr_expect(two && three && five && six, "%s", err);
    cr_expect(two < three && three < five && five < six, "%s", err);
    cr_expect_eq(result.code, 1);
    run_result_release(&result);
    blob_release(&input);
    stage_free(stage);
}

Test(order, lets_a_redirect_keep_its_place)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR("-j", "5", stage_url(stage, "/text/a?hops=5&delay=0.03"),
                               stage_url(stage, "/text/b"), stage_url(stage, "/text/c?hops=2"),
                               stage_url(stage, "/text/d")),
                      NULL),
        0, "a\nb\nc\nd\n", "");
    stage_free(stage);
}

Test(order, may_be_asked_for_twice_and_the_last_word_counts)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR("--unordered", "--order", "input",
                               stage_url(stage, "/text/a?delay=0.5"), stage_url(stage, "/text/b")),
                      NULL),
        0, "a\nb\n", "");
    stage_free(stage);
}

Test(format, none_prints_nothing_but_failures)
{
    struct stage *stage = stage_new();
    const char *bad = stage_url(stage, "/text/b?status=500");

    program_expect(
        program_fetch(RUN_WEIR("--format", "none", stage_url(stage, "/bytes/100000")), NULL), 0, "",
        "");
    struct run_result result =
        program_fetch(RUN_WEIR("--format=none", stage_url(stage, "/text/a"), bad), NULL);
    cr_expect(program_told(&result, bad, "http", "500"), "%s", blob_text(&result.err));
    program_expect(result, 1, "", bad);
    stage_free(stage);
}

/* A body that nobody wants is still read to its end: it may be cut short. */
Test(format, none_still_notices_a_body_cut_short)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR("--format", "none", stage_url(stage, "/bytes/9?short=3")), NULL), 1,
        "", ": reset: ");
    stage_free(stage);
}

Test(format, raw_prints_bodies_and_nothing_between_them)
{
    struct stage *stage = stage_new();
    struct blob expected = {0};

    origin_body("/bytes/1000", 1000, &expected);
    origin_body("/bytes/33", 33, &expected);
    struct run_result result =
        program_fetch(RUN_WEIR("--format", "raw", stage_url(stage, "/bytes/1000"),
                               stage_url(stage, "/bytes/0"), stage_url(stage, "/bytes/33")),
                      NULL);
    cr_assert_eq(result.out.len, expected.len);
    cr_expect_eq(memcmp(result.out.at, expected.at, expected.len), 0);
    run_result_release(&result);
    blob_release(&expected);
    stage_free(stage);
}
