#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "deliver/format.h"
#include "rendered.h"
#include "tasks.h"

static const char headers[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-A:  one \r\n"
                              "x-a: two\r\nEmpty:\r\n\r\n";

static struct task *answered(struct store *store, long http_code, const char *body)
{
    struct task *task = tasks_answered("http://h/", http_code, NULL);

    rendered_store(store, 1000);
    task->request.seq = 3;
    result_want_facts(&task->result);
    rendered_head(task, store, headers);
    rendered_body(task, store, body, strlen(body));
    return task;
}

static void finish(struct task *task, struct store *store)
{
    task_free(task, store);
    store_release(store);
}

static void expect(const char *template, const struct task *task, const struct store *store,
                   const char *expected)
{
    struct options options;
    struct buf text;

    buf_init(&text);
    options_init(&options);
    options.format = OPTION_FORMAT_TEMPLATE;
    options.write_out = xstrdup(template);
    rendered_add(&options, task, store, FORMAT_ROOM_MIN, &text);
    cr_expect_str_eq(text.data, expected, "%s: %s", template, text.data);
    buf_release(&text);
    options_release(&options);
}

Test(template, writes_escapes_and_percents_as_curl_does)
{
    static const struct {
        const char *template, *expected;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"a\\nb\\tc\\rd\\\\e", "a\nb\tc\rd\\e"},
        {"\\\\n", "\\n"},
        {"\\x\\", "\\x\\"},
        {"100%%", "100%"},
        {"100% %", "100% %"},
        {"%%{url}", "%{url}"},
        {"%%%{seq}", "%3"},
        {"%%header{X-A}", "%header{X-A}"},
        {"%header", "%header"},
        {"%s%d%n", "%s%d%n"},
        {"{url}}", "{url}}"},
        {"\xC3\xA9\n", "\xC3\xA9\n"},
    };
    struct store store;
    struct task *task = answered(&store, 200, "");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(cases[i].template, task, &store, cases[i].expected);
    finish(task, &store);
}

Test(template, puts_fields_headers_and_the_body_where_they_are_named)
{
    static const struct {
        const char *template, *expected;
    } cases[] = {
        {"%{url} %{http_code}\\n", "http://h/ 200\n"},
        {"%{seq}%{urlnum}", "32"},
        {"<%{body}>", "<a%{url}\\n>"},
        {"%{body}", "a%{url}\\n"},
        {"%{body}|%{body}", "a%{url}\\n|a%{url}\\n"},
        {"%{ok} %{reason} %{method}", "true ok GET"},
        {"[%{errormsg}%{id}%{content_type}]", "[]"},
        {"%header{X-A}|%header{x-a}|%header{CONTENT-TYPE}", "one|one|text/html"},
        {"[%header{Empty}%header{none}%header{X}]", "[]"},
        {"%{time_total}", "0.000000"},
        {"%{redirects}", "[]"},
    };
    struct store store;
    struct task *task = answered(&store, 200, "a%{url}\\n");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(cases[i].template, task, &store, cases[i].expected);
    finish(task, &store);
}

Test(template, writes_a_status_with_three_digits)
{
    struct store store;
    struct task *task = answered(&store, 0, "");

    result_setf(&task->result, REASON_DNS, "no such name");
    expect("%{http_code} %{response_code} %{exitcode} %{errormsg}", task, &store,
           "000 000 0 no such name");
    task->result.http_code = 99;
    expect("%{http_code}", task, &store, "099");
    finish(task, &store);
}

Test(template, shows_the_body_of_a_whole_answer_that_is_not_accepted)
{
    struct store store;
    struct task *task = answered(&store, 404, "gone");

    result_setf(&task->result, REASON_HTTP, "status 404");
    expect("%{http_code}:%{body}", task, &store, "404:gone");
    task->outcome = OUTCOME_FAILED;
    result_setf(&task->result, REASON_RESET, "closed early");
    expect("%{http_code}:%{body}", task, &store, "404:");
    finish(task, &store);
}

