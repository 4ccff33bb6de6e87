#include <criterion/criterion.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deliver/writer.h"
#include "loops.h"
#include "scratch.h"

static char byte_at(size_t place)
{
    return (char)(place * 7 + place / 4096);
}

/* Puts in what has room, at most up to `end`; `*place` counts what was put in so far. */
static size_t put(struct writer *writer, size_t *place, size_t end)
{
    size_t room = 0;
    char *at = writer_reserve(writer, &room);
    size_t len = MIN(room, end - *place);

    for (size_t i = 0; i < len; i++)
        at[i] = byte_at((*place)++);
    writer_commit(writer, len);
    return len;
}

static void put_text(struct writer *writer, const char *text)
{
    size_t room = 0;
    char *at = writer_reserve(writer, &room);

    cr_assert_geq(room, strlen(text));
    for (; *text; text++) {
        *at++ = *text;
        writer_commit(writer, 1);
    }
}

/* Reads up to `max` bytes, which must be the next. */
static void drain(int fd, size_t max, size_t *seen)
{
    char bytes[4096];
    ssize_t got = recv(fd, bytes, MIN(max, sizeof bytes), MSG_DONTWAIT);

    if (got < 0 && errno == ENOTSOCK && poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0))
        got = read(fd, bytes, MIN(max, sizeof bytes));
    cr_assert_gt(got, 0);
    for (ssize_t i = 0; i < got; i++) {
        if (bytes[i] != byte_at((*seen)++))
            cr_assert_fail("another byte at %zu", *seen - 1);
    }
}

/* Sends `end` bytes to a reader slower than the writer; each turn of the loop must be one in which
 * the writer can go on. */
static void send_slowly(struct ev_loop *loop, struct writer *writer, int from, size_t end)
{
    size_t place = 0, seen = 0;

    while (seen < end) {
        put(writer, &place, end);
        cr_assert_eq(writer_flush(writer), 0);
        if (!writer_is_empty(writer))
            writer_watch(writer);
        for (int i = 0; i < 3 && seen < end; i++) {
            if (seen < place)
                drain(from, 3000, &seen);
            if (seen == place)
                break;
        }
        loops_look(loop);
    }
    cr_expect_eq(place, end);
    cr_expect(writer_is_empty(writer));
}

Test(writer, brings_every_byte_in_order_through_a_pipe_whose_reader_is_slow)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
    struct pipe ends;

    pipe_open(&ends);
    struct writer *writer = writer_new(loop, ends.in, 10000);
    send_slowly(loop, writer, ends.out, 500000);
    cr_expect(!is_nonblocking(ends.in));
    writer_free(writer);
    cr_expect(!is_nonblocking(ends.in));
    pipe_close(&ends);
    ev_loop_destroy(loop);
}

Test(writer, brings_every_byte_in_order_through_a_socket)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
    int ends[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct writer *writer = writer_new(loop, ends[0], 10000);
    send_slowly(loop, writer, ends[1], 500000);
    cr_expect(!is_nonblocking(ends[0]));
    writer_free(writer);
    close(ends[0]);
    close(ends[1]);
    ev_loop_destroy(loop);
}

/* Puts in until the reader and the buffer take no more. */
static size_t fill(struct writer *writer)
{
    size_t place = 0;

    while (put(writer, &place, SIZE_MAX) > 0)
        cr_assert_eq(writer_flush(writer), 0);
    return place;
}

Test(writer, has_no_room_when_the_reader_takes_nothing_and_all_of_it_afterwards)
{
    enum { CAPACITY = 5000 };
    struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
    struct pipe ends;
    size_t seen = 0;

    pipe_open(&ends);
    struct writer *writer = writer_new(loop, ends.in, CAPACITY);
    cr_expect_eq(writer_room(writer), CAPACITY);
    size_t put_in = fill(writer);
    cr_expect_eq(writer_room(writer), 0);
    cr_expect_eq(put_in, pipe_waiting(&ends) + CAPACITY);
    while (seen < put_in) {
        drain(ends.out, 4096, &seen);
        cr_assert_eq(writer_flush(writer), 0);
    }
    cr_expect(writer_is_empty(writer));
    cr_expect_eq(writer_room(writer), CAPACITY);
    writer_free(writer);
    pipe_close(&ends);
    ev_loop_destroy(loop);
}

