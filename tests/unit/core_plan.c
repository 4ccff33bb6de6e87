#include <criterion/criterion.h>
#include <stdio.h>

#include "core/plan.h"
#include "input/host_limits.h"

static struct flow_rules plain_rules(void)
{
    return (struct flow_rules){.jobs = 20, .rate.burst = 1, .host_rate.burst = 1};
}

static void expect_report(const struct plan *plan, const char *expected)
{
    struct buf out;

    buf_init(&out);
    plan_report(plan, &out);
    cr_expect_str_eq(out.data, expected);
    buf_release(&out);
}

Test(plan, of_nothing)
{
    struct flow_rules rules = plain_rules();
    struct plan *plan = plan_new(&rules);

    expect_report(plan, "0 requests to 0 hosts\n0 invalid lines\n"
                        "the limits allow it in 0 s at least\n");
    plan_free(plan);
    plan_free(NULL);
}

Test(plan, counts_requests_hosts_and_invalid_lines)
{
    struct flow_rules rules = plain_rules();
    struct plan *plan = plan_new(&rules);

    plan_add(plan, 1, "http://a:80", NULL);
    plan_add(plan, 2, "http://b:80", NULL);
    plan_add(plan, 3, "http://a:80", NULL);
    plan_add_invalid(plan);
    plan_add_denied(plan);
    expect_report(plan, "3 requests to 2 hosts\n1 invalid line\n1 denied\n"
                        "the limits allow it in 0 s at least\n");
    plan_free(plan);
}

Test(plan, knows_the_least_time)
{
    struct host_limits own = {0};
    struct flow_rules rules = plain_rules();

    rules.rate.interval = 0.1;
    rules.rate.burst = 3;
    rules.host_rate.interval = 1;
    rules.host_rate.burst = 3;
    rules.own = &own;
    cr_assert_eq(host_limits_set_interval(&own, "slow", 4, 10), 0);
    struct plan *plan = plan_new(&rules);
    for (uint64_t i = 0; i < 103; i++)
        plan_add(plan, i, "http://a:80", NULL);
    expect_report(plan, "103 requests to 1 host\n0 invalid lines\n"
                        "the limits allow it in 100 s at least, for http://a:80\n");
    for (uint64_t i = 0; i < 23; i++)
        plan_add(plan, i, "http://slow:80", NULL);
    expect_report(plan, "126 requests to 2 hosts\n0 invalid lines\n"
                        "the limits allow it in 3 min 20 s at least, for http://slow:80\n");
    plan_free(plan);
    host_limits_release(&own);
}

Test(plan, shows_the_first_names_that_clash)
{
    struct flow_rules rules = plain_rules();
    struct plan *plan = plan_new(&rules);
    char name[16];

    for (uint64_t i = 1; i <= 14; i++) {
        snprintf(name, sizeof name, "f%d\033", (int)(i % 7));
        plan_add(plan, i, "http://a:80", name);
    }
    expect_report(plan, "14 requests to 1 host\n0 invalid lines\n"
                        "7 file names taken already:\n"
                        "  requests 1 and 8: f1\\x1b\n  requests 2 and 9: f2\\x1b\n"
                        "  requests 3 and 10: f3\\x1b\n  requests 4 and 11: f4\\x1b\n"
                        "  requests 5 and 12: f5\\x1b\n"
                        "the limits allow it in 0 s at least\n");
    plan_free(plan);
}

Test(plan, says_where_it_stopped_looking)
{
    struct flow_rules rules = plain_rules();
    struct plan *plan = plan_new(&rules);
    char host[32];

    for (int i = 0; i < PLAN_HOSTS_MAX + 7; i++) {
        snprintf(host, sizeof host, "http://h%d:80", i);
        plan_add(plan, (uint64_t)i, host, NULL);
    }
    expect_report(plan, "100007 requests to 100000 hosts\n"
                        "  not looked at: the hosts of 7 requests, after the first 100000 hosts\n"
                        "0 invalid lines\nthe limits allow it in 0 s at least\n");
    plan_free(plan);
}

Test(plan, tells_long_times_in_units_that_are_read)
{
    static const struct {
        double interval;
        const char *words;
    } times[] = {{0.25, "0.25 s"},
                 {11, "11 s"},
                 {1234, "20 min 34 s"},
                 {36000, "10 h 0 min"},
                 {266400, "3 d 2 h"}};

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct flow_rules rules = plain_rules();
        char expected[128];
        rules.rate.interval = times[i].interval;
        struct plan *plan = plan_new(&rules);
        plan_add(plan, 1, "http://a:80", NULL);
        plan_add(plan, 2, "http://a:80", NULL);
        snprintf(expected, sizeof expected,
                 "2 requests to 1 host\n0 invalid lines\nthe limits allow it in %s at least\n",
                 times[i].words);
        expect_report(plan, expected);
        plan_free(plan);
    }
}
