/*
 * A finished request, as deliver sees it: what was asked, what became of it, and where its bytes are.
 * Borrows all that it points to.
 */
#ifndef WEIR_DELIVER_DELIVERY_H
#define WEIR_DELIVER_DELIVERY_H

#include <stdbool.h>

struct body;
struct request;
struct result;
struct url;

struct delivery {
    const struct request *request;
    const struct result *result;
    const struct body *body, *head; /* head: the last answer's headers, as they came */
    const struct url *url;          /* where the last transfer went; NULL: as requested */
    const char *body_file;          /* the file that the body became, or NULL */
    bool became_get;                /* a redirect made it a GET without a body */
    bool is_answered;               /* a whole answer came, whatever its status */
};

#endif
