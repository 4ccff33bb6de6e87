#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/result.h"
#include "report/busiest.h"

static struct busiest busiest;

static void release(void)
{
    busiest_release(&busiest);
}

TestSuite(busiest, .fini = release);

static void note(const char *host, enum reason reason, unsigned attempts)
{
    struct result result = {.reason = reason, .attempts = attempts, .body_bytes = 10};

    busiest_note(&busiest, host, &result);
}

static void note_numbered(unsigned number)
{
    char host[32];

    snprintf(host, sizeof host, "http://h%u:80", number);
    note(host, REASON_OK, 1);
}

Test(busiest, counts_what_became_of_a_host_s_requests)
{
    note("http://a:80", REASON_OK, 1);
    note("http://b:80", REASON_OK, 3);
    note("http://a:80", REASON_HTTP, 2);
    note("http://a:80", REASON_INVALID, 0);
    cr_assert_eq(busiest.top.len, 2);
    cr_expect_str_eq(busiest.hosts[0].name, "http://a:80");
    cr_expect_eq(busiest.hosts[0].ok, 1);
    cr_expect_eq(busiest.hosts[0].failed, 2);
    cr_expect_eq(busiest.hosts[0].retried, 1);
    cr_expect_eq(busiest.hosts[0].bytes, 30);
    cr_expect_eq(busiest.hosts[1].retried, 2);
}

Test(busiest, times_only_what_was_answered)
{
    struct facts facts = {.total = 0.25};
    struct result result = {.facts = &facts};

    busiest_note(&busiest, "a", &result);
    cr_expect_eq(busiest.hosts[0].totals.count, 0);
    result.http_code = 200;
    busiest_note(&busiest, "a", &result);
    cr_expect_eq(busiest.hosts[0].totals.count, 1);
    cr_expect_eq(busiest.hosts[0].totals.max, 0.25);
}

Test(busiest, are_told_in_their_order)
{
    size_t order[BUSIEST_MAX];

    note("one", REASON_OK, 1);
    for (int i = 0; i < 3; i++)
        note("three", REASON_OK, 1);
    for (int i = 0; i < 2; i++)
        note("two", REASON_OK, 1);
    cr_assert_eq(top_k_order(busiest.top.weights, busiest.top.len, order, BUSIEST_MAX), 3);
    cr_expect_str_eq(busiest.hosts[order[0]].name, "three");
    cr_expect_str_eq(busiest.hosts[order[1]].name, "two");
    cr_expect_str_eq(busiest.hosts[order[2]].name, "one");
}

Test(busiest, stay_among_more_hosts_than_there_is_room_for)
{
    size_t order[BUSIEST_MAX];

    for (unsigned i = 0; i < 100 * BUSIEST_MAX; i++) {
        note_numbered(i + 10);
        if (i % 10 == 0)
            note_numbered(1);
    }
    cr_expect_eq(top_k_order(busiest.top.weights, busiest.top.len, order, BUSIEST_MAX),
                 BUSIEST_MAX);
    const struct busy_host *first = &busiest.hosts[order[0]];
    cr_expect_str_eq(first->name, "http://h1:80");
    cr_expect_eq(first->ok, (uint64_t)10 * BUSIEST_MAX);
    cr_expect_eq(first->missed, 0);
    cr_expect_gt(busiest.top.turned_out, 0);
    for (size_t i = 1; i < BUSIEST_MAX; i++)
        cr_expect_gt(busiest.hosts[order[i]].missed, 0);
}

Test(busiest, keeps_no_more_of_a_name_than_it_says)
{
    char name[BUSIEST_NAME_MAX + 10];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    note(name, REASON_OK, 1);
    note(name, REASON_OK, 1);
    cr_expect_eq(busiest.top.len, 1);
    cr_expect_eq(strlen(busiest.hosts[0].name), BUSIEST_NAME_MAX);
}
