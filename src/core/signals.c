#include "core/signals.h"

#include <ev.h>
#include <signal.h>
#include <stdlib.h>

#include "base/util.h"

enum { WATCHERS_MAX = 8 };

struct signals {
    struct ev_loop *loop;
    ev_signal watchers[WATCHERS_MAX];
    size_t len;
    int ending;
    bool insist, status, continued;
};

static void on_end(struct ev_loop *loop, ev_signal *watcher, int events)
{
    struct signals *signals = watcher->data;

    (void)events;
    signals->insist = signals->ending != 0;
    signals->ending = watcher->signum;
    if (signals->insist)
        ev_break(loop, EVBREAK_ALL);
}

static void on_status(struct ev_loop *loop, ev_signal *watcher, int events)
{
    struct signals *signals = watcher->data;

    (void)loop;
    (void)events;
    signals->status = true;
}

static void on_continued(struct ev_loop *loop, ev_signal *watcher, int events)
{
    struct signals *signals = watcher->data;

    (void)loop;
    (void)events;
    signals->continued = true;
}

static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void watch(struct signals *signals, int number,
                  void (*callback)(struct ev_loop *, ev_signal *, int))
{
    ev_signal *watcher = &signals->watchers[signals->len];

    if (is_ignored(number))
        return;
    signals->len++;
    ev_signal_init(watcher, callback, number);
    watcher->data = signals;
    ev_signal_start(signals->loop, watcher);
    ev_unref(signals->loop);
}

struct signals *signals_new(struct ev_loop *loop)
{
    struct signals *signals = xcalloc(1, sizeof *signals);

    signals->loop = loop;
    watch(signals, SIGUSR1, on_status);
#ifdef SIGINFO
    watch(signals, SIGINFO, on_status);
#endif
    watch(signals, SIGCONT, on_continued);
    return signals;
}

void signals_hear_ends(struct signals *signals)
{
    watch(signals, SIGINT, on_end);
    watch(signals, SIGTERM, on_end);
    watch(signals, SIGHUP, on_end);
}

void signals_free(struct signals *signals)
{
    if (!signals)
        return;
    for (size_t i = 0; i < signals->len; i++) {
        ev_ref(signals->loop);
        ev_signal_stop(signals->loop, &signals->watchers[i]);
    }
    free(signals);
}

int signals_ending(const struct signals *signals)
{
    return signals->ending;
}

bool signals_insist(const struct signals *signals)
{
    return signals->insist;
}

bool signals_take_status(struct signals *signals)
{
    bool status = signals->status;

    signals->status = false;
    return status;
}

bool signals_take_continued(struct signals *signals)
{
    bool continued = signals->continued;

    signals->continued = false;
    return continued;
}
