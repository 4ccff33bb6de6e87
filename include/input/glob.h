/*
 * curl's globs in an argument, `http://h/{a,b}/[001-100:3]`, expanded one URL at a time: the
 * rightmost part turns fastest, a backslash takes a bracket as it is, and an address in brackets is
 * an address. However many URLs a pattern stands for, it takes the memory of its text.
 */
#ifndef WEIR_INPUT_GLOB_H
#define WEIR_INPUT_GLOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct glob;

enum { GLOB_PARTS_MAX = 100 };

/* -EINVAL, with words in `err`, for a pattern that is none. */
int glob_new(const char *pattern, struct glob **ret_glob, struct buf *err) WARN_UNUSED;
void glob_free(struct glob *);
/* How many URLs it stands for; UINT64_MAX for as many and more. */
uint64_t glob_count(const struct glob *);
/* Appends the next URL; false when there is no more. */
bool glob_next(struct glob *, struct buf *out);
/* Appends what each list and range is in the URL that was given last, a line each. */
void glob_add_taken(const struct glob *, struct buf *out);

#endif
