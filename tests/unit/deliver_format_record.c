#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "base/base64.h"
#include "base/spool.h"
#include "base/text.h"
#include "cli/options.h"
#include "deliver/format.h"
#include "input/json_request.h"
#include "rendered.h"
#include "tasks.h"

enum { ROOM_ENOUGH = 1 << 20 };

/* A record as text and as the object it is. */
struct record {
    struct buf text;
    json_t *object;
};

static void expect_one_line_of_utf8(const struct buf *text)
{
    cr_assert_gt(text->len, 2);
    cr_assert_eq(text->data[text->len - 1], '\n');
    for (size_t i = 0; i < text->len - 1; i++)
        cr_assert((unsigned char)text->data[i] >= 0x20, "byte %zu of %s", i, text->data);
    cr_assert_null((u8_check)((const uint8_t *)text->data, text->len), "%s", text->data);
}

static void make_record(struct record *record, const struct options *options,
                        const struct task *task, const struct store *store)
{
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
    json_error_t error;

    buf_init(&record->text);
    rendered_add(options, task, store, ROOM_ENOUGH, &record->text);
    expect_one_line_of_utf8(&record->text);
    record->object = json_loadb(record->text.data, record->text.len, flags, &error);
    cr_assert(json_is_object(record->object), "%s: %s", record->text.data, error.text);
}

static void record_release(struct record *record)
{
    json_decref(record->object);
    buf_release(&record->text);
}

static const char *text_in(const struct record *record, const char *name)
{
    const char *text = json_string_value(json_object_get(record->object, name));

    return text ? text : "(no text)";
}

static double number_in(const struct record *record, const char *name)
{
    const json_t *value = json_object_get(record->object, name);

    cr_assert(json_is_number(value), "%s of %s", name, record->text.data);
    return json_number_value(value);
}

static bool has(const struct record *record, const char *name)
{
    return json_object_get(record->object, name) != NULL;
}

static void begin(struct options *options, unsigned format)
{
    options_init(options);
    options->format = format;
}

/* A task that was answered, with facts. */
static struct task *answered(long http_code)
{
    struct task *task = tasks_answered("http://h.example/a?b", http_code, NULL);

    task->request.seq = 7;
    task->request.line = 9;
    task->result.attempts = 1;
    task->result.modified = -1;
    result_want_facts(&task->result);
    return task;
}

static void ask_in_json(struct task *task, const char *text)
{
    struct buf err;

    buf_init(&err);
    free(task->request.url);
    task->request.url = NULL;
    cr_assert_eq(json_request_parse(text, strlen(text), &task->request, &err), 0, "%s", err.data);
    buf_release(&err);
}

static void fill_facts(struct task *task)
{
    struct facts *facts = task->result.facts;

    facts->content_type = xstrdup("text/html");
    strcpy(facts->remote_ip, "::1");
    facts->remote_port = 8080;
    facts->http_version = 11;
    facts->size_download = 12;
    facts->begun_at = 86400 * 365.25;
    facts->queued = 0.25;
    facts->namelookup = 0.5;
    facts->connect = 0.75;
    facts->appconnect = -1;
    facts->starttransfer = 1.5;
    facts->total = 61.000001;
}

static const char *header_line(const struct format *format)
{
    size_t len = 0;
    const char *line = format_header_line(format, &len);

    cr_expect_eq(len, line ? strlen(line) : 0);
    return line;
}

