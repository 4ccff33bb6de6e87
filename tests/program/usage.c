/* The command line: what is refused before anything is fetched, and what is only shown. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "program.h"
#include "stage.h"

struct refusal {
    char words[2][40]; /* the option, and its argument where that is a word of its own */
    char said[64];
};

static struct refusal refusals[] = {
    {{"-j", "0"}, "--jobs: takes a number from 1"},
    {{"-j0"}, "--jobs: "},
    {{"-j", "x"}, ", not 'x'"},
    {{"-j", "-1"}, "--jobs: "},
    {{"-j", "1.5"}, "--jobs: "},
    {{"--jobs="}, "--jobs: "},
    {{"-j"}, "--jobs: needs its argument, N"},
    {{"--to"}, "--to: needs its argument, FILE"},
    {{"-P", "5x"}, "--jobs: "},
    {{"-P", "99999999999999999999"}, "--jobs: "},
    {{"--jobs=no"}, "--jobs: "},
    {{"--window", "0"}, "--window: "},
    {{"--memory", "5q"}, "--memory: takes a size"},
    {{"--memory", "-1"}, "--memory: "},
    {{"--spool-max", "much"}, "--spool-max: "},
    {{"--spool-dir", "/nonexistent"}, "--spool-dir: cannot use /nonexistent"},
    {{"--spool-dir", "/dev/null"}, "--spool-dir: cannot use /dev/null"},
    {{"--body-dir", "/nonexistent"}, "--body-dir: cannot use /nonexistent"},
    {{"--body-dir", "/dev/null"}, "--body-dir: cannot use /dev/null"},
    {{"-m", "soon"}, "--max-time: takes a time"},
    {{"--max-time", "-1"}, "--max-time: "},
    {{"--connect-timeout", "1w"}, "--connect-timeout: "},
    {{"--stall-timeout", "x"}, "--stall-timeout: "},
    {{"--retry", "1001"}, "--retry: takes a number from 0 to 1000"},
    {{"--order", "sideways"}, "--order: takes input or completion"},
    {{"--format", "xml"}, "--format: takes raw or jsonl or tsv or none"},
    {{"--fields="}, "--fields: takes names"},
    {{"--fields=url,body_base64", "--jsonl"},
     "called body_base64; body is, in base64 where it is not UTF-8"},
    {{"--jsonl", "-w%{url}"}, "--write-out: cannot go with --jsonl"},
    {{"--format=tsv", "-w%{url}"}, "--write-out: cannot go with --format tsv"},
    {{"-w", "%header{}"}, "--write-out: %header{} names no header"},
    {{"--input-format", "csv"}, "--input-format: takes auto or url or jsonl"},
    {{"-oa", "-o{seq}"}, "--output: one template names all files, as in '{host}/{path}'"},
    {{"-w", "%{http_code"}, "--write-out: the } of %{http_code is missing"},
    {{"-w", "%{url} %header{x-a"}, "--write-out: the } of %header{x-a is missing"},
    {{"--proto-default", "ftp"}, "--proto-default: takes http or https"},
    {{"--accept", "foo"}, "--accept: takes status codes"},
    {{"--accept", "300-200"}, "--accept: "},
    {{"--accept", "200,,404"}, "--accept: "},
    {{"--accept="}, "--accept: "},
    {{"--max-redirs", "-1"}, "--max-redirs: "},
    {{"--cacert", "/nonexistent"}, "--cacert: cannot read /nonexistent"},
    {{"--cert", "/nonexistent"}, "--cert: cannot read /nonexistent"},
    {{"--cert", "/nonexistent:word"}, "--cert: cannot read /nonexistent: No"},
    {{"--key", "/nonexistent"}, "--key: cannot read /nonexistent"},
    {{"--pinnedpubkey", "nonsense"}, "--pinnedpubkey: takes sha256//HASH"},
    {{"--pinnedpubkey", "sha256//short="}, "--pinnedpubkey: takes sha256//HASH"},
    {{"--interface", "nosuch0.invalid"}, "--interface: takes an interface or an address"},
    {{"--interface", "192.0.2.1"}, "--interface: takes an interface or an address"},
    {{"--interface", "if!127.0.0.1"}, "--interface: "},
    {{"--interface", "host!192.0.2.1"}, "--interface: "},
    {{"--interface="}, "--interface: "},
    {{"-c", "/no/such/jar"}, "--cookie-jar: cannot write /no/such/jar: No"},
    {{"-c", "/"}, "--cookie-jar: cannot write /: Is a directory"},
    {{"-c", "/tmp/"}, "--cookie-jar: "},
    {{"--cookie-jar="}, "--cookie-jar: "},
    {{"--output="}, "--output: takes the name of a file"},
    {{"-o", "x/"}, "--output: takes the name of a file"},
    {{"-o", "{bogus}"}, "unknown {bogus}"},
    {{"-o", "{seq"}, "--output: takes the name of a file"},
    {{"-H", "nonsense"}, "--header: takes one header"},
    {{"-H", "A: b\r\nC: d"}, "--header: "},
    {{"-H", "A: b\nC: d"}, "--header: "},
    {{"-A", "a\nB: c"}, "--user-agent: "},
    {{"--resolve", "host:80"}, "--resolve: takes HOST:PORT:ADDRESS"},
    {{"--connect-to", "host:80"}, "--connect-to: takes HOST:PORT:HOST:PORT"},
    {{"-x", "http://a b/"}, "--proxy: "},
    {{"--insecure=yes"}, "--insecure: takes no argument"},
    {{"--jobz", "3"}, "unknown option --jobz; is it --jobs?"},
    {{"--acept=200"}, "is it --accept?"},
    {{"--no-locations"}, "--no-locations"},
    {{"--no-jobs"}, "unknown option --no-jobs"},
    {{"--nothing-like-it"}, "--nothing-like-it; weir --help all shows every one\n"},
    {{"-y"}, "unknown option -y"},
    {{"-sy"}, "unknown option -y"},
    {{"http://h/{a"}, "--globoff"},
    {{"http://h/[1-"}, "--globoff"},
    {{"http://h/[5-1]"}, "--globoff"},
    {{"--help", "nonsense"}, "called nonsense; weir --help all"},
    {{"--help", "jobz"}, "is it --jobs?"},
};

