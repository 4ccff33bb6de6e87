#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "deliver/files.h"
#include "deliver/files_spares.h"
#include "scratch.h"

static struct scratch *scratch;
static struct files *files;
static struct buf err, path;

static void set_up(void)
{
    scratch = scratch_new();
    buf_init(&err);
    buf_init(&path);
}

static void tear_down(void)
{
    files_free(files);
    buf_release(&err);
    buf_release(&path);
    scratch_free(scratch);
}

TestSuite(files, .init = set_up, .fini = tear_down);

/* Into `out` in the scratch. */
static void open_with(enum conflict conflict, bool sync)
{
    struct files_rules rules = {
        .output_dir = scratch_path(scratch, "out"), .conflict = conflict, .sync = sync};

    cr_assert_eq(files_new(&rules, &files, &err), 0, "%s", err.data);
}

static struct file *begin_trusted(const char *name, size_t trusted_len)
{
    struct file *file = NULL;

    cr_assert_eq(files_begin(files, name, trusted_len, &file, &err), 0, "%s", err.data);
    return file;
}

static struct file *begin(const char *name)
{
    return begin_trusted(name, 0);
}

static void put(struct file *file, const char *text)
{
    cr_assert_eq(file_write(file, text, strlen(text), &err), 0, "%s", err.data);
}

static int commit(struct file *file)
{
    int result = file_commit(file, &path, &err);

    file_free(file);
    return result;
}

/* One file from beginning to end; its path is in `path`. */
static int save(const char *name, const char *text)
{
    struct file *file = begin(name);

    put(file, text);
    return commit(file);
}

static void expect_content(const char *name, const char *text)
{
    struct blob content = {0};

    cr_expect(scratch_read(scratch, name, &content), "no %s", name);
    cr_expect_str_eq(blob_text(&content), text, "%s holds: %s", name, blob_text(&content));
    blob_release(&content);
}

static void expect_path(const char *expected)
{
    cr_expect_str_eq(path.data, expected, "%s, not %s", path.data, expected);
}

static void make_link(const char *to, const char *name)
{
    cr_assert_eq(symlink(to, scratch_path(scratch, name)), 0);
}

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    cr_assert(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* From here on the system call fails with `error`; renameat2 only where it has flags. */
static void forbid(long call, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_renameat2, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[4])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};

    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* Root may do anything: whoever it is that tests, it is nobody from here on. */
static void become_nobody(void)
{
    if (geteuid() != 0)
        return;
    cr_assert_eq(chmod(scratch_dir(scratch), 0711), 0);
    cr_assert_eq(setegid(65534), 0);
    cr_assert_eq(seteuid(65534), 0);
}

static void become_myself(void)
{
    cr_assert_eq(seteuid(getuid()), 0);
    cr_assert_eq(setegid(getgid()), 0);
}

Test(files, gives_a_body_its_name_when_it_is_whole)
{
    open_with(CONFLICT_FAIL, false);
    struct file *file = begin("page.html");
    put(file, "half");
    cr_expect_not(scratch_exists(scratch, "out/page.html"));
    cr_expect_eq(scratch_count(scratch, "out"), 1);
    put(file, " and half");
    put(file, "");
    cr_expect_eq(commit(file), 0);
    expect_content("out/page.html", "half and half");
    expect_path(scratch_path(scratch, "out/page.html"));
    cr_expect_eq(scratch_count(scratch, "out"), 1);
}

Test(files, writes_an_empty_body_too)
{
    open_with(CONFLICT_FAIL, false);
    cr_expect_eq(save("empty", ""), 0);
    expect_content("out/empty", "");
}

Test(files, leaves_nothing_of_a_file_that_is_not_published)
{
    open_with(CONFLICT_FAIL, false);
    struct file *written = begin("d/a");
    struct file *finished = begin("b");
    put(written, "x");
    put(finished, "x");
    cr_expect_eq(file_finish(finished, &err), 0);
    file_free(written);
    file_free(finished);
    file_free(NULL);
    cr_expect_eq(scratch_count(scratch, "out/d"), 0);
    cr_expect_eq(scratch_count(scratch, "out"), 1);
}

Test(files, makes_the_directories_on_the_way)
{
    struct files_rules rules = {.output_dir = scratch_path(scratch, "o/p/q")};

    cr_assert_eq(files_new(&rules, &files, &err), 0, "%s", err.data);
    cr_expect_eq(save("a/b/c", "1"), 0);
    cr_expect_eq(save("a/b/d", "2"), 0);
    cr_expect_eq(save("a/e", "3"), 0);
    expect_content("o/p/q/a/b/c", "1");
    expect_content("o/p/q/a/b/d", "2");
    expect_content("o/p/q/a/e", "3");
}

