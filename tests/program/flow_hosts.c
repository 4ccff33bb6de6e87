/* Hosts that fail, hosts that are tried first by one request, hosts that can take only so much. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arrivals.h"
#include "client.h"
#include "moment.h"
#include "nginx.h"
#include "program.h"
#include "record.h"
#include "stage.h"

static const char first[] = "127.0.0.1", second[] = "127.0.0.2";

/* ---- hosts that are spelled otherwise ---- */

/* Where the locale is C, too: libcurl would read such a name by that. */
Test(spelling, of_a_host_gets_it_no_second_limit)
{
    static const char *const spellings[] = {"localhost",   "LOCALHOST",
                                            "localhost.",  "\xEF\xBD\x8Cocalhost",
                                            "loc%61lhost", "localhos\xEF\xBC\xB4."};
    static const char *const locales[] = {"LC_ALL=C", "LC_ALL=C.UTF-8"};

    for (size_t k = 0; k < 2; k++) {
        struct stage *stage = stage_new();
        const char *const env[] = {locales[k], NULL};
        struct blob input = {0};
        for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
            blob_addf(&input, "http://%s:%u/text/a?delay=0.05\n", spellings[i],
                      (unsigned)origin_port(stage->origin));
        json_t *records =
            records_of(program_run((struct run_options){
                           .argv = RUN_WEIR("--jsonl", "--per-host", "1", "--parallel-immediate"),
                           .env = env,
                           .input = input.at,
                           .input_len = input.len}),
                       0, 6);
        for (size_t i = 0; i < 6; i++)
            cr_expect_eq(strncasecmp(record_text(record_at(records, i), "url_effective"),
                                     "http://localhost:", 17),
                         0);
        cr_expect_eq(origin_counts(stage->origin).in_service_peak, 1);
        cr_expect(stage_saw_header(
            stage, "/text/a?delay=0.05", "Host",
            stage_text(stage, "localhost:%u", (unsigned)origin_port(stage->origin))));
        json_decref(records);
        blob_release(&input);
        stage_free(stage);
    }
}

/* ---- hosts that are down at once, as --host-wait=0 has it ---- */

Test(host_errors, give_a_host_up_and_no_other)
{
    enum { REQUESTS = 50, ERRORS = 4 };
    struct stage *stage = stage_new_any();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++) {
        blob_addf(&input, "%s\n", stage_url_at(stage, first, "/text/x?closenow=1"));
        blob_addf(&input, "%s\n", stage_url_at(stage, second, "/text/y"));
    }
    json_t *records = records_of(
        program_fetch(RUN_WEIR("--jsonl", "--retry=0", "--host-errors=4", "--host-wait=0",
                               "--host-retry-after=0", "--per-host=127.0.0.1=1"),
                      blob_text(&input)),
        1, (size_t)2 * REQUESTS);
    cr_expect_eq(arrivals_count(stage, first), ERRORS);
    cr_expect_eq(arrivals_count(stage, second), REQUESTS);
    cr_expect_eq(records_count(records, "reset"), ERRORS);
    cr_expect_eq(records_count(records, "host_down"), REQUESTS - ERRORS);
    cr_expect_eq(records_count(records, "ok"), REQUESTS);
    cr_expect_eq(
        json_integer_value(json_object_get(record_at(records, 2 * REQUESTS - 2), "attempts")), 0);
    json_decref(records);
    blob_release(&input);
    stage_free(stage);
}

