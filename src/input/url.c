#include "input/url.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <idn2.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* A struct url is libcurl's CURLU under a name of ours: no second allocation for each request. */
static CURLU *handle_of(const struct url *url)
{
    return (CURLU *)(uintptr_t)url;
}

void *url_handle(const struct url *url)
{
    return handle_of(url);
}

void url_free(struct url *url)
{
    curl_url_cleanup(handle_of(url));
}

/* As curl has it: of the slashes there may be one alone. */
static bool has_scheme_written(const char *text)
{
    const char *at = text;

    while (isalnum((unsigned char)*at) || *at == '+' || *at == '-' || *at == '.')
        at++;
    return at > text && strncmp(at, ":/", 2) == 0;
}

static CURLU *checked(CURLU *handle)
{
    if (!handle)
        out_of_memory();
    return handle;
}

/* Which part of a URL is wrong, and how: libcurl's words differ by version. */
static const struct {
    CURLUcode code;
    const char *words;
} wrong[] = {
    {CURLUE_BAD_PORT_NUMBER, "the port, behind the host's colon, is no number from 0 to 65535"},
    {CURLUE_NO_HOST, "there is no host in the URL"},
    {CURLUE_BAD_HOSTNAME, "the host holds a character that no host's name can"},
    {CURLUE_BAD_IPV6, "the host, in brackets, is no IPv6 address"},
    {CURLUE_BAD_SLASHES, "the slashes behind the scheme are not two"},
    {CURLUE_BAD_SCHEME, "the scheme, before the colon, cannot be"},
    {CURLUE_BAD_USER, "the user's name, before the @, holds a control character"},
    {CURLUE_BAD_PASSWORD, "the password, before the @, holds a control character"},
    {CURLUE_BAD_LOGIN, "the name and password, before the @, cannot be"},
    {CURLUE_BAD_PATH, "the path holds a control character"},
    {CURLUE_BAD_QUERY, "the query, behind the ?, holds a control character"},
    {CURLUE_BAD_FRAGMENT, "the fragment, behind the #, holds a control character"},
    {CURLUE_MALFORMED_INPUT, "this is no URL, or holds a blank or a control character"},
};

static int explain(CURLUcode code, struct buf *err)
{
    const char *words = NULL;

    if (code == CURLUE_OUT_OF_MEMORY)
        out_of_memory();
    for (size_t i = 0; i < ARRAY_LEN(wrong) && !words; i++)
        words = wrong[i].code == code ? wrong[i].words : NULL;
    buf_setf(err, "%s", words ? words : curl_url_strerror(code));
    return -EINVAL;
}

static void must(CURLUcode code)
{
    if (code != CURLUE_OK)
        out_of_memory();
}

/* Gives a part as a string to curl_free, or NULL where the URL has none. */
static char *part(const struct url *url, CURLUPart what, unsigned flags)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(handle_of(url), what, &text, flags);

    if (code == CURLUE_OUT_OF_MEMORY)
        out_of_memory();
    return code == CURLUE_OK ? text : NULL;
}

/* url_below and keep_empty_query leave a query in the path: makes it a part of its own, for what
 * changes the one or the other. */
static void part_query(struct url *url)
{
    char *path = part(url, CURLUPART_PATH, 0);
    char *query = path ? strchr(path, '?') : NULL;

    if (query) {
        *query = '\0';
        must(curl_url_set(handle_of(url), CURLUPART_PATH, path, 0));
        must(curl_url_set(handle_of(url), CURLUPART_QUERY, query + 1, 0));
    }
    curl_free(path);
}

/* libcurl drops an empty query, or keeps it, by version. In the path it stays. */
static void keep_empty_query(struct url *url, const char *text)
{
    size_t mark = strcspn(text, "?#");
    char *path;
    struct buf longer;

    if (text[mark] != '?' || (text[mark + 1] && text[mark + 1] != '#'))
        return;
    path = part(url, CURLUPART_PATH, 0);
    if (path && !strchr(path, '?')) {
        buf_init(&longer);
        buf_addf(&longer, "%s?", path);
        must(curl_url_set(handle_of(url), CURLUPART_QUERY, NULL, 0));
        must(curl_url_set(handle_of(url), CURLUPART_PATH, longer.data, 0));
        buf_release(&longer);
    }
    curl_free(path);
}

/* ---- the host ---- */

static bool is_address(const char *name)
{
    return name[0] == '[';
}

static bool is_ascii(const char *name)
{
    while (*name && !(*name & 0x80))
        name++;
    return !*name;
}

