/*
 * From a result to the bytes that stand for it, chunk by chunk: however large a body, what is held
 * of its rendering is what the caller has room for. A format is a list of segments (text, a field
 * of the record, the body); where the bytes go is not known here.
 *
 * Owns: its segments. Knows nothing of: descriptors, order.
 */
#ifndef WEIR_DELIVER_FORMAT_H
#define WEIR_DELIVER_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/body.h"
#include "base/buf.h"

struct format;
struct options;
struct delivery;

enum { FORMAT_ROOM_MIN = 4096 };

/* One result being rendered. Its buffer serves one result after the other. */
struct rendering {
    size_t segment;
    struct buf scratch;
    struct buf head; /* the answer's headers, where they are wanted; read when the result begins */
    struct buf text; /* of a segment, up to `text_at` given out already */
    size_t text_at;
    size_t held; /* what the store is charged with for it, while it waits for room */
    bool has_begun;
    bool any; /* a member of a JSON object was written */
    bool body_begun;
    struct body_cursor cursor;
};

void rendering_init(struct rendering *);
void rendering_release(struct rendering *);
/* Makes ready for the next result. Of what a large one took nothing is kept. */
void rendering_restart(struct rendering *);
/* How many bytes it has allocated. */
size_t rendering_bytes(const struct rendering *);

/* -EINVAL, with words in `err`, for fields or a template that cannot be. */
int format_new(const struct options *, struct format **ret_format, struct buf *err) WARN_UNUSED;
void format_free(struct format *);

/* Whether a terminal shows what it makes: then no value of a template can move it. */
void format_set_on_terminal(struct format *, bool);

/* What it needs to know of a transfer. */
bool format_wants_facts(const struct format *);
bool format_wants_headers(const struct format *);
enum format_bodies { FORMAT_NO_BODIES, FORMAT_BODIES_OF_SUCCESS, FORMAT_ALL_BODIES };
enum format_bodies format_wants_bodies(const struct format *);
/* Whether it must know of a body whether it is UTF-8. */
bool format_wants_utf8(const struct format *);

/* What comes before the first result, or NULL. */
const char *format_header_line(const struct format *, size_t *ret_len);

/* Puts the next bytes of the result at `bytes`, at most `max` (FORMAT_ROOM_MIN or more): how
 * many, 0 when all are out, or a negative errno with words in `err`. */
ssize_t format_render(const struct format *, struct rendering *, const struct delivery *,
                      const struct store *, char *bytes, size_t max, struct buf *err) WARN_UNUSED;
/* Whether that was the last of them: the next call would say 0. */
bool format_is_all_out(const struct format *, const struct rendering *);

/* The line on stderr for a result that is not ok; nothing of it can move a terminal. */
void format_failure(const struct delivery *, struct buf *out);

#endif
