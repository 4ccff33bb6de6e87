#include "deliver/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deliver/held.h"
#include "deliver/journal_file.h"
#include "deliver/journal_noted.h"

struct journal {
    int fd;
    bool is_new;
    size_t good;          /* bytes that count */
    uint64_t results;     /* that it held, where they do not count */
    uint64_t stream_size; /* as the rules say */
    uint64_t stream_end;
    struct ledger ledger;
    bool keeps_paths;
    struct ledger paths;      /* of files that finished requests have */
    struct noted_table names; /* bodies that were about to get theirs */
    struct noted_table
        parts; /* bodies that were coming, by files that still are as they were left */
    struct strings part_files;
    uint64_t boot;
    bool is_of_any_boot; /* parts are, that are noted */
    uint64_t *marks;
    size_t n_marks, marks_capacity;

    struct held held;
};

/* ---- reading ---- */

static void note_mark(struct journal *journal, uint64_t mark)
{
    journal->marks =
        xgrow(journal->marks, journal->n_marks, &journal->marks_capacity, sizeof *journal->marks);
    journal->marks[journal->n_marks++] = mark;
}

static enum ledger_kind kind_of(enum reason reason)
{
    if (reason == REASON_OK)
        return LEDGER_OK;
    return reason == REASON_OUTPUT ? LEDGER_OUTPUT : LEDGER_FAILED;
}

/* Equal requests are not told apart, so either kind of failure may be the one. */
static void take_failure(struct journal *journal, const struct key *key)
{
    if (!ledger_take(&journal->ledger, key, LEDGER_FAILED))
        ledger_take(&journal->ledger, key, LEDGER_OUTPUT);
}

/* False where the stream is shorter than the line says: what it vouches for is lost. */
static bool is_in_stream(const struct journal *journal, const struct journal_line *line)
{
    return line->offset == JOURNAL_NO_OFFSET || journal->stream_size == JOURNAL_NO_OFFSET ||
           line->offset <= journal->stream_size;
}

void journal_keep_path(struct journal *journal, const char *path)
{
    struct key key = key_of_text(path);

    if (journal->keeps_paths)
        ledger_add(&journal->paths, &key, LEDGER_OK);
}

static void note_done(struct journal *journal, const struct key *key)
{
    struct journal_line name;
    struct buf path;

    buf_init(&path);
    if (noted_take(&journal->names, key, &name, &path))
        journal_keep_path(journal, path.data);
    buf_release(&path);
}

static bool note_result(struct journal *journal, const struct journal_line *line)
{
    if (!is_in_stream(journal, line))
        return false;
    if (line->offset != JOURNAL_NO_OFFSET && journal->stream_size != JOURNAL_NO_OFFSET)
        journal->stream_end = line->offset;
    if (line->kind == JOURNAL_REDO)
        take_failure(journal, &line->key);
    ledger_add(&journal->ledger, &line->key, kind_of(line->reason));
    /* A failed request has no name: the first may be that of an equal one. */
    struct journal_line taken;
    if (line->reason == REASON_OK)
        note_done(journal, &line->key);
    noted_take(&journal->parts, &line->key, &taken, NULL);
    return true;
}

/* What a machine had written when it went down need not be on the disk. */
static void note_part(struct journal *journal, const struct journal_line *line)
{
    if (journal->is_of_any_boot || (journal->boot && journal->boot == line->boot))
        noted_add(&journal->parts, line);
}

static void note_free(struct noted_table *names, const struct journal_line *line)
{
    struct buf path;

    buf_init(&path);
    journal_line_add_text(line, &path);
    noted_remove_path(names, path.data, path.len, &line->key);
    buf_release(&path);
}

static bool note_line(void *userdata, const struct journal_line *line)
{
    struct journal *journal = userdata;

    switch (line->kind) {
    case JOURNAL_HEAD: journal->is_new = false; return true;
    case JOURNAL_RUN: note_mark(journal, line->mark); return true;
    case JOURNAL_NAME: noted_add(&journal->names, line); return true;
    case JOURNAL_FREE: note_free(&journal->names, line); return true;
    case JOURNAL_PART: note_part(journal, line); return true;
    case JOURNAL_GROUP: return is_in_stream(journal, line);
    case JOURNAL_DONE:
    case JOURNAL_REDO: return note_result(journal, line);
    }
    return false;
}

static int fail(const char *path, int result, struct buf *err)
{
    buf_setf(err, "cannot use the journal %s: %s", path, strerror(-result));
    return result;
}

/* Notes the marks too, since the half-made files of a run that is given up are removed. */
static bool count_line(void *userdata, const struct journal_line *line)
{
    struct journal *journal = userdata;

    if (line->kind == JOURNAL_RUN)
        note_mark(journal, line->mark);
    journal->results += line->kind == JOURNAL_DONE || line->kind == JOURNAL_REDO;
    return true;
}

