#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "nginx.h"
#include "run.h"

static const double patience = 20;

static struct nginx *start(const struct nginx_options *options)
{
    struct nginx *nginx = nginx_start(options);

    cr_assert(nginx);
    return nginx;
}

static void stop(struct nginx *nginx)
{
    cr_assert_eq(nginx_stop(nginx), 0);
}

static int get_status(uint16_t port, const char *target)
{
    struct blob answer = {0};

    cr_assert_eq(client_get(port, target, &answer, patience), 0);
    int status = client_status(&answer);
    blob_release(&answer);
    return status;
}

/* One GET by way of `openssl s_client`, which insists on the certificate and its name. */
static struct run_result get_tls(const struct nginx *nginx, uint16_t port, bool shows_certificate)
{
    const struct certs *certs = nginx_certs(nginx);
    static const char request[] = "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n"
                                  "Connection: close\r\n\r\n";
    char address[32];
    const char *argv[] = {"openssl",
                          "s_client",
                          "-connect",
                          address,
                          "-CAfile",
                          certs->ca,
                          "-verify_return_error",
                          "-verify_hostname",
                          "localhost",
                          "-quiet",
                          "-ign_eof",
                          "-alpn",
                          "http/1.1",
                          NULL,
                          certs->client,
                          "-key",
                          certs->key,
                          NULL};
    struct run_result result;

    if (shows_certificate)
        argv[13] = "-cert";
    snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)port);
    struct run_options options = {.argv = argv, .input = request, .input_len = strlen(request)};
    cr_assert(run_finish(&options, &result));
    return result;
}

static void expect_refusal(const struct nginx *nginx, uint16_t port, const char *why)
{
    struct run_result result = get_tls(nginx, port, false);

    cr_expect_neq(result.code, 0);
    cr_expect(blob_contains(&result.err, why), "%s: %s", why, blob_text(&result.err));
    cr_expect(!blob_contains(&result.out, "hello"));
    run_result_release(&result);
}

Test(nginx, serves_files_plainly_and_over_tls)
{
    struct nginx *nginx = start(NULL);
    struct blob answer = {0};

    nginx_put_text(nginx, "hello.txt", "hello there\n");
    nginx_put(nginx, "deep/er/x", "\0", 1);
    cr_expect_eq(client_get(nginx_ports(nginx)->plain, "/hello.txt", &answer, patience), 0);
    cr_expect(blob_contains(&answer, "\r\n\r\nhello there\n"));
    cr_expect_eq(get_status(nginx_ports(nginx)->plain, "/deep/er/x"), 200);
    cr_expect_eq(get_status(nginx_ports(nginx)->plain, "/none"), 404);
    struct run_result result = get_tls(nginx, nginx_ports(nginx)->tls, false);
    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    cr_expect(blob_contains(&result.out, "\r\n\r\nhello there\n"), "%s", blob_text(&result.err));
    run_result_release(&result);
    blob_release(&answer);
    stop(nginx);
}

Test(nginx, has_a_port_for_each_bad_certificate)
{
    struct nginx *nginx = start(NULL);
    const struct nginx_ports *ports = nginx_ports(nginx);

    nginx_put_text(nginx, "hello.txt", "hello there\n");
    expect_refusal(nginx, ports->expired, "certificate has expired");
    expect_refusal(nginx, ports->self_signed, "self-signed certificate");
    expect_refusal(nginx, ports->wrong_name, "hostname mismatch");
    stop(nginx);
}

Test(nginx, asks_for_a_client_certificate_on_its_own_port)
{
    struct nginx *nginx = start(NULL);
    uint16_t port = nginx_ports(nginx)->client_cert;

    nginx_put_text(nginx, "hello.txt", "hello there\n");
    struct run_result with = get_tls(nginx, port, true), without = get_tls(nginx, port, false);
    cr_expect(blob_contains(&with.out, "\r\n\r\nhello there\n"), "%s", blob_text(&with.err));
    cr_expect(blob_contains(&without.out, "400 Bad Request"), "%s", blob_text(&without.err));
    run_result_release(&with);
    run_result_release(&without);
    stop(nginx);
}

