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

/* Each in the order of the words that the option table has for it. */
enum order_option { OPTION_ORDER_INPUT, OPTION_ORDER_COMPLETION };
enum format_option { OPTION_FORMAT_RAW, OPTION_FORMAT_NONE };
enum input_format_option { OPTION_INPUT_AUTO, OPTION_INPUT_URL, OPTION_INPUT_JSONL };
enum http_option { OPTION_HTTP_1_1, OPTION_HTTP_2 };
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
    struct strings headers;
    struct strings resolve, connect_to;
    char *user_agent, *proxy, *cacert;
    bool insecure, compressed;
    bool location, location_trusted;
    unsigned max_redirs;
    unsigned http, ip;

    /* output */
    unsigned order;
    unsigned format;
    char *to;
    struct codes accept;
    bool silent;

    /* instead of a run */
    bool version, help;
    char *help_topic; /* all, or the name of an option; NULL: the short one */
};

void options_init(struct options *);
void options_release(struct options *);

/* Reads the command line. -EINVAL, with words in `err`, for one that cannot be done. */
int options_parse(struct options *, int argc, char *const *argv, struct buf *err) WARN_UNUSED;

/* The help text for `topic` (NULL: the dozen that matter; `all`; or the name of one option).
 * -ENOENT, with words in `err`, where there is no such option. */
int options_help(const char *topic, struct buf *out, struct buf *err) WARN_UNUSED;

#endif
