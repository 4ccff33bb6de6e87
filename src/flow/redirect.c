#include "flow/redirect.h"

#include <string.h>

#include "base/codes.h"
#include "base/text.h"
#include "cli/options.h"
#include "core/task.h"
#include "input/url.h"

/* The chain is kept as long as its request, so it must not be as long as a server likes. */
enum { LOCATION_MAX = 8 * 1024 };

/* A message holds so many bytes of a location at most. */
enum { LOCATION_SHOWN = 200 };

/* A Location may be relative: each hop could make the URL longer by as much. */
enum { URL_MAX = 8 * LOCATION_MAX };

/* curl's codes for the ways a redirect fails. */
enum { CODE_UNSUPPORTED_SCHEME = 1, CODE_BAD_URL = 3, CODE_TOO_MANY = 47 };

static bool fail(struct task *task, enum reason reason, int exitcode, const char *what)
{
    struct buf shown;

    buf_init(&shown);
    text_add_shown(&shown, task->location, strlen(task->location), LOCATION_SHOWN);
    task->outcome = OUTCOME_FAILED;
    task->result.exitcode = exitcode;
    result_setf(&task->result, reason, "%s: %s", what, shown.data);
    buf_release(&shown);
    return false;
}

static bool is_too_long(const struct url *url)
{
    struct buf text;

    buf_init(&text);
    url_add_text(url, &text);
    bool is_long = text.len > URL_MAX;
    buf_release(&text);
    return is_long;
}

static bool fail_too_many(const struct redirect_rules *rules, struct task *task)
{
    task->outcome = OUTCOME_FAILED;
    task->result.exitcode = CODE_TOO_MANY;
    result_setf(&task->result, REASON_REDIRECTS, "more than %u redirects", rules->max);
    return false;
}

/* Whether two URLs are of one host: scheme, name and port. */
static bool is_same_host(const struct url *a, const struct url *b)
{
    struct buf one, other;
    bool same;

    buf_init(&one);
    buf_init(&other);
    url_add_host(a, &one);
    url_add_host(b, &other);
    same = strcmp(one.data, other.data) == 0;
    buf_release(&one);
    buf_release(&other);
    return same;
}

/* What the user said to the host that was asked first is said to that host, and to no other unless
 * the rules trust it. */
static void set_trust(const struct redirect_rules *rules, struct task *task, struct url *next)
{
    struct url *home = NULL;
    struct buf err;

    buf_init(&err);
    task->away = !rules->trusted;
    if (url_parse(task->result.passed[0], "http", &home, &err) == 0) {
        task->away &= !is_same_host(home, next);
        if (!task->away)
            url_copy_user(next, home);
    }
    url_free(home);
    buf_release(&err);
}

/* As browsers do: 303 makes any method but HEAD a GET, 301 and 302 make a POST one. */
static bool demotes(long code, const char *method)
{
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        return false;
    return code == 303 || ((code == 301 || code == 302) && strcmp(method, "POST") == 0);
}

bool redirect_permits(unsigned protocols, const struct url *url)
{
    return (protocols & OPTION_PROTO_HTTP && url_has_scheme(url, "http")) ||
           (protocols & OPTION_PROTO_HTTPS && url_has_scheme(url, "https"));
}

static void go(const struct redirect_rules *rules, struct task *task, struct url *next)
{
    struct buf here;

    buf_init(&here);
    url_add_text(task->url, &here);
    result_pass(&task->result, buf_take(&here));
    url_free(task->url);
    task->url = next;
    if (demotes(task->result.http_code, request_ask(&task->request, &rules->defaults).method))
        task->demoted = true;
    set_trust(rules, task, next);
}

bool redirect_follow(const struct redirect_rules *rules, struct task *task)
{
    struct url *next = NULL;
    struct buf err;

    if (!rules->follow || !task->location || !code_is_redirect(task->result.http_code))
        return false;
    if (task->result.n_passed >= rules->max)
        return fail_too_many(rules, task);
    if (strlen(task->location) > LOCATION_MAX)
        return fail(task, REASON_PROTOCOL, CODE_BAD_URL, "redirected to too long a URL");
    buf_init(&err);
    int result = url_resolve(task->url, task->location, &next, &err);
    buf_release(&err);
    if (result)
        return fail(task, REASON_PROTOCOL, CODE_BAD_URL, "redirected to what is no URL");
    if (is_too_long(next)) {
        url_free(next);
        return fail(task, REASON_PROTOCOL, CODE_BAD_URL, "redirected to too long a URL");
    }
    if (!redirect_permits(rules->protocols, next)) {
        url_free(next);
        return fail(task, REASON_DENIED, CODE_UNSUPPORTED_SCHEME,
                    "redirected to a scheme that is not permitted");
    }
    go(rules, task, next);
    return true;
}
