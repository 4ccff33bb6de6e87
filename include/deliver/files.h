/*
 * Bodies that become files. One is written beside its final name, under a name of its own, and gets
 * the final one by a rename that replaces nothing: a name holds a whole body or does not exist, and
 * no two results share one. No list of names is kept; what stands in the directory decides.
 *
 * What a name says beyond the user's own words (its first `trusted_len` bytes, up to the last `/`
 * in them) stays in the directory those lead to: no symbolic link is followed there, no `..` taken.
 * Directories on the way are made. A relative name starts at the output directory.
 *
 * Bound: one descriptor for the directory, one for each file that is being written and not paused,
 * and one more during a call. Owns: those, and the files that are not published. Knows nothing of:
 * templates.
 *
 * What fails gives a negative errno, and words in `err` that name the file.
 */
#ifndef WEIR_DELIVER_FILES_H
#define WEIR_DELIVER_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/strings.h"
#include "deliver/files_own.h"
#include "input/condition.h"

struct file;
struct files;
struct ledger;

/* What becomes of a result whose name is taken. */
enum conflict {
    CONFLICT_FAIL,
    CONFLICT_NUMBER, /* it is called NAME.1, NAME.2 and so on */
    /* It takes the place of what stood there before the run, never of another result: what has
     * changed since the first file was begun, by the file system's own clock, counts as one. So a
     * file that somebody else touches during the run is spared; and a clock that is set back, or
     * differs between file systems that one run writes to, may take a result for an older file.
     * Those of the runs that this one goes on with are known by their paths.
     * Only files and links are replaced. */
    CONFLICT_REPLACE
};
enum { FILES_NUMBER_MAX = 999999 };

struct files_rules {
    const char *output_dir; /* made where it is missing; NULL: the working directory */
    enum conflict conflict;
    bool sync; /* what is published is on the disk, whatever happens to the machine */
};

int files_new(const struct files_rules *, struct files **ret_files, struct buf *err) WARN_UNUSED;
/* After the last of its files. */
void files_free(struct files *);

/* What tells the unpublished files of this run from those of others. */
uint64_t files_mark(const struct files *);
/* Those with such a mark are leftovers, and go as their directory is first used. Borrowed. */
void files_set_old_marks(struct files *, const uint64_t *marks, size_t len);
/* Save these, which files_continue asks for. Likewise. */
void files_set_spared(struct files *, const struct strings *names);
/* The paths, as key_of_text has them, of what earlier runs' results have: with `replace` they keep it.
 * Likewise; NULL: none. */
void files_set_given(struct files *, struct ledger *paths);
/* Replaces what is in `ret_path` by the way to a name from the working directory. */
void files_path(const struct files *, const char *name, struct buf *ret_path);
/* Whether a regular file stands there. */
bool files_exists(const struct files *, const char *name, size_t trusted_len);
/* Whether it is what a run that was killed leaves: the last part of a path is asked for. */
bool files_is_leftover(const char *name);

int files_begin(struct files *, const char *name, size_t trusted_len, struct file **ret_file,
                struct buf *err) WARN_UNUSED;
/* What tells the file from others; once it is finished. */
struct stamp file_stamp(const struct file *);
struct file_id file_identity(const struct file *);
/* What stands under `path`, which is that file's, or that with a number; false where no file does. */
bool file_look(const struct file *, const char *path, struct stamp *ret_stamp);
/* That is of an earlier run, and is replaced as long as it is what it was. */
void file_set_former(struct file *, const char *path, const struct stamp *);
/* Goes on with the temporary file that an earlier run left where that of `name` would be. It is
 * paused, and has `*ret_len` bytes. -ENOENT where there is none. */
int files_continue(struct files *, const char *name, size_t trusted_len, const char *temporary,
                   struct file **ret_file, uint64_t *ret_len) WARN_UNUSED;
/* What it is called until it is published. */
const char *file_temporary(const struct file *);
/* Removes what was not published. */
void file_free(struct file *);
/* Lets it lie, for files_continue. */
void file_leave(struct file *);
/* It holds no descriptor until it is resumed. */
void file_pause(struct file *);
bool file_is_paused(const struct file *);
/* Goes on behind what was written. -ESTALE where that is not `len` bytes any more. */
int file_resume(struct file *, uint64_t len, struct buf *err) WARN_UNUSED;
/* Adds to the hasher what a resumed file has. */
int file_hash(const struct file *, struct hasher *) WARN_UNUSED;
/* Drops what was written, for another body: that goes to a temporary file of its own, so that the
 * name of one stands for one body for ever. */
int file_restart(struct file *, struct buf *err) WARN_UNUSED;

/* All of it. After a failure the file is only good to be freed. */
int file_write(struct file *, const void *bytes, size_t len, struct buf *err) WARN_UNUSED;
/* When it was last changed, for the file itself to say, where the file system can. */
void file_set_time(struct file *, time_t);

/* From written to published, step by step, for a journal that has something to say in between:
 * finish; then choose, and publish, and again while that is -EEXIST. */
/* No more is written: all is with the file system (on the disk with `sync`). */
int file_finish(struct file *, struct buf *err) WARN_UNUSED;
/* A name that is free, or may be replaced; `ret_name` is replaced by its path from the working
 * directory. -EEXIST where the rules leave none, -EISDIR where a directory has it. */
int file_choose(struct file *, struct buf *ret_name, struct buf *err) WARN_UNUSED;
/* Gives it the chosen name. -EEXIST where somebody has taken that meanwhile. */
int file_publish(struct file *, struct buf *err) WARN_UNUSED;
/* Both at once. */
int file_commit(struct file *, struct buf *ret_name, struct buf *err) WARN_UNUSED;

#endif
