/* --cache: what has not changed is not sent again, and nobody is left with less than he had. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "record.h"
#include "stage.h"
#include "survivor.h"

#define CACHE(stage) "--cache", scratch_path((stage)->scratch, "cache")
#define INTO(stage)  "-o", stage_text((stage), "%s/out/{name}", scratch_dir((stage)->scratch))

static const char *path_of(struct stage *stage, const char *name)
{
    return scratch_path(stage->scratch, name);
}

/* The n-th request of that target, from 1. */
static const struct origin_record *nth_request(struct stage *stage, const char *target, int n)
{
    const struct origin_record *record = NULL;

    while ((record = origin_log_next(stage->origin, record)) != NULL) {
        if (strcmp(record->target, target) == 0 && --n == 0)
            return record;
    }
    cr_assert(false, "%s: not so many", target);
    return NULL;
}

/* What it was asked under ("": nothing). */
static void expect_asked(struct stage *stage, const char *target, int n, const char *none_match,
                         const char *since)
{
    const struct origin_record *record = nth_request(stage, target, n);
    char value[2048];

    if (!origin_record_header(record, "If-None-Match", value, sizeof value))
        *value = '\0';
    cr_expect_str_eq(value, none_match, "%s, request %d", target, n);
    if (!origin_record_header(record, "If-Modified-Since", value, sizeof value))
        *value = '\0';
    cr_expect_str_eq(value, since, "%s, request %d", target, n);
}

static void expect_record(const json_t *record, long long code, const char *body)
{
    cr_expect_str_eq(record_text(record, "reason"), "ok");
    cr_expect(json_is_true(json_object_get(record, "ok")));
    cr_expect_eq(record_number(record, "http_code"), code);
    cr_expect_eq(record_has(record, "body"), body != NULL);
    if (body)
        cr_expect_str_eq(record_text(record, "body"), body);
}

static void expect_records(const char *const *argv, long long code, const char *body)
{
    json_t *records = records_of(program_fetch(argv, NULL), 0, 1);

    expect_record(record_at(records, 0), code, body);
    json_decref(records);
}

/* ---- results on stdout ---- */

Test(cache, asks_only_for_what_has_changed)
{
    struct stage *stage = stage_new();
    const char *target = "/text/new?wordtag=1&was=old&failtimes=2";
    const char *const *argv = RUN_WEIR("--jsonl", CACHE(stage), stage_url(stage, "%s", target));

    expect_records(argv, 200, "old\n");
    expect_records(argv, 304, NULL);
    expect_records(argv, 200, "new\n");
    expect_records(argv, 304, NULL);
    expect_asked(stage, target, 1, "", "");
    expect_asked(stage, target, 2, "\"old\"", "");
    expect_asked(stage, target, 3, "\"old\"", "");
    expect_asked(stage, target, 4, "\"new\"", "");
    stage_free(stage);
}

Test(cache, prints_no_body_for_what_has_not_changed)
{
    struct stage *stage = stage_new();
    const char *const *argv = RUN_WEIR(CACHE(stage), stage_url(stage, "/text/a?wordtag=1"),
                                       stage_url(stage, "/text/b"), "--summary=json");

    program_expect(program_fetch(argv, NULL), 0, "a\nb\n", "\"ok\":2");
    program_expect(program_fetch(argv, NULL), 0, "b\n", "\"ok\":2");
    stage_free(stage);
}

Test(cache, asks_with_the_time_of_the_last_change)
{
    struct stage *stage = stage_new();
    const char *target = "/text/a?lastmod=Sun,%2006%20Nov%201994%2008:49:37%20GMT";
    const char *const *argv = RUN_WEIR("--jsonl", CACHE(stage), stage_url(stage, "%s", target));

    expect_records(argv, 200, "a\n");
    expect_records(argv, 304, NULL);
    expect_asked(stage, target, 2, "", "Sun, 06 Nov 1994 08:49:37 GMT");
    stage_free(stage);
}

