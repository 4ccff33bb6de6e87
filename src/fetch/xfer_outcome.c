#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/codes.h"
#include "base/decoder.h"
#include "cli/options.h"
#include "core/task.h"
#include "fetch/xfer_internal.h"
#include "fetch/xfer_setup.h"
#include "input/partial.h"

enum { STATUS_OK = 200 };

const char *xfer_location(const struct transfer *transfer, long code)
{
    const char *location = code_is_redirect(code) ? xfer_header(transfer, "Location") : NULL;

    return location && location[strspn(location, " \t\r")] ? location : NULL;
}

long xfer_status(const struct transfer *transfer)
{
    long code = 0;

    if (transfer->rest == CONTINUATION_REST || transfer->rest == CONTINUATION_COMPLETE)
        return STATUS_OK;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

bool xfer_descriptors_are_out(void)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

    if (fd >= 0)
        close(fd);
    return fd < 0 && errno == EMFILE;
}

void xfer_look_at_gate(struct transfer *transfer)
{
    if (!transfer->head_is_whole || !gate_is_concerned(&transfer->gate))
        return;
    struct gate_verdict verdict = gate_judge(&transfer->gate, transfer->task->result.http_code,
                                             clock_wall(), transfer->xfer->options->gate_max);
    transfer->task->closed_for = verdict.seconds;
    if (transfer->xfer->options->verbose)
        xfer_trace_gate(transfer, &verdict);
}

/* From the request's last byte to the answer's first. */
static double waited_for_answer(CURL *easy)
{
    curl_off_t ready = 0, first = 0;

    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
    curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &first);
    return (double)(first - ready) / 1e6;
}

static void fill_answer(struct transfer *transfer)
{
    struct task *task = transfer->task;
    const char *location = xfer_location(transfer, task->result.http_code);

    task->outcome = OUTCOME_ANSWERED;
    if (transfer->xfer->options->adaptive)
        task->latency = waited_for_answer(transfer->easy);
    if (location)
        task->location = xstrdup(location);
}

static void fill_no_room(struct transfer *transfer)
{
    struct task *task = transfer->task;

    task->outcome = OUTCOME_NO_ROOM;
    if (!task->next_in_order && request_may_repeat(transfer->ask.method))
        return;
    task->outcome = OUTCOME_FAILED;
    result_setf(&task->result, REASON_TOO_LARGE, "no room to hold the %s (--memory, --spool-max)",
                transfer->body_seen ? "body" : "headers");
}

static void fill_body_trouble(struct transfer *transfer)
{
    struct task *task = transfer->task;

    if (transfer->is_over_limit && transfer->body_goes == BODY_UNWANTED) {
        task->result.exitcode = 0;
        fill_answer(transfer); /* its status is all there is to know */
    } else if (transfer->is_over_limit) {
        task->outcome = OUTCOME_FAILED;
        task->result.exitcode = CURLE_FILESIZE_EXCEEDED;
        result_setf(&task->result, REASON_TOO_LARGE, "more than %llu bytes (--max-filesize)",
                    (unsigned long long)transfer->xfer->options->max_filesize);
    } else if (transfer->body_error == -ENOBUFS) {
        fill_no_room(transfer);
    } else if (transfer->body_goes == BODY_TO_SINK) {
        task->outcome = OUTCOME_FAILED;
        result_setf(&task->result, REASON_OUTPUT, "%s", transfer->body_message.data);
    } else {
        /* The spool is made once a descriptor is free for it. */
        bool is_short = transfer->body_error == -EMFILE || transfer->body_error == -ENFILE;
        task->outcome = is_short && request_may_repeat(transfer->ask.method)
                            ? OUTCOME_NO_DESCRIPTOR
                            : OUTCOME_LOCAL_TROUBLE;
        result_setf(&task->result, REASON_OUTPUT, "%s", transfer->body_message.data);
    }
}

/* Where libcurl says that a server has not looked at a stream of HTTP/2, nobody has. Where it does
 * not, any that got no byte on a connection used before may be such a one. */
static bool is_untouched(const struct transfer *transfer, CURLcode code)
{
    long connects = 0, headers = 0;

    if (transfer->xfer->options->http == OPTION_HTTP_1_1 ||
        (!request_may_repeat(transfer->ask.method) && !transfer->exchange.is_refused))
        return false;
    if (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR && code != CURLE_HTTP2 &&
        code != CURLE_HTTP2_STREAM && code != CURLE_GOT_NOTHING)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(transfer->easy, CURLINFO_HEADER_SIZE, &headers);
    return (connects == 0 || transfer->exchange.is_refused) && headers == 0;
}

