/*
 * Amounts as people read them: bytes and durations in the unit that fits, three digits or so.
 *
 * Owns nothing. Knows nothing of: what is measured.
 */
#ifndef WEIR_BASE_AMOUNT_H
#define WEIR_BASE_AMOUNT_H

#include <stdint.h>

struct buf;

/* `512 B`, `1.5 MiB`. */
void amount_add_bytes(double bytes, struct buf *out);
/* `40 us`, `1.25 ms`, `3.2 s`. */
void amount_add_duration(double seconds, struct buf *out);
/* How often something happens in a second: `0.5/s`, `31.2/s`, `1204/s`. */
void amount_add_rate(double per_second, struct buf *out);
/* How long something takes that people wait for: `0:28`, `1:02:03`, `2d 04h`. */
void amount_add_wait(double seconds, struct buf *out);

#endif
