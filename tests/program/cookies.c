/* Cookies: those that are given, those that answers set, and the file they go to. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>
#include <sys/stat.h>

#include "program.h"
#include "stage.h"

#define SET(cookie) "/text/set?hdr=Set-Cookie:%%20" cookie

static const char *sent(struct stage *stage, const char *target)
{
    const struct origin_record *record = origin_log_find(stage->origin, target);
    char value[512];

    cr_assert(record, "the origin saw no %s", target);
    if (!origin_record_header(record, "Cookie", value, sizeof value))
        return "";
    return stage_text(stage, "%s", value);
}

static const char *jar_of(struct stage *stage, const char *name)
{
    struct blob text = {0};

    cr_assert(scratch_read(stage->scratch, name, &text));
    const char *jar = stage_text(stage, "%s", blob_text(&text));
    blob_release(&text);
    return jar;
}

#define JAR                                                             \
    "# Netscape HTTP Cookie File\n"                                     \
    "127.0.0.1\tFALSE\t/\tFALSE\t0\tone\t1\n"                           \
    "#HttpOnly_127.0.0.1\tFALSE\t/text/in\tFALSE\t4102444800\ttwo\t2\n" \
    "127.0.0.1\tFALSE\t/\tFALSE\t1\told\tx\n"                           \
    "127.0.0.2\tFALSE\t/\tTRUE\t0\tsecure\tx\n"                         \
    "127.0.0.2\tFALSE\t/\tFALSE\t0\tother\t3\n"

Test(cookie, of_a_file_goes_where_it_belongs)
{
    struct stage *stage = stage_new_any();
    const char *file = scratch_write_text(stage->scratch, "jar", JAR);

    program_expect(program_fetch(RUN_WEIR("-b", file, stage_url(stage, "/text/a"),
                                          stage_url(stage, "/text/in/b"),
                                          stage_url_at(stage, "127.0.0.2", "/text/c")),
                                 NULL),
                   0, "a\nin/b\nc\n", "");
    cr_expect_str_eq(sent(stage, "/text/a"), "one=1");
    cr_expect_str_eq(sent(stage, "/text/in/b"), "two=2; one=1");
    cr_expect_str_eq(sent(stage, "/text/c"), "other=3");
    cr_expect_str_eq(jar_of(stage, "jar"), JAR, "it is only read");
    stage_free(stage);
}

Test(cookie, that_an_answer_sets_goes_along_with_later_requests)
{
    struct stage *stage = stage_new();

    program_expect(
        program_fetch(RUN_WEIR("-j1", "-b", "", stage_url(stage, SET("a=1")),
                               stage_url(stage, "/text/b"),
                               stage_url(stage, SET("a=2;%%20Path=/text/in") "&hdr=Set-Cookie:c=3"),
                               stage_url(stage, "/text/d"), stage_url(stage, "/text/in/e")),
                      NULL),
        0, "set\nb\nset\nd\nin/e\n", "");
    cr_expect_str_eq(sent(stage, "/text/b"), "a=1");
    cr_expect(strstr(sent(stage, "/text/d"), "a=1") && strstr(sent(stage, "/text/d"), "c=3"));
    cr_expect(!strstr(sent(stage, "/text/d"), "a=2"));
    cr_expect(strstr(sent(stage, "/text/in/e"), "a=2"));
    stage_free(stage);
}

/* A handle is made new for a request that asks for more than a URL; the jar stays. */
Test(cookie, goes_along_with_requests_of_every_kind)
{
    struct stage *stage = stage_new();
    const char *url = origin_url(stage->origin);
    const char *input = stage_text(
        stage,
        "{\"url\":\"%s/text/post?hdr=Set-Cookie:%%20a=1;Path=/\",\"body\":\"x\"}\n"
        "%s/text/1\n{\"url\":\"%s/text/2\",\"headers\":{\"X-A\":\"1\"},\"method\":\"PUT\"}\n"
        "{\"url\":\"%s/text/3\",\"headers\":{\"Cookie\":\"own=1\"}}\n%s/text/4\n",
        url, url, url, url, url);

    program_expect(program_fetch(RUN_WEIR("-j1", "-b", ""), input), 0, "post\n1\n2\n3\n4\n", "");
    cr_expect_str_eq(sent(stage, "/text/1"), "a=1");
    cr_expect_str_eq(sent(stage, "/text/2"), "a=1");
    cr_expect_str_eq(sent(stage, "/text/4"), "a=1");
    stage_free(stage);
}

