#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "cli/options.h"
#include "core/cached.h"
#include "core/group.h"
#include "core/outputs.h"
#include "core/state.h"
#include "core/task.h"
#include "deliver/writer.h"
#include "fetch/xfer.h"
#include "flow/sched.h"
#include "input/url.h"

/* So many outages that a request was among the first to see cost it no try. It may be what its host
 * fails at, so there is an end to that. */
enum { EXCUSES_MAX = 2 };

static void wake(struct engine *engine, struct task *task, double now)
{
    heap_remove(&engine->waiting, &task->due);
    task_set_state(task, TASK_READY);
    sched_add_again(engine->sched, task, now);
}

static void wake_due(struct engine *engine, double now)
{
    struct heap_node *node;

    while ((node = heap_peek(&engine->waiting)) && node->due <= now)
        wake(engine, CONTAINER_OF(node, struct task, due), now);
}

static bool may_start(const struct engine *engine)
{
    return semaphore_is_free(&engine->permits) && !engine->stopped && !engine->is_draining &&
           !engine->out_closed && !(engine->descriptors_are_out && engine->probe);
}

/* While bodies find no room only the request next in order is started: it is sure of some. */
static struct task *only_candidate(const struct engine *engine)
{
    struct task *awaited = window_awaited(&engine->window);

    return awaited && awaited->state == TASK_READY ? awaited : NULL;
}

/* What is whole and due goes out before more is asked for. Else bodies that come faster than a turn
 * writes them would pile up, to be written to the spool and read again. */
static bool is_behind(const struct engine *engine)
{
    return !engine->bytes_left && window_due(&engine->window) && !writer_is_blocked(engine->out);
}

static struct task *next_to_start(struct engine *engine, double now)
{
    struct task *awaited;

    if (!may_start(engine) || now < engine->no_start_before || is_behind(engine))
        return NULL;
    if (store_has_room(&engine->store))
        return sched_next(engine->sched, now);
    awaited = only_candidate(engine);
    return awaited && sched_take(engine->sched, awaited, now) ? awaited : NULL;
}

double engine_start_due(const struct engine *engine, double now)
{
    struct task *awaited = only_candidate(engine);
    double due = INFINITY, refused_due = sched_refused_due(engine->sched);

    if (!may_start(engine))
        due = INFINITY;
    else if (engine->no_start_before > now)
        due = engine->no_start_before;
    else if (store_may_start(&engine->store))
        due = sched_due(engine->sched);
    else if (awaited)
        due = sched_task_due(engine->sched, awaited);
    return fmin(due > now ? due : INFINITY, refused_due > now ? refused_due : INFINITY);
}

/* With what its own last transfer met, if it had one. */
static void tell_refusal(const struct engine *engine, struct result *result)
{
    char *last = result->message;

    result->message = NULL;
    result_setf(result, REASON_HOST_DOWN,
                "the host was given up after %u failures in a row to reach it%s%s",
                engine->options->host_errors, last ? ": " : "", last ? last : "");
    free(last);
}

/* Requests to hosts that are down end without a start. Whether there were any. */
static bool refuse(struct engine *engine, double now)
{
    struct task *task;
    bool any = false;

    while (engine->moves_left && (task = sched_next_refused(engine->sched, now)) != NULL) {
        engine->moves_left--;
        task->result.exitcode = 0;
        task->result.http_code = 0;
        tell_refusal(engine, &task->result);
        engine_drop_output(task);
        engine_complete(engine, task);
        any = true;
    }
    return any;
}

/* The URL was read before, and was good. */
static void read_url_again(struct engine *engine, struct task *task)
{
    struct buf err;

    if (task->url)
        return;
    buf_init(&err);
    int result = parse_url(&engine->parsing, task->request.url, &task->url, &err);
    assert(result == 0);
    (void)result;
    buf_release(&err);
    engine->urls_kept++;
    engine_extend_url(engine, task);
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

/* The task that all others wait for may use what the store keeps back. */
static void mark_awaited(struct engine *engine, double now)
{
    struct task *awaited = window_awaited(&engine->window);

    if (!awaited)
        return;
    if (!awaited->next_in_order) {
        awaited->next_in_order = true;
        xfer_go_on(engine->xfer, awaited);
    }
    if (awaited->state == TASK_WAITING && awaited->due.due == INFINITY)
        wake(engine, awaited, now);
}

static void count_attempt(struct engine *engine, struct task *task, double now)
{
    bool is_first = task->first_started_at <= 0;

    if (is_first)
        task->first_started_at = now;
    if (is_first)
        retry_note_try(&engine->retries);
    if (task->is_new_attempt && sched_excuses(task) && task->excuses < EXCUSES_MAX)
        task->excuses++;
    else if (task->is_new_attempt)
        task->result.attempts++;
    task->is_new_attempt = false;
}

static bool names_own_trace(const struct engine *engine, const struct task *task)
{
    const struct detail *detail = task->request.detail;

    return request_names_header(&engine->options->headers, "traceparent") ||
           (detail && request_names_header(&detail->headers, "traceparent"));
}

/* What follows a trace of its own keeps to that. */
static void trace(struct engine *engine, struct task *task)
{
    char own[TRACE_ID_SIZE] = "";
    char *id = task->group ? task->group->trace_id : own;

    if (!engine->options->traceparent || names_own_trace(engine, task))
        return;
    if (!task->traceparent) {
        if (!*id)
            trace_begin(&engine->traces, id);
        task->result.trace_id = xstrdup(id);
        task->traceparent = xmalloc(TRACE_HEADER_SIZE);
    }
    trace_header(&engine->traces, task->result.trace_id, task->traceparent);
}

void engine_start(struct engine *engine, double now)
{
    struct task *task;

    sched_note_lookups_left(engine->sched, xfer_lookups_left(engine->xfer));
    mark_awaited(engine, now);
    wake_due(engine, now);
    /* One that ends without a start may end the run, so that is heeded before the next. */
    bool heeds = refuse(engine, now);
    while (!heeds && engine->moves_left && (task = next_to_start(engine, now)) != NULL) {
        engine->moves_left--;
        forget_names(engine);
        read_url_again(engine, task);
        enum begun begun = engine_begin_output(engine, task);
        if (begun != BEGUN) {
            sched_put_back(engine->sched, task, now);
            heeds = begun == BEGUN_AND_DONE;
            if (begun == BEGUN_LATER)
                engine_wait_for_descriptor(engine, task, now);
            continue;
        }
        count_attempt(engine, task, now);
        if (engine->descriptors_are_out)
            engine->probe = task;
        semaphore_take(&engine->permits);
        engine_note_started(engine, now);
        stats_note_in_flight(&engine->summary.stats, engine->permits.held);
        task_set_state(task, TASK_RUNNING);
        trace(engine, task);
        engine_set_condition(engine, task);
        xfer_start(engine->xfer, task);
    }
    xfer_run(engine->xfer, now);
}
