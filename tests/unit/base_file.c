#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "scratch.h"

static int read_whole(const char *path, size_t max, struct buf *out, struct buf *err)
{
    buf_init(out);
    buf_init(err);
    buf_add_text(out, "before:");
    return file_read_whole(path, max, out, err);
}

static void expect_refusal(const char *path, size_t max, int error, const char *words)
{
    struct buf out, err, expected;

    buf_init(&expected);
    buf_addf(&expected, "cannot read %s: %s", path, words);
    cr_expect_eq(read_whole(path, max, &out, &err), error, "%s", path);
    cr_expect_str_eq(err.data, expected.data, "%s", err.data);
    buf_release(&out);
    buf_release(&err);
    buf_release(&expected);
}

Test(file, is_appended_byte_by_byte)
{
    static const size_t lens[] = {0, 1, 65535, 65536, 65537, 300000};
    struct scratch *scratch = scratch_new();
    char *bytes = malloc(300000);

    cr_assert_not_null(bytes);
    for (size_t i = 0; i < 300000; i++)
        bytes[i] = (char)(i * 31 >> 3);
    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        struct buf out, err;
        const char *path = scratch_write(scratch, "file", bytes, lens[i]);
        cr_assert_eq(read_whole(path, lens[i], &out, &err), 0, "%s", err.data);
        cr_expect_eq(out.len, lens[i] + 7);
        cr_expect_eq(memcmp(out.data, "before:", 7), 0);
        cr_expect_eq(memcmp(out.data + 7, bytes, lens[i]), 0, "%zu bytes", lens[i]);
        buf_release(&out);
        buf_release(&err);
    }
    free(bytes);
    scratch_free(scratch);
}

Test(file, that_cannot_be_read_is_told_by_name)
{
    struct scratch *scratch = scratch_new();

    expect_refusal(scratch_path(scratch, "missing"), 10, -ENOENT, "No such file or directory");
    expect_refusal(scratch_dir(scratch), 10, -EISDIR, "Is a directory");
    expect_refusal("", 10, -ENOENT, "No such file or directory");
    scratch_free(scratch);
}

Test(file, over_the_bound_is_refused)
{
    struct scratch *scratch = scratch_new();
    const char *path = scratch_write_text(scratch, "file", "0123456789");

    expect_refusal(path, 9, -EFBIG, "File too large");
    expect_refusal(path, 0, -EFBIG, "File too large");
    /* It has no end. */
    expect_refusal("/dev/zero", 1 << 20, -EFBIG, "File too large");
    scratch_free(scratch);
}

/* Under valgrind there is none, for one. */
static bool has_openat2(void)
{
    return syscall(SYS_openat2, -1, NULL, NULL, 0) < 0 && errno != ENOSYS;
}

static bool opens(const char *dir, const char *name)
{
    int fd = file_open_beneath(dir, name);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

Test(file, is_opened_only_beneath_its_directory)
{
    static const char *const plain[] = {"file", "sub/deep/file"};
    static const char *const within[] = {"sub/../file", "inner", "sub/up", "way/file"};
    static const char *const without[] = {
        "../secret",  "outer", "absolute", "/etc/passwd", "sub/../../secret",
        "out/secret", "",      "/",        ".."};
    struct scratch *scratch = scratch_new();
    const char *dir = scratch_mkdir(scratch, "dir");

    scratch_write_text(scratch, "secret", "");
    scratch_write_text(scratch, "dir/file", "");
    scratch_mkdir(scratch, "dir/sub");
    scratch_mkdir(scratch, "dir/sub/deep");
    scratch_write_text(scratch, "dir/sub/deep/file", "");
    cr_assert_eq(symlink("file", scratch_path(scratch, "dir/inner")), 0);
    cr_assert_eq(symlink("../file", scratch_path(scratch, "dir/sub/up")), 0);
    cr_assert_eq(symlink("sub/deep", scratch_path(scratch, "dir/way")), 0);
    cr_assert_eq(symlink("../secret", scratch_path(scratch, "dir/outer")), 0);
    cr_assert_eq(symlink("/etc/passwd", scratch_path(scratch, "dir/absolute")), 0);
    cr_assert_eq(symlink("..", scratch_path(scratch, "dir/out")), 0);
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        cr_expect(opens(dir, plain[i]), "%s", plain[i]);
    for (size_t i = 0; i < ARRAY_LEN(within); i++)
        cr_expect_eq(opens(dir, within[i]), has_openat2(), "%s", within[i]);
    for (size_t i = 0; i < ARRAY_LEN(without); i++)
        cr_expect_not(opens(dir, without[i]), "%s", without[i]);
    cr_expect_eq(file_open_beneath(dir, "../secret"), -EXDEV);
    cr_expect_eq(file_open_beneath(dir, "missing"), -ENOENT);
    cr_expect_eq(file_open_beneath(dir, "sub/missing/x"), -ENOENT);
    cr_expect_eq(file_open_beneath(dir, "file/x"), -ENOTDIR);
    cr_expect_eq(file_open_beneath(scratch_path(scratch, "secret"), "x"), -ENOTDIR);
    scratch_free(scratch);
}
