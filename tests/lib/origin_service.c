#include "origin_service.h"

#include <string.h>
#include <strings.h>

#include "moment.h"
#include "origin_keys.h"
#include "origin_log.h"

enum { ECHO_MAX = 1024 * 1024 };

static void refuse(struct origin_service *service, unsigned status, const char *why)
{
    service->context.status = status;
    service->context.refusal = why;
    blob_release(&service->echo);
}

/* The first ones fail, as the script says or with 503; those after them do not. */
static void count_failures(struct origin_service *service, struct origin_keys *keys)
{
    struct origin_script *script = &service->script;
    uint64_t before = origin_keys_count(keys, script->key);

    if (before == UINT64_MAX)
        refuse(service, 500, "the origin has no room for more keys\n");
    else if (before >= script->fail_times)
        origin_script_forgive(script);
    else if (!origin_script_has_fault(script))
        script->status = 503;
}

static bool span_has(const struct blob_span *span, const char *text)
{
    return span->len == strlen(text) && memcmp(span->at, text, span->len) == 0;
}

/* Whether what the request knows already is what the script says. */
static bool is_known(const struct origin_request *request, const struct origin_script *script)
{
    const struct blob_span *known = &request->if_none_match;

    if (!known->len)
        return script->last_modified && request->if_modified_since.len &&
               span_has(&request->if_modified_since, script->last_modified);
    return script->word_tag && known->len > 2 &&
           span_has(&(struct blob_span){known->at + 1, known->len - 2}, script->word);
}

/* Whether the credentials are of the scheme that the challenge begins with. */
static bool has_credentials(const struct origin_request *request, const char *challenge)
{
    size_t len = strcspn(challenge, " ");

    return request->authorization.len > len &&
           strncasecmp(request->authorization.at, challenge, len) == 0 &&
           request->authorization.at[len] == ' ';
}

/* The value of a header of the script, or NULL. */
static const char *scripted_header(const struct origin_script *script, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < script->header_count; i++) {
        const char *header = script->headers[i];
        if (strncasecmp(header, name, len) == 0 && header[len] == ':')
            return header + len + 1 + strspn(header + len + 1, " ");
    }
    return NULL;
}

