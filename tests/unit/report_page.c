#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "core/task.h"
#include "report/page.h"
#include "report/summary.h"
#include "tasks.h"

enum { PAGE_BYTES_MAX = 3 * 1000 * 1000 };

/* ---- texts ---- */

struct text {
    const char *from, *to;
};

#define EXPECT_TEXTS(add, texts)                                          \
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {                       \
        struct buf out;                                                   \
        buf_init(&out);                                                   \
        add(&out, (texts)[i].from);                                       \
        cr_expect_str_eq(out.data, (texts)[i].to, "%s", (texts)[i].from); \
        buf_release(&out);                                                \
    }

Test(page_text, holds_nothing_that_html_would_read)
{
    static const struct text texts[] = {
        {"plain", "plain"},
        {"", ""},
        {"</script><script>x</script>",
         "\\u003c/script\\u003e\\u003cscript\\u003ex\\u003c/script\\u003e"},
        {"<!-- & ]]>", "\\u003c!-- \\u0026 ]]\\u003e"},
        {"\" \\ '", "\\\" \\\\ '"},
        {"a\xe2\x80\xa8"
         "b\xe2\x80\xa9",
         "a\\u2028b\\u2029"},
        {"\xe2\x80\xaa \xc3\xa9 \xf0\x9f\x98\x80", "\xe2\x80\xaa \xc3\xa9 \xf0\x9f\x98\x80"},
        {"bad \xff\xc3", "bad \xef\xbf\xbd\xef\xbf\xbd"},
    };

    EXPECT_TEXTS(page_add_text, texts)
}

Test(page_text, leaves_out_who_one_is)
{
    static const struct text texts[] = {
        {"http://bob:secret@h/x", "http://h/x"},
        {"bob:secret@h/x", "h/x"},
        {"//bob:secret@h", "h"},
        {"http:/bob:secret@h/x", "http:/h/x"},
        {"HTTP:///bob:secret@h/x", "HTTP:///h/x"},
        {"http://a@b:c@h", "http://h"},
        {"http://bob:s<cr@t@h?q=a@b", "http://h?q=a@b"},
        {"http://h/mail@x", "http://h/mail@x"},
        {"http://h?next=http://bob:secret@i/", "http://h?next=http://i/"},
        {"denied: https://bob:secret@h/ is no place", "denied: https://h/ is no place"},
        {"http://[::1]:80/", "http://[::1]:80/"},
        {"@", ""},
    };

    EXPECT_TEXTS(page_add_text, texts)
}

Test(page_text, does_not_show_a_json_line)
{
    static const struct text texts[] = {
        {"{\"headers\":{\"Authorization\":\"x\"}}", ""},
        {"  [1]", ""},
        {"http://h/{x}", "http://h/{x}"},
    };

    EXPECT_TEXTS(page_add_line, texts)
}

Test(page_text, is_escaped_for_html)
{
    static const struct text texts[] = {
        {"</noscript><b>\"'&", "&#60;/noscript&#62;&#60;b&#62;&#34;&#39;&#38;"},
        {"x\xff", "x\xef\xbf\xbd"},
    };

    EXPECT_TEXTS(page_add_html, texts)
}

static const char *const long_pieces[] = {
    "x", "<", "\"", "\x01", "\xff", "\xe2\x80\xa8", "\xc3\xa9", "\xf0\x9f\x98\x80"};

/* And what is cut is still JSON. */
Test(page_text, is_cut_by_how_long_it_becomes)
{
    for (size_t i = 0; i < ARRAY_LEN(long_pieces); i++) {
        for (size_t lead = 0; lead < 8; lead++) {
            struct buf text, out;
            buf_init(&text);
            buf_init(&out);
            buf_add(&text, "aaaaaaaa", lead);
            for (int k = 0; k < 1000; k++)
                buf_add_text(&text, long_pieces[i]);
            buf_add_char(&out, '"');
            page_add_text(&out, text.data);
            cr_expect_leq(out.len - 1, PAGE_TEXT_MAX);
            cr_expect_geq(out.len - 1, PAGE_TEXT_MAX - 8);
            buf_add_char(&out, '"');
            json_t *read = json_loads(out.data, JSON_DECODE_ANY, NULL);
            cr_assert(read, "%s", out.data);
            const char *value = json_string_value(read);
            cr_expect_str_eq(value + strlen(value) - 3, "\xe2\x80\xa6");
            json_decref(read);
            buf_release(&out);
            buf_release(&text);
        }
    }
}

Test(page_text, is_not_cut_where_it_just_fits)
{
    struct buf text, out;

    buf_init(&text);
    buf_init(&out);
    for (int k = 0; k < PAGE_TEXT_MAX; k++)
        buf_add_char(&text, 'x');
    page_add_text(&out, text.data);
    cr_expect_str_eq(out.data, text.data);
    buf_release(&out);
    buf_release(&text);
}

/* ---- the page ---- */

static struct summary summary;
static struct options options;

