#include <criterion/criterion.h>
#include <limits.h>
#include <math.h>

#include "base/util.h"
#include "flow/retry.h"

enum { ROLLS = 20000 };

static struct retry_rules plain_rules(void)
{
    struct retry_rules rules = {.max = 2, .delay = 0.5, .max_delay = 60, .budget = 0.2};

    codes_add(&rules.on, 429, 429);
    codes_add(&rules.on, 502, 504);
    return rules;
}

/* What is worth another try: of a method that may be repeated, and of one that may not. */
struct worth {
    enum reason reason;
    int exitcode;
    long http_code;
    bool repeatable, other;
};

static const struct worth table[] = {
    {REASON_OK, 0, 200, false, false},
    {REASON_HTTP, 0, 404, false, false},
    {REASON_HTTP, 0, 429, true, false},
    {REASON_HTTP, 0, 501, false, false},
    {REASON_HTTP, 0, 502, true, false},
    {REASON_HTTP, 0, 504, true, false},
    {REASON_HTTP, 0, 505, false, false},
    {REASON_HTTP, 35, 500, false, false},
    {REASON_HTTP, 0, 0, false, false},
    {REASON_HTTP, 0, 5000, false, false},
    {REASON_DNS, 6, 0, true, true},
    {REASON_CONNECT, 7, 0, true, true},
    {REASON_TLS, 35, 0, true, true},
    {REASON_TLS, 60, 0, false, false},
    {REASON_TLS, 58, 0, false, false},
    {REASON_TIMEOUT, 28, 0, true, false},
    {REASON_TIMEOUT, 28, 200, true, false},
    {REASON_RESET, 56, 0, true, false},
    {REASON_RESET, 35, 404, true, false},
    {REASON_PROTOCOL, 8, 429, false, false},
    {REASON_REDIRECTS, 47, 302, false, false},
    {REASON_TOO_LARGE, 63, 200, false, false},
    {REASON_ENCODING, 61, 200, false, false},
    {REASON_DENIED, 1, 0, false, false},
    {REASON_HOST_DOWN, 0, 503, false, false},
    {REASON_INVALID, 3, 0, false, false},
    {REASON_CANCELLED, 0, 503, false, false},
    {REASON_HALTED, 0, 503, false, false},
    {REASON_OUTPUT, 23, 503, false, false},
};

static const char *const repeatable[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
static const char *const others[] = {"POST", "PATCH", "CONNECT", "PROPFIND", "get", ""};

static bool wants(const struct retry_rules *rules, const struct worth *row, const char *method,
                  unsigned attempts, int own_max)
{
    struct retry_case one = {
        .reason = row->reason,
        .exitcode = row->exitcode,
        .http_code = row->http_code,
        .method = method,
        .attempts = attempts,
        .own_max = own_max,
    };

    return retry_wants(rules, &one);
}

Test(retry, has_a_row_for_each_reason)
{
    for (int reason = 0; reason < REASON_COUNT; reason++) {
        bool found = false;
        for (size_t i = 0; i < ARRAY_LEN(table); i++)
            found = found || (int)table[i].reason == reason;
        cr_expect(found, "%s", reason_name((enum reason)reason));
    }
}

Test(retry, judges_by_reason_and_method)
{
    struct retry_rules rules = plain_rules();

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const struct worth *row = &table[i];
        const char *name = reason_name(row->reason);
        for (size_t k = 0; k < ARRAY_LEN(repeatable); k++) {
            cr_expect_eq(wants(&rules, row, repeatable[k], 1, -1), row->repeatable, "%s %d %ld, %s",
                         name, row->exitcode, row->http_code, repeatable[k]);
        }
        for (size_t k = 0; k < ARRAY_LEN(others); k++) {
            cr_expect_eq(wants(&rules, row, others[k], 1, -1), row->other, "%s %d %ld, %s", name,
                         row->exitcode, row->http_code, others[k]);
        }
    }
}

Test(retry, of_all_methods_takes_them_for_repeatable)
{
    struct retry_rules rules = plain_rules();

    rules.all_methods = true;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        for (size_t k = 0; k < ARRAY_LEN(others); k++) {
            cr_expect_eq(wants(&rules, &table[i], others[k], 1, -1), table[i].repeatable, "%s, %s",
                         reason_name(table[i].reason), others[k]);
        }
    }
}

Test(retry, counts_the_attempts_that_were_made)
{
    struct retry_rules rules = plain_rules();

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        for (unsigned attempts = 1; attempts < 6; attempts++) {
            for (int own_max = -1; own_max < 5; own_max++) {
                unsigned max = own_max < 0 ? 2 : (unsigned)own_max;
                bool expected = table[i].repeatable && attempts <= max;
                cr_expect_eq(wants(&rules, &table[i], "GET", attempts, own_max), expected,
                             "%s: %u of %d", reason_name(table[i].reason), attempts, own_max);
            }
        }
    }
    rules.max = 0;
    cr_expect_not(wants(&rules, &table[10], "GET", 1, -1));
    cr_expect(wants(&rules, &table[10], "GET", 1, 1), "the request's own number counts");
    rules.max = UINT_MAX;
    cr_expect(wants(&rules, &table[10], "GET", UINT_MAX, -1));
}