static bool can_be_in_name(char c)
{
    bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');

    return alnum || c == '.' || c == '-' ||
           (c > ' ' && c < 0x7F && !strchr("\"#%/:<>?@[\\]^`{|}", c));
}

/* Where a name ends, or something stands that none holds: libcurl decodes a host, and IDNA makes a
 * slash of a wide one. */
static const char *name_end(const char *name)
{
    while (can_be_in_name(*name))
        name++;
    return name;
}

static int refuse_byte(char byte, struct buf *err)
{
    buf_setf(err, "no host's name can hold \"");
    text_add_escaped(err, &byte, 1);
    buf_add_text(err, "\"");
    return -EINVAL;
}

/* libidn2 and not libcurl: that one reads the name by the locale. */
static int to_ascii(const char *name, struct buf *out, struct buf *err)
{
    uint8_t *ascii = NULL;
    int result =
        idn2_lookup_u8((const uint8_t *)name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

    if (result == IDN2_MALLOC)
        out_of_memory();
    if (result != IDN2_OK) {
        buf_setf(err, "the host's name cannot be: %s", idn2_strerror(result));
        return -EINVAL;
    }
    buf_add_text(out, (const char *)ascii);
    idn2_free(ascii);
    return 0;
}

static bool ends_in_dot(const struct buf *name)
{
    return name->len && name->data[name->len - 1] == '.';
}

int url_spell_host(const char *name, struct buf *ret_name, struct buf *err)
{
    int result = 0;

    buf_clear(ret_name);
    if (is_address(name) || is_ascii(name))
        buf_add_text(ret_name, name);
    else
        result = to_ascii(name, ret_name, err);
    if (result || is_address(name))
        return result;
    if (ends_in_dot(ret_name))
        ret_name->data[--ret_name->len] = '\0';
    const char *end = name_end(ret_name->data);
    if (*end)
        return refuse_byte(*end, err);
    if (ret_name->len && !ends_in_dot(ret_name))
        return 0;
    buf_setf(err, "a part of the host's name is empty");
    return -EINVAL;
}

static bool is_spelled(const char *name)
{
    const char *end = name_end(name);

    return is_address(name) || (!*end && end > name && end[-1] != '.');
}

/* libcurl reads the whole again, since the host may have become an address. */
static int respell_host(CURLU *handle, const char *name, struct buf *err)
{
    struct buf spelled;
    char *text;

    buf_init(&spelled);
    int result = url_spell_host(name, &spelled, err);
    CURLUcode code = result ? CURLUE_OK : curl_url_set(handle, CURLUPART_HOST, spelled.data, 0);
    buf_release(&spelled);
    if (result || code != CURLUE_OK)
        return result ? result : explain(code, err);
    text = part((struct url *)handle, CURLUPART_URL, CURLU_NON_SUPPORT_SCHEME);
    code =
        text ? curl_url_set(handle, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) : CURLUE_NO_HOST;
    curl_free(text);
    return code == CURLUE_OK ? 0 : explain(code, err);
}

/* A host has one spelling, whatever the URL says and the locale is. */
static int settle_host(CURLU *handle, struct buf *err)
{
    char *name = part((struct url *)handle, CURLUPART_HOST, 0);
    int result = name && *name && !is_spelled(name) ? respell_host(handle, name, err) : 0;

    curl_free(name);
    return result;
}

/* `http://@host/` names nobody: libcurl would send an empty name and password. */
static void drop_nobody(struct url *url)
{
    char *user = part(url, CURLUPART_USER, 0), *password = part(url, CURLUPART_PASSWORD, 0);

    if (user && !*user && (!password || !*password)) {
        must(curl_url_set(handle_of(url), CURLUPART_USER, NULL, 0));
        must(curl_url_set(handle_of(url), CURLUPART_PASSWORD, NULL, 0));
    }
    curl_free(user);
    curl_free(password);
}

static int set_whole(CURLU *handle, const char *text, unsigned flags, struct url **ret_url,
                     struct buf *err)
{
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, text, flags | CURLU_NON_SUPPORT_SCHEME);
    int result = code == CURLUE_OK ? settle_host(handle, err) : explain(code, err);

    if (result) {
        curl_url_cleanup(handle);
        return result;
    }
    *ret_url = (struct url *)handle;
    if (strchr(text, '@'))
        drop_nobody(*ret_url);
    keep_empty_query(*ret_url, text);
    return 0;
}

