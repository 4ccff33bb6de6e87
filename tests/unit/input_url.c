#include <criterion/criterion.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "input/url.h"
#include "libcurl.h"

typedef void adder(const struct url *, struct buf *);

static char *text_of(adder *add, const struct url *url)
{
    struct buf out;

    buf_init(&out);
    add(url, &out);
    return buf_take(&out);
}

static struct url *parse(const char *text, const char *scheme)
{
    struct url *url = NULL;
    struct buf err;

    buf_init(&err);
    cr_assert_eq(url_parse(text, scheme, &url, &err), 0, "%s: %s", text, err.data);
    buf_release(&err);
    return url;
}

Test(url, names_its_host_in_lower_case_with_its_port)
{
    static const struct {
        const char *text, *scheme, *host;
    } cases[] = {
        {"http://h/", "http", "http://h:80"},
        {"https://h", "http", "https://h:443"},
        {"h", "http", "http://h:80"},
        {"h", "https", "https://h:443"},
        {"h/a:b@c", "http", "http://h:80"},
        {"h:8080", "http", "http://h:8080"},
        {"localhost:8080/x://y", "http", "http://localhost:8080"},
        {"HTTP://Example.ORG/Path", "http", "http://example.org:80"},
        {"https://EXAMPLE.org:443/", "http", "https://example.org:443"},
        {"http://h:80/", "http", "http://h:80"},
        {"http://h:443/", "http", "http://h:443"},
        {"http://user:pass@h/", "http", "http://h:80"},
        {"http://[::1]/", "http", "http://[::1]:80"},
        {"[::1]:81/", "http", "http://[::1]:81"},
        {"http://[2001:DB8::A]:8080/", "http", "http://[2001:db8::a]:8080"},
        {"http://127.0.0.1/", "http", "http://127.0.0.1:80"},
        {"http://h?q", "http", "http://h:80"},
        {"http://h#f", "http", "http://h:80"},
        {"http:/h/x", "http", "http://h:80"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url *url = parse(cases[i].text, cases[i].scheme);
        char *host = text_of(url_add_host, url), *name = text_of(url_add_name_and_port, url);
        cr_expect_str_eq(host, cases[i].host, "%s: %s", cases[i].text, host);
        cr_expect_str_eq(name, strstr(cases[i].host, "://") + 3, "%s: %s", cases[i].text, name);
        free(host);
        free(name);
        url_free(url);
    }
}

Test(url, is_written_as_libcurl_writes_it)
{
    static const char *const texts[] = {
        "http://h",
        "HTTPS://Example.ORG",
        "http://h/",
        "http://h:80/",
        "http://h:8080",
        "http://h:0080/a",
        "http://h?",
        "http://h?q",
        "http://h/?q=a%20b&c=%c3%a9+d",
        "http://h/#",
        "http://h/a?b#c",
        "http://h/a?#c",
        "http://user@h/",
        "http://user:@h/",
        "http://:pass@h/",
        "http://user:pass@h:81/a",
        "http://h/a/../b/./c",
        "http://h//a//",
        "http://127.1/",
        "http://0x7f.0.0.1:1/",
        "http://[::1]/",
        "http://[::1]:81/a?b",
        "http://[fe80::1%25lo]/",
        "http://[fe80::1%lo]:82/",
        "http://h%41.example/",
        "http://h./",
        "ftp://h/a;type=a",
        "file:///etc/hosts",
        "file://localhost/etc/hosts",
        "gopher://h/1a",
        "imap://user;AUTH=PLAIN@h/box",
        "some://h/a?b",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        /* libcurl 7.88 writes a % in the host anew into what it reads: so two of them. */
        struct url *url = parse(texts[i], "http"), *other = parse(texts[i], "http");
        char *text = text_of(url_add_text, url), *theirs = NULL;
        cr_assert_eq(
            curl_url_get(url_handle(other), CURLUPART_URL, &theirs, CURLU_NON_SUPPORT_SCHEME),
            CURLUE_OK);
        cr_expect_str_eq(text, theirs, "%s: %s, not %s", texts[i], text, theirs);
        curl_free(theirs);
        free(text);
        url_free(other);
        url_free(url);
    }
}

Test(url, keeps_a_question_mark_with_nothing_behind_it)
{
    static const struct {
        const char *base, *location, *text;
    } cases[] = {
        {"http://h/x?", NULL, "http://h/x?"},         {"http://h?", NULL, "http://h/?"},
        {"http://u:p@h/x?", NULL, "http://u:p@h/x?"}, {"http://h/x?#f", NULL, "http://h/x?#f"},
        {"http://h/x??", NULL, "http://h/x??"},       {"http://h/a/b", "y?", "http://h/a/y?"},
        {"http://h/a?q", "?", "http://h/a?"},         {"http://h/a/b?", "y", "http://h/a/y"},
    };
    struct buf err;

    buf_init(&err);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url *url = parse(cases[i].base, "http"), *next;
        if (cases[i].location) {
            cr_assert_eq(url_resolve(url, cases[i].location, &next, &err), 0);
            url_free(url);
            url = next;
        }
        char *text = text_of(url_add_text, url);
        cr_expect_str_eq(text, cases[i].text, "%s %s: %s", cases[i].base, cases[i].text, text);
        free(text);
        url_free(url);
    }
    buf_release(&err);
}

