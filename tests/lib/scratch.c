#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

enum {
    READ_PIECE = 64 * 1024,
    WALK_DESCRIPTORS = 16,
};

struct given_path {
    struct given_path *next;
    char text[];
};

struct scratch {
    char *dir;
    struct given_path *paths;
};

static _Noreturn void give_up(const char *what, const char *path)
{
    fprintf(stderr, "rig: %s %s: %s\n", what, path, strerror(errno));
    abort();
}

struct scratch *scratch_new(void)
{
    const char *top = getenv("TMPDIR");
    struct scratch *scratch = calloc(1, sizeof *scratch);

    if (!scratch || asprintf(&scratch->dir, "%s/rig.XXXXXX", top && *top ? top : "/tmp") < 0)
        give_up("make", "a scratch");
    if (!mkdtemp(scratch->dir))
        give_up("make", scratch->dir);
    return scratch;
}

static int on_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

/* A test may have taken away its own right to look inside. */
static int on_closed(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)walk;
    if (type == FTW_D || type == FTW_DNR)
        (void)!chmod(path, 0700);
    return 0;
}

void scratch_free(struct scratch *scratch)
{
    if (!scratch)
        return;
    nftw(scratch->dir, on_closed, WALK_DESCRIPTORS, FTW_PHYS);
    nftw(scratch->dir, on_entry, WALK_DESCRIPTORS, FTW_PHYS | FTW_DEPTH);
    struct given_path *path, *next;
    LL_FOREACH_SAFE(scratch->paths, path, next)
        free(path);
    free(scratch->dir);
    free(scratch);
}

const char *scratch_dir(const struct scratch *scratch)
{
    return scratch->dir;
}

const char *scratch_path(struct scratch *scratch, const char *name)
{
    size_t size = strlen(scratch->dir) + 1 + strlen(name) + 1;
    struct given_path *path = malloc(sizeof *path + size);

    if (!path)
        give_up("name", name);
    snprintf(path->text, size, "%s/%s", scratch->dir, name);
    LL_PREPEND(scratch->paths, path);
    return path->text;
}

/* Makes every directory above the last slash. */
static void make_parents(struct scratch *scratch, const char *path)
{
    char *parent = strdup(path);

    if (!parent)
        give_up("name", path);
    for (char *slash = parent + strlen(scratch->dir) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (mkdir(parent, 0777) < 0 && errno != EEXIST)
            give_up("make", parent);
        *slash = '/';
    }
    free(parent);
}

const char *scratch_mkdir(struct scratch *scratch, const char *name)
{
    const char *path = scratch_path(scratch, name);

    make_parents(scratch, path);
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        give_up("make", path);
    return path;
}

bool scratch_exists(struct scratch *scratch, const char *name)
{
    struct stat status;

    return lstat(scratch_path(scratch, name), &status) == 0;
}

long scratch_count(struct scratch *scratch, const char *name)
{
    DIR *dir = opendir(scratch_path(scratch, name));
    long count = 0;

    if (!dir)
        return -1;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return count;
}

const char *scratch_write(struct scratch *scratch, const char *name, const void *bytes, size_t len)
{
    const char *path = scratch_path(scratch, name);

    make_parents(scratch, path);
    FILE *file = fopen(path, "we");
    if (!file)
        give_up("open", path);
    if (len && fwrite(bytes, 1, len, file) != len)
        give_up("write", path);
    if (fclose(file) != 0)
        give_up("write", path);
    return path;
}

const char *scratch_write_text(struct scratch *scratch, const char *name, const char *text)
{
    return scratch_write(scratch, name, text, strlen(text));
}

bool scratch_read(struct scratch *scratch, const char *name, struct blob *blob)
{
    int fd = open(scratch_path(scratch, name), O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return false;
    while ((got = read(fd, blob_reserve(blob, READ_PIECE), READ_PIECE)) > 0)
        blob_extend(blob, (size_t)got);
    if (got < 0)
        give_up("read", name);
    close(fd);
    return true;
}
