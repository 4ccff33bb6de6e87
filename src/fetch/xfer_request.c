#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/options.h"
#include "core/task.h"
#include "fetch/xfer_internal.h"
#include "fetch/xfer_login.h"
#include "fetch/xfer_setup.h"
#include "input/condition.h"
#include "input/framing.h"
#include "input/url.h"

/* What was set once on some handle was accepted; only memory can be missing now. */
static void must(CURLcode code)
{
    if (code != CURLE_OK)
        out_of_memory();
}

/* ---- the payload ---- */

size_t xfer_on_read(char *bytes, size_t size, size_t count, void *userdata)
{
    struct transfer *transfer = userdata;
    uint64_t room = size * count, left = transfer->ask.payload_len - transfer->sent;
    size_t len = (size_t)MIN(room, left);
    ssize_t got = (ssize_t)len;

    transfer->heard_at = transfer->xfer->now;
    if (transfer->payload_fd >= 0 && len)
        got = pread(transfer->payload_fd, bytes, len, (off_t)transfer->sent);
    else if (len)
        memcpy(bytes, transfer->ask.payload + transfer->sent, len);
    /* A file that became shorter meanwhile cannot keep the length that was announced. */
    if (got < 0 || (got == 0 && len))
        return CURL_READFUNC_ABORT;
    transfer->sent += (uint64_t)got;
    return (size_t)got;
}

/* libcurl rewinds before it sends a request again; xfer_may_send says whether it may. A refusal here
 * would close a connection that other streams of HTTP/2 use, and libcurl up to 8.20 frees it twice. */
int xfer_on_seek(void *userdata, curl_off_t offset, int origin)
{
    struct transfer *transfer = userdata;

    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > transfer->ask.payload_len)
        return CURL_SEEKFUNC_FAIL;
    transfer->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static int fail_payload(struct transfer *transfer, int error)
{
    result_setf(&transfer->task->result, REASON_OUTPUT, "cannot read %s: %s", transfer->ask.payload,
                error == EXDEV ? "it is not beneath --body-dir" : strerror(error));
    return -error;
}

/* The command line may name any file, or stdin, which is one by now; a request only one beneath
 * --body-dir. */
static int open_file(const struct xfer *xfer, const char *name)
{
    if (name != xfer->ask.payload)
        return file_open_beneath(xfer->options->body_dir, name);
    int fd = strcmp(name, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                    : open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static int open_payload(struct transfer *transfer)
{
    struct stat status;

    int fd = open_file(transfer->xfer, transfer->ask.payload);
    if (fd < 0) {
        transfer->no_descriptor = fd == -EMFILE || fd == -ENFILE;
        return fail_payload(transfer, -fd);
    }
    transfer->payload_fd = fd;
    if (fstat(transfer->payload_fd, &status) < 0)
        return fail_payload(transfer, errno);
    if (!S_ISREG(status.st_mode))
        return fail_payload(transfer, S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
    transfer->ask.payload_len = (uint64_t)status.st_size;
    return 0;
}

static void set_payload(struct transfer *transfer)
{
    CURL *easy = transfer->easy;

    must(curl_easy_setopt(easy, CURLOPT_POST, 1L));
    must(
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->ask.payload_len));
    must(curl_easy_setopt(easy, CURLOPT_READFUNCTION, xfer_on_read));
    must(curl_easy_setopt(easy, CURLOPT_READDATA, transfer));
    must(curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, xfer_on_seek));
    must(curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer));
    must(curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, xfer_on_progress));
    must(curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer));
    must(curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L));
}

/* ---- method and headers ---- */

static void set_method(struct transfer *transfer)
{
    const struct ask *ask = &transfer->ask;
    bool with_payload = ask->payload_kind != PAYLOAD_NONE;
    const char *usual = with_payload ? "POST" : "GET";

    if (with_payload)
        set_payload(transfer);
    if (strcmp(ask->method, "HEAD") == 0 && !with_payload)
        must(curl_easy_setopt(transfer->easy, CURLOPT_NOBODY, 1L));
    else if (strcmp(ask->method, usual) != 0)
        must(curl_easy_setopt(transfer->easy, CURLOPT_CUSTOMREQUEST, ask->method));
}

