#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/task.h"
#include "report/summary.h"
#include "tasks.h"

static struct summary summary;

static void begin(void)
{
    summary.ended = "all done";
    summary.wall = 2;
}

static void release(void)
{
    summary_release(&summary);
}

TestSuite(summary, .init = begin, .fini = release);

/* An answered request: its first byte came after a tenth of its time, and it waited a hundredth. */
static void note(uint64_t seq, enum reason reason, double total, const char *host)
{
    struct task *task = task_new();

    task->request.seq = seq;
    task->request.url = xstrdup("http://h/");
    task->result.reason = reason;
    task->result.http_code = reason == REASON_OK ? 200 : 404;
    task->result.message = reason == REASON_OK ? NULL : xstrdup("status 404");
    task->result.body_bytes = 1000;
    result_want_facts(&task->result);
    task->result.facts->total = total;
    task->result.facts->starttransfer = total / 10;
    task->result.facts->queued = total / 100;
    summary_note(&summary, &TASKS_FINISHED(task, host));
    tasks_free(task);
}

static void note_text(const char *url, const char *message, const char *host)
{
    struct task *task = task_new();

    task->request.seq = 1;
    task->request.url = xstrdup(url);
    task->result.reason = REASON_RESET;
    task->result.message = xstrdup(message);
    summary_note(&summary, &TASKS_FINISHED(task, host));
    tasks_free(task);
}

/* ---- as JSON ---- */

/* One line, one object. */
static json_t *told(void)
{
    struct buf line;
    json_error_t error;

    buf_init(&line);
    summary_add_json(&summary, &line);
    cr_assert_gt(line.len, 0);
    cr_expect_eq(strchr(line.data, '\n'), line.data + line.len - 1, "it is not one line");
    json_t *object = json_loads(line.data, JSON_REJECT_DUPLICATES, &error);
    cr_assert(object, "%s: %s", error.text, line.data);
    buf_release(&line);
    return object;
}

static void expect_fields(const json_t *object, const char *const *names)
{
    size_t len = 0;

    for (; names[len]; len++)
        cr_expect(json_object_get(object, names[len]), "%s is missing", names[len]);
    cr_expect_eq(json_object_size(object), len, "there are other fields");
}

static long long number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    cr_assert(json_is_integer(value), "%s", name);
    return json_integer_value(value);
}

static double seconds(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    cr_assert(json_is_number(value), "%s", name);
    return json_number_value(value);
}

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    cr_assert(value, "%s", name);
    return value;
}

static const char *const all[] = {"requests",
                                  "ok",
                                  "failed",
                                  "reasons",
                                  "retries",
                                  "bytes",
                                  "wall",
                                  "peak_in_flight",
                                  "connections_opened",
                                  "connections_reused",
                                  "slowest",
                                  "ended",
                                  "time_total",
                                  "failures",
                                  "hosts",
                                  "time_starttransfer",
                                  "time_queue",
                                  NULL};
static const char *const shares[] = {"p50", "p90", "p99", "p999", "max", NULL};

static void expect_times(const json_t *object, const char *name, const double due[5])
{
    const json_t *times = json_object_get(object, name);

    expect_fields(times, shares);
    for (size_t i = 0; i < 5; i++)
        cr_expect_float_eq(seconds(times, shares[i]), due[i], due[i] / 100 + 1e-6, "%s: %s: %g",
                           name, shares[i], seconds(times, shares[i]));
}

Test(summary, is_one_object_with_these_fields)
{
    json_t *object;

    for (int i = 1; i <= 1000; i++)
        note((uint64_t)i, i % 100 ? REASON_OK : REASON_HTTP, i / 1000.0, "http://h:80");
    summary.stats.retries = 7;
    summary.stats.peak_in_flight = 20;
    object = told();
    expect_fields(object, all);
    cr_expect_eq(number(object, "requests"), 1000);
    cr_expect_eq(number(object, "ok"), 990);
    cr_expect_eq(number(object, "failed"), 10);
    cr_expect_eq(number(object, "retries"), 7);
    cr_expect_eq(number(object, "bytes"), 1000000);
    cr_expect_eq(number(object, "peak_in_flight"), 20);
    cr_expect_float_eq(seconds(object, "wall"), 2, 1e-9);
    cr_expect_str_eq(text(object, "ended"), "all done");
    const json_t *reasons = json_object_get(object, "reasons");
    expect_fields(reasons, (const char *const[]){"ok", "http", NULL});
    cr_expect_eq(number(reasons, "ok"), 990);
    cr_expect_eq(number(reasons, "http"), 10);
    expect_times(object, "time_total", (const double[]){0.5, 0.9, 0.99, 0.999, 1});
    expect_times(object, "time_starttransfer", (const double[]){0.05, 0.09, 0.099, 0.0999, 0.1});
    expect_times(object, "time_queue", (const double[]){0.005, 0.009, 0.0099, 0.00999, 0.01});
    json_decref(object);
}

