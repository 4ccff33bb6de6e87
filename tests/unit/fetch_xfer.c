#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <ev.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/spool.h"
#include "base/util.h"
#include "cli/options.h"
#include "core/task.h"
#include "fetch/brake.h"
#include "fetch/xfer.h"
#include "fetch/xfer_crew.h"
#include "input/partial.h"
#include "input/url.h"
#include "libcurl.h"
#include "loops.h"
#include "origin.h"
#include "tasks.h"

/* Enough for anything here on a machine under load; only what hangs takes as long. */
static const double patience = 60;

#define TURN_MAX 0.02

struct run {
    struct ev_loop *loop;
    struct options options;
    struct store store;
    struct xfer *xfer;
    struct origin *origin;
    double until;
    bool wants_headers;
    uint64_t goes_out; /* so many bytes of others' bodies in each turn */
};

/* The options are changed in between. */
static void prepare(struct run *run)
{
    *run = (struct run){.loop = ev_loop_new(EVFLAG_NOENV), .origin = origin_start(NULL)};
    run->until = clock_now() + patience;
    cr_assert_not_null(run->origin, "%s", strerror(errno));
    options_init(&run->options);
    store_init(&run->store, spool_new("/tmp", 0), 1 << 20);
}

static void begin(struct run *run)
{
    struct buf err;

    buf_init(&err);
    struct xfer_wants wants = {.headers = run->wants_headers,
                               .bodies = run->options.format == OPTION_FORMAT_NONE
                                             ? XFER_NO_BODIES
                                             : XFER_ACCEPTED_BODIES};
    cr_assert_eq(xfer_new(run->loop, &run->options, wants, &run->store,
                          (struct xfer_bounds){10, 1000}, &run->xfer, &err),
                 0, "%s", err.data);
    buf_release(&err);
    xfer_run(run->xfer, clock_now());
}

static void finish(struct run *run)
{
    xfer_free(run->xfer);
    store_release(&run->store);
    options_release(&run->options);
    ev_loop_destroy(run->loop);
    cr_expect_eq(origin_stop(run->origin), 0);
}

static void task_end(struct run *run, struct task *task)
{
    cr_expect_null(task->transfer);
    task_free(task, &run->store);
}

static struct task *start_url(struct run *run, const char *url)
{
    struct task *task = tasks_new(url);

    xfer_start(run->xfer, task);
    cr_expect_not_null(task->transfer);
    return task;
}

static struct task *start(struct run *run, const char *target)
{
    char url[256];

    snprintf(url, sizeof url, "%s%s", origin_url(run->origin), target);
    return start_url(run, url);
}

static void on_due(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
}

/* One turn as the pump makes it, but not long: some tests wait for what no loop can see. */
static void turn(struct run *run)
{
    double now = clock_now();
    double wait = fmin(xfer_due(run->xfer) - now, TURN_MAX);
    ev_timer timer;

    cr_assert_lt(now, run->until, "waited in vain");
    ev_timer_init(&timer, on_due, fmax(wait, 0), 0);
    ev_now_update(run->loop);
    ev_timer_start(run->loop, &timer);
    loops_turn(run->loop);
    ev_timer_stop(run->loop, &timer);
    run->store.given += run->goes_out;
    xfer_run(run->xfer, clock_now());
}

static struct task *next_finished(struct run *run)
{
    struct task *task;

    while (!(task = xfer_next_finished(run->xfer)))
        turn(run);
    return task;
}

static void finish_one(struct run *run, struct task *task)
{
    cr_assert_eq(next_finished(run), task);
    cr_expect_null(xfer_next_finished(run->xfer), "a task comes back once");
    cr_expect_null(task->transfer);
}

static char *body_of(struct run *run, const struct task *task)
{
    struct body_cursor cursor = {0};
    struct buf out, err;
    ssize_t got;

    buf_init(&out);
    buf_init(&err);
    while ((got = body_read(&task->body, &run->store, &cursor, buf_reserve(&out, 4096), 4096,
                            &err)) > 0)
        buf_extend(&out, (size_t)got);
    buf_release(&err);
    return buf_take(&out);
}

struct ending {
    const char *target;
    enum outcome outcome;
    enum reason reason; /* of what failed */
    long http_code;     /* -1: any */
    uint64_t body_bytes, kept;
};

