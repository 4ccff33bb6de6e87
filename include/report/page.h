/*
 * A run as one page to look at (--report): what is kept of it while it goes on, and the page made of
 * that in the end. The page's own text stands in src/report/page and is built in; the run is in it
 * as JSON, in which no `<` stands, so nothing of a URL is ever read as HTML. Of URLs the name and
 * password are left out, and of the options only what says how the run flowed.
 *
 * Bound: samples, bins and hosts have theirs; a text takes at most PAGE_TEXT_MAX bytes, so that the
 * page is under 3 MB. Knows nothing of: where it goes.
 */
#ifndef WEIR_REPORT_PAGE_H
#define WEIR_REPORT_PAGE_H

#include <stddef.h>

#include "base/buf.h"
#include "report/busiest.h"
#include "report/samples.h"
#include "report/timeline.h"

struct options;
struct summary;
struct finished;

enum { PAGE_TEXT_MAX = 300, PAGE_EXAMPLES = 3 };

/* A failure; its texts are fit to stand in the page. */
struct page_example {
    uint64_t seq;
    char *url, *message;
};

struct page {
    double begun_at, begun_wall;
    struct samples samples;
    struct timeline timeline;
    struct busiest hosts;
    struct spread good, bad;                                   /* time_total of what was answered */
    struct page_example examples[REASON_COUNT][PAGE_EXAMPLES]; /* the first that came */
};

struct page *page_new(double now, double wall);
void page_free(struct page *);

/* A result is out. */
void page_note(struct page *, const struct finished *);
/* Appends the page of a run that is over. */
void page_render(struct page *, const struct options *, const struct summary *, double now,
                 struct buf *out);

/* page_text.c: appends it as the inside of a JSON string that can stand in HTML, at most
 * PAGE_TEXT_MAX bytes; who a URL says one is, is left out. */
void page_add_text(struct buf *out, const char *text);
/* The same of a request's line. What no URL could be made of may hold a JSON request's secrets. */
void page_add_line(struct buf *out, const char *line);
/* Appends it as text of an HTML element. */
void page_add_html(struct buf *out, const char *text);

#endif
