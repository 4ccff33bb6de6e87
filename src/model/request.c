#include "model/request.h"

#include <stdlib.h>

#include "base/util.h"

struct detail *detail_new(void)
{
    struct detail *detail = xcalloc(1, sizeof *detail);

    detail->retry = -1;
    return detail;
}

void detail_free(struct detail *detail)
{
    if (!detail)
        return;
    free(detail->source);
    free(detail->id);
    free(detail->context);
    free(detail->group);
    free(detail->method);
    strings_release(&detail->headers);
    free(detail->payload);
    free(detail->output);
    free(detail);
}

void request_release(struct request *request)
{
    free(request->url);
    free(request->invalid);
    detail_free(request->detail);
    *request = (struct request){0};
}
