#include "io/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"

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

static char *name_beside(const char *path)
{
    const char *slash = strrchr(path, '/');
    unsigned long long mark = 0;
    struct buf name;

    (void)!getrandom(&mark, sizeof mark, GRND_NONBLOCK);
    buf_init(&name);
    buf_add(&name, path, slash ? (size_t)(slash - path) + 1 : 0);
    buf_addf(&name, ".weir-%lx-%llx", (long)getpid(), mark);
    return buf_take(&name);
}

static int make(const char *temporary, const char *path, const char *bytes, size_t len)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);

    if (fd < 0)
        return -errno;
    int result = write_all(fd, bytes, len);
    if (!result && fsync(fd) < 0 && errno != EINVAL)
        result = -errno;
    if (close(fd) < 0 && !result)
        result = -errno;
    if (!result && rename(temporary, path) < 0)
        result = -errno;
    if (result)
        unlink(temporary);
    return result;
}

int replace_file(const char *path, const char *bytes, size_t len)
{
    char *place = place_of(path), *temporary = name_beside(place);
    int result = make(temporary, place, bytes, len);

    free(temporary);
    free(place);
    return result;
}
