#include "io/xfer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "base/clock.h"
#include "io/xfer_internal.h"
#include "model/options.h"
#include "model/task.h"
#include "policy/redirect.h"

enum { WATCHES_IN_CHUNK = 64 };

/* Watchers do not move while they are active, so the table grows by chunks. */
struct watch_chunk {
    struct watch {
        ev_io io;
        struct xfer *xfer;
    } watches[WATCHES_IN_CHUNK];
};

/* ---- sockets and the timer ---- */

/* libcurl looks through its unread messages for each handle that is taken out, so all are read before
 * the first is. */
static void collect_ended(struct xfer *xfer)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(xfer->multi, &left)) != NULL) {
        char *pointer = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &pointer);
        struct transfer *transfer = (struct transfer *)(void *)pointer;
        transfer->code = message->data.result;
        heap_remove(&xfer->deadlines, &transfer->deadline);
        DL_DELETE(xfer->running, transfer);
        DL_APPEND(xfer->ended, transfer);
        transfer->has_ended = true;
    }
}

static void on_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct watch *watch = CONTAINER_OF(watcher, struct watch, io);
    struct xfer *xfer = watch->xfer;
    int flags =
        (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0);
    int running;

    (void)loop;
    xfer->now = clock_now();
    curl_multi_socket_action(xfer->multi, watcher->fd, flags, &running);
    collect_ended(xfer);
}

static struct watch *watch_of(struct xfer *xfer, int fd)
{
    size_t index = (size_t)fd / WATCHES_IN_CHUNK;

    if (index >= xfer->n_chunks) {
        xfer->chunks = xreallocarray(xfer->chunks, index + 1, sizeof *xfer->chunks);
        while (xfer->n_chunks <= index)
            xfer->chunks[xfer->n_chunks++] = NULL;
    }
    if (!xfer->chunks[index])
        xfer->chunks[index] = xcalloc(1, sizeof(struct watch_chunk));
    struct watch *watch = &xfer->chunks[index]->watches[fd % WATCHES_IN_CHUNK];
    if (!watch->xfer) {
        watch->xfer = xfer;
        ev_io_init(&watch->io, on_ready, fd, EV_NONE);
    }
    return watch;
}

/* Only the wanted events change, never the descriptor, and libev compares them at the end of a turn:
 * a socket that goes idle and is used again within one turn costs no system call. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *unused)
{
    struct xfer *xfer = userdata;
    ev_io *io = &watch_of(xfer, fd)->io;
    int events = (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0);

    (void)easy;
    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        ev_io_stop(xfer->loop, io);
        return 0;
    }
    if (ev_is_active(io) && (io->events & (EV_READ | EV_WRITE)) == events)
        return 0;
    ev_io_stop(xfer->loop, io);
    ev_io_modify(io, events);
    ev_io_start(xfer->loop, io);
    return 0;
}

/* Rounded up by a millisecond: called too early, libcurl does nothing and never says again when. */
static int on_timer(CURLM *multi, long milliseconds, void *userdata)
{
    struct xfer *xfer = userdata;

    (void)multi;
    if (milliseconds < 0)
        xfer->timer_due = INFINITY;
    else if (milliseconds == 0)
        xfer->timer_due = 0;
    else
        xfer->timer_due = clock_now() + (double)(milliseconds + 1) / 1000;
    return 0;
}

/* ---- what libcurl tells while a transfer runs ---- */

static void note_found(struct transfer *transfer)
{
    if (transfer->found)
        return;
    transfer->found = true;
    transfer->found_waits = transfer->task->looking_up;
    if (transfer->found_waits)
        DL_APPEND2(transfer->xfer->found, transfer, prev_found, next_found);
}

