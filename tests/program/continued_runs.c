/* --journal with -o: a run that resumes another goes on with the files that were cut by its end. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/files.h"
#include "moment.h"
#include "nginx.h"
#include "program.h"
#include "stage.h"

enum { SIZE = 100000, ASKED_MAX = 6 };

#define TAGGED "ranges=1&etag=v1"
#define ONCE   "/bytes/100000?" TAGGED "&failtimes=1&stall=50000"

static const char *path_of(struct stage *stage, const char *name)
{
    return scratch_path(stage->scratch, name);
}

#define RESUME(stage, ...)                                                                \
    RUN_WEIR("-s", "--journal", path_of(stage, "journal"), "--resume", "-o", "out/{seq}", \
             __VA_ARGS__)

/* How many files in the making are in out/, of at least so many bytes. */
static size_t count_parts(struct stage *stage, long size)
{
    DIR *dir = opendir(path_of(stage, "out"));
    size_t count = 0;

    if (!dir)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct stat status;
        if (!files_is_leftover(entry->d_name))
            continue;
        count += stat(path_of(stage, stage_text(stage, "out/%s", entry->d_name)), &status) == 0 &&
                 status.st_size >= size;
    }
    closedir(dir);
    return count;
}

/* Ends the run once so many of its files have come so far. */
static void end_at(struct stage *stage, const char *const *argv, int number, size_t parts,
                   long size)
{
    struct run *run =
        program_spawn((struct run_options){.argv = argv, .cwd = scratch_dir(stage->scratch)});

    for (int i = 0; count_parts(stage, size) < parts && i < patience * 100; i++)
        cr_assert_not(run_ended(run, 0.01), "it ended by itself");
    cr_assert_eq(count_parts(stage, size), parts);
    run_signal(run, number);
    program_expect(program_end(run), 128 + number, "", NULL);
}

static void finish(struct stage *stage, const char *const *argv)
{
    program_expect(
        program_run((struct run_options){.argv = argv, .cwd = scratch_dir(stage->scratch)}), 0, "",
        "");
}

static void expect_body(struct stage *stage, const char *name, const char *target)
{
    struct blob body = {0};

    cr_assert(scratch_read(stage->scratch, name, &body), "there is no %s", name);
    cr_expect_eq(body.len, SIZE, "%s has %zu bytes", name, body.len);
    cr_expect_eq(origin_differs(target, blob_text(&body), body.len), -1, "%s", name);
    blob_release(&body);
}

/* What each request asked for: "" for the whole. */
static void expect_asked(struct stage *stage, const char *const *asked)
{
    const struct origin_record *record = NULL;
    size_t count = 0;

    while ((record = origin_log_next(stage->origin, record)) != NULL) {
        char range[64] = "";
        cr_assert(asked[count], "request %zu is one too many", count + 1);
        origin_record_header(record, "Range", range, sizeof range);
        cr_expect_str_eq(range, asked[count], "request %zu asked for '%s'", count + 1, range);
        count++;
    }
    cr_expect(!asked[count], "only %zu requests came", count);
}

struct ending {
    int number;
    char target[128];
    char asked[ASKED_MAX][24]; /* "-": no such request */
    char body[32];             /* whose body it is, where it is not the target's */
    char option[16];           /* of the second run */
    long left;                 /* files in the making between the runs */
};

ParameterizedTestParameters(continued, files_of_a_run_that_was_ended)
{
    static struct ending endings[] = {
        {SIGKILL, ONCE, {"", "bytes=50000-", "-"}, "", "-j1", 1},
        {SIGINT, ONCE, {"", "bytes=50000-", "-"}, "", "-j1", 1},
        {SIGTERM, ONCE "&chunked=1", {"", "bytes=50000-", "-"}, "", "-j1", 1},
        {SIGKILL, ONCE "&newetag=v2", {"", "bytes=50000-", "-"}, "/bytes/100000?tag=v2", "-j1", 1},
        {SIGKILL,
         "/bytes/100000?ranges=shifted&etag=v1&failtimes=1&stall=50000",
         {"", "bytes=50000-", "", "-"},
         "",
         "-j1",
         1},
        {SIGKILL, ONCE, {"", "", "-"}, "", "--no-range", 1},
        /* What cannot be gone on with. */
        {SIGKILL, "/bytes/100000?ranges=1&failtimes=1&stall=50000", {"", "", "-"}, "", "-j1", 1},
        {SIGINT, "/bytes/100000?ranges=1&failtimes=1&stall=50000", {"", "", "-"}, "", "-j1", 0},
    };

    return cr_make_param_array(struct ending, endings, sizeof endings / sizeof *endings);
}

