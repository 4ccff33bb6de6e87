#include "input/partial.h"

#include <stdlib.h>

#include "base/util.h"

struct partial *partial_new(const struct key *source, const char *validator, uint64_t total)
{
    struct partial *partial = xcalloc(1, sizeof *partial);

    partial->source = *source;
    partial->validator = xstrdup(validator);
    partial->total = total;
    return partial;
}

void partial_free(struct partial *partial)
{
    if (!partial)
        return;
    free(partial->validator);
    free(partial);
}
