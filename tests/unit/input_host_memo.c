#include "input/host_memo.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/buf.h"
#include "input/url.h"

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
        {"http:/c.example/x", "http://c.example:80", false},
        {"http:/d.example/x", "http://d.example:80", false},
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

/* ---- what follows a host that is known ---- */

static void learn(const char *text)
{
    find(text);
    find(text);
}

/* Both say the same of every part. */
static void expect_same(const struct url *one, const struct url *other, const char *text)
{
    static void (*const tell[])(const struct url *, struct buf *) = {
        url_add_host, url_add_name_and_port, url_add_host_part, url_add_path, url_add_text,
    };
    struct buf said, wanted;

    buf_init(&said);
    buf_init(&wanted);
    for (size_t i = 0; i < ARRAY_LEN(tell); i++) {
        buf_clear(&said);
        buf_clear(&wanted);
        tell[i](one, &said);
        tell[i](other, &wanted);
        cr_expect_str_eq(said.data, wanted.data, "%s", text);
    }
    buf_release(&said);
    buf_release(&wanted);
}

/* Whether it was put together; where it was, it is what libcurl reads. */
static bool reads(const char *text)
{
    struct url *url = host_memo_read(&memo, text), *wanted = NULL;
    bool was_read = url != NULL;
    struct buf err;

    buf_init(&err);
    if (was_read) {
        cr_assert_eq(url_parse(text, "http", &wanted, &err), 0, "%s", text);
        expect_same(url, wanted, text);
    }
    url_free(wanted);
    url_free(url);
    buf_release(&err);
    return was_read;
}

Test(host_memo, puts_together_what_libcurl_would_read)
{
    static const char *const plain[] = {
        "http://a.example/",
        "http://a.example/x",
        "http://a.example/x/y.z;p=1,2",
        "http://a.example/x?",
        "http://a.example/x?q",
        "http://a.example/?a=b&c=d/e?f",
        "http://a.example//x",
        "http://a.example/x:y@z",
        "http://a.example/~u/!$&'()*+-_",
        "http://a.example/x?u=http://b.example/",
        "http://a.example/x?a=/../b",
    };

    learn("http://a.example/z?q#f");
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        cr_expect(reads(plain[i]), "%s", plain[i]);
}

Test(host_memo, puts_the_user_and_the_port_back)
{
    learn("https://u:p@a.example:8443/z");
    learn("http://127.1/");
    cr_expect(reads("https://u:p@a.example:8443/x?y"));
    cr_expect(reads("http://127.1/x"));
    cr_expect_not(reads("https://a.example:8443/x"));
    cr_expect_not(reads("https://u:q@a.example:8443/x"));
}

Test(host_memo, leaves_what_is_not_plain_to_libcurl)
{
    static const char *const texts[] = {
        "http://a.example",          "http://a.example?q",
        "http://a.example#f",        "http://a.example/x#f",
        "http://a.example/x?q#f",    "http://a.example/a%20b",
        "http://a.example/x?a=%2F",  "http://a.example/x y",
        "http://a.example/\xC3\xA9", "http://a.example/./x",
        "http://a.example/x/..",     "http://a.example/.x",
        "http://a.example\\x",       "http://a.example/x\\y",
        "http://a.example/[x]",      "http://a.example/x?\"",
        "http://a.example/{x}",      "http://a.example/x?a|b",
        "HTTP://a.example/x",        "a.example/x",
        "http://b.example/x",        "httpx/http://a.example/x",
    };

    learn("http://a.example/z");
    learn("httpx/http://a.example/z");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        cr_expect_not(reads(texts[i]), "%s", texts[i]);
}

/* A backslash belongs to the user's name: what is before it is no host. */
Test(host_memo, takes_no_part_of_a_user_for_a_host)
{
    learn("http://a.example\\@b.example/x");
    cr_expect_not(reads("http://a.example/x"));
    cr_expect_str_eq(find("http://a.example/x")->name, "http://a.example:80");
    cr_expect_str_eq(find("http://a.example\\@b.example/y")->name, "http://b.example:80");
    learn("http://%2f\\@a/");
    cr_expect_not(reads("http://%2f/"));
}

/* libcurl loses the zone where it copies a URL. */
Test(host_memo, leaves_a_host_with_a_percent_to_libcurl)
{
    learn("http://[::1%25lo]/x");
    cr_expect_not(reads("http://[::1%25lo]/x"));
    learn("http://%61.example/x");
    cr_expect_not(reads("http://%61.example/x"));
}

