#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/columns.h"
#include "base/reason.h"
#include "report/progress.h"

static struct progress progress;
static uint64_t reasons[REASON_COUNT];
static struct progress_view view;
static struct progress_style style;
static struct buf texts[PROGRESS_LINES];
static struct progress_line lines[PROGRESS_LINES];

static void begin(void)
{
    progress_init(&progress, 100);
    view = (struct progress_view){
        .now = 110, .begun_at = 100, .reasons = reasons, .in_flight = 3, .jobs = 20};
    style = (struct progress_style){.width = 79, .utf8 = true};
    for (size_t i = 0; i < PROGRESS_LINES; i++) {
        buf_init(&texts[i]);
        lines[i].text = &texts[i];
    }
}

static void release(void)
{
    for (size_t i = 0; i < PROGRESS_LINES; i++)
        buf_release(&texts[i]);
}

TestSuite(progress, .init = begin, .fini = release);

static size_t draw(void)
{
    for (size_t i = 0; i < PROGRESS_LINES; i++)
        buf_clear(&texts[i]);
    return progress_draw(&progress, &view, &style, lines);
}

/* Goes on for so many seconds at that pace, looked at ten times a second. */
static void go_on(double seconds, double per_second)
{
    double done = (double)view.done;
    int looks = (int)(seconds * 10);

    for (int i = 1; i <= looks; i++) {
        view.now += 0.1;
        done += per_second / 10;
        view.done = (uint64_t)(done + 1e-6);
        view.bytes = view.done * 1024;
        progress_note(&progress, &view);
    }
}

/* ---- the first line ---- */

struct at_width {
    size_t width;
    char line[128];
};

