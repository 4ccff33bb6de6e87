#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/option_check.h"
#include "cli/options.h"
#include "core/task.h"
#include "fetch/xfer_internal.h"
#include "fetch/xfer_login.h"
#include "fetch/xfer_setup.h"
#include "input/framing.h"
#include "input/url.h"

/* Headers of the user's that may go along to a host the user did not name. */
static const char *const safe_names[] = {
    "accept", "accept-encoding", "accept-language", "cache-control", "pragma", "user-agent",
};

struct curl_slist *xfer_append(struct curl_slist *list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(list, text);

    if (!longer)
        out_of_memory();
    return longer;
}

bool xfer_header_is_named(const char *header, const char *name)
{
    size_t len = strlen(name);

    return strcspn(header, ":; ") == len && strncasecmp(header, name, len) == 0;
}

bool xfer_header_is_safe(const char *header)
{
    for (size_t i = 0; i < ARRAY_LEN(safe_names); i++) {
        if (xfer_header_is_named(header, safe_names[i]))
            return true;
    }
    return false;
}

/* libcurl takes the host whose cookies it sends and keeps from the first Host that it is given, and
 * remembers it. Given an empty one it goes by the URL, and sends the second. */
struct curl_slist *xfer_append_header(const struct xfer *xfer, struct curl_slist *list,
                                      const char *header)
{
    if (xfer->jar && xfer_header_is_named(header, "host"))
        list = xfer_append(list, "Host:");
    return xfer_append(list, header);
}

static void add_header(struct xfer *xfer, const char *header)
{
    xfer->headers = xfer_append_header(xfer, xfer->headers, header);
}

static bool has_header(const struct strings *headers, const char *name)
{
    for (size_t i = 0; i < headers->len; i++) {
        if (xfer_header_is_named(headers->at[i], name))
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

static void add_json_headers(struct xfer *xfer)
{
    xfer->adds_json_type = !has_header(&xfer->options->headers, "content-type");
    if (xfer->adds_json_type)
        add_header(xfer, "Content-Type: application/json");
    if (!has_header(&xfer->options->headers, "accept"))
        add_header(xfer, "Accept: application/json");
}

static struct curl_slist *list_of(const struct strings *strings)
{
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < strings->len; i++)
        list = xfer_append(list, strings->at[i]);
    return list;
}

/* With a CA directory set, as distributions do, libcurl parses the whole bundle for every
 * connection; with a file alone it is parsed once. */
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

/* A SOCKS proxy that is told addresses: socks4 and socks5, not socks4a and socks5h. */
static bool takes_addresses(const char *proxy)
{
    return strncasecmp(proxy, "socks4:", 7) == 0 || strncasecmp(proxy, "socks5:", 7) == 0;
}

/* Reads --proxy, or the environment as libcurl does. */
static void look_for_proxies(struct xfer *xfer)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY"};
    const char *given = xfer->options->proxy;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *proxy = given ? given : getenv(names[i]);
        xfer->has_proxy |= given || (proxy && *proxy);
        xfer->tells_addresses |= proxy && takes_addresses(proxy);
    }
}

void xfer_setup_lists(struct xfer *xfer)
{
    const struct options *options = xfer->options;

    add_user_agent(xfer);
    /* As a header, for libcurl would decode by itself, and costs more. */
    xfer->decodes = options->compressed && !has_header(&options->headers, "accept-encoding");
    if (xfer->decodes)
        add_header(xfer, "Accept-Encoding: gzip, deflate");
    xfer->may_continue = !options->no_range && !options->range &&
                         !has_header(&options->headers, "range") &&
                         !has_header(&options->headers, "if-range");
    if (options->data_is_json)
        add_json_headers(xfer);
    xfer->ask = options_ask(options);
    for (size_t i = 0; i < options->headers.len; i++) {
        if (framing_of(options->headers.at[i]) != FRAMING_CHUNKED)
            add_header(xfer, options->headers.at[i]);
    }
    xfer->resolve = list_of(&options->resolve);
    xfer->connect_to = list_of(&options->connect_to);
    xfer->ca_file = find_ca_file(options);
    look_for_proxies(xfer);
    xfer->shares_connections =
        options->http != OPTION_HTTP_1_1 || options->connect_to.len || xfer->has_proxy;
}

