/*
 * The signals that say something to a run: the first of SIGINT, SIGTERM and SIGHUP asks it to end,
 * and a second breaks the loop at once, whatever is left to be done; SIGUSR1 (and SIGINFO where
 * there is one) asks how it goes; SIGCONT says that time has passed without us. A signal that was
 * ignored at the start stays ignored.
 *
 * Bound: a bit for each. Owns: their watchers. Knows nothing of: what is done about them.
 */
#ifndef WEIR_CORE_SIGNALS_H
#define WEIR_CORE_SIGNALS_H

#include <stdbool.h>

struct ev_loop;
struct signals;

struct signals *signals_new(struct ev_loop *);
/* From now on the signals that end a run are heard by the loop. Until then they end the process, so
 * that a set-up that blocks in a system call can be interrupted. */
void signals_hear_ends(struct signals *);
void signals_free(struct signals *);

/* The signal that asked the run to end, 0 for none. */
int signals_ending(const struct signals *);
/* Whether a second came: nothing is to be waited for. */
bool signals_insist(const struct signals *);
/* Each is true once for what came since it was asked last. */
bool signals_take_status(struct signals *);
bool signals_take_continued(struct signals *);

#endif
