#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "fetch/gate.h"

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

    return gate_judge(&words, http_code, WALL_NOW, GATE_MAX);
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
        {"RateLimit: \"a;r=9;t=9,b\";r=0;t=42", NULL},
        {"RateLimit: \"a\\\";r=9,\";r=0;t=42", NULL},
        {"X-RateLimit-Remaining: 0", "X-RateLimit-Reset-After: 42"},
        {"X-RateLimit-Reset-After: 42.000", "X-RateLimit-Remaining: 0"},
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
        {"RateLimit: \"a;r=0;t=42\";r=7;t=42", NULL},
        {"X-RateLimit-Reset-After: 42", NULL},
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
        {"1700000042", 42, false},
        {"1700000000", 0, false},
        {"1699999000", 0, false},
        {"1700003600", 3600, false},
        {"1700003601", 3600, true},
        {"1700000000.5", 0.5, false},
        {"1000000000", 3600, true},
        {"1000000001", 0, false},
        {"1700000042000", 42, false},
        {"3600", 3600, false},
        {"1700000000500", 0.5, false},
        {"1699999000000", 0, false},
        {"0.9", 0.9, false},
        {"1.25", 1.25, false},
        {"1700003601000", 3600, true},
        {"3601", 3600, true},
        {"999999999999999999999999999999", 3600, true},
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
    static const char *const lines[] = {"Retry-After: 7",
                                        "retry-after:7",
                                        "RETRY-AFTER:\t7 \r\n",
                                        "Retry-After-Ms: 7000",
                                        "retry-after-ms: 7000.0",
                                        "Retry-After: Tue, 14 Nov 2023 22:13:27 GMT",
                                        "Retry-After: Tuesday, 14-Nov-23 22:13:27 GMT",
                                        "Retry-After: Tue Nov 14 22:13:27 2023\r\n"};
    static const long heeded[] = {429, 503}, others[] = {0, 200, 301, 404, 428, 500, 502, 504};

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        for (size_t k = 0; k < ARRAY_LEN(heeded); k++) {
            struct gate_verdict verdict = judge(heeded[k], lines[i], NULL);
            cr_expect_float_eq(verdict.seconds, 7, 1e-9, "%s: %g", lines[i], verdict.seconds);
            cr_expect_not(verdict.was_capped || verdict.was_silly, "%s", lines[i]);
        }
        for (size_t k = 0; k < ARRAY_LEN(others); k++)
            cr_expect_eq(judge(others[k], lines[i], NULL).seconds, 0, "%ld", others[k]);
    }
    cr_expect_not(judge(404, "Retry-After: -7", NULL).was_silly);
}

Test(gate, reads_nothing_in_retry_after_but_digits_and_dates)
{
    static const char *const values[] = {
        "",
        "soon",
        "-7",
        "+7",
        "0.9",
        "7.5",
        "7,5",
        "7, 8",
        "7;x=1",
        "7 s",
        "1e3",
        "0x7",
        "inf",
        "2026-11-30T19:40:00Z",
        "20261130",
        "2023-11-14",
        "Tue, 14 Nov 2023 22:13:27",
        "Tue, 14 Nov 2023 22:13:27 +0000",
        "14 Nov 2023 22:13:27 GMT",
        "Tue, 14 Nov 2023 22:13:27 GMT x",
        "22:13:27",
        "tomorrow",
    };

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        char line[64];
        snprintf(line, sizeof line, "Retry-After: %s", values[i]);
        struct gate_verdict verdict = judge(429, line, NULL);
        bool is_number = strcmp(values[i], "20261130") == 0;
        cr_expect_eq(verdict.seconds, is_number ? GATE_MAX : 0, "'%s': %g", values[i],
                     verdict.seconds);
        cr_expect_neq(verdict.was_silly, is_number, "'%s'", values[i]);
    }
}

