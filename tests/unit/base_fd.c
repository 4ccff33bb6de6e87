#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "loops.h"
#include "scratch.h"

Test(fd, reads_a_pipe_without_waiting_and_leaves_its_flags_alone)
{
    struct pipe ends;
    struct fd fd;
    char got[16];

    pipe_open(&ends);
    fd_adopt(&fd, ends.out, FD_READ);
    cr_expect_eq(fd.kind, FD_STREAM);
    cr_expect(fd.owned && fd.number != ends.out);
    cr_expect(fd_needs_watching(&fd));
    cr_expect_eq(fd_read(&fd, got, sizeof got), -EAGAIN);
    pipe_put(&ends, "abc");
    cr_expect_eq(fd_read(&fd, got, sizeof got), 3);
    cr_expect_arr_eq(got, "abc", 3);
    cr_expect_eq(fd_read(&fd, got, sizeof got), -EAGAIN);
    pipe_close_in(&ends);
    cr_expect_eq(fd_read(&fd, got, sizeof got), 0);
    fd_release(&fd);
    cr_expect_eq(fd.number, -1);
    cr_expect(!is_nonblocking(ends.out));
    pipe_close(&ends);
}

/* Writes until no more goes: how much did. */
static size_t fill(const struct fd *fd)
{
    static const char bytes[8192];
    size_t filled = 0;
    ssize_t written;

    while ((written = fd_write(fd, bytes, sizeof bytes)) > 0)
        filled += (size_t)written;
    cr_assert_eq(written, -EAGAIN, "%zd", written);
    return filled;
}

Test(fd, writes_a_pipe_until_it_is_full_and_leaves_its_flags_alone)
{
    struct pipe ends;
    struct fd fd;

    pipe_open(&ends);
    fd_adopt(&fd, ends.in, FD_WRITE);
    cr_expect_eq(fd.kind, FD_STREAM);
    size_t filled = fill(&fd);
    cr_expect_eq(filled, pipe_waiting(&ends));
    cr_expect(!is_nonblocking(ends.in));
    fd_release(&fd);
    cr_expect(!is_nonblocking(ends.in));
    pipe_put(&ends, "");
    pipe_close(&ends);
}

Test(fd, leaves_a_descriptor_open_that_is_not_its_own)
{
    struct pipe ends;
    struct fd fd;

    pipe_open(&ends);
    fd_adopt(&fd, ends.in, FD_WRITE);
    fd_release(&fd);
    fd_release(&fd);
    pipe_put(&ends, "still open");
    cr_expect_eq(pipe_waiting(&ends), 10);
    pipe_close(&ends);
}

Test(fd, asks_a_socket_call_by_call)
{
    int ends[2];
    struct fd fd;
    char got[16];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    fd_adopt(&fd, ends[0], FD_READ);
    cr_expect_eq(fd.kind, FD_SOCKET);
    cr_expect(fd_needs_watching(&fd));
    cr_expect(!fd.owned);
    cr_expect_eq(fd_read(&fd, got, sizeof got), -EAGAIN);
    cr_expect_gt(fill(&fd), 0);
    cr_assert_eq(write(ends[1], "abc", 3), 3);
    cr_expect_eq(fd_read(&fd, got, sizeof got), 3);
    cr_expect(!is_nonblocking(ends[0]));
    close(ends[1]);
    cr_expect_lt(fd_write(&fd, "x", 1), 0, "and no SIGPIPE");
    fd_release(&fd);
    close(ends[0]);
}

Test(fd, says_that_a_pipe_lost_its_reader)
{
    struct pipe ends;
    struct fd fd;

    signal(SIGPIPE, SIG_IGN);
    pipe_open(&ends);
    fd_adopt(&fd, ends.in, FD_WRITE);
    pipe_close_out(&ends);
    cr_expect_eq(fd_write(&fd, "x", 1), -EPIPE);
    fd_release(&fd);
    pipe_close(&ends);
}

Test(fd, uses_a_regular_file_where_it_stands)
{
    struct scratch *scratch = scratch_new();
    int number = open(scratch_write_text(scratch, "file", "0123456789"), O_RDWR | O_CLOEXEC);
    struct fd fd;
    char got[16] = "";

    cr_assert_eq(lseek(number, 4, SEEK_SET), 4);
    fd_adopt(&fd, number, FD_READ);
    cr_expect_eq(fd.kind, FD_FILE);
    cr_expect(!fd_needs_watching(&fd));
    cr_expect_eq(fd_read(&fd, got, 3), 3);
    cr_expect_str_eq(got, "456");
    cr_expect_eq(lseek(number, 0, SEEK_CUR), 7);
    fd_release(&fd);
    close(number);
    scratch_free(scratch);
}

