#include "model/option_table.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "model/options.h"
#include "model/url.h"

#define AT(member) .at = offsetof(struct options, member)

static const char *const order_words[] = {"input", "completion", NULL};
static const char *const format_words[] = {"raw", "none", NULL};
static const char *const input_format_words[] = {"auto", "url", "jsonl", NULL};

static const char *const group_titles[GROUP_COUNT] = {
    [GROUP_INPUT] = "Input",
    [GROUP_FLOW] = "Flow",
    [GROUP_OUTPUT] = "Order and output",
    [GROUP_REQUEST] = "Request, as in curl",
    [GROUP_OTHER] = "Other",
};

/* A line break in a header would start another header, or another request. */
static int check_header(const char *text, struct buf *err)
{
    if (!strpbrk(text, "\r\n") && strpbrk(text, ":;"))
        return 0;
    buf_setf(err, "takes one header, as in 'Name: value'");
    return -EINVAL;
}

static int check_line(const char *text, struct buf *err)
{
    if (!strpbrk(text, "\r\n"))
        return 0;
    buf_setf(err, "takes text without a line break");
    return -EINVAL;
}

static int check_readable(const char *path, struct buf *err)
{
    if (access(path, R_OK) == 0)
        return 0;
    buf_setf(err, "cannot read %s: %s", path, strerror(errno));
    return -EINVAL;
}

