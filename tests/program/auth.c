/* Who we are, said in each of the ways there are, to whom it is for and to nobody else. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "moment.h"
#include "program.h"
#include "stage.h"

/* Of every request for the target, in their order. */
static const struct origin_record *nth(struct stage *stage, const char *target, size_t n)
{
    const struct origin_record *record = NULL;

    while ((record = origin_log_next(stage->origin, record)))
        if (strcmp(record->target, target) == 0 && n-- == 0)
            return record;
    cr_assert_fail("the origin saw too few of %s", target);
    return NULL;
}

/* What Authorization says, "" where there is none. */
static const char *said(struct stage *stage, const struct origin_record *record)
{
    char value[1024];

    if (!origin_record_header(record, "Authorization", value, sizeof value))
        return "";
    return stage_text(stage, "%s", value);
}

static const char *said_for(struct stage *stage, const char *target)
{
    return said(stage, nth(stage, target, 0));
}

Test(netrc, has_the_password_of_each_host)
{
    struct stage *stage = stage_new_any();
    const char *text = "machine 127.0.0.1 login me password word\n"
                       "machine 127.0.0.2\n  login you\n  password \"two words\"\n";
    const char *file = scratch_write_text(stage->scratch, "netrc", text);

    program_expect(program_fetch(RUN_WEIR("-j1", "--netrc-file", file,
                                          stage_url_at(stage, "127.0.0.1", "/text/1"),
                                          stage_url_at(stage, "127.0.0.2", "/text/2"),
                                          stage_url_at(stage, "127.0.0.3", "/text/3"),
                                          stage_url_at(stage, "own:x@127.0.0.1", "/text/4")),
                                 NULL),
                   0, "1\n2\n3\n4\n", "");
    cr_expect_str_eq(said_for(stage, "/text/1"), "Basic bWU6d29yZA==");
    cr_expect_str_eq(said_for(stage, "/text/2"), "Basic eW91OnR3byB3b3Jkcw==");
    cr_expect_str_eq(said_for(stage, "/text/3"), "");
    cr_expect_str_eq(said_for(stage, "/text/4"), "Basic b3duOng=");
    stage_free(stage);
}

Test(netrc, is_at_home_and_asked_only_when_wanted)
{
    struct stage *stage = stage_new();
    const char *home = stage_text(stage, "HOME=%s", scratch_dir(stage->scratch));
    const char *const env[] = {home, NULL};

    scratch_write_text(stage->scratch, ".netrc", "machine 127.0.0.1 login me password word\n");
    program_expect(program_run((struct run_options){
                       .argv = RUN_WEIR("-n", stage_url(stage, "/text/1")), .env = env}),
                   0, "1\n", "");
    program_expect(program_run((struct run_options){.argv = RUN_WEIR(stage_url(stage, "/text/2")),
                                                    .env = env}),
                   0, "2\n", "");
    cr_expect_str_eq(said_for(stage, "/text/1"), "Basic bWU6d29yZA==");
    cr_expect_str_eq(said_for(stage, "/text/2"), "");
    stage_free(stage);
}

/* The user is known already, to whatever host. */
Test(netrc, is_not_asked_where_the_options_or_the_request_say_who_we_are)
{
    static const char *const options[][2] = {
        {"-u", "me:word"}, {"--oauth2-bearer", "t0k"}, {"-H", "Authorization: own"}, {"-A", "x"}};
    struct stage *stage = stage_new_any();
    const char *file = scratch_write_text(stage->scratch, "netrc", "default login d password w\n");

    for (size_t i = 0; i < 4; i++) {
        const char *target = stage_text(stage, "/text/%zu", i);
        const char *there = stage_encoded(stage, stage_url_at(stage, "127.0.0.2", target));
        const char *here = stage_url(stage, "/text/a?location=%s", there);
        const char *input =
            stage_text(stage, "{\"url\":\"%s\",\"headers\":{\"Authorization\":\"own\"}}\n", here);
        program_expect(
            program_fetch(RUN_WEIR("-a-", "--netrc-file", file, options[i][0], options[i][1]),
                          i == 3 ? input : stage_text(stage, "%s\n", here)),
            0, stage_text(stage, "%zu\n", i), "");
        cr_expect_str_eq(said_for(stage, target), "", "%s", options[i][0]);
    }
    stage_free(stage);
}