/* Those in flight as the host is given up end as they end; none is begun after that. */
Test(host_errors, count_each_of_a_crowd)
{
    enum { REQUESTS = 60, JOBS = 10, ERRORS = 5 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n", stage_url(stage, "/text/x?reset=head&delay=0.02"));
    json_t *records = records_of(program_fetch(RUN_WEIR("--jsonl", "-j10", "--host-errors=5",
                                                        "--host-wait=0", "--retry-delay=0.01"),
                                               blob_text(&input)),
                                 1, REQUESTS);
    cr_expect_leq(origin_counts(stage->origin).requests, JOBS + ERRORS);
    cr_expect_geq(records_count(records, "host_down"), REQUESTS - JOBS - ERRORS);
    json_decref(records);
    blob_release(&input);
    stage_free(stage);
}

Test(host_errors, are_those_of_the_transport_in_a_row)
{
    enum { REQUESTS = 40 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS / 4; i++) {
        blob_addf(&input, "%s\n", stage_url(stage, "/text/x?closenow=1"));
        blob_addf(&input, "%s\n", stage_url(stage, "/text/x?status=500"));
        blob_addf(&input, "%s\n", stage_url(stage, "/text/x?status=404"));
        blob_addf(&input, "%s\n", stage_url(stage, "/text/x?reset=head"));
    }
    json_t *records =
        records_of(program_fetch(RUN_WEIR("--jsonl", "-j1", "--retry=0", "--host-errors=3"),
                                 blob_text(&input)),
                   1, REQUESTS);
    cr_expect_eq(records_count(records, "host_down"), 0);
    cr_expect_geq(origin_counts(stage->origin).requests, REQUESTS);
    json_decref(records);
    blob_release(&input);
    stage_free(stage);
}

/* A failed line in stderr tells who could not be asked, and how often that was. */
Test(host_errors, are_told_in_each_line)
{
    static const char url[] = "http://127.0.0.1:1/x";

    struct run_result result =
        program_fetch(RUN_WEIR("-j1", "--retry=0", "--host-errors=1", "--host-wait=0",
                               "--host-retry-after=0", url, url),
                      NULL);
    cr_expect(program_told(&result, url, "connect", ""), "%s", blob_text(&result.err));
    cr_expect(program_told(&result, url, "host_down", "given up after 1 "), "%s",
              blob_text(&result.err));
    program_expect(result, 1, "", NULL);
}

static void write_url(struct run *run, const char *url)
{
    cr_assert(run_write_text(run, url));
    cr_assert(run_write_text(run, "\n"));
}

/* Each request is asked for once the one before it has come to its end, and none of those that are
 * refused without being sent lets the host come back. */
Test(host_retry_after, lets_a_probe_through_and_the_host_comes_back)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn((struct run_options){
        .argv = RUN_WEIR("--retry=0", "-s", "--host-errors=2", "--format=tsv",
                         "--fields=seq,reason", "--host-wait=0", "--host-retry-after=1.5")});
    const char *target = "/text/x?failtimes=3&closenow=1&key=all";

    for (int i = 1; i <= 2; i++) {
        write_url(run, stage_url(stage, "%s", target));
        cr_expect(run_read_until(run, stage_text(stage, "%d\treset\n", i), patience));
    }
    double given_up = arrivals_time(stage, NULL, 1);
    unsigned seq = 3;
    bool is_back = false;
    for (double end = moment_now() + patience; !is_back && moment_now() < end; seq++) {
        write_url(run, stage_url(stage, "%s", target));
        cr_assert(run_read_until(run, stage_text(stage, "%u\t", seq), patience));
        cr_assert(run_read_until(run, "\n", patience));
        is_back = blob_contains(run_out(run), "\tok\n");
    }
    cr_expect(is_back);
    cr_expect(blob_contains(run_out(run), "\thost_down\n"));
    /* Two that failed, a probe that did, a probe that did not. */
    cr_expect_eq(origin_counts(stage->origin).requests, 4);
    cr_expect_geq(arrivals_time(stage, NULL, 2), given_up + 1.5);
    cr_expect_geq(arrivals_time(stage, NULL, 3), arrivals_time(stage, NULL, 2) + 1.5);
    program_expect(program_end(run), 1, NULL, NULL);
    stage_free(stage);
}

/* ---- paused hosts ---- */

/* Sums up what all records say. */
static void expect_all_ok(json_t *records, size_t count, unsigned attempts)
{
    cr_expect_eq(records_count(records, "ok"), count);
    for (size_t i = 0; i < count; i++)
        cr_expect_leq(json_integer_value(json_object_get(record_at(records, i), "attempts")),
                      attempts, "request %zu", i + 1);
    json_decref(records);
}

/* More of them than requests have tries: those of the probes count for none. */
Test(paused_host, costs_no_request_and_no_try)
{
    static const char *const answers[] = {"", "&delay=0.05"};
    enum { REQUESTS = 30 };

    for (size_t i = 0; i < 2; i++) {
        struct stage *stage = stage_new();
        struct blob input = {0};
        for (int k = 0; k < REQUESTS; k++)
            blob_addf(&input, "%s\n",
                      stage_url(stage, "/text/%d?failtimes=8&closenow=1&key=all%s", k, answers[i]));
        expect_all_ok(
            records_of(program_fetch(RUN_WEIR("--jsonl", "--retry-delay=0.05"), blob_text(&input)),
                       0, REQUESTS),
            REQUESTS, 1);
        cr_expect_eq(origin_counts(stage->origin).requests, REQUESTS + 8);
        blob_release(&input);
        stage_free(stage);
    }
}

static struct origin *start_origin(uint16_t port)
{
    struct origin *origin = origin_start(&(struct origin_options){.port = port});

    cr_assert_not_null(origin);
    return origin;
}

/* Waits until it has been asked so often. */
static void wait_for_requests(const struct origin *origin, uint64_t count)
{
    for (double end = moment_now() + patience;
         origin_counts(origin).requests < count && moment_now() < end;)
        poll(NULL, 0, 2);
    cr_assert_geq(origin_counts(origin).requests, count);
}

