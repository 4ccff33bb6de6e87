/* What goes wrong, as the records tell it. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "canned.h"
#include "libcurl.h"
#include "nginx.h"
#include "program.h"
#include "record.h"
#include "stage.h"

struct fault {
    const char *url; /* a target of the origin's where it begins with a slash */
    const char *reason;
    long long http_code;
    const char *words;
    long long attempts;
};

static const struct fault faults[] = {
    {"/bytes/100?reset=head", "reset", 0, "", 1},
    {"/bytes/100000?reset=70000", "reset", 200, "", 1},
    {"/bytes/100000?reset=70000&gzip=1", "reset", 200, "", 1},
    {"/bytes/100?closenow=1", "reset", 0, "", 1},
    {"/bytes/100?short=1", "reset", 200, "", 1},
    {"/bytes/0?short=9", "reset", 200, "", 1},
    {"/bytes/100?short=1&status=500", "reset", 500, "", 1},
    {"/bytes/100?cutchunk=1", "reset", 200, "", 1},
    {"/bytes/100?badchunk=1", "protocol", 200, "chunk", 1},
    {"/bytes/10?headers=20000", "protocol", 200, "header", 1},
    {"/bytes/10?bigheader=120000", "protocol", 200, "header", 1},
    {"/bytes/10?garbage=1", "protocol", 0, "HTTP", 1},
    {"/text/x?location=http:///", "protocol", 302, "no URL", 1},
    {"/bytes/100?silent=1", "timeout", 0, "no byte for 0.7 s", 1},
    {"/bytes/100?stall=0", "timeout", 200, "no byte for 0.7 s", 1},
    {"/bytes/100?stall=50", "timeout", 200, "no byte for 0.7 s", 1},
    {"/bytes/100000?drip=1,0.02", "timeout", 200, "not done after 1.5 s", 1},
    {"/bytes/1?endless=1&drip=10,0.02", "timeout", 200, "not done after 1.5 s", 1},
    {"/text/x?loop=1", "redirects", 302, "more than 10", 1},
    {"/text/x?hops=11", "redirects", 302, "more than 10", 1},
    {"http://" UNKNOWN_NAME "/", "dns", 0, UNKNOWN_NAME, 1},
    {"https://" UNKNOWN_NAME ":9/x?y=z", "dns", 0, UNKNOWN_NAME, 1},
    {"http://nobody.invalid/", "dns", 0, "nobody.invalid", 1},
    {"/bytes/1000?badgzip=1", "encoding", 200, "", 1},
    {"/bytes/1000?badgzip=cut", "encoding", 200, "too early", 1},
    {"/text/x?badgzip=cut&status=500", "encoding", 500, "", 1},
    {"/text/x?hdr=Content-Encoding:zstd-or-so", "encoding", 200, "", 1},
    {"/bytes/200001", "too_large", 200, "200000 bytes (--max-filesize)", 1},
    {"/bytes/200001?chunked=1", "too_large", 200, "200000 bytes", 1},
    {"/bytes/100000000?bomb=1", "too_large", 200, "200000 bytes", 1},
    {"/bytes/1?endless=1", "too_large", 200, "200000 bytes", 1},
    {"/text/x?location=file:///etc/passwd", "denied", 302, "file:///etc/passwd", 1},
    {"/text/x?location=ftp://127.0.0.1/x", "denied", 302, "ftp://127.0.0.1/x", 1},
    {"/text/x?location=gopher://127.0.0.1/x", "denied", 302, "gopher://", 1},
    {"file:///etc/passwd", "denied", 0, "http", 0},
    {"ftp://127.0.0.1/x", "denied", 0, "http", 0},
    {"/text/x?status=400", "http", 400, "status 400", 1},
    {"/text/x?status=404", "http", 404, "status 404", 1},
    {"/text/x?status=599", "http", 599, "status 599", 1},
    {"/nothing", "http", 404, "status 404", 1},
    {"http://in valid/", "invalid", 0, "", 0},
    {"http://127.0.0.1:99999/", "invalid", 0, "", 0},
    {"{\"url\": 1}", "invalid", 0, "url", 0},
    {"{\"url\": \"http://127.0.0.1/\", \"nonsense\": 1}", "invalid", 0, "nonsense", 0},
    {"{", "invalid", 0, "", 0},
};

enum { FAULTS = sizeof faults / sizeof *faults };

static const char *line_of(struct stage *stage, const struct fault *fault)
{
    return *fault->url == '/' ? stage_url(stage, "%s", fault->url) : fault->url;
}

