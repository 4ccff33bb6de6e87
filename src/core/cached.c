#include "core/cached.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/options.h"
#include "core/engine.h"
#include "core/outputs.h"
#include "core/state.h"
#include "core/task.h"
#include "deliver/cache.h"
#include "deliver/journal.h"
#include "deliver/writer.h"
#include "input/condition.h"

enum { CODE_OK = 200 };

/* ---- birth and death ---- */

static bool is_same_file(int fd, const struct stat *other)
{
    struct stat status;

    return fstat(fd, &status) == 0 && file_is_same(&status, other);
}

static int check_apart(const struct engine *engine, struct buf *err)
{
    const struct options *options = engine->options;
    int fd = cache_fd(engine->cached.cache);
    const char *whose = NULL;
    struct stat other;

    if (options->to && stat(options->to, &other) == 0 && is_same_file(fd, &other))
        whose = "--to";
    if (engine->lasting.journal && fstat(journal_fd(engine->lasting.journal), &other) == 0 &&
        is_same_file(fd, &other))
        whose = "--journal";
    if (!whose)
        return 0;
    buf_setf(err, "--cache: %s is the file of %s", options->cache, whose);
    return EXIT_USAGE;
}

int engine_open_cache(struct engine *engine, struct buf *err)
{
    const struct options *options = engine->options;

    if (!options->cache || options->dry_run)
        return 0;
    int result = cache_open(options->cache, &engine->cached.cache, err);
    if (result)
        return result == -EINVAL ? EXIT_USAGE : EXIT_LOCAL_TROUBLE;
    engine->cached.resumes =
        options->resume && engine->lasting.journal && !journal_is_new(engine->lasting.journal);
    return check_apart(engine, err);
}

int engine_begin_cache(struct engine *engine, struct buf *err)
{
    int result = engine->cached.cache ? cache_begin(engine->cached.cache) : 0;

    if (result)
        buf_setf(err, "cannot write the cache: %s", strerror(-result));
    return result ? EXIT_LOCAL_TROUBLE : 0;
}

/* The run goes on: what is not kept is fetched again. Behind what may be there in part nothing more
 * is written. */
static void fail(struct engine *engine, int error)
{
    struct buf words;

    engine->cached.failed = true;
    buf_init(&words);
    buf_addf(&words, "cannot write the cache: %s", strerror(-error));
    engine_note_trouble(engine, words.data);
    buf_release(&words);
}

/* One that stays as it is tells the same. */
void engine_close_cache(struct engine *engine)
{
    if (!engine->cached.cache)
        return;
    engine_flush_cache(engine);
    if (!engine->cached.failed)
        (void)!cache_tidy(engine->cached.cache);
}

/* ---- what is known ---- */

static void take_up(struct condition *condition, const struct cache_line *line)
{
    condition->is_known = true;
    condition->etag = cache_text_plain(&line->etag);
    condition->modified = line->modified;
    condition->at = line->place;
    condition->file = line->has_stamp ? cache_text_plain(&line->file) : NULL;
    condition->stamp = line->stamp;
    condition->former = line->former;
    condition->has_former = line->has_former;
}

void engine_recall(struct engine *engine, struct task *task, const char *path)
{
    const struct options *options = engine->options;
    struct cache_line line;

    if (!engine->cached.cache || task->condition)
        return;
    struct ask ask = request_ask(&task->request, &engine->verdicts.redirect.defaults);
    if (!condition_fits(&task->request, &ask, &options->headers, options->range))
        return;
    task->condition = condition_new();
    task->condition->key = condition_key(&task->request, &ask, &options->headers, path);
    if (cache_find(engine->cached.cache, &task->condition->key, &line))
        take_up(task->condition, &line);
}

void engine_set_condition(struct engine *engine, struct task *task)
{
    struct condition *condition;

    if (!engine->cached.cache)
        return;
    bool has_file = engine_wants_output(engine, task);
    if (!has_file)
        engine_recall(engine, task, NULL);
    condition = task->condition;
    if (!condition)
        return;
    condition->here = condition_place(task->url);
    condition->is_sent = condition->is_known && condition_has_validator(condition) &&
                         condition->here == condition->at &&
                         (has_file ? condition->is_in_place : !engine->cached.resumes);
}

/* ---- what is kept ---- */

/* Of what an earlier run has kept, nothing new is known. */
static bool is_to_be_kept(const struct engine *engine, const struct task *task)
{
    return engine->cached.cache && !engine->cached.failed && task->condition &&
           task->result.reason == REASON_OK && !task->result.is_unmodified;
}

static struct cache_line line_of(const struct task *task)
{
    const struct result *result = &task->result;
    struct cache_line line = {
        .kind = CACHE_KEPT,
        .key = task->condition->key,
        .place = task->condition->here,
        .modified = -1,
        .url = cache_text(task->request.url),
    };

    if (result->http_code != CODE_OK)
        return line; /* it is no more than where the file came from */
    line.etag = cache_text(result->etag);
    if (result->modified >= 0 && result->modified <= CONDITION_TIME_MAX)
        line.modified = result->modified;
    return line;
}

void engine_keep_file(struct engine *engine, const struct task *task, const char *path,
                      const struct stamp *stamp)
{
    const struct condition *condition = task->condition;

    if (!is_to_be_kept(engine, task))
        return;
    struct cache_line line = line_of(task);
    line.file = cache_text(path);
    line.has_stamp = true;
    line.stamp = *stamp;
    line.has_former = condition->has_replaced;
    line.former = condition->replaced;
    int result = cache_write(engine->cached.cache, &line);
    if (result)
        fail(engine, result);
}

void engine_keep(struct engine *engine, const struct task *task)
{
    if (!is_to_be_kept(engine, task) || engine_wants_output(engine, task))
        return;
    struct cache_line line = line_of(task);
    if (line.etag.at || line.modified >= 0 || task->condition->is_known)
        cache_add(engine->cached.cache, &line, writer_position(engine->out));
}

bool engine_may_keep(const struct engine *engine)
{
    return !engine->cached.cache || engine->cached.failed || cache_has_room(engine->cached.cache);
}

void engine_flush_cache(struct engine *engine)
{
    int result;

    if (!engine->cached.cache || engine->cached.failed)
        return;
    result = cache_release(engine->cached.cache, writer_written(engine->out));
    if (result)
        fail(engine, result);
}