static void check_ending(struct run *run, const struct ending *ending)
{
    struct task *task = start(run, ending->target);
    const struct result *result = &task->result;

    finish_one(run, task);
    cr_expect_eq(task->outcome, ending->outcome, "%s: %d, %s", ending->target, (int)task->outcome,
                 result->message);
    cr_expect_eq(result->reason, ending->reason, "%s: %s", ending->target,
                 reason_name(result->reason));
    if (ending->http_code >= 0)
        cr_expect_eq(result->http_code, ending->http_code, "%s", ending->target);
    if (ending->outcome == OUTCOME_ANSWERED) {
        cr_expect_eq(result->body_bytes, ending->body_bytes, "%s", ending->target);
        cr_expect_eq(task->body.size, ending->kept, "%s", ending->target);
        cr_expect_eq(result->exitcode, 0);
    } else {
        cr_expect_neq(result->exitcode, 0, "%s", ending->target);
        cr_expect_not_null(result->message);
    }
    cr_expect_eq(result->starts, 1);
    task_end(run, task);
}

Test(xfer, says_how_each_transfer_ended)
{
    static const struct ending endings[] = {
        {"/bytes/1000", OUTCOME_ANSWERED, REASON_OK, 200, 1000, 1000},
        {"/bytes/0", OUTCOME_ANSWERED, REASON_OK, 200, 0, 0},
        {"/bytes/300000?chunked=1", OUTCOME_ANSWERED, REASON_OK, 200, 300000, 300000},
        {"/bytes/1000?gzip=1", OUTCOME_ANSWERED, REASON_OK, 200, 1000, 1000},
        {"/bytes/1000?nolength=1", OUTCOME_ANSWERED, REASON_OK, 200, 1000, 1000},
        {"/bytes/10?status=404", OUTCOME_ANSWERED, REASON_OK, 404, 10, 0},
        {"/bytes/10?status=500", OUTCOME_ANSWERED, REASON_OK, 500, 10, 0},
        {"/bytes/10?reset=head", OUTCOME_FAILED, REASON_RESET, 0, 0, 0},
        {"/bytes/10?closenow=1", OUTCOME_FAILED, REASON_RESET, 0, 0, 0},
        {"/bytes/10?short=5", OUTCOME_FAILED, REASON_RESET, 200, 0, 0},
        {"/bytes/10?cutchunk=1", OUTCOME_FAILED, REASON_RESET, 200, 0, 0},
        {"/bytes/10?badchunk=1", OUTCOME_FAILED, REASON_PROTOCOL, 200, 0, 0},
        {"/bytes/10?garbage=1", OUTCOME_FAILED, REASON_PROTOCOL, -1, 0, 0},
        {"/bytes/10?bigheader=200000", OUTCOME_FAILED, REASON_PROTOCOL, -1, 0, 0},
        {"/bytes/1000?badgzip=1", OUTCOME_FAILED, REASON_ENCODING, 200, 0, 0},
    };
    struct run run;

    prepare(&run);
    begin(&run);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        check_ending(&run, &endings[i]);
    finish(&run);
}

Test(xfer, gives_each_of_many_back_once_with_its_own_body)
{
    enum { MANY = 50 };
    struct task *tasks[MANY];
    bool back[MANY] = {false};
    struct run run;

    prepare(&run);
    begin(&run);
    for (size_t i = 0; i < MANY; i++) {
        char target[32];
        snprintf(target, sizeof target, "/text/word%zu", i);
        tasks[i] = start(&run, target);
    }
    for (size_t i = 0; i < MANY; i++) {
        struct task *task = next_finished(&run);
        size_t k = 0;
        while (k < MANY && tasks[k] != task)
            k++;
        cr_assert(k < MANY && !back[k]);
        back[k] = true;
    }
    for (size_t i = 0; i < MANY; i++) {
        char expected[32], *body = body_of(&run, tasks[i]);
        snprintf(expected, sizeof expected, "word%zu\n", i);
        cr_expect_str_eq(body, expected, "%s", body);
        free(body);
        task_end(&run, tasks[i]);
    }
    cr_expect_eq(xfer_due(run.xfer), INFINITY);
    finish(&run);
}

Test(xfer, is_due_at_once_while_what_ended_is_not_yet_given_out)
{
    struct run run;

    prepare(&run);
    begin(&run);
    cr_expect_eq(xfer_due(run.xfer), INFINITY);
    struct task *task = start(&run, "/bytes/10?silent=1");
    while (origin_counts(run.origin).in_service == 0)
        turn(&run);
    /* Its time is over in the first; what libcurl wants to do then is done in the others. */
    for (int i = 0; i < 3; i++)
        xfer_run(run.xfer, clock_now() + 1000);
    cr_expect_eq(xfer_due(run.xfer), 0);
    cr_expect_eq(xfer_next_finished(run.xfer), task);
    cr_expect_eq(xfer_due(run.xfer), INFINITY);
    task_end(&run, task);
    finish(&run);
}

Test(xfer, uses_a_connection_again)
{
    struct run run;

    prepare(&run);
    begin(&run);
    for (int i = 0; i < 5; i++) {
        struct task *task = start(&run, "/bytes/10");
        finish_one(&run, task);
        task_end(&run, task);
    }
    cr_expect_eq(origin_counts(run.origin).accepted, 1);
    finish(&run);
}