Test(files, writes_into_the_working_directory_where_no_other_is_named)
{
    struct files_rules rules = {.output_dir = NULL};

    cr_assert_eq(chdir(scratch_dir(scratch)), 0);
    cr_assert_eq(files_new(&rules, &files, &err), 0);
    cr_expect_eq(save("a/b", "x"), 0);
    expect_path("a/b");
    expect_content("a/b", "x");
}

Test(files, tells_the_path_from_the_working_directory)
{
    static const struct {
        const char *output_dir;
        const char *expected;
    } cases[] = {{"one", "one/f"}, {"two/", "two/f"}, {".", "./f"}, {"a/../three", "a/../three/f"}};

    cr_assert_eq(chdir(scratch_mkdir(scratch, "work")), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct files_rules rules = {.output_dir = cases[i].output_dir};
        cr_assert_eq(files_new(&rules, &files, &err), 0, "%s", err.data);
        cr_expect_eq(save("f", "x"), 0);
        expect_path(cases[i].expected);
        cr_expect_eq(access(path.data, R_OK), 0);
        files_path(files, "f", &path);
        expect_path(cases[i].expected);
        files_free(files);
        files = NULL;
    }
}

Test(files, stays_where_it_began_though_the_program_moves)
{
    struct files_rules rules = {.output_dir = "out"};

    cr_assert_eq(chdir(scratch_dir(scratch)), 0);
    cr_assert_eq(files_new(&rules, &files, &err), 0);
    struct file *file = begin("a/f");
    cr_assert_eq(chdir("/"), 0);
    put(file, "x");
    cr_expect_eq(commit(file), 0);
    expect_content("out/a/f", "x");
}

Test(files, refuses_an_output_directory_that_is_none)
{
    struct files_rules rules = {.output_dir = scratch_write_text(scratch, "file", "x")};
    struct files_rules below = {.output_dir = scratch_path(scratch, "file/below")};
    struct files_rules empty = {.output_dir = ""};

    cr_expect_eq(files_new(&rules, &files, &err), -ENOTDIR);
    cr_expect(strstr(err.data, rules.output_dir));
    cr_expect_eq(files_new(&below, &files, &err), -ENOTDIR);
    cr_expect_eq(files_new(&empty, &files, &err), -ENOENT);
    cr_expect_null(files);
}

Test(files, replaces_nothing_unless_asked_to)
{
    open_with(CONFLICT_FAIL, false);
    scratch_write_text(scratch, "out/page", "old");
    cr_expect_eq(save("page", "new"), -EEXIST);
    cr_expect(strstr(err.data, scratch_path(scratch, "out/page")), "%s", err.data);
    expect_content("out/page", "old");
    cr_expect_eq(scratch_count(scratch, "out"), 1);
}

Test(files, takes_a_link_that_leads_nowhere_for_a_name_that_is_taken)
{
    open_with(CONFLICT_FAIL, false);
    make_link("../outside", "out/page");
    cr_expect_eq(save("page", "new"), -EEXIST);
    cr_expect_not(scratch_exists(scratch, "outside"));
}

Test(files, lets_only_the_first_of_two_have_a_name)
{
    open_with(CONFLICT_FAIL, false);
    struct file *first = begin("page");
    struct file *second = begin("page");
    put(first, "first");
    put(second, "second");
    cr_expect_eq(commit(second), 0);
    cr_expect_eq(commit(first), -EEXIST);
    expect_content("out/page", "second");
    cr_expect_eq(scratch_count(scratch, "out"), 1);
}

Test(files, numbers_names_that_are_taken)
{
    open_with(CONFLICT_NUMBER, false);
    cr_expect_eq(save("d/page.html", "0"), 0);
    expect_path(scratch_path(scratch, "out/d/page.html"));
    cr_expect_eq(save("d/page.html", "1"), 0);
    expect_path(scratch_path(scratch, "out/d/page.html.1"));
    cr_expect_eq(save("d/page.html", "2"), 0);
    expect_path(scratch_path(scratch, "out/d/page.html.2"));
    expect_content("out/d/page.html", "0");
    expect_content("out/d/page.html.1", "1");
    expect_content("out/d/page.html.2", "2");
}

Test(files, gives_out_numbers_in_turn)
{
    open_with(CONFLICT_NUMBER, false);
    for (int i = 0; i < 300; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, i ? "out/page.%d" : "out/page", i);
        cr_assert_eq(save("page", "x"), 0);
        cr_assert_str_eq(path.data, scratch_path(scratch, expected));
    }
    cr_expect_eq(scratch_count(scratch, "out"), 300);
}

