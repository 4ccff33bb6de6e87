#include "cli/option_check.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/number.h"
#include "cli/options.h"
#include "input/framing.h"
#include "input/json_request.h"
#include "input/url.h"

enum { DATA_MAX = 64 * 1024 * 1024 };

/* A line break in a header would start another header, or another request; a blank in its name or
 * before it would have two readers take it for two things. */
int option_check_header(const char *text, struct buf *err)
{
    size_t len = strcspn(text, ":;");

    if (!strpbrk(text, "\r\n") && text[len] && json_request_is_token(text, len))
        return 0;
    buf_setf(err, "takes one header, as in 'Name: value'");
    return -EINVAL;
}

int option_check_line(const char *text, struct buf *err)
{
    if (!strpbrk(text, "\r\n"))
        return 0;
    buf_setf(err, "takes text without a line break");
    return -EINVAL;
}

static size_t count_colons(const char *text)
{
    size_t colons = 0;

    for (bool in_brackets = false; *text; text++) {
        if (*text == '[')
            in_brackets = true;
        else if (*text == ']')
            in_brackets = false;
        colons += *text == ':' && !in_brackets;
    }
    return colons;
}

int option_check_resolve(const char *text, struct buf *err)
{
    if (text[0] != '-' && count_colons(text) >= 2)
        return 0;
    buf_setf(err, "takes HOST:PORT:ADDRESS[,ADDRESS]");
    return -EINVAL;
}

int option_check_connect_to(const char *text, struct buf *err)
{
    if (count_colons(text) == 3)
        return 0;
    buf_setf(err, "takes HOST:PORT:HOST:PORT, any of them empty");
    return -EINVAL;
}

int option_check_web_scheme(const char *text, struct buf *err)
{
    if (strcmp(text, "http") == 0 || strcmp(text, "https") == 0)
        return 0;
    buf_setf(err, "takes http or https");
    return -EINVAL;
}

/* Those that libcurl speaks to a proxy. */
static bool is_proxy_scheme(const struct url *url)
{
    static const char *const schemes[] = {"http",    "https",  "socks4",
                                          "socks4a", "socks5", "socks5h"};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (url_has_scheme(url, schemes[i]))
            return true;
    }
    return false;
}

int option_check_proxy(const char *text, struct buf *err)
{
    struct url *url = NULL;
    bool good = !*text;

    if (!good && url_parse(text, "http", &url, err) == 0)
        good = is_proxy_scheme(url);
    url_free(url);
    if (good)
        return 0;
    buf_setf(err, "takes [SCHEME://]HOST[:PORT], of http, https or socks4, 4a, 5, 5h");
    return -EINVAL;
}

int option_check_method(const char *text, struct buf *err)
{
    if (json_request_is_token(text, strlen(text)))
        return 0;
    buf_setf(err, "takes a word such as GET");
    return -EINVAL;
}

/* Which names there are, the format knows. */
int option_check_fields(const char *text, struct buf *err)
{
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        if (!len)
            break;
        at += len;
        if (!*at)
            return 0;
    }
    buf_setf(err, "takes names with one comma between them, as in url,http_code");
    return -EINVAL;
}

int option_check_range(const char *text, struct buf *err)
{
    if (text[strspn(text, "0123456789-,")] == '\0' && strchr(text, '-'))
        return 0;
    buf_setf(err, "takes ranges of bytes such as 0-499");
    return -EINVAL;
}

/* What -d and its like send is joined as a form is, what --json sends is not. */
static void begin_data(struct options *options)
{
    if (options->has_data && !options->data_is_json)
        buf_add_char(&options->data, '&');
    options->has_data = true;
}

static void drop_line_breaks(struct buf *data, size_t from)
{
    size_t to = from;

    for (size_t i = from; i < data->len; i++) {
        char c = data->data[i];
        if (c != '\0' && c != '\r' && c != '\n')
            data->data[to++] = c;
    }
    if (to < data->len)
        data->data[to] = '\0';
    data->len = to;
}