/* Whoever asks for an encoding gets it as it comes. */
static bool asks_for_encoding(const struct detail *detail)
{
    return detail && request_names_header(&detail->headers, "Accept-Encoding:");
}

/* As browsers have it: they stay with the payload, wherever that goes. */
static bool describes_payload(const char *header)
{
    static const char *const names[] = {"content-type", "content-encoding", "content-language",
                                        "content-location"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (xfer_header_is_named(header, names[i]))
            return true;
    }
    return false;
}

static void add_header(struct transfer *transfer, const char *header)
{
    const struct task *task = transfer->task;

    bool describes = describes_payload(header);
    bool travels = describes && transfer->ask.payload_kind != PAYLOAD_NONE;

    if ((describes && task->demoted) || (task->away && !travels && !xfer_header_is_safe(header)))
        return;
    if (xfer_header_is_named(header, "transfer-encoding"))
        return; /* see add_chunking */
    transfer->headers = xfer_append_header(transfer->xfer, transfer->headers, header);
}

static bool names_content_type(const struct transfer *transfer)
{
    for (const struct curl_slist *at = transfer->headers; at; at = at->next) {
        if (xfer_header_is_named(at->data, "content-type"))
            return true;
    }
    return false;
}

static bool asks_under_condition(const struct transfer *transfer)
{
    const struct condition *condition = transfer->task->condition;

    return condition && condition->is_sent;
}

static void add_condition(struct transfer *transfer)
{
    const struct condition *condition = transfer->task->condition;
    struct buf header;

    buf_init(&header);
    condition_add_if_none_match(condition, &header);
    if (header.len)
        transfer->headers = xfer_append(transfer->headers, header.data);
    buf_clear(&header);
    condition_add_if_modified_since(condition, &header);
    if (header.len)
        transfer->headers = xfer_append(transfer->headers, header.data);
    buf_release(&header);
}

/* libcurl sends no last chunk of a payload that it knows to be empty. Where it does not know a length,
 * from 8.x on for any chunks, it would ask the server first and wait. */
static void add_chunking(struct xfer *xfer, struct transfer *transfer, const struct strings *own)
{
    if (!request_names_header(own, framing_chunked))
        own = &xfer->options->headers;
    if (transfer->ask.payload_kind == PAYLOAD_NONE || !framing_chunks(own))
        return;
    transfer->headers = xfer_append(transfer->headers, framing_chunked);
    transfer->headers = xfer_append(transfer->headers, "Expect:");
    if (!transfer->ask.payload_len)
        must(curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1));
}

static void set_headers(struct xfer *xfer, struct transfer *transfer)
{
    static const struct strings none = {0};
    const struct detail *detail = transfer->task->request.detail;
    const struct strings *own = detail ? &detail->headers : &none;
    const struct ask *ask = &transfer->ask;

    bool is_own = ask->payload_kind != PAYLOAD_NONE && ask->payload != xfer->ask.payload;

    for (struct curl_slist *at = xfer->headers; at; at = at->next) {
        if (is_own && xfer->adds_json_type && xfer_header_is_named(at->data, "content-type"))
            continue;
        if (transfer->asks_rest && transfer->decodes &&
            xfer_header_is_named(at->data, "accept-encoding"))
            continue;
        if (!request_names_header(own, at->data))
            add_header(transfer, at->data);
    }
    for (size_t i = 0; i < own->len; i++)
        add_header(transfer, own->at[i]);
    add_chunking(xfer, transfer, own);
    if (transfer->asks_rest)
        xfer_ask_rest(transfer);
    if (transfer->task->traceparent)
        transfer->headers = xfer_append(transfer->headers, transfer->task->traceparent);
    if (asks_under_condition(transfer))
        add_condition(transfer);
    bool is_form = ask->payload_kind == PAYLOAD_BYTES && ask->payload == xfer->ask.payload;
    if (ask->payload_kind == PAYLOAD_JSON && !names_content_type(transfer))
        add_header(transfer, "Content-Type: application/json");
    else if (ask->payload_kind != PAYLOAD_NONE && !is_form && !names_content_type(transfer))
        transfer->headers = xfer_append(transfer->headers, "Content-Type:");
    must(curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers));
    must(xfer_set_own_connection(transfer->easy, transfer->headers));
}

/* ---- the whole request ---- */