Test(files, gives_a_name_that_ends_in_a_number_another)
{
    open_with(CONFLICT_NUMBER, false);
    cr_expect_eq(save("page.1", "other"), 0);
    cr_expect_eq(save("page", "0"), 0);
    cr_expect_eq(save("page", "1"), 0);
    expect_path(scratch_path(scratch, "out/page.2"));
    expect_content("out/page.1", "other");
}

Test(files, makes_room_for_the_number_in_a_name_of_full_length)
{
    char name[NAME_MAX + 1];

    open_with(CONFLICT_NUMBER, false);
    for (size_t i = 0; i + 3 <= NAME_MAX; i += 3)
        memcpy(name + i, "\xE2\x82\xAC", 4);
    cr_expect_eq(save(name, "0"), 0);
    cr_expect_eq(save(name, "1"), 0);
    const char *base = strrchr(path.data, '/') + 1;
    cr_expect_eq(strlen(base), 252 + 2);
    cr_expect(text_is_utf8(base, strlen(base)));
    cr_expect_eq(strcmp(base + 252, ".1"), 0);
    cr_expect_eq(scratch_count(scratch, "out"), 2);
}

Test(files, runs_out_of_numbers_in_the_end)
{
    open_with(CONFLICT_NUMBER, false);
    scratch_write_text(scratch, "out/page", "");
    for (int number = 1; number < FILES_NUMBER_MAX; number *= 2) {
        char name[32];
        snprintf(name, sizeof name, "out/page.%d", number);
        scratch_write_text(scratch, name, "");
    }
    cr_expect_eq(save("page", "x"), 0);
    expect_path(scratch_path(scratch, "out/page.524289"));
    scratch_write_text(scratch, "out/page.999999", "");
    cr_expect_eq(save("page", "x"), -EEXIST);
}

Test(files, replaces_what_was_there_before_the_run)
{
    open_with(CONFLICT_REPLACE, false);
    scratch_write_text(scratch, "out/page", "old");
    make_link("page", "out/link");
    cr_expect_eq(save("page", "new"), 0);
    cr_expect_eq(save("link", "linked"), 0);
    cr_expect_eq(save("fresh", "fresh"), 0);
    expect_content("out/page", "new");
    expect_content("out/link", "linked");
    expect_content("out/fresh", "fresh");
    cr_expect_eq(scratch_count(scratch, "out"), 3);
}

Test(files, replaces_even_what_was_made_a_moment_before)
{
    for (int i = 0; i < 30; i++) {
        open_with(CONFLICT_REPLACE, false);
        scratch_write_text(scratch, "out/page", "old");
        cr_assert_eq(save("page", "new"), 0, "%s", err.data);
        expect_content("out/page", "new");
        files_free(files);
        files = NULL;
    }
}

Test(files, never_replaces_another_result_of_the_run)
{
    open_with(CONFLICT_REPLACE, false);
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "page%d", i);
        if (i % 2)
            scratch_write_text(scratch, "out/old", "old");
        struct file *first = begin(name);
        put(first, "first");
        if (i % 3)
            file_set_time(first, 1000000000);
        cr_assert_eq(commit(first), 0, "%s", err.data);
        cr_assert_eq(save(name, "second"), -EEXIST);
    }
    cr_expect(strstr(err.data, "another result"), "%s", err.data);
    expect_content("out/page0", "first");
    expect_content("out/page1", "first");
    cr_expect_eq(scratch_count(scratch, "out"), 301);
}

Test(files, spares_what_somebody_else_changes_during_the_run)
{
    open_with(CONFLICT_REPLACE, false);
    scratch_write_text(scratch, "out/page", "old");
    struct file *file = begin("page");
    scratch_write_text(scratch, "out/page", "changed");
    cr_expect_eq(commit(file), -EEXIST);
    expect_content("out/page", "changed");
}

Test(files, replaces_only_files_and_links)
{
    open_with(CONFLICT_REPLACE, false);
    scratch_mkdir(scratch, "out/dir");
    cr_assert_eq(mkfifo(scratch_path(scratch, "out/fifo"), 0600), 0);
    cr_expect_eq(save("dir", "x"), -EISDIR);
    cr_expect_eq(save("fifo", "x"), -EEXIST);
    cr_expect_eq(scratch_count(scratch, "out"), 2);
}

Test(files, takes_no_name_that_leads_out)
{
    static const char *const names[] = {"..",        "../x",   "../../x", "a/../b", "a/..",
                                        "a/../../b", "/etc/x", "/x",      "",       ".",
                                        "a/",        "a//b",   "./a",     "a/.",    "/"};
    struct file *file = NULL;

    open_with(CONFLICT_FAIL, false);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        buf_clear(&err);
        cr_expect_eq(files_begin(files, names[i], 0, &file, &err), -EINVAL, "%s", names[i]);
        cr_expect(err.len > 0);
        cr_expect_null(file);
        cr_expect_not(files_exists(files, names[i], 0));
    }
    cr_expect_eq(scratch_count(scratch, ""), 1);
}

