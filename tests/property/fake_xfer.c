/*
 * Stands where fetch/xfer does: each transfer asks the made-up web, and its name, its bytes and its end
 * come at random times. Who is started, and when, is checked here.
 */
#include <errno.h>
#include <ev.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/heap.h"
#include "core/state.h"
#include "core/task.h"
#include "fakes.h"
#include "fetch/brake.h"
#include "fetch/xfer.h"
#include "flow/sched.h"
#include "flow/verdict.h"
#include "input/url.h"
#include "watch.h"
#include "world.h"

enum {
    PIECE_BYTES = 16384,
    PIECES_MAX = 100,
    PUT_BACK_MAX = 1, /* what finds no room waits for its turn, and does not ask the server anew */
};

enum phase { NAME, BYTES, END };

struct transfer {
    struct task *task;
    struct transfer *prev, *next;             /* running or finished */
    struct transfer *prev_found, *next_found; /* among those whose name was found */
    struct transfer *prev_stood, *next_stood; /* among the scouts whose connection stands */
    bool stood_waits;
    struct heap_node due;
    enum phase phase;
    struct place place;
    struct page page;
    uint32_t done;                       /* bytes of the body */
    unsigned epoch;                      /* the watch's */
    bool is_in_trouble, has_had_trouble; /* it will fail; it did */
    bool no_descriptor;
    bool name_waits;
    bool waits; /* for memory */
};

/* What a host's name has come to, worked out from the starts alone. */
enum name { NAME_NEW, NAME_ASKED, NAME_FOUND, NAME_LOST };

struct name_record {
    enum name state;
    double found_at;
};

struct xfer {
    struct world *world;
    struct store *store;
    struct brake brake;
    struct name_record *names;
    struct watch *watch;
    struct heap events;
    struct transfer *running, *finished, *found, *stood;
    unsigned count;   /* running and finished */
    struct buf trace; /* always empty: nothing is said on this wire */
    unsigned lookups; /* of those, how many have no answer */
};

int xfer_new(struct ev_loop *loop, const struct options *options, struct xfer_wants wants,
             struct store *store, struct xfer_bounds bounds, struct xfer **ret_xfer,
             struct buf *err)
{
    struct xfer *xfer = xcalloc(1, sizeof *xfer);

    (void)loop;
    (void)wants;
    (void)bounds;
    (void)err;
    xfer->world = world_of_options(options);
    xfer->world->xfer = xfer;
    xfer->store = store;
    xfer->names = xcalloc(xfer->world->web.hosts, sizeof *xfer->names);
    xfer->watch = watch_new(xfer->world);
    heap_init(&xfer->events);
    buf_init(&xfer->trace);
    *ret_xfer = xfer;
    return 0;
}

unsigned xfer_lookups_left(const struct xfer *xfer)
{
    (void)xfer;
    return 0;
}

bool xfer_close_idle(struct xfer *xfer)
{
    (void)xfer;
    return false;
}

uint64_t xfer_received(const struct xfer *xfer)
{
    (void)xfer;
    return 0;
}

struct buf *xfer_trace(struct xfer *xfer)
{
    return &xfer->trace;
}

bool xfer_cookies(struct xfer *xfer, struct buf *text)
{
    (void)xfer;
    (void)text;
    return false;
}

static void free_transfer(struct xfer *xfer, struct transfer *transfer)
{
    if (transfer->name_waits)
        DL_DELETE2(xfer->found, transfer, prev_found, next_found);
    if (transfer->stood_waits)
        DL_DELETE2(xfer->stood, transfer, prev_stood, next_stood);
    if (heap_holds(&transfer->due))
        heap_remove(&xfer->events, &transfer->due);
    transfer->task->transfer = NULL;
    xfer->count--;
    free(transfer);
}

static void free_list(struct xfer *xfer, struct transfer **list)
{
    while (*list) {
        struct transfer *transfer = *list;
        DL_DELETE(*list, transfer);
        free_transfer(xfer, transfer);
    }
}

void xfer_stop(struct xfer *xfer)
{
    xfer->world->stopped = true;
    free_list(xfer, &xfer->running);
    free_list(xfer, &xfer->finished);
}

