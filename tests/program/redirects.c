/* Where an answer leads, and what of a request goes along. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "moment.h"
#include "program.h"
#include "stage.h"

struct hop {
    char target[96];
    char out[16];
};

ParameterizedTestParameters(redirect, is_followed)
{
    static struct hop hops[] = {
        {"/text/x?location=/text/y", "y\n"},
        {"/text/x?status=301&location=/text/y", "y\n"},
        {"/text/x?status=303&location=/text/y", "y\n"},
        {"/text/x?status=307&location=/text/y", "y\n"},
        {"/text/x?status=308&location=/text/y", "y\n"},
        {"/text/x?hops=1", "x\n"},
        {"/text/x?hops=10", "x\n"},
        /* Relative to where the answer came from. */
        {"/text/a/b?location=c", "a/c\n"},
        {"/text/a/b?location=../c", "c\n"},
        {"/text/a/b?location=./c", "a/c\n"},
        {"/text/x?location=%2Ftext%2Fa%20b", "a b\n"},
        {"/text/x?location=/text/y%23part", "y\n"},
        {"/text/x?location=/text/y&chunked=1", "y\n"},
        {"/text/x?location=/text/y&close=1", "y\n"},
        {"/bytes/200000?location=/text/y", "y\n"},
        /* No redirect: there is nowhere to go, or the status is another one. */
        {"/text/x?status=302", "x\n"},
        {"/text/x?status=300&location=/text/y", "x\n"},
        {"/text/x?status=305&location=/text/y", "x\n"},
        {"/text/x?status=200&location=/text/y", "x\n"},
        {"/text/x?status=304&location=/text/y", ""},
    };

    return cr_make_param_array(struct hop, hops, sizeof hops / sizeof *hops);
}

ParameterizedTest(struct hop *hop, redirect, is_followed)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR(stage_url(stage, "%s", hop->target)), NULL), 0, hop->out,
                   "");
    program_expect(program_fetch(RUN_WEIR("-L", stage_url(stage, "%s", hop->target)), NULL), 0,
                   hop->out, "");
    stage_free(stage);
}

/* ---- the body of what is followed ---- */

ParameterizedTestParameters(redirect, has_a_body_that_can_neither_fail_nor_delay)
{
    static struct hop hops[] = {
        {"/bytes/9000?location=/text/y&short=10", "y\n"},
        {"/bytes/0?location=/text/y&short=10", "y\n"},
        {"/bytes/9000?location=/text/y&cutchunk=1", "y\n"},
        {"/bytes/9000?location=/text/y&badchunk=1", "y\n"},
        {"/bytes/9000?location=/text/y&chunked=1&trailers=9000", "y\n"},
        {"/bytes/9000?location=/text/y&badgzip=1", "y\n"},
        {"/bytes/9000?location=/text/y&badgzip=cut", "y\n"},
        {"/bytes/9000?location=/text/y&hdr=Content-Encoding:br", "y\n"},
        {"/bytes/100000000?location=/text/y&bomb=1", "y\n"},
        {"/bytes/9000?location=/text/y&stall=0", "y\n"},
        {"/bytes/9000?location=/text/y&stall=5000", "y\n"},
        {"/bytes/9000?location=/text/y&stall=5000&close=1", "y\n"},
        {"/bytes/9000?location=/text/y&stall=5000&nolength=1", "y\n"},
        {"/bytes/9000?location=/text/y&headdelay=200", "y\n"},
        {"/bytes/9000?location=/text/y&drip=1,0.05", "y\n"},
        {"/bytes/9000000000?location=/text/y", "y\n"},
        {"/bytes/1?location=/text/y&endless=1", "y\n"},
        {"/bytes/1?location=/text/y&endless=1&nolength=1", "y\n"},
    };

    return cr_make_param_array(struct hop, hops, sizeof hops / sizeof *hops);
}

