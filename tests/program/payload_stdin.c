/* A payload that comes on stdin: read once, sent with every request, bounded like all that is held. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "stage.h"

static char *filled(size_t len)
{
    char *text = malloc(len + 1);

    cr_assert(text);
    memset(text, 'a', len);
    text[len] = '\0';
    return text;
}

Test(upload, of_a_dash_sends_stdin_to_each_url)
{
    struct stage *stage = stage_new();
    struct run_result result = program_fetch(
        RUN_WEIR("-j1", "-T", "-", stage_url(stage, "/echo"), stage_url(stage, "/echo/")),
        "one\r\ntwo");

    cr_expect(blob_contains(&result.out, "PUT /echo HTTP/1.1\n"));
    cr_expect(blob_contains(&result.out, "\n\none\r\ntwoPUT /echo/ HTTP/1.1\n"), "%s",
              blob_text(&result.out));
    cr_expect(blob_contains(&result.out, "\nContent-Length: 8\n"));
    program_expect(result, 0, NULL, "");
    stage_free(stage);
}

Test(upload, of_a_dash_is_sent_again_from_its_start)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/echo?failtimes=1");
    struct run_result result =
        program_fetch(RUN_WEIR("-T", "-", "--retry", "1", "--retry-delay", "0.01", url), "payload");

    cr_expect(blob_contains(&result.out, "\n\npayload"));
    program_expect(result, 0, NULL, "");
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    stage_free(stage);
}

/* Of stdin nothing is kept in memory, so it may be larger than that. */
Test(upload, of_a_dash_waits_in_the_spool)
{
    const size_t len = 48UL * 1024 * 1024;
    struct stage *stage = stage_new();
    char *text = filled(len);
    struct run_result result = program_run((struct run_options){
        .argv = RUN_WEIR("-T", "-", "--memory", "1M", stage_url(stage, "/text/a")),
        .env = program_lean(),
        .input = text,
        .input_len = len});

    free(text);
    cr_assert(origin_wait_in_service(stage->origin, 0, patience));
    cr_expect_eq(atomic_load(&origin_log_find(stage->origin, "/text/a")->body_bytes), len);
    cr_expect(program_is_sanitized() || result.peak_rss_kib < program_allowance(110 * 1024L), "%ld",
              result.peak_rss_kib);
    program_expect(result, 0, "a\n", "");
    stage_free(stage);
}

Test(upload, of_a_dash_that_the_spool_cannot_hold_is_local_trouble)
{
    struct stage *stage = stage_new();
    char *text = filled(2UL * 1024 * 1024);

    program_expect(
        program_fetch(RUN_WEIR("-T", "-", "--spool-max", "1M", stage_url(stage, "/text/a")), text),
        4, "", "stdin has more than --spool-max");
    free(text);
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

Test(data, from_stdin_fits_in_the_memory_or_is_refused)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");
    char *text = filled(2UL * 1024 * 1024);

    program_expect(program_fetch(RUN_WEIR("-d", "@-", "--memory", "1M", url), text), 2, "",
                   "@-: stdin has more than --memory");
    program_expect(program_fetch(RUN_WEIR("-d", "@-", "--memory", "2M", url, url), text), 0,
                   "a\na\n", "");
    free(text);
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    stage_free(stage);
}

struct stdin_case {
    char words[6][16];
    char says[64];
};

ParameterizedTestParameters(stdin, is_read_once_and_for_one_thing)
{
    static struct stdin_case cases[] = {
        {{"-T", "-"}, "--upload-file: the requests are read from stdin"},
        {{"-T", "-", "-a", "-", "http://h/"}, "--upload-file: the requests are read from stdin"},
        {{"-d", "@-"}, "@-: the requests are read from stdin"},
        {{"--json", "@-", "-a", "-"}, "@-: the requests are read from stdin"},
        {{"-H", "@-"}, "@-: the requests are read from stdin"},
        {{"-d", "@-", "-d", "@-", "http://h/"}, "--data: stdin was read already"},
        {{"-H", "@-", "-T", "-", "http://h/"}, "--upload-file: stdin was read already"},
    };

    return cr_make_param_array(struct stdin_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct stdin_case *with, stdin, is_read_once_and_for_one_thing)
{
    const char *argv[8] = {run_weir()};

    for (size_t i = 0; i < 6 && *with->words[i]; i++)
        argv[i + 1] = with->words[i];
    program_expect(program_fetch(argv, "A: 1\n"), 2, "", with->says);
}