/* Results are not given up by a word that is missing. */
static int check_empty(struct journal *journal, const struct journal_rules *rules,
                       const struct line_file_text *text, struct buf *err)
{
    journal_text_walk(text, count_line, journal);
    if (rules->restart || !journal->results)
        return 0;
    buf_setf(err,
             "--journal: %s holds %llu result%s: --resume goes on behind them, --restart starts it "
             "and the file of --to empty",
             rules->path, (unsigned long long)journal->results, journal->results == 1 ? "" : "s");
    return -EINVAL;
}

/* What counts stays; the file goes on behind it. */
static int load(struct journal *journal, const struct journal_rules *rules, struct buf *err)
{
    struct line_file_text text;
    size_t good = 0;
    int result = line_file_map(journal->fd, &text);

    if (result)
        return fail(rules->path, result, err);
    result = journal_text_check(&text, rules->path, err);
    if (!result && !rules->resume)
        result = check_empty(journal, rules, &text, err);
    if (!result && rules->resume) {
        ledger_init(&journal->ledger, journal_text_results(&text));
        if (journal->keeps_paths)
            ledger_init(&journal->paths, journal_text_results(&text));
        good = journal_text_walk(&text, note_line, journal);
        noted_files(&journal->parts, &journal->part_files);
    }
    line_file_unmap(&text);
    journal->good = good;
    return result;
}

int journal_open(const struct journal_rules *rules, struct journal **ret_journal, struct buf *err)
{
    struct journal *journal = xcalloc(1, sizeof *journal);
    int result;

    journal->fd = -1;
    journal->is_new = true;
    journal->stream_size = rules->stream_size;
    journal->boot = rules->boot;
    journal->keeps_paths = rules->resume && rules->keeps_paths;
    held_init(&journal->held);
    result = line_file_open(rules->path, "journal", true, &journal->fd, err);
    if (!result)
        result = load(journal, rules, err);
    if (result) {
        journal_free(journal);
        return result;
    }
    *ret_journal = journal;
    return 0;
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
    if (journal->fd >= 0)
        close(journal->fd);
    noted_release(&journal->names);
    noted_release(&journal->parts);
    strings_release(&journal->part_files);
    ledger_release(&journal->ledger);
    ledger_release(&journal->paths);
    held_release(&journal->held);
    free(journal->marks);
    free(journal);
}

int journal_fd(const struct journal *journal)
{
    return journal->fd;
}

bool journal_is_new(const struct journal *journal)
{
    return journal->is_new;
}

uint64_t journal_stream_end(const struct journal *journal)
{
    return journal->stream_end;
}

bool journal_take(struct journal *journal, const struct key *key, enum ledger_kind kind)
{
    return ledger_take(&journal->ledger, key, kind);
}

bool journal_take_name(struct journal *journal, const struct key *key,
                       struct journal_line *ret_name, struct buf *ret_path)
{
    return noted_take(&journal->names, key, ret_name, ret_path);
}

bool journal_take_part(struct journal *journal, const struct key *key,
                       struct journal_line *ret_part, struct buf *ret_validator)
{
    return noted_take(&journal->parts, key, ret_part, ret_validator);
}

const struct strings *journal_part_files(const struct journal *journal)
{
    return &journal->part_files;
}

struct ledger *journal_paths(struct journal *journal)
{
    return journal->keeps_paths ? &journal->paths : NULL;
}

const uint64_t *journal_marks(const struct journal *journal, size_t *ret_len)
{
    *ret_len = journal->n_marks;
    return journal->marks;
}

/* ---- writing ---- */

int journal_begin(struct journal *journal, uint64_t mark, struct buf *err)
{
    struct journal_line head = {.kind = JOURNAL_HEAD, .version = JOURNAL_VERSION};
    struct journal_line run = {.kind = JOURNAL_RUN, .mark = mark};
    struct buf lines;
    int result;

    buf_init(&lines);
    if (journal->is_new)
        journal_line_add(&head, &lines);
    journal_line_add(&run, &lines);
    result = line_file_cut(journal->fd, journal->good);
    if (!result)
        result = line_file_write(journal->fd, lines.data, lines.len);
    buf_release(&lines);
    if (!result && fdatasync(journal->fd) < 0)
        result = -errno;
    if (result)
        buf_setf(err, "cannot write the journal: %s", strerror(-result));
    return result;
}

int journal_write(struct journal *journal, const struct journal_line *line)
{
    struct buf text;

    /* A path that is named now was free: no file there is an earlier run's. */
    if (line->kind == JOURNAL_NAME)
        noted_remove_path(&journal->names, line->text, line->len, NULL);
    buf_init(&text);
    journal_line_add(line, &text);
    int result = line_file_write(journal->fd, text.data, text.len);
    buf_release(&text);
    return result;
}

void journal_add_ahead(struct journal *journal, const struct journal_line *line)
{
    journal_line_add(line, &journal->held.lines);
}

void journal_add(struct journal *journal, const struct journal_line *line, uint64_t position)
{
    journal_line_add(line, &journal->held.lines);
    held_mark(&journal->held, position);
}

bool journal_has_room(const struct journal *journal)
{
    return held_has_room(&journal->held);
}