ParameterizedTest(struct hop *hop, redirect, has_a_body_that_can_neither_fail_nor_delay)
{
    enum { READ_AT_MOST = 8 * 1024 * 1024 /* with all that stands in sockets */ };
    static const char *const bodies[] = {"--stall-timeout=100", "--max-filesize=100"};
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "%s", hop->target);

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        double begun = moment_now();
        program_expect(program_fetch(RUN_WEIR("--retry=0", "-m20", bodies[i], url), NULL), 0,
                       hop->out, "");
        cr_expect_lt(moment_now(), begun + 15, "the body was waited for");
    }
    program_expect(program_fetch(RUN_WEIR("--retry=0", "-m20", "--jsonl", url), NULL), 0, NULL, "");
    cr_expect(origin_wait_open(stage->origin, 0, patience));
    cr_expect_leq(origin_log_next(stage->origin, NULL)->sent_bytes, READ_AT_MOST);
    stage_free(stage);
}

Test(redirect, keeps_its_connection_where_the_body_is_short)
{
    static const char *const shapes[] = {"/bytes/65536?", "/bytes/1000?chunked=1&", "/bytes/0?",
                                         "/bytes/9000?headdelay=0.01&"};

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct stage *stage = stage_new();
        const char *url = stage_url(stage, "%slocation=/text/y", shapes[i]);
        program_expect(program_fetch(RUN_WEIR(url), NULL), 0, "y\n", "");
        cr_expect_eq(origin_counts(stage->origin).accepted, 1, "%s", shapes[i]);
        stage_free(stage);
    }
}

Test(redirect, gives_its_connection_up_where_the_body_is_long)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/bytes/65537?location=/text/y");

    program_expect(program_fetch(RUN_WEIR(url), NULL), 0, "y\n", "");
    cr_expect_eq(origin_counts(stage->origin).accepted, 2);
    stage_free(stage);
}

Test(redirect, leads_nowhere_with_an_empty_location)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR(stage_url(stage, "/text/x?status=302&hdr=Location:"),
                                          stage_url(stage, "/text/y?status=302&hdr=Location:%%20")),
                                 NULL),
                   0, "x\ny\n", "");
    stage_free(stage);
}

Test(redirect, is_printed_itself_with_no_location)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR("--no-location", stage_url(stage, "/text/x?location=/text/y"),
                               stage_url(stage, "/text/z")),
                      NULL),
        0, "x\nz\n", "");
    cr_expect_null(origin_log_find(stage->origin, "/text/y"));
    stage_free(stage);
}

Test(redirect, is_followed_as_often_as_max_redirs_says)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x?hops=3");
    struct run_result result;

    program_expect(program_fetch(RUN_WEIR("--max-redirs", "3", url), NULL), 0, "x\n", "");
    result = program_fetch(RUN_WEIR("--max-redirs", "2", url), NULL);
    cr_expect(program_told(&result, url, "redirects", "more than 2"), "%s", blob_text(&result.err));
    program_expect(result, 1, "", NULL);
    program_expect(
        program_fetch(RUN_WEIR("--max-redirs", "0", url, stage_url(stage, "/text/y")), NULL), 1,
        "y\n", "redirects: more than 0");
    program_expect(
        program_fetch(RUN_WEIR("--max-redirs", "40", stage_url(stage, "/text/x?hops=40")), NULL), 0,
        "x\n", "");
    stage_free(stage);
}

Test(redirect, has_each_of_its_statuses_judged_where_it_ends)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR(stage_url(stage, "/text/x?location=/text/y%%3Fstatus=404")), NULL),
        1, "", ": http: status 404");
    program_expect(program_fetch(RUN_WEIR("--accept", "200", "--no-location",
                                          stage_url(stage, "/text/x?location=/text/y")),
                                 NULL),
                   1, "", ": http: status 302");
    stage_free(stage);
}

Test(redirect, does_not_send_the_part_behind_a_number_sign)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR(stage_url(stage, "/text/x?location=/text/y%%23part")), NULL), 0,
        "y\n", "");
    cr_expect_not_null(origin_log_find(stage->origin, "/text/y"));
    stage_free(stage);
}