void xfer_free(struct xfer *xfer)
{
    if (!xfer)
        return;
    xfer_stop(xfer);
    heap_release(&xfer->events);
    buf_release(&xfer->trace);
    watch_free(xfer->watch);
    free(xfer->names);
    free(xfer);
}

/* ---- a start ---- */

static double delay(struct world *world)
{
    uint64_t what = dice_below(&world->dice, 200);
    double most = world->scenario.latency;

    if (what < 60)
        return 0;
    return dice_real(&world->dice, what == 60 ? most * 1000 : what < 80 ? most * 20 : most);
}

static void check_url(struct xfer *xfer, const struct task *task, struct place place)
{
    struct buf here, expected;

    buf_init(&here);
    buf_init(&expected);
    url_add_text(task->url, &here);
    web_add_url(&xfer->world->web, place, &expected);
    PROMISE(xfer->world, strcmp(here.data, expected.data) == 0, "%s was started instead of %s",
            here.data, expected.data);
    buf_release(&here);
    buf_release(&expected);
}

/* Each URL passed through is in the record, and where they led is where it goes on. */
static void check_chain(struct xfer *xfer, const struct task *task, struct place start)
{
    struct world *world = xfer->world;
    struct place place = start;
    struct buf expected;

    buf_init(&expected);
    for (size_t i = 0; i < task->result.n_passed; i++) {
        buf_clear(&expected);
        web_add_url(&world->web, place, &expected);
        PROMISE(world, strcmp(task->result.passed[i], expected.data) == 0,
                "%s is in the chain instead of %s", task->result.passed[i], expected.data);
        place = web_page(&world->web, place).to;
    }
    buf_release(&expected);
    PROMISE(world, task->result.n_passed <= world->options.max_redirs, "too many hops");
    PROMISE(world, task->away == (!world->options.location_trusted && place.host != start.host),
            "away is %d on the way from host %u to %u", task->away, start.host, place.host);
    check_url(xfer, task, place);
}

static const struct task *oldest_not_done(const struct window *window)
{
    const struct task *task = window->oldest;

    while (task && task->state == TASK_DONE)
        task = task->newer;
    return task;
}

static void check_start(struct xfer *xfer, const struct task *task)
{
    struct world *world = xfer->world;
    const struct engine *engine = world->engine;
    bool is_awaited = oldest_not_done(&engine->window) == task;
    double found_at_last = engine->no_start_before;

    PROMISE(world, !world->stopped && !engine->stopped, "a start after the stop");
    PROMISE(world, xfer->count < world->scenario.jobs, "more starts than permits");
    PROMISE(world, task->state == TASK_RUNNING && !task->transfer, "a start of what is not ready");
    PROMISE(world, task->body.size == 0 && !task->location, "a start with an answer left over");
    PROMISE(world, world->now >= found_at_last, "a start though descriptors ran out just now");
    PROMISE(world, !engine->store.pressed || is_awaited,
            "request %llu was started while bodies find no room",
            (unsigned long long)task->request.seq);
}

/* Who is to be started again stands behind those of its host that were before it, and no others. */
static void count_passing(struct xfer *xfer, const struct task *task)
{
    struct world *world = xfer->world;
    const struct engine *engine = world->engine;

    for (const struct task *other = engine->window.oldest; other; other = other->newer) {
        if (other->host != task->host || other->state != TASK_READY || !other->result.starts)
            continue;
        PROMISE(world, ++world_record(world, other)->passed_over <= engine->window.max,
                "request %llu is never started again", (unsigned long long)other->request.seq);
    }
}

/* The one that did so least often probes a host. */
static bool is_probe(const struct xfer *xfer, const struct task *task)
{
    return sched_is_paused(task) || sched_is_down(task, xfer->world->now);
}

/* What was started before, and hops or is tried again, goes ahead of what is new to the host. */
static void check_turn(struct xfer *xfer, const struct task *task)
{
    const struct engine *engine = xfer->world->engine;

    world_record(xfer->world, task)->passed_over = 0;
    if (engine->store.pressed || engine->window.alive > WALKED_ALWAYS || is_probe(xfer, task))
        return;
    count_passing(xfer, task);
    if (task->result.starts)
        return;
    for (const struct task *other = engine->window.oldest; other; other = other->newer) {
        PROMISE(xfer->world,
                other->host != task->host || other->state != TASK_READY || !other->result.starts,
                "request %llu is started before %llu, which was begun earlier",
                (unsigned long long)task->request.seq, (unsigned long long)other->request.seq);
    }
}

