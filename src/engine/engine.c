#include "engine/engine.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "io/fd.h"
#include "io/source.h"
#include "io/writer.h"
#include "io/xfer.h"
#include "model/options.h"
#include "model/parse.h"
#include "model/spool.h"
#include "model/task.h"
#include "model/url.h"
#include "policy/format.h"
#include "policy/sched.h"
#include "policy/semaphore.h"
#include "policy/stats.h"
#include "policy/verdict.h"
#include "policy/window.h"

enum {
    OUT_BYTES = 256 * 1024,
    NOTES_BYTES = 64 * 1024,
    RENDER_ROOM = 16 * 1024, /* less room than this in a writer, and it is written first */
    NOTE_ROOM = 16 * 1024,
    MOVES_IN_TURN = 4096,
    BYTES_IN_TURN = 4 * 1024 * 1024,
    URLS_KEPT = 4096, /* waiting tasks whose URL is kept as it was read; others are read again */
    DESCRIPTORS_KEPT_BACK = 64 + 3 * LOOKUPS_MAX,
    DESCRIPTOR_TRIES = 50 /* starts in vain, with nothing running that could free one */
};

#define DESCRIPTOR_PAUSE 0.1

struct engine {
    const struct options *options;
    struct ev_loop *loop;
    ev_prepare prepare;
    ev_timer timer;

    struct source *source;
    struct sched *sched;
    struct xfer *xfer;
    struct writer *out;   /* results */
    struct writer *notes; /* stderr */
    struct store store;
    struct window window;
    struct semaphore permits;
    struct heap waiting; /* tasks not due yet */
    struct stats stats;
    struct verdict_rules verdicts;
    struct parse_rules parsing;

    struct rendering rendering; /* of the task whose turn it is */
    uint64_t seq;
    size_t urls_kept;
    double no_start_before; /* descriptors ran out */
    unsigned starts_in_vain;
    bool source_ended;
    bool stopped;       /* no new starts, and what ran was cancelled */
    bool local_trouble; /* an input or an output failed */
    bool out_closed;    /* by its reader: the end, quietly */
    bool out_failed;
    bool notes_failed;

    /* What is left of this turn. */
    size_t moves_left;
    size_t bytes_left;
};

/* ---- notes on stderr ---- */

static void note(struct engine *engine, const struct buf *line)
{
    size_t room;
    char *to = writer_reserve(engine->notes, &room);

    if (engine->notes_failed || line->len > room)
        return;
    memcpy(to, line->data, line->len);
    writer_commit(engine->notes, line->len);
}

static void note_trouble(struct engine *engine, const char *words)
{
    struct buf line;

    engine->local_trouble = true;
    buf_init(&line);
    buf_addf(&line, "weir: %s\n", words);
    note(engine, &line);
    buf_release(&line);
}

/* ---- a task's steps ---- */

static void complete(struct engine *engine, struct task *task)
{
    task_set_state(task, TASK_DONE);
    window_note_done(&engine->window, task);
}

static void drop_url(struct engine *engine, struct task *task)
{
    if (!task->url)
        return;
    url_free(task->url);
    task->url = NULL;
    engine->urls_kept--;
}

/* Binds a task to the host that its URL names, and queues it there. */
static void queue(struct engine *engine, struct task *task, bool first)
{
    struct buf host;

    buf_init(&host);
    url_add_host(task->url, &host);
    sched_add(engine->sched, task, host.data, url_is_numeric(task->url), first);
    buf_release(&host);
}

/* Where its result would have been to go on, there is none any more. */
static void halt_task(struct engine *engine, struct task *task)
{
    result_setf(&task->result, REASON_HALTED, "the run ended first");
    body_clear(&task->body, &engine->store);
    complete(engine, task);
}

static void halt_waiting(struct engine *engine, struct task *task)
{
    switch (task->state) {
    case TASK_READY: sched_remove(engine->sched, task); break;
    case TASK_WAITING: heap_remove(&engine->waiting, &task->due); break;
    case TASK_RUNNING:
        semaphore_give(&engine->permits);
        sched_end(engine->sched, task);
        break;
    case TASK_DONE: return;
    }
    halt_task(engine, task);
}

