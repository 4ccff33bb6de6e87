#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "moment.h"
#include "run_child.h"

enum {
    READ_PIECE = 64 * 1024,
    /* How often the end of the program is looked for where the kernel cannot tell of it. */
    LOOK_MS = 20,
};

/* How long whoever holds the outputs may go on when the program itself has ended, or was killed. */
static const double afterlife = 2;

struct run {
    pid_t pid;
    int pid_fd; /* readable when it ended; -1: an old kernel */
    int in, out, err;
    struct blob out_bytes, err_bytes;
    size_t out_seen, err_seen; /* what run_read_until has passed */
    bool held;
    bool reaped;
    bool killed;
    bool timed_out;
    int status;
    struct rusage usage;
    double started, ended, deadline;
};

/* What a turn is to write. */
struct outgoing {
    const char *at;
    size_t left;
    bool failed;
};

static double stretched(double seconds)
{
    const char *factor = getenv("RUN_TIME_FACTOR");

    return factor ? seconds * strtod(factor, NULL) : seconds;
}

const char *run_weir(void)
{
    const char *path = getenv("WEIR");

    return path && *path ? path : WEIR_PATH;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Both ends; ours does not block. `*ret_theirs` is the borrowed one when there is one. */
static int open_end(int borrowed, bool we_write, int *ret_ours, int *ret_theirs)
{
    int ends[2];

    *ret_ours = -1;
    *ret_theirs = borrowed;
    if (borrowed > 0)
        return 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    *ret_ours = ends[we_write];
    *ret_theirs = ends[!we_write];
    return fcntl(*ret_ours, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int start(struct run *run, const struct run_options *options)
{
    int in = -1, out = -1, err = -1;
    int failed = open_end(options->input_fd, true, &run->in, &in);

    if (!failed)
        failed = open_end(options->output_fd, false, &run->out, &out);
    if (!failed)
        failed = open_end(options->error_fd, false, &run->err, &err);
    if (!failed)
        failed = run_child_start(options, in, out, err, &run->pid);
    if (options->input_fd <= 0)
        close_fd(&in);
    if (options->output_fd <= 0)
        close_fd(&out);
    if (options->error_fd <= 0)
        close_fd(&err);
    return failed;
}

static void release(struct run *run)
{
    close_fd(&run->in);
    close_fd(&run->out);
    close_fd(&run->err);
    close_fd(&run->pid_fd);
    blob_release(&run->out_bytes);
    blob_release(&run->err_bytes);
    free(run);
}

struct run *run_spawn(const struct run_options *options)
{
    struct run *run = calloc(1, sizeof *run);

    if (!run)
        return NULL;
    run->in = run->out = run->err = run->pid_fd = -1;
    run->started = moment_now();
    run->deadline =
        run->started + stretched(options->seconds > 0 ? options->seconds : RUN_TIME_LIMIT);
    int failed = start(run, options);
    if (failed) {
        release(run);
        errno = -failed;
        return NULL;
    }
    run->pid_fd = (int)syscall(SYS_pidfd_open, run->pid, 0);
    return run;
}

pid_t run_pid(const struct run *run)
{
    return run->pid;
}

static void kill_group(struct run *run)
{
    kill(-run->pid, SIGKILL);
    run->killed = true;
    run->deadline = moment_now() + afterlife;
}

static void look_for_end(struct run *run)
{
    if (run->reaped || wait4(run->pid, &run->status, WNOHANG, &run->usage) != run->pid)
        return;
    run->reaped = true;
    run->ended = moment_now();
}

/* Past the limit: the first time the group is killed, the second time it is given up. */
static void enforce_limit(struct run *run)
{
    if (moment_now() < run->deadline)
        return;
    if (run->killed) {
        close_fd(&run->out);
        close_fd(&run->err);
        return;
    }
    run->timed_out = true;
    kill_group(run);
}

/* Reads what is there, at most `max` bytes; closes at the end. */
static size_t drain(int *fd, struct blob *blob, size_t max)
{
    size_t want = max < READ_PIECE ? max : READ_PIECE;
    ssize_t got = read(*fd, blob_reserve(blob, want), want);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0) {
        close_fd(fd);
        return 0;
    }
    if (blob->len + (size_t)got <= RUN_CAPTURE_MAX)
        blob_extend(blob, (size_t)got);
    return (size_t)got;
}

/* Writes without a SIGPIPE, and without changing what the test has set for it. */
static ssize_t write_quietly(int fd, const void *bytes, size_t len)
{
    static const struct timespec at_once = {0};
    sigset_t broken_pipe, before;

    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    ssize_t written = write(fd, bytes, len);
    int error = errno;
    if (written < 0 && error == EPIPE && !sigismember(&before, SIGPIPE))
        sigtimedwait(&broken_pipe, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return written;
}

static void push(struct run *run, struct outgoing *outgoing)
{
    ssize_t written = write_quietly(run->in, outgoing->at, outgoing->left);

    if (written >= 0) {
        outgoing->at += written;
        outgoing->left -= (size_t)written;
    } else if (errno != EAGAIN && errno != EINTR)
        outgoing->failed = true;
}

static int wait_ms(double until)
{
    double left = (until - moment_now()) * 1000;

    if (left < 0)
        return 0;
    return left > (double)LOOK_MS ? LOOK_MS : (int)left + 1;
}

/* One turn: waits at most until then for anything to move, and moves it. */
static void turn(struct run *run, struct outgoing *outgoing, bool held, double until)
{
    struct pollfd fds[] = {
        {.fd = held ? -1 : run->out, .events = POLLIN},
        {.fd = run->err, .events = POLLIN},
        {.fd = outgoing ? run->in : -1, .events = POLLOUT},
        {.fd = run->reaped ? -1 : run->pid_fd, .events = POLLIN},
    };
    int moved = poll(fds, 4, wait_ms(until < run->deadline ? until : run->deadline));

    if (moved > 0) {
        if (fds[0].revents)
            drain(&run->out, &run->out_bytes, READ_PIECE);
        if (fds[1].revents)
            drain(&run->err, &run->err_bytes, READ_PIECE);
        if (outgoing && fds[2].revents)
            push(run, outgoing);
    }
    look_for_end(run);
    enforce_limit(run);
}

bool run_write(struct run *run, const void *bytes, size_t len)
{
    struct outgoing outgoing = {bytes, len, run->in < 0};

    while (outgoing.left && !outgoing.failed && !run->timed_out)
        turn(run, &outgoing, run->held, run->deadline);
    return !outgoing.left;
}

bool run_write_text(struct run *run, const char *text)
{
    return run_write(run, text, strlen(text));
}

void run_close_stdin(struct run *run)
{
    close_fd(&run->in);
}

void run_hold(struct run *run, bool held)
{
    run->held = held;
}

size_t run_read_some(struct run *run, size_t max, double seconds)
{
    double until = moment_now() + stretched(seconds);

    while (run->out >= 0) {
        size_t got = drain(&run->out, &run->out_bytes, max);
        if (got || run->out < 0 || moment_now() >= until || run->timed_out)
            return got;
        struct pollfd fd = {.fd = run->out, .events = POLLIN};
        poll(&fd, 1, wait_ms(until));
        /* The rest of a turn, so that stderr cannot hold it up. */
        turn(run, NULL, true, 0);
    }
    return 0;
}

/* `*seen` moves behind the text. */
static bool read_until(struct run *run, const struct blob *blob, const int *fd, size_t *seen,
                       const char *text, double seconds)
{
    double until = moment_now() + stretched(seconds);
    size_t text_len = strlen(text);
    size_t from = *seen;

    for (;;) {
        const char *found =
            blob->len > from ? memmem(blob->at + from, blob->len - from, text, text_len) : NULL;
        if (found) {
            *seen = (size_t)(found - blob->at) + text_len;
            return true;
        }
        if (*fd < 0 || moment_now() >= until || run->timed_out)
            return false;
        /* What was searched need not be again, but for a text that began at its end. */
        if (blob->len >= from + text_len)
            from = blob->len - text_len + 1;
        turn(run, NULL, false, until);
    }
}

bool run_read_until(struct run *run, const char *text, double seconds)
{
    return read_until(run, &run->out_bytes, &run->out, &run->out_seen, text, seconds);
}

bool run_read_error_until(struct run *run, const char *text, double seconds)
{
    return read_until(run, &run->err_bytes, &run->err, &run->err_seen, text, seconds);
}

const struct blob *run_out(const struct run *run)
{
    return &run->out_bytes;
}

const struct blob *run_err(const struct run *run)
{
    return &run->err_bytes;
}

void run_signal(struct run *run, int signal)
{
    if (!run->reaped)
        kill(run->pid, signal);
}

bool run_ended(struct run *run, double seconds)
{
    double until = moment_now() + stretched(seconds);

    look_for_end(run);
    while (!run->reaped && moment_now() < until && !run->timed_out)
        turn(run, NULL, run->held, until);
    return run->reaped;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

void run_wait(struct run *run, struct run_result *result)
{
    bool ended = false;

    close_fd(&run->in);
    while (!run->reaped || run->out >= 0 || run->err >= 0) {
        if (run->reaped && !ended) {
            ended = true;
            run->deadline = moment_now() + afterlife;
        }
        turn(run, NULL, false, run->deadline);
    }
    bool by_signal = WIFSIGNALED(run->status);
    *result = (struct run_result){
        .out = run->out_bytes,
        .err = run->err_bytes,
        .timed_out = run->timed_out,
        .signal = by_signal ? WTERMSIG(run->status) : 0,
        .code = by_signal ? 128 + WTERMSIG(run->status) : WEXITSTATUS(run->status),
        .wall = run->ended - run->started,
        .user = seconds_of(run->usage.ru_utime),
        .sys = seconds_of(run->usage.ru_stime),
        .peak_rss_kib = run->usage.ru_maxrss,
    };
    run->out_bytes = run->err_bytes = (struct blob){0};
    release(run);
}

void run_free(struct run *run)
{
    struct run_result result;

    if (!run)
        return;
    kill_group(run);
    run_wait(run, &result);
    run_result_release(&result);
}

bool run_finish(const struct run_options *options, struct run_result *result)
{
    struct run *run = run_spawn(options);

    if (!run)
        return false;
    /* A program may end, or close its stdin, before it has read everything. */
    (void)run_write(run, options->input, options->input_len);
    run_wait(run, result);
    return true;
}

void run_result_release(struct run_result *result)
{
    blob_release(&result->out);
    blob_release(&result->err);
}
