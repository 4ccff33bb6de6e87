#include "report/slowest.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/text.h"
#include "report/finished.h"

void slowest_release(struct slowest *slowest)
{
    for (size_t i = 0; i < slowest->len; i++)
        free(slowest->at[i].url);
    *slowest = (struct slowest){0};
}

static char *shortened(const char *url)
{
    struct buf out;

    buf_init(&out);
    buf_add_text(&out, "");
    text_add_valid(&out, url, strlen(url), SLOWEST_URL_MAX);
    return buf_take(&out);
}

/* Makes room for it among those that are not slower; the last of all goes. */
void slowest_note(struct slowest *slowest, const struct finished *over, double seconds)
{
    size_t at = slowest->len;

    while (at > 0 && slowest->at[at - 1].seconds < seconds)
        at--;
    if (at == SLOWEST_MAX)
        return;
    if (slowest->len == SLOWEST_MAX)
        free(slowest->at[--slowest->len].url);
    memmove(&slowest->at[at + 1], &slowest->at[at], (slowest->len - at) * sizeof *slowest->at);
    slowest->at[at] = (struct slow_request){.seconds = seconds,
                                            .seq = over->seq,
                                            .http_code = over->result->http_code,
                                            .url = shortened(over->url)};
    slowest->len++;
}
