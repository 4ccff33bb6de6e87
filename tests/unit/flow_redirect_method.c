#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "flow/redirect.h"
#include "input/url.h"
#include "tasks.h"

enum { BOTH = OPTION_PROTO_HTTP | OPTION_PROTO_HTTPS };

static const struct redirect_rules usual = {.follow = true, .max = 10, .protocols = BOTH};

static struct task *asking_by(const char *method, long http_code)
{
    struct task *task = tasks_answered("http://h/", http_code, "/there");

    task->request.detail = detail_new();
    task->request.detail->method = xstrdup(method);
    return task;
}

static bool is_demoted(const char *method, long http_code)
{
    struct task *task = asking_by(method, http_code);

    cr_assert(redirect_follow(&usual, task));
    bool demoted = task->demoted;
    tasks_free(task);
    return demoted;
}

Test(redirect_method, becomes_get_where_browsers_make_it_one)
{
    static const struct {
        const char *method;
        bool by_301, by_302, by_303, by_307, by_308;
    } cases[] = {
        {"GET", false, false, false, false, false},    {"HEAD", false, false, false, false, false},
        {"POST", true, true, true, false, false},      {"PUT", false, false, true, false, false},
        {"DELETE", false, false, true, false, false},  {"PATCH", false, false, true, false, false},
        {"OPTIONS", false, false, true, false, false}, {"post", false, false, true, false, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cr_expect_eq(is_demoted(cases[i].method, 301), cases[i].by_301, "%s", cases[i].method);
        cr_expect_eq(is_demoted(cases[i].method, 302), cases[i].by_302, "%s", cases[i].method);
        cr_expect_eq(is_demoted(cases[i].method, 303), cases[i].by_303, "%s", cases[i].method);
        cr_expect_eq(is_demoted(cases[i].method, 307), cases[i].by_307, "%s", cases[i].method);
        cr_expect_eq(is_demoted(cases[i].method, 308), cases[i].by_308, "%s", cases[i].method);
    }
}

Test(redirect_method, stays_get_once_it_became_one)
{
    struct task *task = asking_by("POST", 302);

    cr_assert(redirect_follow(&usual, task));
    task->result.http_code = 307;
    cr_assert(redirect_follow(&usual, task));
    cr_expect(task->demoted);
    tasks_free(task);
}

Test(redirect_method, is_what_the_options_say_where_the_request_is_silent)
{
    struct redirect_rules posting = usual;
    struct task *task = tasks_answered("http://h/", 301, "/there");

    posting.defaults =
        (struct ask){.payload_kind = PAYLOAD_BYTES, .payload = "a", .payload_len = 1};
    cr_assert(redirect_follow(&posting, task));
    cr_expect(task->demoted);
    tasks_free(task);
    task = tasks_answered("http://h/", 301, "/there");
    posting.defaults.method = "PUT";
    cr_assert(redirect_follow(&posting, task));
    cr_expect(!task->demoted);
    tasks_free(task);
}

Test(redirect_scheme, is_one_of_those_permitted)
{
    static const struct {
        unsigned protocols;
        const char *location;
        bool permitted;
    } cases[] = {
        {BOTH, "http://g/", true},
        {BOTH, "https://g/", true},
        {BOTH, "HTTPS://g/", true},
        {BOTH, "ftp://g/", false},
        {BOTH, "file:///g", false},
        {OPTION_PROTO_HTTPS, "http://g/", false},
        {OPTION_PROTO_HTTPS, "https://g/", true},
        {OPTION_PROTO_HTTP, "https://g/", false},
        {OPTION_PROTO_HTTP, "http://g/", true},
        {0, "http://g/", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct redirect_rules rules = usual;
        struct task *task = tasks_answered("http://h/", 302, cases[i].location);
        rules.protocols = cases[i].protocols;
        cr_expect_eq(redirect_follow(&rules, task), cases[i].permitted, "case %zu", i);
        if (!cases[i].permitted) {
            cr_expect_eq(task->result.reason, REASON_DENIED, "case %zu", i);
            cr_expect_eq(task->result.exitcode, 1, "case %zu", i);
            cr_expect_eq(task->outcome, OUTCOME_FAILED);
        }
        tasks_free(task);
    }
}
