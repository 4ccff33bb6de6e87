/*
 * The engine from inside: its state. Nothing outside src/engine includes this, save the tests that
 * drive the pump with a clock of their own.
 *
 * Invariants, asserted at the end of every pump: running <= permits; alive <= window; each task is
 * on the list that its state names.
 */
#ifndef WEIR_CORE_STATE_H
#define WEIR_CORE_STATE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/body.h"
#include "base/heap.h"
#include "core/cached.h"
#include "core/halt.h"
#include "core/lasting.h"
#include "core/showing.h"
#include "core/steps.h"
#include "core/trace.h"
#include "core/window.h"
#include "deliver/format.h"
#include "flow/retry.h"
#include "flow/semaphore.h"
#include "flow/verdict.h"
#include "input/host_memo.h"
#include "input/parse.h"
#include "report/summary.h"

struct group;
struct jobs_file;
struct options;
struct page;
struct plan;
struct sched;
struct signals;
struct source;
struct task;
struct writer;
struct xfer;

enum {
    OUT_BYTES = 256 * 1024,
    NOTES_BYTES = 64 * 1024,
    MOVES_IN_TURN = 4096,
    ROUNDS_IN_TURN = 8,
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
    struct summary summary;
    struct verdict_rules verdicts;
    struct retry_state retries;
    struct parse_rules parsing;
    struct host_memo hosts;
    struct trace_source traces;

    struct plan *plan;         /* with --dry-run: told in place of a run */
    struct page *page;         /* of --report; NULL: there is none */
    struct filename *filename; /* of the files that bodies go to; NULL: they do not */
    struct files *files;       /* likewise, or where a JSON request names a file */
    struct format *format;
    struct rendering rendering; /* of the task whose turn it is */
    struct lasting lasting;
    struct showing showing;
    struct cached cached;
    uint64_t seq;
    size_t urls_kept;
    struct group *group;    /* that the last request admitted belongs to; NULL: to none */
    struct group *failing;  /* groups whose members are to be cancelled */
    struct group *over;     /* groups whose record is to go out, first come first */
    struct task *ahead;     /* read while the window was full, to see whether the group goes on */
    double now;             /* of this turn */
    double no_start_before; /* descriptors ran out */
    unsigned starts_in_vain;
    bool descriptors_are_out; /* the last transfer to end found none */
    const struct task *probe; /* the one start that is tried while descriptors are out */
    double flush_at;          /* when results that wait for company go out; INFINITY: none do */
    struct signals *signals;
    struct jobs_file *jobs_file; /* or NULL */
    unsigned jobs_max;           /* what descriptors allow */
    struct halt_tally tally;
    char *halted_by;          /* words; NULL: the run was not ended early */
    bool halt_is_failure;     /* it is, for the exit status */
    bool is_draining;         /* no new starts, and what runs may finish */
    double deadline, stop_by; /* of the run, of what has not gone out then; INFINITY: none */
    double begun_at;
    double awake_at;   /* when the last turn ended */
    double due;        /* what the loop is to wake for; INFINITY: nothing */
    bool is_listening; /* one turn of it, since it woke late */
    bool source_ended;
    bool stopped;                   /* no new starts, and what ran was cancelled */
    bool local_trouble;             /* an input or an output failed */
    bool out_failed, out_closed;    /* closed by its reader: the end, quietly */
    bool shuns_binary;              /* stdout is a terminal, and nobody asked for any bytes there */
    bool notes_failed, disk_failed; /* stderr; any file of -o, so that the run is to end */

    /* What is left of this turn. */
    size_t moves_left;
    size_t bytes_left;
};

#endif