static void note(struct page *page, uint64_t seq, const char *url, enum reason reason, double now)
{
    struct task *task = task_new();

    task->request.seq = seq;
    task->request.url = xstrdup(url);
    task->born_at = now;
    task->first_started_at = now + 0.5;
    task->started_at = now + 1;
    task->done_at = now + 1.25;
    result_setf(&task->result, reason, "words of </script> %llu", (unsigned long long)seq);
    result_want_facts(&task->result);
    *task->result.facts = (struct facts){
        .before = 0.1, .connect = 0.15, .appconnect = 0.16, .starttransfer = 0.2, .total = 0.3};
    task->result.http_code = 200;
    task->result.attempts = 2;
    page_note(page, &TASKS_FINISHED(task, "http://host:80"));
    summary_note(&summary, &TASKS_FINISHED(task, "http://host:80"));
    tasks_free(task);
}

static void render(struct page *page, double now, struct buf *out)
{
    options_init(&options);
    summary.wall = now;
    summary.ended = "all </noscript> done";
    buf_init(out);
    page_render(page, &options, &summary, now, out);
    options_release(&options);
    summary_release(&summary);
}

/* The data as the browser gets at it: all up to the first thing that ends a script. */
static json_t *data_of(const struct buf *page)
{
    static const char mark[] = "id=\"data\">";
    const char *start = strstr(page->data, mark) + strlen(mark);
    json_error_t error;

    json_t *data = json_loadb(start, (size_t)(strstr(start, "</") - start), 0, &error);
    cr_assert(data, "%s", error.text);
    return data;
}

static json_int_t number_at(const json_t *array, size_t index)
{
    cr_assert(json_is_integer(json_array_get(array, index)));
    return json_integer_value(json_array_get(array, index));
}

Test(page, tells_of_a_request_from_where_it_was_read)
{
    enum { BORN = 6, DONE, FIRST, LAST, CONNECTED, ANSWERED, RECEIVED, URL };
    static const json_int_t wanted[] = {[0] = 1,
                                        [1] = REASON_OK,
                                        [2] = 200,
                                        [3] = 2,
                                        [BORN] = 1000000,
                                        [DONE] = 1250000,
                                        [FIRST] = 500000,
                                        [LAST] = 1000000,
                                        [CONNECTED] = 60000,
                                        [ANSWERED] = 100000,
                                        [RECEIVED] = 200000};
    struct page *page = page_new(10, 1e9);
    struct buf out;

    note(page, 1, "http://host/", REASON_OK, 11);
    render(page, 13, &out);
    json_t *data = data_of(&out);
    const json_t *sample = json_array_get(json_object_get(data, "samples"), 0);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        cr_expect_eq(number_at(sample, i), wanted[i], "%zu", i);
    cr_expect_str_eq(json_string_value(json_array_get(sample, URL)), "http://host/");
    json_decref(data);
    buf_release(&out);
    page_free(page);
}

/* It may start and end in one turn of the loop, whose time is the same for both. */
Test(page, has_a_request_end_no_sooner_than_its_transfer)
{
    struct facts facts = {.total = 0.25};
    struct task task = {.request = {.seq = 1},
                        .result = {.facts = &facts},
                        .born_at = 1,
                        .first_started_at = 2,
                        .started_at = 2,
                        .done_at = 2};
    struct page *page = page_new(0, 1e9);

    page_note(page, &TASKS_FINISHED(&task, NULL));
    cr_assert_eq(page->samples.len, 1);
    cr_expect_float_eq(page->samples.at[0].done, 2.25, 1e-9);
    page_free(page);
}

Test(page, has_no_phases_of_what_was_cancelled)
{
    struct page *page = page_new(10, 1e9);
    struct buf out;

    note(page, 1, "http://host/", REASON_HALTED, 11);
    render(page, 13, &out);
    json_t *data = data_of(&out);
    const json_t *sample = json_array_get(json_object_get(data, "samples"), 0);
    for (size_t i = 10; i < 13; i++)
        cr_expect_eq(number_at(sample, i), 0);
    json_decref(data);
    buf_release(&out);
    page_free(page);
}

