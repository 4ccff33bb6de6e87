/*
 * What outlives the run: which requests an earlier one finished, and what is written down of this
 * one, and when. Nothing outside src/engine includes this.
 */
#ifndef WEIR_CORE_LASTING_H
#define WEIR_CORE_LASTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct digest;
struct engine;
struct journal;
struct journal_line;
struct partial;
struct syncer;
struct task;

struct lasting {
    struct journal *journal; /* or NULL */
    struct syncer *syncer;
    double sync_due;       /* INFINITY: all is known to the disk, or soon will be */
    bool failed;           /* nothing more is written */
    int trouble;           /* it has failed with that, and nobody has been told; or 0 */
    uint64_t boot;         /* which run of the machine this is; 0: unknown */
    bool has_stream;       /* the results go to a file that stays */
    uint64_t stream_base;  /* where it was whole to as the run began */
    bool stream_has_ended; /* in order, behind what the run ended before */
};

/* Reads the journal, if there is one, and says how far the stream of results is whole. An exit status,
 * with words in `err`, or 0. */
int engine_open_journal(struct engine *, struct buf *err) WARN_UNUSED;
/* Everything is ready: from now on it is written to. Likewise. */
int engine_begin_journal(struct engine *, struct buf *err) WARN_UNUSED;
/* Syncs and closes what was written. */
void engine_close_journal(struct engine *);

/* Whether the task, read and not admitted, need not be done. */
bool engine_was_done(struct engine *, struct task *);
/* Whether the task's result is not to go out: it is left for the run that resumes this one. */
bool engine_withholds(struct engine *, struct task *);
/* All of the task's result is in the writer. */
void engine_vouch(struct engine *, const struct task *);
/* Whether there is room for what is vouched for. */
bool engine_may_vouch(const struct engine *);
/* Results went out: writes down what they are, and has the disk know from time to time. */
void engine_flush_journal(struct engine *, double now);
/* Ends the run where something could not be written down meanwhile. */
void engine_heed_journal(struct engine *);
/* When the disk is next to know; INFINITY for not at all. */
double engine_journal_due(const struct engine *);

/* The task's whole body is about to stand under that path. A negative errno. */
int engine_note_name(struct engine *, const struct task *, const char *path,
                     const struct digest *) WARN_UNUSED;
/* It does not, after all. */
void engine_note_name_free(struct engine *, const struct task *, const char *path);
/* Where an earlier run was about to put it, which replaces what is in `ret_path`, and what tells that
 * body from others; false where there is no (other) such name. */
bool engine_noted_name(struct engine *, const struct task *, struct journal_line *ret_name,
                       struct buf *ret_path);

/* Its body, whose rest can be asked for, comes into that temporary file. Whether that is noted. */
bool engine_note_part(struct engine *, const struct task *, const char *file);
/* What an earlier run may have of it, and in which file, which replaces what is in `ret_file`: the
 * caller's; or NULL where there is nothing (more). */
struct partial *engine_noted_part(struct engine *, const struct task *, struct buf *ret_file);

#endif
