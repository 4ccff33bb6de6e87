/*
 * What a run has finished, kept where the next run can read it: a line for each result, appended
 * once the result is out. Killed at any byte, it is good up to its last whole line; a line that is
 * lost costs a request done again, never one that is missing.
 *
 * Bound: HELD_BYTES_MAX of lines that wait for their results to be out; a descriptor and a
 * mapping while it is read; the ledger's, twice where paths are kept, and the names of the results that the run before was about
 * to name, and what it had of others. Owns: the file's lock, the ledger. Knows nothing of: tasks, what is in the results.
 */
#ifndef WEIR_DELIVER_JOURNAL_H
#define WEIR_DELIVER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ledger.h"
#include "base/strings.h"
#include "deliver/journal_line.h"

struct journal;

struct journal_rules {
    const char *path;
    bool resume;          /* what is in it counts; else it starts empty */
    bool keeps_paths;     /* of the files that finished requests have */
    bool restart;         /* also where it holds results; else those are not given up */
    uint64_t boot;        /* since when files are as they were written; 0: no parts are known */
    uint64_t stream_size; /* of the file that takes the results; JOURNAL_NO_OFFSET: none does */
};

/* -EINVAL where the file is not ours to write to, or not to start empty, another negative errno where it cannot be used;
 * words in `err`. */
int journal_open(const struct journal_rules *, struct journal **ret_journal,
                 struct buf *err) WARN_UNUSED;
void journal_free(struct journal *);
int journal_fd(const struct journal *);

/* ---- what it says of earlier runs ---- */

/* Whether it did not even have its first line. */
bool journal_is_new(const struct journal *);
/* How far the stream of results is whole. */
uint64_t journal_stream_end(const struct journal *);
/* Takes a finished request out; false where there is no (other) one with that key. */
bool journal_take(struct journal *, const struct key *, enum ledger_kind);
/* Where an unfinished request's body may stand already, and what tells that body from others; false
 * where there is no (other) such name. The path replaces what is in `ret_path`. */
bool journal_take_name(struct journal *, const struct key *, struct journal_line *ret_name,
                       struct buf *ret_path);
/* Adds the path of a file that a finished request has to those of the rules. */
void journal_keep_path(struct journal *, const char *path);
/* Those, as key_of_text has them; NULL where none are kept. */
struct ledger *journal_paths(struct journal *);
/* What there may be of its body: false where there is nothing (more). The validator replaces what is
 * in `ret_validator`. */
bool journal_take_part(struct journal *, const struct key *, struct journal_line *ret_part,
                       struct buf *ret_validator);
/* The files that such parts are in, taken or not. */
const struct strings *journal_part_files(const struct journal *);
/* The marks of the temporary files of earlier runs. */
const uint64_t *journal_marks(const struct journal *, size_t *ret_len);

/* ---- what is added ---- */

/* Drops what does not count, writes the first line, if it has none, and that a run began, and has
 * the disk know. Before it nothing is changed. */
int journal_begin(struct journal *, uint64_t mark, struct buf *err) WARN_UNUSED;
/* Writes a line at once. */
int journal_write(struct journal *, const struct journal_line *) WARN_UNUSED;
/* A line that is to be written with the next one, both or neither. */
void journal_add_ahead(struct journal *, const struct journal_line *);
/* A line that is to be written once the results are out up to `position`. */
void journal_add(struct journal *, const struct journal_line *, uint64_t position);
bool journal_has_room(const struct journal *);
/* The results are out so far: writes what waits for no more than that, in one call. 1 if there was
 * something, 0, or a negative errno. */
int journal_release(struct journal *, uint64_t position) WARN_UNUSED;

/* Puts a new file with the same meaning, and nothing that is superseded, in the place of the old. */
int journal_compact(const char *path, struct buf *err) WARN_UNUSED;

#endif
