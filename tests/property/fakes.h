/*
 * What the fakes tell beside the interface of the adapter for which each stands: when the loop would
 * next wake up for it, and what it has seen. They live on the world's clock.
 */
#ifndef PROPERTY_FAKES_H
#define PROPERTY_FAKES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct source;
struct task;
struct writer;
struct xfer;

/* INFINITY where the loop would not wake up for it. */
double fake_source_due(const struct source *);
double fake_writer_due(const struct writer *);
double fake_xfer_due(const struct xfer *);

/* What was started and has not been given back. */
unsigned fake_xfer_running(const struct xfer *);
/* The task's host is given up, and it is not started. */
void fake_xfer_note_refused(struct xfer *, const struct task *);
/* All bytes that the reader was given. */
const struct buf *fake_writer_taken(const struct writer *);

#endif