static void set_reuse(struct xfer *xfer, struct transfer *transfer)
{
    /* A look for an idle connection walks all that a host has. While none of its transfers has
     * ended there is no idle one, and a wave of first requests does without. */
    const struct task *task = transfer->task;
    bool may_reuse = !task->is_first_wave || xfer->shares_connections;

    /* A name that is to be looked up again is not, where a connection is used again. */
    if (task->name_is_stale && task->looking_up)
        may_reuse = false;

    if (transfer->may_reuse == may_reuse)
        return;
    transfer->may_reuse = may_reuse;
    must(curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, may_reuse ? 0L : 1L));
}

static void add_name(struct transfer *transfer, const char *before, const char *behind)
{
    struct buf entry;

    buf_init(&entry);
    buf_add_text(&entry, before);
    url_add_name_and_port(transfer->task->url, &entry);
    buf_add_text(&entry, behind);
    transfer->resolve = xfer_append(transfer->resolve, entry.data);
    buf_release(&entry);
}

/* From 8.20 on libcurl remembers for as long as it keeps names that one was not found. The entry of
 * the host itself is taken out by its name; a proxy, or what --connect-to names, has another: all
 * entries go then. */
static void forget_others(struct xfer *xfer, struct transfer *transfer)
{
    if (!xfer->has_proxy && !xfer->connect_to)
        return;
    if (!xfer_share_take_unresolved(transfer) && !transfer->task->name_failed)
        return;
    transfer->is_tailored = true;
    must(curl_easy_setopt(transfer->easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L));
}

static void set_names(struct xfer *xfer, struct transfer *transfer)
{
    forget_others(xfer, transfer);
    transfer->resolve = xfer_share_take_forgotten(transfer);
    if (transfer->task->name_is_stale)
        add_name(transfer, "-", "");
    /* A SOCKS proxy gets the first address alone: libcurl 7.88 sends IPv4's, 8.x IPv6's. */
    if (xfer->tells_addresses && xfer->options->ip != OPTION_IP_6 &&
        url_is_localhost(transfer->task->url))
        add_name(transfer, "", ":127.0.0.1");
    if (!transfer->resolve)
        return;
    for (struct curl_slist *own = xfer->resolve; own; own = own->next)
        transfer->resolve = xfer_append(transfer->resolve, own->data);
    must(curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->resolve));
}

static bool wants_tailoring(const struct transfer *transfer)
{
    const struct task *task = transfer->task;
    const struct detail *detail = task->request.detail;

    return transfer->asks_rest || task->away || task->demoted || task->traceparent ||
           (transfer->xfer->options->auto_referer && task->result.n_passed) ||
           asks_under_condition(transfer) || (detail && !detail->is_plain) ||
           transfer->ask.payload_kind != PAYLOAD_NONE || strcmp(transfer->ask.method, "GET") != 0;
}

/* A reset of the handle leaves nothing of the last request's method, headers, payload or
 * credentials. libcurl keeps more than that through one, such as a challenge: for another host than
 * before a new handle takes its place. */
static void start_over(struct xfer *xfer, struct transfer *transfer, bool was_elsewhere)
{
    struct buf err;

    /* A reset forgets the list of files, and does not free it. */
    if (xfer->jar)
        must(curl_easy_setopt(transfer->easy, CURLOPT_COOKIEFILE, NULL));
    if (was_elsewhere) {
        curl_easy_cleanup(transfer->easy);
        transfer->easy = curl_easy_init();
        if (!transfer->easy)
            out_of_memory();
    } else {
        curl_easy_reset(transfer->easy);
    }
    transfer->exchange.listens = transfer->reads_much = false;
    buf_init(&err);
    if (xfer_setup_easy(xfer, transfer, transfer->task->away, &err))
        out_of_memory();
    buf_release(&err);
}

/* Whether the handle holds what is between us and another host. A plain request leaves nothing,
 * unless the server may ask who we are. */
static bool was_elsewhere(const struct xfer *xfer, struct transfer *transfer, bool tailored)
{
    bool is_plain = !tailored && xfer->options->auth == OPTION_AUTH_BASIC;
    struct buf host;

    if (is_plain && !transfer->spoke_to)
        return false;
    buf_init(&host);
    url_add_host(transfer->task->url, &host);
    bool elsewhere = transfer->spoke_to && strcmp(transfer->spoke_to, host.data) != 0;
    free(transfer->spoke_to);
    transfer->spoke_to = is_plain ? NULL : xstrdup(host.data);
    buf_release(&host);
    return elsewhere;
}

