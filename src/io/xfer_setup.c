#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "io/xfer_internal.h"
#include "model/options.h"
#include "model/task.h"
#include "model/url.h"

/* Headers of the user's that may go along to a host the user did not name. */
static const char *const safe_names[] = {
    "accept", "accept-encoding", "accept-language", "cache-control", "pragma", "user-agent",
};

static struct curl_slist *append(struct curl_slist *list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(list, text);

    if (!longer)
        out_of_memory();
    return longer;
}

static size_t name_len(const char *header)
{
    return strcspn(header, ":; ");
}

static bool is_named(const char *header, const char *name)
{
    return name_len(header) == strlen(name) && strncasecmp(header, name, strlen(name)) == 0;
}

static bool is_safe(const char *header)
{
    for (size_t i = 0; i < ARRAY_LEN(safe_names); i++) {
        if (is_named(header, safe_names[i]))
            return true;
    }
    return false;
}

static void add_header(struct xfer *xfer, const char *header)
{
    xfer->headers = append(xfer->headers, header);
    if (is_safe(header))
        xfer->safe_headers = append(xfer->safe_headers, header);
}

static bool has_header(const struct strings *headers, const char *name)
{
    for (size_t i = 0; i < headers->len; i++) {
        if (is_named(headers->at[i], name))
            return true;
    }
    return false;
}

/* As a header it costs libcurl less than as CURLOPT_USERAGENT. */
static void add_user_agent(struct xfer *xfer)
{
    const char *name = xfer->options->user_agent ? xfer->options->user_agent : "weir/" WEIR_VERSION;
    struct buf header;

    if (!*name || has_header(&xfer->options->headers, "user-agent"))
        return;
    buf_init(&header);
    buf_addf(&header, "User-Agent: %s", name);
    add_header(xfer, header.data);
    buf_release(&header);
}

static struct curl_slist *list_of(const struct strings *strings)
{
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < strings->len; i++)
        list = append(list, strings->at[i]);
    return list;
}

/* With a CA directory set, as distributions do, libcurl parses the whole bundle for every connection;
 * with a file alone it is parsed once. */
static const char *find_ca_file(const struct options *options)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    const char *from_environment[] = {getenv("CURL_CA_BUNDLE"), getenv("SSL_CERT_FILE")};

    if (options->cacert)
        return options->cacert;
    for (size_t i = 0; i < ARRAY_LEN(from_environment); i++) {
        if (from_environment[i] && *from_environment[i])
            return from_environment[i];
    }
    return info->cainfo && access(info->cainfo, R_OK) == 0 ? info->cainfo : NULL;
}

static bool has_proxy_in_environment(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return true;
    }
    return false;
}

void xfer_setup_lists(struct xfer *xfer)
{
    const struct options *options = xfer->options;

    add_user_agent(xfer);
    for (size_t i = 0; i < options->headers.len; i++)
        add_header(xfer, options->headers.at[i]);
    xfer->resolve = list_of(&options->resolve);
    xfer->connect_to = list_of(&options->connect_to);
    xfer->ca_file = find_ca_file(options);
    xfer->shares_connections = options->http == OPTION_HTTP_2 || options->connect_to.len ||
                               options->proxy || has_proxy_in_environment();
}

void xfer_release_lists(struct xfer *xfer)
{
    curl_slist_free_all(xfer->headers);
    curl_slist_free_all(xfer->safe_headers);
    curl_slist_free_all(xfer->resolve);
    curl_slist_free_all(xfer->connect_to);
    curl_slist_free_all(xfer->forget);
}

/* The first option that libcurl refuses is remembered; those after it are not tried. */
#define SET(easy, option, value)                          \
    do {                                                  \
        if (code == CURLE_OK)                             \
            code = curl_easy_setopt(easy, option, value); \
    } while (0)

static CURLcode set_safety(CURL *easy)
{
    CURLcode code = CURLE_OK;

    SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_QUICK_EXIT, 1L);
    /* The scheduler says when a name is old; a walk of the cache after each transfer would cost. */
    SET(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
    return code;
}

/* Deadlines are kept by us, so libcurl's own connect timeout only has to be out of the way. */
static CURLcode set_times(CURL *easy, const struct options *options)
{
    CURLcode code = CURLE_OK;
    double connect = options->connect_timeout > 0 ? options->connect_timeout : 86400.0 * 20;

    SET(easy, CURLOPT_CONNECTTIMEOUT, (long)MIN(ceil(connect) + 60, 86400.0 * 20));
    return code;
}