ParameterizedTest(struct ending *ending, continued, files_of_a_run_that_was_ended)
{
    struct stage *stage = stage_new();
    const char *url = stage_url(stage, "%s", ending->target);
    const char *asked[ASKED_MAX] = {0};

    for (size_t i = 0; strcmp(ending->asked[i], "-") != 0; i++)
        asked[i] = ending->asked[i];
    end_at(stage, RESUME(stage, url), ending->number, 1, 50000);
    cr_expect_eq(scratch_count(stage->scratch, "out"), ending->left);
    finish(stage, RESUME(stage, ending->option, url));
    expect_body(stage, "out/1", *ending->body ? ending->body : ending->target);
    expect_asked(stage, asked);
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1, "something is left behind");
    stage_free(stage);
}

Test(continued, files_of_run_after_run)
{
    struct stage *stage = stage_new();
    const char *target = "/bytes/100000?" TAGGED "&failtimes=3&stall=30000";
    const char *const *argv = RESUME(stage, stage_url(stage, "%s", target));

    end_at(stage, argv, SIGKILL, 1, 30000);
    end_at(stage, argv, SIGINT, 1, 60000);
    finish(stage, RUN_WEIR("--journal", path_of(stage, "journal"), "--compact"));
    end_at(stage, argv, SIGKILL, 1, 90000);
    finish(stage, argv);
    expect_body(stage, "out/1", target);
    expect_asked(stage, (const char *[]){"", "bytes=30000-", "bytes=60000-", "bytes=90000-", NULL});
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1);
    stage_free(stage);
}

/* Each goes on with one of what there is. */
Test(continued, files_of_equal_requests)
{
    struct stage *stage = stage_new();
    const char *target = "/bytes/100000?" TAGGED "&failtimes=2&stall=50000";
    const char *url = stage_url(stage, "%s", target);

    end_at(stage, RESUME(stage, url, url), SIGKILL, 2, 50000);
    finish(stage, RESUME(stage, "-j1", url, url, url));
    for (int i = 1; i <= 3; i++)
        expect_body(stage, stage_text(stage, "out/%d", i), target);
    expect_asked(stage, (const char *[]){"", "", "bytes=50000-", "bytes=50000-", "", NULL});
    cr_expect_eq(scratch_count(stage->scratch, "out"), 3);
    stage_free(stage);
}

/* The name may be another one; in another directory it begins anew. */
Test(continued, files_stay_in_their_directory)
{
    struct stage *stage = stage_new();
    const char *target = ONCE, *url = stage_url(stage, "%s", target);
    const char *journal = path_of(stage, "journal");

    end_at(stage, RESUME(stage, url), SIGKILL, 1, 50000);
    finish(stage, RUN_WEIR("-s", "--journal", journal, "--resume", "-o", "out/name-{seq}", url));
    expect_body(stage, "out/name-1", target);
    expect_asked(stage, (const char *[]){"", "bytes=50000-", NULL});
    stage_free(stage);

    stage = stage_new();
    url = stage_url(stage, "%s", target);
    journal = path_of(stage, "journal");
    end_at(stage, RESUME(stage, url), SIGKILL, 1, 50000);
    finish(stage, RUN_WEIR("-s", "--journal", journal, "--resume", "-o", "there/{seq}", url));
    expect_body(stage, "there/1", target);
    expect_asked(stage, (const char *[]){"", "", NULL});
    stage_free(stage);
}

/* A run that does not ask for it leaves it for one that does. */
Test(continued, files_wait_for_their_request)
{
    struct stage *stage = stage_new();
    const char *target = ONCE, *url = stage_url(stage, "%s", target);

    end_at(stage, RESUME(stage, url), SIGKILL, 1, 50000);
    finish(stage, RESUME(stage, stage_url(stage, "/text/x")));
    cr_expect_eq(count_parts(stage, 50000), 1);
    finish(stage, RESUME(stage, stage_url(stage, "/text/x"), url));
    expect_body(stage, "out/2", target);
    expect_asked(stage, (const char *[]){"", "", "bytes=50000-", NULL});
    cr_expect_eq(scratch_count(stage->scratch, "out"), 2);
    stage_free(stage);
}