/* A redirect to another host must not take along what the first host's user was. */
Test(credentials, are_not_for_the_host_that_a_redirect_leads_to)
{
    static const char *const options[][2] = {{"-u", "me:word"}, {"--oauth2-bearer", "t0k"}};
    struct stage *stage = stage_new_any();

    for (size_t i = 0; i < 2; i++) {
        const char *target = stage_text(stage, "/text/%zu", i);
        const char *there = stage_url_at(stage, "127.0.0.2", target);
        const char *url =
            stage_url(stage, "/text/a?tag=%zu&location=%s", i, stage_encoded(stage, there));
        program_expect(program_fetch(RUN_WEIR(options[i][0], options[i][1], url), NULL), 0,
                       stage_text(stage, "%zu\n", i), "");
        cr_expect_str_eq(said_for(stage, target), "");
        cr_expect_str_not_empty(said_for(stage, strstr(url, "/text/a")));
        program_expect(
            program_fetch(RUN_WEIR("--location-trusted", options[i][0], options[i][1], url), NULL),
            0, stage_text(stage, "%zu\n", i), "");
        cr_expect_str_not_empty(said(stage, nth(stage, target, 1)));
    }
    stage_free(stage);
}

/* ---- digest ---- */

#define CHALLENGE "Digest realm=\"r\", nonce=\"n0\", qop=\"auth\", opaque=\"op\""

static const char *digest_target(struct stage *stage, const char *path)
{
    return stage_text(stage, "%s?wants=%s", path, stage_encoded(stage, CHALLENGE));
}

/* name=value or name="value" of an Authorization. */
static const char *part(struct stage *stage, const char *header, const char *name)
{
    const char *start = stage_text(stage, " %s=", name);
    const char *at = strstr(header, start);

    cr_assert(at, "no %s in %s", name, header);
    at += strlen(start);
    at += *at == '"';
    return stage_text(stage, "%.*s", (int)strcspn(at, "\","), at);
}

static const char *md5(struct stage *stage, const char *text)
{
    const char *const argv[] = {"md5sum", NULL};
    struct run_result result =
        program_run((struct run_options){.argv = argv, .input = text, .input_len = strlen(text)});
    const char *sum = stage_text(stage, "%.32s", blob_text(&result.out));

    cr_assert_eq(result.code, 0);
    run_result_release(&result);
    return sum;
}

/* As RFC 7616 has it. */
static void expect_proof(struct stage *stage, const char *header, const char *method,
                         const char *target, const char *nc)
{
    const char *who = md5(stage, "me:r:word");
    const char *what = md5(stage, stage_text(stage, "%s:%s", method, target));

    cr_assert_eq(strncmp(header, "Digest ", 7), 0, "%s", header);
    cr_expect_str_eq(part(stage, header, "username"), "me");
    cr_expect_str_eq(part(stage, header, "realm"), "r");
    cr_expect_str_eq(part(stage, header, "nonce"), "n0");
    cr_expect_str_eq(part(stage, header, "opaque"), "op");
    cr_expect_str_eq(part(stage, header, "uri"), target);
    cr_expect_str_eq(part(stage, header, "qop"), "auth");
    cr_expect_str_eq(part(stage, header, "nc"), nc);
    const char *whole =
        stage_text(stage, "%s:n0:%s:%s:auth:%s", who, nc, part(stage, header, "cnonce"), what);
    cr_expect_str_eq(part(stage, header, "response"), md5(stage, whole));
}

Test(digest, proves_who_we_are_without_the_password)
{
    struct stage *stage = stage_new();
    const char *target = digest_target(stage, "/text/a");

    program_expect(
        program_fetch(RUN_WEIR("--digest", "-u", "me:word", stage_url(stage, "%s", target)), NULL),
        0, "a\n", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    cr_expect_str_eq(said_for(stage, target), "");
    expect_proof(stage, said(stage, nth(stage, target, 1)), "GET", target, "00000001");
    stage_free(stage);
}

Test(digest, sends_the_payload_once_it_is_known_to_be_wanted)
{
    struct stage *stage = stage_new();
    const char *target = digest_target(stage, "/echo");
    struct run_result result = program_fetch(
        RUN_WEIR("--digest", "-u", "me:word", "-d", "a=1", stage_url(stage, "%s", target)), NULL);

    cr_expect(blob_contains(&result.out, "\n\na=1"), "%s", blob_text(&result.out));
    program_expect(result, 0, NULL, "");
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    expect_proof(stage, said(stage, nth(stage, target, 1)), "POST", target, "00000001");
    cr_assert(origin_wait_in_service(stage->origin, 0, patience));
    cr_expect_eq(atomic_load(&nth(stage, target, 1)->body_bytes), 3);
    stage_free(stage);
}

Test(digest, that_is_not_believed_is_the_servers_answer)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/a?status=401&hdr=WWW-Authenticate:%s",
                                stage_encoded(stage, CHALLENGE));

    program_expect(program_fetch(RUN_WEIR("--digest", "-u", "me:work", url), NULL), 1, "",
                   ": http: status 401");
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    stage_free(stage);
}