/* Reads the file behind an @; - is stdin, which is there once. */
static int read_file(struct options *options, const char *path, struct buf *out, struct buf *err)
{
    bool is_stdin = strcmp(path, "-") == 0;

    if (is_stdin && options->took_stdin) {
        buf_setf(err, "stdin was read already, for another @-");
        return -EINVAL;
    }
    options->took_stdin |= is_stdin;
    return file_read_whole(path, DATA_MAX, out, err) ? -EINVAL : 0;
}

static int add_data(struct options *options, const char *text, struct buf *err)
{
    begin_data(options);
    if (text[0] == '@')
        return read_file(options, text + 1, &options->data, err);
    buf_add_text(&options->data, text);
    return 0;
}

/* As curl has it: @FILE is read, without its line breaks. */
int option_set_data(struct options *options, const char *text, struct buf *err)
{
    size_t from = options->data.len;
    int result = add_data(options, text, err);

    if (!result && text[0] == '@')
        drop_line_breaks(&options->data, from);
    return result;
}

int option_set_data_binary(struct options *options, const char *text, struct buf *err)
{
    return add_data(options, text, err);
}

int option_set_data_raw(struct options *options, const char *text, struct buf *err)
{
    (void)err;
    begin_data(options);
    buf_add_text(&options->data, text);
    return 0;
}

int option_set_json(struct options *options, const char *text, struct buf *err)
{
    options->data_is_json = true;
    return add_data(options, text, err);
}

static int add_header_line(struct options *options, const char *text, struct buf *err)
{
    text += strspn(text, " \t");
    int result = option_check_header(text, err);
    enum framing framing = result ? FRAMING_NONE : framing_of(text);

    if (framing == FRAMING_UNKNOWN) {
        buf_setf(err, "Transfer-Encoding can only be chunked");
        return -EINVAL;
    }
    if (framing == FRAMING_COPIED)
        strings_add(&options->dropped_headers, xstrndup(text, strcspn(text, ":;")));
    else if (framing == FRAMING_CHUNKED && !framing_chunks(&options->headers))
        strings_add(&options->headers, xstrdup(framing_chunked));
    else if (framing == FRAMING_NONE && !result)
        strings_add(&options->headers, xstrdup(text));
    return result;
}

/* A header a line, each with or without a CR at its end. */
static int add_header_lines(struct options *options, char *text, struct buf *err)
{
    char *line;
    int result = 0;

    while (!result && (line = strsep(&text, "\n")) != NULL) {
        size_t len = strlen(line);
        if (len && line[len - 1] == '\r')
            line[len - 1] = '\0';
        if (*line)
            result = add_header_line(options, line, err);
    }
    return result;
}

int option_set_header(struct options *options, const char *text, struct buf *err)
{
    struct buf lines;
    int result;

    if (text[0] != '@')
        return add_header_line(options, text, err);
    buf_init(&lines);
    result = read_file(options, text + 1, &lines, err);
    if (!result && memchr(lines.data, '\0', lines.len)) {
        buf_setf(err, "%s: there is a NUL byte in it", text + 1);
        result = -EINVAL;
    }
    if (!result)
        result = add_header_lines(options, lines.data, err);
    buf_release(&lines);
    return result;
}

static unsigned protocol_of(const char *name, size_t len)
{
    if (len == 4 && strncasecmp(name, "http", 4) == 0)
        return OPTION_PROTO_HTTP;
    if (len == 5 && strncasecmp(name, "https", 5) == 0)
        return OPTION_PROTO_HTTPS;
    if (len == 3 && strncasecmp(name, "all", 3) == 0)
        return OPTION_PROTO_HTTP | OPTION_PROTO_HTTPS;
    return 0;
}

/* curl's list: each name permits one more, `-name` one less, `=name` that one alone. Of the schemes
 * that curl has two are ours; others may be named, and stay denied. */
int option_set_protocols(struct options *options, const char *text, struct buf *err)
{
    unsigned protocols = options->protocols;

    while (*text) {
        char how = strchr("+-=", *text) ? *text++ : '+';
        size_t len = strcspn(text, ",");
        unsigned one = protocol_of(text, len);
        if (how == '=')
            protocols = one;
        else
            protocols = how == '+' ? protocols | one : protocols & ~one;
        text += len + (text[len] == ',');
    }
    options->protocols = protocols;
    if (protocols)
        return 0;
    buf_setf(err, "leaves no scheme to fetch: takes a list such as =https");
    return -EINVAL;
}

