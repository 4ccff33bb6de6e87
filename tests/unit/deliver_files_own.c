#include "deliver/files_own.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

static struct scratch *scratch;

static void set_up(void)
{
    scratch = scratch_new();
}

static void tear_down(void)
{
    scratch_free(scratch);
}

TestSuite(files_own, .init = set_up, .fini = tear_down);

static struct digest digest_of(const char *text)
{
    struct hasher *hasher = hasher_new();

    hasher_add(hasher, text, strlen(text));
    struct digest digest = hasher_digest(hasher);
    hasher_free(hasher);
    return digest;
}

static int find(const char *name, const char *text)
{
    struct digest digest = digest_of(text);
    struct file_id id;

    return files_find_own(scratch_path(scratch, name), &digest, &id);
}

Test(files_own, is_the_one_with_the_same_bytes)
{
    scratch_write_text(scratch, "file", "body");
    scratch_write_text(scratch, "empty", "");
    cr_expect_eq(find("file", "body"), 0);
    cr_expect_eq(find("empty", ""), 0);
    cr_expect_eq(find("file", "bode"), -ESTALE);
    cr_expect_eq(find("file", "bod"), -ESTALE);
    cr_expect_eq(find("file", "body and more"), -ESTALE);
    cr_expect_eq(find("none", "body"), -ESTALE);
}

/* Not even through a link; and nothing waits for a FIFO's other end. */
Test(files_own, is_a_regular_file)
{
    scratch_write_text(scratch, "file", "body");
    scratch_mkdir(scratch, "directory");
    cr_assert_eq(symlink("file", scratch_path(scratch, "link")), 0);
    cr_assert_eq(mkfifo(scratch_path(scratch, "fifo"), 0600), 0);
    cr_expect_eq(find("link", "body"), -ESTALE);
    cr_expect_eq(find("directory", ""), -ESTALE);
    cr_expect_eq(find("fifo", ""), -ESTALE);
    cr_expect_eq(find("file/below", "body"), -ESTALE);
}

/* What stands there by then may be another file with the same bytes. */
Test(files_own, is_removed_only_while_it_is_that_file)
{
    struct digest digest = digest_of("body");
    const char *path = scratch_write_text(scratch, "file", "body");
    struct file_id id;

    cr_assert_eq(files_find_own(path, &digest, &id), 0);
    cr_assert_eq(rename(path, scratch_path(scratch, "away")), 0);
    scratch_write_text(scratch, "file", "body");
    files_remove_own(path, &id);
    cr_expect(scratch_exists(scratch, "file"));
    files_remove_own(scratch_path(scratch, "away"), &id);
    cr_expect_not(scratch_exists(scratch, "away"));
    files_remove_own(scratch_path(scratch, "none"), &id);
}