static void check_lookup(struct xfer *xfer, const struct task *task, uint32_t host)
{
    struct world *world = xfer->world;
    struct name_record *name = &xfer->names[host];

    if (web_is_numeric(&world->web, host)) {
        PROMISE(world, !task->looking_up, "an address is looked up");
        return;
    }
    PROMISE(world, name->state != NAME_ASKED || world->scenario.parallel_immediate,
            "a second request while host %u is looked up", host);
    PROMISE(world, task->looking_up || name->state == NAME_FOUND, "an unknown name, no lookup");
    PROMISE(world,
            name->state != NAME_FOUND ||
                task->looking_up == (world->now - name->found_at > NAME_AGE_MAX &&
                                     xfer->lookups < LOOKUPS_MAX + LOOKUPS_KEPT),
            "the name of host %u, found at %g, is%s looked up", host, name->found_at,
            task->looking_up ? "" : " not");
    if (task->looking_up && name->state != NAME_LOST)
        name->state = NAME_ASKED;
    xfer->lookups += task->looking_up;
    PROMISE(world, xfer->lookups <= LOOKUPS_MAX + LOOKUPS_KEPT, "%u lookups", xfer->lookups);
}

/* Each request that comes to a place has that place's troubles first. */
static bool meets_trouble(struct world *world, const struct task *task, const struct page *page)
{
    struct record *record = world_record(world, task);

    if (record->place != task->result.n_passed) {
        record->place = task->result.n_passed;
        record->asked = 0;
    }
    return record->asked < page->troubles;
}

static struct transfer *new_transfer(struct xfer *xfer, struct task *task, struct place place)
{
    struct world *world = xfer->world;
    const struct scenario *scenario = &world->scenario;
    struct transfer *transfer = xcalloc(1, sizeof *transfer);
    double due = world->now + delay(world);

    if (task->request.seq == 1 && task->result.starts == 1)
        due += scenario->head_delay;
    *transfer = (struct transfer){.task = task, .place = place};
    transfer->page = web_page(&world->web, place);
    transfer->is_in_trouble = meets_trouble(world, task, &transfer->page);
    if (transfer->is_in_trouble)
        transfer->page.size /= 2; /* so much comes before it */
    transfer->no_descriptor =
        world->now >= scenario->famine_from && world->now < scenario->famine_to;
    heap_push(&xfer->events, &transfer->due, due);
    return transfer;
}

void xfer_start(struct xfer *xfer, struct task *task)
{
    struct world *world = xfer->world;
    struct place start = world_record(world, task)->line->place;
    struct place place = web_after(&world->web, start, task->result.n_passed);

    check_start(xfer, task);
    check_chain(xfer, task, start);
    check_lookup(xfer, task, place.host);
    check_turn(xfer, task);
    result_restart(&task->result);
    task->transfer = new_transfer(xfer, task, place);
    DL_APPEND(xfer->running, task->transfer);
    task->closed_for = 0;
    task->has_connected = false;
    task->transfer->epoch = watch_start(xfer->watch, task, place.host);
    xfer->count++;
    world->starts++;
}

/* ---- what comes ---- */

static void fill_answer(struct xfer *xfer, struct transfer *transfer)
{
    struct task *task = transfer->task;
    struct buf location;

    task->outcome = OUTCOME_ANSWERED;
    task->result.http_code = web_status(&transfer->page);
    task->latency = dice_real(&xfer->world->dice, 1);
    if (transfer->page.closes)
        task->closed_for = transfer->page.closed_for;
    buf_init(&location);
    web_add_location(&xfer->world->web, &transfer->page, &location);
    if (location.len)
        task->location = buf_take(&location);
    buf_release(&location);
}

