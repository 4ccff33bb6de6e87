#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/option_near.h"
#include "cli/option_table.h"
#include "cli/options.h"

enum { ARGS_MAX = 16 };

/* Reads a command line written with one blank between arguments. */
static int parse(struct options *options, struct buf *err, const char *line)
{
    char *text = xstrdup(line), *rest = text, *argv[ARGS_MAX] = {NULL};
    int argc = 0;

    while (rest) {
        cr_assert_lt(argc, ARGS_MAX);
        argv[argc++] = strsep(&rest, " ");
    }
    int result = options_parse(options, argc, argv, err);
    free(text);
    return result;
}

static void must_parse(struct options *options, const char *line)
{
    struct buf err;

    buf_init(&err);
    options_init(options);
    cr_assert_eq(parse(options, &err, line), 0, "%s: %s", line, err.data);
    buf_release(&err);
}

static void expect_refused(const char *line, const char *words)
{
    struct options options;
    struct buf err;

    buf_init(&err);
    options_init(&options);
    cr_expect_eq(parse(&options, &err, line), -EINVAL, "%s", line);
    cr_expect_not_null(strstr(err.data, words), "%s: %s", line, err.data);
    options_release(&options);
    buf_release(&err);
}

/* ---- every row of the table ---- */

/* An argument that the option can be given. */
static const char *sample(const struct option *option)
{
    static const struct {
        const char *name, *text;
    } checked[] = {
        {"proto-default", "https"},
        {"body-dir", "/tmp"},
        {"spool-dir", "/tmp"},
        {"range", "0-9"},
        {"request", "PUT"},
        {"user-agent", "me"},
        {"cacert", "/dev/null"},
        {"report", "/tmp/report.html"},
        {"pinnedpubkey", "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
        {"interface", "host!127.0.0.1"},
        {"resolve", "h:80:127.0.0.1"},
        {"connect-to", "h:80:g:81"},
        {"proxy", "http://p:3128"},
        {"request", "PURGE"},
    };

    for (size_t i = 0; i < ARRAY_LEN(checked); i++) {
        if (strcmp(checked[i].name, option->name) == 0)
            return checked[i].text;
    }
    switch (option->kind) {
    case OPTION_COUNT:
    case OPTION_BIG: return option->max >= 37 ? "37" : "0";
    case OPTION_BYTES: return "37k";
    case OPTION_SECONDS: return "37m";
    case OPTION_WORD: return option->words[1];
    case OPTION_CODES: return "237";
    case OPTION_HELP: return "all";
    case OPTION_TEXT:
    case OPTION_LIST: return option->check ? "/dev/null" : "thirty-seven";
    case OPTION_CALL: /* tested one by one, each does something else */
    case OPTION_SWITCH:
    case OPTION_SET:
    case OPTION_ALIAS:
    case OPTION_ACCEPTED: break;
    }
    cr_assert(!option->arg || option->kind == OPTION_CALL, "--%s: no sample", option->name);
    return "";
}

static void *place(struct options *options, const struct option *option)
{
    return (char *)options + option->at;
}

/* Whether the sample is what the options hold now. */
static bool holds(struct options *options, const struct option *option)
{
    const char *text = sample(option);
    const struct strings *list = place(options, option);
    unsigned expected = strcmp(text, "37") == 0 ? 37 : 0;

    switch (option->kind) {
    case OPTION_SWITCH: return *(bool *)place(options, option);
    case OPTION_SET: return *(unsigned *)place(options, option) == option->value;
    case OPTION_COUNT: return *(unsigned *)place(options, option) == expected;
    case OPTION_BIG: return *(uint64_t *)place(options, option) == expected;
    case OPTION_BYTES: return *(uint64_t *)place(options, option) == UINT64_C(37) * 1024;
    case OPTION_SECONDS: return (int)*(double *)place(options, option) == 37 * 60;
    case OPTION_WORD: return *(unsigned *)place(options, option) == 1;
    case OPTION_TEXT: return strcmp(*(char **)place(options, option), text) == 0;
    case OPTION_LIST: return list->len == 1 && strcmp(list->at[0], text) == 0;
    case OPTION_CODES: {
        const struct codes *codes = place(options, option);
        return codes_has(codes, 237) && !codes_has(codes, 200);
    }
    case OPTION_CALL: return true;
    case OPTION_HELP: return options->help && strcmp(options->help_topic, text) == 0;
    case OPTION_ALIAS:
    case OPTION_ACCEPTED: return true;
    }
    return false;
}

/* So that an option that does nothing is seen to. */
static void disturb(struct options *options, const struct option *option)
{
    if (option->kind == OPTION_SWITCH)
        *(bool *)place(options, option) = false;
    else if (option->kind == OPTION_SET || option->kind == OPTION_COUNT)
        *(unsigned *)place(options, option) = 99;
}

static void try_line(const struct option *option, const char *format, const char *name)
{
    struct options options;
    struct buf line, err;
    const char *arg = sample(option);

    if (option->kind == OPTION_CALL)
        return; /* each does something else: tested by name */
    buf_init(&line);
    buf_init(&err);
    for (const char *at = format; *at; at++) {
        if (*at == 'N')
            buf_add_text(&line, name);
        else if (*at == 'V')
            buf_add_text(&line, arg);
        else
            buf_add_char(&line, *at);
    }
    options_init(&options);
    disturb(&options, option);
    cr_expect_eq(parse(&options, &err, line.data), 0, "%s: %s", line.data, err.data);
    /* A window below the default number of jobs is raised to it, so it is looked at with one job. */
    cr_expect(holds(&options, option), "%s", line.data);
    cr_expect_eq(options.input.urls.len, 0, "%s", line.data);
    options_release(&options);
    buf_release(&line);
    buf_release(&err);
}

static void try_all_spellings(const struct option *row)
{
    const struct option *option = option_find(row->name);

    cr_assert_not_null(option);
    cr_assert_neq((int)option->kind, (int)OPTION_ALIAS, "--%s", row->name);
    try_line(option, option->arg ? "weir --N V" : "weir --N", row->name);
    if (option->arg)
        try_line(option, "weir --N=V", row->name);
    for (const char *letter = row->letters; letter && *letter; letter++) {
        char name[] = {*letter, '\0'};
        cr_expect_eq(option_find_letter(*letter), row, "-%s is taken twice", name);
        try_line(option, option->arg ? "weir -N V" : "weir -N", name);
        if (option->arg && option->kind != OPTION_HELP)
            try_line(option, "weir -NV", name);
    }
}

Test(options, takes_every_option_by_each_of_its_names)
{
    for (const struct option *option = option_table; option->name; option++)
        try_all_spellings(option);
}

Test(option_table, has_no_name_twice_and_words_of_help_for_each)
{
    for (const struct option *option = option_table; option->name; option++) {
        for (const struct option *other = option + 1; other->name; other++)
            cr_expect_str_neq(option->name, other->name);
        cr_expect(option->help || option->kind == OPTION_ALIAS, "--%s", option->name);
        cr_expect_lt((int)option->group, (int)GROUP_COUNT);
        cr_expect_not_null(option_group_title(option->group));
    }
    cr_expect_null(option_find("no-such-option"));
    cr_expect_null(option_find(""));
    cr_expect_null(option_find_letter('~'));
    cr_expect_null(option_find_letter('\0'));
}

Test(option_table, follows_an_alias_to_its_option)
{
    cr_expect_str_eq(option_find("parallel-max")->name, "jobs");
}

Test(options, turns_every_switch_off_by_its_no)
{
    for (const struct option *option = option_table; option->name; option++) {
        struct options options;
        struct buf line, err;
        if (option->kind != OPTION_SWITCH)
            continue;
        buf_init(&line);
        buf_init(&err);
        buf_addf(&line, "weir --%s --no-%s", option->name, option->name);
        options_init(&options);
        *(bool *)place(&options, option) = true;
        cr_expect_eq(parse(&options, &err, line.data), 0, "%s", err.data);
        cr_expect(!*(bool *)place(&options, option), "%s", line.data);
        options_release(&options);
        buf_release(&line);
        buf_release(&err);
    }
}

/* ---- defaults and forms ---- */

Test(options, begins_with_the_defaults_of_the_contract)
{
    struct options options;

    must_parse(&options, "weir");
    cr_expect_eq(options.jobs, 20);
    cr_expect_eq(options.window, 1024);
    cr_expect_eq(options.memory, UINT64_C(64) << 20);
    cr_expect_eq(options.spool_max, UINT64_C(8) << 30);
    cr_expect_float_eq(options.connect_timeout, 10, 0);
    cr_expect_float_eq(options.stall_timeout, 30, 0);
    cr_expect_float_eq(options.max_time, 0, 0);
    cr_expect_eq(options.per_host, 0);
    cr_expect(options.rate <= 0 && options.host_rate <= 0 && options.burst == 1);
    cr_expect_eq(options.retry, 2);
    cr_expect_float_eq(options.retry_delay, 0.5, 0);
    cr_expect_float_eq(options.retry_max_delay, 60, 0);
    cr_expect_float_eq(options.retry_budget, 0.2, 1e-12);
    cr_expect_float_eq(options.gate_max, 3600, 0);
    cr_expect_eq(options.host_errors, 3);
    cr_expect_float_eq(options.host_wait, 30, 0);
    cr_expect_float_eq(options.host_retry_after, 30, 0);
    cr_expect_not(options.adaptive || options.retry_all_methods || options.parallel_immediate);
    cr_expect(options.location && options.compressed && !options.insecure);
    cr_expect_eq(options.max_redirs, 10);
    cr_expect_eq(options.order, OPTION_ORDER_INPUT);
    cr_expect_eq(options.format, OPTION_FORMAT_RAW);
    cr_expect(codes_has(&options.accept, 100) && codes_has(&options.accept, 399));
    cr_expect(!codes_has(&options.accept, 400) && !codes_has(&options.accept, 0));
    options_release(&options);
}

Test(options, derives_the_window_from_the_jobs)
{
    static const struct {
        const char *line;
        uint64_t window;
    } cases[] = {
        {"weir -j 256", 1024},
        {"weir -j 257", 1028},
        {"weir -j1000000", 4000000},
        {"weir --window 5", 20},
        {"weir --window 5 -j 3", 5},
        {"weir -j 3 --window 5", 5},
        {"weir --window 1 -j 1", 1},
        {"weir --window 2000", 2000},
        {"weir --window 1073741824", UINT64_C(1) << 30},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct options options;
        must_parse(&options, cases[i].line);
        cr_expect_eq(options.window, cases[i].window, "%s", cases[i].line);
        options_release(&options);
    }
}

Test(options, reads_a_number_of_jobs_in_every_form)
{
    static const char *const lines[] = {
        "weir -j 5",     "weir -j5",     "weir --jobs 5",         "weir --jobs=5",
        "weir -P5",      "weir -sj5",    "weir -sSj 5",           "weir --parallel-max=5",
        "weir -Zj5",     "weir -j1 -j5", "weir --parallel-max 5", "weir -j9 http://h/ -P 5",
        "weir -fkLSsj5",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct options options;
        must_parse(&options, lines[i]);
        cr_expect_eq(options.jobs, 5, "%s: %u", lines[i], options.jobs);
        options_release(&options);
    }
}

Test(options, takes_letters_that_stand_together)
{
    struct options options;

    must_parse(&options, "weir -sk0g6a list http://h/");
    cr_expect(options.silent && options.insecure && options.input.null_separated &&
              options.input.globoff);
    cr_expect_eq(options.ip, OPTION_IP_6);
    cr_assert_eq(options.input.files.len, 1);
    cr_expect_str_eq(options.input.files.at[0], "list");
    cr_assert_eq(options.input.urls.len, 1);
    options_release(&options);
}

Test(options, takes_what_is_no_option_for_a_url_in_its_order)
{
    struct options options;

    must_parse(&options, "weir a -s b - -- c --jobs -k --");
    cr_assert_eq(options.input.urls.len, 6);
    const char *const expected[] = {"a", "b", "c", "--jobs", "-k", "--"};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        cr_expect_str_eq(options.input.urls.at[i], expected[i]);
    cr_assert_eq(options.input.files.len, 1);
    cr_expect_str_eq(options.input.files.at[0], "-");
    cr_expect(options.silent && !options.insecure);
    options_release(&options);
}

Test(options, takes_an_argument_that_looks_like_an_option)
{
    struct options options;

    must_parse(&options, "weir -a -- --input -s -A=x -- -x");
    cr_assert_eq(options.input.files.len, 2);
    cr_expect_str_eq(options.input.files.at[0], "--");
    cr_expect_str_eq(options.input.files.at[1], "-s");
    cr_expect(!options.silent);
    cr_expect_str_eq(options.user_agent, "=x");
    cr_assert_eq(options.input.urls.len, 1);
    options_release(&options);
}

Test(options, keeps_the_last_of_an_option_and_all_of_a_list)
{
    struct options options;

    must_parse(&options, "weir --to a --to=b -H A:1 -H B; --keep-order --unordered -4 -6 -4");
    cr_expect_str_eq(options.to, "b");
    cr_assert_eq(options.headers.len, 2);
    cr_expect_str_eq(options.headers.at[1], "B;");
    cr_expect_eq(options.order, OPTION_ORDER_COMPLETION);
    cr_expect_eq(options.ip, OPTION_IP_4);
    options_release(&options);
}

Test(options, takes_an_empty_argument_where_it_means_something)
{
    struct options options;

    must_parse(&options, "weir --user-agent= --proxy=");
    cr_expect_str_eq(options.user_agent, "");
    cr_expect_str_eq(options.proxy, "");
    options_release(&options);
}

/* ---- what is refused ---- */

static const char *const refusals[][2] = {
    {"weir -j 0", "--jobs: takes a number from 1 to 1000000, not '0'"},
    {"weir -j0", "--jobs: "},
    {"weir -P x", "--jobs: "},
    {"weir --jobs=", "--jobs: "},
    {"weir --jobs=-1", "--jobs: "},
    {"weir --jobs 1000001", "--jobs: "},
    {"weir --jobs 18446744073709551617", "--jobs: "},
    {"weir --parallel-max 4294967297", "--jobs: "},
    {"weir -j", "--jobs: needs its argument, N"},
    {"weir --jobs", "--jobs: needs its argument, N"},
    {"weir --window 0", "--window: "},
    {"weir --window 1073741825", "--window: "},
    {"weir --memory 1x", "--memory: takes a size"},
    {"weir --spool-max 99999999999999999999", "--spool-max: takes a size"},
    {"weir --per-host 0", "--per-host: takes [HOST=]N, a number from 1 to 1000000"},
    {"weir --per-host 1000001", "--per-host: takes [HOST=]N"},
    {"weir --per-host x", "--per-host: takes [HOST=]N"},
    {"weir --per-host h=", "--per-host: takes [HOST=]N"},
    {"weir --per-host h=0", "--per-host: takes [HOST=]N"},
    {"weir --per-host =5", "--per-host: names no host before the ="},
    {"weir --parallel-max-host 0", "--per-host: takes [HOST=]N"},
    {"weir --rate 10", "--rate: needs a unit: 10/s, 10/m or 10/h (curl would take 10 for the"},
    {"weir --rate 0/s", "--rate: takes a rate such as 5/s"},
    {"weir --rate -1/s", "--rate: takes a rate such as 5/s"},
    {"weir --rate 5/", "--rate: takes a rate such as 5/s"},
    {"weir --rate 2000000/s", "--rate: takes a rate such as 5/s"},
    {"weir --rate h=5/s", "--rate: takes a rate such as 5/s"},
    {"weir --host-rate 10", "--host-rate: needs a unit: 10/s"},
    {"weir --host-rate h=10", "--host-rate: needs a unit: 10/s"},
    {"weir --host-rate =5/s", "--host-rate: names no host before the ="},
    {"weir --host-rate h=x", "--host-rate: takes a rate such as 5/s"},
    {"weir --burst 0", "--burst: "},
    {"weir --retry-on 20", "--retry-on: takes statuses such as 429,500-504 or !500"},
    {"weir --retry-on 429,", "--retry-on: takes statuses"},
    {"weir --retry-on !", "--retry-on: takes statuses"},
    {"weir --retry-on !!500", "--retry-on: takes statuses"},
    {"weir --retry-on 500,!4xx", "--retry-on: takes statuses"},
    {"weir --retry-on=", "--retry-on: takes statuses"},
    {"weir --retry-budget 20", "--retry-budget: takes a share such as 20%, or none"},
    {"weir --retry-budget %", "--retry-budget: takes a share"},
    {"weir --retry-budget -1%", "--retry-budget: takes a share"},
    {"weir --retry-budget 1.5%", "--retry-budget: takes a share"},
    {"weir --retry-budget None", "--retry-budget: takes a share"},
    {"weir --retry-budget=", "--retry-budget: takes a share"},
    {"weir --retry-delay x", "--retry-delay: takes a time"},
    {"weir --gate-max -1", "--gate-max: takes a time"},
    {"weir --host-errors 1000001", "--host-errors: "},
    {"weir --retry 1001", "--retry: takes a number from 0 to 1000, not '1001'"},
    {"weir -m -1", "--max-time: takes a time"},
    {"weir --connect-timeout 5x", "--connect-timeout: takes a time"},
    {"weir --stall-timeout inf", "--stall-timeout: takes a time"},
    {"weir --order none", "--order: takes input or completion, not 'none'"},
    {"weir --format RAW", "--format: takes raw or jsonl or tsv or none, not 'RAW'"},
    {"weir --input-format csv", "--input-format: takes auto or url or jsonl"},
    {"weir --accept 20", "--accept: takes status codes"},
    {"weir --max-redirs 1001", "--max-redirs: "},
    {"weir --max-redirs -1", "--max-redirs: "},
    {"weir -H nothing", "--header: takes one header"},
    {"weir -H A:b\nC:d", "--header: takes one header"},
    {"weir -H A:b\rC:d", "--header: takes one header"},
    {"weir -A a\nb", "--user-agent: takes text without a line break"},
    {"weir --cacert /no/such/file", "--cacert: cannot read /no/such/file: "},
    {"weir --spool-dir /no/such", "--spool-dir: cannot use /no/such: "},
    {"weir --spool-dir /dev/null", "--spool-dir: cannot use /dev/null: "},
    {"weir --resolve h:80", "--resolve: takes HOST:PORT:ADDRESS"},
    {"weir --resolve -h:80:1.2.3.4", "--resolve: takes HOST:PORT:ADDRESS"},
    {"weir --resolve [::1]:80", "--resolve: takes HOST:PORT:ADDRESS"},
    {"weir --connect-to h:80:g", "--connect-to: takes HOST:PORT:HOST:PORT"},
    {"weir --connect-to a:b:c:d:e", "--connect-to: takes HOST:PORT:HOST:PORT"},
    {"weir -x http://",
     "--proxy: takes [SCHEME://]HOST[:PORT], of http, https or socks4, 4a, 5, 5h"},
    {"weir --proto-default ftp", "--proto-default: takes http or https"},
    {"weir --proto-default HTTP", "--proto-default: takes http or https"},
    {"weir --null=1", "--null: takes no argument, not '1'"},
    {"weir --fail=", "--fail: takes no argument"},
    {"weir --http2=x", "--http2: takes no argument"},
};

Test(options, names_the_long_option_when_it_refuses_a_value)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        expect_refused(refusals[i][0], refusals[i][1]);
}