/* By a name of its own each, so that none has a connection of another's. */
static struct task *start_of_host(struct run *run, size_t host, const char *target)
{
    const char *port = strrchr(origin_url(run->origin), ':');
    char url[256];

    snprintf(url, sizeof url, "http://h%zu.localhost%s%s", host, port, target);
    return start_url(run, url);
}

static void fetch_from_hosts(struct run *run, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        struct task *task = start_of_host(run, i, "/bytes/10");
        finish_one(run, task);
        cr_expect_eq(task->outcome, OUTCOME_ANSWERED);
        task_end(run, task);
    }
}

/* So many connections are enough for a crew. */
enum { CREW_HOSTS = 256 };

Test(xfer, leaves_no_host_behind_in_a_crew)
{
    struct run run;

    prepare(&run);
    run.options.ip = OPTION_IP_4;
    begin(&run);
    struct crew *first = run.xfer->crews;
    fetch_from_hosts(&run, 0, CREW_HOSTS - 1);
    turn(&run);
    cr_expect_eq(run.xfer->crews, first);
    fetch_from_hosts(&run, CREW_HOSTS - 1, 2);
    cr_expect_neq(run.xfer->crews, first);
    cr_expect_eq(run.xfer->n_crews, 1);
    cr_expect(origin_wait_open(run.origin, 1, patience), "the first crew's are closed with it");
    finish(&run);
}

Test(xfer, keeps_no_connection_in_a_crew_that_has_only_late_ones)
{
    struct run run;

    prepare(&run);
    run.options.ip = OPTION_IP_4;
    begin(&run);
    struct task *late = start_of_host(&run, 1000, "/bytes/10?silent=1");
    struct crew *first = run.xfer->crews;
    fetch_from_hosts(&run, 0, CREW_HOSTS - 2);
    struct task *ending = start_of_host(&run, 1001, "/bytes/10?delay=1");
    while (run.xfer->crews == first)
        turn(&run);
    cr_expect_eq(run.xfer->n_crews, 2);
    cr_expect_eq(xfer_crew_count_idle(first), 0);
    cr_expect(origin_wait_open(run.origin, 2, patience), "those that are in use");
    finish_one(&run, ending);
    cr_expect_leq(xfer_crew_count_idle(first), 1);
    cr_expect_not(xfer_has_ended(late));
    xfer_stop(run.xfer);
    task_end(&run, ending);
    task_end(&run, late);
    finish(&run);
}

Test(xfer, has_so_many_crews_and_no_more_while_each_has_work)
{
    enum { MOST = 3, MANY = MOST + 2 };
    struct task *late[MANY];
    struct run run;

    prepare(&run);
    run.options.ip = OPTION_IP_4;
    begin(&run);
    run.xfer->crews_max = MOST;
    for (size_t i = 0; i < MANY; i++) {
        late[i] = start_of_host(&run, i * 1000, "/bytes/10?silent=1");
        cr_expect_eq(run.xfer->n_crews, MIN(i + 1, MOST));
        fetch_from_hosts(&run, i * 1000 + 1, CREW_HOSTS - 1);
        turn(&run);
    }
    /* With no more to come it goes on beyond what is enough. */
    cr_expect_eq(late[MANY - 1]->transfer->crew, run.xfer->crews);
    for (size_t i = 0; i < MANY; i++) {
        xfer_cancel(run.xfer, late[i]);
        task_end(&run, late[i]);
    }
    xfer_run(run.xfer, clock_now());
    cr_expect_eq(run.xfer->n_crews, 1);
    fetch_from_hosts(&run, 0, 2);
    finish(&run);
}

Test(xfer, says_where_an_answer_leads_and_does_not_go_there)
{
    struct run run;

    prepare(&run);
    begin(&run);
    struct task *task = start(&run, "/bytes/10?location=/next");
    finish_one(&run, task);
    cr_expect_eq(task->outcome, OUTCOME_ANSWERED);
    cr_expect_eq(task->result.http_code, 302);
    cr_assert_not_null(task->location);
    cr_expect_str_eq(task->location, "/next");
    cr_expect_eq(task->body.size, 0, "nobody will want to see that");
    cr_expect_eq(origin_counts(run.origin).requests, 1);
    task_end(&run, task);
    finish(&run);
}

Test(xfer, keeps_the_body_of_a_redirect_that_is_not_followed)
{
    struct run run;

    prepare(&run);
    run.options.location = false;
    begin(&run);
    struct task *task = start(&run, "/bytes/10?location=/next");
    finish_one(&run, task);
    cr_expect_eq(task->body.size, 10);
    task_end(&run, task);
    finish(&run);
}

