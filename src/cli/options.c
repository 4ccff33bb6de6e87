#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "cli/option_check.h"
#include "cli/option_near.h"
#include "cli/option_table.h"
#include "input/framing.h"
#include "input/glob.h"

enum { OPTION_FILE_MAX = 1 << 20, OPTION_QUERY_MAX = 1 << 20 };

/* What may be another next time. */
static void add_passing_statuses(struct codes *codes)
{
    codes_add(codes, 408, 408);
    codes_add(codes, 425, 425);
    codes_add(codes, 429, 429);
    codes_add(codes, 500, 500);
    codes_add(codes, 502, 504);
}

void options_init(struct options *options)
{
    *options = (struct options){
        .jobs = 20,
        .burst = 1,
        .retry = 2,
        .retry_delay = 0.5,
        .sync = 1,
        .retry_max_delay = 60,
        .retry_budget = 0.2,
        .gate_max = 3600,
        .host_errors = 3,
        .host_wait = 30,
        .host_retry_after = 30,
        .memory = UINT64_C(64) << 20,
        .spool_max = UINT64_C(8) << 30,
        .connect_timeout = 10,
        .stall_timeout = 30,
        .stop_timeout = 5,
        .compressed = true,
        .location = true,
        .max_redirs = 10,
        .body = true,
        .protocols = OPTION_PROTO_HTTP | OPTION_PROTO_HTTPS,
    };
    buf_init(&options->data);
    codes_add(&options->accept, 100, 399);
    add_passing_statuses(&options->retry_on);
}

static void *place_in(struct options *options, const struct option *option)
{
    return (char *)options + option->at;
}

void options_release(struct options *options)
{
    for (const struct option *option = option_table; option->name; option++) {
        if (option->kind == OPTION_TEXT)
            free(*(char **)place_in(options, option));
        else if (option->kind == OPTION_LIST)
            strings_release(place_in(options, option));
    }
    strings_release(&options->input.urls);
    strings_release(&options->headers);
    strings_release(&options->dropped_headers);
    host_limits_release(&options->host_limits);
    free(options->write_out);
    buf_release(&options->data);
    free(options->help_topic);
}

bool options_print_to_stdout(const struct options *options)
{
    return !options->to || strcmp(options->to, "-") == 0;
}

struct ask options_ask(const struct options *options)
{
    struct ask ask = {.method = options->method, .method_is_named = options->method != NULL};

    if (options->upload) {
        ask.payload_kind = PAYLOAD_FILE;
        ask.payload = options->upload;
    } else if (options->has_data && !options->get) {
        ask.payload_kind = PAYLOAD_BYTES;
        ask.payload = options->data.data;
        ask.payload_len = options->data.len;
    }
    if (!ask.method && options->head)
        ask.method = "HEAD";
    if (!ask.method && options->upload)
        ask.method = "PUT";
    return ask;
}

static int refuse_number(const struct option *option, struct buf *err)
{
    if (option->min == option->max)
        buf_setf(err, "takes %llu", (unsigned long long)option->min);
    else
        buf_setf(err, "takes a number from %llu to %llu", (unsigned long long)option->min,
                 (unsigned long long)option->max);
    return -EINVAL;
}

static int read_number(const struct option *option, const char *text, uint64_t *ret_number,
                       struct buf *err)
{
    uint64_t number = 0;

    if (number_read_count(text, &number) || number < option->min || number > option->max)
        return refuse_number(option, err);
    *ret_number = number;
    return 0;
}

static int store_number(struct options *options, const struct option *option, const char *text,
                        struct buf *err)
{
    uint64_t number = 0;
    int result = read_number(option, text, &number, err);

    if (result)
        return result;
    if (option->kind == OPTION_BIG)
        *(uint64_t *)place_in(options, option) = number;
    else
        *(unsigned *)place_in(options, option) = (unsigned)number;
    return 0;
}

static int store_bytes(struct options *options, const struct option *option, const char *text,
                       struct buf *err)
{
    if (number_read_bytes(text, place_in(options, option)) == 0)
        return 0;
    buf_setf(err, "takes a size such as 65536, 512k, 64M or 8G");
    return -EINVAL;
}

static int store_seconds(struct options *options, const struct option *option, const char *text,
                         struct buf *err)
{
    if (number_read_seconds(text, place_in(options, option)) == 0)
        return 0;
    buf_setf(err, "takes a time such as 5, 0.5, 500ms, 2m or 1h; 0 is none");
    return -EINVAL;
}