static curl_socket_t on_open_socket(void *userdata, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    struct transfer *transfer = userdata;

    (void)purpose;
    note_found(transfer);
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        transfer->no_descriptor = true;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* The connection stands, new or reused, and the request is about to be sent. */
static int on_connected(void *userdata, char *remote_ip, char *local_ip, int remote_port,
                        int local_port)
{
    struct transfer *transfer = userdata;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    note_found(transfer);
    transfer->connected = true;
    transfer->heard_at = transfer->xfer->now;
    return CURL_PREREQFUNC_OK;
}

/* Where the answer leads: a string of libcurl's, or NULL where it leads nowhere. */
static const char *location_of(const struct transfer *transfer, long code)
{
    struct curl_header *header = NULL;

    if (!redirect_is_status(code) ||
        curl_easy_header(transfer->easy, "Location", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}

/* Whether anybody will want to see the body of this answer. */
static bool wants_body(const struct transfer *transfer)
{
    const struct options *options = transfer->xfer->options;
    long code = 0;

    if (options->format == OPTION_FORMAT_NONE)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &code);
    if (options->location && location_of(transfer, code))
        return false;
    return codes_has(&options->accept, code);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *userdata)
{
    struct transfer *transfer = userdata;
    struct task *task = transfer->task;
    size_t len = size * count;

    transfer->heard_at = transfer->xfer->now;
    if (!transfer->body_seen) {
        transfer->body_seen = true;
        transfer->keep_body = wants_body(transfer);
    }
    task->result.body_bytes += len;
    if (!transfer->keep_body)
        return len;
    transfer->body_error = body_add(&task->body, transfer->xfer->store, bytes, len,
                                    task->next_in_order, &transfer->body_message);
    return transfer->body_error ? CURL_WRITEFUNC_ERROR : len;
}

/* ---- the pool ---- */

static void free_transfer(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->resolve);
    buf_release(&transfer->body_message);
    free(transfer);
}

static int set_callbacks(struct transfer *transfer, struct buf *err)
{
    CURL *easy = transfer->easy;
    bool done = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) == CURLE_OK;

    if (done)
        return 0;
    buf_setf(err, "libcurl refuses a callback");
    return -EINVAL;
}

static int new_transfer(struct xfer *xfer, struct transfer **ret_transfer, struct buf *err)
{
    struct transfer *transfer = xcalloc(1, sizeof *transfer);

    transfer->xfer = xfer;
    buf_init(&transfer->body_message);
    int result = xfer_setup_easy(xfer, transfer, err);
    if (!result)
        result = set_callbacks(transfer, err);
    if (result) {
        free_transfer(transfer);
        return result;
    }
    *ret_transfer = transfer;
    return 0;
}

/* A first handle is made at once, so that an option libcurl refuses is told before any request; none
 * of those made later can then fail. */
static struct transfer *take_transfer(struct xfer *xfer)
{
    struct transfer *transfer = xfer->pool;
    struct buf err;

    if (transfer) {
        DL_DELETE(xfer->pool, transfer);
        return transfer;
    }
    buf_init(&err);
    if (new_transfer(xfer, &transfer, &err))
        out_of_memory();
    buf_release(&err);
    return transfer;
}

/* Parts task and transfer, and puts the handle back. */
static void give_transfer(struct xfer *xfer, struct transfer *transfer)
{
    if (transfer->found_waits)
        DL_DELETE2(xfer->found, transfer, prev_found, next_found);
    transfer->found_waits = false;
    if (transfer->has_ended) {
        DL_DELETE(xfer->ended, transfer);
    } else {
        heap_remove(&xfer->deadlines, &transfer->deadline);
        DL_DELETE(xfer->running, transfer);
    }
    if (transfer->resolve) {
        curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, NULL);
        curl_slist_free_all(transfer->resolve);
        transfer->resolve = NULL;
    }
    transfer->task->transfer = NULL;
    transfer->task = NULL;
    DL_PREPEND(xfer->pool, transfer);
}

/* ---- birth and death ---- */

static int set_up_multi(struct xfer *xfer, unsigned connections)
{
    CURLM *multi = curl_multi_init();

    if (!multi)
        out_of_memory();
    xfer->multi = multi;
    bool done = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
                curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, xfer) == CURLM_OK &&
                curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
                curl_multi_setopt(multi, CURLMOPT_TIMERDATA, xfer) == CURLM_OK &&
                curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections) == CURLM_OK;
    return done ? 0 : -EINVAL;
}

