#include <criterion/criterion.h>
#include <errno.h>
#include <ev.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/spool.h"
#include "base/util.h"
#include "cli/options.h"
#include "core/task.h"
#include "fetch/xfer.h"
#include "fetch/xfer_crew.h"
#include "flow/sched.h"
#include "loops.h"
#include "origin.h"
#include "tasks.h"

/* Which crew has which transfer. What is started moves at the next xfer_run, so where none comes no
 * socket is opened, however many there are. */

/* The first post is that of TLS, where there are several. */
enum { AT_POST = 128, TLS = 1 };

static const double patience = 60; /* only what hangs takes as long */

struct run {
    struct ev_loop *loop;
    struct options options;
    struct store store;
    struct sched *sched;
    struct xfer *xfer;
};

static void prepare(struct run *run)
{
    static const struct flow_rules rules = {.jobs = 10000, .rate.burst = 1, .host_rate.burst = 1};

    *run = (struct run){.loop = ev_loop_new(EVFLAG_NOENV), .sched = sched_new(&rules)};
    options_init(&run->options);
    run->options.ip = OPTION_IP_4;
    store_init(&run->store, spool_new("/tmp", 0), 1 << 20);
}

static void begin_bounded(struct run *run, struct xfer_bounds bounds)
{
    struct xfer_wants wants = {.bodies = XFER_NO_BODIES};
    struct buf err;

    buf_init(&err);
    cr_assert_eq(xfer_new(run->loop, &run->options, wants, &run->store, bounds, &run->xfer, &err),
                 0, "%s", err.data);
    buf_release(&err);
}

static void begin(struct run *run, unsigned at_once)
{
    begin_bounded(run, (struct xfer_bounds){at_once, UINT_MAX});
}

static void finish(struct run *run)
{
    xfer_free(run->xfer);
    sched_free(run->sched);
    store_release(&run->store);
    options_release(&run->options);
    ev_loop_destroy(run->loop);
}

static struct task *start(struct run *run, const char *host)
{
    struct task *task = tasks_new(host);

    sched_add(run->sched, task, host, true, false, 0);
    cr_assert(sched_take(run->sched, task, 0));
    sched_note_connected(run->sched, task, 0);
    xfer_start(run->xfer, task);
    return task;
}

static struct task *start_numbered(struct run *run, const char *scheme, size_t number)
{
    char host[64];

    snprintf(host, sizeof host, "%s://h%zu.localhost:80", scheme, number);
    return start(run, host);
}

static struct crew *crew_of(const struct task *task)
{
    return task->transfer->crew;
}

static void end(struct run *run, struct task *task)
{
    static const struct lesson nothing;

    if (task->transfer)
        xfer_cancel(run->xfer, task);
    sched_end(run->sched, task, &nothing, 0);
    sched_forget(run->sched, task, 0);
    task_free(task, &run->store);
}

static void end_all(struct run *run, struct task **tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        end(run, tasks[i]);
}

/* ---- how many ---- */

static unsigned count_posts(struct run *run, struct xfer_bounds bounds)
{
    begin_bounded(run, bounds);
    unsigned posts = run->xfer->posts->count;
    cr_expect_eq(run->xfer->n_crews, posts);
    for (unsigned i = 0; i < posts; i++)
        cr_expect_eq(run->xfer->posts->on_duty[i]->post, i);
    finish(run);
    return posts;
}

static unsigned count_plain(unsigned at_once, unsigned connections)
{
    struct run run;

    prepare(&run);
    return count_posts(&run, (struct xfer_bounds){at_once, connections});
}

Test(crew, is_one_for_so_many_that_run_at_once)
{
    cr_expect_eq(count_plain(1, UINT_MAX), 1);
    cr_expect_eq(count_plain(2 * AT_POST - 1, UINT_MAX), 1);
    cr_expect_eq(count_plain(2 * AT_POST, UINT_MAX), TLS + 2);
    cr_expect_eq(count_plain(4 * AT_POST, UINT_MAX), TLS + 4);
    cr_expect_eq(count_plain(2 * POSTS_MAX * AT_POST, UINT_MAX), POSTS_MAX);
    cr_expect_eq(count_plain(INT_MAX, UINT_MAX), 1, "they need more than there can be");
}

/* As many may be kept over TLS, and a quarter more at the others. */
Test(crew, is_one_where_descriptors_are_scarce)
{
    enum { NEEDED = 4 * AT_POST + 4 * AT_POST * 5 / 4 };

    cr_expect_eq(count_plain(4 * AT_POST, NEEDED), TLS + 4);
    cr_expect_eq(count_plain(4 * AT_POST, NEEDED - 1), 1);
}