Test(record, tells_all_that_is_known_of_an_answer)
{
    struct task *task = answered(200);
    struct options options;
    struct record record;
    struct store store;

    rendered_store(&store, ROOM_ENOUGH);
    rendered_head(task, &store, "HTTP/1.1 200 OK\r\nA: 1\r\n\r\n");
    begin(&options, OPTION_FORMAT_JSONL);
    options.include = true;
    fill_facts(task);
    result_pass(&task->result, xstrdup("http://first/"));
    rendered_body(task, &store, "b\"\xC3\xA9\n", 5);
    make_record(&record, &options, task, &store);
    cr_expect_str_eq(
        record.text.data,
        "{\"seq\":7,\"input\":\"-\",\"line\":9,\"url\":\"http://h.example/a?b\","
        "\"url_effective\":\"http://h.example/a?b\",\"method\":\"GET\",\"ok\":true,"
        "\"reason\":\"ok\",\"http_code\":200,\"exitcode\":0,\"errormsg\":null,\"attempts\":1,"
        "\"redirects\":[\"http://first/\"],\"http_version\":\"1.1\",\"remote_ip\":\"::1\","
        "\"remote_port\":8080,\"num_redirects\":1,\"content_type\":\"text/html\","
        "\"size_download\":12,\"size_body\":5,\"ts\":\"1971-01-01T06:00:00.000Z\","
        "\"time_queue\":0.250000,\"time_namelookup\":0.500000,\"time_connect\":0.750000,"
        "\"time_appconnect\":0.000000,\"time_starttransfer\":1.500000,"
        "\"time_total\":61.000001,\"headers\":{\"a\":[\"1\"]},\"body\":\"b\\\"\xC3\xA9\\n\"}\n",
        "%s", record.text.data);
    record_release(&record);
    options_release(&options);
    task_free(task, &store);
    store_release(&store);
}

/* The "address" of a socket of --unix-socket is a path, which may be anything. */
Test(record, escapes_a_path_in_the_place_of_an_address)
{
    struct task *task = answered(200);
    struct options options;
    struct record record;
    struct store store;

    rendered_store(&store, ROOM_ENOUGH);
    rendered_head(task, &store, "HTTP/1.1 200 OK\r\n\r\n");
    begin(&options, OPTION_FORMAT_JSONL);
    fill_facts(task);
    strcpy(task->result.facts->remote_ip, "/a\"b\\c\td\xFF");
    make_record(&record, &options, task, &store);
    cr_expect(strstr(record.text.data, "\"remote_ip\":\"/a\\\"b\\\\c\\td\xEF\xBF\xBD\","), "%s",
              record.text.data);
    record_release(&record);
    options_release(&options);
    task_free(task, &store);
    store_release(&store);
}

Test(record, leaves_out_what_there_is_not)
{
    static const char *const absent[] = {"line",          "id",      "context",      "group",
                                         "url_effective", "method",  "http_version", "remote_ip",
                                         "body",          "headers", "ts",           "remote_port",
                                         "body_file",     "request", "content_type", "body_base64"};
    struct task *task = task_new();
    struct options options;
    struct record record;
    struct store store;

    rendered_store(&store, 0);
    begin(&options, OPTION_FORMAT_JSONL);
    options.include = true;
    task->request.url = xstrdup("no url");
    task->request.invalid = xstrdup("is none");
    result_setf(&task->result, REASON_INVALID, "is none");
    make_record(&record, &options, task, &store);
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        cr_expect(!has(&record, absent[i]), "%s", absent[i]);
    cr_expect_str_eq(text_in(&record, "input"), "argument");
    cr_expect_str_eq(text_in(&record, "reason"), "invalid");
    cr_expect_str_eq(text_in(&record, "errormsg"), "is none");
    cr_expect(json_is_false(json_object_get(record.object, "ok")));
    cr_expect_eq(number_in(&record, "attempts"), 0);
    record_release(&record);
    options_release(&options);
    task_free(task, &store);
    store_release(&store);
}

Test(record, names_http_versions_as_curl_does)
{
    static const struct {
        unsigned version;
        const char *expected;
    } cases[] = {{10, "1.0"}, {11, "1.1"}, {20, "2"}, {30, "3"}};
    struct store store;

    rendered_store(&store, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct task *task = answered(200);
        struct options options;
        struct record record;
        begin(&options, OPTION_FORMAT_JSONL);
        task->result.facts->http_version = cases[i].version;
        make_record(&record, &options, task, &store);
        cr_expect_str_eq(text_in(&record, "http_version"), cases[i].expected);
        record_release(&record);
        options_release(&options);
        task_free(task, &store);
    }
    store_release(&store);
}

