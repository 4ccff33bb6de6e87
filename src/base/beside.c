#include "base/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

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
int beside_make(const char *path, mode_t mode, struct buf *ret_name)
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