Test(xfer, counts_a_body_that_nobody_wants_without_keeping_it)
{
    struct run run;

    prepare(&run);
    run.options.format = OPTION_FORMAT_NONE;
    begin(&run);
    struct task *task = start(&run, "/bytes/3000000");
    finish_one(&run, task);
    cr_expect_eq(task->outcome, OUTCOME_ANSWERED);
    cr_expect_eq(task->result.body_bytes, 3000000);
    cr_expect_eq(task->body.size, 0);
    task_end(&run, task);
    finish(&run);
}

/* A port of this machine that is taken. With `listens` a connection to it stands, and no more. */
static int take_port(bool listens, char url[64], const char *scheme)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    if (listens)
        cr_assert_eq(listen(fd, 16), 0);
    snprintf(url, 64, "%s://127.0.0.1:%u/", scheme, ntohs(address.sin_port));
    return fd;
}

Test(xfer, says_that_a_connection_was_refused)
{
    struct run run;
    char url[64];
    int fd = take_port(false, url, "http");

    prepare(&run);
    begin(&run);
    struct task *task = start_url(&run, url);
    finish_one(&run, task);
    cr_expect_eq(task->outcome, OUTCOME_FAILED);
    cr_expect_eq(task->result.reason, REASON_CONNECT);
    cr_expect_eq(task->result.exitcode, 7);
    cr_expect_eq(task->result.http_code, 0);
    task_end(&run, task);
    close(fd);
    finish(&run);
}

static void expect_timeout(struct run *run, struct task *task, const char *words)
{
    finish_one(run, task);
    cr_expect_eq(task->outcome, OUTCOME_FAILED);
    cr_expect_eq(task->result.reason, REASON_TIMEOUT);
    cr_expect_eq(task->result.exitcode, 28);
    cr_expect_not_null(strstr(task->result.message, words), "%s", task->result.message);
    task_end(run, task);
}

Test(xfer, gives_up_what_sends_nothing)
{
    struct run run;

    prepare(&run);
    run.options.stall_timeout = 0.2;
    begin(&run);
    expect_timeout(&run, start(&run, "/bytes/10?silent=1"), "no byte for 0.2 s");
    expect_timeout(&run, start(&run, "/bytes/10000?stall=100"), "no byte for 0.2 s");
    cr_expect_eq(run.store.memory_used, 0);
    finish(&run);
}

Test(xfer, gives_up_what_takes_too_long_though_bytes_come)
{
    struct run run;

    prepare(&run);
    run.options.max_time = 0.3;
    begin(&run);
    expect_timeout(&run, start(&run, "/bytes/10000?drip=1,0.02"), "not done after 0.3 s");
    finish(&run);
}

Test(xfer, gives_up_a_connection_that_does_not_stand)
{
    struct run run;
    char url[64];
    int fd = take_port(true, url, "https");

    prepare(&run);
    run.options.connect_timeout = 0.2;
    begin(&run);
    /* Where a single turn takes over a second, libcurl's own limit is the first to be looked at. */
    expect_timeout(&run, start_url(&run, url), "connect");
    close(fd);
    finish(&run);
}

Test(xfer, has_patience_with_a_slow_answer_whose_bytes_keep_coming)
{
    struct run run;

    prepare(&run);
    run.options.stall_timeout = 2;
    begin(&run);
    struct task *task = start(&run, "/bytes/50?drip=1,0.05");
    finish_one(&run, task);
    cr_expect_eq(task->outcome, OUTCOME_ANSWERED);
    cr_expect_eq(task->body.size, 50);
    task_end(&run, task);
    finish(&run);
}

Test(xfer, takes_a_task_back_before_its_end)
{
    struct run run;

    prepare(&run);
    begin(&run);
    struct task *task = start(&run, "/bytes/10?silent=1"), *other;
    while (origin_counts(run.origin).in_service == 0)
        turn(&run);
    xfer_cancel(run.xfer, task);
    cr_expect_null(task->transfer);
    cr_expect_null(xfer_next_finished(run.xfer));
    cr_expect(origin_wait_in_service(run.origin, 0, patience), "the connection was not closed");
    xfer_start(run.xfer, task);
    xfer_cancel(run.xfer, task);
    task_end(&run, task);
    other = start(&run, "/text/after");
    finish_one(&run, other);
    cr_expect_eq(other->outcome, OUTCOME_ANSWERED);
    task_end(&run, other);
    finish(&run);
}

Test(xfer, takes_all_tasks_back_at_once)
{
    enum { MANY = 20 };
    struct task *tasks[MANY];
    struct run run;

    prepare(&run);
    begin(&run);
    for (size_t i = 0; i < MANY; i++)
        tasks[i] = start(&run, i % 2 ? "/bytes/10?silent=1" : "/bytes/10");
    while (origin_counts(run.origin).requests < MANY)
        turn(&run);
    xfer_stop(run.xfer);
    xfer_stop(run.xfer);
    xfer_run(run.xfer, clock_now());
    cr_expect_null(xfer_next_finished(run.xfer));
    cr_expect_null(xfer_next_found(run.xfer));
    cr_expect_eq(xfer_due(run.xfer), INFINITY);
    for (size_t i = 0; i < MANY; i++)
        task_end(&run, tasks[i]);
    finish(&run);
}

