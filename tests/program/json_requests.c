/* JSON requests: what each field makes of the request, and how one comes back from its own record. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "record.h"
#include "stage.h"

enum { WORDS_MAX = 6 };

/* The request's members behind its url, and options beside it. */
struct field_case {
    char members[96];
    char words[WORDS_MAX][32];
    char line[40];
    char shows[64];
    char lacks[40];
    char body[32];
};

/* {"url":"...", members} */
static const char *request_of(struct stage *stage, const char *target, const char *members)
{
    return stage_text(stage, "{\"url\":\"%s%s\"%s%s}\n", origin_url(stage->origin), target,
                      *members ? "," : "", members);
}

#define FORM    "\nContent-Type: application/x-www-form-urlencoded\n"
#define JSON    "\nContent-Type: application/json\n"
#define CHUNKED "\nTransfer-Encoding: chunked\n"
#define ONE     "-H", "X-One: 1"
#define FROM    "--body-dir"

ParameterizedTestParameters(json_request, is_what_its_fields_and_then_the_options_say)
{
    static struct field_case cases[] = {
        {"", {""}, "GET /echo HTTP/1.1\n", "User-Agent: weir/", "Content-", ""},
        {"'method':'DELETE'", {""}, "DELETE /echo ", "", "Content-", ""},
        {"'method':'get'", {""}, "get /echo ", "", "Content-", ""},
        {"'headers':{'X-A':'1 2'}", {""}, "GET ", "\nX-A: 1 2\n", "", ""},
        {"'headers':{'X-A':['1','2']}", {""}, "GET ", "\nX-A: 1\nX-A: 2\n", "", ""},
        {"'headers':{'X-A':[]}", {""}, "GET ", "", "X-A", ""},
        {"'headers':{'X-A':''}", {""}, "GET ", "\nX-A:\n", "", ""},
        {"'headers':{'X-A':' \\t '}", {""}, "GET ", "\nX-A:\n", "", ""},
        {"'headers':{'X-A':['',' ','1']}", {""}, "GET ", "\nX-A:\nX-A:\nX-A: 1\n", "", ""},
        {"'headers':{'X-A':'é'}", {""}, "GET ", "\nX-A: é\n", "", ""},
        {"'headers':{'user-agent':null}", {""}, "GET ", "\nAccept: */*\n", "User-Agent", ""},
        {"'headers':{'Accept':null}", {""}, "GET ", "", "Accept:", ""},
        {"'headers':{'accept':'a/b'}", {""}, "GET ", "\naccept: a/b\n", "*/*", ""},
        {"'headers':{'Host':'own.test'}", {""}, "GET ", "\nHost: own.test\n", "127.0.0.1", ""},
        {"'body':'a=1'", {""}, "POST /echo ", "\nContent-Length: 3\n", "Content-Type", "a=1"},
        {"'body':''", {""}, "POST /echo ", "\nContent-Length: 0\n", "Content-Type", ""},
        {"'body':'é\\n\\u0041'", {""}, "POST ", "\nContent-Length: 4\n", "", "é\nA"},
        {"'body':'x','method':'GET'", {""}, "GET ", "\nContent-Length: 1\n", "", "x"},
        {"'body_base64':'AGH/'", {""}, "POST ", "\nContent-Length: 3\n", "Content-Type", ""},
        {"'json':{'a' : [1,2.50,1e2]}", {""}, "POST ", JSON, "", "{\"a\" : [1,2.50,1e2]}"},
        {"'json':null", {""}, "POST ", JSON, "", "null"},
        {"'json':1,'headers':{'Content-Type':'a/b'}", {""}, "POST ", "Type: a/b\n", JSON, "1"},
        {"'body_file':'payload'", {FROM, "."}, "POST ", "Length: 5\n", "Type", "a\nb\r\n"},
        {"'body_file':'payload','method':'PUT'", {FROM, "."}, "PUT ", "", "Type", "a\nb\r\n"},
        /* what frames the message is ours to write */
        {"'body':'a=1','headers':{'Content-Length':'1'}", {""}, "POST ", "th: 3\n", "", "a=1"},
        {"'body':'a=1','headers':{'content-length':null}", {""}, "POST ", "th: 3\n", "", "a=1"},
        {"'headers':{'Content-Length':['1','2']}", {""}, "GET ", "", "Content-", ""},
        {"'headers':{'Connection':'Upgrade','Upgrade':'a','TE':'b'}", {""}, "GET ", "", "Up", ""},
        {"'headers':{'Keep-Alive':'a','Trailer':'b'}", {""}, "GET ", "", "ve: a", ""},
        {"'body':'a','headers':{'transfer-encoding':'Chunked'}",
         {""},
         "POST ",
         CHUNKED,
         "th:",
         "a"},
        {"'body':'','headers':{'transfer-encoding':'chunked'}", {""}, "POST ", CHUNKED, "th:", ""},
        {"'body_file':'payload','headers':{'Transfer-Encoding':['chunked','chunked']}",
         {FROM, "."},
         "POST ",
         CHUNKED,
         "Expect",
         "a\nb\r\n"},
        /* beside options */
        {"", {"-H", "Transfer-Encoding: chunked"}, "GET ", "", "chunked", ""},
        {"'body':'a'", {"-H", "Transfer-Encoding: chunked"}, "POST ", CHUNKED, "th:", "a"},
        {"'body':'a','headers':{'transfer-encoding':null}",
         {"-H", "Transfer-Encoding: chunked"},
         "POST ",
         "\nContent-Length: 1\n",
         "chunked",
         "a"},
        {"", {ONE, "-A", "me/1"}, "GET ", "\nX-One: 1\n", "weir/", ""},
        {"'headers':{'X-Two':'2'}", {ONE}, "GET ", "\nX-One: 1\n", "", ""},
        {"'headers':{'x-one':'2'}", {ONE}, "GET ", "\nx-one: 2\n", "X-One", ""},
        {"'headers':{'x-one':null}", {ONE}, "GET ", "", "X-One", ""},
        {"'headers':{'User-Agent':'own'}", {"-A", "me/1"}, "GET ", "User-Agent: own\n", "me/", ""},
        {"", {"-X", "PUT"}, "PUT /echo ", "", "Content-", ""},
        {"'method':'PATCH'", {"-X", "PUT"}, "PATCH /echo ", "", "Content-", ""},
        {"'body':'x'", {"-X", "PUT"}, "PUT /echo ", "", "Content-Type", "x"},
        {"'body':'x','method':'PATCH'", {"-X", "PUT"}, "PATCH /echo ", "", "", "x"},
        {"", {"-d", "usual"}, "POST /echo ", FORM, "", "usual"},
        {"'body':'own'", {"-d", "usual"}, "POST /echo ", "", "Content-Type", "own"},
        {"'json':[]", {"-d", "usual"}, "POST /echo ", JSON, "form", "[]"},
        {"'body':'own'", {"--json", "{}"}, "POST /echo ", "", "Content-Type", "own"},
        {"'body':'own'", {"-T", "/dev/null"}, "POST /echo ", "", "null", "own"},
        {"'method':'PUT'", {"-d", "usual"}, "PUT /echo ", FORM, "", "usual"},
        {"'body':'own'", {"-T", "payload"}, "POST /echo ", "", "", "own"},
        {"'body':'own'", {"-X", "HEAD"}, "POST /echo ", "", "", "own"},
        {"", {"-u", "me:word"}, "GET ", "Authorization: Basic bWU6d29yZA==\n", "", ""},
        {"'headers':{'Authorization':'x'}",
         {"-u", "a:b"},
         "GET ",
         "\nAuthorization: x\n",
         "Basic",
         ""},
        {"", {"-b", "a=1"}, "GET ", "\nCookie: a=1\n", "", ""},
    };

    return cr_make_param_array(struct field_case, cases, sizeof cases / sizeof *cases);
}

