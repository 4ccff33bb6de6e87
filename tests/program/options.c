/* What each of curl's options makes of the request, as the origin sees it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdatomic.h>
#include <string.h>

#include "program.h"
#include "record.h"
#include "stage.h"

/* The words are read in a directory with the files below. */
enum { WORDS_MAX = 8 };

struct echo_case {
    char target[24];
    char words[WORDS_MAX][32];
    char line[40];  /* of the request */
    char shows[48]; /* a whole line of the echo */
    char lacks[24]; /* nowhere in it; "": anything may be */
    char body[48];  /* what stands behind the headers */
};

static void put_files(struct stage *stage)
{
    scratch_write_text(stage->scratch, "headers", "X-One: 1\r\n\nX-Two;\nUser-Agent:\n");
    scratch_write(stage->scratch, "lines", "a\r\nb\0c\n", 7);
    scratch_write_text(stage->scratch, "empty", "");
    scratch_write_text(stage->scratch, "json", "{\"a\":\n1}\n");
}

static struct run_result fetch(struct stage *stage, const struct echo_case *with)
{
    const char *argv[WORDS_MAX + 3] = {run_weir()};
    size_t argc = 1;

    put_files(stage);
    for (size_t i = 0; i < WORDS_MAX && *with->words[i]; i++)
        argv[argc++] = strcmp(with->words[i], "''") == 0 ? "" : with->words[i];
    argv[argc] = stage_url(stage, "%s", with->target);
    return program_run((struct run_options){.argv = argv, .cwd = scratch_dir(stage->scratch)});
}

static bool has_line(const char *text, const char *line)
{
    size_t len = strlen(line);

    for (const char *at = text; (at = strstr(at, line)) != NULL; at++) {
        if ((at == text || at[-1] == '\n') && at[len] == '\n')
            return true;
    }
    return false;
}

static void expect_echo(struct stage *stage, const struct echo_case *with)
{
    struct run_result result = fetch(stage, with);
    const char *echo = blob_text(&result.out);
    const char *body = strstr(echo, "\n\n");

    cr_assert(body, "%s %s: %s", with->words[0], with->words[1], blob_text(&result.err));
    cr_expect(strncmp(echo, with->line, strlen(with->line)) == 0, "%s: %s", with->line, echo);
    cr_expect(!*with->shows || has_line(echo, with->shows), "no '%s' in: %s", with->shows, echo);
    cr_expect(!*with->lacks || !strstr(echo, with->lacks), "'%s' in: %s", with->lacks, echo);
    cr_expect_str_eq(body + 2, with->body);
    program_expect(result, 0, NULL, "");
}

#define ECHO    "/echo"
#define FORM    "Content-Type: application/x-www-form-urlencoded"
#define CHUNKED "Transfer-Encoding: chunked"
#define JSON    "{\"a\":\n1}\n"