static void expect_record(const json_t *record, const char *url, const struct fault *fault)
{
    const char *said = record_text(record, "errormsg");

    cr_expect_str_eq(record_text(record, "url"), url);
    cr_expect_str_eq(record_text(record, "reason"), fault->reason, "%s is %s: %s", url,
                     record_text(record, "reason"), said);
    cr_expect_eq(record_number(record, "http_code"), fault->http_code, "%s: http_code %lld", url,
                 record_number(record, "http_code"));
    cr_expect(strstr(said, fault->words), "%s: no '%s' in: %s", url, fault->words, said);
    cr_expect_eq(record_number(record, "attempts"), fault->attempts, "%s", url);
    if (strcmp(fault->reason, "http") != 0)
        cr_expect(!record_has(record, "body") && !record_has(record, "body_base64"),
                  "%s shows part of a body", url);
}

/* A good one behind each, in the order of the input; by the end of the run no connection is left. */
static void expect_faults(struct stage *stage, const char *jobs)
{
    struct blob input = {0};

    for (size_t i = 0; i < FAULTS; i++)
        blob_addf(&input, "%s\n%s/text/good%zu\n", line_of(stage, &faults[i]),
                  origin_url(stage->origin), i);
    struct run_result result =
        program_fetch(RUN_WEIR("--jsonl", "--retry", "0", jobs, "--stall-timeout", "0.7", "-m",
                               "1.5", "--max-filesize=200000"),
                      blob_text(&input));
    json_t *records = records_read(&result.out);
    cr_assert_eq(json_array_size(records), 2 * (size_t)FAULTS);
    for (size_t i = 0; i < FAULTS; i++) {
        const json_t *record = record_at(records, 2 * i);
        const json_t *good = record_at(records, 2 * i + 1);
        const char *text = stage_text(stage, "good%zu\n", i);
        const char *url = line_of(stage, &faults[i]);
        expect_record(record, url, &faults[i]);
        cr_expect_eq(record_number(record, "seq"), 2 * (long long)i + 1);
        cr_expect_eq(record_number(record, "line"), 2 * (long long)i + 1);
        cr_expect_str_eq(record_text(good, "reason"), "ok", "behind %s", url);
        cr_expect(record_body_is(good, text, strlen(text)), "behind %s", url);
    }
    cr_expect(origin_wait_open(stage->origin, 0, patience));
    json_decref(records);
    blob_release(&input);
    program_expect(result, 1, NULL, "");
}

Test(reason, of_each_fault_is_in_its_record)
{
    struct stage *stage = stage_new();

    expect_faults(stage, "-j1");
    expect_faults(stage, "-j40");
    stage_free(stage);
}

/* The one record of a run with this URL alone. */
static void expect_one(const char *const *argv, const char *url, const struct fault *fault)
{
    struct run_result result = program_fetch(argv, NULL);
    json_t *records = records_read(&result.out);

    cr_assert_eq(json_array_size(records), 1);
    expect_record(record_at(records, 0), url, fault);
    json_decref(records);
    program_expect(result, 1, NULL, "");
}

/* What is too large is not read to its end. */
Test(reason, too_large_stops_early)
{
    struct stage *stage = stage_new();
    const char *target = "/bytes/1000000000";
    const struct fault fault = {target, "too_large", 200, "1048576 bytes", 1};
    const char *url = stage_url(stage, "%s", target);

    expect_one(RUN_WEIR("--jsonl", "--retry", "0", "--max-filesize", "1M", url), url, &fault);
    cr_assert(origin_wait_open(stage->origin, 0, patience));
    cr_expect_lt(origin_log_find(stage->origin, target)->sent_bytes, 100000000);
    stage_free(stage);
}

Test(reason, of_a_port_that_refuses_is_connect)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    const struct fault fault = {"", "connect", 0, "", 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char url[64];

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)ntohs(address.sin_port));
    expect_one(RUN_WEIR("--jsonl", "--retry", "0", url), url, &fault);
    close(fd);
}

/* The origin speaks no TLS: it waits for a request where weir waits for its greeting. */
Test(reason, of_a_connection_that_does_not_stand_is_timeout)
{
    struct stage *stage = stage_new();
    const struct fault fault = {"", "timeout", 0, "not connected after 0.5 s", 1};
    const char *url =
        stage_text(stage, "https://127.0.0.1:%u/", (unsigned)origin_port(stage->origin));

    expect_one(RUN_WEIR("--jsonl", "--retry", "0", "--connect-timeout", "0.5", url), url, &fault);
    stage_free(stage);
}

Test(reason, of_a_bad_certificate_is_tls)
{
    const struct fault fault = {"", "tls", 0, "", 1};
    struct nginx *nginx = nginx_start(NULL);
    cr_assert(nginx);
    const struct nginx_ports *ports = nginx_ports(nginx);
    const uint16_t bad[] = {ports->expired, ports->self_signed, ports->wrong_name, ports->plain};
    char url[64];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(url, sizeof url, "https://127.0.0.1:%u/", (unsigned)bad[i]);
        expect_one(RUN_WEIR("--jsonl", "--retry", "0", "--cacert", nginx_certs(nginx)->ca, url),
                   url, &fault);
    }
    cr_expect_eq(nginx_stop(nginx), 0);
}