/* Single quotes stand for double ones, which would need a backslash here. */
static const char *unquoted(struct stage *stage, const char *text)
{
    char copy[256];

    snprintf(copy, sizeof copy, "%s", text);
    for (char *at = copy; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    return stage_text(stage, "%s", copy);
}

ParameterizedTest(struct field_case *with, json_request,
                  is_what_its_fields_and_then_the_options_say)
{
    struct stage *stage = stage_new();
    const char *input = request_of(stage, "/echo", unquoted(stage, with->members));
    const char *argv[WORDS_MAX + 2] = {run_weir()};

    for (size_t i = 0; i < WORDS_MAX && *with->words[i]; i++)
        argv[i + 1] = with->words[i];
    scratch_mkdir(stage->scratch, "sub");
    scratch_write_text(stage->scratch, "payload", "a\nb\r\n");
    struct run_result result = program_run((struct run_options){.argv = argv,
                                                                .cwd = scratch_dir(stage->scratch),
                                                                .input = input,
                                                                .input_len = strlen(input)});
    const char *echo = blob_text(&result.out), *body = strstr(echo, "\n\n");
    cr_assert(body, "%s", blob_text(&result.err));
    cr_expect_eq(strncmp(echo, with->line, strlen(with->line)), 0, "%s", echo);
    cr_expect(strstr(echo, with->shows), "no '%s' in: %s", with->shows, echo);
    cr_expect(!*with->lacks || !strstr(echo, with->lacks), "'%s' in: %s", with->lacks, echo);
    cr_expect_str_eq(body + 2, with->body);
    program_expect(result, 0, NULL, "");
    stage_free(stage);
}

Test(json_request, for_the_headers_alone_sends_no_data_of_the_options)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("-j1", "-d", "usual", "--stall-timeout", "5"),
                                 stage_text(stage, "%s%s/text/b\n",
                                            request_of(stage, "/text/a", "\"method\":\"HEAD\""),
                                            origin_url(stage->origin))),
                   0, "b\n", "");
    cr_assert(origin_wait_in_service(stage->origin, 0, patience));
    cr_expect_eq(atomic_load(&origin_log_find(stage->origin, "/text/a")->body_bytes), 0);
    cr_expect_eq(atomic_load(&origin_log_find(stage->origin, "/text/b")->body_bytes), 5);
    stage_free(stage);
}

