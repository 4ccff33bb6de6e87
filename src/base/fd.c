#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static int open_again(int number, enum fd_use use)
{
    char path[32];
    int access = use == FD_READ ? O_RDONLY : O_WRONLY;

    snprintf(path, sizeof path, "/proc/self/fd/%d", number);
    return open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void fd_adopt(struct fd *fd, int number, enum fd_use use)
{
    struct stat status;

    *fd = (struct fd){.number = number, .kind = FD_FILE};
    if (fstat(number, &status) < 0)
        return;
    if (S_ISSOCK(status.st_mode)) {
        fd->kind = FD_SOCKET;
        return;
    }
    if (!S_ISFIFO(status.st_mode) && !isatty(number))
        return;
    int own = open_again(number, use);
    fd->kind = own < 0 ? FD_SHARED : FD_STREAM;
    if (own >= 0) {
        fd->number = own;
        fd->owned = true;
    }
}

/* Not blocking from the start: opening a FIFO would wait for its other end, deaf to signals. */
static int open_with(struct fd *fd, const char *path, int flags)
{
    int number = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
    struct stat status;

    if (number < 0)
        return -errno;
    bool is_file = fstat(number, &status) == 0 && !S_ISFIFO(status.st_mode) && !isatty(number);
    if (is_file && S_ISDIR(status.st_mode)) {
        close(number);
        return -EISDIR;
    }
    fcntl(number, F_SETFL, is_file ? flags & O_ACCMODE : (flags & O_ACCMODE) | O_NONBLOCK);
    *fd = (struct fd){.number = number, .kind = is_file ? FD_FILE : FD_STREAM, .owned = true};
    return 0;
}

int fd_open(struct fd *fd, const char *path, enum fd_use use)
{
    return open_with(fd, path, use == FD_READ ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC);
}

int fd_open_at(struct fd *fd, const char *path, uint64_t end)
{
    struct stat status;
    int result = open_with(fd, path, O_WRONLY | O_CREAT);

    if (result || fstat(fd->number, &status) < 0 || !S_ISREG(status.st_mode))
        return result;
    bool is_in_use = file_lock(fd->number) == -EAGAIN;
    if (!is_in_use && ftruncate(fd->number, (off_t)end) == 0 &&
        lseek(fd->number, (off_t)end, SEEK_SET) >= 0)
        return 0;
    result = is_in_use ? -EAGAIN : -errno;
    fd_release(fd);
    return result;
}

void fd_release(struct fd *fd)
{
    if (fd->owned)
        close(fd->number);
    *fd = (struct fd){.number = -1};
}

bool fd_needs_watching(const struct fd *fd)
{
    return fd->kind != FD_FILE;
}

/* Whether a call on a description that blocks would return at once. */
static bool is_ready(int number, short event)
{
    struct pollfd poll_fd = {.fd = number, .events = event};

    return poll(&poll_fd, 1, 0) > 0;
}

ssize_t fd_read(const struct fd *fd, void *bytes, size_t max)
{
    ssize_t got;

    if (fd->kind == FD_SHARED && !is_ready(fd->number, POLLIN))
        return -EAGAIN;
    do {
        got = fd->kind == FD_SOCKET ? recv(fd->number, bytes, max, MSG_DONTWAIT)
                                    : read(fd->number, bytes, max);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

ssize_t fd_write(const struct fd *fd, const void *bytes, size_t len)
{
    ssize_t written;

    if (fd->kind == FD_SHARED) {
        if (!is_ready(fd->number, POLLOUT))
            return -EAGAIN;
        len = MIN(len, PIPE_BUF);
    }
    do {
        written = fd->kind == FD_SOCKET ? send(fd->number, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                                        : write(fd->number, bytes, len);
    } while (written < 0 && errno == EINTR);
    return written < 0 ? -errno : written;
}

int fd_raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 1024;
    if (limit.rlim_cur < limit.rlim_max) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            limit.rlim_cur = before;
    }
    return (int)MIN(limit.rlim_cur, (rlim_t)INT_MAX);
}