static int set_up_share(struct xfer *xfer)
{
    xfer->share = curl_share_init();
    if (!xfer->share)
        out_of_memory();
    return curl_share_setopt(xfer->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK
               ? 0
               : -EINVAL;
}

int xfer_new(struct ev_loop *loop, const struct options *options, struct store *store,
             unsigned connections, struct xfer **ret_xfer, struct buf *err)
{
    struct xfer *xfer = xcalloc(1, sizeof *xfer);
    struct transfer *first = NULL;

    *xfer = (struct xfer){.loop = loop, .options = options, .store = store, .timer_due = INFINITY};
    xfer->now = clock_now();
    heap_init(&xfer->deadlines);
    xfer_setup_lists(xfer);
    buf_setf(err, "libcurl cannot be set up");
    int result = set_up_multi(xfer, connections);
    if (!result)
        result = set_up_share(xfer);
    if (!result)
        result = new_transfer(xfer, &first, err);
    if (result) {
        xfer_free(xfer);
        return result;
    }
    DL_PREPEND(xfer->pool, first);
    *ret_xfer = xfer;
    return 0;
}

static void stop_watching(struct xfer *xfer)
{
    for (size_t i = 0; i < xfer->n_chunks; i++) {
        for (size_t k = 0; xfer->chunks[i] && k < WATCHES_IN_CHUNK; k++) {
            if (xfer->chunks[i]->watches[k].xfer)
                ev_io_stop(xfer->loop, &xfer->chunks[i]->watches[k].io);
        }
        free(xfer->chunks[i]);
    }
    free(xfer->chunks);
}

/* With its handles still added the multi goes quickly; taking out thousands one by one would not. */
void xfer_stop(struct xfer *xfer)
{
    if (xfer->stopped)
        return;
    xfer->stopped = true;
    curl_multi_cleanup(xfer->multi);
    xfer->multi = NULL;
    xfer->timer_due = INFINITY;
    while (xfer->running)
        give_transfer(xfer, xfer->running);
    while (xfer->ended)
        give_transfer(xfer, xfer->ended);
    xfer->failed = NULL;
}

void xfer_free(struct xfer *xfer)
{
    struct transfer *next;

    if (!xfer)
        return;
    xfer_stop(xfer);
    for (struct transfer *transfer = xfer->pool; transfer; transfer = next) {
        next = transfer->next;
        free_transfer(transfer);
    }
    stop_watching(xfer);
    curl_share_cleanup(xfer->share);
    xfer_release_lists(xfer);
    heap_release(&xfer->deadlines);
    free(xfer);
}

/* ---- a transfer's life ---- */

static double after(double start, double seconds)
{
    return seconds > 0 ? start + seconds : INFINITY;
}

/* When the transfer is over unless something comes. */
static double deadline_of(const struct transfer *transfer)
{
    const struct options *options = transfer->xfer->options;
    double limit = after(transfer->started_at, options->max_time);
    double patience = transfer->connected ? after(transfer->heard_at, options->stall_timeout)
                                          : after(transfer->started_at, options->connect_timeout);

    return fmin(limit, patience);
}

/* The deadline in the heap is never later than the true one: it is looked at again when it comes, so
 * that a byte costs nothing here. */
static double first_look(const struct transfer *transfer)
{
    const struct options *options = transfer->xfer->options;

    return fmin(deadline_of(transfer), after(transfer->started_at, options->stall_timeout));
}

void xfer_start(struct xfer *xfer, struct task *task)
{
    struct transfer *transfer = take_transfer(xfer);

    assert(!xfer->stopped && !task->transfer);
    task->transfer = transfer;
    result_restart(&task->result);
    transfer->task = task;
    transfer->connected = transfer->found = false;
    transfer->body_seen = transfer->no_descriptor = transfer->has_ended = false;
    transfer->body_error = 0;
    transfer->message[0] = '\0';
    transfer->started_at = transfer->heard_at = xfer->now;
    xfer_setup_request(xfer, transfer);
    DL_APPEND(xfer->running, transfer);
    heap_push(&xfer->deadlines, &transfer->deadline, first_look(transfer));
    if (curl_multi_add_handle(xfer->multi, transfer->easy) != CURLM_OK)
        out_of_memory();
}

void xfer_cancel(struct xfer *xfer, struct task *task)
{
    struct transfer *transfer = task->transfer;

    assert(transfer);
    curl_multi_remove_handle(xfer->multi, transfer->easy);
    give_transfer(xfer, transfer);
}

static void time_out(struct xfer *xfer, struct transfer *transfer, double now)
{
    const struct options *options = xfer->options;
    struct task *task = transfer->task;
    struct result *result = &task->result;

    if (now >= after(transfer->started_at, options->max_time))
        result_setf(result, REASON_TIMEOUT, "not done after %g s", options->max_time);
    else if (transfer->connected)
        result_setf(result, REASON_TIMEOUT, "no byte for %g s", options->stall_timeout);
    else
        result_setf(result, REASON_TIMEOUT, "not connected after %g s", options->connect_timeout);
    result->exitcode = CURLE_OPERATION_TIMEDOUT;
    task->outcome = OUTCOME_FAILED;
    xfer_cancel(xfer, task);
    DL_APPEND(xfer->failed, task);
}

static void look_at_deadlines(struct xfer *xfer, double now)
{
    struct heap_node *node;

    while ((node = heap_peek(&xfer->deadlines)) && node->due <= now) {
        struct transfer *transfer = CONTAINER_OF(node, struct transfer, deadline);
        double due = deadline_of(transfer);
        if (due > now)
            heap_move(&xfer->deadlines, node, due);
        else
            time_out(xfer, transfer, now);
    }
}

void xfer_run(struct xfer *xfer, double now)
{
    int running;

    if (xfer->stopped)
        return;
    xfer->now = now;
    if (xfer->timer_due <= now) {
        xfer->timer_due = INFINITY;
        curl_multi_socket_action(xfer->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        collect_ended(xfer);
    }
    look_at_deadlines(xfer, now);
}

double xfer_due(const struct xfer *xfer)
{
    struct heap_node *node = heap_peek(&xfer->deadlines);

    /* What ended in a start's own xfer_run comes after the settling of that turn. */
    if (xfer->ended || xfer->failed || xfer->found)
        return 0;
    return fmin(xfer->timer_due, node ? node->due : INFINITY);
}

struct task *xfer_next_found(struct xfer *xfer)
{
    struct transfer *transfer = xfer->found;

    if (!transfer)
        return NULL;
    DL_DELETE2(xfer->found, transfer, prev_found, next_found);
    transfer->found_waits = false;
    return transfer->task;
}

/* ---- the end of a transfer ---- */

/* libcurl does not say so when a resolver's or a file's descriptor was the one too many. */
static bool descriptors_are_out(void)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

    if (fd >= 0)
        close(fd);
    return fd < 0 && errno == EMFILE;
}

static void fill_answer(struct transfer *transfer)
{
    struct task *task = transfer->task;
    long *code = &task->result.http_code;

    task->outcome = OUTCOME_ANSWERED;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, code);
    const char *location = location_of(transfer, *code);
    if (location)
        task->location = xstrdup(location);
}

