#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_date.h"
#include "base/result.h"
#include "cli/options.h"
#include "core/task.h"
#include "fetch/xfer_internal.h"
#include "fetch/xfer_setup.h"
#include "input/condition.h"

static double seconds(CURL *easy, CURLINFO what)
{
    curl_off_t microseconds = 0;

    curl_easy_getinfo(easy, what, &microseconds);
    return (double)microseconds / 1e6;
}

/* curl's version numbers to ours, which can be compared. */
static unsigned version_of(CURL *easy)
{
    long version = 0;

    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    switch (version) {
    case CURL_HTTP_VERSION_1_0: return 10;
    case CURL_HTTP_VERSION_1_1: return 11;
    case CURL_HTTP_VERSION_2_0: return 20;
    case CURL_HTTP_VERSION_3: return 30;
    default: return 0;
    }
}

/* libcurl tells when a name was found. Of a lookup that was not, and of a transfer that it still
 * has, it tells when it last had something to do. */
static void fill_times(const struct transfer *transfer, struct facts *facts)
{
    CURL *easy = transfer->easy;
    double before = facts->before;
    double found = seconds(easy, CURLINFO_NAMELOOKUP_TIME_T);
    double total = seconds(easy, CURLINFO_TOTAL_TIME_T);
    bool is_unfound = transfer->looks_up && !transfer->found;

    if (is_unfound || !transfer->has_ended)
        total = fmax(total, transfer->xfer->now - transfer->started_at);
    facts->namelookup = before + (is_unfound ? total : found);
    facts->connect = before + seconds(easy, CURLINFO_CONNECT_TIME_T);
    facts->appconnect = seconds(easy, CURLINFO_APPCONNECT_TIME_T);
    facts->appconnect += facts->appconnect > 0 ? before : 0;
    facts->starttransfer = before + seconds(easy, CURLINFO_STARTTRANSFER_TIME_T);
    facts->total = before + total;
}

/* A libcurl whose time_t has 32 bits knows no date beyond 2038. What continues a body need not say
 * again when that last changed. */
static void fill_modified(struct transfer *transfer)
{
    curl_off_t modified = -1;
    int64_t late;

    curl_easy_getinfo(transfer->easy, CURLINFO_FILETIME_T, &modified);
    const char *text = modified >= INT32_MAX ? xfer_header(transfer, "Last-Modified") : NULL;
    if (text && http_date_read(text, &late) == 0)
        modified = late;
    if (modified >= 0 || transfer->rest == CONTINUATION_OTHER)
        transfer->task->result.modified = modified;
}

/* One that was tried and never stood is no connection. */
static void count_connection(struct facts *facts, CURL *easy, bool is_answered)
{
    long tried = 0;

    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &tried);
    facts->opened += tried > 0 && seconds(easy, CURLINFO_CONNECT_TIME_T) > 0;
    facts->reused += tried == 0 && is_answered;
}

/* One that is there twice, or is none, is not one. */
static void fill_etag(struct transfer *transfer)
{
    struct result *result = &transfer->task->result;
    struct curl_header *header = NULL;

    free(result->etag);
    result->etag = NULL;
    if (curl_easy_header(transfer->easy, "ETag", 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
        header->amount == 1 && condition_is_etag(header->value, strlen(header->value)))
        result->etag = xstrdup(header->value);
}

void xfer_fill_facts(struct transfer *transfer)
{
    const struct options *options = transfer->xfer->options;
    struct facts *facts = transfer->task->result.facts;
    CURL *easy = transfer->easy;
    char *text = NULL;
    curl_off_t size = 0;

    if (options->remote_time || options->cache)
        fill_modified(transfer);
    if (options->cache)
        fill_etag(transfer);
    if (!facts)
        return;
    free(facts->content_type);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &text);
    facts->content_type = text ? xstrndup(text, CONTENT_TYPE_MAX) : NULL;
    text = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &text);
    strncpy(facts->remote_ip, text ? text : "", sizeof facts->remote_ip - 1);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &facts->remote_port);
    curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &size);
    facts->size_download = (uint64_t)size;
    facts->http_version = version_of(easy);
    fill_times(transfer, facts);
    count_connection(facts, easy, transfer->task->result.http_code > 0);
}
