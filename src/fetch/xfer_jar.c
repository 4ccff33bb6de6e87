#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/options.h"
#include "fetch/xfer_internal.h"

/* libcurl can write the file, too, but does not say when it could not: so its lines are taken from
 * it and written by us. */

static const char jar_head[] = "# Netscape HTTP Cookie File\n"
                               "# https://curl.se/docs/http-cookies.html\n"
                               "# Written by weir. Edit at your own risk.\n\n";

/* The fifth column of a line says when the cookie ends, 0 for the end of the session. */
static bool has_expired(const char *line, double now)
{
    for (int column = 0; column < 4 && line; column++) {
        line = strchr(line, '\t');
        line += line != NULL;
    }
    double expires = line ? strtod(line, NULL) : 0;
    return expires > 0 && expires < now;
}

static void add_lines(CURL *easy, struct buf *text)
{
    struct curl_slist *lines = NULL;
    double now = clock_wall();

    buf_add_text(text, jar_head);
    curl_easy_getinfo(easy, CURLINFO_COOKIELIST, &lines);
    for (const struct curl_slist *at = lines; at; at = at->next) {
        if (!has_expired(at->data, now))
            buf_addf(text, "%s\n", at->data);
    }
    curl_slist_free_all(lines);
}

bool xfer_cookies(struct xfer *xfer, struct buf *text)
{
    if (!xfer->options->cookie_jar || !xfer->jar)
        return false;
    add_lines(xfer->jar, text);
    return true;
}