Test(record, echoes_a_request_where_it_is_asked_to)
{
    static const char plain[] = "{\"url\":\"http://h/\",\"id\":1}";
    static const char more[] = "{\"url\":\"http://h/\",\"id\":1, \"method\":\"PUT\"}";
    static const struct {
        const char *request;
        enum reason reason;
        unsigned when;
        bool expected;
    } cases[] = {
        {plain, REASON_OK, OPTION_ECHO_FAILED, false},
        {more, REASON_OK, OPTION_ECHO_FAILED, false},
        {plain, REASON_HTTP, OPTION_ECHO_FAILED, false},
        {more, REASON_HTTP, OPTION_ECHO_FAILED, true},
        {more, REASON_OK, OPTION_ECHO_ALL, true},
        {plain, REASON_OK, OPTION_ECHO_ALL, true},
        {more, REASON_HTTP, OPTION_ECHO_NONE, false},
        {NULL, REASON_HTTP, OPTION_ECHO_ALL, false},
    };
    struct store store;

    rendered_store(&store, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct task *task = answered(500);
        struct options options;
        struct record record;
        begin(&options, OPTION_FORMAT_JSONL);
        options.echo_request = cases[i].when;
        if (cases[i].request)
            ask_in_json(task, cases[i].request);
        task->result.reason = cases[i].reason;
        make_record(&record, &options, task, &store);
        cr_expect_eq(has(&record, "request"), cases[i].expected, "case %zu", i);
        if (cases[i].expected)
            cr_expect_not_null(strstr(record.text.data, cases[i].request), "%s", record.text.data);
        record_release(&record);
        options_release(&options);
        task_free(task, &store);
    }
    store_release(&store);
}

Test(record, has_the_body_of_an_answer_that_came_whole_and_of_no_other)
{
    static const struct {
        enum outcome outcome;
        long http_code;
        enum reason reason;
        const char *file;
        bool expected;
    } cases[] = {
        {OUTCOME_ANSWERED, 200, REASON_OK, NULL, true},
        {OUTCOME_ANSWERED, 404, REASON_HTTP, NULL, true},
        {OUTCOME_ANSWERED, 200, REASON_OK, "dir/file", false},
        {OUTCOME_ANSWERED, 200, REASON_OUTPUT, NULL, false},
        {OUTCOME_ANSWERED, 0, REASON_HALTED, NULL, false},
        {OUTCOME_FAILED, 200, REASON_RESET, NULL, false},
    };
    struct store store;

    rendered_store(&store, ROOM_ENOUGH);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct task *task = answered(cases[i].http_code);
        struct options options;
        struct record record;
        begin(&options, OPTION_FORMAT_JSONL);
        task->outcome = cases[i].outcome;
        task->result.reason = cases[i].reason;
        task->body_file = cases[i].file ? xstrdup(cases[i].file) : NULL;
        rendered_body(task, &store, "x", 1);
        make_record(&record, &options, task, &store);
        cr_expect_eq(has(&record, "body"), cases[i].expected, "case %zu", i);
        cr_expect_eq(has(&record, "body_file"), cases[i].file != NULL, "case %zu", i);
        cr_expect(!has(&record, "body_base64"));
        record_release(&record);
        options_release(&options);
        task_free(task, &store);
    }
    store_release(&store);
}

/* ---- whatever the bytes ---- */

enum { BYTES_MAX = 300 };

/* Bytes without a NUL, as a string: text, or anything. */
static char *random_text(unsigned *seed, bool utf8)
{
    static const char *const pieces[] = {"a\"b",     "\xC3\xA9", "\n", "\\",   "\xF0\x9F\x98\x80",
                                         "\x01\x7F", "\t\r",     "/",  "plain"};
    size_t len = (unsigned)rand_r(seed) % BYTES_MAX;
    struct buf text;

    buf_init(&text);
    while (text.len < len) {
        if (utf8)
            buf_add_text(&text, pieces[(unsigned)rand_r(seed) % ARRAY_LEN(pieces)]);
        else
            buf_add_char(&text, (char)(1 + rand_r(seed) % 255));
    }
    return buf_take(&text);
}