#define BANK "# Netscape HTTP Cookie File\nbank.test\tFALSE\t/\tFALSE\t0\tbank\tsecret\n"

/* Neither for the request that names the host, nor for those after it, nor along its redirects. */
Test(cookie, is_of_the_urls_host_whatever_a_host_header_says)
{
    struct stage *stage = stage_new_any();
    const char *file = scratch_write_text(stage->scratch, "jar", BANK);
    const char *jar = scratch_path(stage->scratch, "new");
    const char *url = origin_url(stage->origin);
    const char *away = stage_url_at(stage, "127.0.0.2", "/text/4");
    const char *input = stage_text(
        stage,
        "{\"url\":\"%s/text/1?hdr=Set-Cookie:%%20own=1;Path=/\",\"headers\":{\"host\":\"bank.test\"}}\n"
        "%s/text/2\n%s\n{\"url\":\"%s/text/x?location=%s\",\"headers\":{\"Host\":\"bank.test\"}}\n",
        url, url, stage_url_at(stage, "127.0.0.2", "/text/3?hdr=Set-Cookie:%20other=1;Path=/"), url,
        stage_encoded(stage, away));

    program_expect(program_fetch(RUN_WEIR("-j1", "-b", file, "-c", jar), input), 0, "1\n2\n3\n4\n",
                   "");
    cr_expect_str_eq(sent(stage, "/text/1?hdr=Set-Cookie:%20own=1;Path=/"), "");
    cr_expect(
        stage_saw_header(stage, "/text/1?hdr=Set-Cookie:%20own=1;Path=/", "Host", "bank.test"));
    cr_expect_str_eq(sent(stage, "/text/2"), "own=1");
    cr_expect_str_eq(sent(stage, "/text/3?hdr=Set-Cookie:%20other=1;Path=/"), "");
    cr_expect_str_eq(sent(stage, "/text/4"), "other=1");
    const char *text = jar_of(stage, "new");
    cr_expect(strstr(text, "127.0.0.1\tFALSE\t/\tFALSE\t0\town\t1\n"), "%s", text);
    cr_expect(strstr(text, "127.0.0.2\tFALSE\t/\tFALSE\t0\tother\t1\n"), "%s", text);
    stage_free(stage);
}

Test(cookie, is_not_chosen_by_a_host_header_of_the_options)
{
    struct stage *stage = stage_new();
    const char *file = scratch_write_text(stage->scratch, "jar", BANK);

    program_expect(
        program_fetch(RUN_WEIR("-b", file, "-H", "Host: bank.test", stage_url(stage, "/text/a")),
                      NULL),
        0, "a\n", "");
    cr_expect_str_eq(sent(stage, "/text/a"), "");
    cr_expect(stage_saw_header(stage, "/text/a", "Host", "bank.test"));
    stage_free(stage);
}

Test(cookie, is_one_jar_for_all_connections)
{
    struct stage *stage = stage_new();
    const char *jar = scratch_path(stage->scratch, "jar");
    struct run *run = program_spawn((struct run_options){.argv = RUN_WEIR("-j9", "-c", jar)});

    run_write_text(run, stage_url(stage, "/text/set?hdr=Set-Cookie:a=1\n"));
    cr_assert(run_read_until(run, "set\n", patience));
    for (int i = 0; i < 9; i++)
        run_write_text(run, stage_url(stage, "/text/%d?delay=0.1\n", i));
    program_expect(program_end(run), 0, "set\n0\n1\n2\n3\n4\n5\n6\n7\n8\n", "");
    for (int i = 0; i < 9; i++)
        cr_expect_str_eq(sent(stage, stage_text(stage, "/text/%d?delay=0.1", i)), "a=1");
    stage_free(stage);
}

