/*
 * The bytes of one answer, made as they are wanted: first the head, then the body piece by piece,
 * so that no body has to fit into memory. It knows what the script wants said; when it is sent, and
 * whether FIN, RST or silence cuts it, is the connection's business.
 *
 * Owns: the compressor, the echoed request. Borrows the script. Knows nothing of: sockets, time.
 */
#ifndef RIG_ORIGIN_ANSWER_H
#define RIG_ORIGIN_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"

struct origin_script;
struct origin_coder;

/* No piece of body is larger, its chunk line aside. */
enum { ORIGIN_PIECE_MAX = 16 * 1024 };

enum origin_framing { ORIGIN_NO_BODY, ORIGIN_LENGTH, ORIGIN_CHUNKED, ORIGIN_TO_THE_END };

struct origin_answer {
    const struct origin_script *script;
    const char *refusal; /* said in place of what the script asks for, or NULL */
    const char *text;    /* the body, where it is neither bytes nor echo */
    unsigned status;
    enum origin_framing framing;
    bool close; /* the connection ends with the answer */
    bool over;  /* nothing more comes */
    bool is_range;
    uint64_t from; /* where the body begins */
    uint64_t size; /* of the body before coding; ORIGIN_NEVER: endless */
    uint64_t at;   /* of that, how much was used */
    uint64_t sent; /* of the body as coded, before chunking */
    struct blob echo;
    struct origin_coder *coder; /* NULL: nothing is compressed */
};

struct origin_answer_context {
    unsigned status;     /* 0: what the script says */
    const char *refusal; /* goes with a status */
    bool head_only;      /* the method was HEAD */
    bool http10;
    bool close;
    bool is_range; /* only what is from `from` on is asked for */
    uint64_t from;
};

/* `echo` is *taken*. */
void origin_answer_init(struct origin_answer *, const struct origin_script *, struct blob *echo,
                        const struct origin_answer_context *);
void origin_answer_release(struct origin_answer *);

void origin_answer_head(const struct origin_answer *, struct blob *to);
/* Appends at most `max` (over 0) bytes of body, framed; sets `over` with the last of them. */
void origin_answer_body(struct origin_answer *, struct blob *to, size_t max);

#endif