/* Starts nothing more and cancels what runs; what is finished still goes out, in its order. */
static void stop(struct engine *engine)
{
    struct task *next;

    if (engine->stopped)
        return;
    engine->stopped = true;
    engine->source_ended = true;
    source_watch(engine->source, false);
    xfer_stop(engine->xfer);
    for (struct task *task = engine->window.oldest; task; task = next) {
        next = task->newer;
        halt_waiting(engine, task);
    }
}

/* ---- 1. settle: transfers that ended ---- */

static void wait_for_descriptor(struct engine *engine, struct task *task, double now)
{
    engine->no_start_before = now + DESCRIPTOR_PAUSE;
    if (engine->permits.held == 0 && ++engine->starts_in_vain > DESCRIPTOR_TRIES) {
        result_setf(&task->result, REASON_CONNECT, "no file descriptor left");
        complete(engine, task);
        return;
    }
    task_set_state(task, TASK_WAITING);
    heap_push(&engine->waiting, &task->due, engine->no_start_before);
}

static void hop(struct engine *engine, struct task *task)
{
    sched_forget(engine->sched, task);
    task_rewind(task, &engine->store);
    task_set_state(task, TASK_READY);
    queue(engine, task, true);
}

static void again(struct engine *engine, struct task *task)
{
    task_rewind(task, &engine->store);
    task_set_state(task, TASK_READY);
    sched_add_first(engine->sched, task);
}

static void settle_task(struct engine *engine, struct task *task, double now)
{
    semaphore_give(&engine->permits);
    sched_end(engine->sched, task);
    switch (verdict_of(&engine->verdicts, task)) {
    case VERDICT_DONE:
        engine->starts_in_vain = 0;
        complete(engine, task);
        break;
    case VERDICT_HOP: hop(engine, task); break;
    case VERDICT_AGAIN: again(engine, task); break;
    case VERDICT_LATER: wait_for_descriptor(engine, task, now); break;
    }
    if (task->outcome == OUTCOME_LOCAL_TROUBLE && !engine->stopped) {
        note_trouble(engine, task->result.message);
        stop(engine);
    }
}

static void settle(struct engine *engine, double now)
{
    struct task *task;

    while ((task = xfer_next_found(engine->xfer)) != NULL)
        sched_note_found(engine->sched, task, now);
    while (engine->moves_left && (task = xfer_next_finished(engine->xfer)) != NULL) {
        settle_task(engine, task, now);
        engine->moves_left--;
    }
}

/* ---- 2. retire: results whose turn it is ---- */

static void fail_out(struct engine *engine, int error)
{
    struct buf words;

    engine->out_failed = true;
    writer_clear(engine->out);
    if (error == -EPIPE && !engine->options->to) {
        engine->out_closed = true;
        return;
    }
    buf_init(&words);
    buf_addf(&words, "cannot write to %s: %s", engine->options->to ? engine->options->to : "stdout",
             strerror(-error));
    note_trouble(engine, words.data);
    buf_release(&words);
    stop(engine);
}

static void flush(struct engine *engine)
{
    int result = writer_flush(engine->out);

    if (result)
        fail_out(engine, result);
    /* Nobody to tell that nobody can be told. */
    if (writer_flush(engine->notes)) {
        engine->notes_failed = true;
        writer_clear(engine->notes);
    }
}

/* False where a writer is full and its reader takes nothing. */
static bool has_room(struct engine *engine)
{
    if (writer_room(engine->out) >= RENDER_ROOM && writer_room(engine->notes) >= NOTE_ROOM)
        return true;
    flush(engine);
    return writer_room(engine->out) >= RENDER_ROOM && writer_room(engine->notes) >= NOTE_ROOM;
}

/* True once all of the task's result is in the writer. */
static bool render_some(struct engine *engine, struct task *task)
{
    size_t room;
    struct buf err;
    char *to = writer_reserve(engine->out, &room);

    if (engine->out_failed)
        return true;
    buf_init(&err);
    ssize_t len = format_render(engine->options->format, &engine->rendering, task, &engine->store,
                                to, MIN(room, engine->bytes_left), &err);
    if (len < 0) {
        note_trouble(engine, err.data);
        stop(engine);
    } else {
        writer_commit(engine->out, (size_t)len);
        engine->bytes_left -= (size_t)len;
    }
    buf_release(&err);
    return len <= 0;
}

