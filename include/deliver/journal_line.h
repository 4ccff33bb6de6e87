/*
 * A line of the journal, written and read. Each is words with a blank between them, made fit for
 * that, and a checksum at its end:
 *
 *   weir-journal 1 SUM                                the first
 *   run MARK SUM                                      a run began; its temporary files have that mark
 *   name KEY LENGTH HASH CODE PATH SUM                a whole body is about to be called that
 *   free KEY PATH SUM                                 the request has no body of that name after all
 *   part KEY BOOT FILE TOTAL SOURCE VALIDATOR SUM     a body comes into that temporary file
 *   group NUMBER SUM                                  so many results follow, all or none
 *   done KEY REASON ATTEMPTS OFFSET URL SUM           the result is out; the stream is whole to there
 *   redo KEY REASON ATTEMPTS OFFSET URL SUM           likewise, in the place of a failure before
 *
 * KEY and SOURCE (of a URL) are 32 hexadecimal digits, MARK and BOOT (of the machine) 16, SUM 8;
 * OFFSET is `-` where no file takes the results, TOTAL where nobody has said it. LENGTH and HASH (32
 * digits) are the body's, CODE is the status it came with; an older `name` has none of the three, and
 * proves nothing.
 */
#ifndef WEIR_DELIVER_JOURNAL_LINE_H
#define WEIR_DELIVER_JOURNAL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/key.h"
#include "base/reason.h"

enum journal_kind {
    JOURNAL_HEAD,
    JOURNAL_RUN,
    JOURNAL_NAME,
    JOURNAL_FREE,
    JOURNAL_PART,
    JOURNAL_GROUP,
    JOURNAL_DONE,
    JOURNAL_REDO
};

enum { JOURNAL_VERSION = 1, JOURNAL_URL_MAX = 200, JOURNAL_FILE_MAX = 47 };

#define JOURNAL_NO_OFFSET UINT64_MAX /* nor a total */

struct journal_line {
    enum journal_kind kind;
    unsigned version; /* of a head */
    uint64_t mark;    /* of a run */
    uint64_t members; /* of a group */
    struct key key;
    bool has_digest;      /* a name: */
    struct digest digest; /* of the body that is to have it */
    unsigned code;        /* the status that came with that */
    enum reason reason;
    unsigned attempts;
    uint64_t offset;
    struct key source; /* of a part, as are these */
    uint64_t boot, total;
    char file[JOURNAL_FILE_MAX + 1];
    const char *
        text; /* a path, a URL or a validator: borrowed; as it stands in the line where it was read */
    size_t len;
};

void journal_line_add(const struct journal_line *, struct buf *out);
/* A line without its newline. False for one that is not whole, or not of ours. */
bool journal_line_read(const char *line, size_t len, struct journal_line *ret_line);
/* Undoes what made a path fit to stand in a line. */
void journal_line_add_text(const struct journal_line *, struct buf *out);

#endif
