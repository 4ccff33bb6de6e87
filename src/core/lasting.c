#include "core/lasting.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/key.h"
#include "cli/options.h"
#include "core/engine.h"
#include "core/group.h"
#include "core/groups.h"
#include "core/outputs.h"
#include "core/state.h"
#include "core/task.h"
#include "deliver/files.h"
#include "deliver/journal.h"
#include "deliver/syncer.h"
#include "deliver/writer.h"
#include "input/partial.h"

enum { BOOT_ID_MAX = 4096 };

/* ---- birth and death ---- */

/* What tells this run of the machine from others. */
static uint64_t read_boot(void)
{
    struct buf id, err;
    uint64_t boot = 0;

    buf_init(&id);
    buf_init(&err);
    if (file_read_whole("/proc/sys/kernel/random/boot_id", BOOT_ID_MAX, &id, &err) == 0)
        boot = key_of_text(id.data).high;
    buf_release(&id);
    buf_release(&err);
    return boot;
}

/* How large the file of the results is; JOURNAL_NO_OFFSET where they go to no file that stays. */
static uint64_t stream_size(const struct options *options)
{
    struct stat status;

    if (options_print_to_stdout(options))
        return JOURNAL_NO_OFFSET;
    if (stat(options->to, &status) < 0)
        return 0;
    return S_ISREG(status.st_mode) ? (uint64_t)status.st_size : JOURNAL_NO_OFFSET;
}

/* Without so much as a first line nothing says whose results those are. */
static int check_stream(const struct engine *engine, uint64_t size, struct buf *err)
{
    const struct options *options = engine->options;

    if (!options->resume || !journal_is_new(engine->lasting.journal) || size == 0 ||
        size == JOURNAL_NO_OFFSET)
        return 0;
    buf_setf(err, "--resume: %s has data from another run: move it, or use its journal",
             options->to);
    return EXIT_USAGE;
}

static int check_apart(const struct engine *engine, struct buf *err)
{
    const char *to = engine->options->to;
    struct stat journal, stream;

    if (!to || stat(to, &stream) < 0 || fstat(journal_fd(engine->lasting.journal), &journal) < 0 ||
        !file_is_same(&journal, &stream))
        return 0;
    buf_setf(err, "--journal: %s is the file of --to", engine->options->journal);
    return EXIT_USAGE;
}

static bool check_options(const struct options *options, struct buf *err)
{
    const char *resumes = options->retry_failed ? "retry-failed" : "resume";

    if (options->resume && options->restart) {
        buf_setf(err, "--restart: starts what --%s goes on with", resumes);
        return false;
    }
    if ((options->resume || options->restart) && !options->journal) {
        buf_setf(err, "--%s: needs --journal", options->resume ? resumes : "restart");
        return false;
    }
    return true;
}

int engine_open_journal(struct engine *engine, struct buf *err)
{
    const struct options *options = engine->options;
    uint64_t size = stream_size(options);
    struct journal_rules rules = {.path = options->journal,
                                  .resume = options->resume,
                                  .keeps_paths = options->on_conflict == OPTION_CONFLICT_REPLACE,
                                  .restart = options->restart,
                                  .stream_size = size};

    if (options->journal && !options->no_range)
        rules.boot = engine->lasting.boot = read_boot();

    engine->lasting.sync_due = INFINITY;
    if (!check_options(options, err))
        return EXIT_USAGE;
    if (!options->journal || options->dry_run)
        return 0;
    int result = journal_open(&rules, &engine->lasting.journal, err);
    if (result)
        return result == -EINVAL ? EXIT_USAGE : EXIT_LOCAL_TROUBLE;
    engine->lasting.has_stream = size != JOURNAL_NO_OFFSET;
    engine->lasting.stream_base = options->resume ? journal_stream_end(engine->lasting.journal) : 0;
    result = check_apart(engine, err);
    return result ? result : check_stream(engine, size, err);
}

/* What a pipe was given before is not known. */
static void warn(struct engine *engine)
{
    const struct options *options = engine->options;
    struct buf line;

    if (!options->resume || engine->lasting.has_stream || options->output || options->silent ||
        options->format == OPTION_FORMAT_NONE)
        return;
    buf_init(&line);
    buf_add_text(&line, "weir: --resume: without --to or -o a result may come out twice\n");
    engine_note(engine, &line);
    buf_release(&line);
}

