#include "fetch/xfer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "base/clock.h"
#include "base/codes.h"
#include "base/decoder.h"
#include "base/number.h"
#include "cli/options.h"
#include "core/task.h"
#include "fetch/xfer_crew.h"
#include "fetch/xfer_internal.h"
#include "fetch/xfer_login.h"
#include "fetch/xfer_setup.h"
#include "input/partial.h"

/* A body of so many bytes is large. */
enum { MUCH = 1024 * 1024 };

/* What large bodies are read into: of all transfers, and of one. */
enum { READ_BYTES = 8 * 1024 * 1024, READ_MAX = 256 * 1024 };

/* Behind the body libcurl keeps every header that comes. */
enum { TRAILERS_MAX = 64 * 1024 };

/* A body that nobody wants is waited for no longer than a new connection might take. */
#define DISCARD_TIME 0.1

enum { STATUS_FINAL = 200, STATUS_LOGIN = 401 };
/* Headers are kept by such pieces, for a server may send tens of thousands. */
enum { HEAD_PIECE = 4096 };

/* With a Content-Type and a message of usual lengths. */
enum { FACTS_BYTES = sizeof(struct facts) + 256 };

#define CONNECTING_LOOK 1.0

/* In seconds; longer than any resolver takes. */
#define LOOKUP_FOREVER (86400.0 * 20)

/* ---- deadlines ---- */

static double after(double start, double seconds)
{
    return seconds > 0 ? start + seconds : INFINITY;
}

static double max_time_of(const struct transfer *transfer)
{
    const struct detail *detail = transfer->task->request.detail;

    return detail && detail->timeout > 0 ? detail->timeout : transfer->xfer->options->max_time;
}

/* Whether the body that comes belongs to an answer that leads elsewhere. */
static bool is_nobodys(const struct transfer *transfer)
{
    return transfer->body_goes == BODY_REDIRECT || transfer->body_goes == BODY_LOGIN;
}

/* When the transfer is over unless something comes. */
static double deadline_of(const struct transfer *transfer)
{
    const struct options *options = transfer->xfer->options;

    if (transfer->waits)
        return INFINITY;
    if (is_nobodys(transfer))
        return transfer->heard_at + DISCARD_TIME;
    double limit = after(transfer->started_at, max_time_of(transfer));
    double patience = transfer->connected
                          ? after(transfer->heard_at, options->stall_timeout)
                          : after(transfer->connects_since, options->connect_timeout);

    return fmin(limit, patience);
}

/* When to look at a transfer next. Never later than its deadline, which is looked at again when it
 * comes, so that a byte costs nothing here; and while it connects each second, see nudge. */
static double next_look(const struct transfer *transfer, double now)
{
    double due = deadline_of(transfer);

    return transfer->connected ? due : fmin(due, now + CONNECTING_LOOK);
}

void xfer_look_at_deadline(struct transfer *transfer, double now)
{
    heap_move(&transfer->xfer->deadlines, &transfer->deadline, next_look(transfer, now));
}

/* ---- what libcurl tells while a transfer runs ---- */

void xfer_note_ended(struct transfer *transfer, CURLcode code)
{
    struct xfer *xfer = transfer->xfer;

    transfer->code = code;
    if (!transfer->task) {
        transfer->has_ended = true; /* see reap_lookups */
        return;
    }
    if (transfer->waits)
        xfer_brake_forget(transfer);
    heap_remove(&xfer->deadlines, &transfer->deadline);
    DL_DELETE(xfer->running, transfer);
    DL_APPEND(xfer->ended, transfer);
    transfer->has_ended = true;
}

static void note_found(struct transfer *transfer)
{
    if (transfer->found)
        return;
    transfer->found = true;
    transfer->found_waits = transfer->task->looking_up;
    if (transfer->found_waits)
        DL_APPEND2(transfer->xfer->found, transfer, prev_found, next_found);
}

int xfer_on_lookup(void *resolver, void *reserved, void *userdata)
{
    struct transfer *transfer = userdata;

    (void)resolver;
    (void)reserved;
    transfer->looks_up = true;
    return 0;
}

