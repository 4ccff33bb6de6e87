#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

enum { ARGS_MAX = 16 };

/* Reads a command line written with one blank between arguments. */
static void must_parse(struct options *options, const char *line)
{
    char *text = xstrdup(line), *rest = text, *argv[ARGS_MAX] = {NULL};
    struct buf err;
    int argc = 0;

    buf_init(&err);
    options_init(options);
    while (rest) {
        cr_assert_lt(argc, ARGS_MAX);
        argv[argc++] = strsep(&rest, " ");
    }
    cr_assert_eq(options_parse(options, argc, argv, &err), 0, "%s: %s", line, err.data);
    free(text);
    buf_release(&err);
}

Test(flow_options, bound_all_hosts_and_single_ones)
{
    struct options options;

    must_parse(&options, "weir --per-host 4 --per-host=a.example=9 --parallel-max-host [::1]:80=2 "
                         "--per-host 5 --per-host https://A.example:443=1");
    cr_expect_eq(options.per_host, 5, "the last counts");
    cr_expect_eq(host_limits_find(&options.host_limits, "http://a.example:80").jobs, 9);
    cr_expect_eq(host_limits_find(&options.host_limits, "https://a.example:443").jobs, 1);
    cr_expect_eq(host_limits_find(&options.host_limits, "http://[::1]:80").jobs, 2);
    cr_expect_eq(host_limits_find(&options.host_limits, "http://b.example:80").jobs, 0);
    options_release(&options);
}

Test(flow_options, say_how_often)
{
    struct options options;

    must_parse(&options, "weir --rate 100/s --host-rate 2/m --host-rate slow=3/d --burst 7 "
                         "--host-rate http://h:80=1/10s");
    cr_expect_float_eq(options.rate, 0.01, 1e-12);
    cr_expect_float_eq(options.host_rate, 30, 0);
    cr_expect_eq(options.burst, 7);
    cr_expect_float_eq(host_limits_find(&options.host_limits, "http://slow:80").interval, 28800, 0);
    cr_expect_float_eq(host_limits_find(&options.host_limits, "http://h:80").interval, 10, 0);
    cr_expect_eq(host_limits_find(&options.host_limits, "http://h:80").jobs, 0);
    options_release(&options);
}

/* Which of the statuses below are tried again after. */
Test(flow_options, list_what_is_tried_again)
{
    static const long codes[] = {404, 408, 425, 429, 500, 501, 502, 503, 504, 599};
    static const struct {
        const char *line, *listed;
    } cases[] = {
        {"weir", "-++++-+++-"},
        {"weir --retry-on 429,500-504", "---++++++-"},
        {"weir --retry-on 404", "+---------"},
        {"weir --retry-on !500", "-+++--+++-"},
        {"weir --retry-on !500,!502-504", "-+++------"},
        {"weir --retry-on !500,404", "++++--+++-"},
        {"weir --retry-on 500-599,!501,!504", "----+-++-+"},
        {"weir --retry-on any,!404", "-+++++++++"},
        {"weir --retry-on 404 --retry-on !404", "----------"},
        {"weir --retry-on 404 --retry-on 599", "---------+"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct options options;
        must_parse(&options, cases[i].line);
        for (size_t k = 0; k < ARRAY_LEN(codes); k++) {
            cr_expect_eq(codes_has(&options.retry_on, codes[k]), cases[i].listed[k] == '+',
                         "%s: %ld", cases[i].line, codes[k]);
        }
        options_release(&options);
    }
}

Test(flow_options, give_retries_a_budget_or_none)
{
    static const struct {
        const char *line;
        double budget;
    } cases[] = {
        {"weir --retry-budget 0%", 0},
        {"weir --retry-budget 5%", 0.05},
        {"weir --retry-budget 250%", 2.5},
        {"weir --retry-budget none", INFINITY},
        {"weir --retry-budget none --retry-budget 10%", 0.1},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct options options;
        must_parse(&options, cases[i].line);
        if (isinf(cases[i].budget))
            cr_expect(isinf(options.retry_budget), "%s", cases[i].line);
        else
            cr_expect_float_eq(options.retry_budget, cases[i].budget, 1e-12, "%s", cases[i].line);
        options_release(&options);
    }
}