Test(crew, is_one_where_requests_share_a_connection)
{
    static const struct xfer_bounds many = {4 * AT_POST, UINT_MAX};
    struct run run;

    prepare(&run);
    run.options.http = OPTION_HTTP_2;
    cr_expect_eq(count_posts(&run, many), 1);
    prepare(&run);
    run.options.proxy = xstrdup("http://127.0.0.1:1");
    cr_expect_eq(count_posts(&run, many), 1);
    prepare(&run);
    strings_add(&run.options.connect_to, xstrdup("a:1:b:2"));
    cr_expect_eq(count_posts(&run, many), 1);
}

/* ---- who goes where ---- */

Test(crew, has_a_quarter_more_than_its_part_before_the_next_helps)
{
    enum { ROOM = AT_POST + AT_POST / 4, MANY = 2 * ROOM };
    struct task *tasks[MANY];
    struct run run;

    prepare(&run);
    begin(&run, 4 * AT_POST);
    for (size_t i = 0; i < MANY; i++)
        tasks[i] = start(&run, "http://localhost:80");
    struct crew *own = crew_of(tasks[0]), *next = crew_of(tasks[ROOM]);
    cr_expect_eq(crew_of(tasks[ROOM - 1]), own);
    cr_expect_eq(next->post, own->post % (run.xfer->posts->count - TLS) + TLS);
    cr_expect_eq(crew_of(tasks[MANY - 1]), next);
    end(&run, tasks[0]);
    tasks[0] = start(&run, "http://localhost:80");
    cr_expect_eq(crew_of(tasks[0]), own, "where one has ended");
    end_all(&run, tasks, MANY);
    finish(&run);
}

Test(crew, keeps_the_hosts_that_it_has_though_the_next_has_room)
{
    enum { ROOM = AT_POST + AT_POST / 4, POSTS = 2, HOSTS = 8, MANY = HOSTS * ROOM / 2 };
    struct task *tasks[MANY];
    struct run run;

    prepare(&run);
    begin(&run, POSTS * AT_POST);
    for (size_t i = 0; i < MANY; i++)
        tasks[i] = start_numbered(&run, "http", i % HOSTS);
    for (size_t i = HOSTS; i < MANY; i++)
        cr_expect_eq(crew_of(tasks[i]), crew_of(tasks[i % HOSTS]));
    for (unsigned i = TLS; i < run.xfer->posts->count; i++)
        cr_expect_geq(run.xfer->posts->on_duty[i]->kept, MANY / POSTS);
    end_all(&run, tasks, MANY);
    finish(&run);
}

Test(crew, has_as_many_hosts_as_the_next)
{
    enum { POSTS = 4, HOSTS = 61 };
    struct task *tasks[HOSTS];
    struct run run;

    prepare(&run);
    begin(&run, POSTS * AT_POST);
    for (size_t i = 0; i < HOSTS; i++)
        tasks[i] = start_numbered(&run, "http", i);
    cr_expect_eq(run.xfer->posts->on_duty[0]->running, 0);
    for (unsigned i = TLS; i < run.xfer->posts->count; i++)
        cr_expect_gt(run.xfer->posts->on_duty[i]->running, HOSTS / POSTS / 2);
    /* In another order. */
    for (size_t i = HOSTS; i-- > 0;) {
        struct crew *crew = crew_of(tasks[i]);
        end(&run, tasks[i]);
        tasks[i] = start_numbered(&run, "http", i);
        cr_expect_eq(crew_of(tasks[i]), crew, "host %zu", i);
    }
    end_all(&run, tasks, HOSTS);
    finish(&run);
}

Test(crew, keeps_no_more_connections_than_there_are_descriptors_for)
{
    enum { AT_ONCE = 2 * AT_POST, NEEDED = AT_ONCE + AT_ONCE * 5 / 4, SPARE = 10, HOSTS = 3 };
    struct task *tasks[AT_ONCE];
    struct run run;
    unsigned kept = 0;

    prepare(&run);
    begin_bounded(&run, (struct xfer_bounds){AT_ONCE, NEEDED + SPARE});
    for (size_t i = 0; i < AT_ONCE; i++)
        tasks[i] = start_numbered(&run, "http", i % HOSTS);
    /* Some of the two hosts at one post, all of the other's at the next. */
    cr_expect_gt(crew_of(tasks[0])->running, crew_of(tasks[0])->kept);
    for (unsigned i = 0; i < run.xfer->posts->count; i++)
        kept += run.xfer->posts->on_duty[i]->kept;
    cr_expect_eq(kept, NEEDED + SPARE);
    end_all(&run, tasks, AT_ONCE);
    finish(&run);
}

/* A multi handle of libcurl reads the authorities anew. */
Test(crew, is_one_for_all_of_tls)
{
    enum { HOSTS = 2 * AT_POST };
    struct task *tasks[HOSTS];
    struct run run;

    prepare(&run);
    begin(&run, 2 * AT_POST);
    for (size_t i = 0; i < HOSTS; i++) {
        tasks[i] = start_numbered(&run, "https", i);
        cr_expect_eq(crew_of(tasks[i]), run.xfer->posts->on_duty[0]);
    }
    cr_expect_geq(crew_of(tasks[0])->kept, HOSTS, "all of its connections");
    end_all(&run, tasks, HOSTS);
    finish(&run);
}