/* On the one handle there is, what the first host asked for stays between it and us. */
Test(digest, shows_one_host_nothing_of_anothers_challenge)
{
    struct stage *stage = stage_new();
    const char *target = digest_target(stage, "/text/a");
    const char *there =
        stage_text(stage, "http://other.localhost:%u%s&tag=2", origin_port(stage->origin), target);

    program_expect(program_fetch(RUN_WEIR("-j1", "--digest", "-u", "me:word",
                                          stage_url(stage, "%s", target), there),
                                 NULL),
                   0, "a\na\n", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 4);
    cr_expect_str_eq(said_for(stage, stage_text(stage, "%s&tag=2", target)), "");
    stage_free(stage);
}

/* A server that wants a digest is told no password in clear, where a redirect leads to it either. */
Test(digest, with_netrc_is_for_each_host_its_own)
{
    struct stage *stage = stage_new_any();
    const char *file = scratch_write_text(stage->scratch, "netrc",
                                          "machine 127.0.0.1 login me password word\n"
                                          "machine 127.0.0.2 login you password word\n");
    const char *there = stage_url_at(stage, "127.0.0.2", digest_target(stage, "/text/there"));
    const char *first = digest_target(stage, "/text/1"), *second = digest_target(stage, "/text/2");
    const char *led = stage_url(stage, "/text/a?location=%s", stage_encoded(stage, there));

    program_expect(program_fetch(RUN_WEIR("-j1", "--digest", "--netrc-file", file,
                                          stage_url(stage, "%s", first),
                                          stage_url_at(stage, "127.0.0.2", second), led),
                                 NULL),
                   0, "1\n2\nthere\n", "");
    cr_expect_str_eq(said_for(stage, first), "");
    cr_expect_str_eq(said_for(stage, second), "", "the first host's challenge is not answered");
    cr_expect_str_eq(part(stage, said(stage, nth(stage, second, 1)), "username"), "you");
    const char *target = digest_target(stage, "/text/there");
    cr_expect_neq(strncmp(said_for(stage, target), "Basic", 5), 0);
    stage_free(stage);
}

Test(digest, with_names_in_urls_is_for_each_host_its_own)
{
    struct stage *stage = stage_new_any();
    const char *first = digest_target(stage, "/text/1"), *second = digest_target(stage, "/text/2");

    program_expect(
        program_fetch(RUN_WEIR("-j1", "--digest", stage_url_at(stage, "me:word@127.0.0.1", first),
                               stage_url_at(stage, "you:word@127.0.0.2", second)),
                      NULL),
        0, "1\n2\n", "");
    cr_expect_str_eq(said_for(stage, second), "", "the first host's challenge is not answered");
    cr_expect_str_eq(part(stage, said(stage, nth(stage, second, 1)), "username"), "you");
    stage_free(stage);
}

Test(anyauth, does_as_the_server_wants)
{
    struct stage *stage = stage_new();
    const char *digest = digest_target(stage, "/text/a");
    const char *basic = "/text/b?wants=Basic%20realm=r";

    program_expect(
        program_fetch(RUN_WEIR("-j1", "--anyauth", "-u", "me:word", stage_url(stage, "%s", digest),
                               stage_url(stage, "%s", basic)),
                      NULL),
        0, "a\nb\n", "");
    cr_expect_str_eq(said_for(stage, digest), "");
    expect_proof(stage, said(stage, nth(stage, digest, 1)), "GET", digest, "00000001");
    size_t times = origin_log_count(stage->origin, basic);
    cr_expect_str_eq(said(stage, nth(stage, basic, times - 1)), "Basic bWU6d29yZA==");
    stage_free(stage);
}

/* ---- the body of the question ---- */

struct question {
    char body[64];
};

ParameterizedTestParameters(login, is_neither_failed_nor_delayed_by_the_body_of_the_question)
{
    static struct question questions[] = {
        {"short=1000"}, {"cutchunk=1"}, {"badchunk=1"},           {"chunked=1&trailers=9000"},
        {"stall=0"},    {"stall=10"},   {"stall=10&close=1"},     {"stall=10&nolength=1"},
        {"reset=20"},   {"endless=1"},  {"drip=1,0.05&stall=99"},
    };

    return cr_make_param_array(struct question, questions, sizeof questions / sizeof *questions);
}

