#include "base/result.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void facts_free(struct facts *facts)
{
    if (!facts)
        return;
    free(facts->content_type);
    free(facts);
}

void result_want_facts(struct result *result)
{
    result->facts = xcalloc(1, sizeof *result->facts);
}

void result_release(struct result *result)
{
    facts_free(result->facts);
    free(result->message);
    free(result->etag);
    free(result->trace_id);
    for (size_t i = 0; i < result->n_passed; i++)
        free(result->passed[i]);
    free(result->passed);
    *result = (struct result){0};
}

void result_restart(struct result *result)
{
    free(result->message);
    free(result->etag);
    result->message = result->etag = NULL;
    result->modified = -1;
    result->is_unmodified = false;
    result->reason = REASON_OK;
    result->exitcode = 0;
    result->http_code = 0;
    result->body_bytes = 0;
    result->starts++;
}

void result_setf(struct result *result, enum reason reason, const char *format, ...)
{
    char *words = NULL;
    va_list arguments;

    va_start(arguments, format);
    int len = vasprintf(&words, format, arguments);
    va_end(arguments);
    if (len < 0)
        out_of_memory();
    free(result->message);
    result->message = words;
    result->reason = reason;
}

void result_pass(struct result *result, char *url)
{
    result->passed = xreallocarray(result->passed, result->n_passed + 1, sizeof(char *));
    result->passed[result->n_passed++] = url;
    result->passed_bytes += strlen(url);
}
