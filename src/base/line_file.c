#include "base/line_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/file.h"

/* ---- opened by one at a time ---- */

static int lock(int fd, const char *path, const char *what, struct buf *err)
{
    int result = file_lock(fd);

    if (result == -EAGAIN) {
        file_say_locked(fd, what, path, err);
        return -EINVAL;
    }
    if (result)
        buf_setf(err, "cannot lock the %s %s: %s", what, path, strerror(-result));
    return result;
}

static int check_kind(int fd, const char *path, const char *what, struct buf *err)
{
    struct stat status;

    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return 0;
    buf_setf(err, "--%s: %s is no regular file", what, path);
    return -EINVAL;
}

int line_file_open(const char *path, const char *what, bool make, int *ret_fd, struct buf *err)
{
    int result;

    for (;;) {
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | (make ? O_CREAT : 0), 0666);
        if (fd < 0) {
            result = -errno;
            buf_setf(err, "cannot use the %s %s: %s", what, path, strerror(errno));
            return result;
        }
        result = check_kind(fd, path, what, err);
        if (!result)
            result = lock(fd, path, what, err);
        /* A file that was rewritten meanwhile is the old one, which nobody will read. */
        if (!result && file_is_at(fd, path)) {
            *ret_fd = fd;
            return 0;
        }
        close(fd);
        if (result)
            return result;
    }
}

/* ---- read ---- */

int line_file_map(int fd, struct line_file_text *ret_text)
{
    struct stat status;

    *ret_text = (struct line_file_text){.bytes = ""};
    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size == 0)
        return 0;
    size_t len = (size_t)status.st_size;
    if ((off_t)len != status.st_size) /* more than 32 bits can address */
        return -EFBIG;
    void *bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    (void)madvise(bytes, len, MADV_SEQUENTIAL);
    *ret_text = (struct line_file_text){.bytes = bytes, .len = len};
    return 0;
}

void line_file_unmap(struct line_file_text *text)
{
    if (text->len)
        munmap((void *)(uintptr_t)text->bytes, text->len);
    *text = (struct line_file_text){.bytes = ""};
}

bool line_file_line(const struct line_file_text *text, size_t from, size_t *ret_len)
{
    const char *start = text->bytes + from;
    const char *end = from < text->len ? memchr(start, '\n', text->len - from) : NULL;

    if (end)
        *ret_len = (size_t)(end - start);
    return end != NULL;
}

/* ---- written ---- */

int line_file_write(int fd, const char *bytes, size_t len)
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

int line_file_cut(int fd, uint64_t end)
{
    off_t at = (off_t)end;

    return ftruncate(fd, at) < 0 || lseek(fd, at, SEEK_SET) < 0 ? -errno : 0;
}

/* ---- put in another's place ---- */

int line_file_begin(struct line_file_new *new_file, const char *path)
{
    struct buf name;

    *new_file = (struct line_file_new){.path = realpath(path, NULL)};
    if (!new_file->path)
        return -errno;
    buf_init(&name);
    new_file->fd = beside_make(new_file->path, 0600, &name);
    int result = MIN(new_file->fd, 0);
    new_file->beside = buf_take(&name);
    if (result) {
        free(new_file->path);
        free(new_file->beside);
    }
    return result;
}

static int put_in_place(const struct line_file_new *new_file, int old_fd)
{
    struct stat status;

    if (fsync(new_file->fd) < 0 || fstat(old_fd, &status) < 0 ||
        fchmod(new_file->fd, status.st_mode & 07777) < 0 ||
        rename(new_file->beside, new_file->path) < 0)
        return -errno;
    return 0;
}

int line_file_end(struct line_file_new *new_file, int old_fd, int result)
{
    if (!result)
        result = put_in_place(new_file, old_fd);
    if (result)
        unlink(new_file->beside);
    close(new_file->fd);
    free(new_file->path);
    free(new_file->beside);
    return result;
}
