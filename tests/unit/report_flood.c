#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "base/buf.h"
#include "report/flood.h"

static struct flood flood;
static struct buf line;

static void begin(void)
{
    flood_init(&flood);
    buf_init(&line);
}

static void release(void)
{
    buf_release(&line);
}

TestSuite(flood, .init = begin, .fini = release);

static unsigned show(const char *host, enum reason reason, unsigned times)
{
    unsigned shown = 0;

    for (unsigned i = 0; i < times; i++)
        shown += flood_shows(&flood, host, reason, 100 + i);
    return shown;
}

Test(flood, shows_the_first_of_each_host_and_reason)
{
    cr_expect_eq(show("http://a:80", REASON_HTTP, 8), FLOOD_SHOWN);
    cr_expect_eq(show("http://a:80", REASON_TIMEOUT, 8), FLOOD_SHOWN);
    cr_expect_eq(show("http://b:80", REASON_HTTP, 8), FLOOD_SHOWN);
    cr_expect_eq(show(NULL, REASON_INVALID, 8), FLOOD_SHOWN);
    cr_expect_eq(show("http://a:80", REASON_HTTP, 8), 0);
}

Test(flood, counts_the_rest_once_a_second)
{
    show("http://a:80", REASON_HTTP, FLOOD_SHOWN);
    flood_count(&flood, &line);
    cr_expect_str_empty(line.data);
    cr_expect_eq(flood.due, INFINITY);
    show("http://a:80", REASON_HTTP, 3);
    cr_expect_eq(flood.due, 100 + FLOOD_EACH, "it is due a second after the first of the rest");
    show("http://a:80", REASON_DNS, FLOOD_SHOWN + 1);
    flood_count(&flood, &line);
    cr_expect_str_eq(line.data, "weir: and 4 more failed: 3 http, 1 dns\n");
    cr_expect_eq(flood.due, INFINITY);
    buf_clear(&line);
    flood_count(&flood, &line);
    cr_expect_str_empty(line.data, "what was counted is not counted again");
}

/* Its memory is bounded: of more pairs than it has room for some are shown more often. */
Test(flood, stays_within_its_bound)
{
    char host[32];

    for (unsigned i = 0; i < 10 * FLOOD_SLOTS; i++) {
        snprintf(host, sizeof host, "http://h%u:80", i);
        cr_expect_eq(show(host, REASON_CONNECT, FLOOD_SHOWN + 1), FLOOD_SHOWN);
    }
}
