/*
 * A directory for one test, removed with all that is in it. Names are relative to it; directories
 * on the way are made. What goes wrong here is the machine's fault: it is said, and the test ends.
 *
 * Owns: the directory, the paths it gave. Knows nothing of: what is put there.
 */
#ifndef RIG_SCRATCH_H
#define RIG_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "blob.h"

struct scratch;

/* In TMPDIR, else /tmp. */
struct scratch *scratch_new(void);
/* NULL is nothing. */
void scratch_free(struct scratch *);

/* The directory itself, without a slash at its end. */
const char *scratch_dir(const struct scratch *);
/* "DIR/NAME", which lives as long as the scratch. */
const char *scratch_path(struct scratch *, const char *name);
/* Makes the directory and those above it; gives its path. */
const char *scratch_mkdir(struct scratch *, const char *name);
bool scratch_exists(struct scratch *, const char *name);
/* How many entries the directory has, "" being the scratch itself; -1 when there is none. */
long scratch_count(struct scratch *, const char *name);

/* Gives the path of the new file. */
const char *scratch_write(struct scratch *, const char *name, const void *bytes, size_t len);
const char *scratch_write_text(struct scratch *, const char *name, const char *text);
/* Appends the file's bytes; false when there is none. */
bool scratch_read(struct scratch *, const char *name, struct blob *);

#endif