Test(summary, tells_examples_and_hosts)
{
    for (int i = 1; i <= 5; i++)
        note((uint64_t)i, REASON_HTTP, 1, i % 2 ? "http://a:80" : "http://b:80");
    note_text("http://x/", "reset", "http://a:80");
    json_t *object = told();
    const json_t *failures = json_object_get(object, "failures");
    const json_t *hosts = json_object_get(object, "hosts");
    cr_assert_eq(json_array_size(failures), 2);
    const json_t *first = json_array_get(failures, 0);
    expect_fields(first, (const char *const[]){"reason", "count", "examples", NULL});
    cr_expect_str_eq(text(first, "reason"), "http");
    cr_expect_eq(number(first, "count"), 5);
    const json_t *examples = json_object_get(first, "examples");
    cr_assert_eq(json_array_size(examples), (size_t)FAILURE_EXAMPLES);
    for (size_t i = 0; i < FAILURE_EXAMPLES; i++) {
        const json_t *example = json_array_get(examples, i);
        expect_fields(example, (const char *const[]){"seq", "url", "errormsg", NULL});
        cr_expect_eq(number(example, "seq"), (long long)i + 1);
        cr_expect_str_eq(text(example, "url"), "http://h/");
        cr_expect_str_eq(text(example, "errormsg"), "status 404");
    }
    cr_expect_str_eq(text(json_array_get(failures, 1), "reason"), "reset");
    cr_expect_eq(json_array_size(json_object_get(json_array_get(failures, 1), "examples")), 1);
    cr_assert_eq(json_array_size(hosts), 2);
    const json_t *worst = json_array_get(hosts, 0);
    expect_fields(worst, (const char *const[]){"host", "failed", "reasons", NULL});
    cr_expect_str_eq(text(worst, "host"), "http://a:80");
    cr_expect_eq(number(worst, "failed"), 4);
    cr_expect_eq(number(json_object_get(worst, "reasons"), "http"), 3);
    cr_expect_eq(number(json_object_get(worst, "reasons"), "reset"), 1);
    json_decref(object);
}

Test(summary, of_nothing_has_all_fields_too)
{
    json_t *object = told();

    expect_fields(object, all);
    cr_expect_eq(number(object, "requests"), 0);
    cr_expect_eq(json_object_size(json_object_get(object, "reasons")), 0);
    cr_expect_eq(json_array_size(json_object_get(object, "failures")), 0);
    cr_expect_eq(json_array_size(json_object_get(object, "hosts")), 0);
    expect_times(object, "time_total", (const double[]){0, 0, 0, 0, 0});
    json_decref(object);
}

/* What got no answer took no time that anybody would compare. */
Test(summary, times_what_was_answered)
{
    note(1, REASON_OK, 0.25, NULL);
    note_text("http://x/", "reset", NULL);
    cr_expect_eq(summary.total.count, 1);
    json_t *object = told();
    expect_times(object, "time_total", (const double[]){0.25, 0.25, 0.25, 0.25, 0.25});
    json_decref(object);
}

Test(summary, counts_every_reason)
{
    for (enum reason reason = REASON_OK; reason < REASON_COUNT; reason++)
        note(1, reason, 1, "http://h:80");
    json_t *object = told();
    const json_t *reasons = json_object_get(object, "reasons");
    cr_expect_eq(json_object_size(reasons), (size_t)REASON_COUNT);
    for (enum reason reason = REASON_OK; reason < REASON_COUNT; reason++)
        cr_expect_eq(number(reasons, reason_name(reason)), 1);
    cr_expect_eq(json_array_size(json_object_get(object, "failures")), (size_t)REASON_COUNT - 1);
    json_decref(object);
}

static const char nasty[] = "a\x1b[31m\x07\r\n\t\x7f\xc2\x9b\"\\\xff";

