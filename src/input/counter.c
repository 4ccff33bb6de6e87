#include "input/counter.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "input/glob.h"
#include "input/line_count.h"
#include "input/source.h"

struct counter {
    const struct source_rules *rules;
    off_t stdin_at; /* -1: it is no regular file */
    pthread_t thread;
    bool has_thread;
    atomic_bool is_ending, is_known;
    uint64_t total; /* once it is known */
};

static bool is_file(int number)
{
    struct stat status;

    return fstat(number, &status) == 0 && S_ISREG(status.st_mode);
}

struct counter *counter_new(const struct source_rules *rules)
{
    struct counter *counter = xcalloc(1, sizeof *counter);

    counter->rules = rules;
    counter->stdin_at = is_file(STDIN_FILENO) ? lseek(STDIN_FILENO, 0, SEEK_CUR) : -1;
    return counter;
}

void counter_free(struct counter *counter)
{
    if (!counter)
        return;
    atomic_store(&counter->is_ending, true);
    if (counter->has_thread)
        pthread_join(counter->thread, NULL);
    free(counter);
}

static void add(uint64_t *total, uint64_t more)
{
    *total = more > UINT64_MAX - *total ? UINT64_MAX : *total + more;
}

/* A pattern that is none is one request, which is invalid. */
static uint64_t count_argument(const struct source_rules *rules, const char *url)
{
    struct glob *glob = NULL;
    struct buf err;
    uint64_t count = 1;

    buf_init(&err);
    if (!rules->globoff && glob_new(url, &glob, &err) == 0)
        count = glob_count(glob);
    glob_free(glob);
    buf_release(&err);
    return count;
}

/* False where it is to end, or the file cannot be read. The descriptor's own offset is left alone:
 * it may be the one that the run reads by. */
static bool count_lines(struct counter *counter, int number, off_t at)
{
    struct line_count count;
    ssize_t got = 1;
    char *bytes = xmalloc(COUNTER_READ_BYTES);

    line_count_init(&count, counter->rules->null_separated ? '\0' : '\n');
    while (got > 0 && !atomic_load(&counter->is_ending)) {
        do
            got = pread(number, bytes, COUNTER_READ_BYTES, at);
        while (got < 0 && errno == EINTR);
        if (got > 0) {
            line_count_feed(&count, bytes, (size_t)got);
            at += got;
        }
    }
    free(bytes);
    add(&counter->total, line_count_end(&count));
    return got == 0;
}

/* Opening what is no regular file might take from others what they are to read. */
static bool count_file(struct counter *counter, const char *name)
{
    struct stat status;
    bool is_counted;

    if (stat(name, &status) < 0 || !S_ISREG(status.st_mode))
        return false;
    int number = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (number < 0)
        return false;
    is_counted = is_file(number) && count_lines(counter, number, 0);
    close(number);
    return is_counted;
}

static bool count_stdin(struct counter *counter)
{
    return counter->stdin_at >= 0 && count_lines(counter, STDIN_FILENO, counter->stdin_at);
}

static bool count_inputs(struct counter *counter)
{
    const struct strings *inputs = &counter->rules->files;

    if (!counter->rules->urls.len && !inputs->len)
        return count_stdin(counter);
    for (size_t i = 0; i < inputs->len; i++) {
        bool is_stdin = strcmp(inputs->at[i], "-") == 0;
        if (!(is_stdin ? count_stdin(counter) : count_file(counter, inputs->at[i])))
            return false;
    }
    return true;
}

static void *run(void *userdata)
{
    struct counter *counter = userdata;
    const struct strings *urls = &counter->rules->urls;

    for (size_t i = 0; i < urls->len; i++)
        add(&counter->total, count_argument(counter->rules, urls->at[i]));
    if (count_inputs(counter))
        atomic_store(&counter->is_known, true);
    return NULL;
}

/* Signals are for the thread with the loop. Where there can be no thread nothing is known. */
void counter_start(struct counter *counter)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    counter->has_thread = pthread_create(&counter->thread, NULL, run, counter) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool counter_knows(const struct counter *counter, uint64_t *ret_total)
{
    if (!atomic_load(&counter->is_known))
        return false;
    *ret_total = counter->total;
    return true;
}
