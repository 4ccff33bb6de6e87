/* What an origin does wrong, and the reason weir gives for it. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "canned.h"
#include "libcurl.h"
#include "program.h"
#include "stage.h"

struct fault {
    char target[80];
    char reason[16];
    char words[40];
};

/* A good request before it and one behind it, of which neither may suffer: on one connection after
 * the other, and with all three at once. */
static void expect_fault(struct stage *stage, const char *url, const char *reason,
                         const char *words, const char *jobs)
{
    const char *input = stage_text(stage, "%s\n%s\n%s\n", stage_url(stage, "/text/before"), url,
                                   stage_url(stage, "/text/behind"));
    struct run_result result =
        program_fetch(RUN_WEIR(jobs, "--stall-timeout", "0.4", "--connect-timeout", "0.7"), input);

    cr_expect(program_told(&result, stage_text(stage, "line 2: %s", url), reason, words),
              "no '%s: ...%s' in: %s", reason, words, blob_text(&result.err));
    program_expect(result, 1, "before\nbehind\n", NULL);
}

ParameterizedTestParameters(fault, of_the_origin_has_its_reason)
{
    static struct fault faults[] = {
        {"/text/x?status=404", "http", "404"},
        {"/text/x?status=500", "http", "500"},
        {"/text/x?status=999", "http", "999"},
        {"/nothing", "http", "404"},
        {"/bytes/100?reset=head", "reset", ""},
        {"/bytes/100000?reset=1", "reset", ""},
        {"/bytes/100000?reset=70000", "reset", ""},
        {"/bytes/100000?reset=70000&gzip=1", "reset", ""},
        {"/bytes/100?closenow=1", "reset", ""},
        {"/bytes/100?short=1", "reset", ""},
        {"/bytes/100000?short=50000", "reset", ""},
        {"/bytes/0?short=1", "reset", ""},
        {"/bytes/100?cutchunk=1", "reset", ""},
        {"/bytes/0?cutchunk=1", "reset", ""},
        {"/bytes/100?cutchunk=1&gzip=1", "reset", ""},
        {"/bytes/100?badchunk=1", "protocol", "chunk"},
        {"/bytes/100?silent=1", "timeout", "no byte for 0.4 s"},
        {"/bytes/100?stall=0", "timeout", "no byte for 0.4 s"},
        {"/bytes/100?stall=50", "timeout", "no byte for 0.4 s"},
        {"/bytes/100?headdelay=20", "timeout", "no byte for 0.4 s"},
        {"/bytes/10?headers=20000", "protocol", "header"},
        {"/bytes/10?bigheader=120000", "protocol", ""},
        {"/bytes/10?garbage=1", "protocol", ""},
        {"/bytes/1000?badgzip=1", "encoding", ""},
        {"/text/x?hdr=Content-Encoding:zstd-or-so", "encoding", "encoding zstd-or-so"},
        {"/text/x?hdr=Content-Encoding:zstd-or-so,gzip", "encoding", "encoding zstd-or-so"},
        {"/text/x?gzip=1&hdr=Content-Encoding:gzip", "encoding", ""},
        {"/text/x?chunked=1&trailers=4000", "protocol", "trailers are larger than 64 KiB"},
        {"/bytes/0?chunked=1&trailers=4000", "protocol", "trailers are larger than 64 KiB"},
        {"/text/x?chunked=1&trailers=9000", "protocol", "trailers are larger than 64 KiB"},
        {"/text/x?loop=1", "redirects", "more than 10"},
        {"/text/x?hops=11", "redirects", "more than 10"},
        {"/text/x?location=file:///etc/passwd", "denied", "file:///etc/passwd"},
        {"/text/x?location=ftp://127.0.0.1/x", "denied", "ftp://127.0.0.1/x"},
        {"/text/x?location=FILE:///etc/passwd", "denied", "/etc/passwd"},
        {"/text/x?location=gopher://127.0.0.1/x", "denied", "gopher://127.0.0.1/x"},
        {"/text/x?location=http:///", "protocol", "no URL"},
        {"/text/x?location=http://a:b:c/", "protocol", "no URL"},
    };

    return cr_make_param_array(struct fault, faults, sizeof faults / sizeof *faults);
}

ParameterizedTest(struct fault *fault, fault, of_the_origin_has_its_reason)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "%s", fault->target);

    expect_fault(stage, url, fault->reason, fault->words, "-j1");
    expect_fault(stage, url, fault->reason, fault->words, "-j3");
    stage_free(stage);
}

/* Half of a body is no body: the connection's end may be in order where the stream's is not. */
Test(fault, of_a_gzip_cut_short_is_encoding)
{
    struct stage *stage = stage_new();

    expect_fault(stage, stage_url(stage, "/bytes/1000?badgzip=cut"), "encoding", "", "-j1");
    stage_free(stage);
}

