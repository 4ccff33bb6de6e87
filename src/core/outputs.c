#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "cli/options.h"
#include "core/cached.h"
#include "core/engine.h"
#include "core/groups.h"
#include "core/lasting.h"
#include "core/outputs.h"
#include "core/state.h"
#include "core/task.h"
#include "deliver/filename.h"
#include "deliver/files.h"
#include "deliver/files_spares.h"
#include "deliver/journal.h"
#include "fetch/xfer.h"
#include "input/condition.h"
#include "input/json_text.h"
#include "input/partial.h"
#include "input/url.h"

/* The file that one task's body goes to. */
struct output {
    struct sink sink;
    struct engine *engine;
    struct task *task;
    struct file *file; /* NULL before a start */
    struct buf name;
    size_t trusted_len;
    uint64_t len;          /* bytes that were written */
    struct hasher *hasher; /* of them; NULL without a journal */
    bool is_noted;         /* the journal knows of them */
    bool is_whole;
    struct file_id id; /* then: which file it is, whatever its name */
    int error;         /* a write failed with that; or 0 */
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
    output->error = file_write(output->file, bytes, len, err);
    if (output->error)
        return output->error;
    output->len += len;
    if (output->hasher)
        hasher_add(output->hasher, bytes, len);
    return 0;
}

static void forget_bytes(struct output *output)
{
    output->len = 0;
    output->is_noted = false;
    if (output->hasher)
        hasher_restart(output->hasher);
}

