/*
 * timed [-d] [-n COUNT] REPORT COMMAND [ARGUMENT]...
 *
 * Runs COMMAND, COUNT times one after the other, and writes into REPORT, as JSON, what that took:
 * wall time, CPU of the command and of all it waited for, the peak resident size of the largest
 * process among these, the status. With -d it reads the command's stdout itself, as `cat >/dev/null`
 * would, and tells the bytes and when the first of them came.
 *
 * It is in C because a child's peak includes that of the process it was forked from, and because an
 * interpreter between the clock and the child is longer than some of what is measured.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct report {
    double wall;
    double user;
    double sys;
    double first; /* seconds to the first byte of stdout; negative: none came, or nobody looked */
    long peak_kib;
    unsigned long long bytes;
    int status; /* as a shell tells it; the first that is not 0 */
};

static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double seconds(struct timeval value)
{
    return (double)value.tv_sec + (double)value.tv_usec / 1e6;
}

static void fail(const char *what)
{
    fprintf(stderr, "timed: %s: %s\n", what, strerror(errno));
    exit(1);
}

static pid_t spawn(char **command, const int *out)
{
    pid_t pid = fork();

    if (pid < 0)
        fail("fork");
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (out)
        dup2(out[1], STDOUT_FILENO);
    execvp(*command, command);
    fprintf(stderr, "timed: %s: %s\n", *command, strerror(errno));
    _exit(127);
}

static void drain(int fd, double start, struct report *report)
{
    static char buffer[1 << 16];
    ssize_t got;

    while ((got = read(fd, buffer, sizeof buffer)) > 0) {
        if (report->first < 0)
            report->first = now() - start;
        report->bytes += (unsigned long long)got;
    }
    close(fd);
}

static void run_once(char **command, bool drained, struct report *report)
{
    int out[2];
    int status;
    struct rusage usage;

    if (drained && pipe2(out, O_CLOEXEC) < 0)
        fail("pipe");
    double start = now();
    pid_t pid = spawn(command, drained ? out : NULL);
    if (drained) {
        close(out[1]);
        drain(out[0], start, report);
    }
    if (wait4(pid, &status, 0, &usage) < 0)
        fail("wait4");
    report->wall += now() - start;
    report->user += seconds(usage.ru_utime);
    report->sys += seconds(usage.ru_stime);
    if (usage.ru_maxrss > report->peak_kib)
        report->peak_kib = usage.ru_maxrss;
    if (!report->status)
        report->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void write_report(const char *path, const struct report *report)
{
    FILE *file = fopen(path, "we");

    if (!file)
        fail(path);
    fprintf(file, "{\"wall\": %.6f, \"first\": %.6f, ", report->wall, report->first);
    fprintf(file, "\"user\": %.6f, \"system\": %.6f, ", report->user, report->sys);
    fprintf(file, "\"peak_kib\": %ld, \"bytes\": %llu, ", report->peak_kib, report->bytes);
    fprintf(file, "\"status\": %d}\n", report->status);
    if (fclose(file) != 0)
        fail(path);
}

int main(int argc, char **argv)
{
    struct report report = {.first = -1};
    bool drained = false;
    long count = 1;
    int word;

    while ((word = getopt(argc, argv, "+dn:")) != -1) {
        if (word == 'd')
            drained = true;
        else if (word == 'n')
            count = strtol(optarg, NULL, 10);
        else
            return 2;
    }
    if (argc - optind < 2)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (long i = 0; i < count; i++)
        run_once(argv + optind + 1, drained, &report);
    write_report(argv[optind], &report);
    return 0;
}