/* libcurl 8.23 connects to an address that a URL names, whatever the family asked for. */
static bool is_of_family_asked(const struct options *options, int family)
{
    return !(options->ip == OPTION_IP_4 && family == AF_INET6) &&
           !(options->ip == OPTION_IP_6 && family == AF_INET);
}

curl_socket_t xfer_on_open_socket(void *userdata, curlsocktype purpose,
                                  struct curl_sockaddr *address)
{
    struct transfer *transfer = userdata;

    (void)purpose;
    if (!transfer->task) {
        transfer->has_ended = true; /* all that it was left for has come to its end */
        return CURL_SOCKET_BAD;
    }
    note_found(transfer);
    if (!is_of_family_asked(transfer->xfer->options, address->family))
        return CURL_SOCKET_BAD;
    xfer_note_leaving(transfer);
    xfer_end_login(transfer);
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) {
        transfer->no_descriptor |= errno == EMFILE || errno == ENFILE;
        return CURL_SOCKET_BAD;
    }
    xfer_crew_note_opened(transfer, fd);
    return fd;
}

static void note_standing(struct transfer *transfer)
{
    if (transfer->stood_waits)
        return;
    transfer->stood_waits = true;
    DL_APPEND2(transfer->xfer->stood, transfer, prev_stood, next_stood);
}