Test(options, leaves_an_option_alone_that_it_refuses)
{
    struct options options;
    struct buf err;

    buf_init(&err);
    options_init(&options);
    cr_expect_eq(parse(&options, &err, "weir --memory 1x"), -EINVAL);
    cr_expect_eq(options.memory, UINT64_C(64) << 20);
    options_release(&options);
    options_init(&options);
    cr_expect_eq(parse(&options, &err, "weir -m 7 -m 1x"), -EINVAL);
    cr_expect_float_eq(options.max_time, 7, 0);
    options_release(&options);
    buf_release(&err);
}

Test(options, suggests_the_nearest_name_for_one_it_does_not_know)
{
    static const char *const lines[][2] = {
        {"weir --job 5", "unknown option --job; is it --jobs?"},
        {"weir --locaton", "is it --location?"},
        {"weir --unorderd", "is it --unordered?"},
        {"weir --hedaer=x", "unknown option --hedaer=x; is it --header?"},
        {"weir --inscure", "is it --insecure?"},
        {"weir --paralel-max 4", "is it --parallel-max?"},
        {"weir --joblog x", "unknown option --joblog; here it is --journal"},
        {"weir --frobnicate", "unknown option --frobnicate; weir --help all shows every one"},
        {"weir --no-jobs", "unknown option --no-jobs"},
        {"weir --no-header", "unknown option --no-header"},
        {"weir --no-help", "unknown option --no-help"},
        {"weir --no-null=1", "unknown option --no-null=1"},
        {"weir -q", "unknown option -q"},
        {"weir -sq", "unknown option -q"},
        {"weir --=x", "unknown option --=x"},
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        expect_refused(lines[i][0], lines[i][1]);
    cr_expect_null(option_nearest(""));
    cr_expect_null(option_nearest("x"));
    cr_expect_null(option_nearest("zzzzzzzz"));
    cr_expect_null(option_nearest("revolve-it"), "resolve is another word");
    cr_expect_null(option_nearest("keen"));
    cr_expect_null(option_nearest("max"), "several begin so");
    cr_expect_str_eq(option_nearest("verb"), "verbose");
    cr_expect_str_eq(option_nearest("hedaer"), "header");
    cr_expect_str_eq(option_nearest("conect-timout"), "connect-timeout");
    cr_expect_null(option_nearest("a-name-that-is-longer-than-any-option-there-is"));
    cr_expect_str_eq(option_nearest("jobs"), "jobs");
}

Test(options, know_what_others_call_them)
{
    static const char *const names[] = {"retries",    "concurrency", "timeout",
                                        "no-clobber", "max-procs",   "resume-failed"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *ours = option_of_others(names[i]);
        cr_assert_not_null(ours, "%s", names[i]);
        cr_expect_not_null(option_find(ours), "%s", ours);
        cr_expect_null(option_find(names[i]), "%s is one of ours", names[i]);
    }
    cr_expect_null(option_of_others("jobs"));
    cr_expect_null(option_of_others(""));
}

Test(options, refuses_a_bad_glob_before_any_request)
{
    struct options options;

    expect_refused("weir http://h/ http://h/{a", "bad list at position 10");
    expect_refused("weir -- http://h/[1-", "bad range");
    must_parse(&options, "weir -g http://h/{a");
    options_release(&options);
    must_parse(&options, "weir http://h/{a --globoff");
    options_release(&options);
}

/* ---- help ---- */

static char *help(const char *topic, int expected)
{
    struct buf out, err;

    buf_init(&out);
    buf_init(&err);
    cr_expect_eq(options_help(topic, &out, &err), expected, "%s", err.data);
    cr_expect_eq(err.len > 0, expected != 0);
    buf_release(&err);
    return buf_take(&out);
}

static bool shows(const char *text, const struct option *option)
{
    struct buf name;

    buf_init(&name);
    buf_addf(&name, "--%s%c", option->name, option->arg ? ' ' : '\0');
    bool found = strstr(text, name.data) != NULL;
    buf_release(&name);
    return found;
}

Test(help, shows_the_options_that_matter_and_all_of_them_when_asked)
{
    char *brief = help(NULL, 0), *all = help("all", 0);
    size_t shown = 0;

    for (const struct option *option = option_table; option->name; option++) {
        cr_expect(shows(all, option), "--%s", option->name);
        if (option->brief)
            cr_expect(shows(brief, option), "--%s", option->name);
        shown += option->brief;
    }
    cr_expect_gt(shown, 5);
    cr_expect_null(strstr(brief, "--proto-default"));
    cr_expect_eq(strncmp(brief, "Usage: weir ", 12), 0);
    cr_expect_eq(strncmp(all, "Usage: weir ", 12), 0);
    for (enum option_group group = 0; group < GROUP_COUNT; group++)
        cr_expect_not_null(strstr(all, option_group_title(group)));
    free(brief);
    free(all);
}

Test(help, shows_one_option_by_any_of_its_spellings)
{
    static const char *const topics[] = {"jobs", "--jobs", "parallel-max", "j", "-P"};

    for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
        char *text = help(topics[i], 0);
        cr_expect_eq(strncmp(text, "  -j, --jobs N ", 15), 0, "%s", text);
        cr_expect_null(strstr(text, "--window"));
        cr_expect_not_null(strstr(text, "Also: -P, --parallel-max\n"), "%s", text);
        cr_expect_not_null(strstr(text, "under \"Flow\""), "%s", text);
        free(text);
    }
}

