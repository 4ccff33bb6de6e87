/* A connection, and a handle, that is used again: nothing of one request shows in the next, and what
 * must not be done twice is sent once. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "program.h"
#include "stage.h"

/* What the origin is told by a request that asks for no more than its URL. */
static const char *plain_echo(struct stage *stage, const char *const *argv, const char *url)
{
    struct run_result result = program_fetch(argv, url);
    const char *echo = stage_text(stage, "%s", blob_text(&result.out));

    program_expect(result, 0, NULL, "");
    return echo;
}

struct leak_case {
    char members[120]; /* of the request between two plain ones; "": none */
    char user[16];     /* in its URL */
    char query[80];
};

ParameterizedTestParameters(reuse, shows_nothing_of_the_request_before)
{
    static struct leak_case cases[] = {
        {"\"method\":\"DELETE\"", "", ""},
        {"\"method\":\"HEAD\"", "", ""},
        {"\"headers\":{\"X-A\":[\"1\",\"2\"],\"Cookie\":\"a=1\",\"Authorization\":\"x\"}", "", ""},
        {"\"headers\":{\"User-Agent\":null,\"Accept\":null,\"Accept-Encoding\":\"br\"}", "", ""},
        {"\"headers\":{\"Host\":\"own.test\"}", "", ""},
        {"\"headers\":{\"X-One\":null,\"Expect\":\"\"}", "", ""},
        {"\"body\":\"payload\"", "", ""},
        {"\"body\":\"payload\",\"method\":\"PUT\"", "", ""},
        {"\"body\":\"payload\",\"method\":\"GET\"", "", ""},
        {"\"json\":{\"a\":1}", "", ""},
        {"\"body_file\":\"passwd\"", "", ""},
        {"\"timeout\":20,\"id\":1", "me:word@", ""},
        {"", "me:word@", ""},
        {"", "", "&hdr=Set-Cookie:%20a=1"},
        {"", "", "&status=401&hdr=WWW-Authenticate:%20Basic%20realm=r"},
        {"", "", "&status=500&gzip=1"},
        {"\"body\":\"payload\"", "", "&status=404"},
        {"\"body\":\"payload\"", "", "&location=/echo/hop"},
        {"\"body\":\"payload\"", "", "&status=307&location=/echo/hop"},
        {"\"method\":\"PUT\"", "", "&status=303&location=/echo/hop"},
    };

    return cr_make_param_array(struct leak_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct leak_case *leak, reuse, shows_nothing_of_the_request_before)
{
    struct stage *stage = stage_new();
    const char *const *argv = RUN_WEIR("-j1", "-s", "-H", "X-One: 1", "--accept", "any",
                                       "--max-redirs", "3", "-w", "%{body}|", "--body-dir", "/etc");
    const char *plain = stage_url(stage, "/echo\n");
    const char *echo = plain_echo(stage, argv, plain);
    const char *between =
        stage_text(stage, "{\"url\":\"http://%s127.0.0.1:%u/echo?tag=x%s\"%s%s}\n", leak->user,
                   (unsigned)origin_port(stage->origin), leak->query, *leak->members ? "," : "",
                   leak->members);
    struct run_result result =
        program_fetch(argv, stage_text(stage, "%s%s%s%s", plain, between, between, plain));
    const char *out = blob_text(&result.out);
    size_t len = strlen(echo);

    cr_assert_gt(result.out.len, 2 * len, "%s", out);
    cr_expect_eq(strncmp(out, echo, len), 0, "%s", out);
    cr_expect_str_eq(out + result.out.len - len, echo);
    cr_expect_eq(origin_counts(stage->origin).accepted, 2, "each run has one connection");
    program_expect(result, 0, NULL, "");
    stage_free(stage);
}

struct once_case {
    char members[48];
    size_t times;
    char output[8];
};

/* The origin closes a connection that is used again, without an answer: whether it did what it was
 * asked for, nobody knows. A second try gets its answer. */
ParameterizedTestParameters(reuse, sends_twice_only_what_may_be_done_twice)
{
    static struct once_case cases[] = {
        {"\"id\":1", 2, "b\n"},
        {"\"method\":\"HEAD\"", 2, ""},
        {"\"method\":\"PUT\",\"body\":\"x\"", 2, "b\n"},
        {"\"method\":\"DELETE\"", 2, "b\n"},
        {"\"body\":\"x\"", 1, ""},
        {"\"json\":[]", 1, ""},
        {"\"body\":\"\"", 1, ""},
        {"\"body_file\":\"passwd\"", 1, ""},
        {"\"method\":\"POST\"", 1, ""},
        {"\"method\":\"PATCH\"", 1, ""},
        {"\"method\":\"PATCH\",\"body\":\"x\"", 1, ""},
    };

    return cr_make_param_array(struct once_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct once_case *once, reuse, sends_twice_only_what_may_be_done_twice)
{
    static const char *const deaths[] = {"closenow=1", "reset=head"};
    struct stage *stage = stage_new();

    for (size_t i = 0; i < 2; i++) {
        const char *target = stage_text(stage, "/text/b?failtimes=1&%s", deaths[i]);
        const char *url = stage_url(stage, "%s", target);
        const char *input = stage_text(stage, "%s/text/a\n{\"url\":\"%s\",%s}\n",
                                       origin_url(stage->origin), url, once->members);
        struct run_result result =
            program_fetch(RUN_WEIR("-j1", "--retry", "0", "--body-dir", "/etc"), input);
        bool fails = once->times == 1;
        if (fails)
            cr_expect(program_told(&result, stage_text(stage, "line 2: %s", url), "reset", ""),
                      "%s", blob_text(&result.err));
        program_expect(result, fails, stage_text(stage, "a\n%s", once->output), NULL);
        cr_expect_eq(origin_log_count(stage->origin, target), once->times, "%s: %zu times", target,
                     origin_log_count(stage->origin, target));
    }
    stage_free(stage);
}

Test(reuse, is_for_what_must_not_be_sent_twice_too)
{
    static const char *const members[] = {"\"method\":\"POST\"", "\"body\":\"\"", "\"body\":\"x\""};
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (size_t i = 0; i < 3; i++)
        blob_addf(&input, "{\"url\":\"%s\",%s}\n", stage_url(stage, "/text/a"), members[i]);
    program_expect(program_fetch(RUN_WEIR("-j1"), blob_text(&input)), 0, "a\na\na\n", "");
    cr_expect_eq(origin_counts(stage->origin).accepted, 1);
    blob_release(&input);
    stage_free(stage);
}

/* libcurl takes another connection for what one died under, five times for each handle. */
Test(reuse, outlives_any_number_of_connections_that_die)
{
    enum { DEATHS = 20 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    blob_addf(&input, "%s\n", stage_url(stage, "/text/a"));
    for (int i = 0; i < DEATHS; i++)
        blob_addf(&input, "%s\n", stage_url(stage, "/text/b?failtimes=1&closenow=1&tag=%d", i));
    struct run_result result =
        program_fetch(RUN_WEIR("-j1", "--retry", "0", "-w", "%{reason}\n"), blob_text(&input));
    cr_expect_null(strstr(blob_text(&result.out), "reset"), "%s", blob_text(&result.out));
    cr_expect_eq(origin_counts(stage->origin).requests, 1 + 2 * DEATHS);
    program_expect(result, 0, NULL, "");
    blob_release(&input);
    stage_free(stage);
}

/* How many connections it takes to that many hosts, 300 requests at once. */
static uint64_t connections_to(int hosts)
{
    enum { REQUESTS = 3000 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "http://h%d.localhost:%u/bytes/10?delay=0.05\n", i % hosts,
                  (unsigned)origin_port(stage->origin));
    program_expect(program_fetch(RUN_WEIR("-4", "-s", "-j300", "--format=none"), blob_text(&input)),
                   0, "", "");
    uint64_t accepted = origin_counts(stage->origin).accepted;
    blob_release(&input);
    stage_free(stage);
    return accepted;
}

/* There are several multi handles then, and idle connections are with one of them. */
Test(reuse, is_of_as_many_connections_as_run_at_once)
{
    cr_expect_leq(connections_to(1), 300);
}

/* They share multi handles, and not evenly. */
Test(reuse, is_not_lost_where_there_are_few_hosts)
{
    cr_expect_leq(connections_to(3), 600);
}
