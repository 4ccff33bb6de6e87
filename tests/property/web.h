/*
 * A made-up web: what each URL answers follows from a seed and the URL alone, never from when or how
 * often it is asked. So what a request must come to can be worked out without running anything.
 *
 * Knows nothing of: time, the engine.
 */
#ifndef PROPERTY_WEB_H
#define PROPERTY_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/reason.h"

struct options;

/* Percent are of all hosts, or of all pages. */
struct web {
    uint64_t seed;
    uint32_t hosts;
    uint32_t pages;           /* of each host: few, and redirects run in loops */
    unsigned numeric, dead;   /* addresses; names that are not found */
    unsigned missing, broken; /* 404; connections that end too early */
    unsigned moved;           /* redirects, good and bad */
    unsigned shaky;           /* what fails a few times before it answers */
    unsigned closing;         /* answers that ask for a pause */
    unsigned big;             /* bodies of up to big_max bytes; the others: small_max */
    uint32_t small_max, big_max;
};

struct place {
    uint32_t host, page;
};

enum page_kind {
    PAGE_OK,
    PAGE_MISSING,
    PAGE_BROKEN,
    PAGE_MOVED,
    PAGE_MOVED_NOWHERE, /* a 302 without Location */
    PAGE_MOVED_DENIED,  /* to a scheme that is not fetched */
    PAGE_MOVED_WRONGLY  /* to what is no URL */
};

enum trouble {
    TROUBLE_REFUSED,
    TROUBLE_RESET,
    TROUBLE_TIMEOUT,
    TROUBLE_UNTOUCHED, /* the connection went away before the request was looked at */
    TROUBLE_BUSY,      /* 503 */
    TROUBLE_CLOSED     /* 429, and leave us alone for a while */
};

enum location_form { LOCATION_ABSOLUTE, LOCATION_OTHER_HOST, LOCATION_SAME_HOST };

struct page {
    enum page_kind kind;
    uint32_t size; /* of the body; of a broken page what comes of it */
    struct place to;
    enum location_form form;
    unsigned troubles; /* so often each request for it fails first */
    enum trouble trouble;
    double closed_for; /* what asks for a pause asks for so many seconds */
    bool closes;       /* its answer does, too */
};

/* What a request must come to while nothing local goes wrong. */
struct ending {
    enum reason reason;
    struct place place;
    unsigned hops;
    uint64_t kept; /* bytes that its last transfer puts into the store */
};

struct page web_page(const struct web *, struct place);
enum reason web_trouble_reason(enum trouble);
long web_status(const struct page *);
bool web_is_numeric(const struct web *, uint32_t host);
bool web_is_dead(const struct web *, uint32_t host);

/* Appends the host's name, the place's URL, the Location that its page gives. */
void web_add_host(const struct web *, uint32_t host, struct buf *out);
void web_add_url(const struct web *, struct place, struct buf *out);
void web_add_location(const struct web *, const struct page *, struct buf *out);
/* The bytes of the place's body from `at` on. */
void web_fill(const struct web *, struct place, uint64_t at, char *bytes, size_t len);

/* Whether the page's body is asked for under these options, and whether its redirect is followed. */
bool web_keeps(const struct page *, const struct options *);
bool web_leads_on(const struct page *, const struct options *);
struct ending web_ending(const struct web *, const struct options *, struct place start);
/* Where the request is after `hops` redirects. */
struct place web_after(const struct web *, struct place start, size_t hops);

#endif
