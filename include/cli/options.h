/*
 * What the command line asks for, as plain data. Everything is checked here, before any request:
 * what comes out can be done, save for what only the world can refuse.
 *
 * Owns: its strings.
 */
#ifndef WEIR_CLI_OPTIONS_H
#define WEIR_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/codes.h"
#include "base/strings.h"
#include "cli/option_words.h"
#include "core/halt.h"
#include "input/host_limits.h"
#include "input/request.h"
#include "input/source.h"

struct options {
    /* input */
    struct source_rules input;
    unsigned input_format;
    char *proto_default, *body_dir; /* NULL: no body_file is read */

    /* flow */
    unsigned jobs;
    bool dry_run;    /* nothing is requested: what the run would come to is told */
    uint64_t window; /* 0: to be derived from jobs */
    uint64_t memory, spool_max;
    char *spool_dir;        /* NULL: where temporary files go */
    unsigned per_host;      /* 0: as many as jobs */
    double rate, host_rate; /* seconds from start to start; 0: no limit */
    unsigned burst;
    struct host_limits host_limits;
    bool parallel_immediate, adaptive;
    unsigned retry;
    double retry_delay, retry_max_delay;
    double retry_budget; /* a share of the first tries; INFINITY: none */
    bool retry_all_methods;
    struct codes retry_on;
    double gate_max;
    unsigned host_errors;               /* 0: never */
    double host_wait, host_retry_after; /* 0: not at all; never */
    struct halt halt;
    bool fail_fast;                /* the same as a halt at the first failure */
    double deadline, stop_timeout; /* of the run; 0: none */
    char *jobs_file;
    bool group_commit, group_records;
    double connect_timeout, stall_timeout, max_time; /* 0: none */

    /* lasting */
    char *journal, *cache;
    bool resume, restart, retry_failed, compact;
    double sync;

    /* request */
    char *method;
    struct buf data;                              /* of -d and its like */
    bool has_data, data_is_json, get, took_stdin; /* took: @- */
    char *upload;
    bool head;
    struct strings headers, dropped_headers, cookies; /* dropped: names of -H that are ours */
    struct strings resolve, connect_to;
    char *user_agent, *referer, *range;
    char *user, *bearer, *netrc_file, *cookie_jar;
    char *proxy, *proxy_user, *noproxy;
    char *cacert, *capath, *cert, *key, *pinned_key, *ciphers;
    char *interface, *unix_socket;
    bool traceparent, netrc, insecure, compressed, no_range, auto_referer;
    bool location, location_trusted;
    unsigned max_redirs;
    unsigned http, ip, tls, auth;
    unsigned protocols; /* enum proto_option, or-ed */
    uint64_t max_filesize, limit_rate;

    /* output */
    unsigned order;
    unsigned format;
    char *to, *report;
    char *write_out, *fields;
    bool header_line, include, body;
    unsigned echo_request;
    char *output, *output_dir, *summary_file;
    bool output_is_stdout; /* as was said: -o - or --to */
    bool remote_name, skip_existing, remote_time;
    unsigned on_conflict;
    struct codes accept;
    unsigned summary, progress, color;
    bool silent, show_error, verbose;

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
