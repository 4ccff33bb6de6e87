#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/http_date.h"

Test(http_date, is_read_in_its_three_forms)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"sun, 06 nov 1994 08:49:37 GMT", 784111777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
        {"Tue, 14 Nov 2023 22:13:20 GMT", 1700000000},
        {"Wed Nov 30 19:40:00 2026", 1796067600},
        {"Thursday, 01-Jan-70 00:00:00 GMT", 0},
        {"Saturday, 01-Jan-69 00:00:00 GMT", 3124224000},
        {"Thu, 29 Feb 2024 23:59:60 GMT", 1709251200},
        {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t seconds = 7;
        cr_expect_eq(http_date_read(cases[i].text, &seconds), 0, "%s", cases[i].text);
        cr_expect_eq(seconds, cases[i].seconds, "%s: %lld", cases[i].text, (long long)seconds);
    }
}

/* A week is no multiple of any other part of a date. */
Test(http_date, agrees_with_the_library_on_every_seventh_day)
{
    for (time_t then = 0; then < INT64_C(5000000000); then += 7 * 86400 + 3661) {
        char text[64];
        struct tm parts;
        int64_t seconds = -1;
        gmtime_r(&then, &parts);
        cr_assert(strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
        cr_assert_eq(http_date_read(text, &seconds), 0, "%s", text);
        cr_assert_eq(seconds, then, "%s: %lld", text, (long long)seconds);
    }
}

Test(http_date, is_nothing_else)
{
    static const char *const texts[] = {
        "",
        "x",
        "0",
        "120",
        "2026-11-30T19:40:00Z",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Thu, 31 Nov 1994 08:49:37 GMT",
        "Tue, 29 Feb 2100 08:49:37 GMT",
        "Wed, 29 Feb 2023 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Fun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t seconds = 7;
        cr_expect_eq(http_date_read(texts[i], &seconds), -EINVAL, "%s", texts[i]);
        cr_expect_eq(seconds, 7, "%s", texts[i]);
    }
}