/* A port of 127.0.0.1 that refuses as long as the descriptor is open. */
static int take_refusing_port(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_geq(fd, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

Test(fault, of_a_port_that_refuses_is_connect)
{
    struct stage *stage = stage_new();
    uint16_t port;
    int fd = take_refusing_port(&port);

    expect_fault(stage, stage_text(stage, "http://127.0.0.1:%u/", (unsigned)port), "connect", "",
                 "-j1");
    expect_fault(stage, stage_text(stage, "https://127.0.0.1:%u/", (unsigned)port), "connect", "",
                 "-j3");
    close(fd);
    stage_free(stage);
}

Test(fault, of_an_unknown_name_is_dns)
{
    struct stage *stage = stage_new();

    expect_fault(stage, "http://" UNKNOWN_NAME "/", "dns", UNKNOWN_NAME, "-j1");
    expect_fault(stage, "https://" UNKNOWN_NAME ":9/x", "dns", UNKNOWN_NAME, "-j3");
    expect_fault(stage, stage_url(stage, "/text/x?location=http://" UNKNOWN_NAME), "dns",
                 UNKNOWN_NAME, "-j3");
    stage_free(stage);
}

/* The origin waits for a request where TLS waits for its greeting. */
Test(fault, of_a_handshake_that_does_not_end_is_a_timeout)
{
    struct stage *stage = stage_new();
    const char *url =
        stage_text(stage, "https://127.0.0.1:%u/", (unsigned)origin_port(stage->origin));

    expect_fault(stage, url, "timeout", "not connected after 0.7 s", "-j1");
    stage_free(stage);
}

struct scheme {
    char url[40];
};

ParameterizedTestParameters(fault, of_a_scheme_is_denied)
{
    static struct scheme schemes[] = {
        {"file:///etc/passwd"}, {"ftp://127.0.0.1/"},      {"gopher://127.0.0.1/"},
        {"FILE:///etc/passwd"}, {"dict://127.0.0.1/"},     {"scp://127.0.0.1/x"},
        {"smb://127.0.0.1/x"},  {"telnet://127.0.0.1:22"}, {"nonsense://127.0.0.1/"},
    };

    return cr_make_param_array(struct scheme, schemes, sizeof schemes / sizeof *schemes);
}

ParameterizedTest(struct scheme *scheme, fault, of_a_scheme_is_denied)
{
    struct stage *stage = stage_new();

    expect_fault(stage, scheme->url, "denied", "http", "-j1");
    program_expect(program_fetch(RUN_WEIR(scheme->url), NULL), 1, "", ": denied: ");
    stage_free(stage);
}

Test(fault, of_every_kind_at_once_leaves_the_rest_alone)
{
    static const char *const targets[] = {
        "/bytes/50000?reset=head", "/bytes/50000?reset=20000", "/bytes/5000?short=5",
        "/bytes/5000?cutchunk=1",  "/bytes/5000?badchunk=1",   "/bytes/50?closenow=1",
        "/bytes/50?garbage=1",     "/bytes/50?badgzip=1",      "/bytes/50?loop=1",
    };
    enum { KINDS = sizeof targets / sizeof *targets, ROUNDS = 40 };
    struct stage *stage = stage_new();
    struct blob input = {0}, expected = {0};

    for (int round = 0; round < ROUNDS; round++) {
        for (int kind = 0; kind < KINDS; kind++) {
            blob_addf(&input, "%s%s\n", origin_url(stage->origin), targets[kind]);
            blob_addf(&input, "%s/text/good-%d-%d\n", origin_url(stage->origin), round, kind);
            blob_addf(&expected, "good-%d-%d\n", round, kind);
        }
    }
    /* The faults are the URLs' own: the host is not to be paused for them. */
    struct run_result result = program_fetch(
        RUN_WEIR("-j", "15", "--host-errors", "0", "--retry-delay", "0.02"), blob_text(&input));
    size_t failures = 0;
    for (const char *at = blob_text(&result.err); (at = strstr(at, "weir: line ")); at++)
        failures++;
    cr_expect_eq(failures, (size_t)KINDS * ROUNDS);
    program_expect(result, 1, blob_text(&expected), NULL);
    blob_release(&input);
    blob_release(&expected);
    stage_free(stage);
}

Test(stall_timeout, is_not_for_what_drips)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("--stall-timeout", "0.5",
                                          stage_url(stage, "/text/abcdefghijkl?drip=1,0.1")),
                                 NULL),
                   0, "abcdefghijkl\n", "");
    stage_free(stage);
}

/* Not twice as long: the payload was sent at the start. */
Test(stall_timeout, counts_from_the_last_byte_either_way)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x?silent=1");
    struct run_result result = program_fetch(
        RUN_WEIR("--stall-timeout", "1.5", "--retry", "0", "-d", "payload", url), NULL);

    cr_expect(program_told(&result, url, "timeout", "no byte for 1.5 s"));
    cr_expect_lt(result.wall, 2.6);
    program_expect(result, 1, "", NULL);
    stage_free(stage);
}

Test(stall_timeout, begins_again_with_each_redirect)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(
            RUN_WEIR("--stall-timeout", "0.8", stage_url(stage, "/text/x?hops=3&delay=0.4")), NULL),
        0, "x\n", "");
    stage_free(stage);
}