ParameterizedTest(struct question *question, login,
                  is_neither_failed_nor_delayed_by_the_body_of_the_question)
{
    static const char *const ways[] = {"--digest", "--anyauth"};
    static const char wants[] = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    struct stage *stage = stage_new();

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        for (size_t k = 0; k < 2; k++) {
            const char *target = stage_text(stage, "/bytes/100?key=%zu%zu&failtimes=1&%s&wants=%s",
                                            i, k, question->body, stage_encoded(stage, wants));
            const char *url = stage_url(stage, "%s", target);
            double begun = moment_now();
            struct run_result result =
                k ? program_fetch(RUN_WEIR("--retry=0", "-m60", ways[i], "-u", "me:word", "-d",
                                           "payload", url),
                                  NULL)
                  : program_fetch(RUN_WEIR("--retry=0", "-m60", ways[i], "-u", "me:word", url),
                                  NULL);
            cr_expect_eq(result.out.len, 100, "%s: %s", target, blob_text(&result.err));
            program_expect(result, 0, NULL, "");
            cr_expect_lt(moment_now(), begun + 25, "the body was waited for");
            cr_expect_eq(origin_log_count(stage->origin, target), 2);
            cr_assert(origin_wait_in_service(stage->origin, 0, patience));
            cr_expect_eq(nth(stage, target, 1)->body_bytes, k ? strlen("payload") : 0);
        }
    }
    stage_free(stage);
}

Test(login, reads_little_of_a_large_body)
{
    enum { READ_AT_MOST = 8 * 1024 * 1024 /* with all that stands in sockets */ };
    struct stage *stage = stage_new();
    const char *wants = stage_encoded(stage, "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"");
    const char *url = stage_url(stage, "/bytes/100?failtimes=1&endless=1&wants=%s", wants);

    program_expect(program_fetch(RUN_WEIR("--digest", "-u", "me:word", "--format=none", url), NULL),
                   0, "", "");
    cr_expect(origin_wait_open(stage->origin, 0, patience));
    cr_expect_leq(origin_log_next(stage->origin, NULL)->sent_bytes, READ_AT_MOST);
    stage_free(stage);
}

Test(login, that_is_slow_to_be_believed_is_not_said_twice)
{
    struct stage *stage = stage_new();
    const char *wants = stage_encoded(stage, "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"");
    const char *target = stage_text(stage, "/text/x?delay=1&wants=%s", wants);

    program_expect(
        program_fetch(RUN_WEIR("--digest", "-u", "me:word", stage_url(stage, "%s", target)), NULL),
        0, "x\n", "");
    cr_expect_eq(origin_log_count(stage->origin, target), 2);
    stage_free(stage);
}

/* --connect-timeout bounds the second connection alone. */
Test(login, has_its_own_time_to_connect_after_a_slow_question)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/bytes/9?failtimes=1&delay=1.5&endless=1&wants=%s",
                                stage_encoded(stage, "Digest realm=\"r\", nonce=\"n\", "
                                                     "qop=\"auth\""));

    program_expect(program_fetch(RUN_WEIR("--retry=0", "--format=none", "--connect-timeout=1",
                                          "--digest", "-u", "me:word", url),
                                 NULL),
                   0, "", "");
    stage_free(stage);
}

/* The second question is the answer, and its body is whole however slow. */
Test(login, that_is_not_believed_has_the_whole_answer)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "/text/x?status=401&headdelay=0.5&hdr=%s",
                                stage_encoded(stage, "WWW-Authenticate: Digest realm=\"r\", "
                                                     "nonce=\"n\", qop=\"auth\""));

    program_expect(program_fetch(RUN_WEIR("--digest", "-u", "me:word", "--accept=any", url), NULL),
                   0, "x\n", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 2);
    stage_free(stage);
}

Test(basic, is_said_at_once)
{
    struct stage *stage = stage_new();
    const char *target = "/text/b?wants=Basic%20realm=r";
    const char *url = stage_url(stage, "%s", target);

    program_expect(program_fetch(RUN_WEIR("--basic", "-u", "me:word", url), NULL), 0, "b\n", "");
    cr_expect_eq(origin_counts(stage->origin).requests, 1);
    program_expect(program_fetch(RUN_WEIR(url), NULL), 1, "", ": http: status 401");
    stage_free(stage);
}

Test(url, with_an_empty_user_names_nobody)
{
    struct stage *stage = stage_new();
    const char *empty = stage_url_at(stage, "@127.0.0.1", "/text/b");
    const char *led = stage_url(stage, "/text/a?location=%s",
                                stage_encoded(stage, stage_url_at(stage, "@127.0.0.1", "/text/c")));

    program_expect(program_fetch(RUN_WEIR(empty, led), NULL), 0, "b\nc\n", "");
    cr_expect_str_eq(said_for(stage, "/text/b"), "");
    cr_expect_str_eq(said_for(stage, "/text/c"), "");
    stage_free(stage);
}