Test(files, follows_no_link_out_of_the_directory)
{
    struct file *file = NULL;

    open_with(CONFLICT_REPLACE, false);
    scratch_write_text(scratch, "outside/page", "theirs");
    make_link("../outside", "out/link");
    make_link(scratch_path(scratch, "outside"), "out/absolute");
    make_link("../nowhere", "out/dangling");
    scratch_mkdir(scratch, "out/d");
    make_link("../../outside", "out/d/link");
    cr_expect_eq(files_begin(files, "link/page", 0, &file, &err), -ENOTDIR);
    cr_expect(strstr(err.data, "symbolic link"), "%s", err.data);
    cr_expect_eq(files_begin(files, "absolute/x", 0, &file, &err), -ENOTDIR);
    cr_expect_eq(files_begin(files, "dangling/x", 0, &file, &err), -ENOTDIR);
    cr_expect_eq(files_begin(files, "d/link/x", 2, &file, &err), -ENOTDIR);
    cr_expect_eq(files_begin(files, "link/a/x", 0, &file, &err), -ENOTDIR);
    cr_expect_not(files_exists(files, "link/page", 0));
    expect_content("outside/page", "theirs");
    cr_expect_eq(scratch_count(scratch, "outside"), 1);
    cr_expect_not(scratch_exists(scratch, "nowhere"));
}

Test(files, follows_no_link_that_is_put_in_meanwhile)
{
    open_with(CONFLICT_FAIL, false);
    scratch_mkdir(scratch, "outside");
    struct file *file = begin("d/page");
    put(file, "x");
    cr_assert_eq(rename(scratch_path(scratch, "out/d"), scratch_path(scratch, "out/e")), 0);
    make_link("../outside", "out/d");
    cr_expect_eq(commit(file), -ENOTDIR);
    cr_expect_eq(scratch_count(scratch, "outside"), 0);
    cr_expect_not(scratch_exists(scratch, "out/e/page"));
}

Test(files, goes_where_the_users_own_words_lead)
{
    open_with(CONFLICT_FAIL, false);
    scratch_mkdir(scratch, "outside");
    make_link("../outside", "out/link");
    cr_expect_eq(commit(begin_trusted("link/a/page", 5)), 0);
    cr_expect(scratch_exists(scratch, "outside/a/page"));
    cr_expect_eq(commit(begin_trusted("../beside/b/page", 12)), 0);
    cr_expect(scratch_exists(scratch, "beside/b/page"));
    cr_expect_eq(commit(begin_trusted("x//y/./page", 8)), 0);
    cr_expect(scratch_exists(scratch, "out/x/y/page"));
}

Test(files, goes_to_the_root_where_the_users_own_words_say_so)
{
    struct buf name;

    open_with(CONFLICT_FAIL, false);
    buf_init(&name);
    buf_addf(&name, "%s/far/away/", scratch_dir(scratch));
    size_t trusted = name.len;
    buf_add_text(&name, "sub/page");
    cr_expect_eq(commit(begin_trusted(name.data, trusted)), 0);
    cr_expect(scratch_exists(scratch, "far/away/sub/page"));
    expect_path(name.data);
    cr_expect(files_exists(files, name.data, trusted));
    cr_expect_not(files_exists(files, name.data, 0));
    buf_release(&name);
}

Test(files, trusts_only_directories_that_are_all_the_users)
{
    struct file *file = NULL;

    open_with(CONFLICT_FAIL, false);
    scratch_mkdir(scratch, "outside");
    make_link("../outside", "out/link");
    cr_expect_eq(files_begin(files, "link/page", 4, &file, &err), -ENOTDIR);
    cr_expect_eq(files_begin(files, "../page", 2, &file, &err), -EINVAL);
    cr_expect_eq(commit(begin_trusted("link/page", 100)), 0);
    cr_expect(scratch_exists(scratch, "outside/page"));
}

Test(files, says_so_where_a_file_stands_in_the_way)
{
    struct file *file = NULL;

    open_with(CONFLICT_FAIL, false);
    cr_expect_eq(save("a", "x"), 0);
    cr_expect_eq(files_begin(files, "a/b", 0, &file, &err), -ENOTDIR);
    cr_expect_eq(files_begin(files, "a/b/c", 0, &file, &err), -ENOTDIR);
    cr_expect_eq(save("d/e", "x"), 0);
    cr_expect_eq(save("d", "x"), -EISDIR);
    expect_content("out/a", "x");
}