int journal_release(struct journal *journal, uint64_t position)
{
    size_t len = held_ready(&journal->held, position);

    if (!len)
        return 0;
    int result = line_file_write(journal->fd, journal->held.lines.data, len);
    held_drop(&journal->held, len);
    return result ? result : 1;
}

/* ---- compacting ---- */

struct compaction {
    struct journal *journal;  /* what the old one comes to */
    struct ledger superseded; /* failures that were done again */
    struct noted_table names; /* of what is not done at the line that is copied */
    struct buf lines;
    int fd; /* of the new one */
    int result;
};

static bool note_superseded(void *userdata, const struct journal_line *line)
{
    struct compaction *compaction = userdata;

    if (line->kind == JOURNAL_REDO)
        ledger_add(&compaction->superseded, &line->key, LEDGER_FAILED);
    return note_line(compaction->journal, line);
}

static bool flush_lines(struct compaction *compaction, size_t kept)
{
    if (compaction->lines.len <= kept)
        return true;
    compaction->result =
        line_file_write(compaction->fd, compaction->lines.data, compaction->lines.len);
    buf_clear(&compaction->lines);
    return compaction->result == 0;
}

/* The name of a finished request stays, right before its result: that file is replaced by no other
 * result. */
static void copy_name(struct compaction *compaction, const struct key *key)
{
    struct journal_line name;
    struct buf path;

    buf_init(&path);
    if (noted_take(&compaction->names, key, &name, &path)) {
        name.text = path.data;
        name.len = path.len;
        journal_line_add(&name, &compaction->lines);
    }
    buf_release(&path);
}

static bool copy_line(struct compaction *compaction, const struct journal_line *line)
{
    struct journal_line live = *line;
    struct buf text;

    buf_init(&text);
    journal_line_add_text(line, &text);
    live.text = text.data;
    live.len = text.len;
    journal_line_add(&live, &compaction->lines);
    buf_release(&text);
    return flush_lines(compaction, HELD_BYTES_MAX);
}

static bool copy_result(struct compaction *compaction, const struct journal_line *line)
{
    struct journal_line live = *line;

    if (line->reason != REASON_OK &&
        ledger_take(&compaction->superseded, &line->key, LEDGER_FAILED))
        return true;
    if (line->reason == REASON_OK)
        copy_name(compaction, &line->key);
    live.kind = JOURNAL_DONE;
    return copy_line(compaction, &live);
}

/* Names and parts of what is not done come last. */
static bool copy_live(void *userdata, const struct journal_line *line)
{
    struct compaction *compaction = userdata;

    switch (line->kind) {
    case JOURNAL_HEAD:
    case JOURNAL_RUN: return copy_line(compaction, line);
    case JOURNAL_NAME: noted_add(&compaction->names, line); return true;
    case JOURNAL_FREE: note_free(&compaction->names, line); return true;
    case JOURNAL_PART:
    case JOURNAL_GROUP: return true; /* parts come last, and nothing of the new file can be torn */
    case JOURNAL_DONE:
    case JOURNAL_REDO: return copy_result(compaction, line);
    }
    return false;
}

static int write_live(struct compaction *compaction, const struct line_file_text *text)
{
    ledger_init(&compaction->superseded, 0);
    journal_text_walk(text, note_superseded, compaction);
    journal_text_walk(text, copy_live, compaction);
    if (!compaction->result) {
        noted_write(&compaction->journal->names, &compaction->lines);
        noted_write(&compaction->journal->parts, &compaction->lines);
        flush_lines(compaction, 0);
    }
    return compaction->result;
}

/* The new one stands beside the old one until it is whole. */
static int replace(struct journal *journal, const char *path, const struct line_file_text *text,
                   struct buf *err)
{
    struct compaction compaction = {.journal = journal};
    struct line_file_new new_file;
    int result = line_file_begin(&new_file, path);

    if (!result) {
        buf_init(&compaction.lines);
        compaction.fd = new_file.fd;
        result = line_file_end(&new_file, journal->fd, write_live(&compaction, text));
        ledger_release(&compaction.superseded);
        noted_release(&compaction.names);
        buf_release(&compaction.lines);
    }
    return result ? fail(path, result, err) : 0;
}

int journal_compact(const char *path, struct buf *err)
{
    struct journal journal = {.fd = -1, .stream_size = JOURNAL_NO_OFFSET, .is_of_any_boot = true};
    struct line_file_text text = {.bytes = ""};
    int result = line_file_open(path, "journal", false, &journal.fd, err);

    if (result)
        return result;
    result = line_file_map(journal.fd, &text);
    if (result)
        fail(path, result, err);
    else
        result = journal_text_check(&text, path, err);
    if (!result) {
        ledger_init(&journal.ledger, journal_text_results(&text));
        result = replace(&journal, path, &text, err);
    }
    line_file_unmap(&text);
    close(journal.fd);
    noted_release(&journal.names);
    noted_release(&journal.parts);
    ledger_release(&journal.ledger);
    free(journal.marks);
    return result;
}
