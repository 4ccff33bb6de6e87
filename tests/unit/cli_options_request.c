#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "scratch.h"

enum { ARGUMENTS_MAX = 20 };

/* Reads a command line, a word after the other up to NULL. */
static int parse(struct options *options, struct buf *err, const char *const *words)
{
    char *argv[ARGUMENTS_MAX + 1] = {xstrdup("weir")};
    int argc = 1;

    for (; *words; words++)
        argv[argc++] = xstrdup(*words);
    options_init(options);
    int result = options_parse(options, argc, argv, err);
    while (argc)
        free(argv[--argc]);
    return result;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void read_words(struct options *options, const char *const *words)
{
    struct buf err;

    buf_init(&err);
    cr_assert_eq(parse(options, &err, words), 0, "%s: %s", words[0], err.data);
    buf_release(&err);
}

static void expect_refusal(const char *const *words, const char *expected)
{
    struct options options;
    struct buf err;

    buf_init(&err);
    cr_expect_eq(parse(&options, &err, words), -EINVAL, "%s", words[0]);
    cr_expect_str_eq(err.data, expected, "%s: %s", words[0], err.data);
    options_release(&options);
    buf_release(&err);
}

static void expect_text(const char *got, const char *expected, const char *of)
{
    cr_expect(got && strcmp(got, expected) == 0, "%s: %s", of, got ? got : "nothing");
}

/* ---- the options that keep their argument ---- */

struct text_option {
    const char *names[3];
    size_t at;
    const char *good;
};

#define AT(member) offsetof(struct options, member)

static const struct text_option text_options[] = {
    {{"-X", "--request"}, AT(method), "PURGE"},
    {{"-T", "--upload-file"}, AT(upload), "/dev/null"},
    {{"-A", "--user-agent"}, AT(user_agent), ""},
    {{"-e", "--referer"}, AT(referer), "http://r/"},
    {{"-r", "--range"}, AT(range), "0-9,-5"},
    {{"-u", "--user"}, AT(user), "me:secret:more"},
    {{"--oauth2-bearer"}, AT(bearer), "token"},
    {{"--netrc-file"}, AT(netrc_file), "/dev/null"},
    {{"-c", "--cookie-jar"}, AT(cookie_jar), "jar"},
    {{"-x", "--proxy"}, AT(proxy), "socks5://h:1"},
    {{"-U", "--proxy-user"}, AT(proxy_user), "me:x"},
    {{"--noproxy"}, AT(noproxy), "*"},
    {{"--cacert"}, AT(cacert), "/dev/null"},
    {{"--capath"}, AT(capath), "/"},
    {{"-E", "--cert"}, AT(cert), "/dev/null:pass"},
    {{"--key"}, AT(key), "/dev/null"},
    {{"--pinnedpubkey"}, AT(pinned_key), "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
    {{"--ciphers"}, AT(ciphers), "HIGH"},
    {{"--interface"}, AT(interface), "lo"},
    {{"--unix-socket"}, AT(unix_socket), "/s"},
    {{"--proto-default"}, AT(proto_default), "https"},
    {{"-w", "--write-out"}, AT(write_out), "%{url}"},
    {{"--fields"}, AT(fields), "a,b"},
    {{"-o", "--output"}, AT(output), "{seq}"},
    {{"--output-dir"}, AT(output_dir), "d"},
    {{"--to"}, AT(to), "f"},
};

static const char *text_at(const struct options *options, size_t at)
{
    return *(char *const *)(const void *)((const char *)options + at);
}

Test(request_options, keep_their_text_by_each_of_their_names)
{
    for (size_t i = 0; i < ARRAY_LEN(text_options); i++) {
        const struct text_option *one = &text_options[i];
        for (size_t k = 0; one->names[k]; k++) {
            struct options options;
            read_words(&options, WORDS(one->names[k], one->good));
            expect_text(text_at(&options, one->at), one->good, one->names[k]);
            options_release(&options);
        }
    }
}

Test(request_options, keep_the_last_text_given)
{
    struct options options;

    read_words(&options, WORDS("-X", "A", "--request=B", "-XC", "-w", "a", "-w", "b"));
    expect_text(options.method, "C", "method");
    expect_text(options.write_out, "b", "write-out");
    options_release(&options);
}

Test(request_options, keep_all_that_may_be_given_several_times)
{
    struct options options;

    read_words(&options,
               WORDS("-b", "a=1", "--cookie", "jar", "--resolve", "h:80:1.2.3.4", "--resolve",
                     "*:443:[::1]", "--connect-to", "::g:81", "--connect-to", "[::1]:80:h:81"));
    cr_assert_eq(options.cookies.len, 2);
    cr_assert_eq(options.resolve.len, 2);
    cr_assert_eq(options.connect_to.len, 2);
    expect_text(options.cookies.at[0], "a=1", "cookie");
    expect_text(options.cookies.at[1], "jar", "cookie");
    expect_text(options.resolve.at[1], "*:443:[::1]", "resolve");
    expect_text(options.connect_to.at[1], "[::1]:80:h:81", "connect-to");
    options_release(&options);
}

Test(request_options, flip_and_set_what_they_say)
{
    struct options options;

    read_words(&options, WORDS("-GInkiOR", "--skip-existing", "--location-trusted", "--no-location",
                               "--no-compressed", "--digest", "--tlsv1.3", "--http2", "-6",
                               "--header-line", "--no-body", "-v"));
    cr_expect(options.get && options.head && options.netrc && options.insecure && options.include);
    cr_expect(options.remote_name && options.remote_time && options.skip_existing);
    cr_expect(options.location_trusted && !options.location && !options.compressed);
    cr_expect_eq(options.auth, OPTION_AUTH_DIGEST);
    cr_expect_eq(options.tls, OPTION_TLS_1_3);
    cr_expect_eq(options.http, OPTION_HTTP_2);
    cr_expect_eq(options.ip, OPTION_IP_6);
    cr_expect(options.header_line && !options.body && options.verbose);
    options_release(&options);
    read_words(&options, WORDS("--anyauth", "--tlsv1.2", "--http2-prior-knowledge", "-4", "-L"));
    cr_expect_eq(options.auth, OPTION_AUTH_ANY);
    cr_expect_eq(options.tls, OPTION_TLS_1_2);
    cr_expect_eq(options.http, OPTION_HTTP_2_PRIOR);
    cr_expect_eq(options.ip, OPTION_IP_4);
    cr_expect(options.location);
    options_release(&options);
}

Test(request_options, take_words_numbers_and_sizes)
{
    struct options options;

    read_words(&options, WORDS("--max-redirs", "0", "--max-filesize", "1k", "--limit-rate", "2M",
                               "--echo-request", "none", "--on-conflict", "number",
                               "--input-format", "jsonl", "--format", "tsv"));
    cr_expect_eq(options.max_redirs, 0);
    cr_expect_eq(options.max_filesize, 1024);
    cr_expect_eq(options.limit_rate, 2 << 20);
    cr_expect_eq(options.echo_request, OPTION_ECHO_NONE);
    cr_expect_eq(options.on_conflict, OPTION_CONFLICT_NUMBER);
    cr_expect_eq(options.input_format, OPTION_INPUT_JSONL);
    cr_expect_eq(options.format, OPTION_FORMAT_TSV);
    options_release(&options);
}

Test(request_options, refuse_what_cannot_be)
{
#define NO_FIELDS "--fields: takes names with one comma between them, as in url,http_code"
    static const struct {
        const char *words[4];
        const char *expected;
    } cases[] = {
        {{"-X", "G T"}, "--request: takes a word such as GET"},
        {{"-X", ""}, "--request: takes a word such as GET"},
        {{"-H", "none"}, "--header: takes one header, as in 'Name: value'"},
        {{"-H", "A: b\r\nC: d"}, "--header: takes one header, as in 'Name: value'"},
        {{"-A", "a\nb"}, "--user-agent: takes text without a line break"},
        {{"-e", "a\rb"}, "--referer: takes text without a line break"},
        {{"-u", "a\nb"}, "--user: takes text without a line break"},
        {{"-b", "a\nb"}, "--cookie: takes text without a line break"},
        {{"--oauth2-bearer", "a\nb"}, "--oauth2-bearer: takes text without a line break"},
        {{"-r", "5"}, "--range: takes ranges of bytes such as 0-499"},
        {{"-r", "a-b"}, "--range: takes ranges of bytes such as 0-499"},
        {{"-T", "no/such"}, "--upload-file: cannot read no/such: No such file or directory"},
        {{"--cacert", "no/such"}, "--cacert: cannot read no/such: No such file or directory"},
        {{"--resolve", "h:80"}, "--resolve: takes HOST:PORT:ADDRESS[,ADDRESS]"},
        {{"--resolve", "-h:80:1.2.3.4"}, "--resolve: takes HOST:PORT:ADDRESS[,ADDRESS]"},
        {{"--connect-to", "a:1:b"}, "--connect-to: takes HOST:PORT:HOST:PORT, any of them empty"},
        {{"-x", "ftp://h"},
         "--proxy: takes [SCHEME://]HOST[:PORT], of http, https or socks4, 4a, 5, 5h"},
        {{"-x", "http://h:99999"},
         "--proxy: takes [SCHEME://]HOST[:PORT], of http, https or socks4, 4a, 5, 5h"},
        {{"--proto-default", "ftp"}, "--proto-default: takes http or https"},
        {{"--max-redirs", "1001"}, "--max-redirs: takes a number from 0 to 1000, not '1001'"},
        {{"--retry", "-1"}, "--retry: takes a number from 0 to 1000, not '-1'"},
        {{"--rate", "5"}, "--rate: needs a unit: 5/s, 5/m or 5/h (curl would take 5 for the last)"},
        {{"--rate", "5/x"}, "--rate: takes a rate such as 5/s, 100/m, 20/h, 3/d or 1/10s"},
        {{"--host-rate", "=1/s"}, "--host-rate: names no host before the ="},
        {{"--per-host", "h=0"}, "--per-host: takes [HOST=]N, a number from 1 to 1000000"},
        {{"--retry-on", "!"}, "--retry-on: takes statuses such as 429,500-504 or !500"},
        {{"--retry-budget", "5"}, "--retry-budget: takes a share such as 20%, or none"},
        {{"--max-filesize", "x"},
         "--max-filesize: takes a size such as 65536, 512k, 64M or 8G, not 'x'"},
        {{"--on-conflict", "ask"}, "--on-conflict: takes fail or number or replace, not 'ask'"},
        {{"--format", "xml"}, "--format: takes raw or jsonl or tsv or none, not 'xml'"},
        {{"--format", "template"}, "--format: takes raw or jsonl or tsv or none, not 'template'"},
        {{"-w", "@no/such"}, "--write-out: cannot read no/such: No such file or directory"},
        {{"-w", "x", "--jsonl"}, "--write-out: cannot go with --jsonl"},
        {{"--format=jsonl", "-w", "x"}, "--write-out: cannot go with --jsonl"},
        {{"--format=tsv", "-w", ""}, "--write-out: cannot go with --format tsv"},
        {{"-wx", "--format", "none"}, "--write-out: cannot go with --format none"},
        {{"--fields", ""}, NO_FIELDS},
        {{"--fields", ","}, NO_FIELDS},
        {{"--fields", "url,"}, NO_FIELDS},
        {{"--fields", ",url"}, NO_FIELDS},
        {{"--fields", "url,,seq"}, NO_FIELDS},
        {{"-K", "no/such"}, "--config: cannot read no/such: No such file or directory"},
        {{"--get=1"}, "--get: takes no argument, not '1'"},
        {{"--data"}, "--data: needs its argument, DATA"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_refusal(cases[i].words, cases[i].expected);
#undef NO_FIELDS
}

Test(request_options, keep_the_last_format_asked_for)
{
    struct options options;

    read_words(&options, WORDS("--format", "tsv", "--jsonl"));
    cr_expect_eq(options.format, OPTION_FORMAT_JSONL);
    options_release(&options);
    read_words(&options, WORDS("--jsonl", "--format=none", "--format", "tsv", "--fields", "url"));
    cr_expect_eq(options.format, OPTION_FORMAT_TSV);
    options_release(&options);
    read_words(&options, WORDS("--jsonl", "--format", "raw", "-w", "x"));
    cr_expect_eq(options.format, OPTION_FORMAT_TEMPLATE);
    options_release(&options);
}

/* ---- data ---- */

static void expect_data(const char *const *words, const char *data, size_t len)
{
    struct options options;

    read_words(&options, words);
    cr_expect(options.has_data);
    cr_expect_eq(options.data.len, len, "%s %s: %zu", words[0], words[1], options.data.len);
    cr_expect_eq(memcmp(options.data.data, data, len + 1), 0, "%s %s: %s", words[0], words[1],
                 options.data.data);
    options_release(&options);
}

Test(data_options, are_joined_as_a_form_is)
{
    expect_data(WORDS("-d", "a=1"), "a=1", 3);
    expect_data(WORDS("-d", ""), "", 0);
    expect_data(WORDS("-d", "a=1", "-d", "b=2"), "a=1&b=2", 7);
    expect_data(WORDS("--data=a", "--data-raw", "@b", "--data-binary", "c"), "a&@b&c", 6);
    expect_data(WORDS("-d", "", "-d", ""), "&", 1);
    expect_data(WORDS("--json", "{\"a\":", "--json", "1}"), "{\"a\":1}", 7);
}

Test(data_options, read_a_file_each_in_its_way)
{
    struct scratch *scratch = scratch_new();
    static const char bytes[] = "a=1\r\n\0b=2\n";
    const char *path = scratch_write(scratch, "data", bytes, sizeof bytes - 1);
    struct buf at;

    buf_init(&at);
    buf_addf(&at, "@%s", path);
    expect_data(WORDS("-d", at.data), "a=1b=2", 6);
    expect_data(WORDS("-d", "x", "-d", at.data, "-d", "y"), "x&a=1b=2&y", 10);
    expect_data(WORDS("--data-binary", at.data), bytes, sizeof bytes - 1);
    expect_data(WORDS("--json", at.data), bytes, sizeof bytes - 1);
    buf_setf(&at, "@%s", scratch_write_text(scratch, "breaks", "\n\r\n"));
    expect_data(WORDS("-d", at.data), "", 0);
    expect_data(WORDS("--data-raw", "@none"), "@none", 5);
    expect_refusal(WORDS("-d", "@no/such"),
                   "--data: cannot read no/such: No such file or directory");
    expect_refusal(WORDS("-d", "@/"), "--data: cannot read /: Is a directory");
    buf_release(&at);
    scratch_free(scratch);
}

Test(data_options, say_what_is_asked_of_every_request)
{
    static const struct {
        const char *words[6];
        const char *method;
        enum payload_kind kind;
        const char *payload;
    } cases[] = {
        {{"h"}, NULL, PAYLOAD_NONE, NULL},
        {{"-d", "a"}, NULL, PAYLOAD_BYTES, "a"},
        {{"-X", "PUT", "-d", "a"}, "PUT", PAYLOAD_BYTES, "a"},
        {{"-G", "-d", "a"}, NULL, PAYLOAD_NONE, NULL},
        {{"-I"}, "HEAD", PAYLOAD_NONE, NULL},
        {{"-I", "-X", "GET"}, "GET", PAYLOAD_NONE, NULL},
        {{"-T", "/dev/null"}, "PUT", PAYLOAD_FILE, "/dev/null"},
        {{"-T", "/dev/null", "-X", "POST"}, "POST", PAYLOAD_FILE, "/dev/null"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct options options;
        read_words(&options, cases[i].words);
        struct ask ask = options_ask(&options);
        cr_expect_eq(ask.payload_kind, cases[i].kind, "case %zu", i);
        if (cases[i].method)
            expect_text(ask.method, cases[i].method, "method");
        else
            cr_expect_null(ask.method, "case %zu", i);
        if (cases[i].payload)
            expect_text(ask.payload, cases[i].payload, "payload");
        options_release(&options);
    }
}

/* ---- headers, a template, schemes ---- */

Test(header_option, takes_lines_and_files_of_them)
{
    struct scratch *scratch = scratch_new();
    struct options options;
    struct buf at;

    buf_init(&at);
    buf_addf(&at, "@%s", scratch_write_text(scratch, "h", "B: 1\r\n\n C;\nD:"));
    read_words(&options, WORDS("-H", "A: x:y", "--header", at.data, "-HE;"));
    cr_assert_eq(options.headers.len, 5);
    expect_text(options.headers.at[0], "A: x:y", "header");
    expect_text(options.headers.at[1], "B: 1", "header");
    expect_text(options.headers.at[3], "D:", "header");
    expect_text(options.headers.at[4], "E;", "header");
    options_release(&options);
    buf_setf(&at, "@%s", scratch_write_text(scratch, "bad", "A: 1\nnone\n"));
    expect_refusal(WORDS("-H", at.data), "--header: takes one header, as in 'Name: value'");
    buf_setf(&at, "@%s", scratch_write_text(scratch, "cr", "A: 1\rB: 2\n"));
    expect_refusal(WORDS("-H", at.data), "--header: takes one header, as in 'Name: value'");
    expect_refusal(WORDS("-H", "@no/such"),
                   "--header: cannot read no/such: No such file or directory");
    buf_release(&at);
    scratch_free(scratch);
}

/* It would end there. */
Test(write_out_option, takes_no_file_with_a_nul)
{
    static const char bytes[] = "%{url}\0%{seq}\n";
    struct scratch *scratch = scratch_new();
    struct buf at, expected;

    buf_init(&at);
    buf_init(&expected);
    buf_addf(&at, "@%s", scratch_write(scratch, "t", bytes, sizeof bytes - 1));
    buf_addf(&expected, "--write-out: %s: there is a NUL byte in it", at.data + 1);
    expect_refusal(WORDS("-w", at.data), expected.data);
    buf_release(&at);
    buf_release(&expected);
    scratch_free(scratch);
}

Test(write_out_option, reads_a_file_as_it_is)
{
    struct scratch *scratch = scratch_new();
    struct options options;
    struct buf at;

    buf_init(&at);
    buf_addf(&at, "@%s", scratch_write_text(scratch, "t", "%{url}\\n\n"));
    read_words(&options, WORDS("-w", at.data));
    expect_text(options.write_out, "%{url}\\n\n", "template");
    cr_expect_eq(options.format, OPTION_FORMAT_TEMPLATE);
    options_release(&options);
    buf_release(&at);
    scratch_free(scratch);
}

Test(proto_option, reads_curls_lists)
{
    enum { BOTH = OPTION_PROTO_HTTP | OPTION_PROTO_HTTPS };
    static const struct {
        const char *words[5];
        unsigned protocols;
    } cases[] = {
        {{"--proto", "=https"}, OPTION_PROTO_HTTPS},
        {{"--proto", "=HTTPS"}, OPTION_PROTO_HTTPS},
        {{"--proto", "=http,https"}, BOTH},
        {{"--proto", "-http"}, OPTION_PROTO_HTTPS},
        {{"--proto", "-Http"}, OPTION_PROTO_HTTPS},
        {{"--proto", "-all,+http"}, OPTION_PROTO_HTTP},
        {{"--proto", "=ftp,http"}, OPTION_PROTO_HTTP},
        {{"--proto", "ftp,file"}, BOTH},
        {{"--proto", "=http,-ftp"}, OPTION_PROTO_HTTP},
        {{"--proto", "all"}, BOTH},
        {{"--proto", "-http", "--proto", "http"}, BOTH},
        {{"--proto", "=https", "--proto", "+ftp"}, OPTION_PROTO_HTTPS},
    };
    static const char *const none[] = {"=ftp", "-all", "-http,-https", "=", "=htt", "=httpss"};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct options options;
        read_words(&options, cases[i].words);
        cr_expect_eq(options.protocols, cases[i].protocols, "%s", cases[i].words[1]);
        options_release(&options);
    }
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        expect_refusal(WORDS("--proto", none[i]),
                       "--proto: leaves no scheme to fetch: takes a list such as =https");
}