int option_set_config(struct options *options, const char *text, struct buf *err)
{
    return options_read_file(options, text, err);
}

int option_set_template(struct options *options, const char *text, struct buf *err)
{
    struct buf whole;
    int result = 0;

    buf_init(&whole);
    if (text[0] == '@')
        result = read_file(options, text + 1, &whole, err);
    else
        buf_add_text(&whole, text);
    if (!result && memchr(whole.data, '\0', whole.len)) {
        buf_setf(err, "%s: there is a NUL byte in it", text + 1);
        result = -EINVAL;
    }
    if (result) {
        buf_release(&whole);
        return result;
    }
    free(options->write_out);
    options->write_out = buf_take(&whole);
    return 0;
}

static int fail_host(struct buf *err)
{
    buf_setf(err, "names no host before the =");
    return -EINVAL;
}

/* Where the value of `[HOST=]VALUE` begins. */
static const char *split_host(const char *text, size_t *ret_host_len)
{
    const char *equals = strrchr(text, '=');

    *ret_host_len = equals ? (size_t)(equals - text) : 0;
    return equals ? equals + 1 : text;
}

int option_set_per_host(struct options *options, const char *text, struct buf *err)
{
    size_t host_len;
    const char *value = split_host(text, &host_len);
    uint64_t count;

    if (number_read_count(value, &count) || !count || count > 1000000) {
        buf_setf(err, "takes [HOST=]N, a number from 1 to 1000000");
        return -EINVAL;
    }
    if (value == text)
        options->per_host = (unsigned)count;
    else if (host_limits_set_jobs(&options->host_limits, text, host_len, (unsigned)count))
        return fail_host(err);
    return 0;
}

static int read_rate(const char *value, double *ret_interval, struct buf *err)
{
    uint64_t count;

    if (number_read_rate(value, ret_interval) == 0)
        return 0;
    if (number_read_count(value, &count) == 0)
        buf_setf(err, "needs a unit: %s/s, %s/m or %s/h (curl would take %s for the last)", value,
                 value, value, value);
    else
        buf_setf(err, "takes a rate such as 5/s, 100/m, 20/h, 3/d or 1/10s");
    return -EINVAL;
}

int option_set_rate(struct options *options, const char *text, struct buf *err)
{
    return read_rate(text, &options->rate, err);
}

int option_set_host_rate(struct options *options, const char *text, struct buf *err)
{
    size_t host_len;
    const char *value = split_host(text, &host_len);
    double interval;

    if (read_rate(value, &interval, err))
        return -EINVAL;
    if (value == text)
        options->host_rate = interval;
    else if (host_limits_set_interval(&options->host_limits, text, host_len, interval))
        return fail_host(err);
    return 0;
}

/* A list that begins with something to take out starts from what is there. */
int option_set_retry_on(struct options *options, const char *text, struct buf *err)
{
    struct codes codes = options->retry_on;
    char *copy = xstrdup(text), *rest = copy, *item;
    int result = *text ? 0 : -EINVAL;

    if (*text != '!')
        codes_clear(&codes);
    while (!result && (item = strsep(&rest, ",")) != NULL) {
        struct codes some;
        codes_clear(&some);
        result = codes_parse(&some, item + (*item == '!'), err);
        codes_merge(&codes, &some, *item != '!');
    }
    free(copy);
    if (result)
        buf_setf(err, "takes statuses such as 429,500-504 or !500");
    else
        options->retry_on = codes;
    return result;
}

int option_set_retry_budget(struct options *options, const char *text, struct buf *err)
{
    uint64_t percent;
    char *number;
    size_t len = strlen(text);
    int result = -EINVAL;

    if (strcmp(text, "none") == 0) {
        options->retry_budget = INFINITY;
        return 0;
    }
    if (len > 1 && text[len - 1] == '%') {
        number = xstrndup(text, len - 1);
        result = number_read_count(number, &percent);
        free(number);
    }
    if (result) {
        buf_setf(err, "takes a share such as 20%%, or none");
        return -EINVAL;
    }
    options->retry_budget = (double)percent / 100;
    return 0;
}

int option_set_halt(struct options *options, const char *text, struct buf *err)
{
    return halt_parse(&options->halt, text, err);
}