/* ---- what goes along ---- */

#define PRIVATE                                                                                   \
    "-H", "Authorization: Bearer secret", "-H", "Cookie: a=secret", "-H", "X-Api-Key: secret",    \
        "-H", "Accept: text/x-own", "-H", "Accept-Language: rm", "-H", "Cache-Control: no-cache", \
        "-A", "own/1", "--"

static void expect_private(struct stage *stage, const char *target, bool expected)
{
    cr_expect_eq(stage_saw_header(stage, target, "Authorization", ""), expected, "%s", target);
    cr_expect_eq(stage_saw_header(stage, target, "Cookie", ""), expected, "%s", target);
    cr_expect_eq(stage_saw_header(stage, target, "X-Api-Key", ""), expected, "%s", target);
    cr_expect(stage_saw_header(stage, target, "Accept", "text/x-own"), "%s", target);
    cr_expect(stage_saw_header(stage, target, "Accept-Language", "rm"), "%s", target);
    cr_expect(stage_saw_header(stage, target, "Cache-Control", "no-cache"), "%s", target);
    cr_expect(stage_saw_header(stage, target, "User-Agent", "own/1"), "%s", target);
}

static const char *leading_to(struct stage *stage, const char *target, const char *url)
{
    return stage_text(stage, "%s?location=%s", target, stage_encoded(stage, url));
}

Test(headers, go_along_to_the_same_host)
{
    struct stage *stage = stage_new_any();
    const char *there = stage_url_at(stage, "127.0.0.1", "/text/there");
    const char *here = leading_to(stage, "/text/here", there);

    program_expect(program_fetch(RUN_WEIR(PRIVATE, stage_url_at(stage, "127.0.0.1", here)), NULL),
                   0, "there\n", "");
    expect_private(stage, here, true);
    expect_private(stage, "/text/there", true);
    stage_free(stage);
}

Test(headers, that_are_private_do_not_go_to_another_host)
{
    struct stage *stage = stage_new_any();
    const char *there = stage_url_at(stage, "127.0.0.2", "/text/there");
    const char *here = leading_to(stage, "/text/here", there);

    program_expect(program_fetch(RUN_WEIR(PRIVATE, stage_url_at(stage, "127.0.0.1", here)), NULL),
                   0, "there\n", "");
    expect_private(stage, here, true);
    expect_private(stage, "/text/there", false);
    stage_free(stage);
}

Test(headers, that_are_private_do_not_go_to_another_port)
{
    struct stage *stage = stage_new(), *other = stage_new();
    const char *here = leading_to(stage, "/text/here", stage_url(other, "/text/there"));

    program_expect(program_fetch(RUN_WEIR(PRIVATE, stage_url(stage, "%s", here)), NULL), 0,
                   "there\n", "");
    expect_private(stage, here, true);
    expect_private(other, "/text/there", false);
    stage_free(stage);
    stage_free(other);
}

Test(headers, that_are_private_come_home_again)
{
    struct stage *stage = stage_new_any();
    const char *home = stage_url_at(stage, "127.0.0.1", "/text/home");
    const char *away = leading_to(stage, "/text/away", home);
    const char *first = leading_to(stage, "/text/first", stage_url_at(stage, "127.0.0.2", away));

    program_expect(program_fetch(RUN_WEIR(PRIVATE, stage_url_at(stage, "127.0.0.1", first)), NULL),
                   0, "home\n", "");
    expect_private(stage, first, true);
    expect_private(stage, away, false);
    expect_private(stage, "/text/home", true);
    stage_free(stage);
}

Test(headers, all_go_along_with_location_trusted)
{
    struct stage *stage = stage_new_any();
    const char *there = stage_url_at(stage, "127.0.0.2", "/text/there");
    const char *here = leading_to(stage, "/text/here", there);

    program_expect(
        program_fetch(
            RUN_WEIR("--location-trusted", PRIVATE, stage_url_at(stage, "127.0.0.1", here)), NULL),
        0, "there\n", "");
    expect_private(stage, "/text/there", true);
    stage_free(stage);
}