static void fill_failure(struct task *task, enum reason reason)
{
    task->outcome = OUTCOME_FAILED;
    result_setf(&task->result, reason, "as the made-up web has it");
}

static void fill_body_trouble(struct xfer *xfer, struct task *task, int error, const char *words)
{
    if (error != -ENOBUFS) {
        task->outcome = OUTCOME_LOCAL_TROUBLE;
        result_setf(&task->result, REASON_OUTPUT, "%s", words);
    } else if (task->next_in_order) {
        fill_failure(task, REASON_TOO_LARGE);
    } else {
        task->outcome = OUTCOME_NO_ROOM;
        world_record(xfer->world, task)->put_back++;
        PROMISE(xfer->world, world_record(xfer->world, task)->put_back <= PUT_BACK_MAX,
                "request %llu is put back again and again", (unsigned long long)task->request.seq);
    }
}

static void fill_trouble(struct transfer *transfer)
{
    struct task *task = transfer->task;

    fill_failure(task, web_trouble_reason(transfer->page.trouble));
    switch (transfer->page.trouble) {
    case TROUBLE_REFUSED:
    case TROUBLE_RESET:
    case TROUBLE_TIMEOUT: break;
    case TROUBLE_UNTOUCHED: task->outcome = OUTCOME_UNTOUCHED; break;
    case TROUBLE_CLOSED: task->closed_for = transfer->page.closed_for; /* fall through */
    case TROUBLE_BUSY:
        task->outcome = OUTCOME_ANSWERED;
        task->result.http_code = transfer->page.trouble == TROUBLE_BUSY ? 503 : 429;
        break;
    }
}

/* Its head had come. */
static void fill_broken(struct transfer *transfer)
{
    fill_failure(transfer->task, REASON_RESET);
    transfer->task->result.http_code = web_status(&transfer->page);
}

/* What may wait for its host to come back is tried again however often it was. */
static bool may_wait_for_host(const struct world *world, const struct task *task)
{
    struct lesson lesson = verdict_lesson(task);

    return world->scenario.host_errors && lesson.lost;
}

/* Whether nothing but a stop could still change what becomes of it. */
static bool is_final(const struct world *world, const struct transfer *transfer)
{
    const struct task *task = transfer->task;
    bool may_be_retried =
        task->result.attempts <= world->scenario.retry || may_wait_for_host(world, task);

    if (transfer->has_had_trouble)
        return !may_be_retried &&
               (task->outcome != OUTCOME_UNTOUCHED || task->resent >= RESENDS_MAX);
    switch (task->outcome) {
    case OUTCOME_ANSWERED:
        return transfer->page.kind != PAGE_MOVED || !world->options.location ||
               transfer->task->result.n_passed >= world->options.max_redirs;
    case OUTCOME_FAILED: return !may_be_retried;
    case OUTCOME_LOCAL_TROUBLE: return true;
    case OUTCOME_MISFIT:
    case OUTCOME_NO_ROOM:
    case OUTCOME_UNTOUCHED:
    case OUTCOME_NO_DESCRIPTOR: return false;
    }
    return false;
}

static void finish(struct xfer *xfer, struct transfer *transfer)
{
    struct record *record = world_record(xfer->world, transfer->task);

    record->settled = is_final(xfer->world, transfer);
    record->is_in_trouble = transfer->has_had_trouble;
    record->asked += transfer->has_had_trouble;
    DL_DELETE(xfer->running, transfer);
    DL_APPEND(xfer->finished, transfer);
}

static void plan(struct xfer *xfer, struct transfer *transfer, enum phase phase, bool at_once)
{
    struct world *world = xfer->world;

    transfer->phase = phase;
    heap_push(&xfer->events, &transfer->due, world->now + (at_once ? 0 : delay(world)));
}

/* The headers of an answer are held as its body is. False where there is no room, and it is over. */
static bool bring_head(struct xfer *xfer, struct transfer *transfer)
{
    static const char line[1000] = "X: ";
    struct task *task = transfer->task;
    struct buf words;
    int error = 0;

    buf_init(&words);
    for (size_t left = xfer->world->scenario.head_bytes; left && !error;
         left -= MIN(left, sizeof line))
        error = body_add(&task->head, xfer->store, line, MIN(left, sizeof line),
                         task->next_in_order, &words);
    if (error) {
        fill_body_trouble(xfer, task, error, words.data);
        finish(xfer, transfer);
    }
    buf_release(&words);
    return !error;
}

