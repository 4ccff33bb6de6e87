/*
 * What the command line asks for, as plain data. Everything is checked here, before any request: what
 * comes out can be done, save for what only the world can refuse.
 *
 * Owns: its strings.
 */
#ifndef WEIR_MODEL_OPTIONS_H
#define WEIR_MODEL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strings.h"
#include "model/codes.h"
#include "model/request.h"

/* Each in the order of the words that the option table has for it. */
enum order_option { OPTION_ORDER_INPUT, OPTION_ORDER_COMPLETION };
enum format_option {
    OPTION_FORMAT_RAW,
    OPTION_FORMAT_JSONL,
    OPTION_FORMAT_TSV,
    OPTION_FORMAT_NONE,
    OPTION_FORMAT_TEMPLATE /* has no word: by -w alone */
};
enum input_format_option { OPTION_INPUT_AUTO, OPTION_INPUT_URL, OPTION_INPUT_JSONL };
enum http_option { OPTION_HTTP_1_1, OPTION_HTTP_2, OPTION_HTTP_2_PRIOR };
enum tls_option { OPTION_TLS_ANY, OPTION_TLS_1_2, OPTION_TLS_1_3 };
enum auth_option { OPTION_AUTH_BASIC, OPTION_AUTH_DIGEST, OPTION_AUTH_ANY };
enum echo_option { OPTION_ECHO_FAILED, OPTION_ECHO_ALL, OPTION_ECHO_NONE };
enum conflict_option { OPTION_CONFLICT_FAIL, OPTION_CONFLICT_NUMBER, OPTION_CONFLICT_REPLACE };
enum proto_option { OPTION_PROTO_HTTP = 1, OPTION_PROTO_HTTPS = 2 };
enum ip_option { OPTION_IP_ANY, OPTION_IP_4, OPTION_IP_6 };

struct options {
    /* input */
    struct strings urls; /* arguments */
    struct strings inputs;
    unsigned input_format;
    bool null_separated;
    bool globoff;
    char *proto_default;

    /* flow */
    unsigned jobs;
    uint64_t window; /* 0: to be derived from jobs */
    uint64_t memory;
    uint64_t spool_max;
    char *spool_dir; /* NULL: where temporary files go */
    unsigned retry;
    double connect_timeout, stall_timeout, max_time; /* 0: none */

    /* request */
    char *method;
    struct buf data; /* of -d and its like */
    bool has_data, data_is_json, get;
    char *upload;
    bool head;
    struct strings headers, cookies;
    struct strings resolve, connect_to;
    char *user_agent, *referer, *range;
    char *user, *bearer, *netrc_file, *cookie_jar;
    char *proxy, *proxy_user, *noproxy;
    char *cacert, *capath, *cert, *key, *pinned_key, *ciphers;
    char *interface, *unix_socket;
    bool netrc, insecure, compressed;
    bool location, location_trusted;
    unsigned max_redirs;
    unsigned http, ip, tls, auth;
    unsigned protocols; /* enum proto_option, or-ed */
    uint64_t max_filesize, limit_rate;

    /* output */
    unsigned order;
    unsigned format;
    char *to;
    char *write_out, *fields;
    bool header_line, include, body;
    unsigned echo_request;
    char *output, *output_dir;
    bool output_is_stdout; /* as was said: -o - or --to */
    bool remote_name, skip_existing, remote_time;
    unsigned on_conflict;
    struct codes accept;
    bool silent, verbose;

    bool in_file; /* a file of options is being read */

    /* instead of a run */
    bool version, help;
    char *help_topic; /* all, or the name of an option; NULL: the short one */
};

void options_init(struct options *);
void options_release(struct options *);

/* Reads the command line. -EINVAL, with words in `err`, for one that cannot be done. */
int options_parse(struct options *, int argc, char *const *argv, struct buf *err) WARN_UNUSED;

/* Reads a file of options in curl's syntax: `name = value`, `name value` or `--name value`, a line
 * each. -EINVAL, with words in `err`. */
int options_read_file(struct options *, const char *path, struct buf *err) WARN_UNUSED;
/* Whether results go to stdout. */
bool options_print_to_stdout(const struct options *);
/* What the command line says of every request. */
struct ask options_ask(const struct options *);

/* The help text for `topic` (NULL: the dozen that matter; `all`; or the name of one option).
 * -ENOENT, with words in `err`, where there is no such option. */
int options_help(const char *topic, struct buf *out, struct buf *err) WARN_UNUSED;

#endif
