#include "core/jobs_file.h"

#include <ev.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"

/* The file may be on a system that does not tell of changes. An ev_stat holds a struct stat, and libev's
 * may be another than ours: on 32 bits we have dates beyond 2038. */
#define LOOK_EACH 1.0

struct jobs_file {
    struct ev_loop *loop;
    ev_timer watcher;
    const char *path;
    unsigned jobs;
    bool is_new;
};

static bool read_number(const char *path, unsigned *ret_number)
{
    char text[JOBS_FILE_MAX + 1];
    uint64_t number = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t len;

    if (fd < 0)
        return false;
    len = read(fd, text, JOBS_FILE_MAX);
    close(fd);
    if (len <= 0)
        return false;
    text[len] = '\0';
    text[strcspn(text, " \t\r\n")] = '\0';
    if (number_read_count(text, &number) || !number || number > INT_MAX)
        return false;
    *ret_number = (unsigned)number;
    return true;
}

static void look(struct jobs_file *file)
{
    unsigned number;

    if (!read_number(file->path, &number) || number == file->jobs)
        return;
    file->jobs = number;
    file->is_new = true;
}

static void on_time(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    look(CONTAINER_OF(watcher, struct jobs_file, watcher));
}

struct jobs_file *jobs_file_new(struct ev_loop *loop, const char *path)
{
    struct jobs_file *file = xcalloc(1, sizeof *file);

    file->loop = loop;
    file->path = path;
    ev_timer_init(&file->watcher, on_time, LOOK_EACH, LOOK_EACH);
    ev_timer_start(loop, &file->watcher);
    ev_unref(loop);
    look(file);
    return file;
}

void jobs_file_free(struct jobs_file *file)
{
    if (!file)
        return;
    ev_ref(file->loop);
    ev_timer_stop(file->loop, &file->watcher);
    free(file);
}

bool jobs_file_take(struct jobs_file *file, unsigned *ret_jobs)
{
    bool is_new = file->is_new;

    file->is_new = false;
    *ret_jobs = file->jobs;
    return is_new;
}