ParameterizedTestParameters(option, makes_the_request_that_curl_would)
{
    static struct echo_case cases[] = {
        {ECHO, {"-X", "DELETE"}, "DELETE /echo HTTP/1.1\n", "", "Content-", ""},
        {ECHO, {"--request", "PATCH", "-d", "x"}, "PATCH /echo ", FORM, "", "x"},
        {ECHO, {"-X", "POST"}, "POST /echo ", "", "Content-Type", ""},
        {ECHO, {"-d", "a=1"}, "POST /echo ", FORM, "", "a=1"},
        {ECHO, {"-d", "a=1"}, "POST /echo ", "Content-Length: 3", "Transfer-", "a=1"},
        {ECHO, {"-d", "a", "--data", "b", "-dc"}, "POST /echo ", FORM, "", "a&b&c"},
        {ECHO, {"-d", "''"}, "POST /echo ", "Content-Length: 0", "", ""},
        {ECHO, {"-d", "@lines"}, "POST /echo ", FORM, "", "abc"},
        {ECHO, {"-d", "x", "-d", "@lines"}, "POST /echo ", FORM, "", "x&abc"},
        {ECHO, {"-d", "@empty"}, "POST /echo ", "Content-Length: 0", "", ""},
        {ECHO, {"--data-binary", "@json"}, "POST /echo ", FORM, "", "{\"a\":\n1}\n"},
        {ECHO, {"--data-binary", "a\nb"}, "POST /echo ", FORM, "", "a\nb"},
        {ECHO, {"--data-binary", "@lines"}, "POST /echo ", "Content-Length: 7", "", "a\r\nb"},
        {ECHO, {"-d", "a\r\nb"}, "POST /echo ", "Content-Length: 4", "", "a\r\nb"},
        {ECHO, {"-d", "a", "-H", "Content-Type: x/y"}, "POST ", "Content-Type: x/y", "form", "a"},
        {ECHO, {"-d", "a", "-H", "Content-Type:"}, "POST ", "", "Content-Type", "a"},
        {ECHO, {"--json", "[1]"}, "POST ", "Content-Type: application/json", "*/*", "[1]"},
        {ECHO, {"--json", "[1]"}, "POST ", "Accept: application/json", "*/*", "[1]"},
        {ECHO, {"--json", "[", "--json", "]"}, "POST ", "Content-Length: 2", "form", "[]"},
        {ECHO, {"--json", "@json"}, "POST ", "Content-Length: 9", "", "{\"a\":\n1}\n"},
        {ECHO, {"--json", "1", "-H", "Accept: a/b"}, "POST ", "Accept: a/b", "Accept: ap", "1"},
        {ECHO, {"--json", "1", "-X", "PUT"}, "PUT /echo ", "Content-Length: 1", "", "1"},
        {ECHO, {"-G", "-d", "a=1", "-d", "b=2"}, "GET /echo?a=1&b=2 ", "", "Content-", ""},
        {"/echo?z=0", {"-G", "-d", "a=1"}, "GET /echo?z=0&a=1 ", "", "Content-", ""},
        {ECHO, {"-G"}, "GET /echo HTTP/1.1\n", "", "Content-", ""},
        {ECHO, {"-G", "-d", "a", "-X", "DELETE"}, "DELETE /echo?a ", "", "Content-", ""},
        {ECHO, {"-T", "json"}, "PUT /echo ", "Content-Length: 9", "Type", "{\"a\":\n1}\n"},
        {"/echo/", {"-T", "json"}, "PUT /echo/json ", "", "Expect", "{\"a\":\n1}\n"},
        {ECHO, {"-T", "empty"}, "PUT /echo ", "Content-Length: 0", "", ""},
        {ECHO, {"-T", "json", "-X", "POST"}, "POST /echo ", "", "", "{\"a\":\n1}\n"},
        {ECHO, {"-H", "@headers"}, "GET /echo ", "X-One: 1", "User-Agent", ""},
        {ECHO, {"-H", "@headers"}, "GET /echo ", "X-Two:", "\r", ""},
        {ECHO, {"-H", "A: 1", "-H", "A: 2"}, "GET /echo ", "A: 2", "", ""},
        {ECHO, {"-H", "A: 1", "-H", "A: 2"}, "GET /echo ", "A: 1", "", ""},
        {ECHO, {"-d", "ab", "-H", "transfer-encoding: Chunked"}, "POST ", CHUNKED, "th:", "ab"},
        {ECHO, {"-d", "''", "-H", "Transfer-Encoding: chunked"}, "POST ", CHUNKED, "th:", ""},
        {ECHO, {"-T", "json", "-H", "Transfer-Encoding:chunked"}, "PUT ", CHUNKED, "th:", JSON},
        {ECHO, {"-T", "empty", "-H", "Transfer-Encoding:chunked"}, "PUT ", CHUNKED, "Expect", ""},
        {ECHO, {"-H", "Connection: close"}, "GET /echo ", "Connection: close", "", ""},
        {ECHO, {"-A", "me/1"}, "GET /echo ", "User-Agent: me/1", "weir", ""},
        {ECHO, {"-e", "http://r/"}, "GET /echo ", "Referer: http://r/", "", ""},
        {ECHO, {"-r", "1-2,5-"}, "GET /echo ", "Range: bytes=1-2,5-", "", ""},
        {ECHO, {"--range", "-9"}, "GET /echo ", "Range: bytes=-9", "", ""},
        {ECHO, {"-u", "me:word"}, "GET /echo ", "Authorization: Basic bWU6d29yZA==", "", ""},
        {ECHO, {"-u", "me:"}, "GET /echo ", "Authorization: Basic bWU6", "", ""},
        {ECHO, {"--oauth2-bearer", "t0k"}, "GET /echo ", "Authorization: Bearer t0k", "", ""},
        {ECHO, {"-b", "a=1; b=2"}, "GET /echo ", "Cookie: a=1; b=2", "", ""},
        {ECHO, {"-b", "a=1", "-b", "b=2"}, "GET /echo ", "Cookie: a=1; b=2", "", ""},
        {ECHO, {"--http1.1"}, "GET /echo HTTP/1.1\n", "", "Upgrade", ""},
        {ECHO, {"--http2"}, "GET /echo HTTP/1.1\n", "", "Upgrade", ""},
        {ECHO, {"--limit-rate", "1M", "-d", "x"}, "POST /echo ", FORM, "", "x"},
        {ECHO, {"--proto", "=http"}, "GET /echo ", "", "", ""},
    };

    return cr_make_param_array(struct echo_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct echo_case *with, option, makes_the_request_that_curl_would)
{
    struct stage *stage = stage_new();

    expect_echo(stage, with);
    stage_free(stage);
}

/* libcurl would ask a server whether it wants a large one, and wait for a second. */
Test(option, sends_a_large_file_whole)
{
    struct stage *stage = stage_new();
    struct blob body = {0};
    const char *url = stage_url(stage, "/text/a");

    origin_body("large", 3000000, &body);
    const char *file = scratch_write(stage->scratch, "large", body.at, body.len);
    program_expect(program_fetch(RUN_WEIR("-T", file, url), NULL), 0, "a\n", "");
    program_expect(
        program_fetch(RUN_WEIR("--data-binary", stage_text(stage, "@%s", file), url), NULL), 0,
        "a\n", "");
    const struct origin_record *put = origin_log_find(stage->origin, "/text/a");
    const struct origin_record *post = origin_log_next(stage->origin, put);
    cr_assert(post);
    cr_expect_str_eq(put->method, "PUT");
    cr_assert(origin_wait_in_service(stage->origin, 0, patience));
    cr_expect_eq(atomic_load(&put->body_bytes), 3000000);
    cr_expect_str_eq(post->method, "POST");
    cr_expect_eq(atomic_load(&post->body_bytes), 3000000);
    blob_release(&body);
    stage_free(stage);
}

Test(option, tells_on_stderr_alone_what_is_said_with_verbose)
{
    struct stage *stage = stage_new();
    struct run_result result = program_fetch(
        RUN_WEIR("-v", "-H", "X-Mine: a", stage_url(stage, "/text/a?hdr=X-Theirs:b")), NULL);

    cr_expect_str_eq(blob_text(&result.out), "a\n");
    cr_expect(blob_contains(&result.err, "[1] > GET /text/a?hdr=X-Theirs:b HTTP/1.1\n"));
    cr_expect(blob_contains(&result.err, "[1] > X-Mine: a\n"));
    cr_expect(blob_contains(&result.err, "[1] < HTTP/1.1 200 "));
    cr_expect(blob_contains(&result.err, "[1] < X-Theirs:b\n"), "%s", blob_text(&result.err));
    for (const char *at = blob_text(&result.err); *at; at = strchr(at, '\n') + 1)
        cr_assert(strncmp(at, "[1] ", 4) == 0 && strchr(at, '\n'), "%s", at);
    program_expect(result, 0, NULL, NULL);
    program_expect(
        program_fetch(RUN_WEIR("-v", "--format", "none", stage_url(stage, "/text/b")), NULL), 0, "",
        "[1] > GET /text/b HTTP/1.1\n");
    stage_free(stage);
}

Test(option, asks_for_the_headers_alone_with_head)
{
    struct stage *stage = stage_new();
    struct run_result result = program_fetch(
        RUN_WEIR("-I", stage_url(stage, "/bytes/70000?hdr=X-Own:%%201&tag=[1-3]")), NULL);

    const char *second = strstr(blob_text(&result.out) + 1, "HTTP/1.1 200 OK\r\n");
    cr_assert(second, "%s", blob_text(&result.out));
    cr_expect(strstr(second, "\r\nX-Own: 1\r\n"));
    cr_expect(strstr(second, "\r\nContent-Length: 70000\r\n"));
    cr_expect_eq(result.out.len, 3 * (size_t)(second - blob_text(&result.out)));
    cr_expect_str_eq(origin_log_next(stage->origin, NULL)->method, "HEAD");
    program_expect(result, 0, NULL, "");
    /* What was asked for by name is asked for. */
    program_expect(program_fetch(RUN_WEIR("-I", "-X", "GET", stage_url(stage, "/text/a")), NULL), 0,
                   NULL, "");
    cr_expect_str_eq(origin_log_find(stage->origin, "/text/a")->method, "GET");
    stage_free(stage);
}

Test(option, shows_the_headers_before_each_body_with_include)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR("-i", stage_url(stage, "/text/[1-2]?hdr=A:%%201")), NULL), 0,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nA: 1\r\nContent-Length: 2\r\n\r\n1\n"
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nA: 1\r\nContent-Length: 2\r\n\r\n2\n",
        "");
    stage_free(stage);
}