static int store_word(struct options *options, const struct option *option, const char *text,
                      struct buf *err)
{
    buf_setf(err, "takes");
    for (unsigned i = 0; option->words[i]; i++) {
        if (strcmp(option->words[i], text) == 0) {
            *(unsigned *)place_in(options, option) = i;
            return 0;
        }
        buf_addf(err, "%s %s", i ? " or" : "", option->words[i]);
    }
    return -EINVAL;
}

static int store_text(struct options *options, const struct option *option, const char *text,
                      struct buf *err)
{
    char **place = place_in(options, option);

    if (option->once && *place) {
        buf_setf(err, "one template names all files, as in '{host}/{path}', and '%s' is there",
                 *place);
        return -EINVAL;
    }
    free(*place);
    *place = xstrdup(text);
    return 0;
}

/* Gives the option its argument. */
static int store(struct options *options, const struct option *option, const char *text,
                 struct buf *err)
{
    if (option->check) {
        int result = option->check(text, err);
        if (result)
            return result;
    }
    switch (option->kind) {
    case OPTION_COUNT:
    case OPTION_BIG: return store_number(options, option, text, err);
    case OPTION_BYTES: return store_bytes(options, option, text, err);
    case OPTION_SECONDS: return store_seconds(options, option, text, err);
    case OPTION_WORD: return store_word(options, option, text, err);
    case OPTION_TEXT: return store_text(options, option, text, err);
    case OPTION_CALL: return option->set(options, text, err);
    case OPTION_CODES: return codes_parse(place_in(options, option), text, err);
    case OPTION_LIST: strings_add(place_in(options, option), xstrdup(text)); return 0;
    case OPTION_SWITCH:
    case OPTION_SET:
    case OPTION_HELP:
    case OPTION_ALIAS:
    case OPTION_ACCEPTED: return 0;
    }
    return 0;
}

/* Turns on (or, with --no-, off) an option that takes no argument. */
static void flip(struct options *options, const struct option *option, bool on)
{
    if (option->kind == OPTION_SWITCH || option->kind == OPTION_HELP)
        *(bool *)place_in(options, option) = on;
    else if (option->kind == OPTION_SET)
        *(unsigned *)place_in(options, option) = option->value;
}

/* The command line being read. */
struct reading {
    struct options *options;
    char *const *argv;
    int argc;
    int at;       /* index of the next argument */
    bool in_long; /* the option at hand has its long name */
    struct buf *err;
};

static int fail(struct reading *reading, const char *name, const char *value)
{
    struct buf whole;

    buf_init(&whole);
    buf_addf(&whole, "--%s: %s", name, reading->err->data);
    if (value)
        buf_addf(&whole, ", not '%s'", value);
    buf_setf(reading->err, "%s", whole.data);
    buf_release(&whole);
    return -EINVAL;
}

static int fail_unknown(struct reading *reading, const char *shown, const char *name)
{
    buf_setf(reading->err, "unknown option %s", shown);
    option_suggest(name, reading->err);
    return -EINVAL;
}

static const char *next_argument(struct reading *reading)
{
    return reading->at < reading->argc ? reading->argv[reading->at++] : NULL;
}

/* A name with its dashes is asked about, too, and not used; behind --help so is a letter. */
static bool is_topic(const struct reading *reading, const char *text)
{
    if (text[0] != '-')
        return true;
    return text[1] == '-' ? text[2] != '\0' : reading->in_long && text[1] && !text[2];
}

static void read_help(struct reading *reading, const char *topic)
{
    reading->options->help = true;
    if (!topic && reading->at < reading->argc && is_topic(reading, reading->argv[reading->at]))
        topic = next_argument(reading);
    free(reading->options->help_topic);
    reading->options->help_topic = topic ? xstrdup(topic) : NULL;
}

/* `value` is what stood in the same argument, or NULL. */
static int read_option(struct reading *reading, const struct option *option, const char *value)
{
    if (option->kind == OPTION_HELP) {
        read_help(reading, value);
        return 0;
    }
    if (!option->arg && value) {
        buf_setf(reading->err, "takes no argument");
        return fail(reading, option->name, value);
    }
    if (!option->arg) {
        flip(reading->options, option, true);
        return 0;
    }
    if (!value)
        value = next_argument(reading);
    if (!value) {
        buf_setf(reading->err, "needs its argument, %s", option->arg);
        return fail(reading, option->name, NULL);
    }
    if (store(reading->options, option, value, reading->err))
        return fail(reading, option->name, option->check || option->set ? NULL : value);
    return 0;
}