static size_t times(const struct buf *page, const char *text)
{
    size_t count = 0;

    for (const char *at = page->data; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* As many of each as in the page of an empty run. */
Test(page, is_not_broken_out_of)
{
    static const char *const urls[] = {"http://h/</script><script>alert(1)</script>",
                                       "\"><img src=x onerror=alert(1)>",
                                       "<!--",
                                       "<!--<script>",
                                       "</noscript><iframe src=javascript:alert(1)>",
                                       "]]>\xff\xfe",
                                       "\xe2\x80\xa8\xe2\x80\xa9"};
    static const char *const tags[] = {"<script", "</script",   "<!--", "<img",
                                       "<iframe", "</noscript", "<"};
    struct page *empty = page_new(0, 1e9), *page = page_new(0, 1e9);
    struct buf clean, out;

    render(empty, 5, &clean);
    for (size_t i = 0; i < ARRAY_LEN(urls); i++)
        note(page, i + 1, urls[i], i % 2 ? REASON_HTTP : REASON_DNS, 1);
    render(page, 5, &out);
    for (size_t i = 0; i + 1 < ARRAY_LEN(tags); i++)
        cr_expect_eq(times(&out, tags[i]), times(&clean, tags[i]), "%s", tags[i]);
    json_t *data = data_of(&out);
    for (size_t i = 0; i < ARRAY_LEN(urls) - 2; i++) {
        const json_t *sample = json_array_get(json_object_get(data, "samples"), i);
        cr_expect_str_eq(json_string_value(json_array_get(sample, 13)), urls[i]);
    }
    cr_expect_eq(json_array_size(json_object_get(data, "failures")), (size_t)2 * PAGE_EXAMPLES);
    json_decref(data);
    buf_release(&out);
    buf_release(&clean);
    page_free(page);
    page_free(empty);
}

/* The worst URLs there can be, and hosts that differ: as many of each as there is room for. */
Test(page, of_a_million_requests_is_under_three_megabytes, .timeout = 120)
{
    enum { COUNT = 1000000 };
    struct page *page = page_new(0, 1e9);
    struct buf out, url, host;

    buf_init(&url);
    buf_init(&host);
    buf_add_text(&url, "http://");
    for (int i = 0; i < 1000; i++)
        buf_add_char(&url, '<');
    for (uint64_t i = 0; i < COUNT; i++) {
        struct result result = {.reason = (enum reason)(i % REASON_COUNT), .http_code = 599};
        struct facts facts = {.total = (double)i * 1e-3, .connect = 1};
        struct task task = {.request = {.seq = i + 1, .url = url.data},
                            .result = result,
                            .born_at = (double)i * 0.77,
                            .first_started_at = (double)i * 0.78,
                            .started_at = (double)i * 0.79,
                            .done_at = (double)i * 0.8};
        task.result.facts = &facts;
        task.result.message = url.data;
        if (i % 1000 == 0)
            buf_setf(&host, "%llu%s", (unsigned long long)(i / 1000), url.data + 800);
        page_note(page, &TASKS_FINISHED(&task, host.data));
    }
    render(page, COUNT, &out);
    cr_expect_lt(out.len, PAGE_BYTES_MAX);
    json_t *data = data_of(&out);
    cr_expect_eq(json_array_size(json_object_get(data, "samples")), (COUNT + 255) / 256);
    cr_expect_eq(json_array_size(json_object_get(data, "hosts")), BUSIEST_MAX);
    uint64_t done = 0;
    for (size_t i = 0; i < page->timeline.n_bins; i++) {
        const struct timeline_bin *bin = &page->timeline.bins[i];
        done += bin->ok + bin->failed + bin->undone;
    }
    cr_expect_eq(done, COUNT, "what is summed up is exact");
    json_decref(data);
    buf_release(&out);
    buf_release(&url);
    buf_release(&host);
    page_free(page);
}

Test(page, tells_of_the_limits_and_of_no_secret)
{
    static char words[][24] = {"weir",       "-j7", "--rate=30/m",   "-u",
                               "bob:secret", "-H",  "X-Key: secret", "http://bob:secret@h/"};
    char *argv[ARRAY_LEN(words)];
    struct page *page = page_new(0, 1e9);
    struct buf out, err;

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        argv[i] = words[i];
    buf_init(&err);
    options_init(&options);
    cr_assert_eq(options_parse(&options, ARRAY_LEN(argv), argv, &err), 0, "%s", err.data);
    note(page, 1, argv[7], REASON_HTTP, 1);
    summary.ended = "all done";
    buf_init(&out);
    page_render(page, &options, &summary, 2, &out);
    cr_expect_eq(times(&out, "secret"), 0);
    cr_expect_eq(times(&out, "[\"--jobs\",\"7\"]"), 1);
    cr_expect_eq(times(&out, "[\"--rate\",\"0.5/s\"]"), 1);
    buf_release(&out);
    buf_release(&err);
    options_release(&options);
    summary_release(&summary);
    page_free(page);
}

/* What it may load is nothing, and what it may run is what stands in it. */
Test(page, asks_for_nothing_from_elsewhere)
{
    struct page *page = page_new(0, 1e9);
    struct buf out;

    render(page, 5, &out);
    cr_expect_eq(times(&out, "content=\"default-src 'none'; style-src 'sha256-"), 1);
    cr_expect_eq(times(&out, "unsafe"), 0);
    cr_expect_eq(times(&out, "https://"), 0);
    cr_expect_eq(times(&out, "src="), 0);
    cr_expect_eq(times(&out, "href"), 0);
    cr_expect_eq(times(&out, "url("), 0);
    cr_expect_eq(times(&out, "innerHTML"), 0);
    cr_expect_eq(times(&out, "{{"), 0, "no place is left empty");
    buf_release(&out);
    page_free(page);
}
