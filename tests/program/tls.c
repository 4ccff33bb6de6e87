/* nginx with certificates good and bad, over HTTP/1.1 and HTTP/2. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nginx.h"
#include "program.h"
#include "stage.h"

static struct nginx *start(const struct nginx_options *options)
{
    struct nginx *nginx = nginx_start(options);

    cr_assert(nginx);
    nginx_put_text(nginx, "hello.txt", "hello\n");
    return nginx;
}

static void stop(struct nginx *nginx)
{
    cr_expect_eq(nginx_stop(nginx), 0);
}

enum { URL_SIZE = 96 };

static const char *url_of(char url[URL_SIZE], const char *host, uint16_t port)
{
    snprintf(url, URL_SIZE, "https://%s:%u/hello.txt", host, (unsigned)port);
    return url;
}

static void expect_refused(const char *const *argv, const char *url)
{
    struct run_result result = program_fetch(argv, NULL);

    cr_expect(program_told(&result, url, "tls", ""), "%s", blob_text(&result.err));
    program_expect(result, 1, "", NULL);
}

Test(certificate, of_a_known_authority_is_taken)
{
    struct nginx *nginx = start(NULL);
    const char *ca = nginx_certs(nginx)->ca;
    char url[URL_SIZE], localhost[URL_SIZE];

    url_of(url, "127.0.0.1", nginx_ports(nginx)->tls);
    url_of(localhost, "good.localhost", nginx_ports(nginx)->tls);
    program_expect(program_fetch(RUN_WEIR("--cacert", ca, url, localhost), NULL), 0,
                   "hello\nhello\n", "");
    expect_refused(RUN_WEIR(url), url);
    stop(nginx);
}

Test(certificate, may_be_of_an_authority_named_in_the_environment)
{
    static const char *const names[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE"};
    struct nginx *nginx = start(NULL);
    char url[URL_SIZE], variable[512];

    url_of(url, "127.0.0.1", nginx_ports(nginx)->tls);
    for (size_t i = 0; i < 2; i++) {
        snprintf(variable, sizeof variable, "%s=%s", names[i], nginx_certs(nginx)->ca);
        const char *const env[] = {names[!i], variable, NULL};
        program_expect(program_run((struct run_options){.argv = RUN_WEIR(url), .env = env}), 0,
                       "hello\n", "");
    }
    stop(nginx);
}

Test(certificate, that_is_bad_is_refused_unless_insecure)
{
    struct nginx *nginx = start(NULL);
    const struct nginx_ports *ports = nginx_ports(nginx);
    const char *ca = nginx_certs(nginx)->ca;
    const uint16_t bad[] = {ports->expired, ports->self_signed, ports->wrong_name};
    char url[URL_SIZE];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        url_of(url, "127.0.0.1", bad[i]);
        expect_refused(RUN_WEIR("--cacert", ca, url), url);
        program_expect(program_fetch(RUN_WEIR("-k", url), NULL), 0, "hello\n", "");
        program_expect(program_fetch(RUN_WEIR("--insecure", "--cacert", ca, url), NULL), 0,
                       "hello\n", "");
    }
    stop(nginx);
}

/* One bad host among good ones costs nobody else anything. */
Test(certificate, that_is_bad_fails_alone)
{
    struct nginx *nginx = start(NULL);
    const struct nginx_ports *ports = nginx_ports(nginx);
    char good[URL_SIZE], expired[URL_SIZE], wrong[URL_SIZE];

    url_of(good, "localhost", ports->tls);
    url_of(expired, "localhost", ports->expired);
    url_of(wrong, "localhost", ports->wrong_name);
    struct run_result result = program_fetch(
        RUN_WEIR("--cacert", nginx_certs(nginx)->ca, good, expired, good, wrong, good), NULL);
    cr_expect(program_told(&result, expired, "tls", ""), "%s", blob_text(&result.err));
    cr_expect(program_told(&result, wrong, "tls", ""), "%s", blob_text(&result.err));
    program_expect(result, 1, "hello\nhello\nhello\n", NULL);
    stop(nginx);
}

