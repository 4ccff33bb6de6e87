#include "cli/options.h"
#include "core/group.h"
#include "core/groups.h"
#include "core/lasting.h"
#include "core/outputs.h"
#include "core/plan.h"
#include "core/state.h"
#include "core/task.h"
#include "deliver/filename.h"
#include "flow/sched.h"
#include "input/source.h"
#include "input/url.h"

/* Waiting tasks whose URL is kept as it was read; others are read again at their start. */
enum { URLS_KEPT = 4096 };

/* curl's code for a scheme it does not speak. */
enum { CODE_UNSUPPORTED_SCHEME = 1 };

/* A request that would put its body where it must not is no request. */
static void check_output_name(struct request *request)
{
    const char *name = request->detail ? request->detail->output : NULL;
    struct buf err;

    if (!name || request->invalid)
        return;
    buf_init(&err);
    if (filename_check_relative(name, &err)) {
        struct buf words;
        buf_init(&words);
        buf_addf(&words, "output: %s", err.data);
        request->invalid = buf_take(&words);
    }
    buf_release(&err);
}

static void fill_request(struct engine *engine, struct task *task, const struct source_item *item)
{
    struct request *request = &task->request;
    struct parse_rules rules = engine->parsing;

    request->seq = ++engine->seq;
    request->line = item->line;
    request->input = item->input;
    if (item->taken && engine->filename && filename_wants_taken(engine->filename))
        request->taken = xstrdup(item->taken);
    if (!item->line)
        rules.format = INPUT_URL;
    if (item->cut)
        parse_long_line(item->text, item->len, request);
    else
        parse_line(&rules, item->text, item->len, request, &task->url);
    check_output_name(request);
}

/* What would be done is noted, and the task is done. */
static void plan_task(struct engine *engine, struct task *task)
{
    const struct host_name *host = host_memo_find(&engine->hosts, task->request.url, task->url);
    struct buf name, err;

    buf_init(&name);
    buf_init(&err);
    if (engine_wants_output(engine, task) && engine_name_output(engine, task, &name, &err))
        result_setf(&task->result, REASON_OUTPUT, "%s", err.data);
    plan_add(engine->plan, task->request.seq, host->name, name.len ? name.data : NULL);
    engine_complete(engine, task);
    buf_release(&name);
    buf_release(&err);
}

/* A new task of what was read; in no window yet. */
static struct task *read_item(struct engine *engine, const struct source_item *item, double now)
{
    struct task *task = task_new();

    fill_request(engine, task, item);
    task->since = task->born_at = now;
    if (task->url)
        engine->urls_kept++;
    task_hold_line(task, &engine->store, item->cut ? 0 : item->len);
    return task;
}

static void deny(struct engine *engine, struct task *task)
{
    bool is_known = url_has_scheme(task->url, "http") || url_has_scheme(task->url, "https");

    if (engine->plan)
        plan_add_denied(engine->plan);
    result_setf(&task->result, REASON_DENIED,
                is_known ? "not permitted by --proto" : "only http and https are fetched");
    task->result.exitcode = CODE_UNSUPPORTED_SCHEME;
    engine_complete(engine, task);
}

static void refuse(struct engine *engine, struct task *task)
{
    if (engine->plan)
        plan_add_invalid(engine->plan);
    result_setf(&task->result, REASON_INVALID, "%s", task->request.invalid);
    engine_complete(engine, task);
}

static void admit(struct engine *engine, struct task *task, double now)
{
    window_add(&engine->window, task);
    engine_join_group(engine, task);
    if (engine->is_draining || engine->stopped) {
        engine_halt_task(engine, task);
    } else if (task->request.invalid) {
        refuse(engine, task);
    } else if (!redirect_permits(engine->options->protocols, task->url)) {
        deny(engine, task);
    } else if (engine->plan) {
        plan_task(engine, task);
    } else if (engine_find_output(engine, task)) {
        engine_complete(engine, task);
    } else if (task->group && task->group->has_failed) {
        engine_cancel_task(engine, task);
    } else {
        engine_extend_url(engine, task);
        engine_queue(engine, task, false, now);
        if (engine->urls_kept > URLS_KEPT)
            engine_drop_url(engine, task);
    }
}

/* A window full of results that are held for their group cannot move before it is known whether the
 * next request belongs to it, too: that one is read ahead. */
static bool must_look_ahead(const struct engine *engine)
{
    return engine->group && engine->group->is_held && !engine->ahead;
}

/* The request next in order is read whatever the memory holds: what holds it then is not a request. */
static bool has_place(const struct engine *engine)
{
    return window_has_slot(&engine->window) &&
           (store_may_read(&engine->store) || !engine->window.alive);
}

bool engine_wants_more(const struct engine *engine)
{
    return !engine->source_ended && !engine->ahead &&
           (has_place(engine) || must_look_ahead(engine));
}

/* What was done before ends the group before it, as if it were admitted. */
static void skip(struct engine *engine, struct task *task)
{
    engine_pass_group(engine, task);
    engine_drop_url(engine, task);
    task_free(task, &engine->store);
    engine->ahead = NULL;
}

/* False where there is nothing more to read in this turn. */
static bool read_one(struct engine *engine, double now)
{
    struct source_item item;
    struct buf err;

    buf_init(&err);
    enum source_step step = source_next(engine->source, &item, &err);
    engine->moves_left -= step != SOURCE_WAIT;
    if (step == SOURCE_END) {
        engine->source_ended = true;
        engine_close_group(engine);
    } else if (step == SOURCE_TROUBLE) {
        engine_note_trouble(engine, err.data);
    } else if (step == SOURCE_ITEM && (!item.line || parse_wants(item.text, item.len))) {
        engine->ahead = read_item(engine, &item, now);
        if (engine_was_done(engine, engine->ahead))
            skip(engine, engine->ahead);
    }
    if (step == SOURCE_BUSY)
        engine->bytes_left = 0;
    buf_release(&err);
    return step != SOURCE_WAIT && step != SOURCE_BUSY;
}

static void admit_ahead(struct engine *engine, double now)
{
    struct task *task = engine->ahead;

    engine->ahead = NULL;
    admit(engine, task, now);
    if (engine->source_ended)
        engine_close_group(engine);
}

void engine_admit(struct engine *engine, double now)
{
    bool more = true;

    while (more && engine->moves_left && !engine->out_closed) {
        bool is_welcome = has_place(engine);
        if (!engine->ahead)
            more = !engine->source_ended && (is_welcome || must_look_ahead(engine)) &&
                   read_one(engine, now);
        else if (!is_welcome)
            more = false;
        if (engine->ahead && is_welcome)
            admit_ahead(engine, now);
    }
    if (engine->ahead)
        engine_look_at_next(engine, engine->ahead);
}