/* Whatever is accepted: it is the answer to our own question, and to no other. */
Test(cache, takes_not_modified_for_a_success_where_it_asked_for_it)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a?wordtag=1"),
               *b = stage_url(stage, "/text/b?status=304");
    const char *const *argv = RUN_WEIR("--accept=200-299", "--format=none", CACHE(stage), a, b);

    for (int i = 0; i < 2; i++)
        program_expect(program_fetch(argv, NULL), 1, "", "/text/b?status=304: http: status 304");
    cr_expect_eq(nth_request(stage, "/text/a?wordtag=1", 2)->status, 304);
    stage_free(stage);
}

/* ---- which requests ---- */

Test(cache, leaves_those_alone_who_ask_under_conditions_of_their_own)
{
    struct stage *stage = stage_new();
    const char *target = "/text/a?wordtag=1";
    const char *url = stage_url(stage, "%s", target);

    for (int i = 0; i < 2; i++) {
        program_expect(
            program_fetch(RUN_WEIR(CACHE(stage), "-H", "If-None-Match: \"z\"", url), NULL), 0,
            "a\n", "");
        program_expect(program_fetch(RUN_WEIR(CACHE(stage), "-d", "x", url), NULL), 0, "a\n", "");
        program_expect(program_fetch(RUN_WEIR(CACHE(stage), "-r", "0-9", url), NULL), 0, "a\n", "");
    }
    for (int n = 1; n <= 6; n++)
        expect_asked(stage, target, n, n % 3 == 1 ? "\"z\"" : "", "");
    struct blob text = {0};
    cr_assert(scratch_read(stage->scratch, "cache", &text));
    cr_expect_not(blob_contains(&text, "kept"));
    blob_release(&text);
    stage_free(stage);
}

/* Of who asks it does not depend: a token may be another each day. */
Test(cache, tells_requests_apart_by_method_and_headers)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a?wordtag=1");
    const char *plain[] = {run_weir(), CACHE(stage), url, NULL};
    const char *other[] = {run_weir(), CACHE(stage), "-H", "Accept: b/c", url, NULL};
    const char *head[] = {run_weir(), CACHE(stage), "-I", "--format=none", url, NULL};
    const char *user[] = {run_weir(), CACHE(stage), "-H", "Authorization: d", url, NULL};

    program_expect(program_fetch(plain, NULL), 0, "a\n", "");
    program_expect(program_fetch(other, NULL), 0, "a\n", "");
    program_expect(program_fetch(head, NULL), 0, "", "");
    expect_asked(stage, "/text/a?wordtag=1", 3, "", "");
    program_expect(program_fetch(user, NULL), 0, "", "");
    program_expect(program_fetch(plain, NULL), 0, "", "");
    program_expect(program_fetch(other, NULL), 0, "", "");
    stage_free(stage);
}

/* A validator is good where it was learnt, and nobody else hears of it. */
Test(cache, asks_under_a_condition_only_where_that_was_learnt)
{
    struct stage *stage = stage_new_any();
    const char *last = "/text/a?wordtag=1";
    const char *there = stage_url_at(stage, "127.0.0.2", last);
    const char *first =
        stage_text(stage, "/text/r?location=%s&failtimes=2&key=k", stage_encoded(stage, there));
    const char *const *argv = RUN_WEIR("--jsonl", CACHE(stage), stage_url(stage, "%s", first));

    expect_records(argv, 200, "a\n");
    expect_records(argv, 304, NULL);
    expect_asked(stage, first, 2, "", "");
    expect_asked(stage, last, 2, "\"a\"", "");
    expect_records(argv, 200, "r\n"); /* it does not redirect any more */
    expect_asked(stage, first, 3, "", "");
    stage_free(stage);
}