Test(max_time, is_for_what_drips_too)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/bytes/100000?drip=1,0.05");
    struct run_result result =
        program_fetch(RUN_WEIR("-m", "0.5", stage_url(stage, "/text/x"), url), NULL);

    cr_expect(program_told(&result, url, "timeout", "not done after 0.5 s"), "%s",
              blob_text(&result.err));
    program_expect(result, 1, "x\n", NULL);
    stage_free(stage);
}

Test(max_time, is_for_an_answer_without_end)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/bytes/1?endless=1&drip=1000,0.01");

    program_expect(program_fetch(RUN_WEIR("--max-time=500ms", url), NULL), 1, "",
                   "timeout: not done after 0.5 s");
    cr_expect(origin_wait_open(stage->origin, 0, patience), "the connection was left open");
    stage_free(stage);
}

/* What was received in vain leaves no trace in what follows on the same stream. */
Test(max_time, leaves_nothing_of_the_body)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("-m", "0.5", "-j1", stage_url(stage, "/text/a"),
                                          stage_url(stage, "/bytes/90000?stall=80000"),
                                          stage_url(stage, "/text/b")),
                                 NULL),
                   1, "a\nb\n", "timeout");
    stage_free(stage);
}

/* An idle connection that the origin has closed is no failure of the next request. */
Test(connection, that_is_closed_after_each_answer_is_no_failure)
{
    struct stage *stage = stage_new();
    struct blob input = {0}, expected = {0};

    for (int i = 0; i < 300; i++) {
        blob_addf(&input, "%s/text/%d?%s=1\n", origin_url(stage->origin), i,
                  i % 3 ? "close" : "nolength");
        blob_addf(&expected, "%d\n", i);
    }
    program_expect(program_fetch(RUN_WEIR("-j", "9"), blob_text(&input)), 0, blob_text(&expected),
                   "");
    cr_expect_eq(origin_counts(stage->origin).requests, 300);
    cr_expect_eq(origin_counts(stage->origin).accepted, 300);
    blob_release(&input);
    blob_release(&expected);
    stage_free(stage);
}

Test(body, larger_than_any_room_is_too_large)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/bytes/3000000");
    struct run_result result =
        program_fetch(RUN_WEIR("--memory", "256k", "--spool-max", "1M", stage_url(stage, "/text/a"),
                               url, stage_url(stage, "/text/b")),
                      NULL);

    cr_expect(program_told(&result, url, "too_large", ""), "%s", blob_text(&result.err));
    program_expect(result, 1, "a\nb\n", NULL);
    stage_free(stage);
}

/* 100 MB of zeros in 100 KB of gzip: what counts is what they become. */
Test(body, that_becomes_too_large_when_decoded_is_too_large)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/bytes/100000000?bomb=1");
    struct run_result result = program_run((struct run_options){
        .argv = RUN_WEIR("--memory=1M", "--spool-max=1M", url, stage_url(stage, "/text/b")),
        .env = program_lean()});

    cr_expect(program_told(&result, url, "too_large", ""), "%s", blob_text(&result.err));
    cr_expect_leq(result.peak_rss_kib, program_allowance(24 * 1024L));
    program_expect(result, 1, "b\n", NULL);
    stage_free(stage);
}

/* ---- trailers ---- */

/* A line that looks like the beginning of another answer makes no difference. */
Test(trailers, without_end_are_protocol_and_take_no_memory)
{
    static const char *const lines[] = {"X: y\r\n", "HTTP/1.1 200 x: y\r\n"};
    enum { BYTES = 16 * 1024 * 1024 };

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct blob answer = {0};
        char url[64];
        blob_add_text(&answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nok\n\r\n0\r\nX: y\r\n");
        while (answer.len < BYTES)
            blob_add_text(&answer, lines[i]);
        struct canned *canned = canned_start(answer.at, answer.len);
        blob_release(&answer); /* or what is run counts as that large, too */
        snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)canned_port(canned));
        struct run_result result = program_run((struct run_options){
            .argv = RUN_WEIR("--retry=0", "--memory=1M", url), .env = program_lean()});
        cr_expect_leq(result.peak_rss_kib, program_allowance(30 * 1024L));
        /* Newer versions have a bound of their own, too. */
        cr_expect(blob_contains(&result.err, "protocol: the trailers are larger than 64 KiB\n") ||
                      (libcurl_is(0x080000) &&
                       blob_contains(&result.err, "protocol: too many lines of ")),
                  "%s", blob_text(&result.err));
        program_expect(result, 1, "", NULL);
        canned_stop(canned);
    }
}

Test(trailers, are_no_headers_of_the_answer)
{
    struct stage *stage = stage_new();

    for (int size = 0; size < 2; size++) {
        const char *url = stage_url(stage, "/bytes/%d?chunked=1&trailers=2000", size);
        struct run_result result = program_fetch(RUN_WEIR("--jsonl", "-i", url), NULL);
        cr_expect_null(strstr(blob_text(&result.out), "x-trailer"));
        program_expect(result, 0, NULL, "");
    }
    stage_free(stage);
}
