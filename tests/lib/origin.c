#include "origin.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "moment.h"
#include "origin_log.h"
#include "origin_server.h"
#include "server_child.h"

/* How long a child that was asked to end may take, before it is killed. */
static const double stop_patience = 10;

struct origin {
    pid_t pid;
    int life_fd; /* closing it ends the child */
    uint16_t port;
    char url[ORIGIN_URL_SIZE];
    struct origin_log *log;
};

static _Noreturn void serve(int listen_fd, int life_fd, pid_t parent, struct origin_log *log)
{
    server_child_begin(listen_fd, life_fd, parent);
    origin_server_run(listen_fd, life_fd, log);
    _exit(0);
}

/* Forks the child that serves; closes `listen_fd` here. */
static int fork_server(struct origin *origin, int listen_fd)
{
    pid_t parent = getpid();
    int life[2];

    if (pipe2(life, O_CLOEXEC) < 0)
        return -1;
    origin->pid = fork();
    if (origin->pid == 0) {
        struct origin_log *log = origin->log;
        free(origin); /* the parent's; here nobody would */
        serve(listen_fd, life[0], parent, log);
    }
    close(life[0]);
    if (origin->pid < 0) {
        close(life[1]);
        return -1;
    }
    origin->life_fd = life[1];
    return 0;
}

struct origin *origin_start(const struct origin_options *options)
{
    static const struct origin_options plain = {0};
    struct origin *origin = calloc(1, sizeof *origin);

    options = options ? options : &plain;
    if (!origin)
        return NULL;
    origin->log = origin_log_new(options->quiet);
    int listen_fd = origin->log ? origin_server_listen(options) : -1;
    if (listen_fd < 0)
        goto failed;
    /* It listens already: who connects before the child runs waits in the backlog. */
    origin_server_address(listen_fd, origin->url, &origin->port);
    int forked = fork_server(origin, listen_fd);
    close(listen_fd);
    if (forked == 0)
        return origin;
failed:
    origin_log_free(origin->log);
    free(origin);
    return NULL;
}

static int reap(pid_t pid)
{
    double deadline = moment_now() + stop_patience;
    int status = 0;
    pid_t got;

    while ((got = waitpid(pid, &status, WNOHANG)) == 0 && moment_now() < deadline)
        moment_nap();
    if (got == 0) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int origin_stop(struct origin *origin)
{
    if (!origin)
        return 0;
    close(origin->life_fd);
    int status = reap(origin->pid);
    origin_log_free(origin->log);
    free(origin);
    return status;
}

uint16_t origin_port(const struct origin *origin)
{
    return origin->port;
}

const char *origin_url(const struct origin *origin)
{
    return origin->url;
}

struct origin_counts origin_counts(const struct origin *origin)
{
    const struct origin_log *log = origin->log;

    return (struct origin_counts){
        .accepted = atomic_load(&log->accepted),
        .open = atomic_load(&log->open),
        .open_peak = atomic_load(&log->open_peak),
        .requests = atomic_load(&log->requests),
        .in_service = atomic_load(&log->in_service),
        .in_service_peak = atomic_load(&log->in_service_peak),
        .unlogged = atomic_load(&log->unlogged),
    };
}

bool origin_wait_requests(const struct origin *origin, uint64_t count, double seconds)
{
    double deadline = moment_now() + seconds;

    while (atomic_load(&origin->log->requests) < count) {
        if (moment_now() > deadline)
            return false;
        moment_nap();
    }
    return true;
}

static bool wait_equal(const _Atomic uint64_t *counter, uint64_t count, double seconds)
{
    double deadline = moment_now() + seconds;

    while (atomic_load(counter) != count) {
        if (moment_now() > deadline)
            return false;
        moment_nap();
    }
    return true;
}

bool origin_wait_in_service(const struct origin *origin, uint64_t count, double seconds)
{
    return wait_equal(&origin->log->in_service, count, seconds);
}

bool origin_wait_open(const struct origin *origin, uint64_t count, double seconds)
{
    return wait_equal(&origin->log->open, count, seconds);
}

const struct origin_record *origin_log_next(const struct origin *origin,
                                            const struct origin_record *record)
{
    uint64_t used = atomic_load_explicit(&origin->log->used, memory_order_acquire);
    uint64_t at = record ? record->next : 0;

    return at < used ? (const void *)(origin->log->records + at) : NULL;
}

const struct origin_record *origin_log_find(const struct origin *origin, const char *target)
{
    const struct origin_record *record = NULL;

    while ((record = origin_log_next(origin, record))) {
        if (strcmp(record->target, target) == 0)
            return record;
    }
    return NULL;
}

size_t origin_log_count(const struct origin *origin, const char *target)
{
    const struct origin_record *record = NULL;
    size_t count = 0;

    while ((record = origin_log_next(origin, record)))
        count += strcmp(record->target, target) == 0;
    return count;
}
