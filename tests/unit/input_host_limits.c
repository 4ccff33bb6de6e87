#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "input/host_limits.h"

static void set_jobs(struct host_limits *limits, const char *host, unsigned jobs)
{
    cr_assert_eq(host_limits_set_jobs(limits, host, strlen(host), jobs), 0, "%s", host);
}

static void set_interval(struct host_limits *limits, const char *host, double interval)
{
    cr_assert_eq(host_limits_set_interval(limits, host, strlen(host), interval), 0, "%s", host);
}

Test(host_limits, says_nothing_of_hosts_that_were_not_named)
{
    struct host_limits limits = {0};

    cr_expect_eq(host_limits_find(&limits, "http://h:80").jobs, 0);
    set_jobs(&limits, "other", 5);
    struct host_limit found = host_limits_find(&limits, "http://h:80");
    cr_expect_eq(found.jobs, 0);
    cr_expect_eq(found.interval, 0);
    host_limits_release(&limits);
    cr_expect_eq(limits.len, 0);
    host_limits_release(&limits);
}

/* A host as it may be named, and those of the keys below that are meant, as bits. */
Test(host_limits, names_a_host_in_four_forms)
{
    static const char *const keys[] = {
        "http://h.example:80",     "https://h.example:443",   "http://h.example:8080",
        "http://www.h.example:80", "http://h.example.org:80", "http://[::1]:80",
        "http://[::1]:81",         "http://[::11]:80",        "http://10.0.0.1:80",
        "http://10.0.0.10:80",
    };
    static const struct {
        const char *host;
        unsigned meant;
    } cases[] = {
        {"h.example", 0x7},
        {"H.Example", 0x7},
        {"h.example:80", 0x1},
        {"h.example:443", 0x2},
        {"http://h.example", 0x5},
        {"HTTPS://H.EXAMPLE", 0x2},
        {"http://h.example:8080", 0x4},
        {"https://h.example:80", 0},
        {"www.h.example", 0x8},
        {"h.example.org", 0x10},
        {"h.exampl", 0},
        {"example", 0},
        {"h.example:8", 0},
        {"h.example:", 0},
        {"h.example:808", 0},
        {"h.example:080", 0},
        {"ttp://h.example", 0},
        {"http:h.example", 0},
        {"[::1]", 0x60},
        {"[::1]:80", 0x20},
        {"http://[::1]:81", 0x40},
        {"[::11]", 0x80},
        {"10.0.0.1", 0x100},
        {"10.0.0.10:80", 0x200},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct host_limits limits = {0};
        set_jobs(&limits, cases[i].host, 5);
        for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
            unsigned expected = cases[i].meant >> k & 1 ? 5 : 0;
            cr_expect_eq(host_limits_find(&limits, keys[k]).jobs, expected, "'%s' and '%s'",
                         cases[i].host, keys[k]);
        }
        host_limits_release(&limits);
    }
}

/* From the least exact to the most, and each overrides those before, in whatever order they come. */
Test(host_limits, prefers_what_is_more_exact)
{
    static const char *const forms[] = {"h", "http://h", "h:80", "http://h:80"};

    for (unsigned first = 0; first < 4; first++) {
        for (unsigned second = 0; second < 4; second++) {
            struct host_limits limits = {0};
            set_jobs(&limits, forms[first], first + 1);
            set_jobs(&limits, forms[second], second + 1);
            set_interval(&limits, forms[second], second + 1);
            set_interval(&limits, forms[first], first + 1);
            struct host_limit found = host_limits_find(&limits, "http://h:80");
            cr_expect_eq(found.jobs, MAX(first, second) + 1, "%s, %s", forms[first], forms[second]);
            cr_expect_eq(found.interval, MAX(first, second) + 1);
            host_limits_release(&limits);
        }
    }
}

Test(host_limits, finds_each_number_where_it_was_said)
{
    struct host_limits limits = {0};

    set_jobs(&limits, "h", 3);
    set_interval(&limits, "http://h:80", 0.5);
    set_interval(&limits, "h", 2);
    struct host_limit found = host_limits_find(&limits, "http://h:80");
    cr_expect_eq(found.jobs, 3);
    cr_expect_eq(found.interval, 0.5);
    found = host_limits_find(&limits, "https://h:443");
    cr_expect_eq(found.jobs, 3);
    cr_expect_eq(found.interval, 2);
    host_limits_release(&limits);
}

Test(host_limits, keeps_the_last_of_what_is_said_twice)
{
    struct host_limits limits = {0};

    set_jobs(&limits, "h", 3);
    set_interval(&limits, "H", 2);
    set_jobs(&limits, "H", 7);
    set_interval(&limits, "h", 9);
    cr_expect_eq(limits.len, 1);
    struct host_limit found = host_limits_find(&limits, "http://h:80");
    cr_expect_eq(found.jobs, 7);
    cr_expect_eq(found.interval, 9);
    host_limits_release(&limits);
}

Test(host_limits, reads_no_further_than_the_name)
{
    struct host_limits limits = {0};

    cr_assert_eq(host_limits_set_jobs(&limits, "h=5", 1, 5), 0);
    cr_expect_eq(host_limits_find(&limits, "http://h:80").jobs, 5);
    host_limits_release(&limits);
}

Test(host_limits, refuses_what_can_be_no_host)
{
    static const char *const hosts[] = {"",     " ",     " h", "h ",  "a b", "h\t",     "h\n",
                                        "\x01", "h\x7f", "h/", "::1", "*",   "http://", "[::1"};
    struct host_limits limits = {0};

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        size_t len = strlen(hosts[i]);
        cr_expect_eq(host_limits_set_jobs(&limits, hosts[i], len, 5), -EINVAL, "'%s'", hosts[i]);
        cr_expect_eq(host_limits_set_interval(&limits, hosts[i], len, 5), -EINVAL);
    }
    cr_expect_eq(limits.len, 0);
    host_limits_release(&limits);
}

Test(host_limits, knows_a_name_in_each_spelling)
{
    static const char *const hosts[] = {"b\xc3\xbc"
                                        "cher.example",
                                        "http://B\xc3\x9c"
                                        "CHER.example.:80",
                                        "xn--bcher-kva.example."};

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct host_limits limits = {0};
        set_jobs(&limits, hosts[i], 5);
        cr_expect_eq(host_limits_find(&limits, "http://xn--bcher-kva.example:80").jobs, 5, "%s",
                     hosts[i]);
        host_limits_release(&limits);
    }
}