Test(cache, keeps_no_validator_that_is_none)
{
    static const char *const headers[] = {
        "ETag:*",          "ETag:a",         "ETag:%22a", "ETag:%22a%22,%22b%22",
        "ETag:%22a%01%22", "ETag:%22%20%22",
    };
    struct stage *stage = stage_new();
    struct blob text = {0};

    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const char *target = stage_text(stage, "/text/a?hdr=%s&tag=%zu", headers[i], i);
        const char *const *argv = RUN_WEIR(CACHE(stage), stage_url(stage, "%s", target));
        for (int n = 1; n <= 2; n++) {
            program_expect(program_fetch(argv, NULL), 0, "a\n", "");
            expect_asked(stage, target, n, "", "");
        }
    }
    char target[3000], etag[1100];
    memset(etag, 'x', sizeof etag);
    snprintf(target, sizeof target, "/text/a?hdr=ETag:%%22%.1023s%%22", etag);
    const char *const *argv = RUN_WEIR(CACHE(stage), stage_url(stage, "%s", target));
    for (int n = 1; n <= 2; n++)
        program_expect(program_fetch(argv, NULL), 0, "a\n", "");
    expect_asked(stage, target, 2, "", "");
    cr_assert(scratch_read(stage->scratch, "cache", &text));
    cr_expect_not(blob_contains(&text, "kept"));
    blob_release(&text);
    stage_free(stage);
}

/* ---- files ---- */

Test(cache, keeps_the_file_of_what_has_not_changed)
{
    struct stage *stage = stage_new();
    const char *const *argv = RUN_WEIR("--jsonl", CACHE(stage), INTO(stage),
                                       stage_url(stage, "/text/new?wordtag=1&was=old&failtimes=2"));
    struct stat before, after;

    program_expect(program_fetch(argv, NULL), 0, NULL, "");
    stage_expect_file(stage, "out/new", "old\n");
    cr_assert_eq(stat(path_of(stage, "out/new"), &before), 0);

    json_t *records = records_of(program_fetch(argv, NULL), 0, 1);
    expect_record(record_at(records, 0), 304, NULL);
    cr_expect_str_eq(record_text(record_at(records, 0), "body_file"), path_of(stage, "out/new"));
    json_decref(records);
    cr_assert_eq(stat(path_of(stage, "out/new"), &after), 0);
    cr_expect_eq(before.st_ino, after.st_ino);

    records = records_of(program_fetch(argv, NULL), 0, 1);
    expect_record(record_at(records, 0), 200, NULL);
    cr_expect_str_eq(record_text(record_at(records, 0), "body_file"), path_of(stage, "out/new"));
    json_decref(records);
    stage_expect_file(stage, "out/new", "new\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1, "something is left behind");
    stage_free(stage);
}

/* Nothing says whether it is the same, and the file is the cache's own all the same. */
Test(cache, replaces_the_file_of_what_has_no_validator)
{
    struct stage *stage = stage_new();
    const char *const *argv =
        RUN_WEIR(CACHE(stage), INTO(stage), stage_url(stage, "/text/new?was=old&failtimes=2"));

    for (int i = 0; i < 3; i++) {
        program_expect(program_fetch(argv, NULL), 0, "", "");
        stage_expect_file(stage, "out/new", i < 2 ? "old\n" : "new\n");
    }
    stage_free(stage);
}

Test(cache, fetches_again_what_is_not_there_any_more)
{
    struct stage *stage = stage_new();
    const char *const *argv =
        RUN_WEIR(CACHE(stage), INTO(stage), stage_url(stage, "/text/a?wordtag=1"));

    program_expect(program_fetch(argv, NULL), 0, "", "");
    cr_assert_eq(unlink(path_of(stage, "out/a")), 0);
    program_expect(program_fetch(argv, NULL), 0, "", "");
    expect_asked(stage, "/text/a?wordtag=1", 2, "", "");
    stage_expect_file(stage, "out/a", "a\n");
    program_expect(program_fetch(argv, NULL), 0, "", "");
    expect_asked(stage, "/text/a?wordtag=1", 3, "\"a\"", "");
    stage_free(stage);
}

/* It is no more what was kept, so that a 304 would say nothing of it; and it is not ours to
 * replace. */
Test(cache, lets_a_file_be_that_somebody_has_changed)
{
    struct stage *stage = stage_new();
    const char *const *argv =
        RUN_WEIR(CACHE(stage), INTO(stage), stage_url(stage, "/text/a?wordtag=1"));
    const char *const *replacing = RUN_WEIR("--on-conflict=replace", CACHE(stage), INTO(stage),
                                            stage_url(stage, "/text/a?wordtag=1"));

    program_expect(program_fetch(argv, NULL), 0, "", "");
    scratch_write_text(stage->scratch, "out/a", "mine");
    program_expect(program_fetch(argv, NULL), 4, "", "File exists");
    expect_asked(stage, "/text/a?wordtag=1", 2, "", "");
    stage_expect_file(stage, "out/a", "mine");
    program_expect(program_fetch(replacing, NULL), 0, "", "");
    stage_expect_file(stage, "out/a", "a\n");
    program_expect(program_fetch(argv, NULL), 0, "", "");
    expect_asked(stage, "/text/a?wordtag=1", 4, "\"a\"", "");
    stage_free(stage);
}

/* What has the name by now was another's. */
Test(cache, does_not_take_another_file_for_the_one_it_kept)
{
    struct stage *stage = stage_new();
    const char *template = stage_text(stage, "%s/out/{seq}", scratch_dir(stage->scratch));
    const char *a = stage_url(stage, "/text/a?wordtag=1"),
               *b = stage_url(stage, "/text/b?wordtag=1");

    program_expect(program_fetch(RUN_WEIR(CACHE(stage), "-o", template, a, b), NULL), 0, "", "");
    program_expect(program_fetch(RUN_WEIR(CACHE(stage), "-o", template, b, a), NULL), 4, "",
                   "File exists");
    expect_asked(stage, "/text/a?wordtag=1", 2, "", "");
    stage_expect_file(stage, "out/1", "a\n");
    stage_expect_file(stage, "out/2", "b\n");
    program_expect(program_fetch(RUN_WEIR(CACHE(stage), "-o", template, a, b), NULL), 0, "", "");
    expect_asked(stage, "/text/a?wordtag=1", 3, "\"a\"", "");
    program_expect(program_fetch(RUN_WEIR(CACHE(stage), a), NULL), 0, "a\n", "");
    stage_free(stage);
}

Test(cache, knows_a_file_by_its_number)
{
    struct stage *stage = stage_new();
    const char *const *argv = RUN_WEIR("--on-conflict=number", CACHE(stage), INTO(stage),
                                       stage_url(stage, "/text/new?wordtag=1&was=old&failtimes=2"));

    scratch_write_text(stage->scratch, "out/new", "mine");
    for (int i = 0; i < 4; i++) {
        program_expect(program_fetch(argv, NULL), 0, "", "");
        stage_expect_file(stage, "out/new.1", i < 2 ? "old\n" : "new\n");
    }
    stage_expect_file(stage, "out/new", "mine");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 2);
    stage_free(stage);
}