static const char *value_of(struct stage *stage, const char *target, const char *name)
{
    const struct origin_record *record = origin_log_find(stage->origin, target);
    char value[256];

    cr_assert(record, "the origin saw no %s", target);
    return origin_record_header(record, name, value, sizeof value) ? stage_text(stage, "%s", value)
                                                                   : "";
}

/* With 307 the payload goes along, and with it what it is; with 302 neither does. */
Test(headers, that_describe_a_payload_travel_with_it)
{
    static const char *const statuses[] = {"307", "308", "302"};
    static const char *const types[] = {"application/json", "application/json", ""};
    static const char *const encodings[] = {"x-own", "x-own", ""};
    struct stage *stage = stage_new_any();

    for (size_t i = 0; i < 3; i++) {
        const char *own = stage_text(stage, "/text/own%zu", i);
        const char *target = stage_text(stage, "/text/there%zu", i);
        const char *here = stage_url(
            stage, "%s&status=%s",
            leading_to(stage, "/text/a", stage_url_at(stage, "127.0.0.2", target)), statuses[i]);
        program_expect(program_fetch(RUN_WEIR("--json", "{}", "-H", "Content-Encoding: x-own", "-H",
                                              "X-Api-Key: secret", here),
                                     NULL),
                       0, NULL, "");
        cr_expect_str_eq(value_of(stage, target, "Content-Type"), types[i]);
        cr_expect_str_eq(value_of(stage, target, "Content-Encoding"), encodings[i]);
        cr_expect_str_eq(value_of(stage, target, "X-Api-Key"), "");
        here = stage_url(stage, "%s&status=%s",
                         leading_to(stage, "/text/b", stage_url_at(stage, "127.0.0.2", own)),
                         statuses[i]);
        program_expect(program_fetch(RUN_WEIR("-a-"),
                                     stage_text(stage, "{\"url\":\"%s\",\"json\":{}}\n", here)),
                       0, NULL, "");
        cr_expect_str_eq(value_of(stage, own, "Content-Type"), types[i]);
    }
    stage_free(stage);
}

/* ---- Referer ---- */

Test(referer, is_for_the_host_that_the_user_named)
{
    struct stage *stage = stage_new_any();
    const char *there = stage_url_at(stage, "127.0.0.2", "/text/there");
    const char *here = leading_to(stage, "/text/here", there);
    const char *same = leading_to(stage, "/text/x", "/text/same");

    program_expect(program_fetch(RUN_WEIR("-j1", "-e", "http://r/", stage_url(stage, "%s", here),
                                          stage_url(stage, "%s", same)),
                                 NULL),
                   0, "there\nsame\n", "");
    cr_expect_str_eq(value_of(stage, here, "Referer"), "http://r/");
    cr_expect_str_eq(value_of(stage, "/text/there", "Referer"), "");
    cr_expect_str_eq(value_of(stage, "/text/same", "Referer"), "http://r/");
    stage_free(stage);
}

Test(referer, that_is_auto_is_the_url_before_on_each_redirect)
{
    static const char *const options[] = {"http://r/;auto", ";auto"};
    static const char *const first[] = {"http://r/", ""};

    for (size_t i = 0; i < 2; i++) {
        struct stage *stage = stage_new_any();
        const char *last = stage_url_at(stage, "127.0.0.2", "/text/last");
        const char *middle = leading_to(stage, "/text/middle", last);
        const char *here = leading_to(stage, "/text/here", middle);
        const char *port = strrchr(origin_url(stage->origin), ':');
        program_expect(program_fetch(RUN_WEIR("-j1", "-e", options[i],
                                              stage_url_at(stage, "me:word@127.0.0.1",
                                                           stage_text(stage, "%s#part", here)),
                                              stage_url(stage, "/text/next")),
                                     NULL),
                       0, "last\nnext\n", "");
        cr_expect_str_eq(value_of(stage, here, "Referer"), first[i]);
        cr_expect_str_eq(value_of(stage, middle, "Referer"),
                         stage_text(stage, "http://127.0.0.1%s%s", port, here));
        cr_expect_str_eq(value_of(stage, "/text/last", "Referer"),
                         stage_text(stage, "http://127.0.0.1%s%s", port, middle));
        cr_expect_str_eq(value_of(stage, "/text/next", "Referer"), first[i]);
        stage_free(stage);
    }
}

