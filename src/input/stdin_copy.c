#include "input/stdin_copy.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/spool.h"

enum { PIECE_BYTES = 64 * 1024 };

static ssize_t read_piece(char *piece)
{
    struct pollfd readable = {.fd = STDIN_FILENO, .events = POLLIN};

    for (;;) {
        ssize_t len = read(STDIN_FILENO, piece, PIECE_BYTES);
        if (len >= 0)
            return len;
        if (errno == EAGAIN)
            poll(&readable, 1, -1);
        else if (errno != EINTR)
            return -errno;
    }
}

static int write_piece(int to, const char *piece, size_t len)
{
    while (len) {
        ssize_t done = write(to, piece, len);
        if (done < 0 && errno != EINTR)
            return -errno;
        piece += MAX(done, 0);
        len -= (size_t)MAX(done, 0);
    }
    return 0;
}

static int copy(int to, uint64_t max, uint64_t *ret_bytes, struct buf *err)
{
    char piece[PIECE_BYTES];
    uint64_t bytes = 0;
    ssize_t len;

    while ((len = read_piece(piece)) > 0) {
        bytes += (uint64_t)len;
        int result = bytes > max ? -EFBIG : write_piece(to, piece, (size_t)len);
        if (result == -EFBIG)
            buf_setf(err, "stdin has more than --spool-max");
        else if (result)
            buf_setf(err, "cannot spool stdin: %s", strerror(-result));
        if (result)
            return result;
    }
    if (len < 0)
        buf_setf(err, "cannot read stdin: %s", strerror((int)-len));
    *ret_bytes = bytes;
    return (int)len;
}

int stdin_copy(const char *directory, uint64_t max, uint64_t *ret_bytes, struct buf *err)
{
    int to = spool_open(directory, err);
    int result = to < 0 ? to : copy(to, max, ret_bytes, err);

    if (!result && dup2(to, STDIN_FILENO) < 0) {
        result = -errno;
        buf_setf(err, "cannot spool stdin: %s", strerror(errno));
    }
    if (to >= 0)
        close(to);
    return result;
}
