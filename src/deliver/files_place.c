#include "deliver/files_place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_PATH: to go through a directory needs no right to read it. */
enum { DIRECTORY = O_PATH | O_DIRECTORY | O_CLOEXEC };

struct way {
    enum place_use use;
    bool trusted;
};

int place_sync(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int result = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    /* Not every file system has directories that can be synced; it needs none then. */
    return result == -EINVAL ? 0 : result;
}

static int make(int dir, const char *name, enum place_use use)
{
    if (mkdirat(dir, name, 0777) < 0)
        return errno == EEXIST ? 0 : -errno;
    return use == PLACE_MAKE_SYNC ? place_sync(dir) : 0;
}

static int step(struct place *place, const char *name, const struct way *way)
{
    int flags = DIRECTORY | (way->trusted ? 0 : O_NOFOLLOW);
    int fd = openat(place->dir, name, flags);

    if (fd < 0 && errno == ENOENT && way->use != PLACE_LOOK) {
        int result = make(place->dir, name, way->use);
        if (result)
            return result;
        fd = openat(place->dir, name, flags);
    }
    if (fd < 0)
        return -errno;
    place_leave(place);
    place->dir = fd;
    place->owned = true;
    return 0;
}

static bool is_name(const char *text)
{
    return *text && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static int walk(struct place *place, const char *path, size_t len, const struct way *way)
{
    const char *end = path + len;

    while (path < end) {
        char name[NAME_MAX + 1];
        const char *slash = memchr(path, '/', (size_t)(end - path));
        size_t part = (size_t)((slash ? slash : end) - path);

        if (part > NAME_MAX)
            return -ENAMETOOLONG;
        memcpy(name, path, part);
        name[part] = '\0';
        if (!way->trusted && !is_name(name))
            return -EINVAL;
        int result = part ? step(place, name, way) : 0;
        if (result)
            return result;
        path += part + 1;
    }
    return 0;
}

/* Mostly it is all there, and one call opens it. */
static int walk_trusted(struct place *place, const char *path, size_t len, enum place_use use)
{
    struct way way = {.use = use, .trusted = true};
    char whole[PATH_MAX];

    if (len >= sizeof whole)
        return -ENAMETOOLONG;
    memcpy(whole, path, len);
    whole[len] = '\0';
    int result = step(place, whole, &(struct way){.use = PLACE_LOOK, .trusted = true});
    if (result != -ENOENT || use == PLACE_LOOK)
        return result;
    if (whole[0] == '/')
        result = step(place, "/", &way);
    else
        result = 0;
    return result ? result : walk(place, whole, len, &way);
}

static int walk_all(struct place *place, const char *name, size_t trusted_len, enum place_use use)
{
    size_t foreign_len = (size_t)(place->base - name) - trusted_len;
    struct way way = {.use = use};
    int result = trusted_len ? walk_trusted(place, name, trusted_len, use) : 0;

    return result ? result : walk(place, name + trusted_len, foreign_len, &way);
}

int place_find(int from, const char *name, size_t trusted_len, enum place_use use,
               struct place *ret_place)
{
    const char *slash = strrchr(name, '/');
    struct place place = {.dir = from, .base = slash ? slash + 1 : name};
    size_t trusted = MIN(trusted_len, (size_t)(place.base - name));

    if (!is_name(place.base))
        return -EINVAL;
    if (strlen(place.base) > NAME_MAX)
        return -ENAMETOOLONG;
    while (trusted && name[trusted - 1] != '/')
        trusted--;
    int result = walk_all(&place, name, trusted, use);
    if (result) {
        place_leave(&place);
        return result;
    }
    *ret_place = place;
    return 0;
}

void place_leave(struct place *place)
{
    if (place->owned)
        close(place->dir);
    place->owned = false;
}

int place_open(const char *path, enum place_use use)
{
    struct place place = {.dir = AT_FDCWD};
    int result = *path ? walk_trusted(&place, path, strlen(path), use) : -ENOENT;

    if (!result)
        return place.dir;
    place_leave(&place);
    return result;
}
