/* By which way a request goes: proxies of three kinds, addresses to go out by, Unix sockets. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "nginx.h"
#include "program.h"
#include "relay.h"
#include "stage.h"

Test(proxy, is_told_who_we_are_and_the_origin_is_not)
{
    struct stage *stage = stage_new();
    struct stage *other = stage_new();
    const char *proxy = origin_url(stage->origin);
    const char *direct = stage_url(other, "/text/direct");

    program_expect(program_fetch(RUN_WEIR("-x", proxy, "-U", "me:word", "--noproxy", "127.0.0.1",
                                          "http://a.test/text/a", direct),
                                 NULL),
                   0, "a\ndirect\n", "");
    cr_expect(stage_saw_header(stage, "http://a.test/text/a", "Proxy-Authorization",
                               "Basic bWU6d29yZA=="));
    cr_expect(!stage_saw_header(stage, "http://a.test/text/a", "Authorization", ""));
    cr_expect(!stage_saw_header(other, "/text/direct", "Proxy-Authorization", ""));
    stage_free(other);
    stage_free(stage);
}

Test(proxy, may_be_named_with_its_password)
{
    struct stage *stage = stage_new();
    const char *proxy = stage_url_at(stage, "me:word@127.0.0.1", "");

    program_expect(
        program_fetch(RUN_WEIR("-x", proxy, "-u", "you:word", "http://a.test/text/a"), NULL), 0,
        "a\n", "");
    cr_expect(stage_saw_header(stage, "http://a.test/text/a", "Proxy-Authorization",
                               "Basic bWU6d29yZA=="));
    cr_expect(
        stage_saw_header(stage, "http://a.test/text/a", "Authorization", "Basic eW91OndvcmQ="));
    stage_free(stage);
}

Test(proxy, gets_the_payload_and_the_headers)
{
    struct stage *stage = stage_new();
    struct run_result result = program_fetch(RUN_WEIR("-x", origin_url(stage->origin), "-d", "a=1",
                                                      "-H", "X-Own: 1", "http://a.test:81/echo"),
                                             NULL);

    cr_expect(blob_contains(&result.out, "POST http://a.test:81/echo HTTP/1.1\nHost: a.test:81\n"),
              "%s", blob_text(&result.out));
    cr_expect(blob_contains(&result.out, "\nX-Own: 1\n"));
    cr_expect(blob_contains(&result.out, "\n\na=1"));
    program_expect(result, 0, NULL, "");
    stage_free(stage);
}

struct noproxy_case {
    char list[32];
    char host[24];
    bool direct;
};

ParameterizedTestParameters(noproxy, lists_hosts_that_are_reached_without)
{
    static struct noproxy_case cases[] = {
        {"*", "127.0.0.1", true},           {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.2", "127.0.0.1", false},  {"localhost", "localhost", true},
        {"127.0.0.1", "localhost", false},  {"a.test,localhost", "localhost", true},
        {"127.0.0.0/8", "127.0.0.1", true}, {"", "127.0.0.1", false},
    };

    return cr_make_param_array(struct noproxy_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct noproxy_case *with, noproxy, lists_hosts_that_are_reached_without)
{
    struct stage *stage = stage_new();
    struct stage *proxy = stage_new();

    program_expect(program_fetch(RUN_WEIR("-4", "-x", origin_url(proxy->origin), "--noproxy",
                                          with->list, stage_url_at(stage, with->host, "/text/a")),
                                 NULL),
                   0, "a\n", "");
    cr_expect_eq(origin_counts(stage->origin).requests, with->direct);
    cr_expect_eq(origin_counts(proxy->origin).requests, !with->direct);
    stage_free(proxy);
    stage_free(stage);
}

/* ---- a proxy that only passes bytes on ---- */

struct lane {
    struct stage *stage;
    struct relay *relay;
};

static struct lane begin(const char *credentials)
{
    struct lane lane = {.stage = stage_new(), .relay = relay_start(credentials)};

