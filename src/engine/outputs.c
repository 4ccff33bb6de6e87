#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cached.h"
#include "engine/engine.h"
#include "engine/groups.h"
#include "engine/lasting.h"
#include "engine/outputs.h"
#include "engine/state.h"
#include "io/files.h"
#include "io/journal.h"
#include "model/condition.h"
#include "model/json_text.h"
#include "model/options.h"
#include "model/partial.h"
#include "model/task.h"
#include "model/url.h"
#include "policy/filename.h"

/* The file that one task's body goes to. */
struct output {
    struct sink sink;
    struct engine *engine;
    struct task *task;
    struct file *file; /* NULL before a start */
    struct buf name;
    char *own; /* where an earlier run was about to put it, or NULL */
    size_t trusted_len;
    uint64_t len;  /* bytes that were written */
    bool is_noted; /* the journal knows of them */
    bool is_whole;
};

static struct output *output_of(const struct task *task)
{
    return task->sink ? CONTAINER_OF(task->sink, struct output, sink) : NULL;
}

static void note_part(struct output *output)
{
    if (!output->is_noted && output->task->partial)
        output->is_noted =
            engine_note_part(output->engine, output->task, file_temporary(output->file));
}

static int write_output(struct sink *sink, const void *bytes, size_t len, struct buf *err)
{
    struct output *output = CONTAINER_OF(sink, struct output, sink);

    /* A body that comes in one piece costs no line. */
    if (output->len)
        note_part(output);
    int result = file_write(output->file, bytes, len, err);
    output->len += result ? 0 : len;
    return result;
}

static int restart_output(struct sink *sink, struct buf *err)
{
    struct output *output = CONTAINER_OF(sink, struct output, sink);

    if (!output->len)
        return 0;
    output->len = 0;
    output->is_noted = false;
    return file_restart(output->file, err);
}

static const enum conflict conflicts[] = {
    [OPTION_CONFLICT_FAIL] = CONFLICT_FAIL,
    [OPTION_CONFLICT_NUMBER] = CONFLICT_NUMBER,
    [OPTION_CONFLICT_REPLACE] = CONFLICT_REPLACE,
};

static bool discards(const struct options *options)
{
    return options->output && filename_is_discard(options->output);
}

static int read_template(struct engine *engine, struct buf *err)
{
    struct buf fault;

    buf_init(&fault);
    int result = filename_new(engine->options->output, &engine->filename, &fault);
    if (result)
        buf_setf(err, "--output: takes the name of a file, with {seq} and the like, not '%s': %s",
                 engine->options->output, fault.data);
    buf_release(&fault);
    return result;
}

int engine_open_outputs(struct engine *engine, struct buf *err)
{
    const struct options *options = engine->options;
    /* A dry run does not make the directory. */
    struct files_rules rules = {.output_dir = options->dry_run ? NULL : options->output_dir,
                                .conflict = conflicts[options->on_conflict],
                                .sync = engine->lasting.journal != NULL};

    if (options->output && !discards(options) && read_template(engine, err))
        return EXIT_USAGE;
    if (files_new(&rules, &engine->files, err))
        return EXIT_LOCAL_TROUBLE;
    if (engine->lasting.journal) {
        size_t len;
        const uint64_t *marks = journal_marks(engine->lasting.journal, &len);
        files_set_old_marks(engine->files, marks, len);
        files_set_spared(engine->files, journal_part_files(engine->lasting.journal));
    }
    return 0;
}

static int make_name(struct engine *engine, struct task *task, struct buf *ret_name,
                     struct buf *err)
{
    const struct detail *detail = task->request.detail;
    size_t id_len = 0;
    char *id = detail && detail->id ? json_text_plain(detail->id, &id_len) : NULL;
    struct buf host, path;
    int result;

    buf_init(&host);
    buf_init(&path);
    url_add_host_part(task->url, &host);
    url_add_path(task->url, &path);
    struct filename_parts parts = {
        .seq = task->request.seq, .id = id, .host = host.data, .path = path.data};
    result = filename_make(engine->filename, &parts, ret_name, err);
    buf_release(&host);
    buf_release(&path);
    free(id);
    return result;
}

/* The request's own name is from outside as a URL is: nothing of it is trusted. It was checked as
 * it was read. */
int engine_name_output(struct engine *engine, struct task *task, struct buf *ret_name,
                       struct buf *err)
{
    const struct detail *detail = task->request.detail;

    if (!detail || !detail->output)
        return make_name(engine, task, ret_name, err);
    buf_add_text(ret_name, detail->output);
    return 0;
}

static size_t trusted_len(const struct engine *engine, const struct task *task)
{
    const struct detail *detail = task->request.detail;

    return detail && detail->output ? 0 : filename_trusted_len(engine->filename);
}

bool engine_wants_output(const struct engine *engine, const struct task *task)
{
    const struct detail *detail = task->request.detail;

    return engine->filename || (detail && detail->output && engine->options->output_dir);
}

