#include "io/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

enum { BESIDE_MAX = 100 };

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        bytes += written;
        len -= (size_t)written;
    }
    return 0;
}

/* Where it is a link, what it leads to is replaced, and the link stays. */
static char *place_of(const char *path)
{
    char *real = realpath(path, NULL);

    return real ? real : xstrdup(path);
}

/* Whether what has the name is a process's that has ended, and is gone now. */
static bool sweep(const char *name)
{
    struct stat status;
    int fd = open(name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT;
    bool is_left = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && file_lock(fd) == 0;
    bool is_gone = is_left && (unlink(name) == 0 || errno == ENOENT);
    close(fd);
    return is_gone;
}

/* The descriptor, or a negative errno. The lock tells whoever sweeps that somebody is at it; between
 * the two calls it may be swept. */
static int make(const char *name, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, mode);

    if (fd < 0)
        return -errno;
    if (file_lock(fd) != -EAGAIN && file_is_at(fd, name))
        return fd;
    close(fd);
    return -EEXIST;
}

/* Under the first number that no other process has. */
static int make_beside(const char *path, mode_t mode, struct buf *ret_name)
{
    int fd = -EEXIST;

    for (int number = 1; fd == -EEXIST && number <= BESIDE_MAX; number++) {
        buf_setf(ret_name, "%s.weir-%d", path, number);
        fd = make(ret_name->data, mode);
        if (fd == -EEXIST && sweep(ret_name->data))
            fd = make(ret_name->data, mode);
    }
    return fd;
}

static int put(int fd, const char *bytes, size_t len)
{
    int result = write_all(fd, bytes, len);

    if (!result && fsync(fd) < 0 && errno != EINVAL)
        result = -errno;
    return result;
}

static int replace(const char *path, mode_t mode, const char *bytes, size_t len)
{
    struct stat old;
    struct buf name;
    bool is_there = stat(path, &old) == 0;

    if (is_there && access(path, W_OK) < 0)
        return -errno;
    buf_init(&name);
    int fd = make_beside(path, is_there ? old.st_mode & 0777 : mode, &name);
    int result = fd < 0 ? fd : 0;
    if (fd >= 0) {
        if (is_there)
            (void)!fchmod(fd, old.st_mode & 0777); /* whatever the umask is */
        result = put(fd, bytes, len);
        /* The lock ends with the descriptor, so the file has its own name by then. */
        if (!result && rename(name.data, path) < 0)
            result = -errno;
        if (result)
            unlink(name.data);
        close(fd);
    }
    buf_release(&name);
    return result;
}

bool replace_suits(const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0)
        return S_ISREG(status.st_mode);
    return errno == ENOENT && lstat(path, &status) < 0;
}

int replace_file(const char *path, mode_t mode, const char *bytes, size_t len)
{
    char *place = place_of(path);
    int result = replace(place, mode, bytes, len);

    free(place);
    return result;
}