static void find_name(struct xfer *xfer, struct transfer *transfer)
{
    if (transfer->no_descriptor) {
        fill_failure(transfer->task, REASON_CONNECT);
        transfer->task->outcome = OUTCOME_NO_DESCRIPTOR;
        finish(xfer, transfer);
    } else if (web_is_dead(&xfer->world->web, transfer->place.host)) {
        fill_failure(transfer->task, REASON_DNS);
        finish(xfer, transfer);
    } else {
        transfer->task->has_connected = true;
        if (transfer->task->looking_up) {
            transfer->name_waits = true;
            DL_APPEND2(xfer->found, transfer, prev_found, next_found);
        }
        if (transfer->task->is_scout || transfer->task->is_probe) {
            transfer->stood_waits = true;
            DL_APPEND2(xfer->stood, transfer, prev_stood, next_stood);
        }
        if (bring_head(xfer, transfer))
            plan(xfer, transfer, transfer->page.size ? BYTES : END, false);
    }
}

/* As libcurl hands them over: at most 16 KiB at once. */
static uint32_t roll_piece(struct xfer *xfer, const struct transfer *transfer)
{
    uint32_t most = MAX(xfer->world->scenario.piece_max, transfer->page.size / PIECES_MAX);
    uint32_t left = transfer->page.size - transfer->done;
    uint32_t piece = (uint32_t)dice_between(&xfer->world->dice, 1, MIN(most, PIECE_BYTES));

    return MIN(piece, left);
}

static int add_piece(struct xfer *xfer, struct transfer *transfer, uint32_t len, struct buf *words)
{
    struct world *world = xfer->world;
    struct task *task = transfer->task;
    char piece[PIECE_BYTES];

    task->result.body_bytes += len;
    if (!web_keeps(&transfer->page, &world->options))
        return 0;
    web_fill(&world->web, transfer->place, transfer->done, piece, len);
    int result = body_add(&task->body, xfer->store, piece, len, task->next_in_order, words);
    PROMISE(world, xfer->store->memory_used <= xfer->store->memory_max, "too much memory");
    return result;
}

/* Until there is room is for the others' pieces to bring about: as late as it may be. */
static bool begins_to_wait(struct xfer *xfer, struct transfer *transfer)
{
    double now = xfer->world->now;

    if (transfer->task->next_in_order || !brake_wants(&xfer->brake, xfer->store, now))
        return false;
    transfer->waits = true;
    brake_begin(&xfer->brake, xfer->store, now);
    heap_push(&xfer->events, &transfer->due, xfer->brake.looks_at);
    return true;
}

void xfer_go_on(struct xfer *xfer, struct task *task)
{
    struct transfer *transfer = task->transfer;

    if (transfer && transfer->waits)
        heap_move(&xfer->events, &transfer->due, xfer->world->now);
}

static void bring_bytes(struct xfer *xfer, struct transfer *transfer)
{
    uint32_t len = roll_piece(xfer, transfer);
    struct buf words;

    buf_init(&words);
    if (transfer->waits)
        (void)brake_ends(&xfer->brake, xfer->store, xfer->world->now, xfer->world->now);
    transfer->waits = false;
    int error = add_piece(xfer, transfer, len, &words);
    transfer->done += len;
    if (error) {
        fill_body_trouble(xfer, transfer->task, error, words.data);
        finish(xfer, transfer);
    } else if (transfer->done < transfer->page.size && begins_to_wait(xfer, transfer)) {
        transfer->phase = BYTES;
    } else if (transfer->done < transfer->page.size) {
        plan(xfer, transfer, BYTES, dice_chance(&xfer->world->dice, 70));
    } else {
        plan(xfer, transfer, END, dice_chance(&xfer->world->dice, 70));
    }
    buf_release(&words);
}