Test(json_request, is_shown_in_its_record)
{
    static const char members[] = "\"id\":\"a\\u0041\",\"context\":{ \"x\":1.50 },\"group\":7,"
                                  "\"method\":\"PUT\",\"body\":\"b\"";
    struct stage *stage = stage_new();
    struct run_result result =
        program_fetch(RUN_WEIR("--fields", "seq,line,id,context,group,method,ok,http_code,request",
                               "--jsonl", "--echo-request", "all"),
                      stage_text(stage, "\n%s", request_of(stage, "/text/a", members)));

    cr_expect_str_eq(blob_text(&result.out),
                     stage_text(stage,
                                "{\"seq\":1,\"line\":2,\"id\":\"a\\u0041\",\"context\":"
                                "{ \"x\":1.50 },\"group\":7,\"method\":\"PUT\",\"ok\":true,"
                                "\"http_code\":200,\"request\":%.*s}\n",
                                (int)strlen(request_of(stage, "/text/a", members)) - 1,
                                request_of(stage, "/text/a", members)));
    program_expect(result, 0, NULL, "");
    stage_free(stage);
}

Test(json_request, has_a_timeout_of_its_own)
{
    struct stage *stage = stage_new();
    const char *input =
        stage_text(stage, "%s%s", request_of(stage, "/text/a?silent=1", "\"timeout\":0.2"),
                   request_of(stage, "/text/b?delay=0.5", "\"timeout\":25,\"retry\":0"));
    json_t *records = records_of(program_fetch(RUN_WEIR("--jsonl", "-m", "20"), input), 1, 2);

    cr_expect_str_eq(record_text(record_at(records, 0), "reason"), "timeout");
    cr_expect_str_eq(record_text(record_at(records, 1), "reason"), "ok");
    json_decref(records);
    /* One that is longer than the options' too. */
    program_expect(program_fetch(RUN_WEIR("-m", "0.2"),
                                 request_of(stage, "/text/b?delay=0.5", "\"timeout\":25")),
                   0, "b\n", "");
    stage_free(stage);
}

