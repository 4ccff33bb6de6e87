/* What the origin sees of a request, and which answers are good ones. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "canned.h"
#include "program.h"
#include "stage.h"

/* All that the origin saw: the request's line and headers. */
static struct run_result echo(struct stage *stage, const char *option, const char *argument)
{
    const char *url = stage_url(stage, "/echo");
    struct run_result result =
        program_fetch(argument ? RUN_WEIR(option, argument, url) : RUN_WEIR(option, url), NULL);

    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    return result;
}

struct header_case {
    char option[24];
    char argument[40];
    char shows[56]; /* a whole line, or the start of one */
    char lacks[24];
};

ParameterizedTestParameters(request, has_the_headers_that_are_asked_for)
{
    static struct header_case cases[] = {
        {"-L", "", "GET /echo HTTP/1.1\n", "Cookie"},
        {"-L", "", "User-Agent: weir/" WEIR_VERSION "\n", "Authorization"},
        {"-L", "", "Accept: */*\n", ""},
        {"-L", "", "Accept-Encoding: gzip, deflate\n", ""},
        {"--compressed", "", "Accept-Encoding: gzip, deflate\n", ""},
        {"--no-compressed", "", "Accept: */*\n", "Accept-Encoding"},
        {"-A", "own/1", "User-Agent: own/1\n", "weir"},
        {"--user-agent", "own/2", "User-Agent: own/2\n", "weir"},
        {"-A", "", "Accept: */*\n", "User-Agent"},
        {"-H", "X-Own: a b", "X-Own: a b\n", ""},
        {"--header", "X-Own:a", "X-Own:", ""},
        {"-H", "User-Agent: own/3", "User-Agent: own/3\n", "weir"},
        {"-H", "user-agent: own/4", "user-agent: own/4\n", "weir"},
        {"-H", "User-Agent:", "Accept: */*\n", "User-Agent"},
        {"-H", "Accept:", "Host: ", "Accept:"},
        {"-H", "Accept: text/html", "Accept: text/html\n", "*/*"},
        {"-H", "Accept-Encoding:", "Accept: ", "Accept-Encoding"},
        {"-H", "X-Empty;", "X-Empty:\n", ""},
        {"-H", "X-None:", "Host: ", "X-None"},
        {"-H", "Host: own.test", "Host: own.test\n", "127.0.0.1"},
        {"-H", "Authorization: Bearer a", "Authorization: Bearer a\n", ""},
        {"-H", "Cookie: a=b; c=d", "Cookie: a=b; c=d\n", ""},
    };

    return cr_make_param_array(struct header_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct header_case *header, request, has_the_headers_that_are_asked_for)
{
    struct stage *stage = stage_new();
    bool takes_argument = *header->argument || strcmp(header->option, "-A") == 0;
    struct run_result result =
        echo(stage, header->option, takes_argument ? header->argument : NULL);

    cr_expect(blob_contains(&result.out, header->shows), "%s", blob_text(&result.out));
    if (*header->lacks)
        cr_expect(!blob_contains(&result.out, header->lacks), "%s", blob_text(&result.out));
    run_result_release(&result);
    stage_free(stage);
}

Test(request, has_all_of_several_headers_each_time)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("-H", "X-One: 1", "-H", "X-Two: 2", "-j3",
                                          stage_url(stage, "/text/[1-9]")),
                                 NULL),
                   0, "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "");
    for (int i = 1; i <= 9; i++) {
        const char *target = stage_text(stage, "/text/%d", i);
        cr_expect(stage_saw_header(stage, target, "X-One", "1"));
        cr_expect(stage_saw_header(stage, target, "X-Two", "2"));
    }
    stage_free(stage);
}

Test(request, has_the_credentials_of_its_own_url_only)
{
    struct stage *stage = stage_new();
    const char *with = stage_url_at(stage, "user:word@127.0.0.1", "/text/with");

    program_expect(
        program_fetch(RUN_WEIR("-j1", with, stage_url(stage, "/text/without"), with), NULL), 0,
        "with\nwithout\nwith\n", "");
    cr_expect(stage_saw_header(stage, "/text/with", "Authorization", "Basic dXNlcjp3b3Jk"));
    cr_expect(!stage_saw_header(stage, "/text/without", "Authorization", ""));
    stage_free(stage);
}