/* `text` is behind the two dashes. */
static int read_long(struct reading *reading, const char *shown, const char *text)
{
    const char *equals = strchr(text, '=');
    char *name = equals ? xstrndup(text, (size_t)(equals - text)) : xstrdup(text);
    const struct option *option = option_find(name);
    const struct option *negated = NULL;
    int result = 0;

    reading->in_long = true;
    if (!option && strncmp(name, "no-", 3) == 0)
        negated = option_find(name + 3);
    if (option)
        result = read_option(reading, option, equals ? equals + 1 : NULL);
    else if (negated && negated->kind == OPTION_SWITCH && !equals)
        flip(reading->options, negated, false);
    else
        result = fail_unknown(reading, shown, name);
    reading->in_long = false;
    free(name);
    return result;
}

/* Letters stand together, as in -sSj5; the argument of the last may be in the same word. */
static int read_letters(struct reading *reading, const char *letters)
{
    for (; *letters; letters++) {
        const struct option *option = option_find_letter(*letters);
        if (!option) {
            char shown[] = {'-', *letters, '\0'};
            return fail_unknown(reading, shown, "");
        }
        bool takes = option->arg && option->kind != OPTION_HELP;
        const char *value = takes && letters[1] ? letters + 1 : NULL;
        int result = read_option(reading, option, value);
        if (result || value)
            return result;
    }
    return 0;
}

static int add_argument(struct reading *reading, const char *argument)
{
    int result = 0;

    if (strcmp(argument, "-") == 0) {
        strings_add(&reading->options->input.files, xstrdup(argument));
    } else {
        result = option_check_url(argument, reading->err);
        if (!result)
            strings_add(&reading->options->input.urls, xstrdup(argument));
    }
    return result;
}

static int read_argument(struct reading *reading, const char *argument)
{
    if (strncmp(argument, "--", 2) == 0)
        return read_long(reading, argument, argument + 2);
    if (argument[0] == '-' && argument[1])
        return read_letters(reading, argument + 1);
    return add_argument(reading, argument);
}

/* Globs are read here so that a bad one is told before any request; they are expanded later. */
static int check_globs(const struct options *options, struct buf *err)
{
    for (size_t i = 0; i < options->input.urls.len && !options->input.globoff; i++) {
        struct glob *glob = NULL;
        int result = glob_new(options->input.urls.at[i], &glob, err);
        if (result)
            return result;
        glob_free(glob);
    }
    return 0;
}

/* What is put into a URL is sent as it is: a blank would end the request's line, a line break all
 * of it. */
static int check_query(const struct options *options, struct buf *err)
{
    if (!options->get || !options->has_data)
        return 0;
    if (options->data.len > OPTION_QUERY_MAX) {
        buf_setf(err, "--get: more than 1 MiB of data for a URL");
        return -EINVAL;
    }
    for (size_t i = 0; i < options->data.len; i++) {
        unsigned char byte = (unsigned char)options->data.data[i];
        if (byte <= ' ' || byte == 0x7F) {
            buf_setf(err, "--get: the data must be as it stands in a URL, with %%20 for a blank");
            return -EINVAL;
        }
    }
    return 0;
}

static bool has_input(const struct options *options)
{
    return !options->input.urls.len || options->input.files.len;
}

/* A payload may also come with a line of an input. */
static bool chunks_in_vain(const struct options *options)
{
    return framing_chunks(&options->headers) && !has_input(options) &&
           options_ask(options).payload_kind == PAYLOAD_NONE;
}

static bool uploads_stdin(const struct options *options)
{
    return options->upload && strcmp(options->upload, "-") == 0;
}

/* A payload reads stdin to its end, so stdin is no list of requests then, and is read once. */
static int check_stdin(const struct options *options, struct buf *err)
{
    bool uploads = uploads_stdin(options);

    if (uploads && options->took_stdin)
        buf_setf(err, "--upload-file: stdin was read already, for @-");
    else if ((uploads || options->took_stdin) && option_reads_stdin(options))
        buf_setf(err, "%s: the requests are read from stdin", uploads ? "--upload-file" : "@-");
    else if (options->took_stdin && options->data.len > options->memory)
        buf_setf(err, "@-: stdin has more than --memory; --upload-file - takes as much as "
                      "--spool-max");
    else
        return 0;
    return -EINVAL;
}

