/* TSV, templates, chosen fields, and what becomes of records that cannot be written. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "canned.h"
#include "program.h"
#include "record.h"
#include "stage.h"
#include "tty.h"

Test(fields, are_those_that_are_chosen_in_that_order)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");

    program_expect(
        program_fetch(RUN_WEIR("--jsonl", "--fields", "http_code,url,seq,body", url), NULL), 0,
        stage_text(stage, "{\"http_code\":200,\"url\":\"%s\",\"seq\":1,\"body\":\"a\\n\"}\n", url),
        "");
    program_expect(program_fetch(RUN_WEIR("--jsonl", "--fields", "id,line,ok", url), NULL), 0,
                   "{\"ok\":true}\n", "");
    program_expect(program_fetch(RUN_WEIR("--format=tsv", "--fields", "ok,line,seq", url), NULL), 0,
                   "true\t\t1\n", "");
    stage_free(stage);
}

Test(fields, that_there_are_none_of_are_refused)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");

    program_expect(program_fetch(RUN_WEIR("--jsonl", "--fields", "url,nope", url), NULL), 2, "",
                   "--fields: there is no field called nope");
    program_expect(program_fetch(RUN_WEIR("--format=tsv", "--fields", "URL", url), NULL), 2, "",
                   "--fields");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

Test(tsv, has_its_fields_in_their_order)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a?hops=1");
    const char *head =
        "seq\tid\turl\tok\treason\thttp_code\turl_effective\tcontent_type\tsize_body\t"
        "attempts\ttime_total\terrormsg\n";
    struct run_result result =
        program_fetch(RUN_WEIR("--format", "tsv", "--header-line", url), NULL);
    const char *begin = stage_text(stage, "%s1\t\t%s\ttrue\tok\t200\t%s\ttext/plain\t2\t1\t0.",
                                   head, url, stage_url(stage, "/text/a?hops=0"));

    cr_expect_eq(strncmp(blob_text(&result.out), begin, strlen(begin)), 0, "%s",
                 blob_text(&result.out));
    cr_expect_str_eq(blob_text(&result.out) + result.out.len - 2, "\t\n");
    program_expect(result, 0, NULL, "");
    program_expect(
        program_fetch(RUN_WEIR("--format=tsv", "--header-line", "--fields", "seq,url", url), NULL),
        0, stage_text(stage, "seq\turl\n1\t%s\n", url), "");
    program_expect(program_fetch(RUN_WEIR("--format=tsv", "--header-line", "--fields=seq"), ""), 0,
                   "seq\n", "");
    stage_free(stage);
}

Test(tsv, escapes_what_would_break_a_line)
{
    static const char answer[] = "HTTP/1.0 200 OK\r\n\r\na\tb\nc\rd\\e\0\x7f\xff";
    static const char expected[] = "1\ta\\tb\\nc\\rd\\\\e\0\x7f\xff\tok\n";
    struct canned *canned = canned_start(answer, sizeof answer - 1);
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)canned_port(canned));
    struct run_result result =
        program_fetch(RUN_WEIR("--format=tsv", "--fields", "seq,body,reason", url), NULL);
    cr_assert_eq(result.out.len, sizeof expected - 1);
    cr_expect_eq(memcmp(result.out.at, expected, result.out.len), 0);
    program_expect(result, 0, NULL, "");
    program_expect(program_fetch(RUN_WEIR("--format=tsv", "--fields", "url,reason"), "a\tb\\c d\n"),
                   1, "a\\tb\\\\c d\tinvalid\n", "");
    canned_stop(canned);
}

/* Only what is JSON writes a string as JSON. */
Test(id, is_plain_where_records_are)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");
    const char *input =
        stage_text(stage,
                   "{\"url\":\"%s\",\"id\":\"a\\tb\\u00e9\\\"\\\\\",\"group\":\"g h\","
                   "\"context\":\"c\"}\n{\"url\":\"%s\",\"id\":1.50,\"group\":2}\n",
                   url, url);

    program_expect(
        program_fetch(RUN_WEIR("--format=tsv", "--fields", "id,group,context", "-j1"), input), 0,
        "a\\tb\xc3\xa9\"\\\\\tg h\t\"c\"\n1.50\t2\t\n", "");
    program_expect(program_fetch(RUN_WEIR("-w", "%{id}|%{group}|%{context}\\n"), input), 0,
                   "a\tb\xc3\xa9\"\\|g h|\"c\"\n1.50|2|\n", "");
    program_expect(
        program_fetch(RUN_WEIR("--jsonl", "--fields", "id,group"), input), 0,
        "{\"id\":\"a\\tb\\u00e9\\\"\\\\\",\"group\":\"g h\"}\n{\"id\":1.50,\"group\":2}\n", "");
    stage_free(stage);
}