/* Where a URL's path or query begins. */
static size_t rest_of(const char *text)
{
    const char *host = strchr(text, ':') + 1;

    host += strspn(host, "/");
    return (size_t)(host - text) + strcspn(host, "/?#");
}

/* In `whole`, behind the host, what a URL has no place for, as browsers write it: as %XX. */
static void encode_rest(struct buf *whole)
{
    size_t at = rest_of(whole->data);
    struct buf rest;

    while (at < whole->len && whole->data[at] != ' ' && !(whole->data[at] & 0x80))
        at++;
    if (at == whole->len)
        return;
    buf_init(&rest);
    buf_add_text(&rest, whole->data + at);
    whole->len = at;
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.data[i] == ' ' || (rest.data[i] & 0x80))
            buf_addf(whole, "%%%02X", (unsigned char)rest.data[i]);
        else
            buf_add_char(whole, rest.data[i]);
    }
    buf_release(&rest);
}

int url_parse(const char *text, const char *default_scheme, struct url **ret_url, struct buf *err)
{
    bool complete = has_scheme_written(text);
    struct buf whole;

    if (*text == '/') { /* of a page's links; what follows is no host */
        buf_setf(err, "a path, and no URL to take it from");
        return -EINVAL;
    }
    buf_init(&whole);
    buf_addf(&whole, "%s%s%s", complete ? "" : default_scheme, complete ? "" : "://", text);
    encode_rest(&whole);
    int result = set_whole(checked(curl_url()), whole.data, 0, ret_url, err);
    buf_release(&whole);
    return result;
}

int url_resolve(const struct url *base, const char *location, struct url **ret_url, struct buf *err)
{
    CURLU *handle = checked(curl_url_dup(handle_of(base)));

    part_query((struct url *)handle);
    return set_whole(handle, location, CURLU_URLENCODE | CURLU_ALLOW_SPACE, ret_url, err);
}

struct url *url_stem(const struct url *url)
{
    CURLU *handle = checked(curl_url_dup(handle_of(url)));

    must(curl_url_set(handle, CURLUPART_PATH, NULL, 0));
    must(curl_url_set(handle, CURLUPART_QUERY, NULL, 0));
    must(curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0));
    return (struct url *)handle;
}

/* The query stays in the path: libcurl prints one of its own twice, a byte at a time. */
struct url *url_below(const struct url *stem, const char *rest)
{
    CURLU *handle = checked(curl_url_dup(handle_of(stem)));

    must(curl_url_set(handle, CURLUPART_PATH, rest, 0));
    return (struct url *)handle;
}

bool url_has_scheme(const struct url *url, const char *scheme)
{
    char *own = part(url, CURLUPART_SCHEME, 0);
    bool same = own && strcasecmp(own, scheme) == 0;

    curl_free(own);
    return same;
}

static void add_lower(struct buf *out, const char *text)
{
    for (; text && *text; text++)
        buf_add_char(out, (char)tolower((unsigned char)*text));
}

void url_add_name_and_port(const struct url *url, struct buf *out)
{
    char *name = part(url, CURLUPART_HOST, 0);
    char *port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);

    add_lower(out, name);
    buf_addf(out, ":%s", port ? port : "");
    curl_free(name);
    curl_free(port);
}

void url_add_host(const struct url *url, struct buf *out)
{
    char *scheme = part(url, CURLUPART_SCHEME, 0);

    add_lower(out, scheme);
    buf_add_text(out, "://");
    url_add_name_and_port(url, out);
    curl_free(scheme);
}

void url_add_host_part(const struct url *url, struct buf *out)
{
    char *name = part(url, CURLUPART_HOST, 0);
    char *port = part(url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);

    add_lower(out, name);
    if (port)
        buf_addf(out, "_%s", port);
    curl_free(name);
    curl_free(port);
}

void url_add_path(const struct url *url, struct buf *out)
{
    char *path = part(url, CURLUPART_PATH, 0);

    if (path)
        buf_add(out, path + (path[0] == '/'), strcspn(path, "?") - (path[0] == '/'));
    curl_free(path);
}

static bool has_part(const struct url *url, CURLUPart what)
{
    char *text = part(url, what, 0);

    curl_free(text);
    return text != NULL;
}

/* Of a scheme, a host, perhaps a port, a path and perhaps a query, as most are. */
static bool is_plain(const struct url *url)
{
    return !has_part(url, CURLUPART_USER) && !has_part(url, CURLUPART_PASSWORD) &&
           !has_part(url, CURLUPART_OPTIONS) && !has_part(url, CURLUPART_FRAGMENT) &&
           !has_part(url, CURLUPART_ZONEID);
}