static void fill_body_trouble(struct transfer *transfer)
{
    struct task *task = transfer->task;

    if (transfer->body_error != -ENOBUFS) {
        task->outcome = OUTCOME_LOCAL_TROUBLE;
        result_setf(&task->result, REASON_OUTPUT, "%s", transfer->body_message.data);
    } else if (task->next_in_order) {
        task->outcome = OUTCOME_FAILED;
        result_setf(&task->result, REASON_TOO_LARGE,
                    "no room to hold the body (--memory, --spool-max)");
    } else {
        task->outcome = OUTCOME_NO_ROOM;
    }
}

static void fill_failure(struct transfer *transfer, CURLcode code)
{
    struct task *task = transfer->task;
    const char *message = transfer->message[0] ? transfer->message : curl_easy_strerror(code);
    bool connecting = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
                      code == CURLE_COULDNT_RESOLVE_PROXY;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &task->result.http_code);
    task->outcome = OUTCOME_FAILED;
    if (transfer->no_descriptor || (connecting && descriptors_are_out()))
        task->outcome = OUTCOME_NO_DESCRIPTOR;
    result_setf(&task->result, xfer_reason(code, message), "%s", message);
}

static void fill(struct transfer *transfer, CURLcode code)
{
    if (code == CURLE_OK) {
        fill_answer(transfer);
        return;
    }
    transfer->task->result.exitcode = (int)code;
    if (transfer->body_error)
        fill_body_trouble(transfer);
    else
        fill_failure(transfer, code);
}

struct task *xfer_next_finished(struct xfer *xfer)
{
    struct task *task = xfer->failed;
    struct transfer *transfer = xfer->ended;

    if (task) {
        DL_DELETE(xfer->failed, task);
        return task;
    }
    if (!transfer)
        return NULL;
    task = transfer->task;
    fill(transfer, transfer->code);
    curl_multi_remove_handle(xfer->multi, transfer->easy);
    give_transfer(xfer, transfer);
    return task;
}

void xfer_forget_name(struct xfer *xfer, const char *name_and_port)
{
    struct buf entry;

    buf_init(&entry);
    buf_addf(&entry, "-%s", name_and_port);
    xfer->forget = curl_slist_append(xfer->forget, entry.data);
    if (!xfer->forget)
        out_of_memory();
    buf_release(&entry);
}

const char *xfer_library(void)
{
    return curl_version();
}
