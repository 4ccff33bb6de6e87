/*
 * What most tests stand on: an origin, a directory, and texts that live as long as both.
 *
 * Owns: all three. Knows nothing of: weir.
 */
#ifndef TESTS_STAGE_H
#define TESTS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "origin.h"
#include "scratch.h"

struct blob;
struct stage_text;

struct stage {
    struct origin *origin;
    struct scratch *scratch;
    struct stage_text *texts;
};

struct stage *stage_new(void);
/* Its origin answers at every 127.x.y.z, each a host of its own. */
struct stage *stage_new_any(void);
/* Fails the test when the origin has crashed. */
void stage_free(struct stage *);

const char *stage_text(struct stage *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The origin's URL, and this behind it. */
const char *stage_url(struct stage *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Likewise with another host's name or address. */
const char *stage_url_at(struct stage *, const char *host, const char *target);
/* As it can stand in a parameter of a target. */
const char *stage_encoded(struct stage *, const char *text);

/* Whether the request of that target had the header, with that value ("": any). */
bool stage_saw_header(struct stage *, const char *target, const char *name, const char *value);
/* The file of the scratch is there, and holds this. */
void stage_expect_file(struct stage *, const char *name, const char *text);
/* Waits until no further request has arrived for a while; how many there are then. */
uint64_t stage_settled_requests(struct stage *);

/* The same numbers in the same order, from any seed. */
uint32_t stage_dice(uint64_t *seed);

#endif