Test(summary, is_valid_json_whatever_the_texts)
{
    summary.ended = nasty;
    note_text(nasty, nasty, nasty);
    json_t *object = told();
    cr_expect_str_eq(text(object, "ended"), "a\x1b[31m\x07\r\n\t\x7f\xc2\x9b\"\\\xef\xbf\xbd");
    json_decref(object);
}

/* However bad the run was, what is told of it has room where it goes to stderr. */
Test(summary, has_a_bounded_length)
{
    enum { ROOM = 64 * 1024, MANY = 400 };
    char long_text[1000], host[300];
    struct buf out;

    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    for (enum reason reason = REASON_OK + 1; reason < REASON_COUNT; reason++) {
        for (int i = 0; i < MANY; i++) {
            struct task *task = task_new();
            task->request.seq = UINT64_MAX;
            task->request.url = xstrdup(long_text);
            task->result.reason = reason;
            task->result.message = xstrdup(long_text);
            snprintf(host, sizeof host, "https://%0253d:65535", i % 20);
            summary_note(&summary, &TASKS_FINISHED(task, host));
            tasks_free(task);
        }
    }
    buf_init(&out);
    summary_add_json(&summary, &out);
    cr_expect_lt(out.len, ROOM);
    buf_clear(&out);
    summary_add_text(&summary, false, &out);
    cr_expect_lt(out.len, ROOM);
    buf_release(&out);
}

/* ---- as text ---- */

static void expect_told(const struct buf *out, const char *words)
{
    cr_expect(strstr(out->data, words), "no '%s' in: %s", words, out->data);
}

Test(summary, tells_people_the_same)
{
    struct buf out;

    for (int i = 1; i <= 9; i++)
        note((uint64_t)i, i > 5 ? REASON_HTTP : REASON_OK, 0.5, "http://h:80");
    summary.stats.retries = 3;
    summary.stats.peak_in_flight = 2;
    buf_init(&out);
    summary_add_text(&summary, false, &out);
    expect_told(&out,
                "weir: 9 requests in 2 s (4.5/s): 5 ok, 4 failed, 3 retried; 8.8 KiB; at most "
                "2 in flight\n");
    expect_told(&out, "weir:   total: p50 500 ms, ");
    expect_told(&out, "weir:   http: 4\n");
    expect_told(&out, "http://h/");
    expect_told(&out, "status 404");
    expect_told(&out, "weir:     http://h:80: 4 http\n");
    expect_told(&out, "weir:   ended: all done\n");
    for (const char *line = out.data; *line; line = strchr(line, '\n') + 1)
        cr_expect_eq(strncmp(line, "weir: ", 6), 0, "%s", line);
    buf_release(&out);
}

Test(summary, tells_people_what_was_not_done_apart)
{
    struct buf out;

    note(1, REASON_OK, 0.5, "http://h:80");
    note(2, REASON_HTTP, 0.5, "http://h:80");
    for (uint64_t seq = 3; seq <= 100; seq++)
        note(seq, seq % 2 ? REASON_HALTED : REASON_CANCELLED, 0, "http://h:80");
    buf_init(&out);
    summary_add_text(&summary, false, &out);
    expect_told(&out, "weir: 2 requests in 2 s (1/s): 1 ok, 1 failed, 0 retried; 98 not done; ");
    expect_told(&out, "weir:     http://h:80: 1 http\n");
    expect_told(&out, "weir:   halted: 49\n");
    buf_release(&out);
}

Test(summary, draws_how_long_it_took)
{
    struct buf out;

    for (int i = 0; i < 100; i++)
        note((uint64_t)i + 1, REASON_OK, i < 10 ? 0.002 : i < 14 ? 0.008 : 0.004, NULL);
    buf_init(&out);
    summary_add_text(&summary, false, &out);
    expect_told(&out, "weir:     up to    8 ms |## 4\n");
    expect_told(&out, " |######################################## 86\n");
    expect_told(&out, " |##### 10\n");
    expect_told(&out, " | 0\n");
    buf_clear(&out);
    summary_add_text(&summary, true, &out);
    expect_told(&out, "weir:     up to    8 ms |\xE2\x96\x88\xE2\x96\x89 4\n");
    expect_told(&out, "\xE2\x96\x8B 10\n");
    buf_release(&out);
}

