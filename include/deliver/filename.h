/*
 * Names for the files that bodies go to. A template's own text is the user's and may lead anywhere;
 * what is put into it comes from outside, and cannot lead out of the directory the user's text
 * names, pass for an option, or be no name at all:
 *
 * - only {path} is split at `/`; elsewhere a `/` becomes `_`, as do control bytes (C0, DEL, C1) and
 *   bytes that are no UTF-8
 * - what is put in, for {path} each segment of it, is `_` where it is empty, `.` or `..`
 * - a `.` or `-` from outside that would begin a part of the name is `_`; a part that would still
 *   pass for a file in the making begins with `_weir-`
 * - a part over 255 bytes that is not all the user's is cut, and ends in `-` and a hash of the
 * whole
 *
 * Bound: PATH_MAX. Owns: the template. Knows nothing of: what files there are.
 */
#ifndef WEIR_DELIVER_FILENAME_H
#define WEIR_DELIVER_FILENAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* How the name of every file begins that is still being written, and no name from outside. */
#define FILENAME_IN_THE_MAKING ".weir-"

struct filename;

/* NULL is as good as "". */
struct filename_parts {
    uint64_t seq;
    const char *id;
    const char *host;  /* the name, with _port where it is not the scheme's own */
    const char *path;  /* without its leading slash and query, not percent-decoded */
    const char *taken; /* what the globs of an argument took, a line each */
};

/* {seq} {seq:06} {id} {host} {path} {name} {1} to {99}; {{ and }} stand for braces. #1 is {1} where
 * a glob took something, as in curl, and itself elsewhere. -EINVAL, or -ENAMETOOLONG,
 * with words in `err`, for a template that has another word in braces, or can name no file. */
int filename_new(const char *template, struct filename **ret_filename, struct buf *err) WARN_UNUSED;
void filename_free(struct filename *);

/* Replaces what is in `ret_name`. -ENAMETOOLONG, with words in `err`. */
int filename_make(const struct filename *, const struct filename_parts *, struct buf *ret_name,
                  struct buf *err) WARN_UNUSED;
/* Whether it has a place for what a glob took. */
bool filename_wants_taken(const struct filename *);
/* How many bytes each name begins with that name directories in the user's own words: up to the
 * last `/` before the first thing put in. */
size_t filename_trusted_len(const struct filename *);

/* Whether a name that a request asks for may be used as it stands. It comes from outside as much as
 * a URL does: what would be changed in that is refused here, with -EINVAL and words in `err`. */
int filename_check_relative(const char *name, struct buf *err) WARN_UNUSED;

/* Whether it is the file that keeps nothing. */
bool filename_is_discard(const char *name);

#endif