/* What the run ended before is told in one line at its end, not in thousands. */
static void tell_failure(struct engine *engine, const struct task *task)
{
    enum reason reason = task->result.reason;
    struct buf line;

    if (reason == REASON_OK || reason == REASON_HALTED || engine->options->silent)
        return;
    buf_init(&line);
    format_failure(task, &line);
    note(engine, &line);
    buf_release(&line);
}

static void bury(struct engine *engine, struct task *task)
{
    tell_failure(engine, task);
    stats_count(&engine->stats, &task->result);
    window_remove(&engine->window, task);
    sched_forget(engine->sched, task);
    drop_url(engine, task);
    task_free(task, &engine->store);
    engine->rendering = (struct rendering){0};
    engine->moves_left--;
}

static void retire(struct engine *engine)
{
    struct task *task;

    while (engine->moves_left && engine->bytes_left && (task = window_due(&engine->window)) &&
           has_room(engine)) {
        if (render_some(engine, task))
            bury(engine, task);
    }
}

/* ---- 3. admit: requests from the source ---- */

static void fill_request(struct engine *engine, struct task *task, const struct source_item *item)
{
    struct request *request = &task->request;
    struct parse_rules rules = engine->parsing;

    request->seq = ++engine->seq;
    request->line = item->line;
    request->input = item->input;
    if (!item->line)
        rules.format = INPUT_URL;
    if (item->cut)
        parse_long_line(item->text, item->len, request);
    else
        parse_line(&rules, item->text, item->len, request, &task->url);
}

static void admit_item(struct engine *engine, const struct source_item *item)
{
    struct task *task = task_new();

    fill_request(engine, task, item);
    window_add(&engine->window, task);
    if (task->url)
        engine->urls_kept++;
    if (task->request.invalid) {
        result_setf(&task->result, REASON_INVALID, "%s", task->request.invalid);
        complete(engine, task);
    } else if (!url_is_web(task->url)) {
        result_setf(&task->result, REASON_DENIED, "only http and https are fetched");
        complete(engine, task);
    } else {
        queue(engine, task, false);
        if (engine->urls_kept > URLS_KEPT)
            drop_url(engine, task);
    }
}

static void admit(struct engine *engine)
{
    struct source_item item;
    struct buf err;

    buf_init(&err);
    while (engine->moves_left && !engine->source_ended && window_has_slot(&engine->window)) {
        enum source_step step = source_next(engine->source, &item, &err);
        if (step == SOURCE_WAIT)
            break;
        engine->moves_left--;
        if (step == SOURCE_END)
            engine->source_ended = true;
        else if (step == SOURCE_TROUBLE)
            note_trouble(engine, err.data);
        else if (!item.line || parse_wants(item.text, item.len))
            admit_item(engine, &item);
    }
    buf_release(&err);
}

/* ---- 4. start: as many as have a permit, a host and room ---- */

static void wake_due(struct engine *engine, double now)
{
    struct heap_node *node;

    while ((node = heap_peek(&engine->waiting)) && node->due <= now) {
        struct task *task = CONTAINER_OF(node, struct task, due);
        heap_remove(&engine->waiting, node);
        task_set_state(task, TASK_READY);
        sched_add_first(engine->sched, task);
    }
}

/* While bodies find no room only the request next in order is started: it is sure of some. */
static struct task *next_to_start(struct engine *engine, double now)
{
    struct task *awaited;

    if (!semaphore_is_free(&engine->permits) || now < engine->no_start_before || engine->stopped)
        return NULL;
    if (store_has_room(&engine->store))
        return sched_next(engine->sched, now);
    awaited = window_awaited(&engine->window);
    if (!awaited || awaited->state != TASK_READY || !sched_take(engine->sched, awaited, now))
        return NULL;
    return awaited;
}

/* The URL was read before, and was good. */
static void read_url_again(struct engine *engine, struct task *task)
{
    struct buf err;

    if (task->url)
        return;
    buf_init(&err);
    int result = url_parse(task->request.url, engine->parsing.default_scheme, &task->url, &err);
    assert(result == 0);
    (void)result;
    buf_release(&err);
    engine->urls_kept++;
}