static void end(struct xfer *xfer, struct transfer *transfer)
{
    transfer->has_had_trouble = transfer->is_in_trouble;
    if (transfer->is_in_trouble)
        fill_trouble(transfer);
    else if (transfer->page.kind == PAGE_BROKEN)
        fill_broken(transfer);
    else
        fill_answer(xfer, transfer);
    finish(xfer, transfer);
}

void xfer_run(struct xfer *xfer, double now)
{
    struct heap_node *node;

    PROMISE(xfer->world, now == xfer->world->now || xfer->world->over,
            "the clock ran on within a turn");
    while ((node = heap_peek(&xfer->events)) && node->due <= now) {
        struct transfer *transfer = CONTAINER_OF(node, struct transfer, due);
        heap_remove(&xfer->events, node);
        switch (transfer->phase) {
        case NAME: find_name(xfer, transfer); break;
        case BYTES: bring_bytes(xfer, transfer); break;
        case END: end(xfer, transfer); break;
        }
    }
}

double fake_xfer_due(const struct xfer *xfer)
{
    struct heap_node *node = heap_peek(&xfer->events);

    return node ? node->due : INFINITY;
}

double xfer_due(const struct xfer *xfer)
{
    return xfer->world->scenario.sockets ? INFINITY : fake_xfer_due(xfer);
}

/* ---- what is given back ---- */

struct task *xfer_next_found(struct xfer *xfer)
{
    struct transfer *transfer = xfer->found;

    if (!transfer)
        return NULL;
    DL_DELETE2(xfer->found, transfer, prev_found, next_found);
    transfer->name_waits = false;
    xfer->names[transfer->place.host] =
        (struct name_record){.state = NAME_FOUND, .found_at = xfer->world->now};
    xfer->lookups--;
    return transfer->task;
}

void xfer_forgive(struct xfer *xfer, double seconds)
{
    (void)xfer;
    (void)seconds;
}

struct task *xfer_next_connected(struct xfer *xfer)
{
    struct transfer *transfer = xfer->stood;

    if (!transfer)
        return NULL;
    DL_DELETE2(xfer->stood, transfer, prev_stood, next_stood);
    transfer->stood_waits = false;
    watch_connected(xfer->watch, transfer->task, transfer->place.host);
    return transfer->task;
}

bool xfer_has_ended(const struct task *task)
{
    return !task->transfer;
}

void xfer_cancel(struct xfer *xfer, struct task *task)
{
    (void)xfer;
    (void)task;
    abort(); /* no scenario has groups */
}

struct task *xfer_next_finished(struct xfer *xfer)
{
    struct world *world = xfer->world;
    struct transfer *transfer = xfer->finished;

    if (!transfer)
        return NULL;
    struct task *task = transfer->task;
    if (task->looking_up) {
        xfer->lookups--;
        if (xfer->names[transfer->place.host].state != NAME_FOUND)
            xfer->names[transfer->place.host].state = NAME_LOST;
    }
    if (task->outcome == OUTCOME_LOCAL_TROUBLE && !world->engine->stopped)
        world->troubles++;
    watch_end(xfer->watch, task, transfer->place.host, transfer->epoch);
    DL_DELETE(xfer->finished, transfer);
    free_transfer(xfer, transfer);
    return task;
}

unsigned fake_xfer_running(const struct xfer *xfer)
{
    return xfer->count;
}

void fake_xfer_note_refused(struct xfer *xfer, const struct task *task)
{
    struct world *world = xfer->world;
    struct place start = world_record(world, task)->line->place;

    watch_refused(xfer->watch, task, web_after(&world->web, start, task->result.n_passed).host);
}

/* Only names are dropped that nobody is asking for. */
void xfer_forget_name(struct xfer *xfer, const char *host)
{
    struct buf name;

    buf_init(&name);
    for (uint32_t i = 0; i < xfer->world->web.hosts; i++) {
        buf_setf(&name, "http://");
        web_add_host(&xfer->world->web, i, &name);
        buf_add_text(&name, ":80");
        if (strcmp(name.data, host) != 0)
            continue;
        PROMISE(xfer->world, xfer->names[i].state != NAME_ASKED, "a name in use is dropped");
        xfer->names[i].state = NAME_NEW;
        watch_dropped(xfer->watch, i);
    }
    buf_release(&name);
}
