#include "core/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/text.h"

struct planned_host {
    UT_hash_handle hh;
    uint64_t requests;
    char name[];
};

/* A file's name by its hash: of two that are the same one is kept. */
struct planned_name {
    UT_hash_handle hh;
    uint64_t hash[2];
    uint64_t seq;
};

struct plan {
    struct flow_rules rules;
    struct planned_host *hosts;
    struct planned_name *names;
    uint64_t requests, invalid, denied, clashes;
    uint64_t unlooked; /* requests whose host found no place in the table */
    uint64_t unnamed;  /* likewise, whose file did not */
    struct buf examples;
};

struct plan *plan_new(const struct flow_rules *rules)
{
    struct plan *plan = xcalloc(1, sizeof *plan);

    plan->rules = *rules;
    buf_init(&plan->examples);
    return plan;
}

void plan_free(struct plan *plan)
{
    struct planned_host *host;
    struct planned_name *name;
    void *next;

    if (!plan)
        return;
    host = plan->hosts;
    name = plan->names;
    HASH_CLEAR(hh, plan->hosts);
    HASH_CLEAR(hh, plan->names);
    for (; host; host = next) {
        next = host->hh.next;
        free(host);
    }
    for (; name; name = next) {
        next = name->hh.next;
        free(name);
    }
    buf_release(&plan->examples);
    free(plan);
}

static void count_host(struct plan *plan, const char *name)
{
    struct planned_host *host = NULL;
    size_t len = strlen(name);

    HASH_FIND(hh, plan->hosts, name, len, host);
    if (!host && HASH_COUNT(plan->hosts) >= PLAN_HOSTS_MAX) {
        plan->unlooked++;
        return;
    }
    if (!host) {
        host = xcalloc(1, sizeof *host + len + 1);
        memcpy(host->name, name, len + 1);
        HASH_ADD(hh, plan->hosts, name, len, host);
    }
    host->requests++;
}

/* Two hashes that know nothing of each other: FNV-1a, and the same backwards. */
static void hash_name(const char *name, uint64_t hash[2])
{
    size_t len = strlen(name);

    hash[0] = hash[1] = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < len; i++) {
        hash[0] = (hash[0] ^ (unsigned char)name[i]) * UINT64_C(1099511628211);
        hash[1] = (hash[1] ^ (unsigned char)name[len - 1 - i]) * UINT64_C(1099511628211);
    }
}

static void note_clash(struct plan *plan, uint64_t first, uint64_t second, const char *name)
{
    if (++plan->clashes > PLAN_CLASHES_SHOWN)
        return;
    buf_addf(&plan->examples, "  requests %llu and %llu: ", (unsigned long long)first,
             (unsigned long long)second);
    text_add_escaped(&plan->examples, name, strlen(name));
    buf_add_char(&plan->examples, '\n');
}

static void look_for_clash(struct plan *plan, uint64_t seq, const char *name)
{
    struct planned_name *found = NULL;
    uint64_t hash[2] = {0};

    hash_name(name, hash);
    HASH_FIND(hh, plan->names, hash, sizeof hash, found);
    if (found) {
        note_clash(plan, found->seq, seq, name);
    } else if (HASH_COUNT(plan->names) >= PLAN_NAMES_MAX) {
        plan->unnamed++;
    } else {
        found = xcalloc(1, sizeof *found);
        memcpy(found->hash, hash, sizeof hash);
        found->seq = seq;
        HASH_ADD(hh, plan->names, hash, sizeof found->hash, found);
    }
}

void plan_add(struct plan *plan, uint64_t seq, const char *host, const char *name)
{
    plan->requests++;
    count_host(plan, host);
    if (name)
        look_for_clash(plan, seq, name);
}

void plan_add_invalid(struct plan *plan)
{
    plan->invalid++;
}

void plan_add_denied(struct plan *plan)
{
    plan->denied++;
}

/* How long so many starts take at least: a burst goes at once, then one each interval. */
static double least(const struct rate *rate, uint64_t starts)
{
    return starts > rate->burst ? (double)(starts - rate->burst) * rate->interval : 0;
}

static double least_time(const struct plan *plan, const char **ret_host)
{
    double longest = least(&plan->rules.rate, plan->requests);

    for (const struct planned_host *host = plan->hosts; host; host = host->hh.next) {
        struct valve valve;
        valve_init(&valve, &plan->rules, host->name);
        double seconds = least(&valve.rate, host->requests);
        if (seconds > longest) {
            longest = seconds;
            *ret_host = host->name;
        }
    }
    return longest;
}

/* In the two largest units that say something. */
static void add_time(struct buf *out, double seconds)
{
    double whole = ceil(seconds);

    if (seconds < 10)
        buf_addf(out, "%.3g s", seconds);
    else if (whole < 120)
        buf_addf(out, "%.0f s", whole);
    else if (whole < 2 * 3600)
        buf_addf(out, "%.0f min %.0f s", floor(whole / 60), fmod(whole, 60));
    else if (whole < 2 * 86400)
        buf_addf(out, "%.0f h %.0f min", floor(whole / 3600), floor(fmod(whole, 3600) / 60));
    else
        buf_addf(out, "%.0f d %.0f h", floor(whole / 86400), floor(fmod(whole, 86400) / 3600));
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void report_clashes(const struct plan *plan, struct buf *out)
{
    if (!plan->names)
        return;
    buf_addf(out, "%llu file name%s taken already%s\n", (unsigned long long)plan->clashes,
             plural(plan->clashes), plan->clashes ? ":" : "");
    buf_add(out, plan->examples.data, plan->examples.len);
    if (plan->unnamed)
        buf_addf(out, "  not looked at: the files of %llu requests, after the first %d names\n",
                 (unsigned long long)plan->unnamed, PLAN_NAMES_MAX);
}

void plan_report(const struct plan *plan, struct buf *out)
{
    const char *slowest = NULL;
    double seconds = least_time(plan, &slowest);
    unsigned hosts = HASH_COUNT(plan->hosts);

    buf_addf(out, "%llu request%s to %u host%s\n", (unsigned long long)plan->requests,
             plural(plan->requests), hosts, plural(hosts));
    if (plan->unlooked)
        buf_addf(out, "  not looked at: the hosts of %llu requests, after the first %d hosts\n",
                 (unsigned long long)plan->unlooked, PLAN_HOSTS_MAX);
    buf_addf(out, "%llu invalid line%s\n", (unsigned long long)plan->invalid,
             plural(plan->invalid));
    if (plan->denied)
        buf_addf(out, "%llu denied\n", (unsigned long long)plan->denied);
    report_clashes(plan, out);
    buf_add_text(out, "the limits allow it in ");
    add_time(out, seconds);
    buf_add_text(out, " at least");
    if (slowest)
        buf_addf(out, ", for %s", slowest);
    buf_add_char(out, '\n');
}
