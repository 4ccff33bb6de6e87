#include "origin_request.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHUNK_LINE_MAX = 1024 };

size_t origin_request_head_len(const char *bytes, size_t len)
{
    const char *end = memmem(bytes, len, "\r\n\r\n", 4);

    return end ? (size_t)(end - bytes) + 4 : 0;
}

static bool span_is(struct blob_span span, const char *text)
{
    return span.len == strlen(text) && strncasecmp(span.at, text, span.len) == 0;
}

static bool take_word(struct blob_span *rest, struct blob_span *ret_word, char end)
{
    const char *at = memchr(rest->at, end, rest->len);

    if (!at || at == rest->at)
        return false;
    *ret_word = (struct blob_span){rest->at, (size_t)(at - rest->at)};
    rest->at = at + 1;
    rest->len -= ret_word->len + 1;
    return true;
}

static struct blob_span trimmed(struct blob_span span)
{
    while (span.len && (*span.at == ' ' || *span.at == '\t')) {
        span.at++;
        span.len--;
    }
    while (span.len && strchr(" \t\r", span.at[span.len - 1]))
        span.len--;
    return span;
}

static bool parse_length(struct blob_span value, uint64_t *ret_length)
{
    uint64_t length = 0;

    if (!value.len || value.len > 18)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if (!isdigit((unsigned char)value.at[i]))
            return false;
        length = length * 10 + (uint64_t)(value.at[i] - '0');
    }
    *ret_length = length;
    return true;
}

static bool note_header(struct origin_request *request, struct blob_span name,
                        struct blob_span value)
{
    if (span_is(name, "content-length"))
        return parse_length(value, &request->content_length);
    if (span_is(name, "transfer-encoding"))
        request->chunked = span_is(value, "chunked");
    else if (span_is(name, "authorization"))
        request->authorization = value;
    else if (span_is(name, "range"))
        request->range = value;
    else if (span_is(name, "if-range"))
        request->if_range = value;
    else if (span_is(name, "if-none-match"))
        request->if_none_match = value;
    else if (span_is(name, "if-modified-since"))
        request->if_modified_since = value;
    else if (span_is(name, "expect"))
        request->expects_continue = span_is(value, "100-continue");
    else if (span_is(name, "connection") && span_is(value, "close"))
        request->keep_alive = false;
    else if (span_is(name, "connection") && span_is(value, "keep-alive"))
        request->keep_alive = true;
    return true;
}

static bool parse_headers(struct origin_request *request)
{
    struct blob_span rest = request->headers;
    struct blob_span line;

    while (rest.len) {
        if (!take_word(&rest, &line, '\n'))
            return false;
        struct blob_span name;
        if (!take_word(&line, &name, ':') || !note_header(request, name, trimmed(line)))
            return false;
    }
    return true;
}

bool origin_request_parse(struct origin_request *request, const char *head, size_t len)
{
    struct blob_span rest = {head, len - 2};

    *request = (struct origin_request){0};
    if (!take_word(&rest, &request->method, ' ') || !take_word(&rest, &request->target, ' ') ||
        !take_word(&rest, &request->version, '\r') || !rest.len || *rest.at != '\n')
        return false;
    if (!span_is(request->version, "HTTP/1.1") && !span_is(request->version, "HTTP/1.0"))
        return false;
    request->http10 = request->version.at[7] == '0';
    request->keep_alive = !request->http10;
    request->headers = (struct blob_span){rest.at + 1, rest.len - 1};
    return parse_headers(request);
}

void origin_upload_init(struct origin_upload *upload, const struct origin_request *request)
{
    *upload = (struct origin_upload){.chunked = request->chunked};
    if (request->chunked)
        upload->state = ORIGIN_UPLOAD_SIZE;
    else if (request->content_length) {
        upload->state = ORIGIN_UPLOAD_DATA;
        upload->left = request->content_length;
    } else
        upload->state = ORIGIN_UPLOAD_DONE;
}

static size_t take_data(struct origin_upload *upload, const char *bytes, size_t len,
                        struct blob *to)
{
    size_t piece = len < upload->left ? len : (size_t)upload->left;

    if (to)
        blob_add(to, bytes, piece);
    upload->bytes += piece;
    upload->left -= piece;
    if (!upload->left)
        upload->state = upload->chunked ? ORIGIN_UPLOAD_GAP : ORIGIN_UPLOAD_DONE;
    return piece;
}

/* One byte of a size line, whose extension is passed over. */
static void take_size(struct origin_upload *upload, char byte)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit = memchr(digits, tolower((unsigned char)byte), sizeof digits - 1);

    if (byte == '\n') {
        bool empty = upload->line_len == 0;
        upload->line_len = 0;
        upload->state = empty          ? ORIGIN_UPLOAD_BAD
                        : upload->left ? ORIGIN_UPLOAD_DATA
                                       : ORIGIN_UPLOAD_TRAILER;
        return;
    }
    if (upload->line_len == CHUNK_LINE_MAX || upload->left >> 56) {
        upload->state = ORIGIN_UPLOAD_BAD;
        return;
    }
    if (digit && upload->line_len < 16)
        upload->left = upload->left * 16 + (uint64_t)(digit - digits);
    else if ((byte == ';' || byte == '\r') && upload->line_len)
        upload->line_len = 16; /* whatever comes is no digit any more */
    else if (upload->line_len < 16) {
        upload->state = ORIGIN_UPLOAD_BAD;
        return;
    }
    upload->line_len++;
}

static void take_line_byte(struct origin_upload *upload, char byte)
{
    if (upload->state == ORIGIN_UPLOAD_SIZE) {
        take_size(upload, byte);
        return;
    }
    if (byte == '\r')
        return;
    if (upload->state == ORIGIN_UPLOAD_GAP) {
        upload->state = byte == '\n' ? ORIGIN_UPLOAD_SIZE : ORIGIN_UPLOAD_BAD;
        return;
    }
    if (byte != '\n')
        upload->line_len++;
    else if (upload->line_len)
        upload->line_len = 0;
    else
        upload->state = ORIGIN_UPLOAD_DONE;
}

size_t origin_upload_take(struct origin_upload *upload, const char *bytes, size_t len,
                          struct blob *to)
{
    size_t at = 0;

    while (at < len && upload->state < ORIGIN_UPLOAD_DONE) {
        if (upload->state == ORIGIN_UPLOAD_DATA)
            at += take_data(upload, bytes + at, len - at, to);
        else
            take_line_byte(upload, bytes[at++]);
    }
    return at;
}
