/*
 * A program run as a program: arguments, stdin, descriptors, limits, a time to be done in; its
 * output, its end, what it cost. All at once by run_finish, or step by step: a spawned run only
 * moves bytes inside the calls below, so a test decides how slowly its stdout is read.
 *
 * No call waits for ever: each ends at its own limit or at the run's, at which the program and its
 * whole group are killed. It dies with the test, too.
 * Bound: RUN_CAPTURE_MAX bytes of each stream are kept, the rest is read and dropped.
 * Owns: the child, its pipes. Knows nothing of: what the program is.
 */
#ifndef RIG_RUN_H
#define RIG_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "blob.h"

enum { RUN_CAPTURE_MAX = 1 << 30 };

/* How long a run may take when it does not say. Under valgrind or a sanitizer everything takes
 * longer: the environment's RUN_TIME_FACTOR multiplies every limit of the runs. */
#define RUN_TIME_LIMIT 60.0

struct run;

/* All zero but argv: an empty stdin, both outputs captured. */
struct run_options {
    const char *const *argv; /* ends in NULL; a name without a slash is looked up in PATH */
    const char *const *env;  /* "NAME=value" is added, "NAME" is taken out; ends in NULL */
    const char *cwd;
    const void *input; /* what run_finish writes to stdin, then closes it */
    size_t input_len;
    int input_fd;      /* over 0: this is its stdin; *borrowed* */
    int output_fd;     /* over 0: its stdout goes there; *borrowed* */
    int error_fd;      /* likewise its stderr */
    int ignored;       /* a signal it starts with as ignored, as nohup does with SIGHUP */
    size_t nofile;     /* its limit of descriptors, 0: ours */
    size_t file_bytes; /* the largest file it may write, 0: ours */
    int death_signal;  /* what it gets when the test dies; 0: SIGKILL */
    double seconds;    /* 0: RUN_TIME_LIMIT */
};

struct run_result {
    struct blob out;
    struct blob err;
    bool timed_out;
    int signal; /* that ended it, or 0 */
    int code;   /* as a shell sees it: its exit code, or 128 + signal */
    double wall;
    double user;
    double sys;
    /* As the kernel counts it, its own children included. It begins with what the test itself held
     * when it forked, so hold little there. */
    long peak_rss_kib;
};

/* The program under test: the environment's WEIR, else what the build made. */
const char *run_weir(void);
/* Its argv: RUN_WEIR("-j", "2"), or RUN_WEIR(). Lives as long as the block around it; what is left
 * of the array is NULL. */
enum { RUN_ARGS_MAX = 64 };
#define RUN_WEIR(...) ((const char *const[RUN_ARGS_MAX + 2]){run_weir(), __VA_ARGS__})

/* Runs to the end. False when it could not be started (errno); then nothing is to be released. */
bool run_finish(const struct run_options *, struct run_result *ret_result);
void run_result_release(struct run_result *);

/* Starts it with an open stdin, unless `input_fd` says otherwise. NULL with errno. */
struct run *run_spawn(const struct run_options *);
pid_t run_pid(const struct run *);

/* Writes all of it, reading its output meanwhile; false when stdin is closed or time is up. */
bool run_write(struct run *, const void *bytes, size_t len);
bool run_write_text(struct run *, const char *text);
void run_close_stdin(struct run *);

/* While held, nothing of stdout is read but by run_read_some: the pipe fills up. */
void run_hold(struct run *, bool held);
/* Reads what there is of stdout, at most `max` bytes, waiting for the first. Returns how many
 * bytes; 0 at its end, or when `seconds` are over. */
size_t run_read_some(struct run *, size_t max, double seconds);
/* Reads until stdout (or stderr) shows the text, looking behind what the last call found. */
bool run_read_until(struct run *, const char *text, double seconds);
bool run_read_error_until(struct run *, const char *text, double seconds);
/* What there is so far; changes with the next call. */
const struct blob *run_out(const struct run *);
const struct blob *run_err(const struct run *);

void run_signal(struct run *, int signal);
/* Whether it ended, within `seconds`; reads its outputs meanwhile. */
bool run_ended(struct run *, double seconds);

/* Closes stdin, waits for the end, *takes* the run. */
void run_wait(struct run *, struct run_result *ret_result);
/* Kills it; NULL is nothing. */
void run_free(struct run *);

/* Of any process, from /proc; -1 when it is gone. */
long run_fd_count(pid_t);
long run_rss_kib(pid_t);
long run_thread_count(pid_t);

#endif