static void fill_at_random(struct task *task, struct store *store, unsigned *seed)
{
    bool utf8 = rand_r(seed) % 4 == 0;
    struct facts *facts = task->result.facts;
    struct detail *detail = detail_new();
    char *message = random_text(seed, utf8), *headers = random_text(seed, utf8);
    struct buf head;

    free(task->request.url);
    task->request.url = random_text(seed, utf8);
    task->result.http_code = rand_r(seed) % 600;
    task->outcome = rand_r(seed) % 3 ? OUTCOME_ANSWERED : OUTCOME_FAILED;
    result_setf(&task->result, (enum reason)(rand_r(seed) % REASON_COUNT), "%s", message);
    result_pass(&task->result, random_text(seed, utf8));
    facts->content_type = random_text(seed, utf8);
    buf_init(&head);
    buf_addf(&head, "HTTP/1.1 200 OK\r\nA: %s\r\n%s: b\r\n\r\n", headers, headers);
    rendered_head(task, store, head.data);
    buf_release(&head);
    task->body_file = rand_r(seed) % 3 ? NULL : random_text(seed, utf8);
    detail->context = xstrdup("{\"a\":[1e300,12345678901234567890,\"\xC3\xA9\\u0000\"]}");
    detail->id = xstrdup("\"\\\"\"");
    detail->source = xstrdup("{\"url\":\"h\",\"body\":\"\\n\"}");
    task->request.detail = detail;
    free(message);
    free(headers);
}

static void expect_same_text(const struct record *record, const char *name, const char *text)
{
    struct buf valid;

    buf_init(&valid);
    text_add_valid(&valid, text, strlen(text), SIZE_MAX);
    cr_assert_str_eq(text_in(record, name), valid.data, "%s", name);
    buf_release(&valid);
}

static void expect_same_body(const struct record *record, const struct buf *body)
{
    const json_t *text = json_object_get(record->object, "body");
    const json_t *base64 = json_object_get(record->object, "body_base64");
    struct buf bytes;

    cr_assert_eq(!text, base64 != NULL, "one of them");
    cr_assert_eq(text != NULL, text_is_utf8(body->data, body->len));
    buf_init(&bytes);
    if (text)
        buf_add(&bytes, json_string_value(text), json_string_length(text));
    else
        cr_assert_eq(base64_decode(json_string_value(base64), json_string_length(base64), &bytes),
                     0);
    cr_assert_eq(bytes.len, body->len);
    cr_assert_eq(memcmp(bytes.data, body->data, body->len), 0);
    buf_release(&bytes);
}

static bool has_body(const struct task *task)
{
    return task->outcome == OUTCOME_ANSWERED && task->result.http_code && !task->body_file &&
           task->result.reason != REASON_OUTPUT;
}

static void try_at_random(unsigned *seed, struct store *store, unsigned *n_bodies)
{
    struct task *task = answered(200);
    struct options options;
    struct record record;
    struct buf body;

    begin(&options, OPTION_FORMAT_JSONL);
    options.include = true;
    options.echo_request = OPTION_ECHO_ALL;
    buf_init(&body);
    char *bytes = random_text(seed, rand_r(seed) % 2);
    buf_addf(&body, "%s", bytes);
    fill_at_random(task, store, seed);
    rendered_body(task, store, body.data, body.len);
    make_record(&record, &options, task, store);
    expect_same_text(&record, "url", task->request.url);
    expect_same_text(&record, "errormsg", task->result.message);
    expect_same_text(&record, "content_type", task->result.facts->content_type);
    cr_assert_str_eq(text_in(&record, "reason"), reason_name(task->result.reason));
    cr_assert_not_null(strstr(record.text.data, task->request.detail->context));
    if (has_body(task)) {
        expect_same_body(&record, &body);
        (*n_bodies)++;
    }
    free(bytes);
    record_release(&record);
    options_release(&options);
    buf_release(&body);
    task_free(task, store);
}

Test(record, is_one_line_of_json_whatever_came)
{
    unsigned seed = 3, n_bodies = 0;
    struct store store;

    rendered_store(&store, ROOM_ENOUGH);
    for (int round = 0; round < 2000; round++)
        try_at_random(&seed, &store, &n_bodies);
    cr_expect_gt(n_bodies, 400);
    store_release(&store);
}

/* ---- by pieces ---- */

static void add_long_body(struct task *task, struct store *store, unsigned seed, bool utf8)
{
    for (size_t added = 0; added < (size_t)3 * SPOOL_BLOCK_BYTES;) {
        char *text = random_text(&seed, utf8);
        rendered_body(task, store, text, strlen(text));
        added += strlen(text);
        free(text);
    }
}

