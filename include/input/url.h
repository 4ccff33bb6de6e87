/*
 * A URL that has been read once and is handed to the transfer as it is, so that it is never read
 * again. The reading is libcurl's, so what we take for the host is what libcurl connects to.
 *
 * Owns: its parts. Knows nothing of: which schemes are permitted; url_scheme tells.
 */
#ifndef WEIR_INPUT_URL_H
#define WEIR_INPUT_URL_H

#include <stdbool.h>

#include "base/buf.h"

struct url;

/* `text` without a scheme gets `default_scheme`. -EINVAL, with words in `err`. */
int url_parse(const char *text, const char *default_scheme, struct url **ret_url,
              struct buf *err) WARN_UNUSED;
/* Where a `Location: location` seen at `base` leads. */
int url_resolve(const struct url *base, const char *location, struct url **ret_url,
                struct buf *err) WARN_UNUSED;
/* A host's name as each URL has it: in ASCII (punycode), without the dot at its end. Replaces what is
 * in `ret_name`. -EINVAL, with words in `err`. */
int url_spell_host(const char *name, struct buf *ret_name, struct buf *err) WARN_UNUSED;
/* One of the same scheme, host and user, and no more. */
struct url *url_stem(const struct url *);
/* What such a one leads to. `rest`, a path and perhaps a query, is taken as it is written: it
 * begins with a slash and has neither dots to be resolved nor a fragment. */
struct url *url_below(const struct url *stem, const char *rest);
void url_free(struct url *);

bool url_has_scheme(const struct url *, const char *scheme);
/* Appends `scheme://name:port`, lower case: what counts as one host. */
void url_add_host(const struct url *, struct buf *out);
/* Appends `name:port`, as libcurl has it in its table of addresses. */
void url_add_name_and_port(const struct url *, struct buf *out);
/* Appends `name`, or `name_port` where that is not the scheme's own: what a file name has of it. */
void url_add_host_part(const struct url *, struct buf *out);
/* Appends the path without its leading slash and query, as it is written. */
void url_add_path(const struct url *, struct buf *out);
/* Appends the whole URL. */
void url_add_text(const struct url *, struct buf *out);
/* Appends the URL as a Referer has it: without its user, password and fragment. */
void url_add_referer(const struct url *, struct buf *out);
/* Whether the host is an address or a name that needs no lookup. */
bool url_is_numeric(const struct url *);
/* Whether the host is localhost or *.localhost. */
bool url_is_localhost(const struct url *);

/* Has the name and password of `from`, where it has none of its own. */
void url_copy_user(struct url *, const struct url *from);
/* Adds to the query, as a form is. */
void url_add_query(struct url *, const char *query);
/* Where the path ends in a slash, adds the last part of `file`. */
void url_add_file_name(struct url *, const char *file);

/* The CURLU that CURLOPT_CURLU takes; borrowed, and valid as long as the URL. */
void *url_handle(const struct url *);

#endif