/* A line that a stranger wrote would else post any file to anybody. */
Test(json_request, sends_a_file_only_from_beneath_the_body_dir)
{
    static const char *const names[] = {"../secret", "/etc/passwd", "link", "dir/link",
                                        "sub/../../secret"};
    struct stage *stage = stage_new();
    const char *dir = scratch_mkdir(stage->scratch, "bodies");
    struct blob lines = {0};

    scratch_write_text(stage->scratch, "secret", "secret");
    scratch_write_text(stage->scratch, "bodies/payload", "payload");
    scratch_mkdir(stage->scratch, "bodies/sub");
    cr_assert_eq(symlink("../secret", scratch_path(stage->scratch, "bodies/link")), 0);
    cr_assert_eq(symlink("..", scratch_path(stage->scratch, "bodies/dir")), 0);
    cr_assert_eq(symlink("payload", scratch_path(stage->scratch, "bodies/inner")), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        blob_add_text(&lines, request_of(stage, "/echo",
                                         stage_text(stage, "\"body_file\":\"%s\"", names[i])));
    blob_add_text(&lines, request_of(stage, "/echo", "\"body_file\":\"inner\""));

    json_t *records = records_of(program_fetch(RUN_WEIR("--jsonl"), blob_text(&lines)), 1, 6);
    for (size_t i = 0; i < 6; i++) {
        cr_expect_str_eq(record_text(record_at(records, i), "reason"), "invalid");
        cr_expect(
            strstr(record_text(record_at(records, i), "errormsg"), "body_file: needs --body-dir"));
    }
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    json_decref(records);
    records =
        records_of(program_fetch(RUN_WEIR("--jsonl", "--body-dir", dir), blob_text(&lines)), 4, 6);
    for (size_t i = 0; i < 5; i++) {
        cr_expect_str_eq(record_text(record_at(records, i), "reason"), "output", "%s", names[i]);
        cr_expect(
            strstr(record_text(record_at(records, i), "errormsg"), "it is not beneath --body-dir"));
    }
    cr_expect(strstr(record_text(record_at(records, 5), "body"), "\n\npayload"));
    cr_expect_eq(origin_counts(stage->origin).requests, 1);
    json_decref(records);
    blob_release(&lines);
    stage_free(stage);
}

Test(json_request, names_the_file_of_its_body)
{
    struct stage *stage = stage_new();
    const char *dir = scratch_path(stage->scratch, "out");
    const char *input =
        stage_text(stage, "%s%s%s", request_of(stage, "/text/a", "\"output\":\"d/a\""),
                   request_of(stage, "/text/b", "\"output\":\"../b\""),
                   request_of(stage, "/text/c", "\"output\":\"/tmp/c\""));
    json_t *records =
        records_of(program_fetch(RUN_WEIR("--jsonl", "--output-dir", dir), input), 1, 3);
    struct blob body = {0};

    cr_expect(scratch_read(stage->scratch, "out/d/a", &body));
    cr_expect_str_eq(blob_text(&body), "a\n");
    cr_expect_str_eq(record_text(record_at(records, 0), "body_file"),
                     stage_text(stage, "%s/d/a", dir));
    for (size_t i = 1; i < 3; i++) {
        cr_expect_str_eq(record_text(record_at(records, i), "reason"), "invalid");
        cr_expect_eq(strncmp(record_text(record_at(records, i), "errormsg"), "output: ", 8), 0);
    }
    cr_expect_eq(origin_counts(stage->origin).requests, 1);
    blob_release(&body);
    json_decref(records);
    stage_free(stage);
}

/* ---- fed back in ---- */

#define FAILS "/echo?status=500&tag="

/* The echoed request is the whole of what was sent, so the two answers are the same only if the two
 * requests are. */
static void expect_same_requests(const json_t *first, const json_t *second)
{
    static const char *const names[] = {"id",     "context", "group",       "url",
                                        "method", "body",    "body_base64", "request"};

    for (size_t i = 0; i < json_array_size(first); i++) {
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            const json_t *one = json_object_get(record_at(first, i), names[k]);
            const json_t *other = json_object_get(record_at(second, i), names[k]);
            char *shown = other ? json_dumps(other, JSON_ENCODE_ANY) : NULL;
            cr_expect((!one && !other) || json_equal(one, other), "record %zu: %s: %s", i, names[k],
                      shown ? shown : "is not there");
            free(shown);
        }
    }
}