static void expect_same_by_any_pieces(const struct options *options, bool utf8)
{
    struct task *spooled = answered(200), *held = answered(200);
    struct store little, much;
    struct buf whole, pieces;

    buf_init(&whole);
    buf_init(&pieces);
    rendered_store(&little, 5000);
    rendered_store(&much, ROOM_ENOUGH);
    add_long_body(spooled, &little, 5, utf8);
    add_long_body(held, &much, 5, utf8);
    cr_assert_gt(spooled->body.spooled, (size_t)2 * SPOOL_BLOCK_BYTES);
    cr_assert_eq(held->body.spooled, 0);
    rendered_add(options, held, &much, (size_t)4 * ROOM_ENOUGH, &whole);
    cr_expect_gt(whole.len, (size_t)3 * SPOOL_BLOCK_BYTES);
    for (size_t max = FORMAT_ROOM_MIN; max < FORMAT_ROOM_MIN + 5; max++) {
        buf_clear(&pieces);
        rendered_add(options, spooled, &little, max, &pieces);
        cr_expect_eq(pieces.len, whole.len, "by %zu", max);
        cr_expect_eq(memcmp(pieces.data, whole.data, MIN(pieces.len, whole.len)), 0, "by %zu", max);
    }
    task_free(spooled, &little);
    task_free(held, &much);
    store_release(&little);
    store_release(&much);
    buf_release(&whole);
    buf_release(&pieces);
}

Test(record, of_a_spooled_body_is_the_same_by_any_pieces)
{
    struct options options;

    begin(&options, OPTION_FORMAT_JSONL);
    expect_same_by_any_pieces(&options, true);
    expect_same_by_any_pieces(&options, false);
    options_release(&options);
}

Test(tsv, of_a_spooled_body_is_the_same_by_any_pieces)
{
    struct options options;

    begin(&options, OPTION_FORMAT_TSV);
    options.fields = xstrdup("url,body,http_code");
    expect_same_by_any_pieces(&options, true);
    options_release(&options);
}

Test(raw, of_a_spooled_body_is_the_same_by_any_pieces)
{
    struct options options;

    begin(&options, OPTION_FORMAT_RAW);
    expect_same_by_any_pieces(&options, false);
    options_release(&options);
}

/* ---- fields and TSV ---- */

static void render_by(const struct options *options, const struct task *task, struct buf *out)
{
    struct store nothing = {0};

    buf_clear(out);
    rendered_add(options, task, &nothing, FORMAT_ROOM_MIN, out);
}

Test(record, has_the_chosen_fields_in_their_order)
{
    static const struct {
        const char *fields, *jsonl, *tsv;
    } cases[] = {
        {"seq", "{\"seq\":7}\n", "7\n"},
        {"ok,seq,url", "{\"ok\":true,\"seq\":7,\"url\":\"http://h.example/a?b\"}\n",
         "true\t7\thttp://h.example/a?b\n"},
        {"id,http_code", "{\"http_code\":200}\n", "\t200\n"},
        {"errormsg", "{\"errormsg\":null}\n", "\n"},
        {"response_code,urlnum", "{\"response_code\":200,\"urlnum\":6}\n", "200\t6\n"},
        {"redirects,", "{\"redirects\":[]}\n", "[]\n"},
        {"time_total", "{\"time_total\":0.000000}\n", "0.000000\n"},
    };
    struct buf text;

    buf_init(&text);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct task *task = answered(200);
        struct options options;
        begin(&options, OPTION_FORMAT_JSONL);
        options.fields = xstrdup(cases[i].fields);
        render_by(&options, task, &text);
        cr_expect_str_eq(text.data, cases[i].jsonl, "%s", text.data);
        options.format = OPTION_FORMAT_TSV;
        render_by(&options, task, &text);
        cr_expect_str_eq(text.data, cases[i].tsv, "%s", text.data);
        options_release(&options);
        tasks_free(task);
    }
    buf_release(&text);
}