    cr_assert(lane.relay);
    return lane;
}

static void end(struct lane *lane)
{
    cr_expect_eq(relay_stop(lane->relay), 0);
    stage_free(lane->stage);
}

/* SCHEME://[WHO@]127.0.0.1:PORT */
static const char *relay_url(struct lane *lane, const char *start)
{
    return stage_text(lane->stage, "%s127.0.0.1:%u", start, (unsigned)relay_port(lane->relay));
}

static void expect_target(struct lane *lane, size_t index, const char *host, unsigned port)
{
    cr_assert_gt(relay_count(lane->relay), index);
    cr_expect_str_eq(relay_record(lane->relay, index)->target,
                     stage_text(lane->stage, "%s:%u", host, port));
}

/* With socks5 we look the name up, with socks5h the proxy does. */
Test(socks, is_asked_for_an_address_or_a_name)
{
    struct lane lane = begin(NULL);
    unsigned port = origin_port(lane.stage->origin);
    const char *local = stage_url_at(lane.stage, "localhost", "/text/a");
    const char *far = stage_url_at(lane.stage, "far.invalid", "/text/[1-3]");

    program_expect(program_fetch(RUN_WEIR("-4", "-x", relay_url(&lane, "socks5://"), local), NULL),
                   0, "a\n", "");
    expect_target(&lane, 0, "127.0.0.1", port);
    program_expect(program_fetch(RUN_WEIR("-j1", "-x", relay_url(&lane, "socks5h://"), far), NULL),
                   0, "1\n2\n3\n", "");
    expect_target(&lane, 1, "far.invalid", port);
    cr_expect_eq(relay_count(lane.relay), 2, "a connection through it is used again");
    cr_expect(stage_saw_header(lane.stage, "/text/1", "Host",
                               stage_text(lane.stage, "far.invalid:%u", port)));
    end(&lane);
}

Test(socks, is_told_the_password)
{
    struct lane lane = begin("me:word");
    const char *url = stage_url(lane.stage, "/text/a");

    program_expect(program_fetch(RUN_WEIR("-x", relay_url(&lane, "socks5://me:word@"), url), NULL),
                   0, "a\n", "");
    program_expect(
        program_fetch(RUN_WEIR("-x", relay_url(&lane, "socks5h://"), "-U", "me:word", url), NULL),
        0, "a\n", "");
    cr_expect_str_eq(relay_record(lane.relay, 0)->credentials, "me:word");
    cr_expect_str_eq(relay_record(lane.relay, 1)->credentials, "me:word");
    cr_expect(!stage_saw_header(lane.stage, "/text/a", "Authorization", ""));
    cr_expect(!stage_saw_header(lane.stage, "/text/a", "Proxy-Authorization", ""));
    end(&lane);
}

Test(socks, that_refuses_the_password_fails_the_connection)
{
    static const char *const starts[] = {"socks5://me:work@", "socks5h://", "socks5://you:word@"};
    struct lane lane = begin("me:word");
    const char *url = stage_url(lane.stage, "/text/a");

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct run_result result =
            program_fetch(RUN_WEIR("-x", relay_url(&lane, starts[i]), url), NULL);
        cr_expect(program_told(&result, url, "connect", ""), "%s", blob_text(&result.err));
        program_expect(result, 1, "", NULL);
    }
    cr_expect_eq(origin_counts(lane.stage->origin).requests, 0);
    end(&lane);
}

/* ---- https through a tunnel ---- */

static struct nginx *start_nginx(void)
{
    struct nginx *nginx = nginx_start(NULL);

    cr_assert(nginx);
    nginx_put_text(nginx, "hello.txt", "hello\n");
    return nginx;
}