Test(paused_host, that_restarts_costs_no_request)
{
    enum { REQUESTS = 600, RESTARTS = 3, BETWEEN = 100 };
    struct origin *origin = start_origin(0);
    uint16_t port = origin_port(origin);
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("--jsonl")});

    for (int i = 0; i < REQUESTS; i++) {
        char line[96];
        snprintf(line, sizeof line, "http://127.0.0.1:%u/text/%d?delay=0.02\n", (unsigned)port, i);
        cr_assert(run_write_text(run, line));
    }
    run_close_stdin(run);
    for (int i = 0; i < RESTARTS; i++) {
        wait_for_requests(origin, BETWEEN);
        origin_stop(origin);
        poll(NULL, 0, 300);
        origin = start_origin(port);
    }
    expect_all_ok(records_of(program_end(run), 0, REQUESTS), REQUESTS, 1);
    cr_expect_eq(origin_stop(origin), 0);
}

/* Requests that their host fails at are not the only ones that probe, nor do they come back for ever. */
Test(paused_host, is_probed_by_each_of_its_requests_in_turn)
{
    enum { REQUESTS = 60, BAD = 3, TIMES = 15 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n", stage_url(stage, "/text/%d%s", i, i < BAD ? "?closenow=1" : ""));
    json_t *records =
        records_of(program_fetch(RUN_WEIR("--jsonl", "-j1", "--retry-delay=0.01", "--host-wait=1"),
                                 blob_text(&input)),
                   1, REQUESTS);
    cr_expect_eq(records_count(records, "ok"), REQUESTS - BAD);
    cr_expect_leq(origin_counts(stage->origin).requests, REQUESTS + BAD * TIMES);
    json_decref(records);
    blob_release(&input);
    stage_free(stage);
}

/* Nobody ever listens there: two seconds, and the request that ended its tries tells why. */
Test(paused_host, that_never_answered_is_not_waited_for_long)
{
    enum { REQUESTS = 5 };
    struct blob input = {0};
    double begun = moment_now();

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "http://127.0.0.1:1/%d\n", i);
    json_t *records = records_of(
        program_fetch(RUN_WEIR("--jsonl", "--host-wait=1h"), blob_text(&input)), 1, REQUESTS);
    cr_expect_leq(moment_now() - begun, 15);
    cr_expect_geq(records_count(records, "host_down"), 3);
    cr_expect(strstr(record_text(record_at(records, 0), "errormsg"), "onnect"), "%s",
              record_text(record_at(records, 0), "errormsg"));
    cr_expect_eq(records_count(records, "host_down") + records_count(records, "connect"), REQUESTS);
    json_decref(records);
    blob_release(&input);
}

struct answer {
    char delay[16];
};

ParameterizedTestParameters(paused_host, is_not_given_up_while_it_answers_its_probe)
{
    static struct answer answers[] = {{"headdelay=1.2"}, {"delay=1.2"}};

    return cr_make_param_array(struct answer, answers, sizeof answers / sizeof *answers);
}

/* Its answer outlasts the pause, or begins behind that. */
ParameterizedTest(struct answer *answer, paused_host, is_not_given_up_while_it_answers_its_probe)
{
    enum { REQUESTS = 7, ERRORS = 3 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n",
                  stage_url(stage, "/text/%d?key=k&failtimes=%d&closenow=1&%s", i, ERRORS,
                            answer->delay));
    json_t *records = records_of(program_fetch(RUN_WEIR("--jsonl", "-j1", "--retry=0",
                                                        "--retry-delay=0.05", "--host-wait=0.5"),
                                               blob_text(&input)),
                                 1, REQUESTS);
    cr_expect_eq(records_count(records, "reset"), ERRORS);
    cr_expect_eq(records_count(records, "ok"), REQUESTS - ERRORS);
    json_decref(records);
    blob_release(&input);
    stage_free(stage);
}

Test(paused_host, is_given_up_after_host_wait)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    blob_addf(&input, "%s\n", stage_url(stage, "/text/first"));
    for (int i = 0; i < 20; i++)
        blob_addf(&input, "%s\n", stage_url(stage, "/text/%d?closenow=1", i));
    json_t *records = records_of(program_fetch(RUN_WEIR("--jsonl", "-j1", "--retry=0",
                                                        "--retry-delay=0.05", "--host-wait=0.5"),
                                               blob_text(&input)),
                                 1, 21);
    cr_expect_eq(records_count(records, "ok"), 1);
    cr_expect_eq(records_count(records, "reset"), 3);
    cr_expect_eq(records_count(records, "host_down"), 17);
    cr_expect_gt(origin_counts(stage->origin).requests, 4 + 1, "it was probed");
    json_decref(records);
    blob_release(&input);
    stage_free(stage);
}

