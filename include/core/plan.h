/*
 * What a run would come to, worked out without a request (--dry-run): how many requests to how many
 * hosts, whose file names would clash, and the least time that the limits allow.
 *
 * Bound: PLAN_HOSTS_MAX hosts and PLAN_NAMES_MAX file names are looked at; of what comes after that
 * only the requests are counted, and the report says so. Owns: those.
 * Knows nothing of: files, the network.
 */
#ifndef WEIR_CORE_PLAN_H
#define WEIR_CORE_PLAN_H

#include <stdint.h>

#include "base/buf.h"
#include "flow/valve.h"

struct plan;

enum { PLAN_HOSTS_MAX = 100000, PLAN_NAMES_MAX = 1000000, PLAN_CLASHES_SHOWN = 5 };

struct plan *plan_new(const struct flow_rules *);
void plan_free(struct plan *);

/* A request to `host` (`scheme://name:port`), whose body goes to the file `name` (NULL: to
 * none). */
void plan_add(struct plan *, uint64_t seq, const char *host, const char *name);
void plan_add_invalid(struct plan *);
void plan_add_denied(struct plan *);

/* Appends it as lines for a reader. */
void plan_report(const struct plan *, struct buf *out);

#endif
