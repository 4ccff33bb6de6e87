#include "io/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- opened by one at a time ---- */

static int lock(int fd, const char *path, struct buf *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_SETLK, &whole) == 0)
        return 0;
    if (errno != EACCES && errno != EAGAIN) {
        int result = -errno;
        buf_setf(err, "cannot lock the journal %s: %s", path, strerror(errno));
        return result;
    }
    struct flock holder = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK)
        buf_setf(err, "--journal: %s is in use by process %d", path, (int)holder.l_pid);
    else
        buf_setf(err, "--journal: %s is in use", path);
    return -EINVAL;
}

/* Who was waiting while it was rewritten has the old file, which nobody will read. */
static bool is_still_there(int fd, const char *path)
{
    struct stat ours, theirs;

    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

static int check_kind(int fd, const char *path, struct buf *err)
{
    struct stat status;

    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return 0;
    buf_setf(err, "--journal: %s is no regular file", path);
    return -EINVAL;
}

int journal_file_open(const char *path, bool make, int *ret_fd, struct buf *err)
{
    int result;

    for (;;) {
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | (make ? O_CREAT : 0), 0666);
        if (fd < 0) {
            result = -errno;
            buf_setf(err, "cannot use the journal %s: %s", path, strerror(errno));
            return result;
        }
        result = check_kind(fd, path, err);
        if (!result)
            result = lock(fd, path, err);
        if (!result && is_still_there(fd, path)) {
            *ret_fd = fd;
            return 0;
        }
        close(fd);
        if (result)
            return result;
    }
}

/* ---- read ---- */

int journal_file_map(int fd, struct journal_text *ret_text)
{
    struct stat status;

    *ret_text = (struct journal_text){.bytes = ""};
    if (fstat(fd, &status) < 0)
        return -errno;
    if (status.st_size == 0)
        return 0;
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    (void)madvise(bytes, (size_t)status.st_size, MADV_SEQUENTIAL);
    *ret_text = (struct journal_text){.bytes = bytes, .len = (size_t)status.st_size};
    return 0;
}

void journal_file_unmap(struct journal_text *text)
{
    if (text->len)
        munmap((void *)(uintptr_t)text->bytes, text->len);
    *text = (struct journal_text){.bytes = ""};
}

/* By how they begin, which is enough for a number that need not be exact. */
static bool is_like_result(const char *at, const char *end)
{
    return end - at > 2 && (at[0] == 'd' || (at[0] == 'r' && at[1] == 'e'));
}

size_t journal_text_results(const struct journal_text *text)
{
    const char *at = text->bytes, *end = text->bytes + text->len;
    size_t results = 0;

    while (at) {
        results += is_like_result(at, end);
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    return results;
}

/* The next whole line behind `from`; false where there is none. */
static bool next_line(const struct journal_text *text, size_t from, struct journal_line *ret_line,
                      size_t *ret_end)
{
    const char *start = text->bytes + from;
    const char *end = from < text->len ? memchr(start, '\n', text->len - from) : NULL;

    if (!end)
        return false;
    *ret_end = (size_t)(end - text->bytes) + 1;
    return journal_line_read(start, (size_t)(end - start), ret_line);
}

/* What a run that was killed as it began may have left. */
static bool is_torn_head(const struct journal_text *text)
{
    struct buf head;
    struct journal_line line = {.kind = JOURNAL_HEAD, .version = JOURNAL_VERSION};

    buf_init(&head);
    journal_line_add(&line, &head);
    bool is_torn = text->len < head.len && memcmp(text->bytes, head.data, text->len) == 0;
    buf_release(&head);
    return is_torn;
}

int journal_text_check(const struct journal_text *text, const char *path, struct buf *err)
{
    struct journal_line line;
    size_t end;

    if (next_line(text, 0, &line, &end) && line.kind == JOURNAL_HEAD) {
        if (line.version == JOURNAL_VERSION)
            return 0;
        buf_setf(err, "--journal: %s is of version %u, and this program writes %d", path,
                 line.version, JOURNAL_VERSION);
        return -EINVAL;
    }
    if (is_torn_head(text))
        return 0;
    buf_setf(err, "--journal: %s is no journal of weir", path);
    return -EINVAL;
}

size_t journal_text_walk(const struct journal_text *text, journal_visitor *visit, void *userdata)
{
    struct journal_line line;
    size_t at = 0, end;

    while (next_line(text, at, &line, &end) && visit(userdata, &line))
        at = end;
    return at;
}

/* ---- written ---- */

int journal_file_write(int fd, const char *bytes, size_t len)
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
