/*
 * A disk that fails, put between a program and the C library by LD_PRELOAD. FAULTY=CALL:N:FAULT in
 * the environment says which: at the Nth call of that name FAULT comes, which is an error's name,
 * `short` for a write of half, or `kill` for the program's end. CALL+ instead of CALL: from the Nth
 * call on. Calls of write count where they are to regular files. A second plan may stand behind a
 * comma. With SLOW_NAMES=SECONDS a name that begins with `slow` is not found, after so long; one that
 * begins with `good` is this machine; and one that begins with `late` is this machine where the file
 * of LATE_NAMES=FILE is there as it is asked for, and else like a slow one.
 *
 * Bound: PLANS_MAX plans a process. Knows nothing of: the program.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SHORT = -1, KILL = -2, PLANS_MAX = 2 };

static const struct {
    const char *name;
    int error;
} faults[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR}, {"EROFS", EROFS},
              {"EDQUOT", EDQUOT}, {"EEXIST", EEXIST}, {"short", SHORT}, {"kill", KILL}};

static int fault_of(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (strlen(faults[i].name) == len && strncmp(faults[i].name, name, len) == 0)
            return faults[i].error;
    }
    return 0;
}

/* 0, or the fault that the plan has for this call. */
static int fault_of_plan(const char *plan, const char *call, atomic_ulong *calls)
{
    size_t len = strlen(call);
    char *end;

    if (strncmp(plan, call, len) != 0)
        return 0;
    int goes_on = plan[len] == '+';
    unsigned long due = strtoul(plan + len + (size_t)goes_on + 1, &end, 10);
    unsigned long number = ++*calls;
    if (plan[len + (size_t)goes_on] != ':' || *end != ':')
        return 0;
    return number == due || (goes_on && number > due) ? fault_of(end + 1, strcspn(end + 1, ","))
                                                      : 0;
}

/* 0, or the fault that this call has. */
static int next_fault(const char *call)
{
    static atomic_ulong calls[PLANS_MAX];
    const char *plan = getenv("FAULTY");
    int fault = 0;

    for (size_t i = 0; plan && !fault && i < PLANS_MAX; i++) {
        fault = fault_of_plan(plan, call, &calls[i]);
        plan = strchr(plan, ',');
        plan += plan != NULL;
    }
    if (fault == KILL)
        raise(SIGKILL);
    return fault;
}

static int is_regular(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* The function that this one stands before. */
static void find(const char *name, void *ret_function)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    memcpy(ret_function, &found, sizeof found);
}

/* libc's own declarations name what they take in its part of the name space. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

ssize_t write(int fd, const void *bytes, size_t len)
{
    ssize_t (*real)(int, const void *, size_t);
    int fault = is_regular(fd) ? next_fault("write") : 0;

    find("write", &real);
    if (fault == SHORT)
        return real(fd, bytes, len - len / 2);
    if (fault == ENOSPC)
        (void)!real(fd, bytes, len / 3); /* what had room is there all the same */
    if (!fault)
        return real(fd, bytes, len);
    errno = fault;
    return -1;
}

#define FAILS(call)               \
    int fault = next_fault(call); \
    if (fault) {                  \
        errno = fault;            \
        return -1;                \
    }

int fsync(int fd)
{
    int (*real)(int);

    FAILS("fsync")
    find("fsync", &real);
    return real(fd);
}

int fdatasync(int fd)
{
    int (*real)(int);

    FAILS("fdatasync")
    find("fdatasync", &real);
    return real(fd);
}

int ftruncate(int fd, off_t len)
{
    int (*real)(int, off_t);

    FAILS("ftruncate")
    find("ftruncate", &real);
    return real(fd, len);
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *);

    FAILS("rename")
    find("rename", &real);
    return real(from, to);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    int (*real)(int, const char *, int, const char *);

    FAILS("rename")
    find("renameat", &real);
    return real(from_dir, from, to_dir, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    int (*real)(int, const char *, int, const char *, unsigned);

    FAILS("rename")
    find("renameat2", &real);
    return real(from_dir, from, to_dir, to, flags);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    int (*real)(int, int, int, struct epoll_event *);

    FAILS("epoll_ctl")
    find("epoll_ctl", &real);
    return real(epoll, operation, fd, event);
}

/* A directory that is read. */
DIR *fdopendir(int fd)
{
    DIR *(*real)(int);
    int fault = next_fault("fdopendir");

    find("fdopendir", &real);
    if (!fault)
        return real(fd);
    errno = fault;
    return NULL;
}

static void pause_for(double seconds)
{
    struct timespec span = {.tv_sec = (time_t)seconds,
                            .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

    while (nanosleep(&span, &span) == -1 && errno == EINTR)
        ;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_list)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    const char *seconds = getenv("SLOW_NAMES");
    const char *file = getenv("LATE_NAMES");

    find("getaddrinfo", &real);
    if (!seconds || !name)
        return real(name, service, hints, ret_list);
    bool is_late = strncmp(name, "late", 4) == 0, is_there = file && access(file, F_OK) == 0;
    if (strncmp(name, "slow", 4) == 0 || (is_late && !is_there)) {
        pause_for(strtod(seconds, NULL));
        return EAI_NONAME;
    }
    bool is_here = is_late || strncmp(name, "good", 4) == 0;
    return real(is_here ? "127.0.0.1" : name, service, hints, ret_list);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