static int restart_output(struct sink *sink, struct buf *err)
{
    struct output *output = CONTAINER_OF(sink, struct output, sink);

    if (!output->len)
        return 0;
    forget_bytes(output);
    output->error = file_restart(output->file, err);
    return output->error;
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
        files_set_given(engine->files, journal_paths(engine->lasting.journal));
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
    struct filename_parts parts = {.seq = task->request.seq,
                                   .id = id,
                                   .host = host.data,
                                   .path = path.data,
                                   .taken = task->request.taken};
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

/* Where no file can be written that is not one request's failure: the run ends, and the same line
 * goes on once there is room. */
static void set_failure(struct engine *engine, struct task *task, int error, const char *words)
{
    bool ends_run = error == -ENOSPC || error == -EDQUOT || error == -EROFS;

    if (!ends_run) {
        result_setf(&task->result, REASON_OUTPUT, "%s", words);
        return;
    }
    if (!engine->disk_failed)
        engine_note_trouble(engine, words);
    engine->disk_failed = true;
    result_setf(&task->result, REASON_HALTED, "%s", words);
    task->result.exitcode = 0;
    task->result.http_code = 0;
}

/* The rest of a body that a halted request has some of is for the run that resumes this one. */
static void end_output(struct task *task)
{
    if (task->result.reason == REASON_HALTED)
        engine_leave_output(task);
    else
        engine_drop_output(task);
}

static void fail_output(struct engine *engine, struct task *task, int error, const char *words)
{
    set_failure(engine, task, error, words);
    end_output(task);
    engine_complete(engine, task);
}

/* A file that is there is a request that is done. */
static bool is_there(struct engine *engine, const struct output *output)
{
    return engine->options->skip_existing &&
           files_exists(engine->files, output->name.data, output->trusted_len);
}

static struct output *new_output(struct engine *engine, struct task *task)
{
    struct output *output = xcalloc(1, sizeof *output);

    output->engine = engine;
    output->task = task;
    output->sink.write = write_output;
    output->sink.restart = restart_output;
    output->hasher = engine->lasting.journal ? hasher_new() : NULL;
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
        fail_output(engine, task, result, err.data);
        begun = BEGUN_AND_DONE;
    } else {
        look_at_kept(task, output);
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
    forget_bytes(output);
    partial_free(task->partial);
    task->partial = NULL;
}

/* Bytes that an earlier run wrote. */
static int hash_old_bytes(struct output *output)
{
    if (!output->hasher || hasher_len(output->hasher) == output->len)
        return 0;
    hasher_restart(output->hasher);
    return file_hash(output->file, output->hasher);
}

/* What cannot be gone on with is begun anew. */
static enum begun resume_file(struct engine *engine, struct task *task, struct output *output)
{
    struct buf err;

    buf_init(&err);
    int result = file_resume(output->file, output->len, &err);
    buf_release(&err);
    if (!result)
        result = hash_old_bytes(output);
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
    return true;
}

/* Whether one of the names that earlier runs noted has this body. A file with other bytes is a
 * stranger's. */
static bool find_named(struct engine *engine, struct task *task, struct journal_line *ret_name,
                       struct buf *ret_path, struct file_id *ret_id)
{
    while (engine_noted_name(engine, task, ret_name, ret_path)) {
        int result = ret_name->has_digest
                         ? files_find_own(ret_path->data, &ret_name->digest, ret_id)
                         : -ESTALE;
        if (!result)
            return true;
        if (result == -ESTALE)
            engine_note_name_free(engine, task, ret_path->data);
    }
    return false;
}

bool engine_find_output(struct engine *engine, struct task *task)
{
    struct journal_line name;
    struct file_id id;
    struct buf path;

    if (!engine_wants_output(engine, task))
        return false;
    buf_init(&path);
    bool is_there = find_named(engine, task, &name, &path, &id);
    if (is_there) {
        journal_keep_path(engine->lasting.journal, path.data);
        struct output *output = new_output(engine, task);
        output->is_whole = true;
        output->id = id;
        task->body_file = xstrdup(path.data);
        task->result.http_code = (long)name.code;
        task->result.body_bytes = name.digest.len;
    }
    buf_release(&path);
    return is_there;
}

static enum begun first_output(struct engine *engine, struct task *task)
{
    struct output *output = new_output(engine, task);
    struct buf err;
    bool named;

    buf_init(&err);
    int result = engine_name_output(engine, task, &output->name, &err);
    named = result == 0;
    output->trusted_len = named ? trusted_len(engine, task) : 0;
    if (!named)
        fail_output(engine, task, result, err.data);
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
    engine_drop_output(task);
}

/* Libcurl was at work as a write failed. */
static void tell_write_error(struct engine *engine, struct task *task)
{
    if (task->result.reason != REASON_OUTPUT || !task->result.message)
        return;
    char *words = xstrdup(task->result.message);
    set_failure(engine, task, output_of(task)->error, words);
    free(words);
}

void engine_end_output(struct engine *engine, struct task *task)
{
    struct output *output = output_of(task);
    struct buf err;

    if (!output)
        return;
    if (task->result.reason != REASON_OK) {
        tell_write_error(engine, task);
        end_output(task);
        return;
    }
    if (task->result.is_unmodified) {
        keep_old_file(task);
        return;
    }
    buf_init(&err);
    if (engine->options->remote_time && task->result.modified >= 0)
        file_set_time(output->file, (time_t)task->result.modified);
    int result = file_finish(output->file, &err);
    output->is_whole = result == 0;
    output->id = file_identity(output->file);
    if (result) {
        set_failure(engine, task, result, err.data);
        end_output(task);
    }
    buf_release(&err);
}

bool engine_has_file(const struct task *task)
{
    struct output *output = output_of(task);

    return output && output->is_whole;
}

/* The journal and the cache know the name before the file has it. */
static int commit_noted(struct engine *engine, struct task *task, struct buf *name, struct buf *err)
{
    const struct output *output = output_of(task);
    struct file *file = output->file;
    struct stamp stamp = file_stamp(file);
    struct digest digest = output->hasher ? hasher_digest(output->hasher) : (struct digest){0};
    int result;

    do {
        buf_clear(err);
        result = file_choose(file, name, err);
        if (result)
            break; /* none is free, however often it is asked */
        result = engine_note_name(engine, task, name->data, &digest);
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

/* Naming gets the spare descriptors, and those of idle connections where they do not suffice. */
static int commit_file(struct engine *engine, struct task *task, struct buf *name, struct buf *err)
{
    bool is_noted = engine->lasting.journal || engine->cached.cache;
    int result;

    files_lend_spares(engine->files);
    do {
        buf_clear(err);
        result = is_noted ? commit_noted(engine, task, name, err)
                          : file_commit(output_of(task)->file, name, err);
    } while ((result == -EMFILE || result == -ENFILE) && xfer_close_idle(engine->xfer));
    files_keep_spares(engine->files);
    return result;
}

bool engine_name_file(struct engine *engine, struct task *task)
{
    struct buf name, err;

    if (!engine_has_file(task) || task->body_file)
        return true;
    buf_init(&name);
    buf_init(&err);
    int result = commit_file(engine, task, &name, &err);
    if (!result)
        task->body_file = buf_take(&name);
    else
        set_failure(engine, task, result, err.data);
    buf_release(&name);
    buf_release(&err);
    return !result;
}

void engine_take_back_file(struct task *task)
{
    if (!engine_has_file(task) || !task->body_file)
        return;
    files_remove_own(task->body_file, &output_of(task)->id);
    free(task->body_file);
    task->body_file = NULL;
}

void engine_publish_output(struct engine *engine, struct task *task)
{
    if (!engine_has_file(task))
        return;
    if (!engine_name_file(engine, task)) {
        engine->tally.succeeded--;
        engine->tally.failed += task->result.reason == REASON_OUTPUT;
        engine_note_member_changed(engine, task);
    }
    end_output(task);
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
    hasher_free(output->hasher);
    free(output);
    task->sink = NULL;
}