/* The decimal point is a dot, whatever the locale. */
Test(gate, reads_parts_of_a_second_in_any_locale)
{
    static const struct {
        const char *line;
        double seconds;
    } cases[] = {
        {"retry-after-ms: 1500", 1.5},
        {"retry-after-ms: 20.5", 0.0205},
        {"retry-after-ms: 0.5", 0.0005},
    };
    static const char *const locales[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"};

    for (size_t k = 0; k < ARRAY_LEN(locales); k++) {
        setlocale(LC_ALL, locales[k]); /* where there is none of that name all stays as it is */
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct gate_verdict verdict = judge(503, cases[i].line, NULL);
            cr_expect_float_eq(verdict.seconds, cases[i].seconds, 1e-9, "%s: %g", cases[i].line,
                               verdict.seconds);
            cr_expect_not(verdict.was_silly, "%s", cases[i].line);
        }
        cr_expect_float_eq(
            judge(200, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset-After: 0.9").seconds, 0.9,
            1e-9);
        cr_expect_float_eq(judge(200, "RateLimit-Remaining: 0", "RateLimit-Reset: 0.9").seconds,
                           0.9, 1e-9);
    }
}

/* Both stand in the answers of some servers. */
Test(gate, takes_a_moment_and_a_time_for_what_they_are)
{
    static const char *const lines[] = {"X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1700000005",
                                        "X-RateLimit-Reset-After: 4.5"};
    struct gate_words words = read_lines(lines, ARRAY_LEN(lines));

    cr_expect_eq(gate_judge(&words, 200, WALL_NOW, GATE_MAX).seconds, 5);
    cr_expect_eq(gate_judge(&words, 200, WALL_NOW + 4, GATE_MAX).seconds, 4.5);
    cr_expect(judge(200, lines[0], "X-RateLimit-Reset-After: 1700000005").was_capped);
}

Test(gate, caps_retry_after_and_calls_the_past_silly)
{
    struct gate_verdict verdict = judge(429, "Retry-After: 3601", NULL);

    cr_expect_eq(verdict.seconds, GATE_MAX);
    cr_expect(verdict.was_capped && !verdict.was_silly);
    verdict = judge(503, "Retry-After: 3600", NULL);
    cr_expect_eq(verdict.seconds, GATE_MAX);
    cr_expect_not(verdict.was_capped || verdict.was_silly);
    verdict = judge(429, "Retry-After: Tue, 14 Nov 2023 22:13:20 GMT", NULL);
    cr_expect_eq(verdict.seconds, 0);
    cr_expect(verdict.was_silly && !verdict.was_capped);
    verdict = judge(429, "Retry-After: Thu, 01 Jan 1970 00:00:00 GMT", NULL);
    cr_expect(verdict.was_silly && verdict.seconds == 0);
    verdict = judge(429, "Retry-After: 0", NULL);
    cr_expect(!verdict.was_silly && verdict.seconds == 0);
    verdict = judge(429, "Retry-After: 99999999999999999999999999999999999999999999", NULL);
    cr_expect(verdict.was_capped && verdict.seconds == GATE_MAX);
    struct gate_words words = {.pause = {.is_said = true, .seconds = 7}};
    verdict = gate_judge(&words, 429, WALL_NOW, 0);
    cr_expect_eq(verdict.seconds, 0, "no gate is wanted");
    cr_expect(verdict.was_capped);
}

Test(gate, is_concerned_where_something_is_said_that_may_close_it)
{
    static const struct {
        const char *line;
        bool is;
    } cases[] = {
        {"Date: now", false},          {"RateLimit-Remaining: 1", false},
        {"RateLimit-Reset: 1", false}, {"RateLimit-Remaining: 0", true},
        {"Retry-After: 1", true},      {"Retry-After: soon", true},
        {"retry-after-ms: 1", true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct gate_words words = read_lines(&cases[i].line, 1);
        cr_expect_eq(gate_is_concerned(&words), cases[i].is, "%s", cases[i].line);
    }
}

Test(gate, closes_until_the_latest_of_what_is_said)
{
    static const char *const lines[] = {
        "RateLimit-Remaining: 0", "RateLimit-Reset: 5",       "X-RateLimit-Reset: 30",
        "X-Rate-Limit-Reset: 20", "X-RateLimit-Remaining: 3",
    };
    struct gate_words words = read_lines(lines, ARRAY_LEN(lines));

    cr_expect_eq(gate_judge(&words, 200, WALL_NOW, GATE_MAX).seconds, 30);
    gate_read_header(&words, "Retry-After: 10", 15);
    cr_expect_eq(gate_judge(&words, 429, WALL_NOW, GATE_MAX).seconds, 30);
    gate_read_header(&words, "Retry-After: 60", 15);
    gate_read_header(&words, "Retry-After: 20", 15);
    cr_expect_eq(gate_judge(&words, 503, WALL_NOW, GATE_MAX).seconds, 60);
    cr_expect_eq(gate_judge(&words, 200, WALL_NOW, GATE_MAX).seconds, 30);
}

Test(gate, keeps_the_time_that_is_one_beside_a_silly_one)
{
    static const char *const lines[] = {"RateLimit-Remaining: 0", "RateLimit-Reset: soon",
                                        "X-RateLimit-Reset: 30"};
    struct gate_words words = read_lines(lines, ARRAY_LEN(lines));
    struct gate_verdict verdict = gate_judge(&words, 200, WALL_NOW, GATE_MAX);

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
        "Retry-Afters: 5",
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
    cr_expect(words.reset.is_silly && words.reset.seconds == 0);
    memset(line + 16, '9', sizeof line - 16);
    gate_read_header(&words, line, sizeof line);
    cr_expect(isfinite(words.reset.moment));
    memset(line, 'R', sizeof line);
    gate_read_header(&words, line, sizeof line);
    cr_expect(gate_judge(&words, 200, WALL_NOW, GATE_MAX).was_capped);
}
