/*
 * What became of a request. A failure is a result like any other: it has a reason and words.
 *
 * Owns: its strings and the list of URLs passed through (bounded by --max-redirs).
 */
#ifndef WEIR_MODEL_RESULT_H
#define WEIR_MODEL_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "base/util.h"
#include "model/reason.h"

struct result {
    enum reason reason;
    int exitcode;   /* curl's code for the outcome, 0 where it has none */
    long http_code; /* of the last answer; 0 where there was none */
    char *message;  /* words for the user, or NULL */
    char **passed;  /* the URLs that redirected here, in order */
    size_t n_passed;
    uint64_t body_bytes; /* decoded, kept or not */
    unsigned starts;     /* transfers begun for it: first try, hops */
};

void result_release(struct result *);
/* Forgets how the last transfer ended, as another is begun. */
void result_restart(struct result *);
/* Says how it ended; the words replace earlier ones. */
void result_setf(struct result *, enum reason, const char *format, ...) PRINTF_LIKE(3, 4);
/* Notes that `url` (taken) redirected elsewhere. */
void result_pass(struct result *, char *url);

#endif
