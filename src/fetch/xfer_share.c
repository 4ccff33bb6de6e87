#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "cli/options.h"
#include "core/task.h"
#include "fetch/xfer_setup.h"
#include "flow/sched.h"

/* A share keeps eight TLS sessions, and those of 25 peers from libcurl 8.12 on, whatever the number of
 * hosts: 32 shares serve 256 hosts, or 800. */
enum { SHARDS = 32 };

/* What is known of some of the hosts: where they are, how TLS to them is taken up again.
 *
 * Bound of `forget`: the names that transfers of the shard have had looked up since one of them last
 * took it; the scheduler keeps some HOSTS_IDLE_MAX at most. */
struct shard {
    CURLSH *share;             /* NULL: no transfer was for one of them yet */
    struct curl_slist *forget; /* names to be dropped with the next transfer */
    bool has_unresolved;       /* a name was not found since it dropped all it knew */
};

/* As in curl: cookies given as such are sent, and that is all. */
static bool wants_jar(const struct options *options)
{
    for (size_t i = 0; i < options->cookies.len; i++) {
        if (!strchr(options->cookies.at[i], '='))
            return true;
    }
    return options->cookie_jar;
}

/* Cookies are for all hosts alike, and a handle is told the addresses of --resolve once. */
static bool may_part(const struct xfer *xfer)
{
    return !xfer->jar && !xfer->resolve;
}

static int open_share(struct shard *shard, bool with_jar)
{
    shard->share = curl_share_init();
    if (!shard->share)
        out_of_memory();
    bool done = curl_share_setopt(shard->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) ==
                    CURLSHE_OK &&
                curl_share_setopt(shard->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK;
    /* The public suffixes; of a library without them nothing is lost. */
    if (with_jar)
        curl_share_setopt(shard->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_PSL);
    if (with_jar)
        done = done && curl_share_setopt(shard->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE) ==
                           CURLSHE_OK;
    return done ? 0 : -EINVAL;
}

/* One handle, which fetches nothing, reads the files of cookies into the jar that all share: each
 * of the others would read them anew for every request. */
static void open_jar(struct xfer *xfer)
{
    const struct strings *cookies = &xfer->options->cookies;

    xfer->jar = curl_easy_init();
    if (!xfer->jar || curl_easy_setopt(xfer->jar, CURLOPT_SHARE, xfer->shards[0].share) != CURLE_OK)
        out_of_memory();
    curl_easy_setopt(xfer->jar, CURLOPT_COOKIEFILE, "");
    for (size_t i = 0; i < cookies->len; i++) {
        if (!strchr(cookies->at[i], '='))
            curl_easy_setopt(xfer->jar, CURLOPT_COOKIEFILE, cookies->at[i]);
    }
    curl_easy_setopt(xfer->jar, CURLOPT_COOKIELIST, "RELOAD");
}

int xfer_share_init(struct xfer *xfer)
{
    bool with_jar = wants_jar(xfer->options);

    xfer->shards = xcalloc(SHARDS, sizeof *xfer->shards);
    int result = open_share(&xfer->shards[0], with_jar);

    if (!result && with_jar)
        open_jar(xfer);
    return result;
}

void xfer_share_release(struct xfer *xfer)
{
    curl_easy_cleanup(xfer->jar);
    for (size_t i = 0; xfer->shards && i < SHARDS; i++) {
        curl_share_cleanup(xfer->shards[i].share);
        curl_slist_free_all(xfer->shards[i].forget);
    }
    free(xfer->shards);
}

bool xfer_is_over_tls(const char *host)
{
    return strncmp(host, "https:", 6) == 0;
}

static struct shard *shard_of(struct xfer *xfer, const char *host)
{
    if (!xfer_is_over_tls(host) || !may_part(xfer))
        return &xfer->shards[0];
    return &xfer->shards[XXH3_64bits(host, strlen(host)) % SHARDS];
}

CURLcode xfer_share_join(struct transfer *transfer)
{
    transfer->shard = &transfer->xfer->shards[0];
    return curl_easy_setopt(transfer->easy, CURLOPT_SHARE, transfer->shard->share);
}

void xfer_share_choose(struct transfer *transfer)
{
    /* Without a host, as in tests of this room alone, it is none over TLS. */
    const struct task *task = transfer->task;
    struct shard *shard =
        task->host ? shard_of(transfer->xfer, sched_host_name(task)) : &transfer->xfer->shards[0];

    if (transfer->shard == shard)
        return;
    if (!shard->share && open_share(shard, false))
        out_of_memory();
    if (curl_easy_setopt(transfer->easy, CURLOPT_SHARE, shard->share) != CURLE_OK)
        out_of_memory();
    transfer->shard = shard;
}

struct curl_slist *xfer_share_take_forgotten(struct transfer *transfer)
{
    struct curl_slist *names = transfer->shard->forget;

    transfer->shard->forget = NULL;
    return names;
}

void xfer_share_note_unresolved(struct transfer *transfer)
{
    transfer->shard->has_unresolved = true;
}

bool xfer_share_take_unresolved(struct transfer *transfer)
{
    bool has_unresolved = transfer->shard->has_unresolved;

    transfer->shard->has_unresolved = false;
    return has_unresolved;
}

void xfer_forget_name(struct xfer *xfer, const char *host)
{
    struct shard *shard = shard_of(xfer, host);
    struct buf entry;

    buf_init(&entry);
    buf_addf(&entry, "-%s", strstr(host, "://") + 3);
    /* In front, for that costs the same however many there are. */
    struct curl_slist *first = xfer_append(NULL, entry.data);
    first->next = shard->forget;
    shard->forget = first;
    buf_release(&entry);
}
