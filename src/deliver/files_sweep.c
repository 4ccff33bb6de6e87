#include "deliver/files_sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "deliver/filename.h"
#include "deliver/files.h"

enum { CAPACITY_MIN = 64 };

void sweep_release(struct sweep *sweep)
{
    free(sweep->swept);
    *sweep = (struct sweep){0};
}

/* Never 0. The steps are those of splitmix64, whose bits all depend on all. */
static uint64_t hash_of(const struct stat *status)
{
    uint64_t hash = (uint64_t)status->st_ino ^ (uint64_t)status->st_dev << 40;

    hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
    return (hash ^ hash >> 31) | 1;
}

/* The slot of a directory, or the free one for it. */
static uint64_t *slot_of(const struct sweep *sweep, uint64_t hash)
{
    size_t at = (size_t)(hash >> 1) % sweep->capacity;

    while (sweep->swept[at] && sweep->swept[at] != hash)
        at = (at + 1) % sweep->capacity;
    return &sweep->swept[at];
}

static void grow(struct sweep *sweep)
{
    struct sweep old = *sweep;
    bool is_over = old.n_swept == SWEPT_MAX;

    sweep->capacity = is_over ? CAPACITY_MIN : MAX(2 * old.capacity, (size_t)CAPACITY_MIN);
    sweep->swept = xcalloc(sweep->capacity, sizeof *sweep->swept);
    sweep->n_swept = is_over ? 0 : old.n_swept;
    for (size_t i = 0; i < old.capacity && !is_over; i++) {
        if (old.swept[i])
            *slot_of(sweep, old.swept[i]) = old.swept[i];
    }
    free(old.swept);
}

static bool was_swept(struct sweep *sweep, const struct stat *status)
{
    uint64_t hash = hash_of(status);

    if (2 * sweep->n_swept >= sweep->capacity)
        grow(sweep);
    uint64_t *slot = slot_of(sweep, hash);
    bool was_there = *slot == hash;
    *slot = hash;
    sweep->n_swept += !was_there;
    return was_there;
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
