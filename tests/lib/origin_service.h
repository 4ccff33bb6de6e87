/*
 * One request in service, from its whole head to its record's end: what its script says, whether it
 * is refused instead, its body coming in, its answer going out.
 *
 * Owns: the script, the answer. Borrows the log and the keys. Knows nothing of: sockets, time passing.
 */
#ifndef RIG_ORIGIN_SERVICE_H
#define RIG_ORIGIN_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "origin.h"
#include "origin_answer.h"
#include "origin_request.h"
#include "origin_script.h"

struct origin_keys;
struct origin_log;
struct origin_path;

struct origin_service {
    struct origin_log *log;
    struct origin_record *record; /* NULL: not logged */
    struct origin_script script;
    struct origin_upload upload;
    struct origin_answer answer;
    struct origin_answer_context context;
    struct blob echo;
    uint64_t sent_bytes; /* of the answer, for the record */
    uint64_t drip_left;  /* until the next pause; ORIGIN_NEVER: no drip */
    bool head_pause;     /* due before the body */
};

/* The path is for the record. */
void origin_service_begin(struct origin_service *, struct origin_log *, struct origin_keys *,
                          const struct origin_request *, const struct origin_path *);
/* The one way out, whoever ended it. */
void origin_service_end(struct origin_service *, enum origin_end);

/* Takes what is the request's body; returns how many bytes it took. */
size_t origin_service_upload(struct origin_service *, const char *bytes, size_t len);
bool origin_service_is_uploaded(const struct origin_service *);

/* The script, or NULL when the request is refused instead. */
const struct origin_script *origin_service_script(const struct origin_service *);
/* Whether the script breaks the answer off at its end. */
bool origin_service_is_cut(const struct origin_service *);

/* Appends the head, and as much of the body as may go out with it. */
void origin_service_answer(struct origin_service *, struct blob *out);
/* How many bytes of the body may go out now, before the script wants a pause or an end. */
uint64_t origin_service_allowance(const struct origin_service *);
/* Appends a piece of the body, at most `allowed` (over 0) bytes. */
void origin_service_continue(struct origin_service *, uint64_t allowed, struct blob *out);

#endif
