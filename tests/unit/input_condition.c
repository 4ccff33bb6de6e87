#include "input/condition.h"

#include <criterion/criterion.h>
#include <string.h>

#include "input/request.h"
#include "input/url.h"

static char *names(const char *text)
{
    return (char *)(uintptr_t)text;
}

Test(condition, takes_for_an_etag_what_is_one)
{
    static const char *const good[] = {"\"\"", "\"a\"", "W/\"a\"", "\"a\\b,'*\xc3\xa9\""};
    static const char *const bad[] = {
        "",     "*",       "a",        "\"",     "\"a",      "a\"",        "w/\"a\"",     "W/",
        "W/\"", "\"a b\"", "\"a\"b\"", "\"\t\"", "\"\x7f\"", "\"a\\\"b\"", "\"a\", \"b\""};
    char longest[CONDITION_ETAG_MAX + 1];

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect(condition_is_etag(good[i], strlen(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_not(condition_is_etag(bad[i], strlen(bad[i])), "%s", bad[i]);
    memset(longest, 'x', sizeof longest);
    longest[0] = longest[CONDITION_ETAG_MAX - 1] = '"';
    cr_expect(condition_is_etag(longest, CONDITION_ETAG_MAX));
    longest[CONDITION_ETAG_MAX - 1] = 'x';
    longest[CONDITION_ETAG_MAX] = '"';
    cr_expect_not(condition_is_etag(longest, CONDITION_ETAG_MAX + 1));
}

static void expect_since(int64_t modified, const char *expected)
{
    struct condition condition = {.modified = modified};
    struct buf header;

    buf_init(&header);
    condition_add_if_modified_since(&condition, &header);
    cr_expect_str_eq(header.len ? header.data : "", expected);
    buf_release(&header);
}

Test(condition, says_a_time_as_http_has_it)
{
    expect_since(-1, "");
    expect_since(0, "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT");
    expect_since(784111777, "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT");
    expect_since(CONDITION_TIME_MAX, "If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT");
    expect_since(CONDITION_TIME_MAX + 1, "");
}

static bool fits(const char *method, enum payload_kind kind, const char *header, const char *range)
{
    const struct strings headers = {.at = (char *[]){names(header)}, .len = 1};
    struct request request = {.url = names("http://a/")};
    struct ask ask = {.method = method, .payload_kind = kind};

    return condition_fits(&request, &ask, &headers, range);
}

Test(condition, is_for_those_who_only_get_and_say_no_such_thing_themselves)
{
    static const char *const own[] = {"If-None-Match: a", "if-modified-since: b", "If-Match: c",
                                      "If-Range: d",      "Range: bytes=0-1",     "If-None-Match:"};

    cr_expect(fits("GET", PAYLOAD_NONE, "Accept: a", NULL));
    cr_expect(fits("HEAD", PAYLOAD_NONE, "Accept: a", NULL));
    cr_expect_not(fits("POST", PAYLOAD_NONE, "Accept: a", NULL));
    cr_expect_not(fits("GET", PAYLOAD_BYTES, "Accept: a", NULL));
    cr_expect_not(fits("GET", PAYLOAD_NONE, "Accept: a", "0-1"));
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        cr_expect_not(fits("GET", PAYLOAD_NONE, own[i], NULL), "%s", own[i]);
}

static struct key key_of_one(const char *method, const char *url, const char *header,
                             const char *file)
{
    const struct strings headers = {.at = (char *[]){names(header)}, .len = 1};
    struct request request = {.url = names(url)};
    struct ask ask = {.method = method};

    return condition_key(&request, &ask, &headers, file);
}

static bool is_key(struct key a, struct key b)
{
    return a.high == b.high && a.low == b.low;
}

Test(condition, knows_a_request_by_what_its_answer_depends_on)
{
    struct key key = key_of_one("GET", "http://a/", "Accept: a", "f");

    cr_expect(is_key(key, key_of_one("GET", "http://a/", "Accept: a", "f")));
    cr_expect_not(is_key(key, key_of_one("HEAD", "http://a/", "Accept: a", "f")));
    cr_expect_not(is_key(key, key_of_one("GET", "http://b/", "Accept: a", "f")));
    cr_expect_not(is_key(key, key_of_one("GET", "http://a/", "Accept: b", "f")));
    cr_expect_not(is_key(key, key_of_one("GET", "http://a/", "Accept: a", "g")));
    cr_expect_not(is_key(key, key_of_one("GET", "http://a/", "Accept: a", NULL)));
    cr_expect(is_key(key_of_one("GET", "http://a/", "Authorization: a", NULL),
                     key_of_one("GET", "http://a/", "cookie: b", NULL)));
}

Test(condition, of_another_url_is_of_another_place)
{
    static const char *const texts[] = {"http://a/",  "http://a/b",   "http://a/?b",
                                        "https://a/", "http://a:81/", "http://b/"};
    uint64_t places[sizeof texts / sizeof *texts];
    struct buf err;

    buf_init(&err);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct url *url;
        cr_assert_eq(url_parse(texts[i], "http", &url, &err), 0);
        places[i] = condition_place(url);
        cr_expect_eq(condition_place(url), places[i]);
        url_free(url);
        for (size_t k = 0; k < i; k++)
            cr_expect_neq(places[k], places[i], "%s and %s", texts[k], texts[i]);
    }
    buf_release(&err);
}
