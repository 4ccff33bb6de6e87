/*
 * From a result to the bytes that stand for it on stdout, chunk by chunk: however large a body, what
 * is held of its rendering is what the caller has room for. Where the bytes go is not known here.
 */
#ifndef WEIR_POLICY_FORMAT_H
#define WEIR_POLICY_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "model/body.h"

struct task;

enum format { FORMAT_RAW, FORMAT_NONE };

/* One result being rendered; zeroed: at its start. */
struct rendering {
    struct body_cursor cursor;
};

/* Puts the next bytes of the task's result at `bytes`, at most `max`: how many, 0 when all are out,
 * or a negative errno with words in `err`. */
ssize_t format_render(enum format, struct rendering *, const struct task *, const struct store *,
                      void *bytes, size_t max, struct buf *err) WARN_UNUSED;

/* The line on stderr for a result that is not ok; nothing of it can move a terminal. */
void format_failure(const struct task *, struct buf *out);

#endif
