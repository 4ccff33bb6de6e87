#include "base/key.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "input/parse.h"
#include "input/request.h"
#include "input/url.h"

static struct key key_of_line(const char *line)
{
    struct parse_rules rules = {.format = INPUT_AUTO,
                                .default_scheme = "http",
                                .takes_body_file = true,
                                .takes_output = true};
    struct request request = {.seq = 7, .line = 9, .input = "list"};
    struct url *url = NULL;

    parse_line(&rules, line, strlen(line), &request, &url);
    struct key key = request_key(&request);
    url_free(url);
    request_release(&request);
    return key;
}

static bool are_same(const char *a, const char *b)
{
    struct key first = key_of_line(a), second = key_of_line(b);

    return first.high == second.high && first.low == second.low;
}

#define URL "\"url\":\"http://a/b\""

Test(key, is_the_same_for_what_asks_the_same)
{
    static const char *const same[] = {
        "http://a/b",
        "{" URL "}",
        " {  " URL " }",
        "{" URL ",\"context\":{\"a\":1}}",
        "{" URL ",\"group\":\"g\"}",
        "{\"group\":2," URL "}",
        "{" URL ",\"timeout\":5}",
        "{" URL ",\"retry\":2}",
        "{" URL ",\"output\":\"x\"}",
        "{" URL ",\"headers\":{}}",
    };

    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        cr_expect(are_same(same[0], same[i]), "%s", same[i]);
    cr_expect(are_same("{" URL ",\"id\":1,\"method\":\"PUT\"}",
                       "{\"method\":\"PUT\",\"id\":1," URL ",\"context\":[1]}"));
}

/* None is any other. */
Test(key, differs_where_anything_that_counts_does)
{
    static const char *const all[] = {
        "http://a/b",
        "http://a/B",
        "http://a/b/",
        "http://a/b?",
        "HTTP://a/b",
        "{" URL ",\"method\":\"GET\"}",
        "{" URL ",\"method\":\"PUT\"}",
        "{" URL ",\"method\":\"put\"}",
        "{" URL ",\"id\":1}",
        "{" URL ",\"id\":2}",
        "{" URL ",\"id\":\"1\"}",
        "{" URL ",\"id\":\"PUT\"}",
        "{" URL ",\"body\":\"\"}",
        "{" URL ",\"body\":\"x\"}",
        "{" URL ",\"body\":\"xy\"}",
        "{" URL ",\"body\":\"{}\"}",
        "{" URL ",\"json\":{}}",
        "{" URL ",\"json\":\"x\"}",
        "{" URL ",\"body_file\":\"x\"}",
        "{" URL ",\"headers\":{\"A\":\"b\"}}",
        "{" URL ",\"headers\":{\"A\":\"c\"}}",
        "{" URL ",\"headers\":{\"AA\":\"b\"}}",
        "{" URL ",\"headers\":{\"A\":\"b\",\"C\":\"d\"}}",
        "{" URL ",\"headers\":{\"C\":\"d\",\"A\":\"b\"}}",
        "{" URL ",\"id\":1,\"method\":\"PUT\"}",
        "{" URL ",\"id\":1,\"body\":\"x\"}",
        "{\"url\":\"http://a/\",\"id\":1}",
    };

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        for (size_t k = 0; k < i; k++)
            cr_expect_not(are_same(all[i], all[k]), "%s is %s", all[i], all[k]);
    }
}

/* They are journalled, too. */
Test(key, is_there_for_a_line_that_is_no_request)
{
    cr_expect(are_same("{", "{"));
    cr_expect_not(are_same("{", "{]"));
    cr_expect_not(are_same("{", "http://a/b"));
}

/* The seams between the parts count: what moves from one to its neighbour is another request. */
Test(key, does_not_let_parts_run_into_each_other)
{
    cr_expect_not(are_same("{" URL ",\"method\":\"AB\",\"body\":\"C\"}",
                           "{" URL ",\"method\":\"A\",\"body\":\"BC\"}"));
    cr_expect_not(are_same("{\"url\":\"http://a/b1\",\"id\":1}", "{" URL ",\"id\":11}"));
    cr_expect_not(are_same("{" URL ",\"headers\":{\"A\":\"b\"},\"body\":\"c\"}",
                           "{" URL ",\"headers\":{\"A\":\"bc\"},\"body\":\"\"}"));
}

/* Where it stood does not count. */
Test(key, does_not_count_the_place)
{
    struct request here = {.seq = 1, .line = 1, .input = "a", .url = (char[]){"http://x/"}};
    struct request there = {.seq = 2, .line = 5, .input = "b", .url = (char[]){"http://x/"}};
    struct key first = request_key(&here), second = request_key(&there);

    cr_expect_eq(first.high, second.high);
    cr_expect_eq(first.low, second.low);
}