int engine_begin_journal(struct engine *engine, struct buf *err)
{
    if (!engine->lasting.journal)
        return 0;
    if (journal_begin(engine->lasting.journal, files_mark(engine->files), err))
        return EXIT_LOCAL_TROUBLE;
    int out = engine->lasting.has_stream ? writer_number(engine->out) : -1;
    engine->lasting.syncer = syncer_new(out, journal_fd(engine->lasting.journal));
    warn(engine);
    return 0;
}

static void fail(struct engine *engine, int error)
{
    struct buf words;

    engine->lasting.failed = true;
    buf_init(&words);
    buf_addf(&words, "cannot write the journal: %s", strerror(-error));
    engine_note_trouble(engine, words.data);
    buf_release(&words);
    engine_stop(engine, clock_now());
}

void engine_close_journal(struct engine *engine)
{
    if (!engine->lasting.journal)
        return;
    engine_flush_journal(engine, clock_now());
    syncer_ask(engine->lasting.syncer);
    int error = syncer_end(engine->lasting.syncer);
    engine->lasting.syncer = NULL;
    if (error && !engine->lasting.failed)
        fail(engine, error);
}

/* ---- what was done before ---- */

bool engine_was_done(struct engine *engine, struct task *task)
{
    struct key key;

    if (!engine->lasting.journal || !engine->options->resume)
        return false;
    key = request_key(&task->request);
    if (journal_take(engine->lasting.journal, &key, LEDGER_OK)) {
        engine->summary.stats.done_before++;
        return true;
    }
    bool has_failed = journal_take(engine->lasting.journal, &key, LEDGER_FAILED);
    bool is_local = !has_failed && journal_take(engine->lasting.journal, &key, LEDGER_OUTPUT);
    if (!has_failed && !is_local)
        return false;
    task->is_redone = engine->options->retry_failed;
    if (task->is_redone)
        return false;
    engine->local_trouble |= is_local;
    engine_note_failed_before(engine, task);
    engine->summary.stats.done_before++;
    engine->summary.stats.failed_before++;
    return true;
}

bool engine_noted_name(struct engine *engine, const struct task *task,
                       struct journal_line *ret_name, struct buf *ret_path)
{
    struct key key;

    if (!engine->lasting.journal || !engine->options->resume)
        return false;
    key = request_key(&task->request);
    return journal_take_name(engine->lasting.journal, &key, ret_name, ret_path);
}

struct partial *engine_noted_part(struct engine *engine, const struct task *task,
                                  struct buf *ret_file)
{
    struct partial *partial = NULL;
    struct journal_line line;
    struct buf validator;

    if (!engine->lasting.journal)
        return NULL;
    struct key key = request_key(&task->request);
    buf_init(&validator);
    if (journal_take_part(engine->lasting.journal, &key, &line, &validator)) {
        partial = partial_new(&line.source, validator.data, line.total);
        buf_clear(ret_file);
        buf_add_text(ret_file, line.file);
    }
    buf_release(&validator);
    return partial;
}

/* ---- what is done now ---- */

/* Who resumes the run does it: what was good so far is dropped, or gone on with. */
static void leave(struct engine *engine, struct task *task)
{
    engine_leave_output(task);
    if (task->result.reason == REASON_OK)
        engine->tally.succeeded--;
    else if (task->result.reason != REASON_CANCELLED)
        engine->tally.failed--;
    result_setf(&task->result, REASON_HALTED, "the run ended before one ahead of it was done");
}

/* A result that is half out goes out whole. */
static bool is_half_out(const struct rendering *rendering)
{
    return rendering->segment || rendering->text_at || rendering->any || rendering->body_begun;
}

bool engine_withholds(struct engine *engine, struct task *task)
{
    enum reason reason = task->result.reason;

    if (!engine->lasting.journal || is_half_out(&engine->rendering))
        return false;
    if (reason == REASON_HALTED ||
        (reason == REASON_CANCELLED && !engine_fails_with_group(engine, task))) {
        /* In order, what comes behind comes behind it in the run that resumes this one, too. */
        engine->lasting.stream_has_ended |=
            reason == REASON_HALTED && engine->window.order == ORDER_INPUT;
        return true;
    }
    /* Nor does anything go out that could not be written down. */
    bool is_left = engine->lasting.stream_has_ended || engine->lasting.failed;
    if (is_left)
        leave(engine, task);
    return is_left;
}