Test(reason, of_what_proto_does_not_permit_is_denied)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x");

    expect_one(RUN_WEIR("--jsonl", "--retry", "0", "--proto", "=https", url), url,
               &(struct fault){"", "denied", 0, "--proto", 0});
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

struct status_case {
    char accept[24];
    char status[8];
    bool ok;
};

ParameterizedTestParameters(reason, of_a_status_is_what_accept_says)
{
    static struct status_case cases[] = {
        {"100-399", "200", true},      {"100-399", "404", false},    {"404", "404", true},
        {"404", "200", false},         {"200-299,404", "404", true}, {"200-299,404", "301", false},
        {"any", "500", true},          {"500-599", "503", true},     {"500-599", "200", false},
        {"200-399,404", "410", false}, {"200-399,404", "204", true},
    };

    return cr_make_param_array(struct status_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct status_case *status, reason, of_a_status_is_what_accept_says)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x?status=%s", status->status);
    struct run_result result =
        program_fetch(RUN_WEIR("--jsonl", "--retry", "0", "--accept", status->accept, url), NULL);
    json_t *records = records_read(&result.out);
    const json_t *record = record_at(records, 0);
    bool bodiless = strcmp(status->status, "204") == 0;

    cr_expect_str_eq(record_text(record, "reason"), status->ok ? "ok" : "http");
    cr_expect_eq(record_number(record, "http_code"), strtol(status->status, NULL, 10));
    cr_expect(record_body_is(record, "x\n", bodiless ? 0 : 2), "the body is told either way");
    json_decref(records);
    program_expect(result, !status->ok, NULL, "");
    stage_free(stage);
}

/* ---- what is hardly HTTP ---- */

struct canned_case {
    char answer[128];
    char reason[16];
    int http_code;
};

ParameterizedTestParameters(reason, of_bytes_that_are_hardly_http)
{
    static struct canned_case cases[] = {
        {"SSH-2.0-OpenSSH_9.6\r\n", "protocol", 0},
        {"<html>hello</html>", "protocol", 0},
        {"\r\n\r\n", "protocol", 0},
        {"HTTP/1.1 abc\r\n\r\n", "protocol", 0},
        {"HTTP/1.1 20 OK\r\nContent-Length: 1\r\n\r\nx", "protocol", 0},
        {"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 1\r\n\r\nx", "protocol", 200},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx", "protocol", 200},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx", "protocol", 200},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n", "protocol",
         200},
        {"HTTP/1.1 200", "reset", 0},
        {"HTTP/1.1 100 Continue\r\n\r\n", "reset", 100},
        /* Half a head is no answer, whatever its status. */
        {"HTTP/1.1 200 OK\r\n", "reset", 200},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "reset", 200},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "reset", 200},
        {"HTTP/1.1 200 OK\r\nContent-Len", "reset", 200},
        {"HTTP/1.1 204 No Content\r\nX: y\r\n", "reset", 204},
        {"HTTP/1.1 302 Found\r\nLocation: /else", "reset", 302},
        {"HTTP/1.1 302 Found\r\nLocation: /else\r\n", "reset", 302},
        {"HTTP/1.1 404 Not Found\r\n", "reset", 404},
        {"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nX: y", "reset", 200},
        /* These are unusual, and whole. */
        {"HTTP/1.1 200 OK\r\n\r\n", "ok", 200},
        {"HTTP/1.0 200 OK\nContent-Length: 0\n\n", "ok", 200},
        {"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 OK\r\n\r\n", "ok", 204},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: trailer\r\n\r\n", "ok", 200},
        {"HTTP/3.9 200 OK\r\nContent-Length: 1\r\n\r\nx", "protocol", 0},
    };

    /* 7.88 knows no such version; newer ones do not mind. */
    if (libcurl_is(0x080000)) {
        struct canned_case *last = &cases[sizeof cases / sizeof *cases - 1];
        strcpy(last->reason, "ok");
        last->http_code = 200;
    }
    return cr_make_param_array(struct canned_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct canned_case *with, reason, of_bytes_that_are_hardly_http)
{
    struct canned *canned = canned_start(with->answer, strlen(with->answer));
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)canned_port(canned));
    struct run_result result = program_fetch(RUN_WEIR("--jsonl", "--retry", "0", url), NULL);
    json_t *records = records_read(&result.out);
    const json_t *record = record_at(records, 0);
    bool ok = strcmp(with->reason, "ok") == 0;
    cr_expect_str_eq(record_text(record, "reason"), with->reason, "%s: %s", with->answer,
                     record_text(record, "errormsg"));
    cr_expect_eq(record_number(record, "http_code"), with->http_code, "%s", with->answer);
    cr_expect_eq(record_has(record, "body"), ok, "%s", with->answer);
    json_decref(records);
    program_expect(result, !ok, NULL, "");
    canned_stop(canned);
}