Test(writer, wakes_the_loop_when_the_reader_has_made_room)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
    struct pipe ends;
    size_t seen = 0;

    pipe_open(&ends);
    struct writer *writer = writer_new(loop, ends.in, 5000);
    writer_watch(writer);
    cr_expect(!ev_run(loop, EVRUN_NOWAIT), "nothing to write, nothing to watch");
    fill(writer);
    size_t before = pipe_waiting(&ends);
    writer_watch(writer);
    loops_look(loop);
    cr_assert_eq(writer_flush(writer), 0);
    cr_expect_eq(pipe_waiting(&ends), before);
    while (pipe_waiting(&ends))
        drain(ends.out, 4096, &seen);
    writer_watch(writer);
    loops_turn(loop);
    cr_assert_eq(writer_flush(writer), 0);
    cr_expect_eq(pipe_waiting(&ends), 5000);
    cr_expect(writer_is_empty(writer));
    writer_free(writer);
    pipe_close(&ends);
    ev_loop_destroy(loop);
}

Test(writer, writes_in_one_go_what_a_shared_pipe_takes_little_by_little)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
    struct rlimit limit, none;
    size_t place = 0, seen = 0;
    struct pipe ends;

    pipe_open(&ends);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0); /* it cannot be opened again */
    struct writer *writer = writer_new(loop, ends.in, 20000);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    put(writer, &place, 20000);
    cr_expect_eq(writer_flush(writer), 0);
    cr_assert(writer_is_empty(writer));
    while (seen < place)
        drain(ends.out, 4096, &seen);
    cr_expect(!is_nonblocking(ends.in));
    writer_free(writer);
    pipe_close(&ends);
    ev_loop_destroy(loop);
}

Test(writer, appends_where_a_regular_file_stands)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_write_text(scratch, "file", "0123456789");
    struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
    int number = open(path, O_WRONLY | O_CLOEXEC);
    struct blob blob = {0};

    cr_assert_eq(lseek(number, 4, SEEK_SET), 4);
    struct writer *writer = writer_new(loop, number, 100);
    put_text(writer, "ab");
    cr_assert_eq(writer_flush(writer), 0);
    cr_expect_eq(lseek(number, 0, SEEK_CUR), 6, "whoever shares it goes on behind us");
    cr_assert_eq(write(number, "!", 1), 1);
    put_text(writer, "cd");
    cr_assert_eq(writer_flush(writer), 0);
    cr_expect(writer_is_empty(writer));
    writer_free(writer);
    close(number);
    cr_assert(scratch_read(scratch, "file", &blob));
    cr_expect_str_eq(blob_text(&blob), "0123ab!cd9");
    blob_release(&blob);
    ev_loop_destroy(loop);
    scratch_free(scratch);
}

Test(writer, opens_a_file_of_its_own_and_empties_it)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_write_text(scratch, "file", "0123456789");
    struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
    struct writer *writer = NULL;
    struct blob blob = {0};

    cr_assert_eq(writer_open(loop, path, 0, 100, &writer), 0);
    put_text(writer, "new");
    cr_assert_eq(writer_flush(writer), 0);
    writer_free(writer);
    cr_assert(scratch_read(scratch, "file", &blob));
    cr_expect_str_eq(blob_text(&blob), "new");
    writer = NULL;
    cr_expect_eq(writer_open(loop, scratch_path(scratch, "no/such"), 0, 100, &writer), -ENOENT);
    cr_expect_null(writer);
    writer_free(NULL);
    blob_release(&blob);
    ev_loop_destroy(loop);
    scratch_free(scratch);
}

Test(writer, keeps_what_it_could_not_write_when_the_reader_is_gone)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
    struct pipe ends;

    signal(SIGPIPE, SIG_IGN);
    pipe_open(&ends);
    struct writer *writer = writer_new(loop, ends.in, 100);
    pipe_close_out(&ends);
    cr_expect_eq(writer_flush(writer), 0, "nothing to write, nothing to fail");
    put_text(writer, "abc");
    cr_expect_eq(writer_flush(writer), -EPIPE);
    cr_expect(!writer_is_empty(writer));
    cr_expect_eq(writer_flush(writer), -EPIPE);
    writer_clear(writer);
    cr_expect(writer_is_empty(writer));
    cr_expect_eq(writer_flush(writer), 0);
    cr_expect_eq(writer_room(writer), 100);
    writer_free(writer);
    pipe_close(&ends);
    ev_loop_destroy(loop);
}

Test(writer, ends_by_no_signal_when_a_socket_is_closed)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
    int ends[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    struct writer *writer = writer_new(loop, ends[0], 100);
    close(ends[1]);
    put_text(writer, "abc");
    cr_expect_eq(writer_flush(writer), -EPIPE);
    writer_free(writer);
    close(ends[0]);
    ev_loop_destroy(loop);
}

Test(writer, says_that_a_device_is_full)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_NOENV);
    struct writer *writer = NULL;

    cr_assert_eq(writer_open(loop, "/dev/full", 0, 100, &writer), 0);
    put_text(writer, "abc");
    cr_expect_eq(writer_flush(writer), -ENOSPC);
    writer_free(writer);
    ev_loop_destroy(loop);
}