Test(files, takes_no_name_that_is_too_long)
{
    char name[PATH_MAX + 1];
    struct file *file = NULL;

    open_with(CONFLICT_FAIL, false);
    memset(name, 'x', sizeof name);
    name[NAME_MAX + 1] = '\0';
    cr_expect_eq(files_begin(files, name, 0, &file, &err), -ENAMETOOLONG);
    memcpy(name + NAME_MAX + 1, "/y", 3);
    cr_expect_eq(files_begin(files, name, 0, &file, &err), -ENAMETOOLONG);
    for (size_t i = 0; i < PATH_MAX; i++)
        name[i] = i % 2 ? '/' : 'a';
    name[PATH_MAX - 1] = '\0';
    cr_expect_eq(files_begin(files, name, 0, &file, &err), -ENAMETOOLONG);
    cr_expect_eq(scratch_count(scratch, "out"), 0);
}

Test(files, gives_the_rights_that_the_umask_leaves)
{
    struct stat status;

    open_with(CONFLICT_FAIL, false);
    umask(027);
    cr_expect_eq(save("d/page", "x"), 0);
    cr_assert_eq(stat(scratch_path(scratch, "out/d/page"), &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0640);
    cr_assert_eq(stat(scratch_path(scratch, "out/d"), &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0750);
    umask(0);
    cr_expect_eq(save("e/page", "x"), 0);
    cr_assert_eq(stat(scratch_path(scratch, "out/e/page"), &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0666);
}

Test(files, sets_the_time_it_is_told)
{
    struct stat status;

    open_with(CONFLICT_FAIL, false);
    struct file *file = begin("page");
    file_set_time(file, 784111777);
    put(file, "written after");
    cr_expect_eq(commit(file), 0);
    cr_assert_eq(stat(scratch_path(scratch, "out/page"), &status), 0);
    cr_expect_eq(status.st_mtim.tv_sec, 784111777);
    cr_expect_neq(status.st_atim.tv_sec, 784111777);
}

Test(files, says_what_stopped_a_write_and_leaves_nothing)
{
    static char block[40000];
    struct rlimit limit = {.rlim_cur = 100000, .rlim_max = RLIM_INFINITY};
    struct rlimit before;

    open_with(CONFLICT_FAIL, false);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit.rlim_max = before.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct file *file = begin("page");
    cr_expect_eq(file_write(file, block, sizeof block, &err), 0);
    cr_expect_eq(file_write(file, block, sizeof block, &err), 0);
    cr_expect_eq(file_write(file, block, sizeof block, &err), -EFBIG);
    cr_expect(strstr(err.data, scratch_path(scratch, "out/page")), "%s", err.data);
    file_free(file);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    cr_expect_eq(scratch_count(scratch, "out"), 0);
}

Test(files, says_that_the_disk_is_full_and_goes_on_when_it_is_not)
{
    static char block[40000];
    const char *out = scratch_mkdir(scratch, "out");

    if (unshare(CLONE_NEWNS) || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) ||
        mount("tmpfs", out, "tmpfs", 0, "size=64k")) {
        tear_down(); /* a test that is skipped ends here */
        cr_skip_test("may not mount");
    }
    open_with(CONFLICT_FAIL, false);
    struct file *file = begin("large");
    cr_expect_eq(file_write(file, block, sizeof block, &err), 0);
    cr_expect_eq(file_write(file, block, sizeof block, &err), -ENOSPC);
    cr_expect(strstr(err.data, strerror(ENOSPC)), "%s", err.data);
    file_free(file);
    cr_expect_eq(scratch_count(scratch, "out"), 0);
    cr_expect_eq(save("small", "x"), 0);
    expect_content("out/small", "x");
    files_free(files);
    files = NULL;
    cr_assert_eq(umount2(out, MNT_DETACH), 0);
}

Test(files, says_where_it_has_no_right)
{
    struct file *file = NULL;

    open_with(CONFLICT_FAIL, false);
    cr_assert_eq(chmod(scratch_mkdir(scratch, "out/shut"), 0555), 0);
    become_nobody();
    cr_expect_eq(files_begin(files, "shut/page", 0, &file, &err), -EACCES);
    cr_expect(strstr(err.data, strerror(EACCES)), "%s", err.data);
    cr_expect_eq(files_begin(files, "shut/a/page", 0, &file, &err), -EACCES);
    become_myself();
    cr_expect_eq(scratch_count(scratch, "out/shut"), 0);
}

Test(files, needs_no_right_to_read_a_directory)
{
    open_with(CONFLICT_FAIL, false);
    cr_assert_eq(chmod(scratch_mkdir(scratch, "out/blind"), 0333), 0);
    become_nobody();
    cr_expect_eq(save("blind/page", "x"), 0, "%s", err.data);
    become_myself();
    expect_content("out/blind/page", "x");
}

static void without_that_rename(int error)
{
    open_with(CONFLICT_NUMBER, false);
    forbid(__NR_renameat2, error);
    cr_assert_eq(syscall(__NR_renameat2, AT_FDCWD, "/a", AT_FDCWD, "/b", RENAME_NOREPLACE), -1);
    cr_assert_eq(errno, error);
    cr_expect_eq(save("d/page", "0"), 0, "%s", err.data);
    cr_expect_eq(save("d/page", "1"), 0, "%s", err.data);
    expect_content("out/d/page", "0");
    expect_content("out/d/page.1", "1");
    cr_expect_eq(scratch_count(scratch, "out/d"), 2);
}

Test(files, links_where_the_file_system_knows_no_such_rename)
{
    without_that_rename(EINVAL);
}

Test(files, links_where_the_kernel_knows_no_such_rename)
{
    without_that_rename(ENOSYS);
}

Test(files, replaces_where_there_is_no_such_rename)
{
    open_with(CONFLICT_REPLACE, false);
    scratch_write_text(scratch, "out/page", "old");
    forbid(__NR_renameat2, EINVAL);
    cr_expect_eq(save("page", "new"), 0, "%s", err.data);
    expect_content("out/page", "new");
    cr_expect_eq(save("page", "newer"), -EEXIST);
    cr_expect_eq(scratch_count(scratch, "out"), 1);
}

Test(files, asks_the_disk_only_where_it_is_to_last)
{
    open_with(CONFLICT_FAIL, true);
    struct files *lasting = files;
    struct file *finished = begin("finished");
    cr_expect_eq(file_finish(finished, &err), 0);
    open_with(CONFLICT_FAIL, false);
    forbid(__NR_fsync, EIO);
    cr_expect_eq(save("d/page", "x"), 0);
    files_free(files);
    files = lasting;
    struct file *file = begin("other");
    cr_expect_eq(commit(file), -EIO);
    cr_expect_not(scratch_exists(scratch, "out/other"));
    cr_expect_eq(files_begin(files, "new/page", 0, &file, &err), -EIO);
    cr_expect_eq(file_publish(finished, &err), -EIO);
    file_free(finished);
    cr_expect_not(scratch_exists(scratch, "out/finished"),
                  "who tries again would find it in the way");
    cr_expect_eq(scratch_count(scratch, "out"), 2);
}

Test(files, lasts_where_it_is_asked_to)
{
    open_with(CONFLICT_FAIL, true);
    cr_expect_eq(save("d/page", "x"), 0, "%s", err.data);
    expect_content("out/d/page", "x");
}

Test(files, tells_the_name_before_it_is_given)
{
    open_with(CONFLICT_NUMBER, false);
    scratch_write_text(scratch, "out/page", "old");
    struct file *file = begin("page");
    put(file, "new");
    cr_expect_eq(file_finish(file, &err), 0);
    cr_expect_eq(file_choose(file, &path, &err), 0);
    expect_path(scratch_path(scratch, "out/page.1"));
    cr_expect_not(scratch_exists(scratch, "out/page.1"));
    cr_expect_eq(file_publish(file, &err), 0);
    file_free(file);
    expect_content("out/page.1", "new");
}

Test(files, chooses_again_where_the_name_was_taken_meanwhile)
{
    open_with(CONFLICT_NUMBER, false);
    struct file *file = begin("page");
    cr_expect_eq(file_finish(file, &err), 0);
    cr_expect_eq(file_choose(file, &path, &err), 0);
    scratch_write_text(scratch, "out/page", "theirs");
    cr_expect_eq(file_publish(file, &err), -EEXIST);
    cr_expect_eq(file_choose(file, &path, &err), 0);
    expect_path(scratch_path(scratch, "out/page.1"));
    cr_expect_eq(file_publish(file, &err), 0);
    file_free(file);
    expect_content("out/page", "theirs");
}

Test(files, has_no_name_to_choose_where_none_may_be_taken)
{
    open_with(CONFLICT_FAIL, false);
    struct file *file = begin("page");
    cr_expect_eq(file_finish(file, &err), 0);
    scratch_write_text(scratch, "out/page", "theirs");
    cr_expect_eq(file_choose(file, &path, &err), -EEXIST);
    file_free(file);
    cr_expect_eq(scratch_count(scratch, "out"), 1);
}

Test(files, chooses_to_replace_only_what_is_older_than_the_run)
{
    open_with(CONFLICT_REPLACE, false);
    scratch_write_text(scratch, "out/old", "old");
    cr_expect_eq(save("ours", "x"), 0);
    struct file *over_old = begin("old");
    struct file *over_ours = begin("ours");
    cr_expect_eq(file_finish(over_old, &err), 0);
    cr_expect_eq(file_finish(over_ours, &err), 0);
    cr_expect_eq(file_choose(over_old, &path, &err), 0);
    cr_expect_eq(file_choose(over_ours, &path, &err), -EEXIST);
    cr_expect_eq(file_publish(over_old, &err), 0);
    cr_expect_eq(file_publish(over_ours, &err), -EEXIST);
    file_free(over_old);
    file_free(over_ours);
    expect_content("out/old", "");
    expect_content("out/ours", "x");
}

/* Many processes want one name at once; gives how many got one. */
static int race(enum conflict conflict, int racers)
{
    int gate[2];
    int won = 0;

    open_with(conflict, false);
    cr_assert_eq(pipe(gate), 0);
    for (int i = 0; i < racers; i++) {
        if (fork() != 0)
            continue;
        char c;
        files_free(files);
        open_with(conflict, false);
        struct file *file = begin("page");
        put(file, "whole");
        close(gate[1]);
        while (read(gate[0], &c, 1) > 0)
            ;
        _exit(commit(file) == 0 ? 0 : 1);
    }
    close(gate[0]);
    close(gate[1]);
    for (int i = 0; i < racers; i++) {
        int status;
        cr_assert_gt(wait(&status), 0);
        cr_expect(WIFEXITED(status));
        won += WEXITSTATUS(status) == 0;
    }
    return won;
}

Test(files, lets_one_of_many_processes_have_a_name)
{
    cr_expect_eq(race(CONFLICT_FAIL, 16), 1);
    expect_content("out/page", "whole");
    cr_expect_eq(scratch_count(scratch, "out"), 1);
}

Test(files, numbers_the_names_of_many_processes)
{
    cr_expect_eq(race(CONFLICT_NUMBER, 16), 16);
    expect_content("out/page", "whole");
    expect_content("out/page.1", "whole");
    cr_expect_eq(scratch_count(scratch, "out"), 16);
}

Test(files, sees_only_regular_files)
{
    open_with(CONFLICT_FAIL, false);
    scratch_write_text(scratch, "out/d/page", "x");
    make_link("page", "out/d/link");
    make_link("d", "out/e");
    cr_expect(files_exists(files, "d/page", 0));
    cr_expect_not(files_exists(files, "d", 0));
    cr_expect_not(files_exists(files, "d/link", 0));
    cr_expect_not(files_exists(files, "e/page", 0));
    cr_expect(files_exists(files, "e/page", 2));
    cr_expect_not(files_exists(files, "d/other", 0));
    cr_expect_not(files_exists(files, "new/page", 0));
    cr_expect_not(scratch_exists(scratch, "out/new"));
}

Test(files, knows_its_leftovers)
{
    open_with(CONFLICT_FAIL, false);
    struct file *made[20];

    for (size_t i = 0; i < ARRAY_LEN(made); i++)
        made[i] = begin("page");
    DIR *dir = opendir(scratch_path(scratch, "out"));
    cr_assert(dir);
    size_t leftovers = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        leftovers += files_is_leftover(entry->d_name);
    closedir(dir);
    cr_expect_eq(leftovers, ARRAY_LEN(made));
    for (size_t i = 0; i < ARRAY_LEN(made); i++)
        file_free(made[i]);
}

Test(files, takes_no_other_file_for_a_leftover)
{
    static const char *const names[] = {"",
                                        "page",
                                        ".weir-",
                                        ".weir-0123456789abcdef",
                                        ".weir-0123456789abcdef-",
                                        ".weir-0123456789abcde-1",
                                        ".weir-0123456789abcdef0-1",
                                        ".weir-0123456789ABCDEF-1",
                                        ".weir-0123456789abcdef-1.html",
                                        ".weir-0123456789abcdef-01",
                                        ".weir-0123456789abcdef-12345678123456781",
                                        "weir-0123456789abcdef-1",
                                        "x.weir-0123456789abcdef-1"};

    cr_expect(files_is_leftover(".weir-0123456789abcdef-1f"));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        cr_expect_not(files_is_leftover(names[i]), "%s", names[i]);
}

Test(files, holds_a_descriptor_only_while_it_writes)
{
    int before = count_descriptors();

    open_with(CONFLICT_REPLACE, true);
    cr_expect_eq(count_descriptors(), before + 1);
    files_keep_spares(files);
    before += 2;
    struct file *first = begin("a/b/c");
    struct file *second = begin("d");
    cr_expect_eq(count_descriptors(), before + 3);
    cr_expect_eq(file_finish(first, &err), 0);
    cr_expect_eq(count_descriptors(), before + 2);
    cr_expect_eq(commit(first), 0);
    cr_expect_eq(save("a/b/c", "x"), -EEXIST);
    cr_expect_eq(files_begin(files, "a/../c", 0, &first, &err), -EINVAL);
    cr_expect_eq(files_begin(files, "a/b/c/d", 0, &first, &err), -ENOTDIR);
    cr_expect_not(files_exists(files, "a/b/x/y", 0));
    cr_expect_eq(count_descriptors(), before + 2);
    file_free(second);
    cr_expect_eq(count_descriptors(), before + 1);
    cr_expect(files_give_up_spares(files));
    cr_expect_not(files_give_up_spares(files));
    cr_expect_eq(count_descriptors(), before - 1);
    files_free(files);
    files = NULL;
    cr_expect_eq(count_descriptors(), before - 2);
}

/* ---- paused ---- */

Test(files, goes_on_with_what_it_paused)
{
    open_with(CONFLICT_FAIL, false);
    struct file *file = begin("page");
    int before = count_descriptors();

    put(file, "ab");
    cr_expect_not(file_is_paused(file));
    file_pause(file);
    cr_expect(file_is_paused(file));
    cr_expect_eq(count_descriptors(), before - 1);
    cr_assert_eq(file_resume(file, 2, &err), 0);
    cr_expect_not(file_is_paused(file));
    put(file, "c");
    cr_assert_eq(commit(file), 0);
    expect_content("out/page", "abc");
    cr_expect_eq(scratch_count(scratch, "out"), 1);
}

/* The name of what is being made; there is only one. */
static char *find_leftover(void)
{
    DIR *dir = opendir(scratch_path(scratch, "out"));
    char *name = NULL;

    cr_assert(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL && !name;)
        name = files_is_leftover(entry->d_name) ? strdup(entry->d_name) : NULL;
    closedir(dir);
    cr_assert_not_null(name);
    return name;
}

enum disturbance { LONGER, GONE, LINK, TWICE, DISTURBANCES };

static void disturb(const char *temporary, enum disturbance disturbance)
{
    char *at = strdup(scratch_path(scratch, temporary));

    switch (disturbance) {
    case LONGER: scratch_write_text(scratch, temporary, "abc"); break;
    case GONE: unlink(at); break;
    case LINK:
        scratch_write_text(scratch, "elsewhere", "ab");
        unlink(at);
        cr_assert_eq(symlink("../elsewhere", at), 0);
        break;
    case TWICE: cr_assert_eq(link(at, scratch_path(scratch, "elsewhere")), 0); break;
    case DISTURBANCES: break;
    }
    free(at);
}

Test(files, does_not_go_on_with_what_is_not_as_it_was)
{
    static const int errors[] = {-ESTALE, -ENOENT, -ELOOP, -ESTALE};

    open_with(CONFLICT_FAIL, false);
    for (enum disturbance i = 0; i < DISTURBANCES; i++) {
        struct file *file = begin("page");
        put(file, "ab");
        file_pause(file);
        char *leftover = find_leftover();
        char name[64];
        snprintf(name, sizeof name, "out/%s", leftover);
        disturb(name, i);
        cr_expect_eq(file_resume(file, 2, &err), errors[i], "%d", (int)i);
        file_free(file);
        cr_expect_eq(scratch_count(scratch, "out"), 0, "%d", (int)i);
        unlink(scratch_path(scratch, "elsewhere"));
        free(leftover);
    }
}

Test(files, makes_another_temporary_file_for_another_body)
{
    open_with(CONFLICT_FAIL, false);
    struct file *file = begin("page");
    char *first = find_leftover();

    put(file, "ab");
    cr_assert_eq(file_restart(file, &err), 0);
    cr_expect_eq(scratch_count(scratch, "out"), 1);
    char *second = find_leftover();
    cr_expect_str_neq(first, second);
    put(file, "c");
    cr_assert_eq(commit(file), 0);
    expect_content("out/page", "c");
    free(first);
    free(second);
}

Test(files, removes_what_it_paused)
{
    open_with(CONFLICT_FAIL, false);
    struct file *file = begin("page");

    put(file, "ab");
    file_pause(file);
    file_free(file);
    cr_expect_eq(scratch_count(scratch, "out"), 0);
}

Test(files, hands_no_descriptor_to_a_program_it_starts)
{
    int before = count_descriptors();

    open_with(CONFLICT_FAIL, false);
    struct file *file = begin("d/page");
    int handed = 0;
    for (int fd = 3; fd < before + 8; fd++) {
        char target[PATH_MAX];
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t len = readlink(link, target, sizeof target - 1);
        if (len < 0)
            continue;
        target[len] = '\0';
        if (strstr(target, scratch_dir(scratch)) && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
            handed++;
    }
    cr_expect_eq(handed, 0);
    file_free(file);
}
