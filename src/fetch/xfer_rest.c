#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/decoder.h"
#include "base/http_date.h"
#include "core/task.h"
#include "fetch/xfer_internal.h"
#include "fetch/xfer_setup.h"
#include "input/partial.h"
#include "input/url.h"

/* ---- asking ---- */

/* Only what is asked for whole, and goes where it can be added to. */
static bool may_continue(const struct transfer *transfer)
{
    const struct detail *detail = transfer->task->request.detail;

    return transfer->xfer->may_continue && transfer->task->sink &&
           transfer->ask.payload_kind == PAYLOAD_NONE && strcmp(transfer->ask.method, "GET") == 0 &&
           !(detail && (request_names_header(&detail->headers, "Range:") ||
                        request_names_header(&detail->headers, "If-Range:")));
}

static struct key source_of(const struct task *task)
{
    struct key key;
    struct buf text;

    buf_init(&text);
    url_add_text(task->url, &text);
    key = key_of_text(text.data);
    buf_release(&text);
    return key;
}

bool xfer_wants_rest(const struct transfer *transfer)
{
    const struct partial *partial = transfer->task->partial;

    if (!partial || !partial->len || !may_continue(transfer))
        return false;
    struct key source = source_of(transfer->task);
    return source.high == partial->source.high && source.low == partial->source.low;
}

/* Bytes behind those of a body that came plain are to come plain, too. */
void xfer_ask_rest(struct transfer *transfer)
{
    const struct partial *partial = transfer->task->partial;
    struct buf header;

    buf_init(&header);
    buf_addf(&header, "Range: bytes=%llu-", (unsigned long long)partial->len);
    transfer->headers = xfer_append(transfer->headers, header.data);
    buf_clear(&header);
    buf_addf(&header, "If-Range: %s", partial->validator);
    transfer->headers = xfer_append(transfer->headers, header.data);
    buf_release(&header);
    if (transfer->decodes)
        transfer->headers = xfer_append(transfer->headers, "Accept-Encoding: identity");
}

/* ---- hearing ---- */

const char *xfer_header(const struct transfer *transfer, const char *name)
{
    struct curl_header *header = NULL;

    return curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK
               ? header->value
               : NULL;
}

/* curl reads dates that are none of HTTP's three forms, too, but on 32 bits none beyond 2038. */
static int64_t date_of(const char *text)
{
    int64_t seconds;

    if (!text)
        return -1;
    return http_date_read(text, &seconds) == 0 ? seconds : (int64_t)curl_getdate(text, NULL);
}

static bool is_encoded(const struct transfer *transfer)
{
    struct decoder *decoder = NULL;
    struct buf err;

    buf_init(&err);
    bool is_unknown = xfer_read_encoding(transfer, &decoder, &err) != 0;
    bool result = is_unknown || decoder;
    buf_release(&err);
    decoder_free(decoder);
    return result;
}

/* What libcurl says of a header lives until it is asked for the next. */
static struct answer_head read_head(const struct transfer *transfer, struct strings *texts)
{
    static const char *const names[] = {"ETag", "Last-Modified", "Content-Range"};
    struct answer_head head = {.modified = -1, .dated = -1};
    const char **fields[] = {&head.etag, &head.last_modified, &head.content_range};

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &head.status);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = xfer_header(transfer, names[i]);
        if (!value)
            continue;
        strings_add(texts, xstrdup(value));
        *fields[i] = texts->at[texts->len - 1];
    }
    head.modified = date_of(head.last_modified);
    head.dated = head.last_modified ? date_of(xfer_header(transfer, "Date")) : -1;
    head.is_encoded = is_encoded(transfer);
    const char *ranges = xfer_header(transfer, "Accept-Ranges");
    head.refuses_ranges = ranges && strcasecmp(ranges, "none") == 0;
    return head;
}

static uint64_t total_of(const struct transfer *transfer)
{
    curl_off_t length = -1;

    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length >= 0 ? (uint64_t)length : PARTIAL_NO_TOTAL;
}

enum continuation xfer_judge_rest(const struct transfer *transfer)
{
    struct strings texts = {0};
    struct answer_head head = read_head(transfer, &texts);
    enum continuation verdict = continuation_judge(transfer->task->partial, &head);

    strings_release(&texts);
    return verdict;
}

void xfer_forget_rest(struct task *task)
{
    partial_free(task->partial);
    task->partial = NULL;
}

void xfer_note_whole(struct transfer *transfer)
{
    struct task *task = transfer->task;
    struct strings texts = {0};

    xfer_forget_rest(task);
    if (!may_continue(transfer) || task->is_misfit)
        return;
    struct answer_head head = read_head(transfer, &texts);
    const char *validator = continuation_validator(&head);
    if (validator) {
        struct key source = source_of(task);
        task->partial = partial_new(&source, validator, total_of(transfer));
    }
    strings_release(&texts);
}