static int check_directory(const char *path, struct buf *err)
{
    struct stat status;

    if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        errno = ENOTDIR;
    else if (access(path, W_OK | X_OK) == 0)
        return 0;
    buf_setf(err, "cannot use %s: %s", path, strerror(errno));
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

static int check_resolve(const char *text, struct buf *err)
{
    if (text[0] != '-' && count_colons(text) >= 2)
        return 0;
    buf_setf(err, "takes HOST:PORT:ADDRESS[,ADDRESS]");
    return -EINVAL;
}

static int check_connect_to(const char *text, struct buf *err)
{
    if (count_colons(text) == 3)
        return 0;
    buf_setf(err, "takes HOST:PORT:HOST:PORT, any of them empty");
    return -EINVAL;
}

static int check_web_scheme(const char *text, struct buf *err)
{
    if (strcmp(text, "http") == 0 || strcmp(text, "https") == 0)
        return 0;
    buf_setf(err, "takes http or https");
    return -EINVAL;
}

static int check_proxy(const char *text, struct buf *err)
{
    struct url *url = NULL;

    if (!*text || url_parse(text, "http", &url, err) == 0) {
        url_free(url);
        return 0;
    }
    buf_setf(err, "takes [SCHEME://]HOST[:PORT]");
    return -EINVAL;
}

const struct option option_table[] = {
    {.name = "input",
     .letters = "a",
     .arg = "FILE",
     .kind = OPTION_LIST,
     .group = GROUP_INPUT,
     .brief = true,
     AT(inputs),
     .help = "Read requests from FILE, - for stdin; repeatable"},
    {.name = "null",
     .letters = "0",
     .kind = OPTION_SWITCH,
     .group = GROUP_INPUT,
     AT(null_separated),
     .help = "A NUL byte ends a line of input, not a newline"},
    {.name = "input-format",
     .arg = "FORMAT",
     .kind = OPTION_WORD,
     .group = GROUP_INPUT,
     AT(input_format),
     .words = input_format_words,
     .help = "What lines are: auto (the default), url, jsonl"},
    {.name = "globoff",
     .letters = "g",
     .kind = OPTION_SWITCH,
     .group = GROUP_INPUT,
     AT(globoff),
     .help = "Take {} and [] in arguments as they are"},
    {.name = "proto-default",
     .arg = "SCHEME",
     .kind = OPTION_TEXT,
     .group = GROUP_INPUT,
     AT(proto_default),
     .check = check_web_scheme,
     .help = "The scheme of a URL that has none (http)"},

    {.name = "jobs",
     .letters = "jP",
     .arg = "N",
     .kind = OPTION_COUNT,
     .group = GROUP_FLOW,
     .brief = true,
     AT(jobs),
     .min = 1,
     .max = 1000000,
     .help = "At most N transfers in flight (20)"},
    {.name = "parallel-max", .arg = "N", .kind = OPTION_ALIAS, .of = "jobs", .group = GROUP_FLOW},
    {.name = "parallel",
     .letters = "Z",
     .kind = OPTION_ACCEPTED,
     .group = GROUP_FLOW,
     .help = "Accepted for curl's sake: transfers are always parallel"},
    {.name = "window",
     .arg = "N",
     .kind = OPTION_BIG,
     .group = GROUP_FLOW,
     AT(window),
     .min = 1,
     .max = 1u << 30,
     .help = "At most N requests read and not yet printed (1024, or 4 x jobs if larger)"},
    {.name = "memory",
     .arg = "SIZE",
     .kind = OPTION_BYTES,
     .group = GROUP_FLOW,
     AT(memory),
     .help = "Hold at most SIZE of bodies in memory (64M); the rest goes to disk"},
    {.name = "spool-dir",
     .arg = "DIR",
     .kind = OPTION_TEXT,
     .group = GROUP_FLOW,
     AT(spool_dir),
     .check = check_directory,
     .help = "Where on disk ($TMPDIR, else /var/tmp)"},
    {.name = "spool-max",
     .arg = "SIZE",
     .kind = OPTION_BYTES,
     .group = GROUP_FLOW,
     AT(spool_max),
     .help = "At most SIZE on disk (8G)"},
    {.name = "retry",
     .arg = "N",
     .kind = OPTION_COUNT,
     .group = GROUP_FLOW,
     AT(retry),
     .min = 0,
     .max = 0,
     .help = "Each request is tried once: only 0 is taken"},
    {.name = "connect-timeout",
     .arg = "TIME",
     .kind = OPTION_SECONDS,
     .group = GROUP_FLOW,
     AT(connect_timeout),
     .help = "Give up a connection that does not stand after TIME (10s)"},
    {.name = "stall-timeout",
     .arg = "TIME",
     .kind = OPTION_SECONDS,
     .group = GROUP_FLOW,
     AT(stall_timeout),
     .help = "Give up a transfer after TIME without a byte (30s)"},
    {.name = "max-time",
     .letters = "m",
     .arg = "TIME",
     .kind = OPTION_SECONDS,
     .group = GROUP_FLOW,
     .brief = true,
     AT(max_time),
     .help = "Give up a transfer that takes longer than TIME"},

    {.name = "order",
     .arg = "ORDER",
     .kind = OPTION_WORD,
     .group = GROUP_OUTPUT,
     AT(order),
     .words = order_words,
     .help = "Print in the order of the input (the default) or of completion"},
    {.name = "keep-order",
     .kind = OPTION_SET,
     .group = GROUP_OUTPUT,
     AT(order),
     .value = OPTION_ORDER_INPUT,
     .help = "The same as --order input"},
    {.name = "unordered",
     .kind = OPTION_SET,
     .group = GROUP_OUTPUT,
     .brief = true,
     AT(order),
     .value = OPTION_ORDER_COMPLETION,
     .help = "Print results as they come, not in input order"},
    {.name = "format",
     .arg = "FORMAT",
     .kind = OPTION_WORD,
     .group = GROUP_OUTPUT,
     .brief = true,
     AT(format),
     .words = format_words,
     .help = "What to print: raw (whole bodies, the default) or none"},
    {.name = "to",
     .arg = "FILE",
     .kind = OPTION_TEXT,
     .group = GROUP_OUTPUT,
     .brief = true,
     AT(to),
     .help = "Print into FILE instead of stdout"},
    {.name = "accept",
     .arg = "CODES",
     .kind = OPTION_CODES,
     .group = GROUP_OUTPUT,
     AT(accept),
     .help = "The statuses that are a success, as in 200-299,404, or any (100-399)"},
    {.name = "fail",
     .letters = "f",
     .kind = OPTION_ACCEPTED,
     .group = GROUP_OUTPUT,
     .help = "Accepted for curl's sake: a status from 400 on is always a failure"},
    {.name = "silent",
     .letters = "s",
     .kind = OPTION_SWITCH,
     .group = GROUP_OUTPUT,
     .brief = true,
     AT(silent),
     .help = "No line on stderr for a failed request"},
    {.name = "show-error",
     .letters = "S",
     .kind = OPTION_ACCEPTED,
     .group = GROUP_OUTPUT,
     .help = "Accepted for curl's sake"},

    {.name = "header",
     .letters = "H",
     .arg = "LINE",
     .kind = OPTION_LIST,
     .group = GROUP_REQUEST,
     .brief = true,
     AT(headers),
     .check = check_header,
     .help = "Send a header; repeatable"},
    {.name = "user-agent",
     .letters = "A",
     .arg = "NAME",
     .kind = OPTION_TEXT,
     .group = GROUP_REQUEST,
     AT(user_agent),
     .check = check_line,
     .help = "Send this User-Agent; an empty one sends none"},
    {.name = "location",
     .letters = "L",
     .kind = OPTION_SWITCH,
     .group = GROUP_REQUEST,
     AT(location),
     .help = "Follow redirects (the default; --no-location does not)"},
    {.name = "max-redirs",
     .arg = "N",
     .kind = OPTION_COUNT,
     .group = GROUP_REQUEST,
     AT(max_redirs),
     .max = 1000,
     .help = "Follow at most N redirects (10)"},
    {.name = "location-trusted",
     .kind = OPTION_SWITCH,
     .group = GROUP_REQUEST,
     AT(location_trusted),
     .help = "Send headers and credentials to other hosts too"},
    {.name = "compressed",
     .kind = OPTION_SWITCH,
     .group = GROUP_REQUEST,
     AT(compressed),
     .help = "Ask for gzip and deflate, and decode (the default; --no-compressed does not)"},
    {.name = "insecure",
     .letters = "k",
     .kind = OPTION_SWITCH,
     .group = GROUP_REQUEST,
     AT(insecure),
     .help = "Take any certificate"},
    {.name = "cacert",
     .arg = "FILE",
     .kind = OPTION_TEXT,
     .group = GROUP_REQUEST,
     AT(cacert),
     .check = check_readable,
     .help = "Trust the authorities in FILE"},
    {.name = "resolve",
     .arg = "H:P:A",
     .kind = OPTION_LIST,
     .group = GROUP_REQUEST,
     AT(resolve),
     .check = check_resolve,
     .help = "The address A for host H and port P; repeatable"},
    {.name = "connect-to",
     .arg = "H:P:H:P",
     .kind = OPTION_LIST,
     .group = GROUP_REQUEST,
     AT(connect_to),
     .check = check_connect_to,
     .help = "Connect to the second host and port instead of the first; repeatable"},
    {.name = "proxy",
     .letters = "x",
     .arg = "URL",
     .kind = OPTION_TEXT,
     .group = GROUP_REQUEST,
     AT(proxy),
     .check = check_proxy,
     .help = "Go through this proxy"},
    {.name = "http1.1",
     .kind = OPTION_SET,
     .group = GROUP_REQUEST,
     AT(http),
     .value = OPTION_HTTP_1_1,
     .help = "Speak HTTP/1.1 (the default)"},
    {.name = "http2",
     .kind = OPTION_SET,
     .group = GROUP_REQUEST,
     AT(http),
     .value = OPTION_HTTP_2,
     .help = "Speak HTTP/2 where an https server does"},
    {.name = "ipv4",
     .letters = "4",
     .kind = OPTION_SET,
     .group = GROUP_REQUEST,
     AT(ip),
     .value = OPTION_IP_4,
     .help = "Use IPv4 addresses only"},
    {.name = "ipv6",
     .letters = "6",
     .kind = OPTION_SET,
     .group = GROUP_REQUEST,
     AT(ip),
     .value = OPTION_IP_6,
     .help = "Use IPv6 addresses only"},

    {.name = "help",
     .letters = "h",
     .arg = "[TOPIC]",
     .kind = OPTION_HELP,
     .group = GROUP_OTHER,
     .brief = true,
     AT(help),
     .help = "Show this, all options, or the one called TOPIC"},
    {.name = "version",
     .letters = "V",
     .kind = OPTION_SWITCH,
     .group = GROUP_OTHER,
     .brief = true,
     AT(version),
     .help = "Show the version"},
    {.name = NULL},
};

const char *option_group_title(enum option_group group)
{
    return group_titles[group];
}

const struct option *option_find(const char *name)
{
    for (const struct option *option = option_table; option->name; option++) {
        if (strcmp(option->name, name) == 0)
            return option->kind == OPTION_ALIAS ? option_find(option->of) : option;
    }
    return NULL;
}

const struct option *option_find_letter(char letter)
{
    for (const struct option *option = option_table; option->name; option++) {
        if (letter && option->letters && strchr(option->letters, letter))
            return option;
    }
    return NULL;
}

enum { NAME_MAX_LEN = 32, DISTANCE_MAX = 3 };

/* How many letters differ between two names, by Levenshtein; both at most NAME_MAX_LEN long. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_LEN + 1];
    size_t len = strlen(b);

    for (size_t k = 0; k <= len; k++)
        row[k] = k;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t k = 0; k < len; k++) {
            size_t changed = diagonal + (a[i] != b[k]);
            diagonal = row[k + 1];
            row[k + 1] = MIN(changed, MIN(row[k], row[k + 1]) + 1);
        }
    }
    return row[len];
}

const char *option_nearest(const char *name)
{
    const char *nearest = NULL;
    size_t best = DISTANCE_MAX + 1;

    if (strlen(name) > NAME_MAX_LEN)
        return NULL;
    for (const struct option *option = option_table; option->name; option++) {
        size_t own = distance(name, option->name);
        if (own < best && own * 2 <= strlen(name)) {
            best = own;
            nearest = option->name;
        }
    }
    return nearest;
}
