#include "run_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

/* Where the child keeps the pipe that tells of a failed exec, and above which it keeps nothing. */
enum { REPORT_FD = 3 };

static int set_limit(__rlimit_resource_t resource, size_t value)
{
    struct rlimit limit = {value, value};

    return value ? setrlimit(resource, &limit) : 0;
}

static void reset_signals(int ignored)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    if (ignored)
        signal(ignored, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int set_environment(const char *const *env)
{
    for (; env && *env; env++) {
        const char *equals = strchr(*env, '=');
        char *name = strndup(*env, equals ? (size_t)(equals - *env) : strlen(*env));
        int failed = !name || (equals ? setenv(name, equals + 1, 1) : unsetenv(name));
        free(name);
        if (failed)
            return -1;
    }
    return 0;
}

/* Puts them at 0 to 3, whatever they were, and closes all others. */
static int place_descriptors(const int from[4])
{
    int moved[4];

    for (int i = 0; i < 4; i++) {
        moved[i] = fcntl(from[i], F_DUPFD_CLOEXEC, REPORT_FD + 1);
        if (moved[i] < 0)
            return -1;
    }
    for (int i = 0; i < 4; i++) {
        if (dup2(moved[i], i) < 0)
            return -1;
    }
    if (fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) < 0)
        return -1;
    return close_range(REPORT_FD + 1, ~0u, 0);
}

static int prepare(const struct run_options *options)
{
    if (setpgid(0, 0) < 0 || (options->cwd && chdir(options->cwd) < 0))
        return -1;
    if (set_limit(RLIMIT_NOFILE, options->nofile) < 0 ||
        set_limit(RLIMIT_FSIZE, options->file_bytes) < 0)
        return -1;
    return set_environment(options->env);
}

static _Noreturn void become(const struct run_options *options, const int descriptors[4],
                             pid_t parent)
{
    int report = descriptors[3];

    prctl(PR_SET_PDEATHSIG, options->death_signal ? options->death_signal : SIGKILL);
    if (getppid() != parent)
        _exit(127);
    if (place_descriptors(descriptors) == 0) {
        report = REPORT_FD;
        reset_signals(options->ignored);
        if (prepare(options) == 0)
            execvp(options->argv[0], (char *const *)(uintptr_t)options->argv);
    }
    int error = errno;
    (void)!write(report, &error, sizeof error);
    _exit(127);
}

/* 0 once the program runs, which closes the pipe; else what became of it. */
static int read_report(int fd)
{
    int error = 0;
    ssize_t got;

    do
        got = read(fd, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    return got == sizeof error ? -error : 0;
}

int run_child_start(const struct run_options *options, int in, int out, int err, pid_t *ret_pid)
{
    pid_t parent = getpid();
    int report[2];

    if (pipe2(report, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0)
        become(options, (const int[4]){in, out, err, report[1]}, parent);
    int failed = pid < 0 ? -errno : 0;
    close(report[1]);
    if (!failed)
        failed = read_report(report[0]);
    close(report[0]);
    if (failed && pid > 0)
        waitpid(pid, NULL, 0);
    if (!failed)
        *ret_pid = pid;
    return failed;
}
