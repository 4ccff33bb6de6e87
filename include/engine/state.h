/*
 * The engine from inside: its state, the steps of the pump, each in a file of its own, and the few
 * moves of a task that several steps make. Nothing outside src/engine includes this, save the tests
 * that drive the pump with a clock of their own.
 *
 * Invariants, asserted at the end of every pump: running <= permits; alive <= window; each task is on
 * the list that its state names.
 */
#ifndef WEIR_ENGINE_STATE_H
#define WEIR_ENGINE_STATE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/heap.h"
#include "model/body.h"
#include "model/host_memo.h"
#include "model/parse.h"
#include "policy/format.h"
#include "policy/semaphore.h"
#include "policy/stats.h"
#include "policy/verdict.h"
#include "policy/window.h"

struct options;
struct sched;
struct source;
struct task;
struct writer;
struct xfer;

enum {
    OUT_BYTES = 256 * 1024,
    NOTES_BYTES = 64 * 1024,
    MOVES_IN_TURN = 4096,
    BYTES_IN_TURN = 4 * 1024 * 1024,
};

struct engine {
    const struct options *options;
    struct ev_loop *loop;
    ev_prepare prepare;
    ev_timer timer;

    struct source *source;
    struct sched *sched;
    struct xfer *xfer;
    struct writer *out;   /* results */
    struct writer *notes; /* stderr */
    struct store store;
    struct window window;
    struct semaphore permits;
    struct heap waiting; /* tasks not due yet */
    struct stats stats;
    struct verdict_rules verdicts;
    struct parse_rules parsing;
    struct host_memo hosts;

    struct filename *filename; /* of the files that bodies go to; NULL: they do not */
    struct files *files;       /* likewise, or where a JSON request names a file */
    struct format *format;
    struct rendering rendering; /* of the task whose turn it is */
    uint64_t seq;
    size_t urls_kept;
    double no_start_before; /* descriptors ran out */
    unsigned starts_in_vain;
    bool descriptors_are_out; /* the last transfer to end found none */
    const struct task *probe; /* the one start that is tried while descriptors are out */
    double flush_at;          /* when results that wait for company go out; INFINITY: none do */
    bool source_ended;
    bool stopped;       /* no new starts, and what ran was cancelled */
    bool local_trouble; /* an input or an output failed */
    bool out_closed;    /* by its reader: the end, quietly */
    bool out_failed;
    bool shuns_binary; /* stdout is a terminal, and nobody asked for any bytes there */
    bool notes_failed;

    /* What is left of this turn. */
    size_t moves_left;
    size_t bytes_left;
};

/* One turn; `now` is the monotonic clock. */
void engine_pump(struct engine *, double now);
/* When the pump is next needed, as far as time is concerned; INFINITY for not at all. */
double engine_due(const struct engine *, double now);
bool engine_is_finished(const struct engine *);

/* The steps of the pump, in its order. */
void engine_settle(struct engine *, double now);
void engine_retire(struct engine *, double now);
/* Whether a result could go out right now. */
bool engine_can_retire(const struct engine *);
void engine_admit(struct engine *, double now);
void engine_start(struct engine *, double now);

/* Writes what goes out without waiting, save results for which others are worth waiting for. */
void engine_flush(struct engine *, double now);
/* Starts nothing more and cancels what runs; what is finished still goes out, in its order. */
void engine_stop(struct engine *, double now);
/* Has the loop wake up for whatever the state of each room asks. */
void engine_arm(struct engine *, double now);

/* The task has its result. */
void engine_complete(struct engine *, struct task *);
/* Binds a task to the host that its URL names, and queues it there, `first` ahead of the others. */
void engine_queue(struct engine *, struct task *, bool first);
/* Adds to a URL just read what the options say: the data of -G, the name of what is uploaded. */
void engine_extend_url(struct engine *, struct task *);
void engine_drop_url(struct engine *, struct task *);

/* Puts a line on stderr. */
void engine_note(struct engine *, const struct buf *line);
/* The same for what will make the exit status say that something local failed. */
void engine_note_trouble(struct engine *, const char *words);

#endif