Test(certificate, of_the_client_that_is_missing_is_the_servers_answer)
{
    struct nginx *nginx = start(NULL);
    char url[URL_SIZE];

    url_of(url, "127.0.0.1", nginx_ports(nginx)->client_cert);
    program_expect(program_fetch(RUN_WEIR("-k", url), NULL), 1, "", ": http: status 400");
    stop(nginx);
}

Test(tls, to_a_port_that_speaks_none_is_refused)
{
    struct nginx *nginx = start(NULL);
    char url[URL_SIZE];

    url_of(url, "127.0.0.1", nginx_ports(nginx)->plain);
    expect_refused(RUN_WEIR("-k", url), url);
    stop(nginx);
}

Test(tls, is_what_proto_default_may_ask_for)
{
    struct nginx *nginx = start(NULL);
    const char *ca = nginx_certs(nginx)->ca;
    char line[URL_SIZE];

    snprintf(line, sizeof line, "localhost:%u/hello.txt\n", (unsigned)nginx_ports(nginx)->tls);
    program_expect(program_fetch(RUN_WEIR("--proto-default", "https", "--cacert", ca), line), 0,
                   "hello\n", "");
    program_expect(program_fetch(RUN_WEIR("--cacert", ca), line), 1, "", ": http: status 400");
    stop(nginx);
}

/* The same name and port in another scheme is another host, and may read what it likes. */
Test(tls, is_another_host_for_private_headers)
{
    struct stage *stage = stage_new();
    char locations[256], url[URL_SIZE];

    snprintf(locations, sizeof locations,
             "location /to { return 302 http://127.0.0.1:%u/text/there; }",
             (unsigned)origin_port(stage->origin));
    struct nginx *nginx = start(&(struct nginx_options){.locations = locations});
    snprintf(url, sizeof url, "https://127.0.0.1:%u/to", (unsigned)nginx_ports(nginx)->tls);
    program_expect(
        program_fetch(RUN_WEIR("-k", "-H", "X-Api-Key: secret", "-H", "Accept: a/b", url), NULL), 0,
        "there\n", "");
    cr_expect(!stage_saw_header(stage, "/text/there", "X-Api-Key", ""));
    cr_expect(stage_saw_header(stage, "/text/there", "Accept", "a/b"));
    stop(nginx);
    stage_free(stage);
}

/* ---- many requests to a real server ---- */

enum { FILES = 50, REQUESTS = 1500, FILE_STEP = 997, MANY = 1000000 };

static void put_files(struct nginx *nginx)
{
    struct blob body = {0};
    char name[32];

    for (size_t i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "f/%zu", i);
        blob_clear(&body, 1 << 20);
        origin_body(name, i * FILE_STEP, &body);
        nginx_put(nginx, name, blob_text(&body), body.len);
    }
    blob_release(&body);
}

static void expect_files(const struct blob *out)
{
    size_t at = 0;
    char name[32];

    for (size_t i = 0; i < REQUESTS; i++) {
        size_t len = i % FILES * FILE_STEP;
        snprintf(name, sizeof name, "f/%zu", i % FILES);
        cr_assert_leq(at + len, out->len, "body %zu is missing", i);
        cr_assert_eq(origin_differs(name, blob_text(out) + at, len), -1, "body %zu", i);
        at += len;
    }
    cr_expect_eq(at, out->len);
}

/* From the log ("STATUS CONNECTION PROTOCOL TARGET" a line): how many requests were answered well by
 * `protocol`, and over how many connections. */
static void count_log(const char *log, const char *protocol, size_t *ret_requests,
                      size_t *ret_connections)
{
    bool seen[100000] = {false};
    char *at;

    *ret_requests = *ret_connections = 0;
    for (const char *line = log; *line; line += *line == '\n') {
        unsigned long status = strtoul(line, &at, 10);
        unsigned long connection = strtoul(at, &at, 10);
        line = strchrnul(line, '\n');
        if (status != 200 || strncmp(at + 1, protocol, strlen(protocol)) != 0)
            continue;
        cr_assert_lt(connection, sizeof seen);
        *ret_connections += !seen[connection];
        seen[connection] = true;
        ++*ret_requests;
    }
}