/* libcurl would wait for the body of an answer that has none. */
static int check_payload(const struct options *options, struct buf *err)
{
    struct ask ask = options_ask(options);

    if (options->upload && options->has_data && !options->get)
        buf_setf(err, "--upload-file: cannot go with --data");
    else if (ask.payload_kind != PAYLOAD_NONE && ask.method && strcmp(ask.method, "HEAD") == 0)
        buf_setf(err, "--%s: HEAD sends no data", options->method ? "request" : "head");
    else if (chunks_in_vain(options))
        buf_setf(err, "--header: Transfer-Encoding needs data to send in chunks");
    else
        return 0;
    return -EINVAL;
}

/* Stdout carries one format. */
static int check_format(const struct options *options, struct buf *err)
{
    static const char *const others[] = {[OPTION_FORMAT_JSONL] = "--jsonl",
                                         [OPTION_FORMAT_TSV] = "--format tsv",
                                         [OPTION_FORMAT_NONE] = "--format none"};

    if (!options->write_out || options->format == OPTION_FORMAT_RAW)
        return 0;
    buf_setf(err, "--write-out: cannot go with %s", others[options->format]);
    return -EINVAL;
}

/* The page takes the place of what stands there, at the end. */
static int check_report(const struct options *options, struct buf *err)
{
    const char *report = options->report;

    if (!report)
        return 0;
    if (options->dry_run)
        buf_setf(err, "--report: a --dry-run has nothing to report");
    else if (options->to && strcmp(options->to, report) == 0)
        buf_setf(err, "--report: %s is what --to writes", report);
    else if (options->journal && strcmp(options->journal, report) == 0)
        buf_setf(err, "--report: %s is the --journal", report);
    else
        return 0;
    return -EINVAL;
}

/* As in curl: `URL;auto`, or `;auto` alone. */
static void derive_referer(struct options *options)
{
    char *behind = options->referer ? strstr(options->referer, ";auto") : NULL;

    options->auto_referer = behind != NULL;
    if (behind)
        *behind = '\0';
    if (options->referer && !*options->referer) {
        free(options->referer);
        options->referer = NULL;
    }
}

static void derive(struct options *options)
{
    derive_referer(options);
    if (options->write_out)
        options->format = OPTION_FORMAT_TEMPLATE;
    if (options->remote_name && !options->output)
        options->output = xstrdup("{name}");
    options->output_is_stdout = options->to != NULL;
    /* Bodies that go to files do not go to stdout, unless the file is stdout. */
    if (options->output && strcmp(options->output, "-") == 0) {
        free(options->output);
        options->output = NULL;
        options->output_is_stdout = true;
    } else if (options->output && options->format == OPTION_FORMAT_RAW) {
        options->format = OPTION_FORMAT_NONE;
    }
    options->resume |= options->retry_failed;
    if (options->fail_fast)
        options->halt = (struct halt){.when = HALT_NOW, .what = HALT_FAIL, .count = 1};
    if (options->dry_run)
        options->format = OPTION_FORMAT_NONE;
    if (!options->window)
        options->window = MAX(1024, (uint64_t)options->jobs * 4);
    options->window = MAX(options->window, options->jobs);
}

/* One line of a file of options: its name, and what stands behind it or NULL. Both are cut out of
 * the line. False for a line that says nothing. */
static bool split_line(char *line, char **ret_name, char **ret_value)
{
    char *at = line + strspn(line, " \t\r");

    if (!*at || *at == '#')
        return false;
    *ret_name = at;
    at += strcspn(at, " \t\r=:");
    char *value = at + strspn(at, " \t\r");
    if (*value == '=' || *value == ':')
        value++;
    value += strspn(value, " \t\r");
    *at = '\0';
    *ret_value = *value ? value : NULL;
    return true;
}

static char unescaped(char c)
{
    static const char names[] = "ntrv", meanings[] = "\n\t\r\v";
    const char *found = c ? strchr(names, c) : NULL;

    return found ? meanings[found - names] : c;
}

/* Behind a value there can only be a comment. */
static int check_behind(const char *behind, const char *words, struct buf *err)
{
    behind += strspn(behind, " \t\r");
    if (!*behind || *behind == '#')
        return 0;
    buf_setf(err, "%s: %s", words, behind);
    return -EINVAL;
}

