#include "base/spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of either kind: a block's number has to fit its 32 bits. */
enum { BLOCKS_MAX = INT32_MAX };

struct spool {
    char *directory;
    int fd; /* -1 until the first block */
    uint32_t max_blocks;
    uint32_t reserve_blocks;
    uint32_t used;
    uint32_t made;      /* blocks the file is long */
    uint32_t *released; /* a stack of blocks below `made` that are free */
    size_t n_released;
    size_t capacity;
};

struct spool *spool_new(const char *directory, uint64_t max_bytes)
{
    struct spool *spool = xcalloc(1, sizeof *spool);

    spool->directory = xstrdup(directory);
    spool->fd = -1;
    spool->max_blocks = (uint32_t)MIN(max_bytes / SPOOL_BLOCK_BYTES, BLOCKS_MAX);
    spool->reserve_blocks = spool->max_blocks;
    return spool;
}

void spool_set_reserve(struct spool *spool, uint64_t bytes)
{
    uint64_t blocks = bytes / SPOOL_BLOCK_BYTES + (bytes % SPOOL_BLOCK_BYTES != 0);

    spool->reserve_blocks = (uint32_t)MIN(blocks, BLOCKS_MAX);
}

void spool_free(struct spool *spool)
{
    if (!spool)
        return;
    if (spool->fd >= 0)
        close(spool->fd);
    free(spool->released);
    free(spool->directory);
    free(spool);
}

static int fail(const char *directory, int error, const char *what, struct buf *err)
{
    buf_setf(err, "%s the spool in %s: %s", what, directory, strerror(error));
    return -error;
}

/* For file systems without O_TMPFILE: a name that is taken away at once. */
static int open_by_name(const char *directory)
{
    struct buf name;

    buf_init(&name);
    buf_addf(&name, "%s/weir-XXXXXX", directory);
    int fd = mkostemp(name.data, O_CLOEXEC);
    int error = errno;
    if (fd >= 0)
        unlink(name.data);
    buf_release(&name);
    errno = error;
    return fd;
}

int spool_open(const char *directory, struct buf *err)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        fd = open_by_name(directory);
    return fd < 0 ? fail(directory, errno, "cannot make", err) : fd;
}

int spool_take(struct spool *spool, bool reserve, uint32_t *ret_block, struct buf *err)
{
    uint64_t limit = spool->max_blocks + (reserve ? (uint64_t)spool->reserve_blocks : 0);

    if (spool->used >= limit)
        return -ENOBUFS;
    if (spool->fd < 0) {
        int fd = spool_open(spool->directory, err);
        if (fd < 0)
            return fd;
        spool->fd = fd;
    }
    spool->used++;
    *ret_block = spool->n_released ? spool->released[--spool->n_released] : spool->made++;
    return 0;
}

/* An empty spool gives its disk space back, or one large body would hold it to the end of the
 * run. */
static void shrink(struct spool *spool)
{
    spool->n_released = 0;
    spool->made = 0;
    int ignored = ftruncate(spool->fd, 0);
    (void)ignored;
}

void spool_give(struct spool *spool, uint32_t block)
{
    assert(spool->used > 0 && block < spool->made);
    spool->released =
        xgrow(spool->released, spool->n_released, &spool->capacity, sizeof *spool->released);
    spool->released[spool->n_released++] = block;
    if (--spool->used == 0)
        shrink(spool);
}

static off_t place_of(uint32_t block, size_t at)
{
    return (off_t)block * SPOOL_BLOCK_BYTES + (off_t)at;
}

int spool_write(struct spool *spool, uint32_t block, size_t at, const void *bytes, size_t len,
                struct buf *err)
{
    const char *from = bytes;

    assert(at + len <= SPOOL_BLOCK_BYTES);
    while (len) {
        ssize_t written = pwrite(spool->fd, from, len, place_of(block, at));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail(spool->directory, written < 0 ? errno : EIO, "cannot write", err);
        from += written;
        at += (size_t)written;
        len -= (size_t)written;
    }
    return 0;
}

int spool_read(const struct spool *spool, uint32_t block, size_t at, void *bytes, size_t len,
               struct buf *err)
{
    char *to = bytes;

    assert(at + len <= SPOOL_BLOCK_BYTES);
    while (len) {
        ssize_t got = pread(spool->fd, to, len, place_of(block, at));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail(spool->directory, got < 0 ? errno : EIO, "cannot read", err);
        to += got;
        at += (size_t)got;
        len -= (size_t)got;
    }
    return 0;
}

uint64_t spool_used_bytes(const struct spool *spool)
{
    return (uint64_t)spool->used * SPOOL_BLOCK_BYTES;
}

bool spool_is_tiny(const struct spool *spool)
{
    return spool->max_blocks < 2;
}

bool spool_is_roomy(const struct spool *spool)
{
    return spool->used <= spool->max_blocks / 2;
}