/* The journal is still to be told of a name that it gives up. */
void engine_drop_file(struct task *task)
{
    struct output *output = output_of(task);

    if (!output)
        return;
    if (!output->own || task->result.reason == REASON_OK) {
        engine_drop_output(task);
        return;
    }
    file_free(output->file);
    output->file = NULL;
    output->is_whole = false;
}

static void fail_output(struct engine *engine, struct task *task, const char *words)
{
    result_setf(&task->result, REASON_OUTPUT, "%s", words);
    engine_drop_file(task);
    engine_complete(engine, task);
}

/* A file that is there is a request that is done. */
static bool is_there(struct engine *engine, const struct output *output)
{
    return engine->options->skip_existing && !output->own &&
           files_exists(engine->files, output->name.data, output->trusted_len);
}

static struct output *new_output(struct engine *engine, struct task *task)
{
    struct output *output = xcalloc(1, sizeof *output);

    output->engine = engine;
    output->task = task;
    output->sink.write = write_output;
    output->sink.restart = restart_output;
    buf_init(&output->name);
    task->sink = &output->sink;
    return output;
}

/* What an earlier run kept may still be there, or what that was about to replace. */
static void look_at_kept(struct task *task, struct output *output)
{
    struct condition *condition = task->condition;
    struct stamp stamp;

    if (!condition || !condition->file)
        return;
    condition->is_in_place = condition->has_replaced = false;
    if (!file_look(output->file, condition->file, &stamp))
        return;
    condition->is_in_place = stamp_is(&stamp, &condition->stamp);
    if (!condition->is_in_place && !(condition->has_former && stamp_is(&stamp, &condition->former)))
        return;
    file_set_former(output->file, condition->file, &stamp);
    condition->replaced = stamp;
    condition->has_replaced = true;
}

static enum begun begin_file(struct engine *engine, struct task *task, struct output *output)
{
    enum begun begun = BEGUN;
    struct buf err;

    buf_init(&err);
    int result =
        files_begin(engine->files, output->name.data, output->trusted_len, &output->file, &err);
    if (result == -EMFILE || result == -ENFILE) {
        begun = BEGUN_LATER;
    } else if (result) {
        fail_output(engine, task, err.data);
        begun = BEGUN_AND_DONE;
    } else {
        look_at_kept(task, output);
        if (output->own)
            file_set_own(output->file, output->own);
    }
    buf_release(&err);
    return begun;
}

static void recall(struct engine *engine, struct task *task, const struct output *output)
{
    struct buf path;

    buf_init(&path);
    files_path(engine->files, output->name.data, &path);
    engine_recall(engine, task, path.data);
    buf_release(&path);
}

/* What there is of a body goes, and with it what is known of that. */
static void drop_body(struct task *task, struct output *output)
{
    file_free(output->file);
    output->file = NULL;
    output->len = 0;
    output->is_noted = false;
    partial_free(task->partial);
    task->partial = NULL;
}

/* What cannot be gone on with is begun anew. */
static enum begun resume_file(struct engine *engine, struct task *task, struct output *output)
{
    struct buf err;

    buf_init(&err);
    int result = file_resume(output->file, output->len, &err);
    buf_release(&err);
    if (!result)
        return BEGUN;
    if (result == -EMFILE || result == -ENFILE)
        return BEGUN_LATER;
    drop_body(task, output);
    return begin_file(engine, task, output);
}

/* Whether an earlier run left some of its body where this one would have it. */
static bool take_part(struct engine *engine, struct task *task, struct output *output)
{
    struct partial *partial;
    struct buf temporary;

    buf_init(&temporary);
    while ((partial = engine_noted_part(engine, task, &temporary)) != NULL &&
           files_continue(engine->files, output->name.data, output->trusted_len, temporary.data,
                          &output->file, &output->len))
        partial_free(partial);
    buf_release(&temporary);
    if (!partial)
        return false;
    partial->len = output->len;
    task->partial = partial;
    output->is_noted = true;
    look_at_kept(task, output);
    if (output->own)
        file_set_own(output->file, output->own);
    return true;
}

static enum begun first_output(struct engine *engine, struct task *task)
{
    struct output *output = new_output(engine, task);
    struct buf err;
    bool named;

    buf_init(&err);
    output->own = engine_noted_name(engine, task);
    named = engine_name_output(engine, task, &output->name, &err) == 0;
    output->trusted_len = named ? trusted_len(engine, task) : 0;
    if (!named)
        fail_output(engine, task, err.data);
    buf_release(&err);
    if (named && is_there(engine, output)) {
        struct buf path;
        buf_init(&path);
        files_path(engine->files, output->name.data, &path);
        task->body_file = buf_take(&path);
        engine_drop_output(task);
        engine_complete(engine, task);
        return BEGUN_AND_DONE;
    }
    if (!named)
        return BEGUN_AND_DONE;
    recall(engine, task, output);
    return take_part(engine, task, output) ? resume_file(engine, task, output)
                                           : begin_file(engine, task, output);
}

