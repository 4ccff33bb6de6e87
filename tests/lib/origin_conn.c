#include "origin_conn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#include "origin_log.h"
#include "origin_service.h"

enum {
    READ_HEAD = 4 * 1024,
    READ_UPLOAD = 16 * 1024,
    KEEP_INPUT = 4 * 1024,              /* what an idle connection may hold on to */
    KEEP_OUTPUT = 2 * ORIGIN_PIECE_MAX, /* what one may that goes on sending */
    PIECES_A_TURN = 16,                 /* of a body, before others have their turn */
};

/* How often a reset looks whether the client has all of what came before it. */
static const double reset_poll = 0.001;

enum conn_state {
    CONN_HEAD,    /* reading a head; nothing is in service */
    CONN_UPLOAD,  /* reading the request's body */
    CONN_DELAY,   /* waiting to begin */
    CONN_BEGIN,   /* about to answer, as the script says */
    CONN_SENDING, /* sending what is in `out`, then the next piece */
    CONN_PAUSE,   /* waiting to send more */
    CONN_SILENT,  /* says no more, until the client leaves */
    CONN_RESET,   /* waiting until the client has everything, to reset then */
};

/* What a step asks for: the next step, an event, or the end of the connection. */
enum step { STEP_AGAIN, STEP_WAIT, STEP_OVER };

struct origin_conn {
    struct origin_hub *hub;
    struct origin_conn *prev, *next;
    int fd;
    enum conn_state state;
    bool cut; /* the connection ends because the script says so */
    uint64_t number;
    char local[INET6_ADDRSTRLEN];
    char peer[INET6_ADDRSTRLEN];
    ev_io readable, writable;
    ev_timer timer;
    struct blob in, out;
    size_t out_at; /* how much of `out` is sent */
    struct origin_service service;
};

static enum step wait_for(struct origin_conn *conn, enum conn_state state, double seconds)
{
    conn->state = state;
    /* libev counts from the start of its turn, which would be early. */
    ev_now_update(conn->hub->loop);
    ev_timer_set(&conn->timer, seconds, 0.);
    ev_timer_start(conn->hub->loop, &conn->timer);
    return STEP_WAIT;
}

static enum step cut(struct origin_conn *conn, bool reset)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};

    conn->cut = true;
    if (reset)
        setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    return STEP_OVER;
}

/* Sends `out`; what the socket does not take waits for the writable watcher. */
static enum step flush(struct origin_conn *conn)
{
    struct ev_loop *loop = conn->hub->loop;

    while (conn->out_at < conn->out.len) {
        ssize_t sent =
            send(conn->fd, conn->out.at + conn->out_at, conn->out.len - conn->out_at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN) {
            ev_io_start(loop, &conn->writable);
            return STEP_WAIT;
        }
        if (sent < 0)
            return STEP_OVER;
        conn->out_at += (size_t)sent;
        conn->service.sent_bytes += (uint64_t)sent;
    }
    ev_io_stop(loop, &conn->writable);
    conn->out_at = 0;
    blob_clear(&conn->out, KEEP_OUTPUT);
    return STEP_AGAIN;
}

/* For what comes before any answer: there is room, and a client that has left needs none. */
static void send_text(struct origin_conn *conn, const char *text)
{
    (void)!send(conn->fd, text, strlen(text), MSG_NOSIGNAL);
}

static enum step refuse_head(struct origin_conn *conn)
{
    send_text(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return STEP_OVER;
}

static enum step step_head(struct origin_conn *conn)
{
    struct origin_service *service = &conn->service;
    size_t len = conn->in.len ? origin_request_head_len(conn->in.at, conn->in.len) : 0;
    struct origin_request request;

    if (!len)
        return conn->in.len < ORIGIN_HEAD_MAX ? STEP_WAIT : refuse_head(conn);
    if (!origin_request_parse(&request, conn->in.at, len))
        return refuse_head(conn);
    struct origin_path path = {conn->number, conn->local, conn->peer};
    origin_service_begin(service, conn->hub->log, conn->hub->keys, &request, &path);
    conn->state = CONN_UPLOAD;
    blob_drop(&conn->in, len);
    if (request.expects_continue && !origin_service_is_uploaded(service) && !conn->in.len)
        send_text(conn, "HTTP/1.1 100 Continue\r\n\r\n");
    return STEP_AGAIN;
}

static enum step step_upload(struct origin_conn *conn)
{
    struct origin_service *service = &conn->service;