static void forget_names(struct engine *engine)
{
    struct buf name;

    buf_init(&name);
    while (sched_next_dropped(engine->sched, &name)) {
        xfer_forget_name(engine->xfer, name.data);
        buf_clear(&name);
    }
    buf_release(&name);
}

static void start(struct engine *engine, double now)
{
    struct task *task;

    wake_due(engine, now);
    while (engine->moves_left && (task = next_to_start(engine, now)) != NULL) {
        forget_names(engine);
        read_url_again(engine, task);
        semaphore_take(&engine->permits);
        task_set_state(task, TASK_RUNNING);
        xfer_start(engine->xfer, task);
        engine->moves_left--;
    }
    xfer_run(engine->xfer, now);
}

/* ---- 5. arm: what wakes the loop follows from state ---- */

static double next_due(struct engine *engine)
{
    struct heap_node *node = heap_peek(&engine->waiting);
    double due = fmin(xfer_due(engine->xfer), node ? node->due : INFINITY);

    if (engine->no_start_before > 0)
        due = fmin(due, engine->no_start_before);
    return due;
}

static void arm_timer(struct engine *engine, double now)
{
    bool unfinished = !engine->moves_left || !engine->bytes_left;
    double due = unfinished ? now : next_due(engine);

    if (engine->no_start_before <= now)
        engine->no_start_before = 0;
    ev_timer_stop(engine->loop, &engine->timer);
    if (due == INFINITY)
        return;
    ev_now_update(engine->loop);
    ev_timer_set(&engine->timer, fmax(0, due - clock_now()), 0);
    ev_timer_start(engine->loop, &engine->timer);
}

static void arm(struct engine *engine, double now)
{
    struct task *awaited = window_awaited(&engine->window);

    if (awaited)
        awaited->next_in_order = true;
    source_watch(engine->source, !engine->source_ended && window_has_slot(&engine->window));
    writer_watch(engine->out);
    writer_watch(engine->notes);
    arm_timer(engine, now);
}

/* ---- 6. finish ---- */

static bool is_finished(const struct engine *engine)
{
    if (engine->out_closed)
        return true;
    return engine->source_ended && engine->window.alive == 0 && writer_is_empty(engine->out) &&
           writer_is_empty(engine->notes);
}

static void assert_invariants(const struct engine *engine)
{
    assert(engine->permits.held <= engine->permits.limit);
    assert(engine->window.alive <= engine->window.max);
    assert(engine->waiting.len + engine->permits.held <= engine->window.alive);
    assert(!engine->stopped || engine->permits.held == 0);
    (void)engine;
}

/* Moves what can be moved, from the right end of the house to the left, until nothing can. What
 * moves frees what stands behind it, so the steps repeat; a turn's budget bounds how often. */
static void engine_pump(struct engine *engine, double now)
{
    size_t before;

    engine->moves_left = MOVES_IN_TURN;
    engine->bytes_left = BYTES_IN_TURN;
    xfer_run(engine->xfer, now);
    do {
        before = engine->moves_left;
        settle(engine, now);
        retire(engine);
        admit(engine);
        start(engine, now);
    } while (engine->moves_left && engine->bytes_left && engine->moves_left < before);
    flush(engine);
    arm(engine, now);
    if (is_finished(engine))
        ev_break(engine->loop, EVBREAK_ALL);
    assert_invariants(engine);
}

static void on_prepare(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)loop;
    (void)events;
    engine_pump(CONTAINER_OF(watcher, struct engine, prepare), clock_now());
}

/* Being awake is all that is needed: the pump comes before the next sleep. */
static void on_due(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)watcher;
    (void)events;
}

/* ---- birth and death ---- */

static const char *spool_directory(const struct options *options)
{
    const char *temporary = getenv("TMPDIR");

    if (options->spool_dir)
        return options->spool_dir;
    return temporary && *temporary ? temporary : "/var/tmp";
}