Test(body, is_decoded_as_it_was_asked_for)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/bytes/100000?gzip=1");
    struct run_result result = program_fetch(RUN_WEIR(url), NULL);

    cr_assert_eq(result.out.len, 100000);
    cr_expect_eq(origin_differs("/bytes/100000?gzip=1", result.out.at, 100000), -1);
    program_expect(result, 0, NULL, "");
    result = program_fetch(RUN_WEIR("--no-compressed", url), NULL);
    cr_assert_gt(result.out.len, 2);
    cr_expect_eq(memcmp(result.out.at, "\x1f\x8b", 2), 0);
    program_expect(result, 0, NULL, "");
    stage_free(stage);
}

/* "hello\n" as gzip, twice over. */
static const char packed_twice[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x93\xef\xe6\x60\x00\x01\xa6\xff\xa7\x3d"
    "\xce\x9e\x3c\xf9\x9c\x89\x41\xc1\xc0\xca\x8c\x0d\x28\x02\x00\x0c\xe2\x9b\x09\x1a"
    "\x00\x00\x00";

static void expect_decoded(const char *encoding, const char *out)
{
    struct blob answer = {0};
    char url[64];

    blob_addf(&answer, "HTTP/1.1 200 OK\r\nConnection: close\r\n%s\r\n", encoding);
    blob_add(&answer, packed_twice, sizeof packed_twice - 1);
    struct canned *canned = canned_start(answer.at, answer.len);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)canned_port(canned));
    program_expect(program_fetch(RUN_WEIR("--retry=0", url), NULL), 0, out, "");
    canned_stop(canned);
    blob_release(&answer);
}

Test(body, is_decoded_once_for_each_coding)
{
    expect_decoded("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", "hello\n");
    expect_decoded("Content-Encoding: gzip, x-gzip\r\n", "hello\n");
    expect_decoded("Content-Encoding: gzip\r\nContent-Encoding:\r\nContent-Encoding: gzip\r\n",
                   "hello\n");
}

Test(body, comes_as_it_is_where_no_coding_is_named)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR(stage_url(stage, "/text/x?hdr=Content-Encoding:"),
                               stage_url(stage, "/text/y?hdr=Content-Encoding:%%20"),
                               stage_url(stage, "/text/z?hdr=Content-Encoding:identity")),
                      NULL),
        0, "x\ny\nz\n", "");
    stage_free(stage);
}

Test(body, of_any_framing_is_whole)
{
    static const char *const shapes[] = {"", "?chunked=1", "?nolength=1", "?gzip=1&nolength=1",
                                         "?close=1"};
    static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 300001};
    struct stage *stage = stage_new();

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            const char *target = stage_text(stage, "/bytes/%zu%s", sizes[k], shapes[i]);
            struct run_result result =
                program_fetch(RUN_WEIR(stage_url(stage, "%s", target)), NULL);
            cr_assert_eq(result.out.len, sizes[k], "%s: %zu", target, result.out.len);
            cr_expect_eq(origin_differs(target, result.out.at, result.out.len), -1, "%s", target);
            program_expect(result, 0, NULL, "");
        }
    }
    stage_free(stage);
}

/* ---- which answers are good ---- */

struct status_case {
    char accept[24]; /* "": the default */
    char status[8];
    bool ok;
};

ParameterizedTestParameters(accept, says_which_status_is_a_success)
{
    static struct status_case cases[] = {
        {"", "200", true},
        {"", "299", true},
        {"", "302", true},
        {"", "399", true},
        {"", "400", false},
        {"", "404", false},
        {"", "500", false},
        {"", "599", false},
        {"404", "404", true},
        {"404", "200", false},
        {"200-299,404", "404", true},
        {"200-299,404", "299", true},
        {"200-299,404", "300", false},
        {"any", "500", true},
        {"any", "200", true},
        {"any", "999", true},
        {"500-599", "503", true},
    };

    return cr_make_param_array(struct status_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct status_case *status, accept, says_which_status_is_a_success)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x?status=%s", status->status);
    const char *said = stage_text(stage, "weir: %s: http: status %s\n", url, status->status);

    program_expect(
        program_fetch(*status->accept ? RUN_WEIR("--accept", status->accept, url) : RUN_WEIR(url),
                      NULL),
        !status->ok, status->ok ? "x\n" : "", status->ok ? "" : said);
    stage_free(stage);
}

Test(accept, of_a_status_without_a_body_prints_nothing)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR(stage_url(stage, "/text/x?status=204"),
                               stage_url(stage, "/text/x?status=304"), stage_url(stage, "/text/y")),
                      NULL),
        0, "y\n", "");
    stage_free(stage);
}

/* ---- where it goes ---- */