static int cut_bare(char *value, struct buf *err)
{
    char *end = value + strcspn(value, " \t\r");
    int result = check_behind(end, "a value with blanks must be in quotes; behind it stands", err);

    *end = '\0';
    return result;
}

/* A value in quotes, with curl's escapes, or one bare word. */
static int unquote(char *value, struct buf *err)
{
    const char *at = value + 1;
    char *to = value;

    if (*value != '"')
        return cut_bare(value, err);
    for (; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            *to++ = unescaped(*++at);
        else
            *to++ = *at;
    }
    if (!*at) {
        buf_setf(err, "a quote that is not closed");
        return -EINVAL;
    }
    int result = check_behind(at + 1, "something stands behind the closing quote", err);
    *to = '\0';
    return result;
}

/* `value` is the argument of the last letter, or NULL. */
static int read_file_letters(struct reading *reading, const char *name, char *value)
{
    char *const argv[] = {value};

    if (!name[1])
        return fail_unknown(reading, name, "");
    reading->argv = argv;
    reading->argc = value != NULL;
    reading->at = 0;
    int result = read_letters(reading, name + 1);
    if (!result && reading->at < reading->argc) {
        buf_setf(reading->err, "takes no argument");
        result = fail(reading, option_find_letter(name[strlen(name) - 1])->name, value);
    }
    reading->argv = NULL;
    reading->argc = reading->at = 0;
    return result;
}

static int read_file_line(struct reading *reading, char *line)
{
    char *name, *value;
    struct buf shown;

    if (!split_line(line, &name, &value))
        return 0;
    if (value && unquote(value, reading->err))
        return -EINVAL;
    if (strcmp(name + strspn(name, "-"), "url") == 0 && value) {
        strings_add(&reading->options->input.urls, xstrdup(value));
        return 0;
    }
    if (name[0] == '-' && name[1] != '-')
        return read_file_letters(reading, name, value);
    buf_init(&shown);
    buf_addf(&shown, "%s%s%s", name + strspn(name, "-"), value ? "=" : "", value ? value : "");
    int result = read_long(reading, name, shown.data);
    buf_release(&shown);
    return result;
}

static int read_file_lines(struct options *options, const char *path, char *text, struct buf *err)
{
    struct reading reading = {.options = options, .err = err};
    size_t number = 0;
    char *line;

    while ((line = strsep(&text, "\n")) != NULL) {
        number++;
        if (read_file_line(&reading, line)) {
            struct buf whole;
            buf_init(&whole);
            buf_addf(&whole, "%s: line %zu: %s", path, number, err->data);
            buf_setf(err, "%s", whole.data);
            buf_release(&whole);
            return -EINVAL;
        }
    }
    return 0;
}

int options_read_file(struct options *options, const char *path, struct buf *err)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    struct buf text;
    int result;

    if (options->in_file) {
        buf_setf(err, "is not for a file of options");
        return -EINVAL;
    }
    buf_init(&text);
    options->in_file = true;
    result = file_read_whole(path, OPTION_FILE_MAX, &text, err);
    if (!result && text.len >= strlen(byte_order_mark) &&
        memcmp(text.data, byte_order_mark, strlen(byte_order_mark)) == 0)
        buf_drop(&text, strlen(byte_order_mark));
    if (!result && memchr(text.data, '\0', text.len)) {
        buf_setf(err, "%s: there is a NUL byte in it", path);
        result = -EINVAL;
    }
    if (!result)
        result = read_file_lines(options, path, text.data, err);
    options->in_file = false;
    buf_release(&text);
    return result;
}

int options_parse(struct options *options, int argc, char *const *argv, struct buf *err)
{
    struct reading reading = {.options = options, .argv = argv, .argc = argc, .at = 1, .err = err};
    bool only_urls = false;
    const char *argument;
    int result = 0;

    while ((argument = next_argument(&reading)) != NULL) {
        if (only_urls)
            result = add_argument(&reading, argument);
        else if (strcmp(argument, "--") == 0)
            only_urls = true;
        else
            result = read_argument(&reading, argument);
        if (result)
            return result;
    }
    result = check_format(options, err);
    if (result)
        return result;
    derive(options);
    result = check_report(options, err);
    if (!result)
        result = option_check_apart(options, err);
    if (!result)
        result = check_query(options, err);
    if (!result)
        result = check_payload(options, err);
    if (!result)
        result = check_stdin(options, err);
    return result ? result : check_globs(options, err);
}