Test(cookie, is_forgotten_where_no_jar_is_asked_for)
{
    static const char *const cookies[] = {NULL, "own=1"}, *const sent_then[] = {"", "own=1"};
    struct stage *stage = stage_new();

    for (size_t i = 0; i < 2; i++) {
        const char *target = stage_text(stage, "/text/%zu", i);
        const char *set = stage_url(stage, SET("a=1"));
        const char *url = stage_url(stage, "%s", target);
        program_expect(program_fetch(cookies[i] ? RUN_WEIR("-j1", set, url, "-b", cookies[i])
                                                : RUN_WEIR("-j1", set, url),
                                     NULL),
                       0, stage_text(stage, "set\n%zu\n", i), "");
        cr_expect_str_eq(sent(stage, target), sent_then[i]);
    }
    stage_free(stage);
}

Test(cookie, of_a_redirect_goes_along_with_its_hop)
{
    struct stage *stage = stage_new_any();
    const char *jar = scratch_path(stage->scratch, "jar");
    const char *there = stage_encoded(stage, stage_url_at(stage, "127.0.0.2", "/text/there"));

    program_expect(program_fetch(RUN_WEIR("-j1", "-c", jar, "-b", "own=1",
                                          stage_url(stage, SET("a=1") "&location=/text/here"),
                                          stage_url(stage, SET("b=2") "&location=%s", there)),
                                 NULL),
                   0, "here\nthere\n", "");
    cr_expect_str_eq(sent(stage, "/text/here"), "a=1; own=1");
    cr_expect_str_eq(sent(stage, "/text/there"), "");
    stage_free(stage);
}

Test(cookie_jar, is_written_at_the_end)
{
    struct stage *stage = stage_new();
    const char *jar = scratch_path(stage->scratch, "jar");

    program_expect(
        program_fetch(RUN_WEIR("-j1", "-c", jar,
                               stage_url(stage, SET("a=1;%%20Max-Age=1000000;%%20HttpOnly")),
                               stage_url(stage, SET("b=2")), stage_url(stage, SET("c=3")),
                               stage_url(stage, SET("c=;%%20Max-Age=0"))),
                      NULL),
        0, NULL, "");
    const char *text = jar_of(stage, "jar");
    cr_expect(strstr(text, "#HttpOnly_127.0.0.1\tFALSE\t/text"), "%s", text);
    cr_expect(strstr(text, "\ta\t1\n"), "%s", text);
    cr_expect(strstr(text, "\tFALSE\t0\tb\t2\n"), "%s", text);
    cr_expect(!strstr(text, "\tc\t"), "%s", text);
    stage_free(stage);
}

Test(cookie_jar, of_one_run_is_the_cookies_of_the_next)
{
    struct stage *stage = stage_new();
    const char *jar = scratch_path(stage->scratch, "jar");

    program_expect(program_fetch(RUN_WEIR("-c", jar, stage_url(stage, SET("a=1"))), NULL), 0, NULL,
                   "");
    program_expect(program_fetch(RUN_WEIR("-j1", "-b", jar, "-c", jar, stage_url(stage, "/text/1"),
                                          stage_url(stage, SET("b=2"))),
                                 NULL),
                   0, NULL, "");
    program_expect(program_fetch(RUN_WEIR("-b", jar, stage_url(stage, "/text/2")), NULL), 0, NULL,
                   "");
    cr_expect_str_eq(sent(stage, "/text/1"), "a=1");
    cr_expect(strstr(sent(stage, "/text/2"), "a=1") && strstr(sent(stage, "/text/2"), "b=2"));
    stage_free(stage);
}

Test(cookie_jar, that_cannot_be_written_is_refused_at_once)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("-c", "/no/such/jar", stage_url(stage, "/text/a")), NULL),
                   2, "", "--cookie-jar: cannot write /no/such/jar: ");
    cr_expect_eq(origin_counts(stage->origin).requests, 0);
    stage_free(stage);
}

Test(cookie_jar, on_a_full_device_is_told)
{
    struct stage *stage = stage_new();

    program_expect(program_fetch(RUN_WEIR("-c", "/dev/full", stage_url(stage, SET("a=1"))), NULL),
                   4, "set\n", "cannot write cookies to /dev/full");
    stage_free(stage);
}

