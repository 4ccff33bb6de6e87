#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "input/parse.h"
#include "input/request.h"
#include "input/url.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct parse_rules rules = {.format = INPUT_AUTO, .default_scheme = "http"};

struct line_case {
    const char *line;
    size_t len;
    const char *url;     /* what the request says */
    const char *invalid; /* a part of the reason, or NULL */
};

static void check(const struct parse_rules *by, const struct line_case *line)
{
    struct request request = {.seq = 7, .line = 3};
    struct url *url = NULL;

    parse_line(by, line->line, line->len, &request, &url);
    cr_expect_str_eq(request.url, line->url, "%s: %s", line->line, request.url);
    if (line->invalid) {
        cr_assert_not_null(request.invalid, "%s", line->line);
        cr_expect_not_null(strstr(request.invalid, line->invalid), "%s: %s", line->line,
                           request.invalid);
        cr_expect_null(url, "%s", line->line);
    } else {
        cr_expect_null(request.invalid, "%s: %s", line->line, request.invalid);
        cr_expect_not_null(url, "%s", line->line);
    }
    cr_expect_eq(request.seq, 7);
    cr_expect_eq(request.line, 3);
    url_free(url);
    request_release(&request);
    cr_expect_null(request.url);
}

Test(parse, skips_what_asks_for_nothing)
{
    static const struct {
        const char *line;
        size_t len;
        bool wants;
    } cases[] = {
        {BYTES(""), false},           {BYTES("   \t "), false}, {BYTES("\r"), false},
        {BYTES(" \r"), false},        {BYTES("#"), false},      {BYTES("# http://h/"), false},
        {BYTES("#http://h/"), false}, {BYTES(" \t# x"), false}, {BYTES("http://h/#f"), true},
        {BYTES("h"), true},           {BYTES("\0"), true},      {BYTES("{"), true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        cr_expect_eq(parse_wants(cases[i].line, cases[i].len), cases[i].wants, "case %zu", i);
}

Test(parse, reads_a_line_to_a_request)
{
    static const struct line_case cases[] = {
        {BYTES("http://h/"), "http://h/", NULL},
        {BYTES("h/a"), "h/a", NULL},
        {BYTES("  http://h/ \t"), "http://h/", NULL},
        {BYTES("http://h/\r"), "http://h/", NULL},
        {BYTES("http://h/#f"), "http://h/#f", NULL},
        {BYTES("http://h/{a,b}[1-2]"), "http://h/{a,b}[1-2]", NULL},
        {BYTES("http://h/\xC3\xA9"), "http://h/\xC3\xA9", NULL},
        {BYTES("http://h/a b?c d"), "http://h/a b?c d", NULL},
        {BYTES("h/a#not a comment"), "h/a#not a comment", NULL},
        {BYTES("ftp://h/"), "ftp://h/", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(&rules, &cases[i]);
}

Test(parse, says_why_a_line_is_no_request)
{
    static const struct line_case cases[] = {
        {BYTES("two words"), "two words", ""},
        {BYTES("http://"), "http://", ""},
        {BYTES("http://h:99999/\r"), "http://h:99999/", ""},
        {BYTES("http://h/\xFFz"), "http://h/\xEF\xBF\xBDz", "UTF-8"},
        {BYTES("\xC3"), "\xEF\xBF\xBD", "UTF-8"},
        {BYTES("{\"url\": }"), "{\"url\": }", "bad JSON"},
        {BYTES("http://h/\x1b[31m"), "http://h/\x1b[31m", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(&rules, &cases[i]);
}

Test(parse, refuses_a_nul_byte)
{
    struct request request = {0};
    struct url *url = NULL;

    parse_line(&rules, BYTES("http://h/\0evil"), &request, &url);
    cr_assert_not_null(request.invalid);
    cr_expect_not_null(strstr(request.invalid, "NUL"));
    cr_expect_eq(strncmp(request.url, "http://h/", 9), 0);
    cr_expect_null(url);
    request_release(&request);
}

Test(parse, reads_a_line_by_the_format_it_is_told)
{
    static const struct parse_rules url_only = {.format = INPUT_URL, .default_scheme = "https"};
    static const struct parse_rules json_only = {.format = INPUT_JSONL, .default_scheme = "http"};
    static const struct line_case as_json = {BYTES("http://h/"), "http://h/", "JSON"};
    struct request request = {0};
    struct url *url = NULL;

    check(&json_only, &as_json);
    parse_line(&url_only, BYTES("h/{"), &request, &url);
    cr_assert_null(request.invalid);
    cr_expect(url_has_scheme(url, "https"));
    url_free(url);
    request_release(&request);
    request = (struct request){0};
    url = NULL;
    parse_line(&url_only, BYTES("{\"url\": 1}"), &request, &url);
    cr_assert_not_null(request.invalid);
    cr_expect_null(strstr(request.invalid, "JSON"), "%s", request.invalid);
    request_release(&request);
}

/* A line of two-byte characters behind `lead` bytes, invalid by its blanks. */
static void check_echo(size_t lead, size_t characters, size_t expected, bool is_long)
{
    struct request request = {0};
    struct url *url = NULL;
    struct buf line;

    buf_init(&line);
    buf_add_text(&line, "a ");
    while (line.len < lead)
        buf_add_char(&line, 'x');
    for (size_t i = 0; i < characters; i++)
        buf_add_text(&line, "\xC3\xA9");
    if (is_long)
        parse_long_line(line.data, line.len, &request);
    else
        parse_line(&rules, line.data, line.len, &request, &url);
    cr_assert_not_null(request.invalid);
    cr_expect_eq(strlen(request.url), expected, "%zu", strlen(request.url));
    cr_expect(text_is_utf8(request.url, strlen(request.url)));
    cr_expect_eq(strncmp(request.url, line.data, expected), 0);
    request_release(&request);
    buf_release(&line);
}

Test(parse, echoes_at_most_200_bytes_and_no_half_character)
{
    check_echo(2, 98, 198, false);
    check_echo(2, 99, 200, false);
    check_echo(2, 100, 200, false);
    check_echo(3, 98, 199, false);
    check_echo(3, 99, 199, false);
    check_echo(2, 500000, 200, false);
    check_echo(3, 500000, 199, true);
}

Test(parse, says_that_a_long_line_is_too_long)
{
    struct request request = {0};

    parse_long_line(BYTES("  http://h/\xFF  "), &request);
    cr_expect_not_null(strstr(request.invalid, "1 MiB"));
    cr_expect_str_eq(request.url, "http://h/\xEF\xBF\xBD");
    request_release(&request);
}

Test(parse, takes_a_url_of_almost_a_mebibyte)
{
    struct request request = {0};
    struct url *url = NULL;
    struct buf line;

    buf_init(&line);
    buf_add_text(&line, "http://h/");
    while (line.len < PARSE_LINE_MAX)
        buf_add_char(&line, 'a');
    parse_line(&rules, line.data, line.len, &request, &url);
    cr_expect_null(request.invalid, "%s", request.invalid);
    cr_expect_eq(strlen(request.url), PARSE_LINE_MAX);
    url_free(url);
    request_release(&request);
    buf_release(&line);
}