static void fill_failure(struct transfer *transfer, CURLcode code)
{
    struct task *task = transfer->task;
    const char *message = xfer_words(code, transfer->message);
    bool connecting = code == CURLE_COULDNT_CONNECT || xfer_is_unresolved(code) ||
                      code == CURLE_SSL_CACERT_BADFILE;

    task->outcome = OUTCOME_FAILED;
    if ((transfer->no_descriptor && !transfer->connected) ||
        (connecting && xfer_descriptors_are_out()))
        task->outcome = OUTCOME_NO_DESCRIPTOR;
    else if (is_untouched(transfer, code))
        task->outcome = OUTCOME_UNTOUCHED;
    if (xfer_is_unresolved(code))
        xfer_share_note_unresolved(transfer);
    result_setf(&task->result, xfer_reason(code, message), "%s", message);
}

static void fill_malformed(struct transfer *transfer, const char *words)
{
    struct result *result = &transfer->task->result;

    transfer->task->outcome = OUTCOME_FAILED;
    result->exitcode = CURLE_BAD_CONTENT_ENCODING;
    result_setf(result, REASON_ENCODING, "%s", words);
}

static void fill_kept_back(struct transfer *transfer)
{
    struct task *task = transfer->task;

    task->outcome = OUTCOME_FAILED;
    task->result.exitcode = CURLE_SEND_FAIL_REWIND;
    result_setf(&task->result, REASON_RESET,
                "the connection ended before an answer; a request that may have been acted on is "
                "not sent twice");
}

/* libcurl takes a connection that ends within the headers for the end of an empty answer. */
static void fill_cut_head(struct transfer *transfer)
{
    struct task *task = transfer->task;

    task->outcome = OUTCOME_FAILED;
    task->result.exitcode = CURLE_PARTIAL_FILE;
    result_setf(&task->result, REASON_RESET, "the connection ended within the headers");
}

static void fill_trailers(struct transfer *transfer)
{
    struct task *task = transfer->task;

    task->outcome = OUTCOME_FAILED;
    task->result.exitcode = CURLE_RECV_ERROR;
    result_setf(&task->result, REASON_PROTOCOL, "the trailers are larger than 64 KiB");
}

/* A server of HTTP/2 may answer before it has read the request, and then end the stream. libcurl
 * 7.88 takes that for a failure, since it could not send the rest, and has the whole answer. */
static bool has_all_it_announced(const struct transfer *transfer, CURLcode code)
{
    curl_off_t announced = -1, came = 0;
    long version = 0;

    if ((code != CURLE_HTTP2_STREAM && code != CURLE_PARTIAL_FILE) || !transfer->head_is_whole ||
        transfer->task->result.http_code < 200)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &came);
    return version == CURL_HTTP_VERSION_2_0 && came == announced;
}

/* A body of no bytes has not been seen yet. One that was continued ends where it was said to. */
static CURLcode end_body(struct transfer *transfer)
{
    struct task *task = transfer->task;

    if (!transfer->body_seen) {
        xfer_begin_body(transfer);
        task->result.http_code = xfer_status(transfer);
    }
    if (transfer->body_error)
        return CURLE_WRITE_ERROR;
    if (transfer->rest == CONTINUATION_COMPLETE)
        task->result.body_bytes = task->partial->len;
    if (transfer->rest == CONTINUATION_REST && task->result.body_bytes != task->partial->total)
        return CURLE_PARTIAL_FILE;
    return CURLE_OK;
}

void xfer_fill_outcome(struct transfer *transfer)
{
    CURLcode code = transfer->code;
    struct result *result = &transfer->task->result;

    result->http_code = xfer_status(transfer);
    if (transfer->body_goes == BODY_REDIRECT) {
        xfer_look_at_gate(transfer);
        fill_answer(transfer);
        return;
    }
    if (has_all_it_announced(transfer, code))
        code = CURLE_OK;
    if (code == CURLE_OK && transfer->head_is_whole)
        code = end_body(transfer);
    bool is_cut = code == CURLE_OK && transfer->decoder && !decoder_is_whole(transfer->decoder);
    xfer_look_at_gate(transfer);
    if (transfer->exchange.is_kept_back) {
        fill_kept_back(transfer);
        return;
    }
    if (transfer->rest == CONTINUATION_MISFIT) {
        transfer->task->outcome = OUTCOME_MISFIT;
        return;
    }
    if (transfer->trailers_are_over) {
        fill_trailers(transfer);
        return;
    }
    if (transfer->is_malformed || is_cut) {
        fill_malformed(transfer, is_cut ? "the compressed content ends too early"
                                        : transfer->body_message.data);
        return;
    }
    if (code == CURLE_OK && !transfer->head_is_whole) {
        fill_cut_head(transfer);
        return;
    }
    if (code == CURLE_OK) {
        fill_answer(transfer);
        return;
    }
    result->exitcode = (int)code;
    if (transfer->is_over_limit || transfer->body_error)
        fill_body_trouble(transfer);
    else
        fill_failure(transfer, code);
}