/* The one file in the making, as a name in the scratch. */
static const char *find_part(struct stage *stage)
{
    DIR *dir = opendir(path_of(stage, "out"));
    const char *name = NULL;

    cr_assert_not_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (files_is_leftover(entry->d_name))
            name = stage_text(stage, "out/%s", entry->d_name);
    }
    closedir(dir);
    cr_assert_not_null(name);
    return name;
}

/* Killed when all of it was there, and it had no name yet. */
Test(continued, files_may_be_whole)
{
    struct stage *stage = stage_new();
    const char *target = ONCE, *url = stage_url(stage, "%s", target);
    struct blob body = {0};

    end_at(stage, RESUME(stage, url), SIGKILL, 1, 50000);
    origin_body(target, SIZE, &body);
    scratch_write(stage->scratch, find_part(stage), body.at, body.len);
    blob_release(&body);
    finish(stage, RESUME(stage, url));
    expect_body(stage, "out/1", target);
    expect_asked(stage, (const char *[]){"", "bytes=100000-", NULL});
    stage_free(stage);
}

/* Somebody has been at it. */
Test(continued, files_are_not_what_a_link_leads_to)
{
    struct stage *stage = stage_new();
    const char *target = ONCE, *url = stage_url(stage, "%s", target);

    end_at(stage, RESUME(stage, url), SIGKILL, 1, 50000);
    const char *at = path_of(stage, find_part(stage));
    scratch_write_text(stage->scratch, "victim", "mine");
    cr_assert_eq(remove(at), 0);
    cr_assert_eq(symlink("../victim", at), 0);
    finish(stage, RESUME(stage, url));
    expect_body(stage, "out/1", target);
    stage_expect_file(stage, "victim", "mine");
    expect_asked(stage, (const char *[]){"", "", NULL});
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1);
    stage_free(stage);
}

/* The rest of what was to take the place of a file that is kept takes it, too. */
Test(continued, files_replace_those_that_were_kept)
{
    struct stage *stage = stage_new(), *other = stage_new();
    const char *target = ONCE, *url = stage_url(stage, "%s", target);
    const char *cache = path_of(stage, "cache");
    const char *const *argv = RESUME(stage, "--cache", cache, "--on-conflict=fail", url);

    finish(stage, RUN_WEIR("-s", "--cache", cache, "-o", "out/{seq}", "--stall-timeout=0.5",
                           "--retry-delay=0", "-x", origin_url(other->origin), url));
    end_at(stage, argv, SIGKILL, 1, 50000);
    finish(stage, argv);
    expect_body(stage, "out/1", target);
    expect_asked(stage, (const char *[]){"", "bytes=50000-", NULL});
    cr_expect_eq(scratch_count(stage->scratch, "out"), 1, "something is left behind");
    stage_free(other);
    stage_free(stage);
}

/* A server that nobody wrote for this. */
Test(continued, files_of_nginx)
{
    enum { LARGE = 3 * 1024 * 1024, SENT = 200000 };
    struct nginx *nginx = nginx_start(
        &(struct nginx_options){.trace = true, .locations = "location /slow/ { limit_rate 2m; }"});
    struct stage *stage = stage_new();
    struct blob file = {0}, body = {0};

    cr_assert_not_null(nginx);
    origin_body("/bytes/1", LARGE, &file);
    nginx_put(nginx, "slow/file", file.at, file.len);
    const char *url =
        stage_text(stage, "http://127.0.0.1:%d/slow/file", (int)nginx_ports(nginx)->plain);
    end_at(stage, RESUME(stage, url), SIGKILL, 1, SENT);
    finish(stage, RESUME(stage, url));
    cr_assert(scratch_read(stage->scratch, "out/1", &body));
    cr_expect(body.len == file.len && memcmp(body.at, file.at, file.len) == 0);
    for (int i = 0; !strstr(nginx_log(nginx), "206 ") && i < patience * 100; i++)
        moment_nap();
    cr_expect(strstr(nginx_log(nginx), "206 "), "%s", nginx_log(nginx));
    blob_release(&file);
    blob_release(&body);
    stage_free(stage);
    nginx_stop(nginx);
}