Test(record, that_is_fed_back_in_asks_for_the_same_again)
{
    struct stage *stage = stage_new();
    struct blob input = {0};
    const char *const members[] = {
        "",
        "\"id\":1,\"context\":{\"body\":\"no\",\"url\":2}",
        "\"method\":\"PUT\",\"body\":\"a\\nb\\u00e9\",\"headers\":{\"X-A\":[\"1\",\"2\"]}",
        "\"body_base64\":\"AP//\",\"headers\":{\"User-Agent\":null,\"B\":\"\"},\"group\":\"g\"",
        "\"json\":{\"a\" : [1.50, \"\\u0000\"]},\"id\":\"x\",\"timeout\":30,\"retry\":0",
        "\"method\":\"POST\",\"body\":\"\"",
        "\"method\":\"DELETE\"",
    };
    const size_t count = sizeof members / sizeof *members;

    for (size_t i = 0; i < count; i++)
        blob_add_text(&input, request_of(stage, stage_text(stage, FAILS "%zu", i), members[i]));
    blob_addf(&input, "%s" FAILS "url\n", origin_url(stage->origin));
    struct run_result result =
        program_fetch(RUN_WEIR("--jsonl", "--retry", "0"), blob_text(&input));
    const char *records = stage_text(stage, "%s", blob_text(&result.out));
    json_t *first = records_of(result, 1, count + 1);
    json_t *second =
        records_of(program_fetch(RUN_WEIR("--jsonl", "--retry", "0"), records), 1, count + 1);

    expect_same_requests(first, second);
    cr_expect_eq(origin_counts(stage->origin).requests, 2 * (count + 1));
    cr_expect(strstr(record_text(record_at(second, 2), "body"), "\nX-A: 1\nX-A: 2\n"));
    cr_expect(strstr(record_text(record_at(second, 2), "body"), "\n\na\nbé"));
    cr_expect_str_eq(record_text(record_at(second, count), "method"), "GET");
    json_decref(first);
    json_decref(second);
    blob_release(&input);
    stage_free(stage);
}

/* What was answered, and what else stands there, never becomes a request. */
Test(record, is_read_for_its_request_alone)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/echo");
    const char *input = stage_text(
        stage,
        "{\"reason\":\"http\",\"url\":\"%s\",\"method\":\"PUT\",\"body\":\"answer\","
        "\"headers\":{\"x-answer\":[\"1\"]},\"json\":1,\"no_such\":[],\"seq\":-1}\n"
        "{\"request\":{\"url\":\"%s\",\"body\":\"own\"},\"body_base64\":\"YQ==\",\"body\":\"answer\","
        "\"reason\":\"reset\",\"url\":\"http://127.0.0.1:1/\",\"method\":\"PATCH\"}\n",
        url, url);
    struct run_result result = program_fetch(RUN_WEIR("-j1"), input);

    cr_expect_eq(strncmp(blob_text(&result.out), "GET /echo HTTP/1.1\n", 19), 0);
    cr_expect(blob_contains(&result.out, "\n\nPOST /echo HTTP/1.1\n"));
    cr_expect(blob_contains(&result.out, "\n\nown"));
    cr_expect(!blob_contains(&result.out, "answer"), "%s", blob_text(&result.out));
    program_expect(result, 0, NULL, "");
    stage_free(stage);
}

/* The first line's body says another request, and its own length that it does not. */
Test(json_request, cannot_make_its_body_a_second_request)
{
    struct stage *stage = stage_new();
    const char *input = stage_text(
        stage,
        "{\"url\":\"%s/text/a\",\"body\":\"xGET /text/evil HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n\","
        "\"headers\":{\"Content-Length\":\"1\"}}\n%s/text/b\n",
        origin_url(stage->origin), origin_url(stage->origin));

    program_expect(program_fetch(RUN_WEIR("-j1"), input), 0, "a\nb\n", "");
    cr_expect_null(origin_log_find(stage->origin, "/text/evil"));
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    stage_free(stage);
}

Test(json_request, has_a_connection_of_its_own_where_it_asks_for_that)
{
    struct stage *stage = stage_new();
    const char *url = origin_url(stage->origin);
    const char *input = stage_text(
        stage,
        "%s/text/a\n{\"url\":\"%s/text/b\",\"headers\":{\"connection\":\"Close\"}}\n%s/text/c\n",
        url, url, url);

    program_expect(program_fetch(RUN_WEIR("-j1"), input), 0, "a\nb\nc\n", "");
    uint64_t first = origin_log_find(stage->origin, "/text/a")->connection;
    cr_expect_neq(origin_log_find(stage->origin, "/text/b")->connection, first);
    cr_expect_eq(origin_log_find(stage->origin, "/text/c")->connection, first);
    stage_free(stage);
}