/* ---- many ---- */

/* The handles are used again: what one request left out, the next has. */
Test(headers, are_right_for_each_of_many_requests)
{
    enum { REQUESTS = 200 };
    struct stage *stage = stage_new_any();
    struct blob input = {0};
    size_t there = 0;

    for (int i = 0; i < REQUESTS; i++) {
        const char *to = stage_text(stage, "/text/%d", i);
        if (i % 2)
            to = leading_to(stage, to, stage_url_at(stage, "127.0.0.2", "/text/there"));
        blob_addf(&input, "%s\n", stage_url_at(stage, "127.0.0.1", to));
    }
    struct run_result result = program_fetch(
        RUN_WEIR("-j", "7", "-H", "X-Api-Key: secret", "-H", "Accept: x/y"), blob_text(&input));
    cr_expect_eq(result.code, 0, "%s", blob_text(&result.err));
    for (const struct origin_record *record = NULL;
         (record = origin_log_next(stage->origin, record)) != NULL;) {
        bool away = strcmp(record->local, "127.0.0.2") == 0;
        char value[32] = "";
        cr_expect_eq(origin_record_header(record, "X-Api-Key", value, sizeof value), !away, "%s",
                     record->target);
        cr_expect(origin_record_header(record, "Accept", value, sizeof value));
        cr_expect_str_eq(value, "x/y");
        there += away;
    }
    cr_expect_eq(there, REQUESTS / 2);
    run_result_release(&result);
    blob_release(&input);
    stage_free(stage);
}

Test(host_header, of_ours_is_for_the_first_host_only)
{
    struct stage *stage = stage_new_any();
    const char *there = stage_url_at(stage, "127.0.0.2", "/text/there");
    const char *here = leading_to(stage, "/text/here", there);

    program_expect(
        program_fetch(RUN_WEIR("-H", "Host: own.test", stage_url_at(stage, "127.0.0.1", here)),
                      NULL),
        0, "there\n", "");
    cr_expect(stage_saw_header(stage, here, "Host", "own.test"));
    cr_expect(
        stage_saw_header(stage, "/text/there", "Host",
                         stage_text(stage, "127.0.0.2:%u", (unsigned)origin_port(stage->origin))));
    stage_free(stage);
}

/* ---- credentials in the URL ---- */

struct credentials {
    char host[32]; /* that Location names; "": it is relative */
    bool kept;
};

ParameterizedTestParameters(credentials, of_a_url_are_for_its_host)
{
    static struct credentials credentials[] = {
        {"", true},
        {"//127.0.0.1", true},
        {"http://127.0.0.1", true},
        {"//127.0.0.2", false},
        {"http://127.0.0.2", false},
    };

    return cr_make_param_array(struct credentials, credentials,
                               sizeof credentials / sizeof *credentials);
}

ParameterizedTest(struct credentials *credentials, credentials, of_a_url_are_for_its_host)
{
    struct stage *stage = stage_new_any();
    const char *port = stage_text(stage, ":%u", (unsigned)origin_port(stage->origin));
    const char *there =
        stage_text(stage, "%s%s/text/there", credentials->host, *credentials->host ? port : "");
    const char *here = leading_to(stage, "/text/here", there);

    program_expect(program_fetch(RUN_WEIR(stage_url_at(stage, "user:word@127.0.0.1", here)), NULL),
                   0, "there\n", "");
    cr_expect(stage_saw_header(stage, here, "Authorization", "Basic dXNlcjp3b3Jk"));
    cr_expect_eq(stage_saw_header(stage, "/text/there", "Authorization", ""), credentials->kept);
    stage_free(stage);
}