static void set_rules(struct engine *engine, const struct options *options)
{
    engine->options = options;
    engine->verdicts = (struct verdict_rules){
        .accept = options->accept,
        .redirect = {.follow = options->location,
                     .trusted = options->location_trusted,
                     .max = options->max_redirs},
    };
    engine->parsing = (struct parse_rules){
        .format = options->input_format,
        .default_scheme = options->proto_default ? options->proto_default : "http",
    };
    heap_init(&engine->waiting);
    window_init(&engine->window, options->order, (size_t)options->window);
    store_init(&engine->store, spool_new(spool_directory(options), options->spool_max),
               options->memory);
}

/* A transfer needs a descriptor, so there are no more permits than those. */
static unsigned affordable_jobs(const struct options *options)
{
    unsigned limit = (unsigned)fd_raise_limit();
    unsigned room = limit > 2 * DESCRIPTORS_KEPT_BACK ? limit - DESCRIPTORS_KEPT_BACK : limit / 2;

    return MAX(1, MIN(options->jobs, room));
}

static int open_out(struct engine *engine, struct buf *err)
{
    const char *to = engine->options->to;

    if (!to || strcmp(to, "-") == 0) {
        engine->out = writer_new(engine->loop, STDOUT_FILENO, OUT_BYTES);
        return 0;
    }
    int result = writer_open(engine->loop, to, OUT_BYTES, &engine->out);
    if (result)
        buf_setf(err, "cannot write %s: %s", to, strerror(-result));
    return result ? EXIT_LOCAL_TROUBLE : 0;
}

static int set_up_io(struct engine *engine, struct buf *err)
{
    unsigned jobs = affordable_jobs(engine->options);
    int result;

    semaphore_init(&engine->permits, jobs);
    engine->sched = sched_new();
    engine->source = source_new(engine->loop, engine->options);
    engine->notes = writer_new(engine->loop, STDERR_FILENO, NOTES_BYTES);
    result = open_out(engine, err);
    if (result)
        return result;
    result = xfer_new(engine->loop, engine->options, &engine->store, jobs, &engine->xfer, err);
    return result ? EXIT_USAGE : 0;
}

int engine_new(const struct options *options, struct engine **ret_engine, struct buf *err)
{
    struct engine *engine = xcalloc(1, sizeof *engine);

    set_rules(engine, options);
    engine->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    if (!engine->loop)
        out_of_memory();
    ev_prepare_init(&engine->prepare, on_prepare);
    ev_timer_init(&engine->timer, on_due, 0, 0);
    int result = set_up_io(engine, err);
    if (result) {
        engine_free(engine);
        return result;
    }
    *ret_engine = engine;
    return 0;
}

static void free_tasks(struct engine *engine)
{
    struct task *task;

    stop(engine);
    while ((task = window_due(&engine->window)) != NULL) {
        window_remove(&engine->window, task);
        sched_forget(engine->sched, task);
        task_free(task, &engine->store);
    }
}

/* The transfers go before their watchers' loop: libcurl stops its sockets through it. */
void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    if (engine->xfer)
        free_tasks(engine);
    xfer_free(engine->xfer);
    source_free(engine->source);
    sched_free(engine->sched);
    writer_free(engine->out);
    writer_free(engine->notes);
    heap_release(&engine->waiting);
    store_release(&engine->store);
    ev_loop_destroy(engine->loop);
    free(engine);
}

static void tell_halted(struct engine *engine)
{
    uint64_t halted = engine->stats.reasons[REASON_HALTED];
    struct buf line;

    if (!halted || engine->options->silent)
        return;
    buf_init(&line);
    buf_addf(&line, "weir: the run ended early: %llu requests read were not done\n",
             (unsigned long long)halted);
    note(engine, &line);
    buf_release(&line);
    int ignored = writer_flush(engine->notes);
    (void)ignored;
}

int engine_run(struct engine *engine)
{
    ev_prepare_start(engine->loop, &engine->prepare);
    ev_run(engine->loop, 0);
    ev_prepare_stop(engine->loop, &engine->prepare);
    ev_timer_stop(engine->loop, &engine->timer);
    tell_halted(engine);
    if (engine->local_trouble)
        return EXIT_LOCAL_TROUBLE;
    return stats_failed(&engine->stats) ? EXIT_SOME_FAILED : EXIT_ALL_OK;
}

bool engine_lost_its_reader(const struct engine *engine)
{
    return engine->out_closed;
}