    blob_drop(&conn->in, origin_service_upload(service, blob_text(&conn->in), conn->in.len));
    if (!origin_service_is_uploaded(service))
        return STEP_WAIT;
    const struct origin_script *script = origin_service_script(service);
    if (script && script->delay > 0)
        return wait_for(conn, CONN_DELAY, script->delay);
    conn->state = CONN_BEGIN;
    return STEP_AGAIN;
}

static enum step step_begin(struct origin_conn *conn)
{
    struct origin_service *service = &conn->service;
    const struct origin_script *script = origin_service_script(service);

    if (script && (script->close_now || script->reset_head))
        return cut(conn, script->reset_head);
    conn->state = script && script->silent ? CONN_SILENT : CONN_SENDING;
    if (conn->state == CONN_SILENT)
        return STEP_WAIT;
    if (script && script->garbage) {
        blob_add_text(&conn->out, "220 this is \001\002 no web server\r\n\r\n");
        service->answer.over = service->answer.close = true;
    } else
        origin_service_answer(service, &conn->out);
    return STEP_AGAIN;
}

static enum step end_answer(struct origin_conn *conn)
{
    struct origin_service *service = &conn->service;
    bool close = service->answer.close;

    conn->state = CONN_HEAD;
    origin_service_end(service, origin_service_is_cut(service) ? ORIGIN_CUT : ORIGIN_ANSWERED);
    if (close)
        return STEP_OVER;
    if (!conn->in.len)
        blob_clear(&conn->in, KEEP_INPUT);
    ev_io_start(conn->hub->loop, &conn->readable);
    return STEP_AGAIN;
}

/* All of `out` went: puts the next piece there, or turns to what the script wants now. */
static enum step refill(struct origin_conn *conn)
{
    struct origin_service *service = &conn->service;
    const struct origin_script *script = &service->script;

    if (service->answer.over)
        return end_answer(conn);
    uint64_t allowed = origin_service_allowance(service);
    if (allowed) {
        origin_service_continue(service, allowed, &conn->out);
        return STEP_AGAIN;
    }
    if (service->head_pause)
        return wait_for(conn, CONN_PAUSE, script->head_delay);
    if (service->answer.sent >= script->reset_at) {
        conn->state = CONN_RESET;
        return STEP_AGAIN;
    }
    if (service->answer.sent >= script->stall_at) {
        conn->state = CONN_SILENT;
        return STEP_WAIT;
    }
    return wait_for(conn, CONN_PAUSE, script->drip_seconds);
}

static enum step step_sending(struct origin_conn *conn)
{
    for (int pieces = 0; pieces < PIECES_A_TURN; pieces++) {
        enum step step = flush(conn);
        if (step != STEP_AGAIN)
            return step;
        step = refill(conn);
        if (step != STEP_AGAIN || conn->state != CONN_SENDING)
            return step;
    }
    ev_io_start(conn->hub->loop, &conn->writable);
    return STEP_WAIT;
}

static enum step step_reset(struct origin_conn *conn)
{
    int unread = 0;