static bool speaks_http2(const struct nginx *nginx)
{
    char address[32];
    const char *const argv[] = {"openssl", "s_client", "-connect", address, "-alpn", "h2", NULL};
    struct run_result result;

    snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)nginx_ports(nginx)->tls);
    cr_assert(run_finish(&(struct run_options){.argv = argv}, &result));
    cr_assert(blob_contains(&result.out, "ALPN"), "%s", blob_text(&result.err));
    bool does = blob_contains(&result.out, "ALPN protocol: h2");
    run_result_release(&result);
    return does;
}

Test(nginx, offers_http2_unless_told_otherwise)
{
    struct nginx *with = start(NULL);
    struct nginx *without = start(&(struct nginx_options){.http1 = true});

    cr_expect(speaks_http2(with));
    cr_expect(!speaks_http2(without));
    stop(with);
    stop(without);
}

Test(nginx, limits_the_rate)
{
    struct nginx *nginx = start(&(struct nginx_options){.limit_rate = "1r/m", .limit_burst = 1});
    uint16_t port = nginx_ports(nginx)->plain;

    nginx_put_text(nginx, "x", "x");
    cr_expect_eq(get_status(port, "/x"), 200);
    cr_expect_eq(get_status(port, "/x"), 200);
    cr_expect_eq(get_status(port, "/x"), 429);
    stop(nginx);
}

Test(nginx, closes_after_so_many_requests)
{
    struct nginx *nginx = start(&(struct nginx_options){.keepalive_requests = 2});
    struct blob answer = {0};
    int fd = client_connect("127.0.0.1", nginx_ports(nginx)->plain);

    cr_assert_geq(fd, 0);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(client_send_text(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"), 0);
    cr_expect_eq(client_read_all(fd, &answer, patience), 0);
    cr_expect(blob_contains(&answer, "Connection: keep-alive\r\n"));
    cr_expect(blob_contains(&answer, "Connection: close\r\n"));
    close(fd);
    blob_release(&answer);
    stop(nginx);
}

Test(nginx, compresses_and_takes_locations_and_traces)
{
    struct nginx *nginx = start(&(struct nginx_options){
        .gzip = true,
        .trace = true,
        .http = "map $uri $letter { default none; /b b; }",
        .locations = "location = /a { return 418 a; }\nlocation = /b { return 200 $letter; }",
    });
    struct blob answer = {0};
    int fd = client_connect("127.0.0.1", nginx_ports(nginx)->plain);

    cr_assert_geq(fd, 0);
    nginx_put_text(nginx, "x.txt", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    cr_assert_eq(client_send_text(fd, "GET /x.txt HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n"
                                      "Connection: close\r\n\r\n"),
                 0);
    cr_expect_eq(client_read_all(fd, &answer, patience), 0);
    cr_expect(blob_contains(&answer, "Content-Encoding: gzip"));
    cr_expect_eq(get_status(nginx_ports(nginx)->plain, "/a"), 418);
    cr_expect_eq(get_status(nginx_ports(nginx)->plain, "/b"), 200);
    const char *log = nginx_log(nginx), *line = strstr(log, "\n418 ");
    cr_expect(line && strstr(line, " HTTP/1.1 /a\n"), "%s", log);
    close(fd);
    blob_release(&answer);
    stop(nginx);
}

Test(nginx, leaves_nothing_when_stopped)
{
    long before = run_fd_count(getpid());
    struct nginx *nginx = start(NULL);
    uint16_t port = nginx_ports(nginx)->plain;
    char *ca = strdup(nginx_certs(nginx)->ca);

    cr_expect_eq(access(ca, F_OK), 0);
    stop(nginx);
    cr_expect_eq(client_connect("127.0.0.1", port), -ECONNREFUSED);
    cr_expect_neq(access(ca, F_OK), 0);
    cr_expect_eq(run_fd_count(getpid()), before);
    cr_expect_eq(nginx_stop(NULL), 0);
    free(ca);
}

Test(nginx, says_so_when_its_configuration_is_wrong, .init = cr_redirect_stderr)
{
    char said[1024] = "";

    cr_expect_null(nginx_start(&(struct nginx_options){.locations = "no such directive;"}));
    fflush(stderr);
    (void)!fread(said, 1, sizeof said - 1, cr_get_redirected_stderr());
    cr_expect(strstr(said, "unknown directive"), "%s", said);
}
