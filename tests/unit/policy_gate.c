#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "policy/gate.h"

#define WALL_NOW 1700000000.0
#define GATE_MAX 3600.0

static struct gate_words read_lines(const char *const *lines, size_t len)
{
    struct gate_words words = {0};

    for (size_t i = 0; i < len && lines[i]; i++)
        gate_read_header(&words, lines[i], strlen(lines[i]));
    return words;
}

/* How long the gate closes after an answer with these two lines. */
static struct gate_verdict judge(long http_code, const char *first, const char *second)
{
    const char *const lines[] = {first, second};
    struct gate_words words = read_lines(lines, first ? ARRAY_LEN(lines) : 0);

    return gate_judge(&words, http_code, 0, WALL_NOW, GATE_MAX);
}

Test(gate, stays_open_where_nothing_is_said)
{
    struct gate_verdict verdict = judge(429, NULL, NULL);

    cr_expect_eq(verdict.seconds, 0);
    cr_expect_not(verdict.was_capped || verdict.was_silly);
}

Test(gate, closes_by_each_spelling_on_any_status)
{
    static const char *const pairs[][2] = {
        {"RateLimit-Remaining: 0", "RateLimit-Reset: 42"},
        {"ratelimit-remaining:0", "ratelimit-reset:42"},
        {"X-RateLimit-Remaining: 0\r\n", "X-RateLimit-Reset: 42\r\n"},
        {"X-Rate-Limit-Remaining: 0", "x-rate-limit-reset:\t42 "},
        {"X-RATELIMIT-RESET: 42", "X-RATELIMIT-REMAINING: 0"},
        {"RateLimit-Remaining: 0.0", "X-RateLimit-Reset: 42.0"},
        {"RateLimit-Remaining: 0;w=60", "RateLimit-Reset: 42;w=60"},
        {"RateLimit-Remaining: 0, 0", "RateLimit-Reset: 42, 42"},
        {"RateLimit: limit=100, remaining=0, reset=42", NULL},
        {"ratelimit:reset=42,remaining=0", NULL},
        {"RATELIMIT: LIMIT=100, REMAINING=0, RESET=42", NULL},
        {"RateLimit: \"default\";r=0;t=42", NULL},
        {"RateLimit: \"default\"; r=0; t=42\r\n", NULL},
        {"RateLimit: default;t=42;r=0", NULL},
        {"RateLimit: \"hour\";r=9;t=3000, \"second\";r=0;t=42", NULL},
        {"RateLimit: \"second\";r=0;t=42, \"hour\";r=9;t=3000", NULL},
        {"RateLimit: \"a\";r=0;t=42, \"b\";r=0;t=7", NULL},
    };
    static const long codes[] = {200, 204, 304, 404, 429, 500, 503};

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        for (size_t k = 0; k < ARRAY_LEN(codes); k++) {
            struct gate_verdict verdict = judge(codes[k], pairs[i][0], pairs[i][1]);
            cr_expect_eq(verdict.seconds, 42, "%s: %g", pairs[i][0], verdict.seconds);
            cr_expect_not(verdict.was_capped || verdict.was_silly, "%s", pairs[i][0]);
        }
    }
}

Test(gate, stays_open_while_something_remains)
{
    static const char *const pairs[][2] = {
        {"RateLimit-Remaining: 1", "RateLimit-Reset: 42"},
        {"RateLimit-Remaining: 0.5", "RateLimit-Reset: 42"},
        {"RateLimit-Remaining: 100", "RateLimit-Reset: 42"},
        {"RateLimit: limit=100, remaining=7, reset=42", NULL},
        {"RateLimit: \"default\";r=7;t=42", NULL},
        {"RateLimit: \"a\";r=7;t=42, \"b\";r=1;t=1", NULL},
        {"RateLimit-Reset: 42", NULL},
        {"RateLimit-Remaining: 0", NULL},
        {"RateLimit: \"default\";r=0", NULL},
        {"RateLimit-Remaining: 0", "RateLimit-Reset: 0"},
    };

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct gate_verdict verdict = judge(429, pairs[i][0], pairs[i][1]);
        cr_expect_eq(verdict.seconds, 0, "%s: %g", pairs[i][0], verdict.seconds);
        cr_expect_not(verdict.was_capped || verdict.was_silly, "%s", pairs[i][0]);
    }
}

