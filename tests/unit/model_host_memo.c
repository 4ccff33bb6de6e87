#include "model/host_memo.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/buf.h"
#include "model/url.h"

static struct host_memo memo;

static const struct host_name *find(const char *text)
{
    struct url *url;
    struct buf err;

    buf_init(&err);
    cr_assert_eq(url_parse(text, "http", &url, &err), 0, "%s: %s", text, err.data);
    buf_release(&err);
    const struct host_name *found = host_memo_find(&memo, text, url);
    url_free(url);
    return found;
}

static void forget(void)
{
    host_memo_release(&memo);
}

TestSuite(host_memo, .fini = forget);

Test(host_memo, says_what_the_url_says)
{
    static const struct {
        const char *text, *name;
        bool numeric;
    } cases[] = {
        {"http://A.example/x", "http://a.example:80", false},
        {"http://a.example", "http://a.example:80", false},
        {"https://a.example/x", "https://a.example:443", false},
        {"http://a.example:8080/x", "http://a.example:8080", false},
        {"http://127.1/x", "http://127.0.0.1:80", true},
        {"http://u:p@127.0.0.1?q", "http://127.0.0.1:80", true},
        {"http://[::1]:81#f", "http://[::1]:81", true},
        {"a.example/x?u=http://b.example/", "http://a.example:80", false},
        {"b.example/x", "http://b.example:80", false},
        {"c.example/x", "http://c.example:80", false},
    };

    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            const struct host_name *found = find(cases[i].text);
            cr_expect_str_eq(found->name, cases[i].name, "%s", cases[i].text);
            cr_expect_eq(found->numeric, cases[i].numeric, "%s", cases[i].text);
        }
}

Test(host_memo, asks_once_for_neighbours)
{
    const char *name = find("http://a.example/1")->name;

    cr_expect_eq(find("http://a.example/2")->name, name);
    cr_expect_eq(find("http://a.example?3")->name, name);
    cr_expect_str_eq(find("http://a.example.org/1")->name, "http://a.example.org:80");
    cr_expect_str_eq(find("http://a.exampl/1")->name, "http://a.exampl:80");
}

Test(host_memo, holds_no_more_than_its_slots)
{
    char text[512], name[512];

    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "http://h%d.example/x", i);
        snprintf(name, sizeof name, "http://h%d.example:80", i);
        cr_assert_str_eq(find(text)->name, name);
    }
    snprintf(text, sizeof text, "http://%0250d:x@long.example/", 0);
    cr_expect_str_eq(find(text)->name, "http://long.example:80");
    cr_expect_null(find(text)->text, "too long to be remembered");
}

Test(host_memo, of_no_text_remembers_nothing)
{
    struct url *url;
    struct buf err;

    find("http://a.example/");
    buf_init(&err);
    cr_assert_eq(url_parse("http://b.example/", "http", &url, &err), 0);
    cr_expect_str_eq(host_memo_find(&memo, NULL, url)->name, "http://b.example:80");
    url_free(url);
    buf_release(&err);
}