static bool is_text(struct blob_span span, const char *text)
{
    return text && span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

static bool is_current(const struct origin_script *script, struct blob_span condition)
{
    const char *etag = script->etag;

    if (is_text(condition, scripted_header(script, "last-modified")))
        return true;
    return etag && condition.len == strlen(etag) + 2 && condition.at[0] == '"' &&
           memcmp(condition.at + 1, etag, strlen(etag)) == 0;
}

/* Of ranges only `bytes=A-` is understood; whatever else is asked for gets the whole. */
static void read_range(struct origin_service *service, const struct origin_request *request)
{
    const struct origin_script *script = &service->script;
    struct blob_span range = request->range;
    uint64_t from = 0;

    if (!script->ranges || range.len < 8 || memcmp(range.at, "bytes=", 6) != 0 ||
        range.at[range.len - 1] != '-')
        return;
    if (script->ranges != ORIGIN_BLIND && request->if_range.len &&
        !is_current(script, request->if_range))
        return;
    for (size_t i = 6; i < range.len - 1; i++) {
        if (range.at[i] < '0' || range.at[i] > '9')
            return;
        from = from * 10 + (uint64_t)(range.at[i] - '0');
    }
    service->context.is_range = true;
    service->context.from = from;
}

static void write_echo(struct blob *echo, const struct origin_request *request)
{
    struct blob_span headers = request->headers;

    blob_addf(echo, "%.*s %.*s %.*s\n", (int)request->method.len, request->method.at,
              (int)request->target.len, request->target.at, (int)request->version.len,
              request->version.at);
    for (size_t i = 0; i < headers.len; i++) {
        if (headers.at[i] != '\r')
            blob_add(echo, headers.at + i, 1);
    }
    blob_add(echo, "\n", 1);
}

/* How many are in service with it. */
static uint64_t count_arrival(struct origin_log *log)
{
    uint64_t in_service = atomic_fetch_add(&log->in_service, 1) + 1;

    if (in_service > atomic_load(&log->in_service_peak))
        atomic_store(&log->in_service_peak, in_service);
    atomic_fetch_add(&log->requests, 1);
    return in_service;
}

static void climb(struct origin_script *script, uint64_t in_service)
{
    if (!script->climb || in_service <= script->climb)
        return;
    for (uint64_t i = 0; i < script->climb_power; i++)
        script->delay *= (double)in_service / (double)script->climb;
}

void origin_service_begin(struct origin_service *service, struct origin_log *log,
                          struct origin_keys *keys, const struct origin_request *request,
                          const struct origin_path *path)
{
    struct origin_script *script = &service->script;

    *service = (struct origin_service){
        .log = log,
        .record = origin_log_add(log, request, path, moment_now()),
        .context = {.head_only =
                        request->method.len == 4 && memcmp(request->method.at, "HEAD", 4) == 0,
                    .http10 = request->http10,
                    .close = !request->keep_alive},
    };
    /* Behind the record: who waits for the counter finds the record. */
    uint64_t in_service = count_arrival(log);
    origin_upload_init(&service->upload, request);
    if (!origin_script_parse(script, request->target.at, request->target.len))
        refuse(service, 400, script->error);
    else if (atomic_load(&log->in_service) > script->max_in_flight)
        refuse(service, 429, "too many in flight\n");
    else if (script->fail_times != ORIGIN_NEVER)
        count_failures(service, keys);
    climb(script, in_service);
    read_range(service, request);
    if (script->wants && has_credentials(request, script->wants))
        script->wants = NULL;
    if (script->kind == ORIGIN_ECHO && !service->context.refusal)
        write_echo(&service->echo, request);
    if (script->was)
        script->word = script->was;
    if (!service->context.refusal && !script->status && is_known(request, script))
        service->context.status = 304;
    service->head_pause = script->head_delay > 0;
    service->drip_left = script->drip_bytes ? script->drip_bytes : ORIGIN_NEVER;
}

void origin_service_end(struct origin_service *service, enum origin_end end)
{
    struct origin_record *record = service->record;

    if (record) {
        atomic_store(&record->body_bytes, service->upload.bytes);
        atomic_store(&record->sent_bytes, service->sent_bytes);
        atomic_store(&record->end, end);
        atomic_store(&record->finished, moment_now());
    }
    atomic_fetch_sub(&service->log->in_service, 1);
    origin_answer_release(&service->answer);
    origin_script_release(&service->script);
    blob_release(&service->echo);
}

size_t origin_service_upload(struct origin_service *service, const char *bytes, size_t len)
{
    bool echoed = service->script.kind == ORIGIN_ECHO && !service->context.refusal;
    size_t taken = origin_upload_take(&service->upload, bytes, len, echoed ? &service->echo : NULL);

    if (echoed && service->upload.bytes > ECHO_MAX)
        refuse(service, 413, "more body than the origin echoes\n");
    if (service->upload.state == ORIGIN_UPLOAD_BAD) {
        refuse(service, 400, "the request's body is badly chunked\n");
        service->context.close = true;
    }
    return taken;
}

bool origin_service_is_uploaded(const struct origin_service *service)
{
    return service->upload.state >= ORIGIN_UPLOAD_DONE;
}

const struct origin_script *origin_service_script(const struct origin_service *service)
{
    return service->context.refusal ? NULL : &service->script;
}

bool origin_service_is_cut(const struct origin_service *service)
{
    const struct origin_script *script = origin_service_script(service);

    return script &&
           (script->garbage || script->short_by || script->cut_chunk || script->bad_chunk);
}

void origin_service_answer(struct origin_service *service, struct blob *out)
{
    origin_answer_init(&service->answer, &service->script, &service->echo, &service->context);
    if (service->record)
        atomic_store(&service->record->status, service->answer.status);
    origin_answer_head(&service->answer, out);
    /* A small body goes out with its head. */
    uint64_t allowed = origin_service_allowance(service);
    if (!service->answer.over && allowed)
        origin_service_continue(service, allowed, out);
}

uint64_t origin_service_allowance(const struct origin_service *service)
{
    const struct origin_script *script = origin_service_script(service);
    uint64_t sent = service->answer.sent;

    if (!script)
        return ORIGIN_NEVER;
    uint64_t end = script->stall_at < script->reset_at ? script->stall_at : script->reset_at;
    if (service->head_pause || sent >= end)
        return 0;
    return service->drip_left < end - sent ? service->drip_left : end - sent;
}

void origin_service_continue(struct origin_service *service, uint64_t allowed, struct blob *out)
{
    uint64_t before = service->answer.sent;

    origin_answer_body(&service->answer, out, allowed < SIZE_MAX ? (size_t)allowed : SIZE_MAX);
    if (service->drip_left != ORIGIN_NEVER)
        service->drip_left -= service->answer.sent - before;
}