Test(host_memo, of_three_slashes_knows_nothing)
{
    cr_expect_str_eq(find("http:///a.example/x")->name, "http://a.example:80");
    cr_expect_str_eq(find("http:///b.example/x")->name, "http://b.example:80");
    cr_expect_not(reads("http:///a.example/x"));
}

/* Whatever stands behind a known host: what is put together is what libcurl reads. */
Test(host_memo, agrees_with_libcurl_on_every_byte)
{
    static const struct {
        const char *before, *after;
    } frames[] = {
        {"http://a.example/", ""},     {"http://a.example/x", "y"}, {"http://a.example/x?", ""},
        {"http://a.example/x?y", "z"}, {"http://a.example/", "/."},
    };
    char text[64];
    int read = 0;

    learn("http://a.example/z");
    for (size_t i = 0; i < ARRAY_LEN(frames); i++)
        for (int c = 1; c < 256; c++) {
            snprintf(text, sizeof text, "%s%c%s", frames[i].before, c, frames[i].after);
            read += reads(text);
        }
    cr_expect_gt(read, 4 * 70);
}

/* What is put together can be changed as what libcurl read can. */
Test(host_memo, what_it_puts_together_can_be_added_to)
{
    static const char *const texts[] = {
        "http://a.example/x",
        "http://a.example/x?y",
        "http://a.example/x/?y",
        "http://a.example/",
    };
    struct url *url, *wanted;
    struct buf err;

    learn("http://a.example/z");
    buf_init(&err);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        url = host_memo_read(&memo, texts[i]);
        cr_assert(url);
        cr_assert_eq(url_parse(texts[i], "http", &wanted, &err), 0);
        url_add_query(url, "a=b");
        url_add_query(wanted, "a=b");
        expect_same(url, wanted, texts[i]);
        url_free(url);
        url = host_memo_read(&memo, texts[i]);
        url_add_file_name(url, "dir/name");
        url_add_query(url, "a=b");
        url_add_file_name(wanted, "dir/name");
        expect_same(url, wanted, texts[i]);
        url_free(url);
        url_free(wanted);
    }
    buf_release(&err);
}

Test(host_memo, what_it_puts_together_leads_on)
{
    static const char *const locations[] = {"y", "?z", "/y?z", "//b.example/", "#f", "../y"};
    struct url *from, *url, *wanted_from, *wanted;
    struct buf err;

    learn("http://a.example/z");
    buf_init(&err);
    from = host_memo_read(&memo, "http://a.example/d/x?q=/r");
    cr_assert(from);
    cr_assert_eq(url_parse("http://a.example/d/x?q=/r", "http", &wanted_from, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(locations); i++) {
        cr_assert_eq(url_resolve(from, locations[i], &url, &err), 0);
        cr_assert_eq(url_resolve(wanted_from, locations[i], &wanted, &err), 0);
        expect_same(url, wanted, locations[i]);
        url_free(url);
        url_free(wanted);
    }
    url_free(from);
    url_free(wanted_from);
    buf_release(&err);
}

/* Whatever was learned: no beginning of it is taken for something else than libcurl would. */
Test(host_memo, agrees_with_libcurl_on_every_beginning)
{
    static const char *const texts[] = {
        "http://a.example\\@b.example/x",
        "http://a.example\\\\@b.example:81/x",
        "http://u:p@a.example@b.example/x",
        "http://a.example:80:81@b.example/x",
        "http://a.example%5c@b.example/x",
        "http://u;o=1:p@a.example/x",
        "http://[::1]@a.example/x",
        "http://[::1%25lo]:81/x",
        "http://127.1/x",
        "http://0x7f.1/x",
        "http://a.example.:80/x",
        "http://a.example:/x",
        "http://\xC3\xA4.example/x",
        "https://a.example:443/x",
        "https:///a.example/x",
        "http://a.example;b.example/x",
    };
    char beginning[128];
    struct buf err;
    int read = 0;

    buf_init(&err);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct url *url = NULL;
        if (url_parse(texts[i], "http", &url, &err) == 0)
            learn(texts[i]);
        url_free(url);
        for (int len = 8; len < (int)strlen(texts[i]); len++) {
            snprintf(beginning, sizeof beginning, "%.*s/x", len, texts[i]);
            read += reads(beginning);
        }
    }
    cr_expect_gt(read, 8);
    buf_release(&err);
}