Test(option, shows_a_folded_header_as_one)
{
    struct stage *stage = stage_new();
    const char *url =
        stage_url(stage, "/text/a?hdr=A:one%%20%%0D%%0A%%20%%09two:%%0D%%0A%%09three&hdr=B:%%201");
    json_t *records = records_of(program_fetch(RUN_WEIR("--jsonl", "-i", url), NULL), 0, 1);
    json_t *expected = json_pack("{s:[s], s:[s], s:[s], s:[s]}", "content-type", "text/plain", "a",
                                 "one two: three", "b", "1", "content-length", "2");

    cr_expect(json_equal(json_object_get(record_at(records, 0), "headers"), expected));
    json_decref(expected);
    json_decref(records);
    program_expect(program_fetch(RUN_WEIR("-w", "%header{a}|%header{b}\\n", url), NULL), 0,
                   "one two: three|1\n", "");
    stage_free(stage);
}

Test(option, gives_up_a_body_over_the_largest_size)
{
    struct stage *stage = stage_new();
    const char *const targets[] = {"/bytes/1001", "/bytes/1001?chunked=1", "/bytes/1001?gzip=1",
                                   "/bytes/100000000?bomb=1"};

    program_expect(program_fetch(RUN_WEIR("--max-filesize", "1000", "--format", "none",
                                          stage_url(stage, "/bytes/1000"),
                                          stage_url(stage, "/bytes/1000?gzip=1")),
                                 NULL),
                   0, "", "");
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        const char *url = stage_url(stage, "%s", targets[i]);
        struct run_result result = program_fetch(RUN_WEIR("--max-filesize", "1000", url), NULL);
        cr_expect(program_told(&result, url, "too_large", ""), "%s", blob_text(&result.err));
        program_expect(result, 1, "", NULL);
    }
    stage_free(stage);
}