/* ---- who goes first ---- */

/* A listener that accepts nothing by itself: what libcurl has sent waits in the kernel. */
static int open_listener(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_geq(fd, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    cr_assert_eq(listen(fd, 64), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* Takes connections until none comes for `seconds`; says how many. Their descriptors are the first
 * `max` of `fds`. */
static size_t accept_all(int listener, double seconds, int *fds, size_t max)
{
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    size_t count = 0;

    while (count < max && poll(&wait, 1, (int)(seconds * 1000)) > 0)
        fds[count++] = accept(listener, NULL, NULL);
    return count;
}

static void close_all(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

enum { CROWD = 8 };

/* Over TLS a connection stands when its handshake is done, and nobody here answers to that. */
static size_t connections_before_one_stands(const char *option, size_t expected)
{
    uint16_t port;
    int listener = open_listener(&port), fds[CROWD];
    struct blob input = {0};

    for (int i = 0; i < CROWD; i++)
        blob_addf(&input, "https://127.0.0.1:%u/\n", (unsigned)port);
    struct run *run =
        program_spawn((struct run_options){.argv = RUN_WEIR("-s", "-k", "--retry=0", option)});
    cr_assert(run_write(run, input.at, input.len));
    size_t count = accept_all(listener, patience, fds, expected);
    count += accept_all(listener, 0.5, fds + count, CROWD - count);
    run_free(run);
    close_all(fds, count);
    close(listener);
    blob_release(&input);
    return count;
}

Test(first_request, to_a_host_goes_alone_until_its_connection_stands)
{
    cr_expect_eq(connections_before_one_stands("-j8", 1), 1);
}

Test(first_request, does_not_go_alone_with_parallel_immediate)
{
    cr_expect_eq(connections_before_one_stands("--parallel-immediate", CROWD), CROWD);
}

/* The first one's answer is not waited for, its connection is. */
Test(first_request, holds_up_nobody_once_its_connection_stands)
{
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < CROWD; i++)
        blob_addf(&input, "%s\n", stage_url(stage, "/text/x?silent=1"));
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-s")});
    cr_assert(run_write(run, input.at, input.len));
    cr_expect(origin_wait_in_service(stage->origin, CROWD, patience));
    run_free(run);
    blob_release(&input);
    stage_free(stage);
}

/* One that fails lets the next one try, also over a connection that was idle for long. */
Test(first_request, that_fails_leaves_the_others_to_go_on)
{
    enum { REQUESTS = 20 };
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "http://127.0.0.1:1/%d\n", i);
    json_t *records = records_of(
        program_fetch(RUN_WEIR("--jsonl", "--retry=0", "--host-errors=0"), blob_text(&input)), 1,
        REQUESTS);
    cr_expect_eq(records_count(records, "connect"), REQUESTS);
    json_decref(records);
    blob_release(&input);
}

/* ---- what a host can take ---- */

Test(adaptive, finds_what_a_host_can_take)
{
    enum { REQUESTS = 500, CAN_TAKE = 8 };
    struct stage *stage = stage_new();
    struct blob input = {0};
    size_t refused = 0;

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n", stage_url(stage, "/text/x?maxinflight=8&delay=0.04"));
    struct run_result result =
        program_fetch(RUN_WEIR("--adaptive", "-j100", "--retry=9", "--retry-budget=none",
                               "--retry-delay=0.05", "--format=none"),
                      blob_text(&input));
    program_expect(result, 0, "", "");
    for (const struct origin_record *at = NULL; (at = origin_log_next(stage->origin, at)) != NULL;)
        refused += at->status == 429;
    cr_expect_leq(refused, REQUESTS / 10);
    cr_expect_geq(arrivals_peak(stage, NULL), CAN_TAKE / 2, "it never tried");
    cr_expect_leq(arrivals_peak(stage, NULL), (size_t)2 * CAN_TAKE);
    blob_release(&input);
    stage_free(stage);
}

/* Without trouble it goes up to what it may. */
Test(adaptive, goes_up_to_per_host_and_no_further)
{
    enum { REQUESTS = 300 };
    struct stage *stage = stage_new();
    struct blob input = {0};

    for (int i = 0; i < REQUESTS; i++)
        blob_addf(&input, "%s\n", stage_url(stage, "/text/x?delay=0.05"));
    program_expect(program_fetch(RUN_WEIR("--adaptive", "-j50", "--per-host=6", "--format=none"),
                                 blob_text(&input)),
                   0, "", "");
    cr_expect_leq(arrivals_peak(stage, NULL), 6);
    cr_expect_geq(arrivals_peak(stage, NULL), 3);
    blob_release(&input);
    stage_free(stage);
}