Test(record, may_have_its_body_first_and_a_row_twice)
{
    struct task *task = answered(200);
    struct options options;
    struct store store;
    struct buf text;

    buf_init(&text);
    rendered_store(&store, 1000);
    rendered_body(task, &store, "a\tb", 3);
    begin(&options, OPTION_FORMAT_JSONL);
    options.fields = xstrdup("body,seq");
    rendered_add(&options, task, &store, FORMAT_ROOM_MIN, &text);
    cr_expect_str_eq(text.data, "{\"body\":\"a\\tb\",\"seq\":7}\n", "%s", text.data);
    options.format = OPTION_FORMAT_TSV;
    free(options.fields);
    options.fields = xstrdup("body,seq,body");
    buf_clear(&text);
    rendered_add(&options, task, &store, FORMAT_ROOM_MIN, &text);
    cr_expect_str_eq(text.data, "a\\tb\t7\ta\\tb\n", "%s", text.data);
    options_release(&options);
    task_free(task, &store);
    store_release(&store);
    buf_release(&text);
}

static void expect_bad_fields(unsigned kind, const char *fields, const char *words)
{
    struct format *format = NULL;
    struct options options;
    struct buf err;

    buf_init(&err);
    begin(&options, kind);
    options.fields = xstrdup(fields);
    cr_expect_eq(format_new(&options, &format, &err), -EINVAL, "%s", fields);
    cr_expect_null(format);
    cr_expect_str_eq(err.data, words, "%s", err.data);
    options_release(&options);
    buf_release(&err);
}