Test(template, without_facts_has_no_headers)
{
    struct store nothing = {0};
    struct task *task = tasks_new("http://h/");

    result_setf(&task->result, REASON_HALTED, "the run ended first");
    expect("%header{X-A}%{body}%{remote_ip}%{ts}.", task, &nothing, ".");
    tasks_free(task);
}

Test(template, refuses_a_variable_that_there_is_not)
{
    static const struct {
        const char *template, *words;
    } cases[] = {
        {"%{urls}", "--write-out: there is no %{urls}"},
        {"%{}", "--write-out: there is no %{}"},
        {"a %{url} %{ url}", "--write-out: there is no %{ url}"},
        {"%{url", "--write-out: the } of %{url is missing"},
        {"%header{a", "--write-out: the } of %header{a is missing"},
        {"%{url}%header{}", "--write-out: %header{} names no header"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct format *format = NULL;
        struct options options;
        struct buf err;
        buf_init(&err);
        options_init(&options);
        options.format = OPTION_FORMAT_TEMPLATE;
        options.write_out = xstrdup(cases[i].template);
        cr_expect_eq(format_new(&options, &format, &err), -EINVAL, "%s", cases[i].template);
        cr_expect_str_eq(err.data, cases[i].words, "%s", err.data);
        options_release(&options);
        buf_release(&err);
    }
}

Test(template, tells_what_it_needs)
{
    static const struct {
        const char *template;
        enum format_bodies bodies;
        bool headers;
    } cases[] = {
        {"%{url}", FORMAT_NO_BODIES, false},
        {"%{body}", FORMAT_ALL_BODIES, false},
        {"%header{a}", FORMAT_NO_BODIES, true},
        {"%%{body}", FORMAT_NO_BODIES, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct format *format = NULL;
        struct options options;
        struct buf err;
        buf_init(&err);
        options_init(&options);
        options.format = OPTION_FORMAT_TEMPLATE;
        options.write_out = xstrdup(cases[i].template);
        cr_assert_eq(format_new(&options, &format, &err), 0);
        cr_expect_eq(format_wants_bodies(format), cases[i].bodies, "%s", cases[i].template);
        cr_expect_eq(format_wants_headers(format), cases[i].headers, "%s", cases[i].template);
        cr_expect(!format_wants_utf8(format));
        format_free(format);
        options_release(&options);
        buf_release(&err);
    }
}

/* ---- raw ---- */

struct raw_case {
    bool include, head;
    enum reason reason;
    const char *file;
    bool shows_headers, shows_body;
};

/* In a pipe a value is what curl writes, save that it is one line. */
Test(template, escapes_what_a_value_would_do_to_its_reader)
{
    static const char *const expected[] = {
        "\\x0d\\x0ax|one\x1b[m\xE2\x80\xAE\xFF\n\x1b\n",
        "\\x0d\\x0ax|one\\x1b[m\\xe2\\x80\\xae\\xff\n\x1b\n",
    };

    for (int on_terminal = 0; on_terminal < 2; on_terminal++) {
        struct store store;
        struct task *task = answered(&store, 200, "\x1b\n");
        struct rendering rendering;
        struct format *format = NULL;
        struct options options;
        char bytes[FORMAT_ROOM_MIN];
        struct buf err, text;
        ssize_t len;
        buf_init(&err);
        buf_init(&text);
        options_init(&options);
        options.format = OPTION_FORMAT_TEMPLATE;
        options.write_out = xstrdup("%{id}|%header{X-B}\\n%{body}");
        task->request.detail = detail_new();
        task->request.detail->id = xstrdup("\"\\r\\nx\"");
        rendered_head(task, &store, "HTTP/1.1 200 OK\r\nX-B: one\x1b[m\xE2\x80\xAE\xFF\r\n\r\n");
        cr_assert_eq(format_new(&options, &format, &err), 0);
        format_set_on_terminal(format, on_terminal);
        rendering_init(&rendering);
        struct delivery item = task_delivery(task);
        while ((len = format_render(format, &rendering, &item, &store, bytes, sizeof bytes, &err)) >
               0)
            buf_add(&text, bytes, (size_t)len);
        cr_expect_str_eq(text.data, expected[on_terminal], "%s", text.data);
        rendering_release(&rendering);
        format_free(format);
        options_release(&options);
        buf_release(&err);
        buf_release(&text);
        finish(task, &store);
    }
}

Test(raw, shows_the_headers_before_each_body_where_asked_to)
{
    static const struct raw_case cases[] = {
        {false, false, REASON_OK, NULL, false, true},
        {true, false, REASON_OK, NULL, true, true},
        {false, true, REASON_OK, NULL, true, true},
        {true, false, REASON_OK, "f", true, false},
        {true, true, REASON_HTTP, NULL, false, false},
        {true, false, REASON_RESET, NULL, false, false},
        {false, false, REASON_HTTP, NULL, false, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct store store;
        struct task *task = answered(&store, 200, "body");
        struct options options;
        struct buf text, expected;
        buf_init(&text);
        buf_init(&expected);
        options_init(&options);
        options.include = cases[i].include;
        options.head = cases[i].head;
        task->result.reason = cases[i].reason;
        task->body_file = cases[i].file ? xstrdup(cases[i].file) : NULL;
        rendered_add(&options, task, &store, FORMAT_ROOM_MIN, &text);
        buf_addf(&expected, "%s%s", cases[i].shows_headers ? headers : "",
                 cases[i].shows_body ? "body" : "");
        cr_expect_str_eq(text.data, expected.data, "case %zu: %s", i, text.data);
        buf_release(&text);
        buf_release(&expected);
        options_release(&options);
        finish(task, &store);
    }
}

Test(raw, wants_facts_for_headers_alone)
{
    for (int include = 0; include < 2; include++) {
        struct format *format = NULL;
        struct options options;
        struct buf err;
        buf_init(&err);
        options_init(&options);
        options.include = include;
        cr_assert_eq(format_new(&options, &format, &err), 0);
        cr_expect_eq(format_wants_facts(format), include);
        cr_expect_eq(format_wants_headers(format), include);
        cr_expect_eq(format_wants_bodies(format), FORMAT_BODIES_OF_SUCCESS);
        cr_expect(!format_wants_utf8(format));
        format_free(format);
        options_release(&options);
        buf_release(&err);
    }
}

/* All that is left of it to render. */
static size_t count_rest(const struct format *format, struct rendering *rendering,
                         const struct task *task, const struct store *store)
{
    char bytes[FORMAT_ROOM_MIN];
    size_t whole = 0;
    struct buf err;
    ssize_t len;

    buf_init(&err);
    struct delivery item = task_delivery(task);
    while ((len = format_render(format, rendering, &item, store, bytes, sizeof bytes, &err)) > 0)
        whole += (size_t)len;
    cr_assert_eq(len, 0, "%s", err.data);
    buf_release(&err);
    return whole;
}

Test(raw, renders_one_result_after_the_other)
{
    struct store store;
    struct task *task = answered(&store, 200, "body");
    struct rendering rendering;
    struct format *format = NULL;
    struct options options;
    struct buf err;

    buf_init(&err);
    options_init(&options);
    options.include = true;
    cr_assert_eq(format_new(&options, &format, &err), 0);
    rendering_init(&rendering);
    for (int round = 0; round < 3; round++) {
        cr_expect_not(format_is_all_out(format, &rendering));
        cr_expect_eq(count_rest(format, &rendering, task, &store), sizeof headers - 1 + 4);
        cr_expect(format_is_all_out(format, &rendering));
        cr_expect_eq(count_rest(format, &rendering, task, &store), 0);
        rendering_restart(&rendering);
    }
    rendering_release(&rendering);
    format_free(format);
    options_release(&options);
    buf_release(&err);
    finish(task, &store);
}