Test(tsv, has_a_line_of_each_failure_and_nothing_on_stderr)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR("--format=tsv", "--fields", "seq,reason,http_code,errormsg",
                               stage_url(stage, "/text/x?status=503"), "ftp://127.0.0.1/",
                               stage_url(stage, "/text/x")),
                      NULL),
        1,
        "1\thttp\t503\tstatus 503\n2\tdenied\t0\tonly http and https are fetched\n3\tok\t200\t\n",
        "");
    stage_free(stage);
}

/* ---- templates ---- */

struct template_case {
    char template[72];
    char out[72]; /* @ stands for the origin's URL */
};

ParameterizedTestParameters(write_out, prints_its_template)
{
    static struct template_case cases[] = {
        {"%{http_code}\\n", "200\n"},
        {"%{response_code} %{urlnum} %{seq}", "200 0 1"},
        {"%{url}|%{url_effective}\\t", "@/text/a?hdr=X-A:b&hops=1|@/text/a?hdr=X-A:b&hops=0\t"},
        {"%header{content-type}/%header{CONTENT-TYPE}", "text/plain/text/plain"},
        {"%header{x-a}|%header{none}|", "b||"},
        {"%{body}", "a\n"},
        {"<%{body}>%{size_body}<%{body}>", "<a\n>2<a\n>"},
        {"%% %%{url} 100%", "% %{url} 100%"},
        {"\\\\ \\r\\q\\n", "\\ \r\\q\n"},
        {"%x %", "%x %"},
        {"%{ok} %{reason} %{errormsg}|%{exitcode}", "true ok |0"},
        {"%{num_redirects} %{redirects}", "1 [\"@/text/a?hdr=X-A:b&hops=1\"]"},
        {"%{id}%{context}%{line}", ""},
        {"", ""},
    };

    return cr_make_param_array(struct template_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct template_case *with, write_out, prints_its_template)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a?hdr=X-A:b&hops=1");
    struct blob expected = {0};

    for (const char *at = with->out; *at; at++) {
        if (*at == '@')
            blob_add_text(&expected, origin_url(stage->origin));
        else
            blob_add(&expected, at, 1);
    }
    program_expect(program_fetch(RUN_WEIR("-w", with->template, url), NULL), 0,
                   blob_text(&expected), "");
    blob_release(&expected);
    stage_free(stage);
}

Test(write_out, is_printed_for_failures_too)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR("-w", "%{http_code} %{reason} %{body}\\n",
                               stage_url(stage, "/text/x?status=404"), "http://" UNKNOWN_NAME "/"),
                      NULL),
        1, "404 http x\n\n000 dns \n", "");
    stage_free(stage);
}

Test(write_out, may_be_read_from_a_file)
{
    struct stage *stage = stage_new();
    const char *file = scratch_write_text(stage->scratch, "template", "%{seq} %{http_code}\\n");

    program_expect(
        program_fetch(
            RUN_WEIR("-w", stage_text(stage, "@%s", file), stage_url(stage, "/text/[1-3]")), NULL),
        0, "1 200\n2 200\n3 200\n", "");
    program_expect(
        program_fetch(
            RUN_WEIR("-w", stage_text(stage, "@%s.none", file), stage_url(stage, "/text/a")), NULL),
        2, "", "--write-out");
    stage_free(stage);
}

Test(write_out, that_names_what_there_is_not_is_refused)
{
    static const char *const templates[] = {"%{nope}", "%{http_code", "%{}", "a%{URL}",
                                            "%header{a"};
    struct stage *stage = stage_new();

    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++)
        program_expect(
            program_fetch(RUN_WEIR("-w", templates[i], stage_url(stage, "/text/a")), NULL), 2, "",
            "--write-out");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

/* ---- where it all goes ---- */

Test(format, of_nothing_prints_nothing_but_failures)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("--format", "none", stage_url(stage, "/text/a"),
                                          stage_url(stage, "/text/b?status=404")),
                                 NULL),
                   1, "", "/text/b?status=404: http: status 404\n");
    stage_free(stage);
}

