#include "deliver/syncer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"

struct syncer {
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int fds[2];
    bool is_wanted, is_ending; /* under the lock */
    int error;                 /* likewise */
};

/* What cannot be synced, such as a pipe, has nothing to be synced. */
static int sync_one(int fd)
{
    if (fd < 0 || fdatasync(fd) == 0 || errno == EINVAL || errno == EROFS)
        return 0;
    return -errno;
}

static int sync_all(const struct syncer *syncer)
{
    int result = sync_one(syncer->fds[0]);

    return result ? result : sync_one(syncer->fds[1]);
}

static void *run(void *userdata)
{
    struct syncer *syncer = userdata;

    pthread_mutex_lock(&syncer->lock);
    while (syncer->is_wanted || !syncer->is_ending) {
        if (!syncer->is_wanted) {
            pthread_cond_wait(&syncer->changed, &syncer->lock);
            continue;
        }
        syncer->is_wanted = false;
        pthread_mutex_unlock(&syncer->lock);
        int result = sync_all(syncer);
        pthread_mutex_lock(&syncer->lock);
        if (result && !syncer->error)
            syncer->error = result;
    }
    pthread_mutex_unlock(&syncer->lock);
    return NULL;
}

/* Signals are for the thread with the loop. */
static bool start(struct syncer *syncer)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&syncer->thread, NULL, run, syncer) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

struct syncer *syncer_new(int first, int second)
{
    struct syncer *syncer = xcalloc(1, sizeof *syncer);

    syncer->fds[0] = first;
    syncer->fds[1] = second;
    pthread_mutex_init(&syncer->lock, NULL);
    pthread_cond_init(&syncer->changed, NULL);
    syncer->has_thread = start(syncer);
    return syncer;
}

int syncer_end(struct syncer *syncer)
{
    if (syncer->has_thread) {
        pthread_mutex_lock(&syncer->lock);
        syncer->is_ending = true;
        pthread_cond_signal(&syncer->changed);
        pthread_mutex_unlock(&syncer->lock);
        pthread_join(syncer->thread, NULL);
    }
    int error = syncer->error;
    pthread_cond_destroy(&syncer->changed);
    pthread_mutex_destroy(&syncer->lock);
    free(syncer);
    return error;
}

/* Where there could be no thread it is done here and now. */
void syncer_ask(struct syncer *syncer)
{
    pthread_mutex_lock(&syncer->lock);
    syncer->is_wanted = true;
    if (!syncer->has_thread && !syncer->error)
        syncer->error = sync_all(syncer);
    pthread_cond_signal(&syncer->changed);
    pthread_mutex_unlock(&syncer->lock);
}

int syncer_error(struct syncer *syncer)
{
    pthread_mutex_lock(&syncer->lock);
    int error = syncer->error;
    pthread_mutex_unlock(&syncer->lock);
    return error;
}