Test(url, is_the_same_host_however_it_is_written)
{
    static const char *const texts[] = {"http://a.example/x", "HTTP://A.Example:80/y?z",
                                        "a.EXAMPLE", "http://u@a.example#f"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct url *url = parse(texts[i], "http");
        char *host = text_of(url_add_host, url);
        cr_expect_str_eq(host, "http://a.example:80", "%s", texts[i]);
        free(host);
        url_free(url);
    }
}

Test(url, of_a_file_survives_its_own_text)
{
    static const char *const texts[] = {"file:///", "file:/#a", "file:///a?b"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct url *url = parse(texts[i], "http");
        char *text = text_of(url_add_text, url);
        struct url *again = parse(text, "http");
        char *same = text_of(url_add_text, again);
        cr_expect_str_eq(text, same);
        cr_expect_eq(strncmp(text, "file:///", 8), 0, "%s", text);
        free(text);
        free(same);
        url_free(url);
        url_free(again);
    }
}

/* Else each spelling is a host of its own to the limits, and no name that libcurl looked up. */
Test(url, has_one_spelling_of_a_host)
{
    static const struct {
        const char *text, *host;
    } cases[] = {
        {"http://b\xC3\xBC"
         "cher.example/x",
         "http://xn--bcher-kva.example:80"},
        {"http://B\xC3\x9C"
         "CHER.example/x",
         "http://xn--bcher-kva.example:80"},
        {"http://bu\xCC\x88"
         "cher.example/",
         "http://xn--bcher-kva.example:80"},
        {"http://b%C3%BCcher.example", "http://xn--bcher-kva.example:80"},
        {"http://xn--bcher-kva.example./", "http://xn--bcher-kva.example:80"},
        {"http://b\xC3\xBC"
         "cher\xE3\x80\x82"
         "example:81/",
         "http://xn--bcher-kva.example:81"},
        {"http://\xEF\xBD\x88.example/", "http://h.example:80"},
        {"http://h.example./", "http://h.example:80"},
        {"http://h.example.:8080?q", "http://h.example:8080"},
        {"http://fa\xC3\x9F.example/", "http://xn--fa-hia.example:80"},
        {"http://\xEF\xBC\x91.2.3.4/", "http://1.2.3.4:80"},
        {"http://\xEF\xBC\x90x7f.1/", "http://127.0.0.1:80"},
        {"http://1.2.3.4./", "http://1.2.3.4:80"},
        {"http://a_b.example/", "http://a_b.example:80"},
        {"http://\xC3\xBC_a.example/", "http://xn--_a-wka.example:80"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url *url = parse(cases[i].text, "http"), *base = parse("http://h/", "http"), *next;
        struct buf err;
        buf_init(&err);
        cr_assert_eq(url_resolve(base, strstr(cases[i].text, "://") + 1, &next, &err), 0);
        char *host = text_of(url_add_host, url), *text = text_of(url_add_text, url);
        char *hop = text_of(url_add_host, next);
        cr_expect_str_eq(host, cases[i].host, "%s: %s", cases[i].text, host);
        cr_expect_eq(strncmp(text, host, strlen("http://h")), 0, "%s: %s", cases[i].text, text);
        cr_expect_str_eq(hop, cases[i].host, "%s: %s", cases[i].text, hop);
        free(host);
        free(text);
        free(hop);
        buf_release(&err);
        url_free(url);
        url_free(base);
        url_free(next);
    }
}

Test(url, keeps_all_else_as_its_host_is_spelled_anew)
{
    struct url *url = parse("https://u%40:p@H\xC3\x9C.example.:81/A%2fb?q=1&x#f", "http");
    char *text = text_of(url_add_text, url);

    cr_expect_str_eq(text, "https://u%40:p@xn--h-eha.example:81/A%2fb?q=1&x#f");
    free(text);
    url_free(url);
}

Test(url, writes_blanks_and_letters_beyond_ascii_as_browsers_do)
{
    static const char *const cases[][2] = {
        {"http://h/a b", "http://h/a%20b"},
        {"h/a b?c d", "http://h/a%20b?c%20d"},
        {"http://h?c d", "http://h/?c%20d"},
        {"http:/h/ ", "http://h/%20"},
        {"http://h/\xC3\xBC?\xC3\xA4=\xC3\xB6+1", "http://h/%C3%BC?%C3%A4=%C3%B6+1"},
        {"http://b\xC3\xBC"
         "cher.example/ %20%c3",
         "http://xn--bcher-kva.example/%20%20%c3"},
        {"http://[::1]:81/a:b @c/d", "http://[::1]:81/a:b%20@c/d"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url *url = parse(cases[i][0], "http");
        char *text = text_of(url_add_text, url);
        cr_expect_str_eq(text, cases[i][1], "%s: %s", cases[i][0], text);
        free(text);
        url_free(url);
    }
}

/* From 8.0 on libcurl names no part that a blank or a control character is in. */
Test(url, that_cannot_be_read_is_told_by_the_part_that_is_wrong)
{
    static const char *const cases[][2] = {
        {"http://", "there is no host"},
        {"http://h:99999/", "the port, "},
        {"http://h:x/", "the port, "},
        {"javascript:alert(1)", "the port, "},
        {"http://[::1", "in brackets, is no"},
        {"[1]", "in brackets, is no"},
        {"http://a b/", "the host holds"},
        {"http://h/a\tb", "the path holds"},
        {"http://h/?a\x01", "the query, "},
        {"http://h/#a\x01", "the fragment, "},
        {"http://u\x01:p@h/", "control character"},
        {"http://u:p\x01@h/", "control character"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url *url = NULL;
        struct buf err;
        buf_init(&err);
        cr_expect_eq(url_parse(cases[i][0], "http", &url, &err), -EINVAL, "%s", cases[i][0]);
        cr_expect(strstr(err.data, cases[i][1]) ||
                      (libcurl_is(0x080000) && strstr(err.data, "no URL, or holds a blank")),
                  "%s: %s", cases[i][0], err.data);
        buf_release(&err);
        url_free(url);
    }
}

Test(url, refuses_what_cannot_be_read)
{
    static const char *const texts[] = {
        "http://",
        "http://h:99999/",
        "http://h:port/",
        "http://h:-1/",
        "http://a b/",
        "http://[::1/",
        "http://[::zz]/",
        "http://[]/",
        "http://h/\x01",
        "http://h\x7f/",
        "http://u@/",
        "/about.html",
        "/h/x",
        "/",
        "//h/x",
        "",
        "http://a%25b/",
        "http://ho%7Fst/",
        "http://a%2Fb/",
        "http://a%20b/",
        "http://a%00b/",
        "http://./",
        "http://a../",
        "http://b\xFC"
        "cher.example/",
        "http://a\xEF\xBC\x8F"
        "b/", /* U+FF0F, a wide slash */
        "http://a\xEF\xBC\x85"
        "b/", /* U+FF05, a wide percent sign */
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct url *url = NULL;
        struct buf err;
        buf_init(&err);
        cr_expect_eq(url_parse(texts[i], "http", &url, &err), -EINVAL, "%s", texts[i]);
        cr_expect_null(url, "%s", texts[i]);
        cr_expect_gt(err.len, 0, "%s", texts[i]);
        buf_release(&err);
        url_free(url);
    }
}

Test(url, knows_its_scheme_whatever_the_letters)
{
    struct url *url = parse("FTP://h/", "http");

    cr_expect(url_has_scheme(url, "ftp"));
    cr_expect(!url_has_scheme(url, "http"));
    url_free(url);
    url = parse("httpx://h/", "http");
    cr_expect(!url_has_scheme(url, "http"));
    url_free(url);
}

Test(url, knows_which_hosts_need_no_lookup)
{
    static const struct {
        const char *text;
        bool numeric;
    } cases[] = {
        {"http://1.2.3.4/", true},       {"http://[::1]:8080/", true},
        {"http://localhost/", true},     {"http://LocalHost:81/", true},
        {"http://a.localhost/", true},   {"http://A.LOCALHOST/", true},
        {"http://example.org/", false},  {"http://1.2.3.4.example/", false},
        {"http://notlocalhost/", false}, {"http://localhost.example/", false},
        {"http://1.2.3.4.5/", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url *url = parse(cases[i].text, "http");
        cr_expect_eq(url_is_numeric(url), cases[i].numeric, "%s", cases[i].text);
        url_free(url);
    }
}

Test(url, resolves_a_location_against_where_it_was_seen)
{
    static const struct {
        const char *base, *location, *expected;
    } cases[] = {
        {"http://h/a/b?q", "c", "http://h/a/c"},
        {"http://h/a/b?q", "/c", "http://h/c"},
        {"http://h/a/b?q", "../c", "http://h/c"},
        {"http://h/a/b?q", "./c/../d", "http://h/a/d"},
        {"http://h/a/b?q", "?r=1", "http://h/a/b?r=1"},
        {"http://h:81/a", "//g/c", "http://g/c"},
        {"https://h/a", "//g/c", "https://g/c"},
        {"http://h:81/a", "/c", "http://h:81/c"},
        {"http://h/a", "https://g:444/c", "https://g:444/c"},
        {"http://h", "c", "http://h/c"},
        {"http://[::1]:81/a/", "c", "http://[::1]:81/a/c"},
        {"http://h/a", "/b c", "http://h/b%20c"},
        {"http://h/a", "ftp://g/c", "ftp://g/c"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url *base = parse(cases[i].base, "http"), *next = NULL;
        struct buf err;
        buf_init(&err);
        cr_assert_eq(url_resolve(base, cases[i].location, &next, &err), 0, "%s: %s",
                     cases[i].location, err.data);
        char *text = text_of(url_add_text, next), *before = text_of(url_add_text, base);
        cr_expect_str_eq(text, cases[i].expected, "%s + %s: %s", cases[i].base, cases[i].location,
                         text);
        cr_expect_eq(strncmp(before, cases[i].base, strlen(cases[i].base)), 0,
                     "the base stays as it was: %s", before);
        free(text);
        free(before);
        buf_release(&err);
        url_free(base);
        url_free(next);
    }
}

Test(url, refuses_a_location_that_leads_nowhere)
{
    static const char *const locations[] = {"http://", "http://h:99999/", "//h:port/",
                                            "http://[::1/"};

    for (size_t i = 0; i < ARRAY_LEN(locations); i++) {
        struct url *base = parse("http://h/a", "http"), *next = NULL;
        struct buf err;
        buf_init(&err);
        cr_expect_eq(url_resolve(base, locations[i], &next, &err), -EINVAL, "%s", locations[i]);
        cr_expect_null(next);
        cr_expect_gt(err.len, 0);
        buf_release(&err);
        url_free(base);
    }
}

Test(url, keeps_its_path_query_and_case_as_they_were)
{
    struct url *url = parse("http://h/A%2Fb/Caf%c3%A9?X=1&y=%20", "http");
    char *text = text_of(url_add_text, url);

    cr_expect_str_eq(text, "http://h/A%2Fb/Caf%c3%A9?X=1&y=%20");
    cr_expect_not_null(url_handle(url));
    free(text);
    url_free(url);
    url_free(NULL);
}

Test(url, of_an_empty_user_and_password_has_none)
{
    static const struct {
        const char *text, *whole;
    } cases[] = {
        {"http://@h/", "http://h/"},      {"http://:@h/a@b", "http://h/a@b"}, {"@h", "http://h/"},
        {"http://:p@h/", "http://:p@h/"}, {"http://u:@h/", "http://u:@h/"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url *url = parse(cases[i].text, "http");
        char *whole = text_of(url_add_text, url);
        cr_expect_str_eq(whole, cases[i].whole, "%s", cases[i].text);
        free(whole);
        url_free(url);
    }
}

Test(url, as_a_referer_is_without_user_and_fragment)
{
    struct url *url = parse("http://me:word@h:81/a?b=c#d", "http");
    char *text = text_of(url_add_referer, url);

    cr_expect_str_eq(text, "http://h:81/a?b=c");
    free(text);
    url_free(url);
}