/* What libcurl has asked to be woken for, the kernel has not been told yet. */
Test(xfer, takes_back_what_has_just_begun_to_connect)
{
    enum { MANY = 5 };
    struct task *tasks[MANY];
    struct run run;

    prepare(&run);
    begin(&run);
    for (size_t i = 0; i < MANY; i++)
        tasks[i] = start(&run, "/bytes/10?silent=1");
    xfer_run(run.xfer, clock_now());
    xfer_stop(run.xfer);
    ev_run(run.loop, EVRUN_NOWAIT);
    for (size_t i = 0; i < MANY; i++)
        task_end(&run, tasks[i]);
    cr_expect(origin_wait_open(run.origin, 0, patience));
    finish(&run);
}

Test(xfer, can_be_freed_while_it_runs)
{
    struct run run;

    prepare(&run);
    begin(&run);
    struct task *task = start(&run, "/bytes/10?silent=1");
    while (origin_counts(run.origin).in_service == 0)
        turn(&run);
    xfer_free(run.xfer);
    run.xfer = NULL;
    task_end(&run, task);
    xfer_free(NULL);
    finish(&run);
}

Test(xfer, puts_back_a_body_that_finds_no_room_but_not_the_one_next_in_order)
{
    struct run run;

    prepare(&run);
    run.store.memory_max = 1000;
    begin(&run);
    struct task *task = start(&run, "/bytes/100000");
    finish_one(&run, task);
    cr_expect_eq(task->outcome, OUTCOME_NO_ROOM);
    cr_expect_leq(run.store.memory_used, 1000);
    task_rewind(task, &run.store);
    cr_expect_eq(run.store.memory_used, 0);
    task->next_in_order = true;
    xfer_start(run.xfer, task);
    finish_one(&run, task);
    cr_expect_eq(task->outcome, OUTCOME_FAILED);
    cr_expect_eq(task->result.reason, REASON_TOO_LARGE);
    cr_expect_eq(task->result.starts, 2);
    task_end(&run, task);
    finish(&run);
}

/* The head of the question was what found no room. */
Test(xfer, forgets_what_failed_with_the_question_who_we_are)
{
    struct run run;

    prepare(&run);
    run.wants_headers = true;
    run.store.memory_max = 10;
    run.options.auth = OPTION_AUTH_DIGEST;
    run.options.user = xstrdup("me:word");
    begin(&run);
    struct task *task = start(&run, "/text/x?wants=Digest%20realm=%22r%22,%20nonce=%22n%22");
    while (!xfer_has_ended(task))
        turn(&run);
    cr_assert_neq(task->transfer->body_error, 0);
    run.store.memory_max = 1 << 20;
    finish_one(&run, task);
    cr_expect_eq(task->outcome, OUTCOME_ANSWERED);
    cr_expect_eq(task->result.http_code, 200);
    task_end(&run, task);
    finish(&run);
}

/* libcurl leaves input of others with a transfer of HTTP/2, and so with one that begins again. */
Test(xfer, wakes_others_where_a_question_is_answered_anew)
{
    struct run run;

    prepare(&run);
    run.options.auth = OPTION_AUTH_DIGEST;
    run.options.user = xstrdup("me:word");
    begin(&run);
    run.xfer->leaves_input = true;
    struct task *task =
        start(&run, "/text/x?failtimes=1&short=9&wants=Digest%20realm=%22r%22,%20nonce=%22n%22");
    while (!xfer_has_ended(task))
        turn(&run);
    run.xfer->some_may_wait = false;
    cr_expect_null(xfer_next_finished(run.xfer));
    cr_expect(run.xfer->some_may_wait);
    finish_one(&run, task);
    cr_expect_eq(task->result.http_code, 200);
    task_end(&run, task);
    finish(&run);
}

enum { MEMORY = 400000, FILLED = 350000, LARGE = 90000, TURNS = 20 };

/* Memory is all but full with a body of somebody else. */
static void fill_memory(struct run *run, struct body *filler)
{
    static const char bytes[FILLED];
    struct buf err;

    buf_init(&err);
    run->goes_out = BRAKE_BYTES * 100ULL;
    run->store.memory_max = MEMORY;
    cr_assert_eq(body_add(filler, &run->store, bytes, sizeof bytes, false, &err), 0);
    buf_release(&err);
}