struct server_case {
    bool tls;
    bool http1_only; /* the server's choice */
    bool gzip;
    unsigned keepalive_requests;
    char option[16];
    char protocol[16];
    size_t connections; /* at most; 0: any number */
};

ParameterizedTestParameters(nginx, serves_many_requests_in_order)
{
    static struct server_case cases[] = {
        {false, false, false, MANY, "--http1.1", "HTTP/1.1", 12},
        {false, false, true, MANY, "-L", "HTTP/1.1", 12},
        {false, false, false, 7, "-L", "HTTP/1.1", 0},
        {false, false, false, MANY, "--http2", "HTTP/1.1", 12},
        {true, false, false, MANY, "-L", "HTTP/1.1", 12},
        {true, false, false, 100, "-L", "HTTP/1.1", 0},
        {true, false, false, MANY, "--http2", "HTTP/2.0", 12},
        {true, true, true, MANY, "--http2", "HTTP/1.1", 12},
        {true, false, true, MANY, "--http2", "HTTP/2.0", 12},
    };

    return cr_make_param_array(struct server_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct server_case *server, nginx, serves_many_requests_in_order)
{
    struct nginx *nginx =
        start(&(struct nginx_options){.trace = true,
                                      .http1 = server->http1_only,
                                      .gzip = server->gzip,
                                      .keepalive_requests = server->keepalive_requests});
    struct blob input = {0};
    size_t requests, connections;

    put_files(nginx);
    for (size_t i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s://127.0.0.1:%u/f/%zu\n", server->tls ? "https" : "http",
                  (unsigned)(server->tls ? nginx_ports(nginx)->tls : nginx_ports(nginx)->plain),
                  i % FILES);
    struct run_result result = program_run((struct run_options){
        .argv = RUN_WEIR("-j12", server->option, "--cacert", nginx_certs(nginx)->ca),
        .input = input.at,
        .input_len = input.len});
    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    expect_files(&result.out);
    count_log(nginx_log(nginx), server->protocol, &requests, &connections);
    cr_expect_eq(requests, REQUESTS, "%zu by %s", requests, server->protocol);
    cr_expect_leq(connections, server->connections ? server->connections : REQUESTS);
    run_result_release(&result);
    blob_release(&input);
    stop(nginx);
}

/* How many of a host's handshakes were taken up where the last one ended: nginx says it of each, as
 * `r` or `.`; each answer is the last of its connection. */
static size_t count_resumed(const char *option, size_t hosts)
{
    enum { ROUNDS = 3 };
    struct nginx *nginx = start(&(struct nginx_options){
        .http1 = true,
        .http = "ssl_session_cache shared:tls:1m;",
        .locations = "location /r { keepalive_timeout 0; default_type text/plain;"
                     " return 200 \"$ssl_session_reused\\n\"; }"});
    struct blob input = {0};
    size_t resumed = 0;

    for (size_t i = 0; i < ROUNDS * hosts; i++)
        blob_addf(&input, "https://h%zu.localhost:%u/r\n", i % hosts,
                  (unsigned)nginx_ports(nginx)->tls);
    struct run_result result =
        program_run((struct run_options){.argv = RUN_WEIR("-k", "-j2", "--per-host", "1", option),
                                         .input = input.at,
                                         .input_len = input.len});
    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    cr_expect_eq(result.out.len, ROUNDS * hosts * 2, "%s", blob_text(&result.out));
    for (size_t i = 0; i < result.out.len; i++)
        resumed += result.out.at[i] == 'r';
    run_result_release(&result);
    blob_release(&input);
    stop(nginx);
    return resumed;
}

/* libcurl keeps eight sessions in a share. */
Test(tls, is_taken_up_again_with_many_hosts)
{
    size_t one = count_resumed("-S", 1), many = count_resumed("-S", 60);

    cr_expect_eq(one, 2, "%zu", one);
    cr_expect_geq(many, 100, "%zu of 120", many);
}

/* A jar is one for all hosts, and so is what stands beside it. */
Test(tls, is_taken_up_again_with_few_hosts_where_cookies_are_kept)
{
    size_t few = count_resumed("-b/dev/null", 6);

    cr_expect_eq(few, 12, "%zu", few);
}