struct stream_case {
    char format[24];
};

ParameterizedTestParameters(to, has_what_stdout_would_have)
{
    static struct stream_case cases[] = {
        {"--format=raw"}, {"--format=jsonl"}, {"--format=tsv"}, {"--write-out=%{body}|"}};

    return cr_make_param_array(struct stream_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct stream_case *stream, to, has_what_stdout_would_have)
{
    struct stage *stage = stage_new();
    const char *fields = strchr(stream->format, '%') || strstr(stream->format, "raw")
                             ? "-L"
                             : "--fields=seq,url,body";
    const char *file = scratch_path(stage->scratch, "file");
    const char *input =
        stage_text(stage, "%s\n%s\n%s\n", stage_url(stage, "/bytes/70000"),
                   stage_url(stage, "/text/x?status=404"), stage_url(stage, "/text/y"));
    struct run_result result = program_fetch(RUN_WEIR(stream->format, fields), input);
    struct blob content = {0};

    program_expect(program_fetch(RUN_WEIR(stream->format, fields, "--to", file), input), 1, "",
                   NULL);
    cr_assert(scratch_read(stage->scratch, "file", &content));
    cr_assert_gt(content.len, 70000);
    cr_assert_eq(content.len, result.out.len);
    cr_expect_eq(memcmp(content.at, result.out.at, content.len), 0);
    program_expect(result, 1, NULL, NULL);
    blob_release(&content);
    stage_free(stage);
}

ParameterizedTestParameters(stdout, that_is_full_is_local_trouble)
{
    static struct stream_case cases[] = {{"--jsonl"}, {"--format=tsv"}, {"-w%{url}\\n"}};

    return cr_make_param_array(struct stream_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct stream_case *stream, stdout, that_is_full_is_local_trouble)
{
    struct stage *stage = stage_new();
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    const char *const few = stage_url(stage, "/text/[1-3]");
    const char *const many = stage_url(stage, "/text/[1-100000]");

    cr_assert_geq(fd, 0);
    for (int i = 0; i < 2; i++)
        program_expect(program_run((struct run_options){
                           .argv = RUN_WEIR(stream->format, i ? many : few), .output_fd = fd}),
                       4, "", "weir: cannot write to stdout: No space left on device\n");
    cr_expect_lt(origin_counts(stage->origin).requests, 50000);
    close(fd);
    stage_free(stage);
}

ParameterizedTestParameters(stdout, that_is_closed_early_ends_it_quietly)
{
    static struct stream_case cases[] = {{"--jsonl"}, {"--format=tsv"}, {"-w%{url}\\n"}};

    return cr_make_param_array(struct stream_case, cases, sizeof cases / sizeof *cases);
}

/* The shell that head ends with tells how weir did. */
ParameterizedTest(struct stream_case *stream, stdout, that_is_closed_early_ends_it_quietly)
{
    struct stage *stage = stage_new();
    const char *const argv[] = {
        "sh",       "-c",           "{ \"$0\" \"$@\"; echo $? >&2; } | head -c 10 >/dev/null",
        run_weir(), stream->format, stage_url(stage, "/text/[1-100000000]"),
        NULL};

    struct run_result result = program_run((struct run_options){.argv = argv});
    cr_expect_str_eq(blob_text(&result.err), "141\n");
    program_expect(result, 0, "", NULL);
    cr_expect(origin_wait_open(stage->origin, 0, patience));
    stage_free(stage);
}

/* ---- on a terminal ---- */

Test(template, cannot_move_a_terminal)
{
    static const char sent[] = "a\x1b[31m\xE2\x80\xAEz", shown[] = "a\\x1b[31m\\xe2\\x80\\xaez";
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a?hdr=X-A:%%20a%%1b[31m%%e2%%80%%aez");
    const char *const *argv = RUN_WEIR("-g", "-w", "%header{x-a}\\n", "--summary=none", url);
    struct tty *tty = tty_new(100, 10);

    program_expect(program_run((struct run_options){.argv = argv, .output_fd = tty_number(tty)}), 0,
                   NULL, "");
    tty_read(tty);
    cr_expect(tty_shows(tty, shown), "%s", tty_screen(tty));
    cr_expect_str_empty(tty_fault(tty));
    program_expect(program_fetch(argv, NULL), 0, stage_text(stage, "%s\n", sent), "");
    tty_free(tty);
    stage_free(stage);
}
