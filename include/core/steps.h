/*
 * The steps of the pump, each in a file of its own, and the few moves of a task that several of
 * them make. Nothing outside src/engine includes this, save the tests that drive the pump with a
 * clock of their own.
 */
#ifndef WEIR_CORE_STEPS_H
#define WEIR_CORE_STEPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct engine;
struct options;
struct task;
struct writer;

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
/* Whether another request is to be read as soon as there is one. */
bool engine_wants_more(const struct engine *);
void engine_start(struct engine *, double now);
/* When a start that only time holds back can be; INFINITY where something else does. */
double engine_start_due(const struct engine *, double now);

/* Writes what goes out without waiting, save results for which others are worth waiting for. */
void engine_flush(struct engine *, double now);
/* While the process was stopped no byte could be heard: no transfer is the later for it. */
void engine_forgive(struct engine *, double now);
/* Ends the run early where something asks for it: a signal, the deadline, --halt. */
void engine_heed(struct engine *, double now);
/* Once a signal has come or the deadline has passed, what is finished has --stop-timeout to go out. */
void engine_bound_end(struct engine *, double now);
/* When that time is over, or the deadline before. */
double engine_end_due(const struct engine *);
/* Takes a task that is not done off the list that its state names. */
void engine_withdraw(struct engine *, struct task *, double now);
/* A start of the task, on no list and without a transfer, found no descriptor: it is tried again.
 * Where nothing runs that could free one the run ends in the end. */
void engine_wait_for_descriptor(struct engine *, struct task *, double now);
/* The task, on no list and without a transfer, is not done any more. */
void engine_halt_task(struct engine *, struct task *);
/* Starts nothing more and lets what runs finish. */
void engine_drain(struct engine *, double now);
/* Starts nothing more and cancels what runs; what is finished still goes out, in its order. */
void engine_stop(struct engine *, double now);
/* Has the loop wake up for whatever the state of each room asks. */
void engine_arm(struct engine *, double now);

/* The task has its result. */
void engine_complete(struct engine *, struct task *);
/* Binds a task to the host that its URL names, and queues it there, with `again` ahead of those
 * that were never started. */
void engine_queue(struct engine *, struct task *, bool again, double now);
/* Adds to a URL just read what the options say: the data of -G, the name of what is uploaded. */
void engine_extend_url(struct engine *, struct task *);
void engine_drop_url(struct engine *, struct task *);

/* Whether failures are told of on stderr. */
bool engine_tells_failures(const struct engine *);
/* Says on stderr how many failures were not told of one by one. */
void engine_tell_rest(struct engine *);
/* Whether somebody wants to know at the end what the run came to. */
bool engine_wants_summary(const struct options *);
/* In words. */
const char *engine_why_it_ended(const struct engine *);
/* Says on stderr how the run ended, and what it came to. */
void engine_tell_end(struct engine *);

/* saving.c: what is written while the loop does not run. A reader is waited for, but not beyond the
 * time that is left after a signal or the deadline, nor where a second signal came. A negative errno:
 * -ETIMEDOUT where a reader took too little, -ENXIO for a FIFO that nobody reads. */
int engine_write_out(struct engine *, struct writer *) WARN_UNUSED;
/* The text may be more than the writer holds at once. */
int engine_write_all(struct engine *, struct writer *, const struct buf *text) WARN_UNUSED;
/* As writer_open, but a FIFO's reader is waited for, until a signal comes. */
int engine_open_writer(struct engine *, const char *path, uint64_t end, size_t capacity,
                       struct writer **ret_writer) WARN_UNUSED;
/* The words for such an error, or any other. */
const char *engine_error_words(int error);
/* A regular file is replaced as replace_file does it; anything else is written to. */
int engine_save(struct engine *, const char *path, mode_t mode, const struct buf *text) WARN_UNUSED;

/* page.c: what the page of --report is told, where there is to be one: a transfer began or ended,
 * a result is out. */
void engine_note_started(struct engine *, double now);
void engine_note_ended(struct engine *, double now);
void engine_note_result(struct engine *, const struct task *);
/* The run is over: writes it. */
void engine_write_page(struct engine *);

/* Puts a line on stderr. */
void engine_note(struct engine *, const struct buf *line);
/* The same for what will make the exit status say that something local failed. */
void engine_note_trouble(struct engine *, const char *words);

#endif