void engine_pause_output(struct task *task)
{
    struct output *output = output_of(task);

    if (!output || !output->file)
        return;
    if (task->partial && output->len)
        file_pause(output->file);
    else
        drop_body(task, output);
}

enum begun engine_begin_output(struct engine *engine, struct task *task)
{
    struct output *output = output_of(task);

    if (!engine_wants_output(engine, task))
        return BEGUN;
    if (!output)
        return first_output(engine, task);
    if (output->file && file_is_paused(output->file))
        return resume_file(engine, task, output);
    return output->file ? BEGUN : begin_file(engine, task, output);
}

/* What was kept is the file, if it is still what the answer was about. */
static void keep_old_file(struct task *task)
{
    const struct condition *condition = task->condition;
    struct output *output = output_of(task);
    struct stamp stamp;

    if (file_look(output->file, condition->file, &stamp) && stamp_is(&stamp, &condition->stamp))
        task->body_file = xstrdup(condition->file);
    else
        result_setf(&task->result, REASON_OUTPUT, "%s has changed while it was asked about",
                    condition->file);
    if (task->result.reason == REASON_OK)
        engine_drop_output(task);
    else
        engine_drop_file(task);
}

void engine_end_output(struct engine *engine, struct task *task)
{
    struct output *output = output_of(task);
    struct buf err;

    if (!output)
        return;
    if (task->result.reason != REASON_OK) {
        engine_drop_file(task);
        return;
    }
    if (task->result.is_unmodified) {
        keep_old_file(task);
        return;
    }
    buf_init(&err);
    if (engine->options->remote_time && task->result.modified >= 0)
        file_set_time(output->file, (time_t)task->result.modified);
    output->is_whole = file_finish(output->file, &err) == 0;
    if (!output->is_whole)
        result_setf(&task->result, REASON_OUTPUT, "%s", err.data);
    buf_release(&err);
}

const char *engine_own_name(const struct task *task)
{
    return task->sink ? output_of(task)->own : NULL;
}

/* What the cache vouches for was there before. */
void engine_give_up_name(struct engine *engine, const struct task *task)
{
    const struct output *output = output_of(task);
    const struct condition *condition = task->condition;

    if (condition && condition->file && strcmp(condition->file, output->own) == 0)
        return;
    files_give_up(engine->files, output->name.data, output->trusted_len, output->own);
}

bool engine_has_file(const struct task *task)
{
    struct output *output = output_of(task);

    return output && output->is_whole;
}

/* The journal and the cache know the name before the file has it. */
static int commit_noted(struct engine *engine, struct task *task, struct buf *name, struct buf *err)
{
    struct file *file = output_of(task)->file;
    struct stamp stamp = file_stamp(file);
    int result;

    do {
        result = file_choose(file, name, err);
        if (result)
            break; /* none is free, however often it is asked */
        result = engine_note_name(engine, task, name->data);
        if (result)
            break;
        engine_keep_file(engine, task, name->data, &stamp);
        result = file_publish(file, err);
        if (result)
            engine_note_name_free(engine, task, name->data);
    } while (result == -EEXIST && engine->options->on_conflict != OPTION_CONFLICT_FAIL);
    if (result && !err->len)
        buf_setf(err, "cannot write the journal: %s", strerror(-result));
    return result;
}

bool engine_name_file(struct engine *engine, struct task *task)
{
    struct buf name, err;
    bool is_named;

    if (!engine_has_file(task))
        return true;
    buf_init(&name);
    buf_init(&err);
    if (engine->lasting.journal || engine->cached.cache)
        is_named = commit_noted(engine, task, &name, &err) == 0;
    else
        is_named = file_commit(output_of(task)->file, &name, &err) == 0;
    if (is_named) {
        task->body_file = buf_take(&name);
    } else {
        result_setf(&task->result, REASON_OUTPUT, "%s", err.data);
    }
    buf_release(&name);
    buf_release(&err);
    return is_named;
}

void engine_take_back_file(struct task *task)
{
    if (!engine_has_file(task))
        return;
    file_take_back(output_of(task)->file);
    free(task->body_file);
    task->body_file = NULL;
}

void engine_publish_output(struct engine *engine, struct task *task)
{
    if (!engine_has_file(task))
        return;
    if (!engine_name_file(engine, task)) {
        engine->tally.succeeded--;
        engine->tally.failed++;
        engine_note_member_changed(engine, task);
        engine_drop_file(task);
    } else {
        engine_drop_output(task);
    }
}

void engine_leave_output(struct task *task)
{
    struct output *output = output_of(task);

    if (output && output->file && output->is_noted) {
        file_leave(output->file);
        output->file = NULL;
    }
    engine_drop_output(task);
}

void engine_drop_output(struct task *task)
{
    struct output *output = output_of(task);

    if (!output)
        return;
    file_free(output->file);
    buf_release(&output->name);
    free(output->own);
    free(output);
    task->sink = NULL;
}