ParameterizedTestParameters(usage, error_names_the_option_and_fetches_nothing)
{
    return cr_make_param_array(struct refusal, refusals, sizeof refusals / sizeof *refusals);
}

ParameterizedTest(struct refusal *refusal, usage, error_names_the_option_and_fetches_nothing)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a");

    const char *const *argv = *refusal->words[1]
                                  ? RUN_WEIR(url, refusal->words[0], refusal->words[1])
                                  : RUN_WEIR(url, refusal->words[0]);

    program_expect(program_fetch(argv, url), 2, "", refusal->said);
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

Test(usage, error_is_one_line_of_ours)
{
    struct run_result result = program_fetch(RUN_WEIR("--jobz"), NULL);

    cr_expect_eq(strncmp(blob_text(&result.err), "weir: ", 6), 0);
    cr_expect_eq(strchr(blob_text(&result.err), '\n'), blob_text(&result.err) + result.err.len - 1);
    run_result_release(&result);
}

struct help_case {
    char words[2][16];
    char shows[40];
};

ParameterizedTestParameters(help, goes_to_stdout_and_fetches_nothing)
{
    static struct help_case cases[] = {
        {{"--help"}, "Usage: weir"},
        {{"-h"}, "--jobs N"},
        {{"--help", "all"}, "--spool-max SIZE"},
        {{"--help=all"}, "--resolve H:P:A"},
        {{"--help", "jobs"}, "-j, --jobs N"},
        {{"--help", "--rate"}, "--rate RATE"},
        {{"--help=--jobs"}, "--jobs N"},
        {{"--help", "-j"}, "-j, --jobs N"},
        {{"-h", "max-redirs"}, "--max-redirs N"},
        {{"--version"}, "weir " WEIR_VERSION " (libcurl/"},
        {{"-V"}, "weir " WEIR_VERSION " (libcurl/"},
    };

    return cr_make_param_array(struct help_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct help_case *help, help, goes_to_stdout_and_fetches_nothing)
{
    struct stage *stage = stage_new();
    const char *const *argv =
        *help->words[1] ? RUN_WEIR(help->words[0], help->words[1]) : RUN_WEIR(help->words[0]);
    struct run_result result = program_fetch(argv, stage_url(stage, "/text/a"));

    cr_expect(blob_contains(&result.out, help->shows), "%s", blob_text(&result.out));
    program_expect(result, 0, NULL, "");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

/* Whether the option stands there, and not only another that begins likewise. */
static bool lists(const char *text, const char *name)
{
    char shown[32];

    snprintf(shown, sizeof shown, " --%s", name);
    while ((text = strstr(text, shown)) != NULL) {
        text += strlen(shown);
        if (*text == ' ' || *text == '\n')
            return true;
    }
    return false;
}

Test(help, all_knows_the_options_that_scripts_rely_on)
{
    static const char *const names[] = {
        "input",      "null",         "input-format", "globoff",         "proto-default",
        "jobs",       "parallel-max", "parallel",     "window",          "memory",
        "spool-dir",  "spool-max",    "retry",        "connect-timeout", "stall-timeout",
        "max-time",   "order",        "keep-order",   "unordered",       "format",
        "to",         "accept",       "fail",         "silent",          "show-error",
        "header",     "user-agent",   "location",     "max-redirs",      "location-trusted",
        "compressed", "no-range",     "insecure",     "cacert",          "resolve",
        "connect-to", "proxy",        "http1.1",      "http2",           "ipv4",
        "ipv6",       "help",         "version",
    };
    struct run_result result = program_fetch(RUN_WEIR("--help", "all"), NULL);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect(lists(blob_text(&result.out), names[i]), "no --%s", names[i]);
    run_result_release(&result);
}

Test(options, stand_anywhere_and_in_one_word)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a"), *b = stage_url(stage, "/text/b");

    program_expect(program_fetch(RUN_WEIR(a, "-sSfLZj3", "--max-time=9", b, "-m9s"), NULL), 0,
                   "a\nb\n", "");
    program_expect(
        program_fetch(RUN_WEIR("-Z", "-f", "-S", "-L", "--retry", "0", "--http1.1", a), NULL), 0,
        "a\n", "");
    stage_free(stage);
}

Test(options, end_at_two_dashes)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("-s", "--", stage_url(stage, "/text/a"), "-j0"), NULL), 1,
                   "a\n", "");
    stage_free(stage);
}

