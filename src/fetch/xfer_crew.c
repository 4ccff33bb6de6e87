#include "fetch/xfer_crew.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/util.h"
#include "core/task.h"
#include "fetch/xfer_setup.h"
#include "flow/sched.h"

enum { WATCHES_IN_CHUNK = 64 };

/* A crew has had enough after so many times the connections that it keeps open, for those are lost
 * when another takes over; within bounds, and beyond them. */
enum { TIMES_KEPT = 8, OPENED_MIN = 256, OPENED_MORE = 1024 };

/* Each has two descriptors of libcurl's own and an idle connection. One for so many that may be open
 * takes a twentieth of them. */
enum { CREW_DESCRIPTORS = 3, OPEN_EACH = 64, CREWS_MAX = XFER_DESCRIPTORS / CREW_DESCRIPTORS };

/* So many transfers are worth a post. Where there are several, TLS has one for itself: each multi
 * handle parses the CA bundle anew. */
enum { AT_POST = 128, TLS_POST = 0 };

/* From 8.20 on libcurl asks for either kind of address by itself, in threads that it keeps for a
 * while. */
enum { LOOKUP_THREADS = 2 * (LOOKUPS_MAX + LOOKUPS_KEPT) };

/* Watchers do not move while they are active, so the table grows by chunks. */
struct watch_chunk {
    struct watch {
        ev_io io;
        struct crew *crew; /* that asked for it last */
        bool is_begun;
        bool is_connection; /* of this descriptor we hear when it is closed */
    } watches[WATCHES_IN_CHUNK];
};

/* ---- sockets and the timer ---- */

/* libcurl looks through its unread messages for each handle that is taken out, so all are read
 * before the first is. */
static void collect(struct crew *crew)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(crew->multi, &left)) != NULL) {
        char *pointer = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &pointer);
        if (!pointer)
            continue; /* none of ours: see xfer_close_idle */
        struct transfer *transfer = (struct transfer *)(void *)pointer;
        if (!transfer->has_ended)
            xfer_note_ended(transfer, message->data.result);
    }
}

void xfer_crew_call(struct crew *crew)
{
    int running;

    curl_multi_socket_action(crew->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(crew);
}

static void on_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct watch *watch = CONTAINER_OF(watcher, struct watch, io);
    struct crew *crew = watch->crew;
    int flags =
        (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0);
    int running;

    (void)loop;
    crew->xfer->now = clock_now();
    curl_multi_socket_action(crew->multi, watcher->fd, flags, &running);
    collect(crew);
}

static struct watch *watch_of(struct xfer *xfer, int fd)
{
    size_t index = (size_t)fd / WATCHES_IN_CHUNK;

    if (index >= xfer->n_chunks) {
        xfer->chunks = xreallocarray(xfer->chunks, index + 1, sizeof(struct watch_chunk *));
        while (xfer->n_chunks <= index)
            xfer->chunks[xfer->n_chunks++] = NULL;
    }
    if (!xfer->chunks[index])
        xfer->chunks[index] = xcalloc(1, sizeof(struct watch_chunk));
    struct watch *watch = &xfer->chunks[index]->watches[fd % WATCHES_IN_CHUNK];
    if (!watch->is_begun) {
        watch->is_begun = true;
        ev_io_init(&watch->io, on_ready, fd, EV_NONE);
    }
    return watch;
}

/* Of a connection only the wanted events change, and libev compares them at the end of a turn: one
 * that goes idle and is used again within a turn costs no system call. Any other descriptor may
 * have been closed and be another one by now, so that the kernel has to be told again. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *unused)
{
    struct crew *crew = userdata;
    struct ev_loop *loop = crew->xfer->loop;
    struct watch *watch = watch_of(crew->xfer, fd);
    ev_io *io = &watch->io;
    int events = (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0);

    (void)easy;
    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        ev_io_stop(loop, io);
        return 0;
    }
    watch->crew = crew;
    if (ev_is_active(io) && (io->events & (EV_READ | EV_WRITE)) == events)
        return 0;
    ev_io_stop(loop, io);
    if (watch->is_connection)
        ev_io_modify(io, events);
    else
        ev_io_set(io, fd, events);
    ev_io_start(loop, io);
    return 0;
}

void xfer_crew_note_opened(struct transfer *transfer, int fd)
{
    struct watch *watch = watch_of(transfer->xfer, fd);

    assert(transfer->crew);
    transfer->crew->opened++;
    watch->crew = transfer->crew;
    ev_io_stop(transfer->xfer->loop, &watch->io);
    ev_io_set(&watch->io, fd, EV_NONE);
    watch->is_connection = true;
}

int xfer_on_close_socket(void *userdata, curl_socket_t fd)
{
    struct xfer *xfer = userdata;
    struct watch *watch = watch_of(xfer, fd);

    ev_io_stop(xfer->loop, &watch->io);
    if (watch->is_connection)
        watch->crew->closed++;
    watch->is_connection = false;
    return close(fd);
}

/* Of a connection that no transfer uses libcurl wants to hear nothing; nor of one whose transfer
 * waits for memory, which is counted along: it is not closed for that. */