/* No descriptor is left to open it again with. */
static void adopt_shared(struct fd *fd, int number, enum fd_use use)
{
    struct rlimit limit, none;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    fd_adopt(fd, number, use);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_assert_eq(fd->kind, FD_SHARED);
    cr_expect_eq(fd->number, number);
    cr_expect(!fd->owned);
    cr_expect(fd_needs_watching(fd));
}

Test(fd, asks_before_each_call_where_it_could_not_open_again)
{
    static const char bytes[3 * PIPE_BUF];
    struct pipe ends;
    struct fd in, out;
    char got[16];

    pipe_open(&ends);
    adopt_shared(&out, ends.out, FD_READ);
    adopt_shared(&in, ends.in, FD_WRITE);
    cr_expect_eq(fd_read(&out, got, sizeof got), -EAGAIN);
    cr_expect_eq(fd_write(&in, bytes, sizeof bytes), PIPE_BUF, "little at a time");
    cr_expect_eq(fd_read(&out, got, sizeof got), (ssize_t)sizeof got);
    cr_expect_gt(fill(&in), 0);
    cr_expect(!is_nonblocking(ends.in) && !is_nonblocking(ends.out));
    pipe_close_in(&ends);
    while (pipe_waiting(&ends))
        cr_assert_gt(fd_read(&out, got, sizeof got), 0);
    cr_expect_eq(fd_read(&out, got, sizeof got), 0);
    fd_release(&in);
    fd_release(&out);
    pipe_close(&ends);
}

Test(fd, makes_and_empties_the_file_it_writes)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_write_text(scratch, "old", "something long");
    struct blob blob = {0};
    struct fd fd;

    cr_assert_eq(fd_open(&fd, path, FD_WRITE), 0);
    cr_expect(fd.owned && fd.kind == FD_FILE);
    cr_expect_eq(fd_write(&fd, "new", 3), 3);
    fd_release(&fd);
    cr_assert_eq(fd_open(&fd, scratch_path(scratch, "fresh"), FD_WRITE), 0);
    fd_release(&fd);
    cr_expect(scratch_exists(scratch, "fresh"));
    cr_assert(scratch_read(scratch, "old", &blob));
    cr_expect_str_eq(blob_text(&blob), "new");
    blob_release(&blob);
    scratch_free(scratch);
}

Test(fd, says_why_a_file_cannot_be_opened_and_leaves_the_result_alone)
{
    struct scratch *scratch = scratch_new();
    struct fd fd = {.number = 77};

    cr_expect_eq(fd_open(&fd, scratch_path(scratch, "none"), FD_READ), -ENOENT);
    cr_expect_eq(fd_open(&fd, scratch_path(scratch, "no/dir"), FD_WRITE), -ENOENT);
    cr_expect_eq(fd_open(&fd, scratch_dir(scratch), FD_READ), -EISDIR);
    cr_expect_eq(fd_open(&fd, scratch_dir(scratch), FD_WRITE), -EISDIR);
    cr_expect_eq(fd.number, 77);
    scratch_free(scratch);
}

Test(fd, opens_a_fifo_that_nobody_writes_without_waiting)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_path(scratch, "fifo");
    struct fd fd;
    char got[8];

    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(fd_open(&fd, path, FD_READ), 0);
    cr_expect_eq(fd.kind, FD_STREAM);
    int in = open(path, O_WRONLY | O_CLOEXEC);
    cr_expect_eq(fd_read(&fd, got, sizeof got), -EAGAIN);
    cr_assert_eq(write(in, "ab", 2), 2);
    cr_expect_eq(fd_read(&fd, got, sizeof got), 2);
    close(in);
    fd_release(&fd);
    scratch_free(scratch);
}

Test(fd, reads_nothing_from_what_is_not_open)
{
    struct fd fd;
    char got[8];

    fd_adopt(&fd, 1000, FD_READ);
    cr_expect_eq(fd_read(&fd, got, sizeof got), -EBADF);
    fd_release(&fd);
}

Test(fd, takes_the_null_device_for_a_file)
{
    struct fd fd;
    char got[8];

    cr_assert_eq(fd_open(&fd, "/dev/null", FD_WRITE), 0);
    cr_expect(!fd_needs_watching(&fd));
    cr_expect_eq(fd_write(&fd, "abc", 3), 3);
    fd_release(&fd);
    cr_assert_eq(fd_open(&fd, "/dev/null", FD_READ), 0);
    cr_expect_eq(fd_read(&fd, got, sizeof got), 0);
    fd_release(&fd);
}

Test(fd, raises_the_limit_of_descriptors_as_far_as_it_goes)
{
    struct rlimit limit;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 64;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(fd_raise_limit(), (int)MIN(limit.rlim_max, INT_MAX));
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(limit.rlim_cur, limit.rlim_max);
    cr_expect_eq(fd_raise_limit(), (int)MIN(limit.rlim_max, INT_MAX));
}