/* The connection stands, new or reused, and the request is about to be sent. */
int xfer_on_connected(void *userdata, char *remote_ip, char *local_ip, int remote_port,
                      int local_port)
{
    struct transfer *transfer = userdata;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    note_found(transfer);
    xfer_end_login(transfer);
    transfer->connected = true;
    transfer->exchange.is_answered = false;
    transfer->heard_at = transfer->xfer->now;
    if (transfer->task->is_scout || transfer->task->is_probe)
        note_standing(transfer);
    if (deadline_of(transfer) < transfer->deadline.due)
        heap_move(&transfer->xfer->deadlines, &transfer->deadline, deadline_of(transfer));
    return xfer_may_send(transfer) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* Where the body of this answer goes. */
static enum body_way body_goes(const struct transfer *transfer)
{
    const struct xfer *xfer = transfer->xfer;
    bool accepted = codes_has(&xfer->options->accept, transfer->status);

    if (accepted && transfer->task->sink)
        return BODY_TO_SINK;
    if (xfer->wants.bodies == XFER_ALL_BODIES)
        return BODY_HELD;
    if (!accepted)
        return BODY_UNWANTED;
    return xfer->wants.bodies == XFER_ACCEPTED_BODIES ? BODY_HELD : BODY_COUNTED;
}

static int put_to_sink(struct transfer *transfer, const char *bytes, size_t len)
{
    struct task *task = transfer->task;
    int result = task->sink->write(task->sink, bytes, len, &transfer->body_message);

    if (!result && task->partial)
        task->partial->len += len;
    return result;
}

static int put_body(struct transfer *transfer, const char *bytes, size_t len)
{
    struct task *task = transfer->task;

    switch (transfer->body_goes) {
    case BODY_UNWANTED:
    case BODY_COUNTED:
    case BODY_REDIRECT:
    case BODY_LOGIN: return 0;
    case BODY_TO_SINK: return put_to_sink(transfer, bytes, len);
    case BODY_HELD: break;
    }
    int result = body_add(&task->body, transfer->xfer->store, bytes, len, task->next_in_order,
                          &transfer->body_message);
    if (!result && !task->next_in_order && brake_may_want(transfer->xfer->store))
        xfer_brake(transfer);
    return result;
}

int xfer_read_encoding(const struct transfer *transfer, struct decoder **decoder, struct buf *err)
{
    struct curl_header *header = NULL;
    int result = 0;

    for (size_t i = 0; !result && (i == 0 || i < header->amount) &&
                       curl_easy_header(transfer->easy, "Content-Encoding", i, CURLH_HEADER, -1,
                                        &header) == CURLHE_OK;
         i++)
        result = decoder_add(decoder, header->value, err);
    return result;
}

static void hold_decoder(struct transfer *transfer)
{
    struct store *store = transfer->xfer->store;
    size_t bytes = decoder_bytes(transfer->decoder);

    if (!bytes || transfer->task->next_in_order || store_may_hold(store, bytes)) {
        store_hold(store, bytes);
        return;
    }
    transfer->body_error = -ENOBUFS;
    decoder_free(transfer->decoder);
    transfer->decoder = NULL;
}

/* A coding that was not asked for is as bad as one that is broken. */
static void look_at_encoding(struct transfer *transfer)
{
    if (!transfer->decodes || transfer->rest != CONTINUATION_OTHER)
        return;
    transfer->is_malformed =
        xfer_read_encoding(transfer, &transfer->decoder, &transfer->body_message) != 0;
    hold_decoder(transfer);
}

uint64_t xfer_received(const struct xfer *xfer)
{
    return xfer->received;
}

/* Whether the answer is one to the question for the rest. */
static bool takes_rest(struct transfer *transfer)
{
    struct task *task = transfer->task;

    transfer->rest = transfer->asks_rest ? xfer_judge_rest(transfer) : CONTINUATION_OTHER;
    switch (transfer->rest) {
    case CONTINUATION_OTHER: return false;
    case CONTINUATION_REST:
        transfer->body_goes = BODY_TO_SINK;
        task->result.body_bytes = task->partial->len;
        return true;
    case CONTINUATION_COMPLETE: transfer->body_goes = BODY_UNWANTED; return true;
    case CONTINUATION_MISFIT: break;
    }
    task->is_misfit = true;
    transfer->body_goes = BODY_UNWANTED;
    xfer_forget_rest(task);
    return true;
}

void xfer_begin_body(struct transfer *transfer)
{
    struct sink *sink = transfer->task->sink;

    transfer->body_seen = true;
    if (takes_rest(transfer))
        return;
    transfer->body_goes = body_goes(transfer);
    if (transfer->body_goes != BODY_TO_SINK)
        return;
    xfer_note_whole(transfer);
    transfer->body_error = sink->restart(sink, &transfer->body_message);
}

static void count_body(struct transfer *transfer, size_t len)
{
    transfer->task->result.body_bytes += len;
    transfer->xfer->received += len;
}

/* -EFBIG where the connection is not worth the rest. */
static int discard(struct transfer *transfer, size_t len)
{
    count_body(transfer, len);
    return transfer->task->result.body_bytes > DISCARD_MAX ? -EFBIG : 0;
}

/* Bytes of the body as it is meant. */
static int take_body(void *userdata, const char *bytes, size_t len)
{
    struct transfer *transfer = userdata;
    uint64_t limit = transfer->xfer->options->max_filesize;

    count_body(transfer, len);
    transfer->is_over_limit = limit && transfer->task->result.body_bytes > limit;
    if (transfer->is_over_limit)
        return -EFBIG;
    transfer->body_error = put_body(transfer, bytes, len);
    return transfer->body_error;
}

size_t xfer_on_body(char *bytes, size_t size, size_t count, void *userdata)
{
    struct transfer *transfer = userdata;
    size_t len = size * count;
    int result;

    if (transfer->xfer->leaves_input)
        xfer_note_came(transfer, len);
    xfer_end_login(transfer); /* libcurl hands over nothing of a body whose question it answers */
    if (is_nobodys(transfer))
        return discard(transfer, len) ? CURL_WRITEFUNC_ERROR : len;
    transfer->heard_at = transfer->xfer->now;
    if (!transfer->body_seen) {
        xfer_begin_body(transfer);
        if (!transfer->body_error)
            look_at_encoding(transfer);
    }
    if (transfer->is_malformed || transfer->body_error || transfer->rest == CONTINUATION_MISFIT)
        return CURL_WRITEFUNC_ERROR;
    if (transfer->rest == CONTINUATION_COMPLETE)
        return len;
    if (!transfer->decoder)
        return take_body(transfer, bytes, len) ? CURL_WRITEFUNC_ERROR : len;
    result = decoder_feed(transfer->decoder, bytes, len, take_body, transfer);
    transfer->is_malformed = result && !transfer->body_error && !transfer->is_over_limit;
    if (transfer->is_malformed)
        buf_setf(&transfer->body_message, "the content does not decode");
    return result ? CURL_WRITEFUNC_ERROR : len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void keep_head(struct transfer *transfer)
{
    struct task *task = transfer->task;
    struct buf *head = &transfer->head;

    if (head->len && !transfer->body_error)
        transfer->body_error = body_add(&task->head, transfer->xfer->store, head->data, head->len,
                                        task->next_in_order, &transfer->body_message);
    buf_clear(head);
}

static const char *end_of_line(const char *line, size_t len)
{
    if (len && line[len - 1] == '\n')
        return len > 1 && line[len - 2] == '\r' ? "\r\n" : "\n";
    return "";
}

/* A line that begins with a blank is the rest of the header before it, which goes on behind one
 * space. So the end of a line is added once the next line has begun, or the head is whole. */
static void add_header_line(struct transfer *transfer, const char *line, size_t len)
{
    struct buf *head = &transfer->head;
    const char *end = end_of_line(line, len);
    bool is_rest = len && is_blank(*line) && head->len;

    if (!is_rest && head->len >= HEAD_PIECE)
        keep_head(transfer);
    len -= strlen(end);
    for (; is_rest && len && is_blank(*line); line++)
        len--;
    while (is_rest && head->len && is_blank(head->data[head->len - 1]))
        head->len--;
    buf_add_text(head, is_rest ? " " : transfer->line_end);
    buf_add(head, line, len);
    transfer->line_end = end;
    if (!transfer->head_is_whole)
        return;
    buf_add_text(head, end);
    keep_head(transfer);
}

static void begin_head(struct transfer *transfer, const char *line, size_t len)
{
    struct task *task = transfer->task;

    /* An answer before the connection stands is a proxy's. */
    if (task->is_probe && transfer->connected && !task->is_heard) {
        task->is_heard = true;
        note_standing(transfer);
    }
    xfer_note_answer(transfer, line, len);
    transfer->head_is_whole = false;
    xfer_end_login(transfer);
    transfer->gate = (struct gate_words){0};
    if (!transfer->xfer->wants.headers)
        return;
    transfer->line_end = "";
    buf_clear(&transfer->head);
    body_clear(&transfer->task->head, transfer->xfer->store);
}

/* Whether such a body is short enough to be read, and its connection is kept then. */
static bool is_worth_reading(const struct transfer *transfer)
{
    const char *connection = xfer_header(transfer, "Connection");
    uint64_t bytes = 0;

    if (connection && strcasecmp(connection, "close") == 0)
        return false;
    const char *length = xfer_header(transfer, "Content-Length");
    return !length || (number_read_count(length, &bytes) == 0 && bytes <= DISCARD_MAX);
}

/* Nobody wants the body of a redirect that is followed, or of a question who we are that is answered:
 * it can neither fail nor delay the request. Returns false where the transfer may end here. */
static bool end_head(struct transfer *transfer)
{
    transfer->head_is_whole = true;
    transfer->status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &transfer->status);
    transfer->exchange.is_answered = transfer->status >= STATUS_FINAL;
    if (transfer->xfer->options->location && xfer_location(transfer, transfer->status))
        transfer->body_goes = BODY_REDIRECT;
    else if (transfer->status == STATUS_LOGIN && xfer_may_log_in(transfer))
        transfer->body_goes = BODY_LOGIN;
    else
        return true;
    xfer_look_at_deadline(transfer, transfer->xfer->now);
    return is_worth_reading(transfer);
}

/* Whatever a line looks like: until the request goes out again only trailers follow the answer. */
static bool has_too_many_trailers(struct transfer *transfer, size_t len)
{
    transfer->trailer_bytes += transfer->exchange.is_answered ? len : 0;
    transfer->trailers_are_over = transfer->trailer_bytes > TRAILERS_MAX;
    return transfer->trailers_are_over;
}

/* Each answer begins with its status line and its head ends with an empty one: of several, as after
 * 100 Continue, the last one counts. What comes behind the head are trailers, which are not kept.
 * Returns false where the transfer may end here. */
static bool read_header_line(struct transfer *transfer, const char *bytes, size_t len)
{
    bool goes_on = true;

    if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
        begin_head(transfer, bytes, len);
    else if (transfer->head_is_whole)
        return true;
    else if (len && (*bytes == '\r' || *bytes == '\n'))
        goes_on = end_head(transfer);
    else
        gate_read_header(&transfer->gate, bytes, len);
    if (transfer->xfer->wants.headers)
        add_header_line(transfer, bytes, len);
    return goes_on && !transfer->body_error;
}

/* Gives libcurl `len`, or 0 to end the transfer. Stays out of line: most lines do not come here. */
static NOINLINE size_t take_header_line(struct transfer *transfer, const char *bytes, size_t len)
{
    if (transfer->xfer->leaves_input)
        xfer_note_came(transfer, len);
    if (has_too_many_trailers(transfer, len))
        return 0;
    return read_header_line(transfer, bytes, len) ? len : 0;
}

/* Whether a line is in a head that is not kept, and none that is looked at: most are. */
static bool says_nothing(const struct transfer *transfer, const char *bytes, size_t len)
{
    const struct xfer *xfer = transfer->xfer;

    return len && *bytes != 'H' && *bytes != '\r' && *bytes != '\n' && !gate_may_read(*bytes) &&
           !transfer->exchange.is_answered && !xfer->wants.headers && !xfer->leaves_input;
}

size_t xfer_on_header(char *bytes, size_t size, size_t count, void *userdata)
{
    struct transfer *transfer = userdata;
    size_t len = size * count;

    if (!is_nobodys(transfer))
        transfer->heard_at = transfer->xfer->now;
    return says_nothing(transfer, bytes, len) ? len : take_header_line(transfer, bytes, len);
}

/* ---- the pool ---- */

static void free_transfer(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    buf_release(&transfer->body_message);
    buf_release(&transfer->head);
    free(transfer->spoke_to);
    free(transfer);
}

static int new_transfer(struct xfer *xfer, struct transfer **ret_transfer, struct buf *err)
{
    struct transfer *transfer = xcalloc(1, sizeof *transfer);

    transfer->xfer = xfer;
    transfer->payload_fd = -1;
    buf_init(&transfer->body_message);
    buf_init(&transfer->head);
    transfer->easy = curl_easy_init();
    if (!transfer->easy)
        out_of_memory();
    int result = xfer_setup_easy(xfer, transfer, false, err);
    if (result) {
        free_transfer(transfer);
        return result;
    }
    *ret_transfer = transfer;
    return 0;
}

/* A first handle is made at once, so that an option libcurl refuses is told before any request;
 * none of those made later can then fail. */
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

/* Puts the handle back. */
static void keep_handle(struct xfer *xfer, struct transfer *transfer)
{
    xfer_release_request(transfer);
    transfer->crew = NULL;
    transfer->lot = NULL;
    DL_PREPEND(xfer->pool, transfer);
}

/* Parts task and transfer, and puts the handle back. */
static void give_transfer(struct xfer *xfer, struct transfer *transfer)
{
    if (transfer->found_waits)
        DL_DELETE2(xfer->found, transfer, prev_found, next_found);
    if (transfer->stood_waits)
        DL_DELETE2(xfer->stood, transfer, prev_stood, next_stood);
    transfer->found_waits = transfer->stood_waits = false;
    if (transfer->waits)
        xfer_brake_forget(transfer);
    if (transfer->has_ended) {
        DL_DELETE(xfer->ended, transfer);
    } else {
        heap_remove(&xfer->deadlines, &transfer->deadline);
        DL_DELETE(xfer->running, transfer);
    }
    transfer->had_much = transfer->task->result.body_bytes >= MUCH;
    /* libcurl counts the connections that died under a handle, and gives up at the sixth. */
    transfer->is_tailored |=
        transfer->exchange.has_lost_connection || transfer->exchange.awaits_answer;
    store_give(xfer->store, decoder_bytes(transfer->decoder));
    decoder_free(transfer->decoder);
    transfer->decoder = NULL;
    buf_clear(&transfer->head);
    transfer->task->transfer = NULL;
    transfer->task = NULL;
    keep_handle(xfer, transfer);
}

/* ---- lookups that outlive their transfers ---- */

static bool is_looking_up(const struct transfer *transfer)
{
    return transfer->looks_up && !transfer->found && !transfer->has_ended;
}

/* Parts task and transfer, which stays with libcurl until the name is found or is not: so long there
 * is a thread, with its descriptors. libcurl needs nothing of the task for that. */
static void leave_lookup(struct xfer *xfer, struct transfer *transfer)
{
    xfer_setup_forgive(transfer, LOOKUP_FOREVER);
    heap_remove(&xfer->deadlines, &transfer->deadline);
    DL_DELETE(xfer->running, transfer);
    DL_APPEND(xfer->left, transfer);
    transfer->task->transfer = NULL;
    transfer->task = NULL;
}

static void drop_lookup(struct xfer *xfer, struct transfer *transfer)
{
    DL_DELETE(xfer->left, transfer);
    keep_handle(xfer, transfer);
}

static void reap_lookups(struct xfer *xfer)
{
    struct transfer *next;

    for (struct transfer *transfer = xfer->left; transfer; transfer = next) {
        next = transfer->next;
        if (!transfer->has_ended)
            continue;
        if (xfer_is_unresolved(transfer->code))
            xfer_share_note_unresolved(transfer);
        xfer_crew_remove(transfer);
        drop_lookup(xfer, transfer);
    }
}

unsigned xfer_lookups_left(const struct xfer *xfer)
{
    const struct transfer *transfer;
    unsigned count = 0;

    DL_COUNT(xfer->left, transfer, count);
    return count;
}

/* ---- birth and death ---- */

int xfer_new(struct ev_loop *loop, const struct options *options, struct xfer_wants wants,
             struct store *store, struct xfer_bounds bounds, struct xfer **ret_xfer,
             struct buf *err)
{
    struct xfer *xfer = xcalloc(1, sizeof *xfer);
    struct transfer *first = NULL;

    *xfer = (struct xfer){
        .loop = loop, .options = options, .wants = wants, .store = store, .bounds = bounds};
    xfer->now = clock_now();
    xfer->read_max = MAX(CURL_MAX_WRITE_SIZE, MIN(READ_BYTES / (long)bounds.at_once, READ_MAX));
    heap_init(&xfer->deadlines);
    buf_init(&xfer->trace);
    xfer->leaves_input = xfer_leaves_input(options);
    buf_setf(err, "libcurl cannot be set up");
    int result = xfer_share_init(xfer);
    xfer_setup_lists(xfer);
    if (!result)
        result = xfer_crew_init(xfer);
    if (result == -EMFILE)
        buf_setf(err, "too many open files: libcurl cannot be set up");
    if (!result)
        result = xfer_check_library(options, err);
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

void xfer_stop(struct xfer *xfer)
{
    if (xfer->stopped)
        return;
    xfer->stopped = true;
    xfer_crew_release(xfer);
    while (xfer->running)
        give_transfer(xfer, xfer->running);
    while (xfer->ended)
        give_transfer(xfer, xfer->ended);
    while (xfer->left)
        drop_lookup(xfer, xfer->left);
    xfer->failed = NULL;
    xfer->some_may_wait = false; /* none is left to be woken */
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
    xfer_share_release(xfer);
    xfer_release_lists(xfer);
    heap_release(&xfer->deadlines);
    buf_release(&xfer->trace);
    free(xfer);
}

/* ---- a transfer's life ---- */

/* Takes the transfer from libcurl, and from its task. */
static void break_off(struct xfer *xfer, struct transfer *transfer)
{
    if (is_looking_up(transfer)) {
        leave_lookup(xfer, transfer);
        return;
    }
    xfer_crew_remove(transfer);
    give_transfer(xfer, transfer);
}

/* Ends a transfer that libcurl does not have. */
static void fail_early(struct xfer *xfer, struct transfer *transfer, enum outcome outcome)
{
    struct task *task = transfer->task;

    task->outcome = outcome;
    give_transfer(xfer, transfer);
    DL_APPEND(xfer->failed, task);
}

void xfer_start(struct xfer *xfer, struct task *task)
{
    struct transfer *transfer = take_transfer(xfer);

    assert(!xfer->stopped && !task->transfer);
    task->transfer = transfer;
    result_restart(&task->result);
    transfer->task = task;
    transfer->connected = transfer->found = transfer->looks_up = false;
    transfer->head_is_whole = transfer->body_seen = false;
    xfer_begin_sending(transfer);
    transfer->no_descriptor = transfer->has_ended = false;
    transfer->body_error = 0;
    transfer->body_goes = BODY_HELD;
    transfer->rest = CONTINUATION_OTHER;
    transfer->uploaded = 0;
    transfer->is_over_limit = transfer->is_malformed = false;
    transfer->body_goes = BODY_UNWANTED;
    transfer->has_logged_in = transfer->trailers_are_over = false;
    transfer->trailer_bytes = 0;
    transfer->message[0] = '\0';
    transfer->gate = (struct gate_words){0};
    task->closed_for = 0;
    task->has_connected = false;
    transfer->started_at = transfer->connects_since = transfer->heard_at = xfer->now;
    transfer->forgiven = 0;
    if (xfer->wants.facts && !task->result.facts) {
        result_want_facts(&task->result);
        task_hold(task, xfer->store, FACTS_BYTES);
    }
    if (task->result.facts && task->result.facts->begun_at <= 0)
        task->result.facts->begun_at = clock_wall();
    if (task->result.facts)
        task->result.facts->queued += xfer->now - task->since;
    DL_APPEND(xfer->running, transfer);
    heap_push(&xfer->deadlines, &transfer->deadline, next_look(transfer, xfer->now));
    if (xfer_setup_request(xfer, transfer))
        fail_early(xfer, transfer,
                   transfer->no_descriptor ? OUTCOME_NO_DESCRIPTOR : OUTCOME_FAILED);
    else
        xfer_crew_add(xfer, transfer);
}

bool xfer_has_ended(const struct task *task)
{
    return !task->transfer || task->transfer->has_ended;
}

void xfer_cancel(struct xfer *xfer, struct task *task)
{
    struct transfer *transfer = task->transfer;

    assert(transfer);
    break_off(xfer, transfer);
}

static void time_out(struct xfer *xfer, struct transfer *transfer, double now)
{
    const struct options *options = xfer->options;
    struct task *task = transfer->task;
    struct result *result = &task->result;

    if (is_nobodys(transfer)) {
        xfer_note_ended(transfer, CURLE_OPERATION_TIMEDOUT);
        return;
    }
    if (now >= after(transfer->started_at, max_time_of(transfer)))
        result_setf(result, REASON_TIMEOUT, "not done after %g s", max_time_of(transfer));
    else if (transfer->connected)
        result_setf(result, REASON_TIMEOUT, "no byte for %g s", options->stall_timeout);
    else
        result_setf(result, REASON_TIMEOUT, "not connected after %g s", options->connect_timeout);
    result->exitcode = CURLE_OPERATION_TIMEDOUT;
    result->http_code = xfer_status(transfer);
    task->has_connected = transfer->connected;
    xfer_look_at_gate(transfer);
    keep_head(transfer);
    xfer_fill_facts(transfer);
    task->outcome = OUTCOME_FAILED;
    break_off(xfer, transfer);
    DL_APPEND(xfer->failed, task);
}

/* After it gave up an address libcurl arms no timer to try the next: it has to be called. */
static void nudge(struct transfer *transfer)
{
    curl_easy_pause(transfer->easy, CURLPAUSE_RECV);
    curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
}

static void look_at_deadlines(struct xfer *xfer, double now)
{
    struct heap_node *node;

    while ((node = heap_peek(&xfer->deadlines)) && node->due <= now) {
        struct transfer *transfer = CONTAINER_OF(node, struct transfer, deadline);
        if (deadline_of(transfer) <= now) {
            time_out(xfer, transfer, now);
            continue;
        }
        heap_move(&xfer->deadlines, node, next_look(transfer, now));
        if (!transfer->connected)
            nudge(transfer);
    }
}

void xfer_run(struct xfer *xfer, double now)
{
    if (xfer->stopped)
        return;
    xfer->now = now;
    if (xfer->waiting)
        xfer_release_brake(xfer, now);
    if (xfer->some_may_wait)
        xfer_wake_all(xfer);
    xfer_crew_run(xfer, now);
    reap_lookups(xfer);
    look_at_deadlines(xfer, now);
}

void xfer_forgive(struct xfer *xfer, double seconds)
{
    for (struct transfer *transfer = xfer->running; transfer; transfer = transfer->next) {
        transfer->started_at += seconds;
        transfer->connects_since += seconds;
        transfer->heard_at += seconds;
        transfer->waits_since += seconds;
        if (!transfer->connected)
            xfer_setup_forgive(transfer, seconds);
        heap_move(&xfer->deadlines, &transfer->deadline, transfer->deadline.due + seconds);
    }
}

double xfer_due(const struct xfer *xfer)
{
    struct heap_node *node = heap_peek(&xfer->deadlines);

    /* What ended in a start's own xfer_run comes after the settling of that turn. */
    if (xfer->ended || xfer->failed || xfer->found || xfer->stood || xfer->some_may_wait)
        return 0;
    double due = fmin(xfer_crew_due(xfer), node ? node->due : INFINITY);
    return xfer->waiting ? fmin(due, xfer_brake_due(xfer)) : due;
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

struct task *xfer_next_connected(struct xfer *xfer)
{
    struct transfer *transfer = xfer->stood;

    if (!transfer)
        return NULL;
    DL_DELETE2(xfer->stood, transfer, prev_stood, next_stood);
    transfer->stood_waits = false;
    return transfer->task;
}

/* ---- the end of a transfer ---- */

/* The question who we are is known, whatever became of its body: asks again. */
static void log_in(struct transfer *transfer)
{
    struct xfer *xfer = transfer->xfer;

    xfer_crew_remove(transfer);
    DL_DELETE(xfer->ended, transfer);
    DL_APPEND(xfer->running, transfer);
    transfer->connected = transfer->has_ended = false;
    transfer->connects_since = xfer->now;
    transfer->head_is_whole = transfer->trailers_are_over = false;
    transfer->exchange.is_answered = false;
    transfer->trailer_bytes = 0;
    transfer->body_error = 0;
    transfer->message[0] = '\0';
    xfer_log_in(transfer);
    heap_push(&xfer->deadlines, &transfer->deadline, next_look(transfer, xfer->now));
    xfer_crew_add(xfer, transfer);
}

struct task *xfer_next_finished(struct xfer *xfer)
{
    struct task *task = xfer->failed;
    struct transfer *transfer = xfer->ended;

    if (task) {
        DL_DELETE(xfer->failed, task);
        return task;
    }
    while (transfer && transfer->body_goes == BODY_LOGIN && transfer->code != CURLE_OK) {
        log_in(transfer);
        transfer = xfer->ended;
    }
    if (!transfer)
        return NULL;
    task = transfer->task;
    task->has_connected = transfer->connected;
    keep_head(transfer);
    xfer_fill_outcome(transfer);
    xfer_fill_facts(transfer);
    xfer_crew_remove(transfer);
    give_transfer(xfer, transfer);
    return task;
}

const char *xfer_library(void)
{
    return curl_version();
}

void xfer_add_features(struct buf *out)
{
    static const struct {
        int bit;
        const char *name;
    } features[] = {{CURL_VERSION_HTTP2, "HTTP2"}, {CURL_VERSION_HTTP3, "HTTP3"},
                    {CURL_VERSION_IDN, "IDN"},     {CURL_VERSION_IPV6, "IPv6"},
                    {CURL_VERSION_PSL, "PSL"},     {CURL_VERSION_SSL, "SSL"}};
    int has = curl_version_info(CURLVERSION_NOW)->features;

    buf_add_text(out, "gzip deflate");
    for (size_t i = 0; i < ARRAY_LEN(features); i++) {
        if (has & features[i].bit)
            buf_addf(out, " %s", features[i].name);
    }
}
