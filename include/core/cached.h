/*
 * What is asked for only if it has changed: what an earlier run kept of a request's answer, the
 * condition that each of its transfers is asked under, and what is kept for the next run, once it is
 * out. Of a file that is written down before it has its name, with what it is going to replace: who
 * is killed between the two finds one or the other, and knows both. Nothing outside src/engine
 * includes this.
 */
#ifndef WEIR_CORE_CACHED_H
#define WEIR_CORE_CACHED_H

#include <stdbool.h>

#include "base/buf.h"

struct cache;
struct engine;
struct stamp;
struct task;

struct cached {
    struct cache *cache; /* or NULL */
    bool failed;         /* nothing more is written */
    /* Of what the run before put into the stream of results the end was taken back: whether what is
     * asked for was there nobody knows. */
    bool resumes;
};

/* An exit status, with words in `err`, or 0; the second once everything else is ready. */
int engine_open_cache(struct engine *, struct buf *err) WARN_UNUSED;
int engine_begin_cache(struct engine *, struct buf *err) WARN_UNUSED;
void engine_close_cache(struct engine *);

/* Looks up what is kept of a request whose body is to go to the file of that path, or (NULL) to
 * none. */
void engine_recall(struct engine *, struct task *, const char *path);
/* Whether the transfer that is about to begin asks under a condition: only where that was learnt,
 * and while what was kept is there. */
void engine_set_condition(struct engine *, struct task *);

/* The task's file is about to stand under that path. */
void engine_keep_file(struct engine *, const struct task *, const char *path, const struct stamp *);
/* All of the task's result is in the writer. */
void engine_keep(struct engine *, const struct task *);
/* Whether there is room for what that writes down. */
bool engine_may_keep(const struct engine *);
/* Results went out. */
void engine_flush_cache(struct engine *);

#endif
