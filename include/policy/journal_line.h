/*
 * A line of the journal, written and read. Each is words with a blank between them, made fit for
 * that, and a checksum at its end:
 *
 *   weir-journal 1 SUM                                the first
 *   run MARK SUM                                      a run began; its temporary files have that mark
 *   name KEY PATH SUM                                 a body is about to be called that
 *   free KEY PATH SUM                                 it is not called that after all
 *   done KEY REASON ATTEMPTS OFFSET URL SUM           the result is out; the stream is whole to there
 *   redo KEY REASON ATTEMPTS OFFSET URL SUM           likewise, in the place of a failure before
 *
 * KEY is 32 hexadecimal digits, SUM 8; OFFSET is `-` where no file takes the results.
 */
#ifndef WEIR_POLICY_JOURNAL_LINE_H
#define WEIR_POLICY_JOURNAL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/key.h"
#include "model/reason.h"

enum journal_kind {
    JOURNAL_HEAD,
    JOURNAL_RUN,
    JOURNAL_NAME,
    JOURNAL_FREE,
    JOURNAL_DONE,
    JOURNAL_REDO
};

enum { JOURNAL_VERSION = 1, JOURNAL_URL_MAX = 200 };

#define JOURNAL_NO_OFFSET UINT64_MAX

struct journal_line {
    enum journal_kind kind;
    unsigned version; /* of a head */
    uint64_t mark;    /* of a run */
    struct key key;
    enum reason reason;
    unsigned attempts;
    uint64_t offset;
    const char *text; /* a path, or a URL: borrowed; as it stands in the line where it was read */
    size_t len;
};

void journal_line_add(const struct journal_line *, struct buf *out);
/* A line without its newline. False for one that is not whole, or not of ours. */
bool journal_line_read(const char *line, size_t len, struct journal_line *ret_line);
/* Undoes what made a path fit to stand in a line. */
void journal_line_add_text(const struct journal_line *, struct buf *out);

#endif