void xfer_release_lists(struct xfer *xfer)
{
    curl_slist_free_all(xfer->headers);
    curl_slist_free_all(xfer->resolve);
    curl_slist_free_all(xfer->connect_to);
}

/* The first option that libcurl refuses is remembered; those after it are not tried. */
#define SET(easy, option, value)                          \
    do {                                                  \
        if (code == CURLE_OK)                             \
            code = curl_easy_setopt(easy, option, value); \
    } while (0)

/* In seconds; as milliseconds it fits 32 bits. */
#define CONNECT_FOREVER (86400.0 * 20)

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

/* Deadlines are kept by us, so libcurl's own comes a second later. It matters all the same: libcurl
 * gives the first of several addresses half of it. */
static CURLcode set_times(CURL *easy, const struct options *options, double forgiven)
{
    CURLcode code = CURLE_OK;
    double connect =
        options->connect_timeout > 0 ? options->connect_timeout + forgiven : CONNECT_FOREVER;

    SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(MIN(connect, CONNECT_FOREVER) * 1000) + 1000);
    return code;
}

void xfer_setup_forgive(struct transfer *transfer, double seconds)
{
    transfer->forgiven += seconds;
    /* It was set before, so it can be. The next transfer of the handle is not to have it. */
    CURLcode code = set_times(transfer->easy, transfer->xfer->options, transfer->forgiven);
    assert(code == CURLE_OK);
    (void)code;
    transfer->is_tailored = true;
}

static const long tls_versions[] = {
    [OPTION_TLS_ANY] = CURL_SSLVERSION_DEFAULT,
    [OPTION_TLS_1_2] = CURL_SSLVERSION_TLSv1_2,
    [OPTION_TLS_1_3] = CURL_SSLVERSION_TLSv1_3,
};

static CURLcode set_certificate(CURL *easy, const char *text)
{
    CURLcode code = CURLE_OK;
    const char *password;
    char *path = option_split_cert(text, &password);

    SET(easy, CURLOPT_SSLCERT, path);
    if (password)
        SET(easy, CURLOPT_KEYPASSWD, password);
    free(path);
    return code;
}

