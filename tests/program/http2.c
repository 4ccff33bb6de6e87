/* HTTP/2: many requests on one connection, which the server may give up at any of them. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certs.h"
#include "client.h"
#include "moment.h"
#include "nginx.h"
#include "program.h"
#include "record.h"
#include "stage.h"

struct goings {
    unsigned keepalive; /* requests a connection is good for */
    char jobs[8];
    bool at_once;
};

/* With many under way on a connection that goes away libcurl 7.88 fails some of those that the server
 * has not looked at. */
ParameterizedTestParameters(http2, loses_no_request_to_connections_that_go_away)
{
    static struct goings goings[] = {
        {20, "-j40", false}, {20, "-j40", true}, {50, "-j200", false}, {3, "-j5", false}};

    return cr_make_param_array(struct goings, goings, sizeof goings / sizeof *goings);
}

ParameterizedTest(struct goings *goings, http2, loses_no_request_to_connections_that_go_away)
{
    enum { REQUESTS = 2000 };
    struct nginx *nginx =
        nginx_start(&(struct nginx_options){.keepalive_requests = goings->keepalive});
    struct blob input = {0};

    cr_assert(nginx);
    nginx_put_text(nginx, "hello.txt", "hello\n");
    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "https://127.0.0.1:%u/hello.txt?%d\n", (unsigned)nginx_ports(nginx)->tls,
                  i);
    json_t *records =
        records_of(program_fetch(RUN_WEIR("--jsonl", "--http2", "-k", goings->jobs, "--retry=0",
                                          goings->at_once ? "--parallel-immediate" : "-s"),
                                 blob_text(&input)),
                   0, REQUESTS);
    for (size_t i = 0; i < REQUESTS; i++) {
        const char *reason = record_text(record_at(records, i), "reason");
        cr_expect_str_eq(
            reason, "ok", "request %zu: %s, exitcode %d: %s", i, reason,
            (int)json_integer_value(json_object_get(record_at(records, i), "exitcode")),
            record_text(record_at(records, i), "errormsg"));
        cr_expect_str_eq(record_text(record_at(records, i), "body"), "hello\n");
        cr_expect_eq(json_integer_value(json_object_get(record_at(records, i), "attempts")), 1);
    }
    json_decref(records);
    blob_release(&input);
    cr_expect_eq(nginx_stop(nginx), 0);
}

/* Only a request that the server has not looked at is sent again, or some would arrive twice. */
ParameterizedTestParameters(http2, does_each_post_once_when_connections_go_away)
{
    static struct goings goings[] = {{20, "-j50", false}, {20, "-j5", false}, {3, "-j20", true}};

    return cr_make_param_array(struct goings, goings, sizeof goings / sizeof *goings);
}

ParameterizedTest(struct goings *goings, http2, does_each_post_once_when_connections_go_away)
{
    enum { REQUESTS = 1000 };
    struct stage *stage = stage_new();
    const char *locations =
        stage_text(stage, "location /p { proxy_pass http://127.0.0.1:%u/echo; }",
                   (unsigned)origin_port(stage->origin));
    struct nginx *nginx = nginx_start(
        &(struct nginx_options){.keepalive_requests = goings->keepalive, .locations = locations});
    struct blob input = {0};

    cr_assert(nginx);
    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "https://127.0.0.1:%u/p?%d\n", (unsigned)nginx_ports(nginx)->tls, i);
    program_expect(
        program_fetch(RUN_WEIR("--http2", "-k", "-dx", goings->jobs, "--retry=0", "--format=none",
                               goings->at_once ? "--parallel-immediate" : "-s"),
                      blob_text(&input)),
        0, "", "");
    cr_expect_eq(origin_counts(stage->origin).requests, REQUESTS);
    for (int i = 0; i < REQUESTS; i++)
        cr_expect_eq(origin_log_count(stage->origin, stage_text(stage, "/echo?%d", i)), 1);
    blob_release(&input);
    cr_expect_eq(nginx_stop(nginx), 0);
    stage_free(stage);
}

/* nginx answers such a request without a look at its body. One in a thousand libcurl 7.88 loses
 * altogether. */
Test(http2, takes_an_answer_that_comes_before_the_request_was_sent)
{
    enum { REQUESTS = 3000 };
    struct nginx *nginx =
        nginx_start(&(struct nginx_options){.locations = "location /p { return 200; }"});
    struct blob input = {0};

    cr_assert(nginx);
    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "https://127.0.0.1:%u/p\n", (unsigned)nginx_ports(nginx)->tls);
    struct run_result result = program_fetch(RUN_WEIR("--http2", "-k", "-dx", "-j20", "--retry=0",
                                                      "--stall-timeout=2", "-w", "%{exitcode}\n"),
                                             blob_text(&input));
    int answered = 0;
    for (const char *at = blob_text(&result.out); (at = strstr(at, "0\n")) != NULL; at += 2)
        answered++;
    cr_expect_geq(answered, REQUESTS - 10, "%d", answered);
    run_result_release(&result);
    blob_release(&input);
    cr_expect_eq(nginx_stop(nginx), 0);
}