Test(arguments, that_name_a_list_are_refused_and_told_how)
{
    struct stage *stage = stage_new();
    static const char *const words[] = {"list", "@list", "@http://h/"};

    scratch_write_text(stage->scratch, "list", stage_url(stage, "/text/a\n"));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        for (int behind = 0; behind < 2; behind++) {
            const char *const *argv = behind ? RUN_WEIR("--", words[i]) : RUN_WEIR(words[i]);
            const char *told = stage_text(stage, "'%s' is no URL; -a %s ", words[i],
                                          words[i] + (words[i][0] == '@'));
            program_expect(
                program_run((struct run_options){.argv = argv, .cwd = scratch_dir(stage->scratch)}),
                2, "", told);
        }
    }
    program_expect(program_run((struct run_options){.argv = RUN_WEIR("-a", "list"),
                                                    .cwd = scratch_dir(stage->scratch)}),
                   0, "a\n", "");
    stage_free(stage);
}

Test(arguments, may_have_a_dash_for_stdin)
{
    struct stage *stage = stage_new();
    const char *a = stage_url(stage, "/text/a"), *b = stage_url(stage, "/text/b\n");

    program_expect(program_fetch(RUN_WEIR("-"), b), 0, "b\n", "");
    program_expect(program_fetch(RUN_WEIR("-", a), b), 0, "a\nb\n", "");
    program_expect(program_fetch(RUN_WEIR("-T", "-", "-"), b), 2, "", "read from stdin");
    stage_free(stage);
}

Test(options, that_are_switches_are_turned_off_by_no)
{
    struct stage *stage = stage_new();
    const char *bad = stage_url(stage, "/nothing");

    program_expect(program_fetch(RUN_WEIR("-s", "--no-silent", bad), NULL), 1, "", bad);
    program_expect(program_fetch(RUN_WEIR("--no-location", "--location",
                                          stage_url(stage, "/text/x?location=/text/y")),
                                 NULL),
                   0, "y\n", "");
    stage_free(stage);
}

/* ---- exit codes ---- */

Test(exit_code, is_the_largest_that_applies)
{
    struct stage *stage = stage_new();
    const char *good = stage_url(stage, "/text/a"), *bad = stage_url(stage, "/nothing");

    program_expect(program_fetch(RUN_WEIR(good, good), NULL), 0, "a\na\n", "");
    program_expect(program_fetch(RUN_WEIR(good, bad, good), NULL), 1, "a\na\n", "http");
    program_expect(program_fetch(RUN_WEIR(bad), NULL), 1, "", "http");
    program_expect(program_fetch(RUN_WEIR(good, bad, "-a", "/nonexistent"), NULL), 4, "a\n",
                   "/nonexistent");
    program_expect(program_fetch(RUN_WEIR("-s", "--format", "none", bad), NULL), 1, "", "");
    stage_free(stage);
}
