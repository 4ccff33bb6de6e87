#include "origin_log.h"

#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#include "origin.h"
#include "origin_request.h"

static size_t mapping_size(uint64_t capacity)
{
    return sizeof(struct origin_log) + (size_t)capacity;
}

struct origin_log *origin_log_new(bool quiet)
{
    uint64_t capacity = quiet ? 0 : ORIGIN_LOG_MAX;
    /* Pages are only taken as records fill them. */
    struct origin_log *log = mmap(NULL, mapping_size(capacity), PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (log == MAP_FAILED)
        return NULL;
    log->capacity = capacity;
    return log;
}

void origin_log_free(struct origin_log *log)
{
    if (log)
        munmap(log, mapping_size(log->capacity));
}

static const char *put_text(char **to, const char *text, size_t len)
{
    char *at = *to;

    memcpy(at, text, len);
    at[len] = '\0';
    *to += len + 1;
    return at;
}

static const char *put_span(char **to, struct blob_span span)
{
    return put_text(to, span.at, span.len);
}

struct origin_record *origin_log_add(struct origin_log *log, const struct origin_request *request,
                                     const struct origin_path *path, double now)
{
    uint64_t used = atomic_load_explicit(&log->used, memory_order_relaxed);
    size_t size = sizeof(struct origin_record) + request->method.len + request->target.len +
                  request->headers.len + strlen(path->local) + strlen(path->peer) + 5;

    size = (size + 15) & ~(size_t)15;
    if (used + size > log->capacity) {
        atomic_fetch_add_explicit(&log->unlogged, log->capacity ? 1 : 0, memory_order_relaxed);
        return NULL;
    }
    struct origin_record *record = (void *)(log->records + used);
    char *texts = (char *)(record + 1);
    record->arrived = now;
    record->connection = path->connection;
    record->method = put_span(&texts, request->method);
    record->target = put_span(&texts, request->target);
    record->headers = put_span(&texts, request->headers);
    record->local = put_text(&texts, path->local, strlen(path->local));
    record->peer = put_text(&texts, path->peer, strlen(path->peer));
    record->next = used + size;
    atomic_store_explicit(&log->used, used + size, memory_order_release);
    return record;
}

bool origin_record_header(const struct origin_record *record, const char *name, char *buf,
                          size_t size)
{
    size_t name_len = strlen(name);

    for (const char *line = record->headers; *line; line = strchr(line, '\n') + 1) {
        if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
            continue;
        const char *value = line + name_len + 1;
        value += strspn(value, " \t");
        size_t len = strcspn(value, "\r\n");
        while (len && strchr(" \t", value[len - 1]))
            len--;
        len = len < size ? len : size - 1;
        memcpy(buf, value, len);
        buf[len] = '\0';
        return true;
    }
    return false;
}
