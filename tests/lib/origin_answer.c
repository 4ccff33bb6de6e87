#include "origin_answer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "origin.h"
#include "origin_script.h"

enum {
    /* Zeros shrink a thousandfold: a larger piece of a bomb would hold up the loop. */
    CODED_PIECE_MAX = 4096,
    CODER_INPUT = 4096,
    GZIP_WINDOW = 15 + 16, /* zlib's way to say gzip, not zlib */
};

struct origin_coder {
    z_stream stream;
    bool over;
    char input[CODER_INPUT]; /* what the stream has not taken yet stays here */
};

static const char *reason_phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {404, "Not Found"},
        {413, "Content Too Large"},
        {416, "Range Not Satisfiable"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        if (phrases[i].status == status)
            return phrases[i].phrase;
    }
    return "Scripted";
}

static unsigned choose_status(const struct origin_script *script)
{
    if (script->wants)
        return 401;
    if (script->status)
        return script->status;
    if (script->location)
        return 302;
    return script->kind == ORIGIN_NOT_FOUND ? 404 : 200;
}

static enum origin_framing choose_framing(const struct origin_answer *answer, bool http10)
{
    const struct origin_script *script = answer->script;
    bool chunked = script->chunked || script->cut_chunk || script->bad_chunk || script->endless ||
                   answer->coder;

    if (answer->refusal)
        return ORIGIN_LENGTH;
    if (answer->status < 200 || answer->status == 204 || answer->status == 304)
        return ORIGIN_NO_BODY;
    if (script->no_length || (chunked && http10))
        return ORIGIN_TO_THE_END;
    return chunked ? ORIGIN_CHUNKED : ORIGIN_LENGTH;
}

static uint64_t choose_size(const struct origin_answer *answer)
{
    const struct origin_script *script = answer->script;

    if (answer->text)
        return strlen(answer->text);
    if (script->endless)
        return ORIGIN_NEVER;
    if (script->kind == ORIGIN_TEXT)
        return strlen(script->word) + 1;
    return script->kind == ORIGIN_ECHO ? answer->echo.len : script->size;
}