    /* A reset takes back what the client's side has not acknowledged. */
    if (ioctl(conn->fd, SIOCOUTQ, &unread) == 0 && unread > 0)
        return wait_for(conn, CONN_RESET, reset_poll);
    return cut(conn, true);
}

static enum step step(struct origin_conn *conn)
{
    switch (conn->state) {
    case CONN_HEAD: return step_head(conn);
    case CONN_UPLOAD: return step_upload(conn);
    case CONN_BEGIN: return step_begin(conn);
    case CONN_SENDING: return step_sending(conn);
    case CONN_RESET: return step_reset(conn);
    case CONN_DELAY:
    case CONN_PAUSE:
    case CONN_SILENT: return STEP_WAIT;
    }
    abort();
}

static void conn_free(struct origin_conn *conn)
{
    struct origin_hub *hub = conn->hub;

    if (conn->state != CONN_HEAD)
        origin_service_end(&conn->service, conn->cut ? ORIGIN_CUT : ORIGIN_ABANDONED);
    ev_io_stop(hub->loop, &conn->readable);
    ev_io_stop(hub->loop, &conn->writable);
    ev_timer_stop(hub->loop, &conn->timer);
    close(conn->fd);
    blob_release(&conn->in);
    blob_release(&conn->out);
    DL_DELETE(hub->conns, conn);
    hub->open--;
    atomic_fetch_sub(&hub->log->open, 1);
    free(conn);
}

/* Goes on as far as it can; the connection may be gone afterwards. */
static void advance(struct origin_conn *conn)
{
    enum step next;

    do
        next = step(conn);
    while (next == STEP_AGAIN);
    if (next == STEP_OVER)
        conn_free(conn);
}

/* Reads in every state, to see a client leave. */
static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct origin_conn *conn = watcher->data;
    size_t want = conn->state == CONN_UPLOAD ? READ_UPLOAD : READ_HEAD;
    size_t room = ORIGIN_HEAD_MAX - conn->in.len;

    (void)events;
    if (!room) {
        /* A pipelining client; end_answer lets it on. */
        ev_io_stop(loop, watcher);
        return;
    }
    want = want < room ? want : room;
    ssize_t got = recv(conn->fd, blob_reserve(&conn->in, want), want, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        conn_free(conn);
        return;
    }
    blob_extend(&conn->in, (size_t)got);
    if (conn->state == CONN_HEAD || conn->state == CONN_UPLOAD)
        advance(conn);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    advance(watcher->data);
}

static void on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct origin_conn *conn = watcher->data;
    struct origin_service *service = &conn->service;

    (void)loop;
    (void)events;
    if (conn->state == CONN_DELAY)
        conn->state = CONN_BEGIN;
    else if (conn->state == CONN_PAUSE) {
        conn->state = CONN_SENDING;
        /* The pause before the body, or the one that a drip makes. */
        if (!service->head_pause)
            service->drip_left = service->script.drip_bytes;
        service->head_pause = false;
    }
    advance(conn);
}

/* What getsockname or getpeername gave, as text; "" of a Unix socket, which has no address. */
static void show_address(const struct sockaddr_storage *address, socklen_t len, char *text)
{
    if (address->ss_family == AF_UNIX ||
        getnameinfo((const void *)address, len, text, INET6_ADDRSTRLEN, NULL, 0, NI_NUMERICHOST))
        text[0] = '\0';
}

static void note_addresses(struct origin_conn *conn)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;

    /* Nothing asks for them where nothing is logged. */
    if (!conn->hub->log->capacity)
        return;
    if (getsockname(conn->fd, (void *)&address, &len) == 0)
        show_address(&address, len, conn->local);
    len = sizeof address;
    if (getpeername(conn->fd, (void *)&address, &len) == 0)
        show_address(&address, len, conn->peer);
}

void origin_conn_start(struct origin_hub *hub, int fd)
{
    struct origin_conn *conn = calloc(1, sizeof *conn);
    struct origin_log *log = hub->log;

    if (!conn)
        abort();
    conn->hub = hub;
    conn->fd = fd;
    conn->number = atomic_fetch_add(&log->accepted, 1) + 1;
    note_addresses(conn);
    ev_io_init(&conn->readable, on_readable, fd, EV_READ);
    ev_io_init(&conn->writable, on_writable, fd, EV_WRITE);
    ev_timer_init(&conn->timer, on_timer, 0., 0.);
    conn->readable.data = conn->writable.data = conn->timer.data = conn;
    ev_io_start(hub->loop, &conn->readable);
    DL_APPEND(hub->conns, conn);
    hub->open++;
    uint64_t open = atomic_fetch_add(&log->open, 1) + 1;
    if (open > atomic_load(&log->open_peak))
        atomic_store(&log->open_peak, open);
}

void origin_conn_stop_all(struct origin_hub *hub)
{
    struct origin_conn *conn, *next;

    DL_FOREACH_SAFE(hub->conns, conn, next)
        conn_free(conn);
}