Test(cache, keeps_the_file_of_what_fails)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a?wordtag=1");
    const char *const *argv = RUN_WEIR(CACHE(stage), INTO(stage), url);
    const char *const *failing =
        RUN_WEIR("--retry=0", "-x", "http://127.0.0.1:1", CACHE(stage), INTO(stage), url);

    program_expect(program_fetch(argv, NULL), 0, "", "");
    program_expect(program_fetch(failing, NULL), 1, "", "connect");
    stage_expect_file(stage, "out/a", "a\n");
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1, "something is left behind");
    program_expect(program_fetch(argv, NULL), 0, "", "");
    expect_asked(stage, "/text/a?wordtag=1", 2, "\"a\"", "");
    stage_free(stage);
}

/* ---- with a journal ---- */

Test(cache, goes_with_a_journal)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a?wordtag=1"),
               *b = stage_url(stage, "/text/b?wordtag=1");
    const char *journal = path_of(stage, "journal");
    const char *const *first = RUN_WEIR("--journal", journal, CACHE(stage), INTO(stage), a);
    const char *const *resumed =
        RUN_WEIR("--journal", journal, "--resume", CACHE(stage), INTO(stage), a, b);
    const char *const *again =
        RUN_WEIR("--journal", journal, "--restart", CACHE(stage), INTO(stage), a, b);

    program_expect(program_fetch(first, NULL), 0, "", "");
    program_expect(program_fetch(resumed, NULL), 0, "", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    program_expect(program_fetch(again, NULL), 0, "", "");
    expect_asked(stage, "/text/a?wordtag=1", 2, "\"a\"", "");
    expect_asked(stage, "/text/b?wordtag=1", 2, "\"b\"", "");
    program_expect(program_fetch(resumed, NULL), 0, "", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 4, "what has not changed is done");
    stage_expect_file(stage, "out/a", "a\n");
    stage_expect_file(stage, "out/b", "b\n");
    stage_free(stage);
}