static struct origin_coder *coder_new(enum origin_coding coding)
{
    if (coding == ORIGIN_PLAIN || coding == ORIGIN_GZIP_NOT)
        return NULL;
    struct origin_coder *coder = calloc(1, sizeof *coder);
    if (!coder || deflateInit2(&coder->stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8,
                               Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    return coder;
}

static void coder_free(struct origin_coder *coder)
{
    if (coder)
        deflateEnd(&coder->stream);
    free(coder);
}

/* The rest of a plain body, or that there is none. */
static void begin_range(struct origin_answer *answer, const struct origin_answer_context *context)
{
    if (!context->is_range || answer->refusal || answer->status != 200)
        return;
    answer->is_range = true;
    answer->from = context->from;
    answer->status = context->from < answer->size ? 206 : 416;
    if (answer->status == 206 && answer->script->ranges == ORIGIN_SHIFTED)
        answer->from += answer->from + 1 < answer->size;
    answer->at = answer->status == 206 ? answer->from : answer->size;
}

void origin_answer_init(struct origin_answer *answer, const struct origin_script *script,
                        struct blob *echo, const struct origin_answer_context *context)
{
    *answer = (struct origin_answer){
        .script = script,
        .refusal = context->refusal,
        .text = context->refusal,
        .status = context->status ? context->status : choose_status(script),
        .echo = *echo,
        .coder = context->refusal ? NULL : coder_new(script->coding),
    };
    *echo = (struct blob){0};
    if (!answer->text && script->kind == ORIGIN_NOT_FOUND)
        answer->text = "no such path in the origin's script\n";
    answer->size = choose_size(answer);
    begin_range(answer, context);
    answer->framing = choose_framing(answer, context->http10);
    answer->over = context->head_only || answer->framing == ORIGIN_NO_BODY;
    answer->close = context->close;
    if (!answer->refusal)
        answer->close |= script->close || answer->framing == ORIGIN_TO_THE_END ||
                         script->short_by || script->cut_chunk || script->bad_chunk;
}

void origin_answer_release(struct origin_answer *answer)
{
    coder_free(answer->coder);
    answer->coder = NULL;
    blob_release(&answer->echo);
}

static bool replaces_content_type(const struct origin_script *script)
{
    for (size_t i = 0; i < script->header_count; i++) {
        if (strncasecmp(script->headers[i], "content-type:", 13) == 0)
            return true;
    }
    return false;
}

static void add_filler(const struct origin_script *script, struct blob *to)
{
    static const char name[] = "X-Big: ";
    const size_t name_len = sizeof name - 1;

    for (uint64_t i = 0; i < script->filler_headers; i++)
        blob_addf(to, "X-Filler-%" PRIu64 ": %" PRIu64 "\r\n", i, i);
    for (uint64_t i = 0; i < script->big_headers; i++)
        blob_addf(to, "X-Large-%" PRIu64 ": %01000d\r\n", i, 0);
    if (script->big_header) {
        size_t len = script->big_header > name_len ? (size_t)script->big_header - name_len : 1;
        blob_add(to, name, name_len);
        memset(blob_reserve(to, len), 'x', len);
        blob_extend(to, len);
        blob_add(to, "\r\n", 2);
    }
}

static void add_range(const struct origin_answer *answer, struct blob *to)
{
    const struct origin_script *script = answer->script;
    bool is_untold = answer->is_range && script->ranges == ORIGIN_TAGLESS;

    if (script->etag && !is_untold)
        blob_addf(to, "ETag: \"%s\"\r\n", script->etag);
    if (answer->is_range && answer->status == 206)
        blob_addf(to, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", answer->from,
                  answer->size - 1, answer->size);
    else if (answer->is_range)
        blob_addf(to, "Content-Range: bytes */%" PRIu64 "\r\n", answer->size);
}

static void add_scripted(const struct origin_answer *answer, struct blob *to)
{
    const struct origin_script *script = answer->script;

    if (!replaces_content_type(script))
        blob_addf(to, "Content-Type: %s\r\n",
                  script->kind == ORIGIN_BYTES ? "application/octet-stream" : "text/plain");
    if (script->coding != ORIGIN_PLAIN)
        blob_add_text(to, "Content-Encoding: gzip\r\n");
    if (script->word_tag)
        blob_addf(to, "ETag: \"%s\"\r\n", script->word);
    if (script->last_modified)
        blob_addf(to, "Last-Modified: %s\r\n", script->last_modified);
    if (script->location)
        blob_addf(to, "Location: %s\r\n", script->location);
    if (script->wants)
        blob_addf(to, "WWW-Authenticate: %s\r\n", script->wants);
    for (size_t i = 0; i < script->header_count; i++)
        blob_addf(to, "%s\r\n", script->headers[i]);
    add_range(answer, to);
    add_filler(script, to);
}

void origin_answer_head(const struct origin_answer *answer, struct blob *to)
{
    const struct origin_script *script = answer->script;

    blob_addf(to, "HTTP/1.1 %03u %s\r\n", answer->status, reason_phrase(answer->status));
    if (answer->refusal)
        blob_add_text(to, "Content-Type: text/plain\r\n");
    else
        add_scripted(answer, to);
    if (script->retry_after && answer->status >= 300)
        blob_addf(to, "Retry-After: %s\r\n", script->retry_after);
    if (answer->framing == ORIGIN_LENGTH)
        blob_addf(to, "Content-Length: %" PRIu64 "\r\n",
                  answer->size - answer->at + (answer->refusal ? 0 : script->short_by));
    else if (answer->framing == ORIGIN_CHUNKED)
        blob_add_text(to, "Transfer-Encoding: chunked\r\n");
    if (answer->close)
        blob_add_text(to, "Connection: close\r\n");
    blob_add(to, "\r\n", 2);
}

/* The next bytes of the body before any coding, fewer than `max` only at the end. */
static size_t take_raw(struct origin_answer *answer, uint64_t end, char *buf, size_t max)
{
    const struct origin_script *script = answer->script;
    uint64_t left = end - answer->at;
    size_t len = left < max ? (size_t)left : max;

    if (answer->text)
        memcpy(buf, answer->text + answer->at, len);
    else if (script->coding == ORIGIN_BOMB)
        memset(buf, 0, len);
    else if (script->ascii)
        origin_fill_ascii(script->seed, answer->at, buf, len);
    else if (script->kind == ORIGIN_BYTES)
        origin_fill(script->seed, answer->at, buf, len);
    else if (script->kind == ORIGIN_ECHO)
        memcpy(buf, blob_text(&answer->echo) + answer->at, len);
    else {
        memcpy(buf, script->word + answer->at, len);
        /* The newline stands where the word has its NUL. */
        if (len && answer->at + len == answer->size)
            buf[len - 1] = '\n';
    }
    answer->at += len;
    return len;
}

/* Likewise, compressed. A stream that is to be cut ends on a whole block, without its trailer. */
static size_t take_coded(struct origin_answer *answer, char *buf, size_t max)
{
    bool cut = answer->script->coding == ORIGIN_GZIP_CUT;
    uint64_t end = cut ? answer->size / 2 : answer->size;
    struct origin_coder *coder = answer->coder;
    z_stream *stream = &coder->stream;

    stream->next_out = (Bytef *)buf;
    stream->avail_out = (uInt)max;
    while (stream->avail_out && !coder->over) {
        if (!stream->avail_in) {
            stream->next_in = (Bytef *)coder->input;
            stream->avail_in = (uInt)take_raw(answer, end, coder->input, sizeof coder->input);
        }
        bool last = answer->at == end;
        int state = deflate(stream, !last ? Z_NO_FLUSH : cut ? Z_SYNC_FLUSH : Z_FINISH);
        assert(state != Z_STREAM_ERROR);
        coder->over = state == Z_STREAM_END || (cut && last && stream->avail_out);
    }
    return max - stream->avail_out;
}

static void end_chunks(struct origin_answer *answer, struct blob *to)
{
    if (answer->framing != ORIGIN_CHUNKED || answer->script->cut_chunk)
        return;
    if (answer->script->bad_chunk) {
        blob_add_text(to, "no size\r\n");
        return;
    }
    blob_add_text(to, "0\r\n");
    for (uint64_t i = 0; i < answer->script->trailers; i++)
        blob_addf(to, "X-Trailer-%07" PRIu64 ": y\r\n", i);
    blob_add_text(to, "\r\n");
}

void origin_answer_body(struct origin_answer *answer, struct blob *to, size_t max)
{
    size_t most = answer->coder ? CODED_PIECE_MAX : ORIGIN_PIECE_MAX;
    char piece[ORIGIN_PIECE_MAX];
    size_t len;

    assert(max && !answer->over);
    most = max < most ? max : most;
    if (answer->coder) {
        len = take_coded(answer, piece, most);
        answer->over = answer->coder->over;
    } else {
        len = take_raw(answer, answer->size, piece, most);
        answer->over = answer->at == answer->size;
    }
    answer->sent += len;
    if (len && answer->framing == ORIGIN_CHUNKED)
        blob_addf(to, "%zx\r\n", len);
    blob_add(to, piece, len);
    if (len && answer->framing == ORIGIN_CHUNKED)
        blob_add(to, "\r\n", 2);
    if (answer->over)
        end_chunks(answer, to);
}