size_t xfer_crew_count_idle(const struct crew *crew)
{
    const struct xfer *xfer = crew->xfer;
    size_t idle = 0;

    for (size_t i = 0; i < xfer->n_chunks; i++) {
        for (size_t k = 0; xfer->chunks[i] && k < WATCHES_IN_CHUNK; k++) {
            struct watch *watch = &xfer->chunks[i]->watches[k];
            idle += watch->is_connection && watch->crew == crew && !ev_is_active(&watch->io);
        }
    }
    return idle;
}

/* Rounded up by a millisecond: called too early, libcurl does nothing and never says again when. */
static int on_timer(CURLM *multi, long milliseconds, void *userdata)
{
    struct crew *crew = userdata;

    (void)multi;
    if (milliseconds < 0)
        crew->timer_due = INFINITY;
    else if (milliseconds == 0)
        crew->timer_due = 0;
    else
        crew->timer_due = clock_now() + (double)(milliseconds + 1) / 1000;
    return 0;
}

/* ---- coming and going ---- */

/* Sets options of newer versions of libcurl by number, so that a program built with an older one sets
 * them all the same. An older one refuses the number, and needs none of them. */
static void set_newer(CURLM *multi)
{
    static const struct {
        int option;
        long value;
    } newer[] = {
        {20, LOOKUP_THREADS}, /* CURLMOPT_RESOLVE_THREADS_MAX, 8.20 */
        {21, 1}, /* CURLMOPT_QUICK_EXIT, 8.20: cleanup waits for no lookup that hangs */
    };

    for (size_t i = 0; i < ARRAY_LEN(newer); i++)
        curl_multi_setopt(multi, (CURLMoption)newer[i].option, newer[i].value);
}

/* It is on duty at the post from now on. -EMFILE: there was no descriptor for it. */
static int new_crew(struct xfer *xfer, unsigned post)
{
    CURLM *multi = curl_multi_init();

    if (!multi && xfer_descriptors_are_out())
        return -EMFILE;
    if (!multi)
        out_of_memory();
    struct crew *crew = xcalloc(1, sizeof *crew);
    *crew = (struct crew){.multi = multi,
                          .xfer = xfer,
                          .timer_due = INFINITY,
                          .post = post,
                          .kept = post == TLS_POST ? xfer->bounds.at_once : xfer->posts->room};
    set_newer(multi);
    DL_PREPEND(xfer->crews, crew);
    xfer->n_crews++;
    xfer->posts->on_duty[post] = crew;
    bool done = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
                curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, crew) == CURLM_OK &&
                curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
                curl_multi_setopt(multi, CURLMOPT_TIMERDATA, crew) == CURLM_OK &&
                curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)crew->kept) == CURLM_OK;
    return done ? 0 : -EINVAL;
}

/* Several keep more connections than one would, so there must be descriptors for them; then there may
 * be more crews than posts, too. */
static unsigned count_posts(const struct xfer *xfer)
{
    unsigned at_once = xfer->bounds.at_once;
    unsigned parts = MIN(at_once / AT_POST, POSTS_MAX - 1);
    bool is_scarce = xfer->bounds.connections < 2 * (uint64_t)at_once + at_once / 4;

    return parts < 2 || is_scarce || xfer->shares_connections ? 1 : parts + 1;
}

static struct posts *new_posts(const struct xfer *xfer)
{
    struct posts *posts = xcalloc(1, sizeof *posts);

    posts->count = count_posts(xfer);
    posts->plain = MAX(1, posts->count - 1);
    posts->room = xfer->bounds.at_once / posts->plain;
    posts->room += posts->room / 4; /* some lots have more to do than others */
    return posts;
}

int xfer_crew_init(struct xfer *xfer)
{
    long descriptors = sysconf(_SC_OPEN_MAX);
    int result = 0;

    xfer->crews_max = (unsigned)MAX(1, MIN(descriptors / OPEN_EACH, CREWS_MAX));
    xfer->posts = new_posts(xfer);
    for (unsigned post = 0; post < xfer->posts->count && !result; post++)
        result = new_crew(xfer, post);
    return result;
}

/* libcurl leaves some descriptors to be watched, and closes some without a word. None of them is the
 * crew's any more, nor a later one's that stands at the same address. */
static void forget_watches(const struct crew *crew)
{
    struct xfer *xfer = crew->xfer;

    for (size_t i = 0; i < xfer->n_chunks; i++) {
        for (size_t k = 0; xfer->chunks[i] && k < WATCHES_IN_CHUNK; k++) {
            struct watch *watch = &xfer->chunks[i]->watches[k];
            if (watch->crew != crew)
                continue;
            ev_io_stop(xfer->loop, &watch->io);
            watch->crew = NULL;
            watch->is_connection = false;
        }
    }
}

