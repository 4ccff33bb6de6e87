#include "base/reason.h"

#include <assert.h>

static const char *const names[REASON_COUNT] = {
    [REASON_OK] = "ok",
    [REASON_HTTP] = "http",
    [REASON_DNS] = "dns",
    [REASON_CONNECT] = "connect",
    [REASON_TLS] = "tls",
    [REASON_TIMEOUT] = "timeout",
    [REASON_RESET] = "reset",
    [REASON_PROTOCOL] = "protocol",
    [REASON_REDIRECTS] = "redirects",
    [REASON_TOO_LARGE] = "too_large",
    [REASON_ENCODING] = "encoding",
    [REASON_DENIED] = "denied",
    [REASON_HOST_DOWN] = "host_down",
    [REASON_INVALID] = "invalid",
    [REASON_CANCELLED] = "cancelled",
    [REASON_HALTED] = "halted",
    [REASON_OUTPUT] = "output",
};

const char *reason_name(enum reason reason)
{
    assert(reason < REASON_COUNT);
    return names[reason];
}