/* A group that is held is done as one, so its lines count together. */
static void add_line(struct engine *engine, const struct task *task,
                     const struct journal_line *line, uint64_t position)
{
    struct journal *journal = engine->lasting.journal;
    struct group *group = engine->options->group_commit ? task->group : NULL;

    if (!group || !group_is_whole(group)) {
        journal_add(journal, line, position);
        return;
    }
    struct journal_line head = {.kind = JOURNAL_GROUP, .members = group->members};
    if (group->vouched++ == 0)
        journal_add_ahead(journal, &head);
    if (group->vouched < group->members)
        journal_add_ahead(journal, line);
    else
        journal_add(journal, line, position);
}

void engine_vouch(struct engine *engine, const struct task *task)
{
    uint64_t position;

    if (!engine->lasting.journal || engine->lasting.failed)
        return;
    position = writer_position(engine->out);
    struct journal_line line = {
        .kind = task->is_redone ? JOURNAL_REDO : JOURNAL_DONE,
        .key = request_key(&task->request),
        .reason = task->result.reason,
        .attempts = task->result.attempts,
        .offset =
            engine->lasting.has_stream ? engine->lasting.stream_base + position : JOURNAL_NO_OFFSET,
        .text = task->request.url,
        .len = strlen(task->request.url),
    };
    add_line(engine, task, &line, position);
}

bool engine_may_vouch(const struct engine *engine)
{
    return !engine->lasting.journal || journal_has_room(engine->lasting.journal);
}

static int write_name(struct engine *engine, const struct task *task, struct journal_line *line,
                      const char *path)
{
    if (!engine->lasting.journal)
        return 0;
    if (engine->lasting.failed)
        return -EIO;
    line->key = request_key(&task->request);
    line->text = path;
    line->len = strlen(path);
    int result = journal_write(engine->lasting.journal, line);
    if (result)
        fail(engine, result); /* a line may be there in part, and nothing counts behind it */
    return result;
}

int engine_note_name(struct engine *engine, const struct task *task, const char *path,
                     const struct digest *digest)
{
    struct journal_line line = {.kind = JOURNAL_NAME,
                                .has_digest = true,
                                .digest = *digest,
                                .code = (unsigned)task->result.http_code};

    return write_name(engine, task, &line, path);
}

void engine_note_name_free(struct engine *engine, const struct task *task, const char *path)
{
    struct journal_line line = {.kind = JOURNAL_FREE};

    (void)!write_name(engine, task, &line, path);
}

/* Libcurl is at work: what goes wrong is told, and ends the run, once it is not. */
bool engine_note_part(struct engine *engine, const struct task *task, const char *file)
{
    const struct partial *partial = task->partial;

    if (!engine->lasting.journal || !engine->lasting.boot || engine->lasting.failed)
        return false;
    struct journal_line line = {
        .kind = JOURNAL_PART,
        .key = request_key(&task->request),
        .source = partial->source,
        .boot = engine->lasting.boot,
        .total = partial->total,
        .text = partial->validator,
        .len = strlen(partial->validator),
    };
    strncpy(line.file, file, JOURNAL_FILE_MAX);
    engine->lasting.trouble = journal_write(engine->lasting.journal, &line);
    engine->lasting.failed = engine->lasting.trouble != 0;
    return !engine->lasting.failed;
}

void engine_heed_journal(struct engine *engine)
{
    int error = engine->lasting.trouble;

    engine->lasting.trouble = 0;
    if (error)
        fail(engine, error);
}

static void sync_from_time_to_time(struct engine *engine, bool wrote, double now)
{
    int error = syncer_error(engine->lasting.syncer);

    if (error) {
        fail(engine, error);
        return;
    }
    if (wrote && engine->lasting.sync_due == INFINITY)
        engine->lasting.sync_due = now + engine->options->sync;
    if (now < engine->lasting.sync_due)
        return;
    syncer_ask(engine->lasting.syncer);
    engine->lasting.sync_due = INFINITY;
}

void engine_flush_journal(struct engine *engine, double now)
{
    engine_heed_journal(engine);
    if (!engine->lasting.journal || engine->lasting.failed)
        return;
    int released = journal_release(engine->lasting.journal, writer_written(engine->out));
    if (released < 0)
        fail(engine, released);
    else if (engine->lasting.syncer)
        sync_from_time_to_time(engine, released > 0, now);
}

double engine_journal_due(const struct engine *engine)
{
    return engine->lasting.sync_due;
}
