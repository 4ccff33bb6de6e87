#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/replace.h"
#include "scratch.h"

static struct scratch *scratch;

static void setup(void)
{
    scratch = scratch_new();
}

static void teardown(void)
{
    scratch_free(scratch);
}

TestSuite(replace, .init = setup, .fini = teardown);

static void expect_file(const char *name, const char *text)
{
    struct blob bytes = {0};

    cr_assert(scratch_read(scratch, name, &bytes));
    cr_expect_str_eq(blob_text(&bytes), text);
    blob_release(&bytes);
}

Test(replace, makes_a_file_with_the_mode_that_the_umask_leaves)
{
    struct stat status;

    umask(027);
    cr_assert_eq(replace_file(scratch_path(scratch, "page"), 0666, "bytes", 5), 0);
    expect_file("page", "bytes");
    cr_assert_eq(stat(scratch_path(scratch, "page"), &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0640);
    cr_expect_eq(scratch_count(scratch, ""), 1);
}

Test(replace, takes_the_place_of_what_is_there)
{
    const char *path = scratch_write_text(scratch, "page", "what was there before");

    cr_assert_eq(replace_file(path, 0666, "new", 3), 0);
    expect_file("page", "new");
    cr_expect_eq(scratch_count(scratch, ""), 1);
}

Test(replace, follows_a_link)
{
    struct stat status;

    scratch_mkdir(scratch, "there");
    scratch_write_text(scratch, "there/page", "old");
    cr_assert_eq(symlink("there/page", scratch_path(scratch, "link")), 0);
    cr_assert_eq(replace_file(scratch_path(scratch, "link"), 0666, "new", 3), 0);
    expect_file("there/page", "new");
    cr_assert_eq(lstat(scratch_path(scratch, "link"), &status), 0);
    cr_expect(S_ISLNK(status.st_mode));
}

Test(replace, leaves_the_old_file_where_there_is_no_room_for_the_new)
{
    const char *path = scratch_write_text(scratch, "page", "old");
    struct rlimit limit = {.rlim_cur = 100, .rlim_max = 100};
    static const char bytes[1000];

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(replace_file(path, 0666, bytes, sizeof bytes), -EFBIG);
    expect_file("page", "old");
    cr_expect_eq(scratch_count(scratch, ""), 1);
}

Test(replace, fails_where_there_is_no_directory)
{
    cr_expect_eq(replace_file(scratch_path(scratch, "none/page"), 0666, "x", 1), -ENOENT);
    cr_expect_eq(scratch_count(scratch, ""), 0);
}

Test(replace, spares_what_another_process_is_at)
{
    const char *beside = scratch_write_text(scratch, "page.weir-1", "in the making");
    int ready[2];
    char byte;

    cr_assert_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(beside, O_WRONLY | O_CLOEXEC);
        (void)!write(ready[1], fd >= 0 && file_lock(fd) == 0 ? "y" : "n", 1);
        pause();
        _exit(0);
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_assert_eq(byte, 'y');
    cr_expect_eq(replace_file(scratch_path(scratch, "page"), 0666, "new", 3), 0);
    expect_file("page", "new");
    expect_file("page.weir-1", "in the making");
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_expect_eq(replace_file(scratch_path(scratch, "page"), 0666, "newer", 5), 0);
    expect_file("page", "newer");
    cr_expect_eq(scratch_count(scratch, ""), 1);
}
