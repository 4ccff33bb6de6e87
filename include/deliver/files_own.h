/*
 * Whether a file is provably a request's own. A name proves nothing: the file must hold the very
 * bytes, and it is removed only while it is still that very file.
 *
 * Owns nothing. Knows nothing of: names, templates.
 */
#ifndef WEIR_DELIVER_FILES_OWN_H
#define WEIR_DELIVER_FILES_OWN_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/util.h"

/* Tells one file of this machine from all others, whatever its name. */
struct file_id {
    uint64_t dev, ino;
};

struct file_id file_id_of(const struct stat *);

/* -ESTALE where no regular file stands under `path`, or one with other bytes; another negative errno
 * where that is not known. */
int files_find_own(const char *path, const struct digest *, struct file_id *ret_id) WARN_UNUSED;
/* Removes what stands under `path` if it is that file. */
void files_remove_own(const char *path, const struct file_id *);
/* Adds the descriptor's bytes from the first to the last; its own offset stays. */
int files_hash(int fd, struct hasher *) WARN_UNUSED;

#endif