Test(crew, is_relieved_at_its_post_alone)
{
    struct crew *before[POSTS_MAX];
    struct run run;

    prepare(&run);
    begin(&run, 2 * AT_POST);
    memcpy(before, run.xfer->posts->on_duty, sizeof before);
    before[1]->opened = 1U << 20;
    xfer_run(run.xfer, clock_now());
    cr_expect_eq(run.xfer->posts->on_duty[0], before[0]);
    cr_expect_neq(run.xfer->posts->on_duty[1], before[1]);
    cr_expect_eq(run.xfer->posts->on_duty[1]->post, 1);
    cr_expect_eq(run.xfer->n_crews, run.xfer->posts->count, "nothing ran with the one before");
    finish(&run);
}

/* ---- connections ---- */

static void on_due(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
}

static void fetch(struct run *run, const char *host)
{
    struct task *task = start(run, host), *ended;
    double until = clock_now() + patience;
    ev_timer timer;

    while (!(ended = xfer_next_finished(run->xfer))) {
        cr_assert_lt(clock_now(), until, "waited in vain");
        xfer_run(run->xfer, clock_now());
        ev_timer_init(&timer, on_due, fmax(fmin(xfer_due(run->xfer) - clock_now(), 0.02), 0), 0);
        ev_now_update(run->loop);
        ev_timer_start(run->loop, &timer);
        loops_turn(run->loop);
        ev_timer_stop(run->loop, &timer);
    }
    cr_expect_eq(ended, task);
    cr_expect_eq(task->outcome, OUTCOME_ANSWERED);
    end(run, task);
}

/* The quarter of one is one, so a few times are enough. */
Test(crew, closes_connections_that_nobody_uses_at_every_post)
{
    enum { HOSTS = 16 };
    struct origin *origin = origin_start(NULL);
    struct run run;

    cr_assert_not_null(origin, "%s", strerror(errno));
    prepare(&run);
    begin(&run, 4 * AT_POST);
    for (int i = 0; i < 2 * HOSTS; i++) {
        char host[64];
        snprintf(host, sizeof host, "http://h%d.localhost%s", i % HOSTS,
                 strrchr(origin_url(origin), ':'));
        fetch(&run, host);
    }
    cr_expect_eq(origin_counts(origin).accepted, HOSTS, "each was used twice");
    cr_expect(origin_wait_open(origin, HOSTS, patience));
    while (xfer_close_idle(run.xfer))
        continue;
    cr_expect(origin_wait_open(origin, 0, patience));
    finish(&run);
    cr_expect_eq(origin_stop(origin), 0);
}

/* ---- the cost of that ---- */

size_t count_idle(const struct crew *crew) __asm__("__real_xfer_crew_count_idle");
size_t on_count_idle(const struct crew *crew) __asm__("__wrap_xfer_crew_count_idle");

static size_t counted;

/* A count looks at the watch of each descriptor. */
size_t on_count_idle(const struct crew *crew)
{
    counted++;
    return count_idle(crew);
}

/* Keeps `hosts` connections, has some closed while so many transfers more share one of them, and gives
 * how many were. */
static size_t close_some(unsigned hosts, unsigned sharing, size_t *ret_counted)
{
    struct origin *origin = origin_start(NULL);
    struct run run;

    cr_assert_not_null(origin, "%s", strerror(errno));
    prepare(&run);
    begin(&run, hosts);
    cr_assert_eq(run.xfer->posts->count, 1);
    for (unsigned i = 0; i < hosts; i++) {
        char host[64];
        snprintf(host, sizeof host, "http://h%u.localhost%s", i, strrchr(origin_url(origin), ':'));
        fetch(&run, host);
    }
    struct crew *crew = run.xfer->posts->on_duty[0];
    cr_assert_eq(xfer_crew_count_idle(crew), hosts);
    counted = 0;
    crew->running += sharing;
    cr_expect(xfer_close_idle(run.xfer));
    crew->running -= sharing;
    *ret_counted = counted;
    size_t closed = crew->closed;
    finish(&run);
    cr_expect_eq(origin_stop(origin), 0);
    return closed;
}

Test(crew, counts_idle_connections_as_often_however_many_it_closes)
{
    enum { HOSTS = 64, COUNTS_MAX = 2 };
    size_t counts;

    cr_expect_eq(close_some(HOSTS, 0, &counts), HOSTS / 4);
    cr_expect_leq(counts, COUNTS_MAX);
}

/* Newer libcurls close as many in one call as are over the bound. */
Test(crew, closes_no_more_where_transfers_share_connections)
{
    enum { HOSTS = 64 };
    size_t counts;

    cr_expect_eq(close_some(HOSTS, 100, &counts), HOSTS / 4);
}