static unsigned spend_all(const struct retry_rules *rules, struct retry_state *state)
{
    unsigned spent = 0;

    while (spent < ROLLS && retry_spend(rules, state))
        spent++;
    return spent;
}

Test(retry, spends_a_share_of_the_first_tries_with_a_floor)
{
    static const struct {
        unsigned tries;
        double budget;
        unsigned spent;
    } cases[] = {
        {1, 0.2, 10},     {49, 0.2, 10}, {50, 0.2, 10},     {55, 0.2, 11}, {100, 0.2, 20},
        {1000, 0.2, 200}, {1000, 0, 10}, {1000, 1.5, 1500}, {0, 0.2, 10},  {56, 0.25, 14},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct retry_rules rules = plain_rules();
        struct retry_state state;
        rules.budget = cases[i].budget;
        retry_init(&state, 1);
        for (unsigned k = 0; k < cases[i].tries; k++)
            retry_note_try(&state);
        unsigned spent = spend_all(&rules, &state);
        cr_expect_eq(spent, cases[i].spent, "%u tries: %u", cases[i].tries, spent);
        cr_expect_not(retry_spend(&rules, &state), "what is refused is not counted");
    }
}

Test(retry, earns_its_budget_as_tries_are_made)
{
    struct retry_rules rules = plain_rules();
    struct retry_state state;

    retry_init(&state, 1);
    cr_assert_eq(spend_all(&rules, &state), 10);
    for (unsigned i = 0; i < 54; i++)
        retry_note_try(&state);
    cr_expect_eq(spend_all(&rules, &state), 1, "the floor is part of the share, not beside it");
    for (unsigned i = 0; i < 46; i++)
        retry_note_try(&state);
    cr_expect_eq(spend_all(&rules, &state), 9);
}

Test(retry, without_a_budget_spends_without_end)
{
    struct retry_rules rules = plain_rules();
    struct retry_state state;

    rules.budget = INFINITY;
    retry_init(&state, 1);
    retry_note_try(&state);
    cr_expect_eq(spend_all(&rules, &state), ROLLS);
}

Test(retry, pauses_anything_up_to_a_limit_that_doubles)
{
    static const unsigned attempts[] = {1, 2, 3, 4, 7, 8, 9, 64, 1000, 1001, 5000, UINT_MAX};
    struct retry_rules rules = plain_rules();
    struct retry_state state;

    retry_init(&state, 1);
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        double limit = fmin(60, attempts[i] > 20 ? 60 : 0.5 * (double)(1U << (attempts[i] - 1)));
        double sum = 0, least = limit, most = 0;
        for (int k = 0; k < ROLLS; k++) {
            double pause = retry_pause(&rules, &state, attempts[i]);
            cr_assert(pause >= 0 && pause < limit, "%u: %g", attempts[i], pause);
            sum += pause;
            least = fmin(least, pause);
            most = fmax(most, pause);
        }
        cr_expect_float_eq(sum / (double)ROLLS, limit / 2, limit * 0.01, "%u: %g", attempts[i],
                           sum / (double)ROLLS);
        cr_expect_lt(least, limit * 0.01);
        cr_expect_gt(most, limit * 0.99);
    }
}

Test(retry, does_not_pause_where_no_pause_is_wanted)
{
    struct retry_rules rules = plain_rules();
    struct retry_state state;

    retry_init(&state, 1);
    rules.delay = 0;
    cr_expect_eq(retry_pause(&rules, &state, 1), 0);
    cr_expect_eq(retry_pause(&rules, &state, UINT_MAX), 0);
    rules = plain_rules();
    rules.max_delay = 0;
    cr_expect_eq(retry_pause(&rules, &state, 5), 0);
}

static void roll_series(uint64_t seed, double *series, size_t len)
{
    struct retry_rules rules = plain_rules();
    struct retry_state state;

    retry_init(&state, seed);
    for (size_t i = 0; i < len; i++)
        series[i] = retry_pause(&rules, &state, 1);
}

/* Runs that meet the same outage do not come back in step; one run is repeatable. */
Test(retry, rolls_another_series_for_each_seed)
{
    enum { SEEDS = 50, LEN = 20 };
    double series[SEEDS][LEN], again[LEN];
    unsigned same = 0;

    for (size_t seed = 0; seed < SEEDS; seed++)
        roll_series(seed, series[seed], LEN);
    roll_series(7, again, LEN);
    for (size_t i = 0; i < LEN; i++) {
        cr_expect_eq(again[i], series[7][i]);
        for (size_t a = 0; a < SEEDS; a++) {
            for (size_t b = 0; b < a; b++)
                same += series[a][i] == series[b][i];
        }
    }
    cr_expect_eq(same, 0);
}