static CURLcode set_tls(const struct xfer *xfer, CURL *easy)
{
    CURLcode code = CURLE_OK;

    SET(easy, CURLOPT_SHARE, xfer->share);
    if (xfer->ca_file) {
        SET(easy, CURLOPT_CAINFO, xfer->ca_file);
        SET(easy, CURLOPT_CAPATH, NULL);
    }
    if (xfer->options->insecure) {
        SET(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        SET(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return code;
}

static const long ip_versions[] = {
    [OPTION_IP_ANY] = CURL_IPRESOLVE_WHATEVER,
    [OPTION_IP_4] = CURL_IPRESOLVE_V4,
    [OPTION_IP_6] = CURL_IPRESOLVE_V6,
};

static CURLcode set_http(const struct xfer *xfer, CURL *easy)
{
    const struct options *options = xfer->options;
    bool http2 = options->http == OPTION_HTTP_2;
    CURLcode code = CURLE_OK;

    SET(easy, CURLOPT_HTTP_VERSION, http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
    if (http2)
        SET(easy, CURLOPT_PIPEWAIT, 1L);
    if (options->compressed)
        SET(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    /* An empty one spares libcurl a look through the environment for each request. */
    if (options->proxy || !has_proxy_in_environment())
        SET(easy, CURLOPT_PROXY, options->proxy ? options->proxy : "");
    SET(easy, CURLOPT_IPRESOLVE, ip_versions[options->ip]);
    SET(easy, CURLOPT_HTTPHEADER, xfer->headers);
    if (xfer->resolve)
        SET(easy, CURLOPT_RESOLVE, xfer->resolve);
    if (xfer->connect_to)
        SET(easy, CURLOPT_CONNECT_TO, xfer->connect_to);
    return code;
}

int xfer_setup_easy(struct xfer *xfer, struct transfer *transfer, struct buf *err)
{
    CURL *easy = curl_easy_init();
    CURLcode code;

    if (!easy)
        out_of_memory();
    transfer->easy = easy;
    code = set_safety(easy);
    if (code == CURLE_OK)
        code = set_times(easy, xfer->options);
    if (code == CURLE_OK)
        code = set_tls(xfer, easy);
    if (code == CURLE_OK)
        code = set_http(xfer, easy);
    SET(easy, CURLOPT_ERRORBUFFER, transfer->message);
    SET(easy, CURLOPT_PRIVATE, transfer);
    transfer->may_reuse = true;
    if (code == CURLE_OK)
        return 0;
    if (code == CURLE_OUT_OF_MEMORY)
        out_of_memory();
    buf_setf(err, "libcurl refuses an option: %s", curl_easy_strerror(code));
    return -EINVAL;
}

/* What was set once on some handle was accepted; only memory can be missing now. */
static void must(CURLcode code)
{
    if (code != CURLE_OK)
        out_of_memory();
}

static void set_names(struct xfer *xfer, struct transfer *transfer)
{
    struct buf stale;

    transfer->resolve = xfer->forget;
    xfer->forget = NULL;
    if (transfer->task->name_is_stale) {
        buf_init(&stale);
        buf_add_char(&stale, '-');
        url_add_name_and_port(transfer->task->url, &stale);
        transfer->resolve = append(transfer->resolve, stale.data);
        buf_release(&stale);
    }
    if (!transfer->resolve)
        return;
    for (struct curl_slist *own = xfer->resolve; own; own = own->next)
        transfer->resolve = append(transfer->resolve, own->data);
    must(curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->resolve));
}

/* A look for an idle connection walks all that a host has. While none of its transfers has ended
 * there is no idle one, and a wave of first requests does without. */
static void set_reuse(struct xfer *xfer, struct transfer *transfer)
{
    bool may_reuse = !transfer->task->is_first_wave || xfer->shares_connections;

    if (transfer->may_reuse == may_reuse)
        return;
    transfer->may_reuse = may_reuse;
    must(curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, may_reuse ? 0L : 1L));
}

void xfer_setup_request(struct xfer *xfer, struct transfer *transfer)
{
    struct task *task = transfer->task;

    must(curl_easy_setopt(transfer->easy, CURLOPT_CURLU, url_handle(task->url)));
    if (task->away != transfer->headers_are_safe) {
        transfer->headers_are_safe = task->away;
        must(curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER,
                              task->away ? xfer->safe_headers : xfer->headers));
    }
    set_reuse(xfer, transfer);
    set_names(xfer, transfer);
}