/* With its handles still added the multi goes quickly; taking out thousands one by one would
 * not. */
static void free_crew(struct crew *crew)
{
    struct xfer *xfer = crew->xfer;

    forget_watches(crew);
    curl_multi_setopt(crew->multi, CURLMOPT_SOCKETFUNCTION, NULL);
    curl_multi_cleanup(crew->multi);
    DL_DELETE(xfer->crews, crew);
    xfer->n_crews--;
    free(crew);
}

void xfer_crew_release(struct xfer *xfer)
{
    while (xfer->crews)
        free_crew(xfer->crews);
    free(xfer->posts);
    xfer->posts = NULL;
    for (size_t i = 0; i < xfer->n_chunks; i++)
        free(xfer->chunks[i]);
    free(xfer->chunks);
    xfer->chunks = NULL;
    xfer->n_chunks = 0;
}

/* ---- their work ---- */

static bool is_on_duty(const struct crew *crew)
{
    return crew == crew->xfer->posts->on_duty[crew->post];
}

static bool has_had_enough(const struct crew *crew)
{
    uint64_t kept = crew->kept;

    return crew->opened >= MAX(OPENED_MIN, MIN(TIMES_KEPT * kept, kept + OPENED_MORE));
}

/* Another takes its post, and nobody comes back to its connections. It stays while there is no
 * descriptor for another. */
static void relieve(struct crew *before)
{
    int result = new_crew(before->xfer, before->post);

    if (result == -EMFILE)
        return;
    if (result)
        out_of_memory(); /* the options are those of the first, which were taken */
    if (!before->running)
        return;
    curl_multi_setopt(before->multi, CURLMOPT_MAXCONNECTS, 1L);
    xfer_close_all_idle(before);
}

static struct lot *lot_of(struct posts *posts, const struct task *task)
{
    const char *host = task->host ? sched_host_name(task) : "";

    if (posts->count == 1 || xfer_is_over_tls(host))
        return NULL;
    struct lot *lot = &posts->lots[XXH3_64bits(host, strlen(host)) % LOTS];
    if (!lot->has_post)
        lot->post = posts->lots_placed++ % posts->plain;
    lot->has_post = true;
    return lot;
}

/* A lot stays at its post, so that no host has an idle connection at one and needs another at the
 * next. Only what is more than a post has room for goes to the first that has: where a transfer has
 * ended there, it finds that connection. */
static struct crew *crew_for(const struct posts *posts, const struct lot *lot)
{
    struct crew *const *plain = &posts->on_duty[TLS_POST + 1];

    if (!lot)
        return posts->on_duty[TLS_POST];
    for (unsigned i = 0; lot->running >= posts->room && i < posts->plain; i++) {
        struct crew *crew = plain[(lot->post + i) % posts->plain];
        if (crew->running < posts->room)
            return crew;
    }
    return plain[lot->post];
}

/* Of more than it keeps libcurl would close each that becomes idle, and open as many. But all
 * together keep no more than there are descriptors for. */
static void keep_another(struct crew *crew)
{
    const struct posts *posts = crew->xfer->posts;
    unsigned kept = 0;

    for (unsigned post = 0; post < posts->count; post++)
        kept += posts->on_duty[post]->kept;
    if (kept < crew->xfer->bounds.connections)
        curl_multi_setopt(crew->multi, CURLMOPT_MAXCONNECTS, (long)++crew->kept);
}

void xfer_crew_add(struct xfer *xfer, struct transfer *transfer)
{
    transfer->lot = lot_of(xfer->posts, transfer->task);
    transfer->crew = crew_for(xfer->posts, transfer->lot);
    transfer->crew->running++;
    if (transfer->lot)
        transfer->lot->running++;
    if (transfer->crew->running > transfer->crew->kept)
        keep_another(transfer->crew);
    if (curl_multi_add_handle(transfer->crew->multi, transfer->easy) != CURLM_OK)
        out_of_memory();
}

void xfer_crew_remove(struct transfer *transfer)
{
    xfer_note_taken_out(transfer);
    curl_multi_remove_handle(transfer->crew->multi, transfer->easy);
    transfer->crew->running--;
    if (transfer->lot)
        transfer->lot->running--;
}

void xfer_crew_run(struct xfer *xfer, double now)
{
    struct crew *next;

    for (struct crew *crew = xfer->crews; crew; crew = next) {
        next = crew->next;
        if (is_on_duty(crew) && has_had_enough(crew) && xfer->n_crews < xfer->crews_max)
            relieve(crew);
        if (crew->timer_due <= now) {
            crew->timer_due = INFINITY;
            xfer_crew_call(crew);
        }
        if (!crew->running && !is_on_duty(crew))
            free_crew(crew);
    }
}

double xfer_crew_due(const struct xfer *xfer)
{
    double due = INFINITY;

    for (const struct crew *crew = xfer->crews; crew; crew = crew->next)
        due = fmin(due, crew->timer_due);
    return due;
}
