#include "io/files_sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "io/files.h"
#include "policy/filename.h"

static bool was_swept(struct sweep *sweep, const struct stat *status)
{
    size_t len = MIN(sweep->n_swept, (size_t)SWEPT_MAX);

    for (size_t i = 0; i < len; i++) {
        if (sweep->swept[i].ino == status->st_ino && sweep->swept[i].dev == status->st_dev)
            return true;
    }
    sweep->swept[sweep->n_swept++ % SWEPT_MAX] =
        (struct swept){.dev = status->st_dev, .ino = status->st_ino};
    return false;
}

bool sweep_has_made(const struct sweep *sweep, const char *name)
{
    if (!files_is_leftover(name))
        return false;
    uint64_t mark = strtoull(name + strlen(FILENAME_IN_THE_MAKING), NULL, 16);
    for (size_t i = 0; i < sweep->n_marks; i++) {
        if (sweep->marks[i] == mark)
            return true;
    }
    return false;
}

static bool is_spared(const struct sweep *sweep, const char *name)
{
    for (size_t i = 0; sweep->spared && i < sweep->spared->len; i++) {
        if (strcmp(sweep->spared->at[i], name) == 0)
            return true;
    }
    return false;
}

static void look_through(const struct sweep *sweep, int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (!entries) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(entries)) != NULL) {
        if (sweep_has_made(sweep, entry->d_name) && !is_spared(sweep, entry->d_name))
            unlinkat(dir, entry->d_name, 0);
    }
    closedir(entries);
}

void sweep_directory(struct sweep *sweep, int dir)
{
    struct stat status;

    if (!sweep->n_marks || fstat(dir, &status) < 0 || was_swept(sweep, &status))
        return;
    look_through(sweep, dir);
}