ParameterizedTestParameters(progress, says_what_there_is_room_for)
{
    static struct at_width cases[] = {
        {79, "1000/4000  25%  [###            ]  3 of 20 in flight  100/s  0 B/s  0:30 left"},
        {60, "1000/4000  25%  3 of 20 in flight  100/s  0 B/s  0:30 left"},
        {50, "1000/4000  25%  3 of 20 in flight  0:30 left"},
        {30, "1000/4000  25%  0:30 left"},
        {14, "1000/4000  25%"},
        {9, "1000/4000"},
        {4, "1000"},
        {0, ""},
    };

    return cr_make_param_array(struct at_width, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct at_width *at, progress, says_what_there_is_room_for, .init = begin,
                  .fini = release)
{
    style = (struct progress_style){.width = at->width};
    view.done = 1000;
    view.total = 4000;
    cr_expect_eq(draw(), 1);
    cr_expect_str_eq(texts[0].data, at->line);
    cr_expect_leq(lines[0].columns, at->width);
}

Test(progress, says_how_long_it_has_taken_where_nobody_knows_how_much_there_is)
{
    view.done = 5;
    draw();
    cr_expect_str_eq(texts[0].data, "5 done  3 of 20 in flight  0.5/s  0 B/s  0:10");
}

Test(progress, draws_a_bar_of_what_is_done)
{
    view.done = 3;
    view.total = 6;
    draw();
    const char *bar = strchr(texts[0].data, '[');
    cr_assert(bar);
    size_t all = strcspn(bar, "]") - 1, blank = 0;
    for (const char *at = bar; *at != ']'; at++)
        blank += *at == ' ';
    /* A column that is done is three bytes. */
    cr_expect_leq(blank, (all - blank) / 3 + 1);
    cr_expect_geq(blank + 1, (all - blank) / 3);
    cr_expect_eq(lines[0].columns, columns_of(texts[0].data, texts[0].len));
    cr_expect_leq(lines[0].columns, style.width);
}

Test(progress, is_never_whole_before_the_end)
{
    view.done = 99999;
    view.total = 100000;
    draw();
    cr_expect(strstr(texts[0].data, " 99% "));
    view.done = 100000;
    draw();
    cr_expect(strstr(texts[0].data, " 100% "));
}

/* ---- rates ---- */

Test(progress, tells_the_speed_of_the_last_seconds)
{
    view.now = 100;
    go_on(60, 10);
    go_on(6, 50);
    draw();
    cr_expect(strstr(texts[0].data, "  50/s  50.0 KiB/s  "), "%s", texts[0].data);
}

/* Half a minute at 10 and then 50 a second for a moment: it is not over five times as soon. */
Test(progress, judges_what_is_left_by_the_last_half_minute)
{
    view.now = 100;
    view.total = 10000;
    go_on(60, 10);
    draw();
    cr_expect(strstr(texts[0].data, "15:40 left"), "%s", texts[0].data);
    go_on(3, 50);
    draw();
    cr_expect(strstr(texts[0].data, "11:"), "%s", texts[0].data);
}

Test(progress, promises_nothing_while_nothing_moves)
{
    view.total = 10;
    go_on(1, 5);
    go_on(40, 0);
    draw();
    cr_expect(strstr(texts[0].data, "  0/s"));
    cr_expect_not(strstr(texts[0].data, "left"));
}

Test(progress, does_not_count_what_was_done_before_as_speed)
{
    view.done = view.before = 1000;
    view.total = 2000;
    view.done += 10;
    draw();
    cr_expect(strstr(texts[0].data, "1010/2000  50%"));
    cr_expect(strstr(texts[0].data, "  1/s"));
    cr_expect(strstr(texts[0].data, "16:30 left"));
}

/* ---- the second line ---- */

Test(progress, tells_of_failures_by_reason)
{
    reasons[REASON_OK] = 7;
    reasons[REASON_HTTP] = 2;
    reasons[REASON_TIMEOUT] = 1;
    view.retries = 4;
    cr_expect_eq(draw(), 2);
    cr_expect_str_eq(texts[1].data, "3 failed: 2 http, 1 timeout  4 retried");
}

Test(progress, shows_failures_in_red_where_there_are_colours)
{
    reasons[REASON_HTTP] = 2;
    style.color = true;
    draw();
    cr_expect_str_eq(texts[1].data, "\033[31m2 failed: 2 http\033[m");
    cr_expect_eq(lines[1].columns, strlen("2 failed: 2 http"));
}

struct waiting {
    struct wait wait;
    char words[64];
};

ParameterizedTestParameters(progress, says_what_is_waited_for)
{
    static struct waiting waitings[] = {
        {{.reason = WAIT_RATE}, "waiting: rate limit"},
        {{.reason = WAIT_HOST_FULL}, "waiting: host limit"},
        {{.reason = WAIT_LOOKUP}, "waiting: name lookups"},
        {{.reason = WAIT_READER}, "waiting: reader slow"},
        {{.reason = WAIT_DESCRIPTOR}, "waiting: too many open files"},
        {{.reason = WAIT_RETRY, .seconds = 61}, "waiting: next retry in 1:01"},
        {{.reason = WAIT_INPUT}, "waiting: input"},
    };

    return cr_make_param_array(struct waiting, waitings, sizeof waitings / sizeof *waitings);
}

ParameterizedTest(struct waiting *waiting, progress, says_what_is_waited_for, .init = begin,
                  .fini = release)
{
    view.wait = waiting->wait;
    cr_expect_eq(draw(), 2);
    cr_expect_str_eq(texts[1].data, waiting->words);
}

Test(progress, says_whom_it_waits_for)
{
    view.wait = (struct wait){.reason = WAIT_WINDOW, .seq = 12, .words = "http://h/a\033b"};
    draw();
    cr_expect_str_eq(texts[1].data, "waiting: window full behind #12 http://h/a\\x1bb");
    view.wait = (struct wait){.reason = WAIT_HOST_RATE, .words = "http://h:80"};
    draw();
    cr_expect_str_eq(texts[1].data, "waiting: rate limit of http://h:80");
    view.wait = (struct wait){.reason = WAIT_PAUSED, .words = "http://h:80"};
    draw();
    cr_expect_str_eq(texts[1].data, "waiting: no connection to http://h:80");
    view.wait = (struct wait){.reason = WAIT_ENDING, .words = "SIGINT"};
    draw();
    cr_expect_str_eq(texts[1].data, "ending: SIGINT");
}

Test(progress, tells_until_when_a_gate_is_closed)
{
    setenv("TZ", "UTC", 1);
    tzset();
    view.wait = (struct wait){.reason = WAIT_GATE, .words = "http://h:80", .until = 3661};
    draw();
    cr_expect_str_eq(texts[1].data, "waiting: gate closed until 01:01:01 at http://h:80");
}

Test(progress, does_not_guess_what_is_left_behind_a_closed_gate)
{
    view.total = 4000;
    go_on(10, 100);
    view.wait = (struct wait){.reason = WAIT_GATE, .words = "http://h:80", .until = 3661};
    draw();
    cr_expect(strstr(texts[0].data, " left"), "others still run");
    view.in_flight = 0;
    draw();
    cr_expect_not(strstr(texts[0].data, " left"), "%s", texts[0].data);
}

Test(progress, cuts_wide_characters_whole)
{
    view.wait = (struct wait){
        .reason = WAIT_WINDOW, .seq = 1, .words = "http://h/\xE6\xBC\xA2\xE6\xBC\xA2\xE6\xBC\xA2"};
    for (style.width = 35; style.width <= 48; style.width++) {
        draw();
        cr_expect_leq(lines[1].columns, style.width);
        cr_expect_geq(lines[1].columns + 1, style.width > 46 ? 47 : style.width);
        cr_expect_eq(lines[1].columns, columns_of(texts[1].data, texts[1].len));
        cr_expect_eq(texts[1].data[texts[1].len - 1] & 0x80, style.width > 41 ? 0x80 : 0, "%s",
                     texts[1].data);
    }
}

Test(progress, holds_no_other_character_where_the_locale_has_none)
{
    style.utf8 = false;
    view.done = view.total = 4;
    view.wait = (struct wait){.reason = WAIT_WINDOW, .seq = 1, .words = "http://h/\xE6\xBC\xA2z"};
    draw();
    cr_expect(strstr(texts[1].data, "http://h/?z"));
    cr_expect(strstr(texts[0].data, "[####"));
}

/* ---- for logs ---- */

/* Each is told a little later than the last five seconds begin. */
Test(progress, tells_a_true_speed_on_each_line)
{
    struct buf line;

    buf_init(&line);
    for (int i = 0; i < 10; i++) {
        buf_clear(&line);
        view.now += 5.01;
        view.done += 501;
        view.bytes += 501UL * 1024;
        progress_note(&progress, &view);
        progress_tell(&progress, &view, &line);
        cr_expect(i == 0 || strstr(line.data, "; 100/s, 100.0 KiB/s"), "%s", line.data);
    }
    buf_release(&line);
}

Test(progress, is_told_as_one_line)
{
    struct buf line;

    buf_init(&line);
    view.done = 100;
    view.total = 400;
    view.retries = 1;
    reasons[REASON_HTTP] = 2;
    view.wait.reason = WAIT_RATE;
    progress_tell(&progress, &view, &line);
    cr_expect_str_eq(line.data,
                     "weir: 100 of 400 done (25%), 2 of them failed (2 http); 1 retried; "
                     "3 of 20 in flight; 10/s, 0 B/s; 0:30 left; waiting: rate limit\n");
    buf_release(&line);
}

Test(progress, of_what_nobody_knows_says_nothing_for_logs)
{
    struct buf line;

    buf_init(&line);
    view.done = 100;
    progress_tell(&progress, &view, &line);
    cr_expect_str_eq(line.data, "weir: 100 done, 0 of them failed; 0 retried; 3 of 20 in flight; "
                                "10/s, 0 B/s\n");
    buf_release(&line);
}