Test(tunnel, leads_to_an_https_server)
{
    static const char *const starts[] = {"http://", "socks5://", "socks5h://"};
    struct lane lane = begin(NULL);
    struct nginx *nginx = start_nginx();
    unsigned port = nginx_ports(nginx)->tls;
    const char *url = stage_text(lane.stage, "https://good.localhost:%u/hello.txt", port);

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        program_expect(program_fetch(RUN_WEIR("-j1", "--cacert", nginx_certs(nginx)->ca, "-x",
                                              relay_url(&lane, starts[i]), url, url),
                                     NULL),
                       0, "hello\nhello\n", "");
        cr_expect_eq(relay_count(lane.relay), i + 1);
    }
    expect_target(&lane, 0, "good.localhost", port);
    expect_target(&lane, 2, "good.localhost", port);
    cr_expect_eq(nginx_stop(nginx), 0);
    end(&lane);
}

/* The proxy's password, and nothing of what is for the origin. */
Test(tunnel, is_opened_with_the_password_of_the_proxy)
{
    struct lane lane = begin("Basic bWU6d29yZA==");
    struct nginx *nginx = start_nginx();
    const char *url =
        stage_text(lane.stage, "https://127.0.0.1:%u/hello.txt", (unsigned)nginx_ports(nginx)->tls);
    const char *proxy = relay_url(&lane, "http://");

    program_expect(
        program_fetch(RUN_WEIR("-k", "-x", proxy, "-U", "me:word", "-u", "you:x", url), NULL), 0,
        "hello\n", "");
    cr_expect_str_eq(relay_record(lane.relay, 0)->credentials, "Basic bWU6d29yZA==");
    struct run_result result =
        program_fetch(RUN_WEIR("-k", "-x", proxy, "-u", "me:word", url), NULL);
    cr_expect(program_told(&result, url, "connect", "407"), "%s", blob_text(&result.err));
    cr_expect_str_empty(relay_record(lane.relay, 1)->credentials);
    program_expect(result, 1, "", NULL);
    program_expect(
        program_fetch(RUN_WEIR("-kx", proxy, "-w", "%{reason} %{http_code}\\n", url), NULL), 1,
        "connect 000\n", NULL);
    cr_expect_eq(nginx_stop(nginx), 0);
    end(&lane);
}

Test(tunnel, does_not_make_a_bad_certificate_good)
{
    struct lane lane = begin(NULL);
    struct nginx *nginx = start_nginx();
    const char *url = stage_text(lane.stage, "https://127.0.0.1:%u/hello.txt",
                                 (unsigned)nginx_ports(nginx)->wrong_name);
    struct run_result result = program_fetch(
        RUN_WEIR("--cacert", nginx_certs(nginx)->ca, "-x", relay_url(&lane, "http://"), url), NULL);

    cr_expect(program_told(&result, url, "tls", ""), "%s", blob_text(&result.err));
    program_expect(result, 1, "", NULL);
    cr_expect_eq(nginx_stop(nginx), 0);
    end(&lane);
}

/* What is said to it is as secret as what is said to the origin. */
Test(proxy, of_https_must_have_a_good_certificate_too)
{
    struct lane lane = begin(NULL);
    struct nginx *nginx = start_nginx();
    const char *url = "http://a.test/hello.txt";
    const char *proxy =
        stage_text(lane.stage, "https://127.0.0.1:%u", (unsigned)nginx_ports(nginx)->self_signed);
    struct run_result result = program_fetch(RUN_WEIR("-x", proxy, url), NULL);

    cr_expect(program_told(&result, url, "tls", ""), "%s", blob_text(&result.err));
    program_expect(result, 1, "", NULL);
    cr_expect_eq(nginx_stop(nginx), 0);
    end(&lane);
}

/* ---- other ways out ---- */

Test(way, begins_at_the_interface_that_is_named)
{
    static const char *const names[] = {"127.0.0.3", "host!127.0.0.4", "lo", "if!lo"};
    static const char *const peers[] = {"127.0.0.3", "127.0.0.4", "127.0.0.1", "127.0.0.1"};
    struct stage *stage = stage_new();

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *target = stage_text(stage, "/text/%zu", i);
        program_expect(
            program_fetch(RUN_WEIR("--interface", names[i], stage_url(stage, "%s", target)), NULL),
            0, NULL, "");
        cr_expect_str_eq(origin_log_find(stage->origin, target)->peer, peers[i]);
    }
    stage_free(stage);
}