/* A file that may not grow stands for a disk that is full. */
Test(cookie_jar, that_cannot_be_written_whole_leaves_the_old_one)
{
    struct stage *stage = stage_new();
    const char *jar = scratch_write_text(stage->scratch, "jar", JAR);
    const char *const argv[] = {"sh",
                                "-c",
                                "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"",
                                run_weir(),
                                "-c",
                                jar,
                                stage_url(stage, SET("a=1")),
                                NULL};

    program_expect(program_run((struct run_options){.argv = argv}), 4, "set\n",
                   "cannot write cookies to ");
    cr_expect_str_eq(jar_of(stage, "jar"), JAR);
    cr_expect_eq(scratch_count(stage->scratch, ""), 1);
    stage_free(stage);
}

Test(cookie_jar, lacks_what_has_expired_and_keeps_its_mode)
{
    struct stage *stage = stage_new();
    const char *jar = scratch_write_text(stage->scratch, "jar", JAR);
    struct stat status;

    cr_assert_eq(chmod(jar, 0600), 0);
    program_expect(program_fetch(RUN_WEIR("-b", jar, "-c", jar, stage_url(stage, "/text/a")), NULL),
                   0, "a\n", "");
    const char *text = jar_of(stage, "jar");
    cr_expect_eq(strncmp(text, "# Netscape HTTP Cookie File\n", 28), 0, "%s", text);
    cr_expect(strstr(text, "\tone\t1\n") && strstr(text, "\ttwo\t2\n"), "%s", text);
    cr_expect(!strstr(text, "\told\t"), "%s", text);
    cr_assert_eq(stat(jar, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0600);
    stage_free(stage);
}

Test(cookie_jar, named_by_a_dash_is_stdout)
{
    struct stage *stage = stage_new();
    struct run_result result =
        program_fetch(RUN_WEIR("-c", "-", stage_url(stage, SET("a=1"))), NULL);

    cr_expect(blob_contains(&result.out, "set\n# Netscape HTTP Cookie File\n"));
    cr_expect(blob_contains(&result.out, "\ta\t1\n"));
    program_expect(result, 0, NULL, "");
    stage_free(stage);
}

/* A run that a kill ends between writing and renaming leaves the old jar, and a file beside it. */
Test(cookie_jar, of_a_killed_run_leaves_nothing_for_long)
{
    struct stage *stage = stage_new();
    const char *jar = scratch_write_text(stage->scratch, "jar", JAR);
    const char *const env[] = {"LD_PRELOAD=" FAULTY_LIBRARY,
                               "FAULTY=rename:1:kill",
                               "http_proxy",
                               "all_proxy",
                               "LC_ALL=C",
                               NULL};
    const char *const *argv = RUN_WEIR("-c", jar, stage_url(stage, SET("a=1")));

    for (int i = 0; i < 3; i++)
        program_expect(program_run((struct run_options){.argv = argv, .env = env}), 137, NULL, "");
    cr_expect_str_eq(jar_of(stage, "jar"), JAR);
    cr_expect_eq(scratch_count(stage->scratch, ""), 2, "each kill leaves one more");
    program_expect(program_fetch(argv, NULL), 0, NULL, "");
    cr_expect(strstr(jar_of(stage, "jar"), "\ta\t1\n"));
    cr_expect_eq(scratch_count(stage->scratch, ""), 1, "something is left behind");
    stage_free(stage);
}

/* To root every directory takes other files. */
Test(cookie_jar, is_written_in_place_where_the_directory_takes_no_other_file)
{
    struct stage *stage = stage_new();
    const char *dir = scratch_mkdir(stage->scratch, "dir");
    const char *jar = scratch_write_text(stage->scratch, "dir/jar", JAR);

    cr_assert_eq(chmod(dir, 0555), 0);
    program_expect(program_fetch(RUN_WEIR("-c", jar, stage_url(stage, SET("a=1"))), NULL), 0, NULL,
                   "");
    cr_assert_eq(chmod(dir, 0755), 0);
    cr_expect(strstr(jar_of(stage, "dir/jar"), "\ta\t1\n"));
    cr_expect_eq(scratch_count(stage->scratch, "dir"), 1);
    stage_free(stage);
}

Test(cookie_jar, is_made_for_its_owner_alone)
{
    struct stage *stage = stage_new();
    struct stat status;

    program_expect(program_fetch(RUN_WEIR("-c", scratch_path(stage->scratch, "jar"),
                                          stage_url(stage, SET("a=1"))),
                                 NULL),
                   0, NULL, "");
    cr_assert_eq(stat(scratch_path(stage->scratch, "jar"), &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0600);
    stage_free(stage);
}