static struct ask ask_of(const struct xfer *xfer, const struct task *task)
{
    struct ask get = {.method = "GET"};

    return task->demoted ? get : request_ask(&task->request, &xfer->ask);
}

/* The URL that led here, save from https to http, as RFC 9110 has it. */
static void set_referer(struct transfer *transfer)
{
    const struct task *task = transfer->task;
    const struct result *result = &task->result;
    struct url *before = NULL;
    struct buf text;

    buf_init(&text);
    if (url_parse(result->passed[result->n_passed - 1], "http", &before, &text) == 0) {
        buf_clear(&text);
        url_add_referer(before, &text);
        bool is_told = !url_has_scheme(before, "https") || url_has_scheme(task->url, "https");
        must(curl_easy_setopt(transfer->easy, CURLOPT_REFERER, is_told ? text.data : NULL));
    }
    url_free(before);
    buf_release(&text);
}

/* A request with an Authorization of its own is nobody of .netrc, wherever it is led. */
static bool names_who_we_are(const struct transfer *transfer)
{
    const struct detail *detail = transfer->task->request.detail;

    return detail && request_names_header(&detail->headers, "Authorization:");
}

static int tailor(struct xfer *xfer, struct transfer *transfer)
{
    if (transfer->ask.payload_kind == PAYLOAD_FILE) {
        int result = open_payload(transfer);
        if (result)
            return result;
    }
    set_method(transfer);
    set_headers(xfer, transfer);
    if (xfer->options->auto_referer && transfer->task->result.n_passed)
        set_referer(transfer);
    if (names_who_we_are(transfer))
        must(curl_easy_setopt(transfer->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED));
    return 0;
}

/* Bodies of a list are mostly alike. A large one is read in fewer calls; for a small one a large
 * buffer only costs, since libcurl allocates it for each request. */
static void set_buffer(const struct xfer *xfer, struct transfer *transfer)
{
    if (transfer->had_much == transfer->reads_much)
        return;
    long bytes = transfer->had_much ? xfer->read_max : CURL_MAX_WRITE_SIZE;
    /* libcurl 7.88 keeps the buffer of a stream of HTTP/2 whose connection has others, and then lets
     * nobody choose another size: the handle goes on with the one it has. */
    if (curl_easy_setopt(transfer->easy, CURLOPT_BUFFERSIZE, bytes) == CURLE_OK)
        transfer->reads_much = transfer->had_much;
}

int xfer_setup_request(struct xfer *xfer, struct transfer *transfer)
{
    struct task *task = transfer->task;
    bool tailored;
    int result = 0;

    transfer->sent = 0;
    transfer->ask = ask_of(xfer, task);
    transfer->asks_rest = xfer_wants_rest(transfer);
    if (transfer->asks_rest && task->condition)
        task->condition->is_sent = false; /* it says already of which body */
    transfer->decodes = xfer->decodes && !asks_for_encoding(task->request.detail);
    tailored = wants_tailoring(transfer);
    bool elsewhere = was_elsewhere(xfer, transfer, tailored);
    if (elsewhere || tailored || transfer->is_tailored)
        start_over(xfer, transfer, elsewhere);
    transfer->is_tailored = tailored;
    if (tailored)
        result = tailor(xfer, transfer);
    if (result)
        return result;
    must(curl_easy_setopt(transfer->easy, CURLOPT_CURLU, url_handle(task->url)));
    xfer_share_choose(transfer);
    xfer_listen(xfer, transfer);
    set_buffer(xfer, transfer);
    set_reuse(xfer, transfer);
    set_names(xfer, transfer);
    return 0;
}

void xfer_release_request(struct transfer *transfer)
{
    if (transfer->resolve)
        curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, NULL);
    curl_slist_free_all(transfer->resolve);
    transfer->resolve = NULL;
    if (transfer->headers)
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    if (transfer->payload_fd >= 0)
        close(transfer->payload_fd);
    transfer->payload_fd = -1;
}