/* What was out is cut off where the journal does not tell of it, and so it has to come again. */
Test(cache, loses_nothing_that_a_resumed_run_has_cut_off)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a?etag=1");
    const char *const *argv = RUN_WEIR("--journal", path_of(stage, "journal"), "--resume",
                                       CACHE(stage), "--to", path_of(stage, "to"), a);
    struct blob text = {0};

    program_expect(program_fetch(argv, NULL), 0, "", "");
    cr_assert(scratch_read(stage->scratch, "journal", &text));
    const char *done = strstr(blob_text(&text), "done ");
    cr_assert(done);
    scratch_write(stage->scratch, "journal", text.at, (size_t)(done - text.at));
    program_expect(program_fetch(argv, NULL), 0, "", "");
    stage_expect_file(stage, "to", "a\n");
    blob_release(&text);
    stage_free(stage);
}

/* ---- killed ---- */

static void write_list(struct stage *stage, unsigned count)
{
    struct blob list = {0};

    for (unsigned i = 1; i <= count; i++)
        blob_addf(&list, "{\"url\":\"%s/text/%u?wordtag=1&delay=0.0%u\",\"output\":\"%u\"}\n",
                  origin_url(stage->origin), i, i % 4, i);
    scratch_write(stage->scratch, "list", list.at, list.len);
    blob_release(&list);
}

/* However often it is killed, it goes on: no file is in its own way, none is half of something, and
 * what is there is not fetched again. */
Test(cache, of_a_killed_run_is_good)
{
    enum { COUNT = 60 };
    static const int signals[] = {SIGKILL, 0};
    struct stage *stage = stage_new();
    uint64_t seed = 3;

    write_list(stage, COUNT);
    struct survivor survivor = {.argv = RUN_WEIR("-s", "-j6", "-a", path_of(stage, "list"),
                                                 CACHE(stage), "--output-dir",
                                                 scratch_mkdir(stage->scratch, "out")),
                                .signals = signals,
                                .ends_max = 12,
                                .slowest_ms = 60,
                                .code = 0};
    cr_expect_gt(survivor_run(&survivor, &seed), 0, "it was never killed");
    for (unsigned i = 1; i <= COUNT; i++)
        stage_expect_file(stage, stage_text(stage, "out/%u", i), stage_text(stage, "%u\n", i));
    uint64_t before = origin_counts(stage->origin).requests;
    program_expect(program_fetch(survivor.argv, NULL), 0, "", "");
    const struct origin_record *record = NULL;
    uint64_t seen = 0, unmodified = 0;
    while ((record = origin_log_next(stage->origin, record)) != NULL)
        unmodified += ++seen > before && record->status == 304;
    cr_expect_eq(unmodified, COUNT);
    stage_free(stage);
}

/* ---- the file ---- */

static void expect_refused(struct stage *stage, const char *text, const char *words)
{
    struct blob after = {0};

    scratch_write_text(stage->scratch, "cache", text);
    program_expect(program_fetch(RUN_WEIR(CACHE(stage), stage_url(stage, "/text/a")), NULL), 2, "",
                   words);
    cr_assert(scratch_read(stage->scratch, "cache", &after));
    cr_expect_str_eq(blob_text(&after), text);
    blob_release(&after);
}

