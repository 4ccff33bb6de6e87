#include "flow/retry.h"

#include <math.h>

#include "base/chance.h"
#include "input/request.h"

enum worth {
    NEVER,
    ALWAYS,        /* nothing had been sent */
    IF_REPEATABLE, /* the origin may have done it already */
    IF_HANDSHAKE,
    IF_LISTED
};

static const enum worth table[REASON_COUNT] = {
    [REASON_OK] = NEVER,
    [REASON_HTTP] = IF_LISTED,
    [REASON_DNS] = ALWAYS,
    [REASON_CONNECT] = ALWAYS,
    [REASON_TLS] = IF_HANDSHAKE,
    [REASON_TIMEOUT] = IF_REPEATABLE,
    [REASON_RESET] = IF_REPEATABLE,
    [REASON_PROTOCOL] = NEVER,
    [REASON_REDIRECTS] = NEVER,
    [REASON_TOO_LARGE] = NEVER,
    [REASON_ENCODING] = NEVER,
    [REASON_DENIED] = NEVER,
    [REASON_HOST_DOWN] = NEVER,
    [REASON_INVALID] = NEVER,
    [REASON_CANCELLED] = NEVER,
    [REASON_HALTED] = NEVER,
    [REASON_OUTPUT] = NEVER,
};

void retry_init(struct retry_state *state, uint64_t seed)
{
    *state = (struct retry_state){.dice = seed};
}

void retry_note_try(struct retry_state *state)
{
    state->tries++;
}

bool retry_wants(const struct retry_rules *rules, const struct retry_case *one)
{
    unsigned max = one->own_max >= 0 ? (unsigned)one->own_max : rules->max;
    bool repeatable = rules->all_methods || request_may_repeat(one->method);

    if (one->attempts > max)
        return false;
    switch (table[one->reason]) {
    case NEVER: return false;
    case ALWAYS: return true;
    case IF_REPEATABLE: return repeatable;
    case IF_HANDSHAKE: return one->exitcode == CODE_BROKEN_HANDSHAKE;
    case IF_LISTED: return repeatable && codes_has(&rules->on, one->http_code);
    }
    return false;
}

bool retry_spend(const struct retry_rules *rules, struct retry_state *state)
{
    double budget = fmax(RETRY_BUDGET_FLOOR, rules->budget * (double)state->tries);

    if ((double)state->retries >= budget)
        return false;
    state->retries++;
    return true;
}

double retry_pause(const struct retry_rules *rules, struct retry_state *state, unsigned attempts)
{
    double limit = ldexp(rules->delay, (int)(attempts > 1000 ? 1000 : attempts) - 1);

    return chance_share(&state->dice) * fmin(limit, rules->max_delay);
}
