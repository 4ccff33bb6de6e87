/*
 * Headers that frame a message or name its connection are weir's own to write: a copied one would
 * have the peer cut the message elsewhere than weir does, and take the rest for another request.
 *
 * Knows nothing of: where a header line comes from.
 */
#ifndef WEIR_INPUT_FRAMING_H
#define WEIR_INPUT_FRAMING_H

#include <stdbool.h>

struct strings;

enum framing {
    FRAMING_NONE,    /* a header like any other; `Connection: close` is one */
    FRAMING_COPIED,  /* weir writes this one itself: it is dropped */
    FRAMING_CHUNKED, /* Transfer-Encoding: chunked */
    FRAMING_UNKNOWN  /* any other Transfer-Encoding */
};

/* The line of FRAMING_CHUNKED in its one spelling. */
extern const char framing_chunked[];

/* Judges `Name: value`, `Name:` or `Name;`. */
enum framing framing_of(const char *header);
/* Whether one of them has the payload sent in chunks. */
bool framing_chunks(const struct strings *headers);
/* Whether it asks for a connection that serves no other request. */
bool framing_closes(const char *header);

#endif
