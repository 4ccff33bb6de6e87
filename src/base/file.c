#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

static int fail(const char *path, int error, struct buf *err)
{
    buf_setf(err, "cannot read %s: %s", path, strerror(error));
    return -error;
}

int file_read_whole(const char *path, size_t max, struct buf *out, struct buf *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    size_t before = out->len;
    ssize_t got;

    if (fd < 0)
        return fail(path, errno, err);
    do {
        got = read(fd, buf_reserve(out, READ_BYTES), READ_BYTES);
        if (got > 0)
            buf_extend(out, (size_t)got);
    } while ((got > 0 && out->len - before <= max) || (got < 0 && errno == EINTR));
    int error = got < 0 ? errno : out->len - before > max ? EFBIG : 0;
    if (!is_stdin)
        close(fd);
    return error ? fail(path, error, err) : 0;
}

int file_lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_SETLK, &whole) == 0)
        return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

void file_say_locked(int fd, const char *option, const char *path, struct buf *err)
{
    struct flock holder = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    buf_setf(err, "--%s: %s is in use", option, path);
    if (fcntl(fd, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK)
        buf_addf(err, " by process %d", (int)holder.l_pid);
}

bool file_is_at(int fd, const char *path)
{
    struct stat ours, theirs;

    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && file_is_same(&ours, &theirs);
}

/* For a kernel without openat2: a part after the other, through no link and never up. */
static int walk(int from, const char *name)
{
    char part[NAME_MAX + 1];
    int at = from, error = 0;

    do {
        size_t len = strcspn(name, "/");
        int flags = name[len] ? O_PATH | O_DIRECTORY : O_RDONLY | O_NONBLOCK;
        bool leads_out = len == 0 || len > NAME_MAX || (len == 2 && memcmp(name, "..", 2) == 0);
        memcpy(part, name, MIN(len, NAME_MAX));
        part[MIN(len, NAME_MAX)] = '\0';
        name += len + (name[len] == '/');
        int next = leads_out ? -1 : openat(at, part, flags | O_NOFOLLOW | O_CLOEXEC);
        error = next >= 0 ? 0 : leads_out || errno == ELOOP ? EXDEV : errno;
        if (at != from)
            close(at);
        at = next;
    } while (!error && *name);
    return error ? -error : at;
}

/* libc has no wrapper for openat2. */
int file_open_beneath(const char *dir, const char *name)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (at < 0)
        return -errno;
    long fd = syscall(SYS_openat2, at, name, &how, sizeof how);
    int result = fd >= 0 ? (int)fd : errno == ENOSYS ? walk(at, name) : -errno;
    close(at);
    return result;
}