static void wait_for_memory(struct run *run, const struct task *task)
{
    while (!task->body.size)
        turn(run);
    for (int i = 0; i < TURNS; i++) {
        turn(run);
        cr_assert_null(xfer_next_finished(run->xfer));
    }
    cr_expect_lt(task->body.size, LARGE);
}

static void expect_large(struct run *run, struct task *task)
{
    char *body, expected[LARGE];

    finish_one(run, task);
    cr_expect_eq(task->outcome, OUTCOME_ANSWERED);
    cr_assert_eq(task->body.size, LARGE);
    body = body_of(run, task);
    origin_fill(origin_seed("/bytes/90000"), 0, expected, LARGE);
    cr_expect_eq(memcmp(body, expected, LARGE), 0);
    free(body);
    task_end(run, task);
}

Test(xfer, has_a_body_wait_for_memory_that_gets_free)
{
    static const char *const targets[] = {"/bytes/90000", "/bytes/90000?chunked=1"};
    struct body filler = {0};
    struct run run;

    prepare(&run);
    run.options.stall_timeout = 0.2;
    begin(&run);
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        fill_memory(&run, &filler);
        struct task *task = start(&run, targets[i]);
        wait_for_memory(&run, task);
        body_clear(&filler, &run.store);
        expect_large(&run, task);
    }
    finish(&run);
}

/* Where there is a spool, too. */
static struct task *start_before_spool(struct run *run, struct body *filler)
{
    prepare(run);
    store_release(&run->store);
    store_init(&run->store, spool_new("/tmp", 1 << 20), MEMORY);
    begin(run);
    fill_memory(run, filler);
    return start(run, "/bytes/90000");
}

Test(xfer, has_the_body_next_in_order_not_wait)
{
    struct body filler = {0};
    struct run run;

    struct task *task = start_before_spool(&run, &filler);
    wait_for_memory(&run, task);
    task->next_in_order = true;
    xfer_go_on(run.xfer, task);
    cr_expect_null(run.xfer->waiting);
    expect_large(&run, task);
    body_clear(&filler, &run.store);
    finish(&run);
}

/* From now on nothing goes out. */
Test(xfer, has_no_body_wait_in_vain)
{
    struct body filler = {0};
    struct run run;

    struct task *task = start_before_spool(&run, &filler);
    wait_for_memory(&run, task);
    run.goes_out = 0;
    expect_large(&run, task);
    cr_expect(run.xfer->brake.is_in_vain);
    body_clear(&filler, &run.store);
    finish(&run);
}

/* Its chunks came together: libcurl has the last of them in hand, and would not come back to it. From
 * 8.x on it hands all of them over at once, and the transfer need not wait. */
Test(xfer, tells_of_a_body_that_is_too_large_once_it_has_waited)
{
    struct body filler = {0};
    struct run run;

    prepare(&run);
    run.options.max_filesize = 11999;
    begin(&run);
    fill_memory(&run, &filler);
    struct task *task = start(&run, "/bytes/12000?gzip=1");
    if (!libcurl_is(0x080000))
        wait_for_memory(&run, task);
    cr_expect_lt(task->body.size, 11999);
    body_clear(&filler, &run.store);
    finish_one(&run, task);
    cr_expect_eq(task->outcome, OUTCOME_FAILED);
    cr_expect_eq(task->result.reason, REASON_TOO_LARGE);
    task_end(&run, task);
    finish(&run);
}

Test(xfer, takes_back_what_waits_for_memory)
{
    struct body filler = {0};
    struct run run;

    prepare(&run);
    begin(&run);
    fill_memory(&run, &filler);
    struct task *cancelled = start(&run, "/bytes/90000"), *stopped;
    wait_for_memory(&run, cancelled);
    xfer_cancel(run.xfer, cancelled);
    cr_expect_null(cancelled->transfer);
    task_end(&run, cancelled);
    stopped = start(&run, "/bytes/90000");
    wait_for_memory(&run, stopped);
    xfer_stop(run.xfer);
    cr_expect_eq(xfer_due(run.xfer), INFINITY);
    task_end(&run, stopped);
    body_clear(&filler, &run.store);
    finish(&run);
}

Test(xfer, calls_a_spool_that_cannot_be_made_local_trouble)
{
    struct run run;

    prepare(&run);
    store_release(&run.store);
    store_init(&run.store, spool_new("/no/such/directory", 1 << 20), 0);
    begin(&run);
    struct task *task = start(&run, "/bytes/10");
    finish_one(&run, task);
    cr_expect_eq(task->outcome, OUTCOME_LOCAL_TROUBLE);
    cr_expect_eq(task->result.reason, REASON_OUTPUT);
    cr_expect_not_null(strstr(task->result.message, "/no/such/directory"));
    task_end(&run, task);
    finish(&run);
}