Test(gate, does_not_read_what_is_no_count_for_zero)
{
    static const char *const counts[] = {"",    "x",   "-1",  "-0.5", "nan",   "inf",
                                         "0x0", "0x1", "0e5", ".",    "zero0", "0 of 5"};

    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        char line[64];
        snprintf(line, sizeof line, "RateLimit-Remaining: %s", counts[i]);
        cr_expect_eq(judge(200, line, "RateLimit-Reset: 42").seconds, 0, "'%s'", counts[i]);
    }
}

Test(gate, calls_a_reset_that_is_no_time_silly)
{
    static const char *const resets[] = {
        "",
        "soon",
        "-1",
        "-1e300",
        "nan",
        "inf",
        "-inf",
        "0x10",
        "1e300",
        "1e3",
        "12abc",
        ".",
        "1:30",
        "2023-11-14T22:13:20Z",
        "Tue, 14 Nov 2023 22:13:20 GMT",
    };

    for (size_t i = 0; i < ARRAY_LEN(resets); i++) {
        char line[64];
        snprintf(line, sizeof line, "X-RateLimit-Reset: %s", resets[i]);
        struct gate_verdict verdict = judge(200, "X-RateLimit-Remaining: 0", line);
        cr_expect_eq(verdict.seconds, 0, "'%s': %g", resets[i], verdict.seconds);
        cr_expect(verdict.was_silly, "'%s'", resets[i]);
        cr_expect_not(verdict.was_capped, "'%s'", resets[i]);
        verdict = judge(200, "X-RateLimit-Remaining: 9", line);
        cr_expect_not(verdict.was_silly, "'%s' is of no account", resets[i]);
    }
}

Test(gate, reads_a_large_reset_as_a_moment)
{
    static const struct {
        const char *reset;
        double seconds;
        bool capped;
    } cases[] = {
        {"1700000042", 42, false},     {"1700000000", 0, false},
        {"1699999000", 0, false},      {"1700003600", 3600, false},
        {"1700003601", 3600, true},    {"1700000000.5", 0.5, false},
        {"1000000000", 3600, true},    {"1000000001", 0, false},
        {"1700000042000", 3600, true}, {"3600", 3600, false},
        {"3601", 3600, true},          {"999999999999999999999999999999", 3600, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char line[64];
        snprintf(line, sizeof line, "X-RateLimit-Reset: %s", cases[i].reset);
        struct gate_verdict verdict = judge(200, "X-RateLimit-Remaining: 0", line);
        cr_expect_float_eq(verdict.seconds, cases[i].seconds, 1e-6, "%s: %g", cases[i].reset,
                           verdict.seconds);
        cr_expect_eq(verdict.was_capped, cases[i].capped, "%s", cases[i].reset);
        cr_expect_not(verdict.was_silly, "%s", cases[i].reset);
    }
}

Test(gate, heeds_retry_after_on_429_and_503_alone)
{
    static const struct gate_words nothing;
    static const long heeded[] = {429, 503}, others[] = {0, 200, 301, 404, 428, 500, 502, 504};

    for (size_t i = 0; i < ARRAY_LEN(heeded); i++)
        cr_expect_eq(gate_judge(&nothing, heeded[i], 7, WALL_NOW, GATE_MAX).seconds, 7);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct gate_verdict verdict = gate_judge(&nothing, others[i], 7, WALL_NOW, GATE_MAX);
        cr_expect_eq(verdict.seconds, 0, "%ld", others[i]);
        verdict = gate_judge(&nothing, others[i], -7, WALL_NOW, GATE_MAX);
        cr_expect_not(verdict.was_silly, "%ld", others[i]);
    }
}

/* Who reads whole seconds only has passed over the rest. */
Test(gate, is_closed_for_no_less_than_a_part_of_a_second_more)
{
    static const struct {
        const char *line;
        double read, seconds;
    } cases[] = {{"Retry-After: 1.5", 1, 2},
                 {"Retry-After: 0.2", 0, 1},
                 {"Retry-After: 7", 7, 7},
                 {"Retry-After: 0", 0, 0}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct gate_words words = read_lines(&cases[i].line, 1);
        struct gate_verdict verdict = gate_judge(&words, 429, cases[i].read, WALL_NOW, GATE_MAX);
        cr_expect_eq(verdict.seconds, cases[i].seconds, "%s: %g", cases[i].line, verdict.seconds);
        cr_expect_not(verdict.was_silly, "%s", cases[i].line);
    }
}

