#include "model/request.h"

#include <stdlib.h>

void request_release(struct request *request)
{
    free(request->url);
    free(request->invalid);
    *request = (struct request){0};
}