static CURLcode set_trust(const struct xfer *xfer, CURL *easy)
{
    const struct options *options = xfer->options;
    CURLcode code = CURLE_OK;

    if (xfer->ca_file)
        SET(easy, CURLOPT_CAINFO, xfer->ca_file);
    if (xfer->ca_file || options->capath)
        SET(easy, CURLOPT_CAPATH, options->capath);
    if (options->insecure) {
        SET(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        SET(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (options->pinned_key)
        SET(easy, CURLOPT_PINNEDPUBLICKEY, options->pinned_key);
    return code;
}

static CURLcode set_share(const struct xfer *xfer, struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    CURLcode code = xfer_share_join(transfer);

    /* To share the jar is not to use it. */
    if (xfer->jar)
        SET(easy, CURLOPT_COOKIEFILE, "");
    return code;
}

/* Says who we are to the host that the user named, and to no other. */
static CURLcode set_identity(CURL *easy, const struct options *options)
{
    CURLcode code = CURLE_OK;

    if (options->cert)
        code = set_certificate(easy, options->cert);
    if (options->key)
        SET(easy, CURLOPT_SSLKEY, options->key);
    return code;
}

static CURLcode set_tls(const struct xfer *xfer, CURL *easy)
{
    const struct options *options = xfer->options;
    CURLcode code = set_trust(xfer, easy);

    if (options->tls)
        SET(easy, CURLOPT_SSLVERSION, tls_versions[options->tls]);
    if (options->ciphers)
        SET(easy, CURLOPT_SSL_CIPHER_LIST, options->ciphers);
    return code;
}

static const long ip_versions[] = {
    [OPTION_IP_ANY] = CURL_IPRESOLVE_WHATEVER,
    [OPTION_IP_4] = CURL_IPRESOLVE_V4,
    [OPTION_IP_6] = CURL_IPRESOLVE_V6,
};

static const long http_versions[] = {
    [OPTION_HTTP_1_1] = CURL_HTTP_VERSION_1_1,
    [OPTION_HTTP_2] = CURL_HTTP_VERSION_2TLS,
    [OPTION_HTTP_2_PRIOR] = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
    [OPTION_HTTP_3] = CURL_HTTP_VERSION_3,
};

CURLcode xfer_set_own_connection(CURL *easy, const struct curl_slist *headers)
{
    CURLcode code = CURLE_OK;

    while (headers && !framing_closes(headers->data))
        headers = headers->next;
    if (!headers)
        return code;
    SET(easy, CURLOPT_FRESH_CONNECT, 1L);
    SET(easy, CURLOPT_FORBID_REUSE, 1L);
    return code;
}

static CURLcode set_http(const struct xfer *xfer, CURL *easy)
{
    const struct options *options = xfer->options;
    CURLcode code = CURLE_OK;

    SET(easy, CURLOPT_HTTP_VERSION, http_versions[options->http]);
    if (options->http != OPTION_HTTP_1_1)
        SET(easy, CURLOPT_PIPEWAIT, 1L);
    SET(easy, CURLOPT_HTTPHEADER, xfer->headers);
    if (code == CURLE_OK)
        code = xfer_set_own_connection(easy, xfer->headers);
    if (options->remote_time || options->cache)
        SET(easy, CURLOPT_FILETIME, 1L);
    if (options->range)
        SET(easy, CURLOPT_RANGE, options->range);
    if (options->limit_rate)
        SET(easy, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)options->limit_rate);
    if (options->limit_rate)
        SET(easy, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)options->limit_rate);
    return code;
}

static CURLcode set_proxy(const struct xfer *xfer, CURL *easy)
{
    const struct options *options = xfer->options;
    CURLcode code = CURLE_OK;

    /* Where none is for any host, libcurl need not look through the environment for each
     * request. */
    if (!xfer->has_proxy) {
        SET(easy, CURLOPT_NOPROXY, "*");
        return code;
    }
    if (options->proxy)
        SET(easy, CURLOPT_PROXY, options->proxy);
    if (options->proxy_user)
        SET(easy, CURLOPT_PROXYUSERPWD, options->proxy_user);
    if (options->noproxy)
        SET(easy, CURLOPT_NOPROXY, options->noproxy);
    return code;
}

static CURLcode set_network(const struct xfer *xfer, CURL *easy)
{
    const struct options *options = xfer->options;
    CURLcode code = set_proxy(xfer, easy);

    SET(easy, CURLOPT_IPRESOLVE, ip_versions[options->ip]);
    if (xfer->resolve)
        SET(easy, CURLOPT_RESOLVE, xfer->resolve);
    if (xfer->connect_to)
        SET(easy, CURLOPT_CONNECT_TO, xfer->connect_to);
    if (options->interface)
        SET(easy, CURLOPT_INTERFACE, options->interface);
    if (options->unix_socket)
        SET(easy, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket);
    return code;
}

static const unsigned long auth_ways[] = {
    [OPTION_AUTH_BASIC] = CURLAUTH_BASIC,
    [OPTION_AUTH_DIGEST] = CURLAUTH_DIGEST,
    [OPTION_AUTH_ANY] = CURLAUTH_ANY,
};

/* As in curl: who says another name, to whatever host, has none looked up. */
static CURLcode set_netrc(CURL *easy, const struct options *options)
{
    CURLcode code = CURLE_OK;

    if (options->user || options->bearer || has_header(&options->headers, "authorization"))
        return code;
    if (options->netrc || options->netrc_file)
        SET(easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
    if (options->netrc_file)
        SET(easy, CURLOPT_NETRC_FILE, options->netrc_file);
    return code;
}

/* What is said to the host that the user named, and to no other. */
static CURLcode set_credentials(CURL *easy, const struct options *options)
{
    CURLcode code = CURLE_OK;
    struct buf cookies;

    if (options->referer)
        SET(easy, CURLOPT_REFERER, options->referer);
    if (options->user)
        SET(easy, CURLOPT_USERPWD, options->user);
    if (options->bearer)
        SET(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    if (options->bearer)
        SET(easy, CURLOPT_XOAUTH2_BEARER, options->bearer);
    buf_init(&cookies);
    for (size_t i = 0; i < options->cookies.len; i++) {
        if (strchr(options->cookies.at[i], '='))
            buf_addf(&cookies, "%s%s", cookies.len ? "; " : "", options->cookies.at[i]);
    }
    if (cookies.len)
        SET(easy, CURLOPT_COOKIE, cookies.data);
    buf_release(&cookies);
    return code;
}

static CURLcode set_callbacks(CURL *easy, struct transfer *transfer)
{
    CURLcode code = CURLE_OK;

    SET(easy, CURLOPT_ERRORBUFFER, transfer->message);
    SET(easy, CURLOPT_PRIVATE, transfer);
    SET(easy, CURLOPT_WRITEFUNCTION, xfer_on_body);
    SET(easy, CURLOPT_WRITEDATA, transfer);
    SET(easy, CURLOPT_HEADERFUNCTION, xfer_on_header);
    SET(easy, CURLOPT_HEADERDATA, transfer);
    if (transfer->xfer->options->verbose) {
        SET(easy, CURLOPT_VERBOSE, 1L);
        SET(easy, CURLOPT_DEBUGFUNCTION, xfer_on_debug);
        SET(easy, CURLOPT_DEBUGDATA, transfer);
    }
    SET(easy, CURLOPT_RESOLVER_START_FUNCTION, xfer_on_lookup);
    SET(easy, CURLOPT_RESOLVER_START_DATA, transfer);
    SET(easy, CURLOPT_OPENSOCKETFUNCTION, xfer_on_open_socket);
    SET(easy, CURLOPT_OPENSOCKETDATA, transfer);
    /* With the run and not the transfer: a connection outlives that. */
    SET(easy, CURLOPT_CLOSESOCKETFUNCTION, xfer_on_close_socket);
    SET(easy, CURLOPT_CLOSESOCKETDATA, transfer->xfer);
    SET(easy, CURLOPT_PREREQFUNCTION, xfer_on_connected);
    SET(easy, CURLOPT_PREREQDATA, transfer);
    return code;
}

/* Refuses what this library cannot do, and what it would lose most of the requests by. */
int xfer_check_library(const struct options *options, struct buf *err)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

    if (options->http == OPTION_HTTP_3 && !(info->features & CURL_VERSION_HTTP3)) {
        buf_setf(err, "--http3: libcurl %s here is built without HTTP/3", info->version);
        return -EINVAL;
    }
    if (options->http != OPTION_HTTP_2_PRIOR || info->version_num >= 0x080000)
        return 0;
    buf_setf(err,
             "--http2-prior-knowledge needs libcurl 8.0 or later: %s loses such requests "
             "(--http2 asks for it over TLS)",
             info->version);
    return -EINVAL;
}

int xfer_setup_easy(struct xfer *xfer, struct transfer *transfer, bool away, struct buf *err)
{
    const struct options *options = xfer->options;
    CURL *easy = transfer->easy;
    CURLcode code = set_callbacks(easy, transfer);

    if (code == CURLE_OK)
        code = set_safety(easy);
    if (code == CURLE_OK)
        code = set_times(easy, options, 0);
    if (code == CURLE_OK)
        code = set_share(xfer, transfer);
    if (code == CURLE_OK)
        code = set_tls(xfer, easy);
    if (code == CURLE_OK)
        code = set_http(xfer, easy);
    if (code == CURLE_OK)
        code = set_network(xfer, easy);
    if (code == CURLE_OK)
        code = set_netrc(easy, options);
    if (options->auth != OPTION_AUTH_BASIC) {
        SET(easy, CURLOPT_HTTPAUTH, auth_ways[options->auth]);
        SET(easy, CURLOPT_XFERINFOFUNCTION, xfer_on_progress);
        SET(easy, CURLOPT_XFERINFODATA, transfer);
        SET(easy, CURLOPT_NOPROGRESS, 0L);
    }
    if (code == CURLE_OK && !away)
        code = set_identity(easy, options);
    if (code == CURLE_OK && !away)
        code = set_credentials(easy, options);
    transfer->may_reuse = true;
    if (code == CURLE_OK)
        return 0;
    if (code == CURLE_OUT_OF_MEMORY)
        out_of_memory();
    buf_setf(err, "libcurl refuses an option: %s", curl_easy_strerror(code));
    return -EINVAL;
}