Test(record, refuses_a_field_that_there_is_not)
{
    static const struct {
        const char *fields, *words;
    } cases[] = {
        {"urls", "--fields: there is no field called urls"},
        {"url,,seq", "--fields: there is no field called "},
        {"url, seq", "--fields: there is no field called  seq"},
        {"seq,UR", "--fields: there is no field called UR"},
        {"ur", "--fields: there is no field called ur"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        expect_bad_fields(OPTION_FORMAT_JSONL, cases[i].fields, cases[i].words);
        expect_bad_fields(OPTION_FORMAT_TSV, cases[i].fields, cases[i].words);
    }
}

Test(record, refuses_a_member_that_is_there_already)
{
    static const char *const lists[] = {"seq,seq", "seq,url,seq", "url,seq,ok,seq,url", "seq,seq,"};

    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        expect_bad_fields(OPTION_FORMAT_JSONL, lists[i], "--fields: seq is there twice");
    expect_bad_fields(OPTION_FORMAT_JSONL, "body,url,body", "--fields: body is there twice");
}

Test(record, leaves_out_bodies_where_none_are_wanted)
{
    static const struct {
        const char *fields;
        bool body, include;
        enum format_bodies bodies;
        bool headers;
    } cases[] = {
        {NULL, true, false, FORMAT_ALL_BODIES, false},
        {NULL, false, true, FORMAT_NO_BODIES, true},
        {"url", true, false, FORMAT_NO_BODIES, false},
        {"url,body", true, false, FORMAT_ALL_BODIES, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct format *format = NULL;
        struct options options;
        struct buf err;
        buf_init(&err);
        begin(&options, OPTION_FORMAT_JSONL);
        options.fields = cases[i].fields ? xstrdup(cases[i].fields) : NULL;
        options.body = cases[i].body;
        options.include = cases[i].include;
        cr_assert_eq(format_new(&options, &format, &err), 0);
        cr_expect_eq(format_wants_bodies(format), cases[i].bodies, "case %zu", i);
        cr_expect_eq(format_wants_headers(format), cases[i].headers, "case %zu", i);
        cr_expect_eq(format_wants_utf8(format), cases[i].bodies == FORMAT_ALL_BODIES);
        cr_expect(format_wants_facts(format));
        cr_expect_null(header_line(format));
        format_free(format);
        options_release(&options);
        buf_release(&err);
    }
}

Test(tsv, escapes_what_ends_a_value_or_a_line)
{
    struct task *task = answered(200);
    struct options options;
    struct buf text;

    buf_init(&text);
    begin(&options, OPTION_FORMAT_TSV);
    options.fields = xstrdup("url,errormsg,id");
    free(task->request.url);
    task->request.url = xstrdup("a\tb\\n\nc\r\\");
    result_setf(&task->result, REASON_HTTP, "\t\xC3\xA9\"\x1b[m\xFF");
    task->request.detail = detail_new();
    task->request.detail->id = xstrdup("\"a\\tb\\u202e\"");
    render_by(&options, task, &text);
    cr_expect_str_eq(
        text.data,
        "a\\tb\\\\n\\nc\\r\\\\\t\\t\xC3\xA9\"\\x1b[m\xEF\xBF\xBD\ta\\tb\\xe2\\x80\\xae\n", "%s",
        text.data);
    options_release(&options);
    tasks_free(task);
    buf_release(&text);
}

Test(tsv, has_the_fields_that_the_manual_names)
{
    struct task *task = answered(404);
    struct options options;
    struct buf text;

    buf_init(&text);
    begin(&options, OPTION_FORMAT_TSV);
    result_setf(&task->result, REASON_HTTP, "status 404");
    render_by(&options, task, &text);
    cr_expect_str_eq(text.data,
                     "7\t\thttp://h.example/a?b\tfalse\thttp\t404\thttp://h.example/a?b\t\t0\t1\t"
                     "0.000000\tstatus 404\n",
                     "%s", text.data);
    options_release(&options);
    tasks_free(task);
    buf_release(&text);
}

static void expect_header_line(const char *fields, bool wanted, const char *expected)
{
    struct format *format = NULL;
    struct options options;
    struct buf err;

    buf_init(&err);
    begin(&options, OPTION_FORMAT_TSV);
    options.header_line = wanted;
    options.fields = fields ? xstrdup(fields) : NULL;
    cr_assert_eq(format_new(&options, &format, &err), 0);
    if (expected)
        cr_expect_str_eq(header_line(format), expected, "%s", header_line(format));
    else
        cr_expect_null(header_line(format));
    format_free(format);
    options_release(&options);
    buf_release(&err);
}

Test(tsv, begins_with_the_names_where_asked_to)
{
    expect_header_line(NULL, false, NULL);
    expect_header_line("url,ok", false, NULL);
    expect_header_line("url,ok", true, "url\tok\n");
    expect_header_line("url,ok,", true, "url\tok\n");
    expect_header_line(NULL, true,
                       "seq\tid\turl\tok\treason\thttp_code\turl_effective\tcontent_type\t"
                       "size_body\tattempts\ttime_total\terrormsg\n");
}

/* ---- failures fed back ---- */

static void expect_the_same_request(const struct request *one, const struct request *other)
{
    const struct detail *a = one->detail, *b = other->detail;

    cr_expect_str_eq(one->url, other->url);
    cr_expect_str_eq(a->source, b->source);
    cr_expect_str_eq(a->method, b->method);
    cr_expect_str_eq(a->id, b->id);
    cr_expect_str_eq(a->context, b->context);
    cr_assert_eq(a->headers.len, b->headers.len);
    for (size_t i = 0; i < a->headers.len; i++)
        cr_expect_str_eq(a->headers.at[i], b->headers.at[i]);
    cr_expect_eq(a->payload_kind, b->payload_kind);
    cr_assert_eq(a->payload_len, b->payload_len);
    cr_expect_eq(memcmp(a->payload, b->payload, a->payload_len), 0);
    cr_expect_eq(a->timeout, b->timeout);
}

Test(record, of_a_failure_asks_again_for_the_same)
{
    struct task *task = answered(500);
    struct request again = {0};
    struct options options;
    struct record record;
    struct store store;
    struct buf err;

    buf_init(&err);
    rendered_store(&store, 1000);
    rendered_head(task, &store, "A: b\r\n");
    begin(&options, OPTION_FORMAT_JSONL);
    options.include = true;
    ask_in_json(task, "{\"url\":\"http://h/\",\"method\":\"PUT\",\"id\":\"i\", \"context\":[1.0 ],"
                      "\"headers\":{\"A\":[\"1\",\"2\"],\"B\":null},\"json\":{\"a\": \"\\u0000\"},"
                      "\"timeout\":3}");
    result_setf(&task->result, REASON_HTTP, "status 500");
    rendered_body(task, &store, "answer", 6);
    make_record(&record, &options, task, &store);
    cr_expect_str_eq(text_in(&record, "body"), "answer");
    cr_assert_eq(json_request_parse(record.text.data, record.text.len, &again, &err), 0, "%s",
                 err.data);
    expect_the_same_request(&task->request, &again);
    request_release(&again);
    record_release(&record);
    options_release(&options);
    task_free(task, &store);
    store_release(&store);
    buf_release(&err);
}
