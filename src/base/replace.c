#include "base/replace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/buf.h"
#include "base/line_file.h"

/* Where it is a link, what it leads to is replaced, and the link stays. */
static char *place_of(const char *path)
{
    char *real = realpath(path, NULL);

    return real ? real : xstrdup(path);
}

static int put(int fd, const char *bytes, size_t len)
{
    int result = line_file_write(fd, bytes, len);

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
    int fd = beside_make(path, is_there ? old.st_mode & 0777 : mode, &name);
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