/* What the origin saw of a request to /echo. */
static char *echo(struct run *run, bool away)
{
    char url[256];

    snprintf(url, sizeof url, "%s/echo", origin_url(run->origin));
    struct task *task = tasks_new(url);
    task->away = away;
    xfer_start(run->xfer, task);
    finish_one(run, task);
    char *seen = body_of(run, task);
    task_end(run, task);
    return seen;
}

static void expect_headers(struct run *run, bool away)
{
    char *seen = echo(run, away);

    cr_expect_not_null(strstr(seen, "Accept: text/x-test\n"), "%s", seen);
    cr_expect_not_null(strstr(seen, "User-Agent: tester\n"), "%s", seen);
    cr_expect_eq(strstr(seen, "X-Api-Key: secret\n") == NULL, away, "%s", seen);
    cr_expect_eq(strstr(seen, "Authorization: Bearer x\n") == NULL, away, "%s", seen);
    cr_expect_eq(strstr(seen, "Cookie: a=b\n") == NULL, away, "%s", seen);
    free(seen);
}

Test(xfer, sends_only_harmless_headers_to_a_host_that_was_not_named)
{
    static const char *const headers[] = {"X-Api-Key: secret", "Authorization: Bearer x",
                                          "Accept: text/x-test", "Cookie: a=b"};
    struct run run;

    prepare(&run);
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        strings_add(&run.options.headers, xstrdup(headers[i]));
    run.options.user_agent = xstrdup("tester");
    begin(&run);
    expect_headers(&run, false);
    expect_headers(&run, true);
    expect_headers(&run, true);
    expect_headers(&run, false);
    finish(&run);
}

Test(xfer, names_itself_unless_told_otherwise)
{
    static const char *const names[][2] = {
        {NULL, "User-Agent: weir/" WEIR_VERSION "\n"}, {"me", "User-Agent: me\n"}, {"", NULL}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct run run;
        prepare(&run);
        run.options.user_agent = names[i][0] ? xstrdup(names[i][0]) : NULL;
        begin(&run);
        char *seen = echo(&run, false);
        if (names[i][1])
            cr_expect_not_null(strstr(seen, names[i][1]), "%s", seen);
        else
            cr_expect_null(strstr(seen, "User-Agent"), "%s", seen);
        free(seen);
        finish(&run);
    }
}

Test(xfer, tells_once_that_a_name_was_found_of_a_task_that_looked_it_up)
{
    struct run run;
    char url[64];
    size_t told = 0;

    prepare(&run);
    begin(&run);
    snprintf(url, sizeof url, "http://a.localhost:%u/bytes/10?delay=0.1", origin_port(run.origin));
    struct task *looks = tasks_new(url), *found, *other = start(&run, "/bytes/10?delay=0.1");
    looks->looking_up = looks->name_is_stale = true;
    xfer_start(run.xfer, looks);
    for (int ended = 0; ended < 2;) {
        while ((found = xfer_next_found(run.xfer)) != NULL) {
            cr_expect_eq(found, looks);
            cr_expect_not_null(looks->transfer, "it still runs");
            told++;
        }
        if (xfer_next_finished(run.xfer))
            ended++;
        else
            turn(&run);
    }
    cr_expect_eq(told, 1);
    cr_expect_eq(looks->outcome, OUTCOME_ANSWERED, "%s", looks->result.message);
    task_end(&run, looks);
    task_end(&run, other);
    finish(&run);
}

Test(xfer, keeps_the_addresses_it_was_told_when_it_forgets_a_name)
{
    struct run run;
    char entry[64], url[128], host[64];

    prepare(&run);
    snprintf(entry, sizeof entry, "told.invalid:%u:127.0.0.1", origin_port(run.origin));
    snprintf(host, sizeof host, "http://told.invalid:%u", origin_port(run.origin));
    snprintf(url, sizeof url, "%s/bytes/10?close=1", host);
    strings_add(&run.options.resolve, xstrdup(entry));
    begin(&run);
    for (int i = 0; i < 4; i++) {
        struct task *task = tasks_new(url);
        task->name_is_stale = i >= 2;
        xfer_start(run.xfer, task);
        finish_one(&run, task);
        cr_expect_eq(task->outcome, OUTCOME_ANSWERED, "%d: %s", i, task->result.message);
        task_end(&run, task);
        xfer_forget_name(run.xfer, host);
    }
    finish(&run);
}

/* ---- the rest of a body ---- */

enum { THERE = 40 };

/* A sink that has THERE bytes of a body with the tag "v1". */
struct tub {
    struct sink sink;
    unsigned restarts;
    uint64_t put; /* since the last of those */
};

static int put(struct sink *sink, const void *bytes, size_t len, struct buf *err)
{
    struct tub *tub = CONTAINER_OF(sink, struct tub, sink);

    (void)bytes;
    (void)err;
    tub->put += len;
    return 0;
}