Test(help, tells_what_an_option_may_be_and_how_a_switch_is_turned_off)
{
    static const char *const cases[][2] = {
        {"order", "One of: input, completion\n"},
        {"location", "--no-location turns it off\n"},
        {"no-location", "  -L, --location "},
        {"fail-early", "Also: --fail-early\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = help(cases[i][0], 0);
        cr_expect_not_null(strstr(text, cases[i][1]), "%s", text);
        free(text);
    }
}

Test(option_table, offers_no_word_that_is_refused)
{
    for (const struct option *option = option_table; option->name; option++) {
        for (size_t i = 0; option->words && option->words[i]; i++) {
            struct buf line;
            struct options options;
            buf_init(&line);
            buf_addf(&line, "weir --%s=%s", option->name, option->words[i]);
            must_parse(&options, line.data);
            options_release(&options);
            buf_release(&line);
        }
    }
}

Test(help, names_each_word_that_an_option_may_be)
{
    for (const struct option *option = option_table; option->name; option++) {
        for (size_t i = 0; option->kind == OPTION_WORD && option->words[i]; i++) {
            cr_expect_not_null(strstr(option->help, option->words[i]), "--%s: %s", option->name,
                               option->words[i]);
        }
    }
}

Test(help, knows_no_option_that_is_not_there)
{
    char *text = help("nonsense", -ENOENT);

    cr_expect_str_eq(text, "");
    free(text);
    text = help("", -ENOENT);
    free(text);
    text = help("no-jobs", -ENOENT);
    free(text);
}

Test(help, is_asked_for_with_or_without_a_topic)
{
    static const struct {
        const char *line, *topic;
    } cases[] = {
        {"weir --help", NULL},
        {"weir -h", NULL},
        {"weir -h all", "all"},
        {"weir --help=jobs", "jobs"},
        {"weir --help jobs", "jobs"},
        {"weir --help --rate", "--rate"},
        {"weir --help -j", "-j"},
        {"weir --help=-j", "-j"},
        {"weir -h -s", NULL},
        {"weir -h -- x", NULL},
        {"weir --help all --help", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct options options;
        must_parse(&options, cases[i].line);
        cr_expect(options.help);
        if (cases[i].topic)
            cr_expect_str_eq(options.help_topic, cases[i].topic);
        else
            cr_expect_null(options.help_topic);
        options_release(&options);
    }
}