Test(cache, leaves_a_strangers_file_alone)
{
    struct stage *stage = stage_new();

    expect_refused(stage, "dear diary\n", "is no cache of weir");
    expect_refused(stage, "dear diary", "is no cache of weir");
    expect_refused(stage, "weir-cache 1 00000000\n", "is no cache of weir");
    program_expect(
        program_fetch(RUN_WEIR("--cache", scratch_dir(stage->scratch), stage_url(stage, "/text/a")),
                      NULL),
        4, "", "cannot use the cache");
    program_expect(program_fetch(RUN_WEIR("--cache", path_of(stage, "same"), "--journal",
                                          path_of(stage, "same"), stage_url(stage, "/text/a")),
                                 NULL),
                   2, "", "is the file of --journal");
    program_expect(
        program_fetch(RUN_WEIR("--cache", scratch_write_text(stage->scratch, "to", ""), "--to",
                               path_of(stage, "to"), "--jsonl", stage_url(stage, "/text/a")),
                      NULL),
        2, "", "is the file of --to");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

Test(cache, is_for_one_run_at_a_time)
{
    struct stage *stage = stage_new();
    struct run *run = program_spawn(
        (struct run_options){.argv = RUN_WEIR(CACHE(stage), stage_url(stage, "/text/a?silent=1"))});

    cr_assert(origin_wait_requests(stage->origin, 1, patience));
    program_expect(program_fetch(RUN_WEIR(CACHE(stage), stage_url(stage, "/text/b")), NULL), 2, "",
                   "is in use by process");
    run_signal(run, SIGTERM);
    struct run_result result = program_end(run);
    cr_expect_eq(result.signal, SIGTERM);
    run_result_release(&result);
    stage_free(stage);
}

Test(cache, keeps_what_is_not_asked_for_in_this_run)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a?wordtag=1"),
               *b = stage_url(stage, "/text/b?wordtag=1");
    struct blob text = {0};

    program_expect(program_fetch(RUN_WEIR(CACHE(stage), a, b), NULL), 0, "a\nb\n", "");
    program_expect(program_fetch(RUN_WEIR(CACHE(stage), b), NULL), 0, "", "");
    program_expect(program_fetch(RUN_WEIR(CACHE(stage), a), NULL), 0, "", "");
    cr_assert(scratch_read(stage->scratch, "cache", &text));
    cr_expect(blob_contains(&text, "\"a\"") && blob_contains(&text, "\"b\""), "%s", text.at);
    blob_release(&text);
    stage_free(stage);
}

/* One run after the other, and it is as long as what it tells. */
Test(cache, does_not_grow_with_what_is_superseded)
{
    struct stage *stage = stage_new();
    const char *const *argv =
        RUN_WEIR("-j1", CACHE(stage), INTO(stage), stage_url(stage, "/text/a"));
    struct stat first, last;

    program_expect(program_fetch(argv, NULL), 0, "", "");
    cr_assert_eq(stat(path_of(stage, "cache"), &first), 0);
    for (int i = 0; i < 6; i++)
        program_expect(program_fetch(argv, NULL), 0, "", "");
    cr_assert_eq(stat(path_of(stage, "cache"), &last), 0);
    cr_expect_lt(last.st_size, first.st_size + 100);
    cr_expect_eq(scratch_count(stage->scratch, ""), 2, "something is left behind");
    stage_free(stage);
}

Test(cache, is_not_touched_by_a_dry_run)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR("--dry-run", CACHE(stage), stage_url(stage, "/text/a")), NULL), 0,
        NULL, NULL);
    cr_expect_not(scratch_exists(stage->scratch, "cache"));
    stage_free(stage);
}

/* The results are there, and the next run asks anew. */
Test(cache, that_cannot_be_written_is_told_and_stops_nothing)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a?wordtag=1"),
               *b = stage_url(stage, "/text/b?wordtag=1");
    const char *const env[] = {"LD_PRELOAD=" FAULTY_LIBRARY, "FAULTY=write+:2:ENOSPC", "http_proxy",
                               "all_proxy", NULL};
    const char *const *argv = RUN_WEIR(CACHE(stage), a, b);

    program_expect(program_run((struct run_options){.argv = argv, .env = env}), 4, "a\nb\n",
                   "cannot write the cache: No space left");
    program_expect(program_fetch(argv, NULL), 0, "a\nb\n", "");
    program_expect(program_fetch(argv, NULL), 0, "", "");
    stage_free(stage);
}