static int restart(struct sink *sink, struct buf *err)
{
    struct tub *tub = CONTAINER_OF(sink, struct tub, sink);

    (void)err;
    tub->restarts++;
    tub->put = 0;
    return 0;
}

static struct task *start_into(struct run *run, const char *target, struct tub *tub)
{
    char url[256];
    struct buf text;

    *tub = (struct tub){.sink = {.write = put, .restart = restart}};
    snprintf(url, sizeof url, "%s%s", origin_url(run->origin), target);
    struct task *task = tasks_new(url);
    buf_init(&text);
    url_add_text(task->url, &text);
    struct key source = key_of_text(text.data);
    buf_release(&text);
    task->sink = &tub->sink;
    task->partial = partial_new(&source, "\"v1\"", PARTIAL_NO_TOTAL);
    task->partial->len = THERE;
    xfer_start(run->xfer, task);
    return task;
}

struct rest {
    const char *target;
    enum outcome outcome;
    long http_code;
    unsigned restarts;
    uint64_t put;
    uint64_t there; /* of which the rest can be asked for; 0: of none */
    uint64_t body_bytes;
};

static const struct rest rests[] = {
    {"/bytes/100?ranges=1&etag=v1", OUTCOME_ANSWERED, 200, 0, 60, 100, 100},
    {"/bytes/100?ranges=1&etag=v1&reset=30", OUTCOME_FAILED, 200, 0, 30, 70, 70},
    {"/bytes/40?ranges=1&etag=v1", OUTCOME_ANSWERED, 200, 0, 0, THERE, THERE},
    {"/bytes/100?ranges=shifted&etag=v1", OUTCOME_MISFIT, 206, 0, 0, 0, 0},
    {"/bytes/39?ranges=1&etag=v1", OUTCOME_MISFIT, 416, 0, 0, 0, 0},
    /* Another body. */
    {"/bytes/100?ranges=1&etag=v2", OUTCOME_ANSWERED, 200, 1, 100, 100, 100},
    {"/bytes/100?gzip=1&etag=v1", OUTCOME_ANSWERED, 200, 1, 100, 0, 100},
    {"/bytes/0?ranges=1", OUTCOME_ANSWERED, 200, 1, 0, 0, 0},
    {"/text/x?status=204", OUTCOME_ANSWERED, 204, 1, 0, 0, 0},
    /* What says nothing of any body leaves what is there. */
    {"/text/x?status=503", OUTCOME_ANSWERED, 503, 0, 0, THERE, 2},
    {"/text/x?location=/y", OUTCOME_ANSWERED, 302, 0, 0, THERE, 2},
    {"/text/x?reset=head", OUTCOME_FAILED, 0, 0, 0, THERE, 0},
};

Test(xfer, goes_on_where_a_body_ended)
{
    struct run run;

    prepare(&run);
    begin(&run);
    for (size_t i = 0; i < ARRAY_LEN(rests); i++) {
        const struct rest *rest = &rests[i];
        struct tub tub;
        struct task *task = start_into(&run, rest->target, &tub);
        finish_one(&run, task);
        cr_expect_eq(task->outcome, rest->outcome, "%s: %d", rest->target, (int)task->outcome);
        cr_expect_eq(task->result.http_code, rest->http_code, "%s", rest->target);
        cr_expect_eq(tub.restarts, rest->restarts, "%s", rest->target);
        cr_expect_eq(tub.put, rest->put, "%s: %d", rest->target, (int)tub.put);
        cr_expect_eq(task->partial ? task->partial->len : 0, rest->there, "%s", rest->target);
        cr_expect_eq(task->result.body_bytes, rest->body_bytes, "%s", rest->target);
        task->sink = NULL;
        task_end(&run, task);
    }
    finish(&run);
}

/* What is known of one URL's body says nothing of another's. */
Test(xfer, asks_for_the_rest_only_where_the_beginning_came_from)
{
    struct run run;
    struct tub tub;
    char range[32];

    prepare(&run);
    begin(&run);
    struct task *task = start_into(&run, "/bytes/100?ranges=1&etag=v1", &tub);
    finish_one(&run, task);
    cr_assert(
        origin_record_header(origin_log_next(run.origin, NULL), "Range", range, sizeof range));
    cr_expect_str_eq(range, "bytes=40-");
    task->partial->source.low++;
    task->partial->len = THERE;
    xfer_start(run.xfer, task);
    finish_one(&run, task);
    const struct origin_record *second =
        origin_log_next(run.origin, origin_log_next(run.origin, NULL));
    cr_assert_not_null(second);
    cr_expect_not(origin_record_header(second, "Range", range, sizeof range));
    cr_expect_eq(tub.restarts, 1);
    cr_expect_eq(tub.put, 100);
    task->sink = NULL;
    task_end(&run, task);
    finish(&run);
}