Test(option, permits_schemes_with_proto)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");
    const char *const lists[] = {"=https", "-http", "-all,https", "https,-http"};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        program_expect(program_fetch(RUN_WEIR("--proto", lists[i], url), NULL), 1, "",
                       ": denied: not permitted by --proto");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    program_expect(program_fetch(RUN_WEIR("--proto", "-all,http", url), NULL), 0, "a\n", "");
    stage_free(stage);
}

struct refused_case {
    char option[16];
    char name[16];
    size_t len;
    char bytes[32];
};

ParameterizedTestParameters(option, takes_no_file_of_headers_that_would_be_cut)
{
    static struct refused_case cases[] = {
        {"-H", "--header: ", 12, "A: 1\0B: 2\nC:"}, {"-H", "--header: ", 11, "A: 1\rB: 2\n"},
        {"-H", "--header: ", 10, "A: 1\nB\0:2\n"},  {"-H", "--header: ", 7, "A: 1\r\r\n"},
        {"-H", "--header: ", 4, "A: \0"},
    };

    return cr_make_param_array(struct refused_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct refused_case *refused, option, takes_no_file_of_headers_that_would_be_cut)
{
    struct stage *stage = stage_new();
    const char *file = scratch_write(stage->scratch, "headers", refused->bytes, refused->len);

    program_expect(program_fetch(RUN_WEIR(refused->option, stage_text(stage, "@%s", file),
                                          stage_url(stage, "/text/a")),
                                 NULL),
                   2, "", refused->name);
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

struct contradiction {
    char words[6][32];
    char says[56];
};

ParameterizedTestParameters(option, that_contradicts_another_is_refused)
{
    static struct contradiction cases[] = {
        {{"-I", "-d", "a"}, "--head: HEAD sends no data"},
        {{"-I", "-T", "/etc/hostname"}, "--head: HEAD sends no data"},
        {{"-X", "HEAD", "--json", "1"}, "--request: HEAD sends no data"},
        {{"-T", "/etc/hostname", "-d", "a"}, "--upload-file: cannot go with --data"},
        {{"-G", "-d", "a b"}, "--get: the data must be as it stands"},
        {{"-G", "-d", "a\r\nX: 1"}, "--get: the data must be as it stands"},
        {{"-Gd", "a", "--data-raw", "\x7f"}, "--get: the data must be as it stands"},
        {{"--data-binary", "@/bin/true", "-G"}, "--get: "},
        {{"-H", "Transfer-Encoding: chunked"}, "--header: Transfer-Encoding needs data"},
        {{"-d", "a", "-H", "Transfer-Encoding: gzip"}, "--header: Transfer-Encoding can only be"},
        {{"-d", "a", "-H", "Content-Length : 1"}, "--header: takes one header"},
    };

    return cr_make_param_array(struct contradiction, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct contradiction *with, option, that_contradicts_another_is_refused)
{
    struct stage *stage = stage_new();
    const char *argv[8] = {run_weir()};
    size_t argc = 1;

    for (size_t i = 0; i < 6 && *with->words[i]; i++)
        argv[argc++] = with->words[i];
    argv[argc] = stage_url(stage, "/text/a");
    program_expect(program_fetch(argv, NULL), 2, "", with->says);
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

Test(header, that_frames_a_message_is_told_to_be_dropped_once)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/echo");
    struct run_result result = program_fetch(
        RUN_WEIR("-d", "abc", "-H", " Content-Length: 1", "-H", "TE: gzip", url, url), NULL);

    cr_expect(blob_contains(&result.out, "\nContent-Length: 3\n"));
    cr_expect(!blob_contains(&result.out, "TE:"));
    cr_expect_str_eq(blob_text(&result.err),
                     "weir: --header: weir itself writes Content-Length, TE; "
                     "the given one is dropped\n");
    program_expect(result, 0, NULL, NULL);
    program_expect(program_fetch(RUN_WEIR("-s", "-H", "TE: gzip", url), NULL), 0, NULL, "");
    stage_free(stage);
}
