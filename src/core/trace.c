#include "core/trace.h"

#include <stdio.h>

#include "base/chance.h"

void trace_init(struct trace_source *source)
{
    *source =
        (struct trace_source){.high = chance_seed(), .low = chance_seed(), .span = chance_seed()};
}

/* Neither an id nor a span may be nothing but zeros. */
static unsigned long long roll(uint64_t *state)
{
    uint64_t number = chance_roll(state);

    return number ? number : 1;
}

void trace_begin(struct trace_source *source, char id[TRACE_ID_SIZE])
{
    snprintf(id, TRACE_ID_SIZE, "%016llx%016llx", roll(&source->high), roll(&source->low));
}

void trace_header(struct trace_source *source, const char *id, char header[TRACE_HEADER_SIZE])
{
    snprintf(header, TRACE_HEADER_SIZE, "traceparent: 00-%s-%016llx-01", id, roll(&source->span));
}