Test(resolve, gives_names_their_addresses)
{
    struct stage *stage = stage_new_any();
    unsigned port = origin_port(stage->origin);

    program_expect(
        program_fetch(RUN_WEIR("--resolve", stage_text(stage, "one.test:%u:127.0.0.1", port),
                               "--resolve", stage_text(stage, "two.test:%u:127.0.0.2", port),
                               stage_text(stage, "http://one.test:%u/text/one", port),
                               stage_text(stage, "http://two.test:%u/text/two", port),
                               stage_text(stage, "http://one.test:%u/text/more", port)),
                      NULL),
        0, "one\ntwo\nmore\n", "");
    cr_expect_str_eq(origin_log_find(stage->origin, "/text/one")->local, "127.0.0.1");
    cr_expect_str_eq(origin_log_find(stage->origin, "/text/two")->local, "127.0.0.2");
    cr_expect(stage_saw_header(stage, "/text/two", "Host", stage_text(stage, "two.test:%u", port)));
    stage_free(stage);
}

Test(connect_to, leads_to_another_host_and_port)
{
    struct stage *stage = stage_new();
    unsigned port = origin_port(stage->origin);

    program_expect(
        program_fetch(RUN_WEIR("--connect-to", stage_text(stage, "one.test:80:127.0.0.1:%u", port),
                               "http://one.test/text/one"),
                      NULL),
        0, "one\n", "");
    cr_expect(stage_saw_header(stage, "/text/one", "Host", "one.test"));
    program_expect(program_fetch(RUN_WEIR("--connect-to", stage_text(stage, "::127.0.0.1:%u", port),
                                          "http://two.test/text/two", "http://a.test:9/text/three"),
                                 NULL),
                   0, "two\nthree\n", "");
    stage_free(stage);
}

Test(proxy, is_asked_for_the_whole_url)
{
    struct stage *stage = stage_new();
    const char *proxy = origin_url(stage->origin);

    program_expect(program_fetch(RUN_WEIR("-x", proxy, "http://name.invalid/text/[1-5]",
                                          "http://other.invalid:81/text/x"),
                                 NULL),
                   0, "1\n2\n3\n4\n5\nx\n", "");
    for (int i = 1; i <= 5; i++)
        cr_expect_not_null(
            origin_log_find(stage->origin, stage_text(stage, "http://name.invalid/text/%d", i)));
    cr_expect(
        stage_saw_header(stage, "http://other.invalid:81/text/x", "Host", "other.invalid:81"));
    stage_free(stage);
}

Test(proxy, that_is_not_there_is_told_as_such)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");

    program_expect(program_fetch(RUN_WEIR("-x", "http://" UNKNOWN_NAME ":3128", url), NULL), 1, "",
                   ": dns: ");
    program_expect(program_fetch(RUN_WEIR("-x", "127.0.0.1:1", url), NULL), 1, "", ": connect: ");
    stage_free(stage);
}

Test(proxy, of_the_environment_counts_until_another_is_named)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");
    const char *const env[] = {"http_proxy=127.0.0.1:1", NULL};
    const char *const except[] = {"http_proxy=127.0.0.1:1", "no_proxy=127.0.0.1", NULL};

    program_expect(program_run((struct run_options){.argv = RUN_WEIR(url), .env = env}), 1, "",
                   ": connect: ");
    program_expect(program_run((struct run_options){.argv = RUN_WEIR("-x", "", url), .env = env}),
                   0, "a\n", "");
    program_expect(program_run((struct run_options){.argv = RUN_WEIR(url), .env = except}), 0,
                   "a\n", "");
    stage_free(stage);
}

Test(address, is_of_the_version_asked_for)
{
    struct stage *stage = stage_new();
    const char *url = stage_url_at(stage, "localhost", "/text/a");

    program_expect(program_fetch(RUN_WEIR("-4", url), NULL), 0, "a\n", "");
    program_expect(program_fetch(RUN_WEIR("--ipv6", url), NULL), 1, "", ": connect: ");
    stage_free(stage);
}

Test(address, may_be_of_version_six)
{
    struct origin *origin = origin_start(&(struct origin_options){.address = "::1"});
    char url[128];

    if (!origin)
        cr_skip_test("this machine has no ::1");
    snprintf(url, sizeof url, "%s/text/[1-3]", origin_url(origin));
    program_expect(program_fetch(RUN_WEIR("-6", url), NULL), 0, "1\n2\n3\n", "");
    program_expect(program_fetch(RUN_WEIR("-4", "--host-errors=0", url), NULL), 1, "",
                   ": connect: ");
    cr_expect_eq(origin_stop(origin), 0);
}