enum { BODIES = 100, BODY_MIN = 20000, BODY_SPREAD = 80000 };

/* A server that sends more of one stream in a row than nginx does. */
static struct run *serve_bodies(struct scratch *scratch, uint16_t port)
{
    static const char bytes[BODY_MIN + BODY_SPREAD];
    struct certs certs;
    char name[24], number[8];

    cr_assert_eq(certs_make(scratch, &certs), 0);
    scratch_mkdir(scratch, "www");
    for (int i = 0; i < BODIES; i++) {
        snprintf(name, sizeof name, "www/%d", i);
        scratch_write(scratch, name, bytes, BODY_MIN + (size_t)i * 7919 % BODY_SPREAD);
    }
    snprintf(number, sizeof number, "%u", (unsigned)port);
    const char *const argv[] = {"nghttpd", "-a",      "127.0.0.1", "-d", "www",
                                number,    certs.key, certs.good,  NULL};
    struct run *server = run_spawn(
        &(struct run_options){.argv = argv, .cwd = scratch_dir(scratch), .death_signal = SIGTERM});
    cr_assert(server, "nghttpd does not start");
    double deadline = moment_now() + patience;
    int fd = client_connect("127.0.0.1", port);
    for (; fd < 0; fd = client_connect("127.0.0.1", port)) {
        cr_assert(!run_ended(server, 0.01) && moment_now() < deadline);
        moment_nap();
    }
    close(fd);
    return server;
}

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* libcurl 7.88 leaves bytes it has read, and near the end of a run nothing makes it look. */
Test(http2, lets_no_body_stand_still, .timeout = 120)
{
    enum { RUNS = 40 };
    struct stage *stage = stage_new();
    uint16_t port = free_port();
    struct run *server = serve_bodies(stage->scratch, port);
    struct blob input = {0};

    for (int i = 0; i < BODIES; i++)
        blob_addf(&input, "https://127.0.0.1:%u/%d\n", (unsigned)port, i);
    for (int i = 0; i < RUNS; i++)
        program_expect(program_fetch(RUN_WEIR("--http2", "-k", "-s", "--retry=0", "--format=none",
                                              "--stall-timeout=5"),
                                     blob_text(&input)),
                       0, "", "");
    run_free(server);
    blob_release(&input);
    stage_free(stage);
}

/* The handle of a large body is used again while its connection has other streams. */
Test(http2, fetches_many_large_bodies_on_one_connection, .timeout = 120)
{
    enum { REQUESTS = 100, LARGE = 3 * 1024 * 1024 };
    static char bytes[LARGE];
    struct nginx *nginx = nginx_start(&(struct nginx_options){0});
    struct blob input = {0};

    cr_assert(nginx);
    nginx_put(nginx, "large", bytes, sizeof bytes);
    nginx_put_text(nginx, "small", "small\n");
    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "https://127.0.0.1:%u/%s?%d\n", (unsigned)nginx_ports(nginx)->tls,
                  i % 2 ? "small" : "large", i);
    program_expect(program_fetch(RUN_WEIR("--http2", "-k", "-j20", "--retry=0", "--format=none"),
                                 blob_text(&input)),
                   0, "", "");
    blob_release(&input);
    cr_expect_eq(nginx_stop(nginx), 0);
}

/* A transfer that a stop takes out wakes no other again and again. */
Test(http2, sleeps_while_a_stopped_run_waits_for_its_reader)
{
    enum { LARGE = 1024 * 1024 };
    const double stop_timeout = 4;
    static char bytes[LARGE];
    struct stage *stage = stage_new();
    struct nginx *nginx = nginx_start(&(struct nginx_options){
        .locations =
            stage_text(stage, "location /p { proxy_pass http://127.0.0.1:%u/text/a?silent=1; }",
                       (unsigned)origin_port(stage->origin))});

    cr_assert(nginx);
    nginx_put(nginx, "large", bytes, sizeof bytes);
    const char *base = stage_text(stage, "https://127.0.0.1:%u", (unsigned)nginx_ports(nginx)->tls);
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("--http2", "-k", "--stop-timeout=4", "-o-",
                         stage_text(stage, "%s/large", base), stage_text(stage, "%s/p", base))});
    run_hold(run, true);
    cr_expect(origin_wait_requests(stage->origin, 1, patience));
    cr_expect_not(run_ended(run, 0.5));
    run_signal(run, SIGTERM);
    cr_expect(run_ended(run, stop_timeout + patience));
    struct run_result result = program_end(run);
    cr_expect_lt(result.user + result.sys, stop_timeout / 4, "it was busy for %g s",
                 result.user + result.sys);
    run_result_release(&result);
    cr_expect_eq(nginx_stop(nginx), 0);
    stage_free(stage);
}
