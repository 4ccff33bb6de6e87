/*
 * A file that says how many transfers may be in flight, as GNU parallel has it: it is read at the
 * start, and again each second. What cannot be read as a number changes nothing.
 *
 * Bound: the first JOBS_FILE_MAX bytes. Owns: a watcher. Knows nothing of: what the number is for.
 */
#ifndef WEIR_CORE_JOBS_FILE_H
#define WEIR_CORE_JOBS_FILE_H

#include <stdbool.h>

struct ev_loop;
struct jobs_file;

enum { JOBS_FILE_MAX = 64 };

/* The path is borrowed. */
struct jobs_file *jobs_file_new(struct ev_loop *, const char *path);
void jobs_file_free(struct jobs_file *);

/* True once for each number that was read. */
bool jobs_file_take(struct jobs_file *, unsigned *ret_jobs);

#endif