Test(gate, caps_retry_after_and_calls_the_past_silly)
{
    static const struct gate_words nothing;
    struct gate_verdict verdict = gate_judge(&nothing, 429, 3601, WALL_NOW, GATE_MAX);

    cr_expect_eq(verdict.seconds, GATE_MAX);
    cr_expect(verdict.was_capped && !verdict.was_silly);
    verdict = gate_judge(&nothing, 503, GATE_MAX, WALL_NOW, GATE_MAX);
    cr_expect_eq(verdict.seconds, GATE_MAX);
    cr_expect_not(verdict.was_capped || verdict.was_silly);
    verdict = gate_judge(&nothing, 429, -60, WALL_NOW, GATE_MAX);
    cr_expect_eq(verdict.seconds, 0);
    cr_expect(verdict.was_silly && !verdict.was_capped);
    verdict = gate_judge(&nothing, 429, 7, WALL_NOW, 0);
    cr_expect_eq(verdict.seconds, 0, "no gate is wanted");
    cr_expect(verdict.was_capped);
}

Test(gate, closes_until_the_latest_of_what_is_said)
{
    static const char *const lines[] = {
        "RateLimit-Remaining: 0", "RateLimit-Reset: 5",       "X-RateLimit-Reset: 30",
        "X-Rate-Limit-Reset: 20", "X-RateLimit-Remaining: 3",
    };
    struct gate_words words = read_lines(lines, ARRAY_LEN(lines));

    cr_expect_eq(gate_judge(&words, 200, 0, WALL_NOW, GATE_MAX).seconds, 30);
    cr_expect_eq(gate_judge(&words, 429, 10, WALL_NOW, GATE_MAX).seconds, 30);
    cr_expect_eq(gate_judge(&words, 503, 60, WALL_NOW, GATE_MAX).seconds, 60);
    cr_expect_eq(gate_judge(&words, 200, 60, WALL_NOW, GATE_MAX).seconds, 30);
}

Test(gate, keeps_the_time_that_is_one_beside_a_silly_one)
{
    static const char *const lines[] = {"RateLimit-Remaining: 0", "RateLimit-Reset: soon",
                                        "X-RateLimit-Reset: 30"};
    struct gate_words words = read_lines(lines, ARRAY_LEN(lines));
    struct gate_verdict verdict = gate_judge(&words, 200, 0, WALL_NOW, GATE_MAX);

    cr_expect_eq(verdict.seconds, 30);
    cr_expect(verdict.was_silly);
}

Test(gate, passes_over_other_lines)
{
    static const char *const lines[] = {
        "",
        "\r\n",
        "R",
        "X",
        "RateLimit-Reset",
        "X-RateLimit-Remaining 0",
        "RateLimit-Remaining : 0",
        " RateLimit-Remaining: 0",
        "RateLimit-Remainin: 0",
        "RateLimit-Remainings: 0",
        "XRateLimit-Remaining: 0",
        "X-RateLimit-Remaining-Month: 0",
        "X-RateLimit: remaining=0",
        "RateLimit-Policy: r=0;t=5",
        "Remaining: 0",
        "Retry-After: 5",
        "HTTP/1.1 200 OK",
        ": 0",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        cr_expect_eq(judge(200, lines[i], "RateLimit-Reset: 42").seconds, 0, "%s", lines[i]);
}

/* What is not NUL-terminated, and what is longer than a value can be. */
Test(gate, reads_no_further_than_the_line_and_not_without_end)
{
    char line[100000];
    struct gate_words words = {0};
    const char text[] = "RateLimit-Remaining: 05", text_reset[] = "RateLimit-Reset:";

    gate_read_header(&words, text, sizeof text - 2);
    cr_expect(words.is_empty, "the 5 is not of the line");
    memset(line, ' ', sizeof line);
    memcpy(line, text_reset, sizeof text_reset - 1);
    line[sizeof line - 2] = '4';
    line[sizeof line - 1] = '2';
    gate_read_header(&words, line, sizeof line);
    cr_expect(words.is_silly && !words.has_reset);
    memset(line + 16, '9', sizeof line - 16);
    gate_read_header(&words, line, sizeof line);
    cr_expect(isfinite(words.reset));
    memset(line, 'R', sizeof line);
    gate_read_header(&words, line, sizeof line);
    cr_expect(gate_judge(&words, 200, 0, WALL_NOW, GATE_MAX).was_capped);
}