Test(way, may_be_a_unix_socket)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_path(scratch, "socket");
    struct origin *origin = origin_start(&(struct origin_options){.address = path});
    char host[32];

    cr_assert(origin);
    program_expect(program_fetch(RUN_WEIR("--unix-socket", path, "http://a.test/text/[1-3]",
                                          "http://b.test:81/text/b"),
                                 NULL),
                   0, "1\n2\n3\nb\n", "");
    cr_expect(origin_record_header(origin_log_find(origin, "/text/b"), "Host", host, sizeof host));
    cr_expect_str_eq(host, "b.test:81");
    program_expect(program_fetch(RUN_WEIR("--unix-socket", "/no/such", "http://a.test/"), NULL), 1,
                   "", ": connect: ");
    cr_expect_eq(origin_stop(origin), 0);
    scratch_free(scratch);
}

/* As libcurl 7 does, and so is not let. */
static bool loses_http2(void)
{
    struct run_result result = program_fetch(RUN_WEIR("-V"), NULL);
    bool loses = blob_contains(&result.out, "libcurl/7.");

    program_expect(result, 0, NULL, "");
    return loses;
}

/* Whether libcurl has HTTP/3; Debian's nginx has it wherever that is so. */
static bool has_http3(void)
{
    struct run_result result = program_fetch(RUN_WEIR("-V"), NULL);
    bool has = blob_contains(&result.out, " HTTP3");

    program_expect(result, 0, NULL, "");
    return has;
}

Test(way, may_be_http_3_where_the_library_has_it)
{
    bool can = has_http3();
    struct nginx *nginx = nginx_start(&(struct nginx_options){.trace = true, .http3 = can});
    char url[128];

    cr_assert(nginx);
    nginx_put_text(nginx, "hello.txt", "hello\n");
    snprintf(url, sizeof url, "https://good.localhost:%u/hello.txt?[1-3]",
             (unsigned)nginx_ports(nginx)->tls);
    struct run_result result =
        program_fetch(RUN_WEIR("--http3", "-4", "--cacert", nginx_certs(nginx)->ca, "-w",
                               "%{http_version} %{body}", url),
                      NULL);
    if (can) {
        program_expect(result, 0, "3 hello\n3 hello\n3 hello\n", "");
        cr_expect(strstr(nginx_log(nginx), " HTTP/3.0 /hello.txt?2\n"));
    } else {
        program_expect(result, 2, "", "built without HTTP/3");
        cr_expect_str_empty(nginx_log(nginx));
    }
    cr_expect_eq(nginx_stop(nginx), 0);
}

Test(way, may_be_http_2_from_the_first_byte)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_path(scratch, "socket");
    char server[256];

    snprintf(server, sizeof server, "server { listen unix:%s http2; root www; }", path);
    struct nginx *nginx = nginx_start(&(struct nginx_options){.http = server, .trace = true});
    cr_assert(nginx);
    nginx_put_text(nginx, "hello.txt", "hello\n");
    struct run_result result =
        program_fetch(RUN_WEIR("--http2-prior-knowledge", "--unix-socket", path, "-w",
                               "%{http_version} %{body}", "http://a.test/hello.txt?[1-3]"),
                      NULL);
    if (loses_http2()) {
        program_expect(result, 2, "", "--http2-prior-knowledge needs libcurl 8.0");
        cr_expect_not(strstr(nginx_log(nginx), "HTTP/2.0"));
    } else {
        program_expect(result, 0, "2 hello\n2 hello\n2 hello\n", "");
        cr_expect(strstr(nginx_log(nginx), " HTTP/2.0 /hello.txt?2\n"));
    }
    cr_expect_eq(nginx_stop(nginx), 0);
    scratch_free(scratch);
}