static void add_part(struct buf *out, const char *before, char *text)
{
    if (text && *text) {
        buf_add_text(out, before);
        buf_add_text(out, text);
    }
    curl_free(text);
}

/* The whole as libcurl writes it costs three times its parts: it goes by a printf of its own. */
static bool add_plain(const struct url *url, struct buf *out)
{
    char *scheme = part(url, CURLUPART_SCHEME, 0), *host = part(url, CURLUPART_HOST, 0);

    if (!scheme || strncmp(scheme, "http", 4) != 0 || !host || !is_plain(url)) {
        curl_free(scheme);
        curl_free(host);
        return false;
    }
    add_part(out, "", scheme);
    add_part(out, "://", host);
    add_part(out, ":", part(url, CURLUPART_PORT, 0));
    add_part(out, "", part(url, CURLUPART_PATH, 0));
    add_part(out, "?", part(url, CURLUPART_QUERY, 0));
    return true;
}

/* libcurl 7.88 writes the path of file:/// as (nil), unless it was set. */
static void set_root_path(const struct url *url)
{
    char *path = part(url, CURLUPART_PATH, 0);

    if (path && strcmp(path, "/") == 0)
        must(curl_url_set(handle_of(url), CURLUPART_PATH, path, 0));
    curl_free(path);
}

void url_add_text(const struct url *url, struct buf *out)
{
    if (add_plain(url, out))
        return;
    set_root_path(url);
    char *text = part(url, CURLUPART_URL, CURLU_NON_SUPPORT_SCHEME);

    if (text)
        buf_add_text(out, text);
    curl_free(text);
}

void url_add_referer(const struct url *url, struct buf *out)
{
    CURLU *bare = checked(curl_url_dup(handle_of(url)));

    must(curl_url_set(bare, CURLUPART_USER, NULL, 0));
    must(curl_url_set(bare, CURLUPART_PASSWORD, NULL, 0));
    must(curl_url_set(bare, CURLUPART_FRAGMENT, NULL, 0));
    url_add_text((struct url *)bare, out);
    curl_url_cleanup(bare);
}

static bool ends_in(const char *text, const char *tail)
{
    size_t len = strlen(text), tail_len = strlen(tail);

    return len >= tail_len && strcasecmp(text + len - tail_len, tail) == 0;
}

static bool is_localhost(const char *name)
{
    return strcasecmp(name, "localhost") == 0 || ends_in(name, ".localhost");
}

bool url_is_localhost(const struct url *url)
{
    char *name = part(url, CURLUPART_HOST, 0);
    bool local = name && is_localhost(name);

    curl_free(name);
    return local;
}

/* libcurl answers localhost and *.localhost by itself. */
static bool needs_no_lookup(const char *name)
{
    struct in_addr address;

    return name[0] == '[' || inet_pton(AF_INET, name, &address) == 1 || is_localhost(name);
}

bool url_is_numeric(const struct url *url)
{
    char *name = part(url, CURLUPART_HOST, 0);
    bool numeric = name && needs_no_lookup(name);

    curl_free(name);
    return numeric;
}

void url_copy_user(struct url *url, const struct url *from)
{
    char *own = part(url, CURLUPART_USER, 0);
    char *user = part(from, CURLUPART_USER, 0);
    char *password = part(from, CURLUPART_PASSWORD, 0);

    if (!own && user)
        must(curl_url_set(handle_of(url), CURLUPART_USER, user, 0));
    if (!own && password)
        must(curl_url_set(handle_of(url), CURLUPART_PASSWORD, password, 0));
    curl_free(own);
    curl_free(user);
    curl_free(password);
}

void url_add_query(struct url *url, const char *query)
{
    part_query(url);
    must(curl_url_set(handle_of(url), CURLUPART_QUERY, query, CURLU_APPENDQUERY));
}

void url_add_file_name(struct url *url, const char *file)
{
    part_query(url);
    char *path = part(url, CURLUPART_PATH, 0);
    const char *slash = strrchr(file, '/');
    struct buf longer;
    char *name;

    if (path && ends_in(path, "/")) {
        name = curl_easy_escape(NULL, slash ? slash + 1 : file, 0);
        if (!name)
            out_of_memory();
        buf_init(&longer);
        buf_addf(&longer, "%s%s", path, name);
        must(curl_url_set(handle_of(url), CURLUPART_PATH, longer.data, 0));
        buf_release(&longer);
        curl_free(name);
    }
    curl_free(path);
}
