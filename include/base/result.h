/*
 * What became of a request. A failure is a result like any other: it has a reason and words.
 *
 * Owns: its strings and the list of URLs passed through (bounded by --max-redirs).
 */
#ifndef WEIR_BASE_RESULT_H
#define WEIR_BASE_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/util.h"

enum { CONTENT_TYPE_MAX = 1024 };

/* What libcurl tells of a transfer: filled in only where somebody will print it. Times are in
 * seconds from the start of the first transfer; hops before the last are in them. */
struct facts {
    char *content_type; /* or NULL; at most CONTENT_TYPE_MAX bytes of it */
    char remote_ip[46]; /* empty: none */
    long remote_port;
    unsigned http_version; /* 10, 11, 20, 30; 0: none */
    uint64_t size_download;
    unsigned opened; /* connections, by all transfers begun for it */
    unsigned reused; /* answers that came by a connection that stood already */
    double begun_at; /* wall clock */
    double before;   /* what earlier hops took */
    double queued;   /* what waiting in our own queues took */
    double namelookup, connect, appconnect, starttransfer, total;
};

struct result {
    enum reason reason;
    uint64_t cancelled_by; /* the position of whose failure it shares; 0: of nobody's */
    int exitcode;          /* curl's code for the outcome, 0 where it has none */
    long http_code;        /* of the last answer; 0 where there was none */
    char *message;         /* words for the user, or NULL */
    char **passed;         /* the URLs that redirected here, in order */
    size_t n_passed;
    uint64_t passed_bytes; /* of those URLs */
    uint64_t body_bytes;   /* decoded, kept or not */
    bool is_unmodified;    /* it is what an earlier run has kept */
    char *etag;            /* of the answer, with --cache, or NULL */
    int64_t modified;      /* when the origin says the body last changed; -1: it does not */
    char *trace_id;        /* of the trace that its spans belong to, or NULL */
    struct facts *facts;   /* NULL where nobody wants them */
    unsigned starts;       /* transfers begun for it */
    unsigned attempts;     /* the first, and each retry; a hop belongs to its attempt */
};

void result_release(struct result *);
/* Forgets how the last transfer ended, as another is begun. */
void result_restart(struct result *);
/* Says how it ended; the words replace earlier ones. */
void result_setf(struct result *, enum reason, const char *format, ...) PRINTF_LIKE(3, 4);
/* Has the facts be filled in, from now on. */
void result_want_facts(struct result *);
/* Notes that `url` (taken) redirected elsewhere. */
void result_pass(struct result *, char *url);

#endif