Test(summary, draws_nothing_of_a_few)
{
    struct buf out;

    for (int i = 1; i < SUMMARY_DRAWN_MIN; i++)
        note((uint64_t)i, REASON_OK, i, NULL);
    buf_init(&out);
    summary_add_text(&summary, false, &out);
    cr_expect_null(strstr(out.data, "up to"));
    buf_release(&out);
}

Test(summary, tells_the_slowest_and_the_connections)
{
    struct buf out;

    for (int i = 1; i <= 7; i++)
        note((uint64_t)i, i % 2 ? REASON_OK : REASON_HTTP, i, NULL);
    summary.stats.opened = 3;
    summary.stats.reused = 4;
    buf_init(&out);
    summary_add_text(&summary, false, &out);
    expect_told(&out, "weir:   slowest:\n"
                      "weir:     7 s #7 http://h/: status 200\n"
                      "weir:     6 s #6 http://h/: status 404\n");
    expect_told(&out, "weir:     3 s #3 http://h/: status 200\n");
    cr_expect_null(strstr(out.data, "2 s #2 "));
    expect_told(&out, "weir:   connections: 3 opened, 4 times one was used again\n");
    buf_release(&out);
    json_t *object = told();
    const json_t *slowest = json_object_get(object, "slowest");
    cr_assert_eq(json_array_size(slowest), 5);
    const json_t *first = json_array_get(slowest, 0);
    expect_fields(first, (const char *const[]){"seq", "url", "http_code", "time_total", NULL});
    cr_expect_eq(number(first, "seq"), 7);
    cr_expect_eq(seconds(first, "time_total"), 7);
    cr_expect_eq(number(first, "http_code"), 200);
    cr_expect_str_eq(text(first, "url"), "http://h/");
    cr_expect_eq(number(object, "connections_opened"), 3);
    cr_expect_eq(number(object, "connections_reused"), 4);
    json_decref(object);
}

Test(summary, has_nothing_that_moves_a_terminal)
{
    struct buf out;

    summary.ended = nasty;
    note_text(nasty, nasty, nasty);
    buf_init(&out);
    summary_add_text(&summary, false, &out);
    expect_told(&out, "a\\x1b[31m");
    for (size_t i = 0; i < out.len; i++) {
        unsigned char byte = (unsigned char)out.data[i];
        cr_expect(byte == '\n' || (byte >= 0x20 && byte != 0x7f), "byte %zu is %#x", i, byte);
        cr_expect_neq(byte, 0xff);
        cr_expect_not(byte == 0xc2 && (unsigned char)out.data[i + 1] < 0xa0, "a C1 at %zu", i);
    }
    buf_release(&out);
}

/* ---- the short one ---- */

/* How many lines it has; they are in `text`. */
static size_t tell_short(bool brief, struct buf *text)
{
    size_t lines = 0;

    buf_clear(text);
    summary_add_short(&summary, brief, text);
    for (size_t i = 0; i < text->len; i++)
        lines += text->data[i] == '\n';
    return lines;
}

Test(summary, is_one_line_where_it_is_short)
{
    struct buf text;

    buf_init(&text);
    summary.ended = "SIGINT";
    for (uint64_t i = 1; i < SUMMARY_LINE_BELOW; i++)
        note(i, REASON_HTTP, 0.1, "http://a:80");
    cr_expect_eq(tell_short(false, &text), 1, "%s", text.data);
    note(SUMMARY_LINE_BELOW, REASON_OK, 0.1, "http://a:80");
    cr_expect_eq(tell_short(true, &text), 1, "%s", text.data);
    cr_expect_eq(tell_short(false, &text), 6, "%s", text.data);
    cr_expect(strstr(text.data, "weir:   hosts with the most failures: http://a:80 9\n"), "%s",
              text.data);
    cr_expect(strstr(text.data, "weir:   ended: SIGINT\n"), "%s", text.data);
    buf_release(&text);
}

Test(summary, is_never_longer_than_six_lines_where_it_is_short)
{
    struct buf text;
    char host[32];

    buf_init(&text);
    for (uint64_t i = 0; i < 500; i++) {
        snprintf(host, sizeof host, "http://h%u:80", (unsigned)(i % 50));
        note(i, (enum reason)(REASON_OK + i % REASON_HALTED), 0.1, host);
    }
    cr_expect_leq(tell_short(false, &text), 6, "%s", text.data);
    buf_release(&text);
}
