/* What README.md and the man page show is run as it stands there, with the hosts it names made the
 * scripted origin: whoever copies a line gets what the page says. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "program.h"
#include "stage.h"

enum { INPUTS_MAX = 3, FILES_MAX = 4, STEPS_MAX = 3 };

/* A file, and what stands in it: with a * in front of it, somewhere in it. */
struct recipe_file {
    char name[40], text[120];
};

struct recipe {
    char title[56]; /* a heading of the README; or the first words of a line of the man page */
    struct recipe_file inputs[INPUTS_MAX];
    int codes[STEPS_MAX]; /* of each time it is run, one after the other; -1: no more */
    char out[160];        /* of the last time; NULL and * as above */
    char err[80];
    struct recipe_file files[FILES_MAX];
    char lacks[40]; /* a file that is not there */
    int requests;   /* -1: it depends */
};

static void read_page(const char *name, struct blob *ret_text)
{
    char path[4096], piece[4096];
    size_t len;

    snprintf(path, sizeof path, "%s/%s", PROJECT_ROOT, name);
    FILE *file = fopen(path, "r");
    cr_assert(file, "%s", path);
    while ((len = fread(piece, 1, sizeof piece, file)) > 0)
        blob_add(ret_text, piece, len);
    fclose(file);
}

/* The code behind the heading, without its fences; whether it is a Makefile. */
static char *find_recipe(const char *readme, const char *title, bool *ret_is_make)
{
    char heading[80];

    snprintf(heading, sizeof heading, "# %s\n", title);
    const char *at = strstr(readme, heading);
    cr_assert(at, "README.md has no recipe \"%s\"", title);
    at = strstr(at, "\n```");
    cr_assert(at);
    *ret_is_make = strncmp(at, "\n```make\n", 9) == 0;
    at = strchr(at + 1, '\n') + 1;
    return strndup(at, (size_t)(strstr(at, "\n```") + 1 - at));
}

/* A URL's host is the origin's at any name, so only what it could not answer is another. */
static char *replace(char *text, const char *what, const char *by)
{
    struct blob out = {0};
    const char *at = text, *found;

    for (; (found = strstr(at, what)) != NULL; at = found + strlen(what)) {
        blob_add(&out, at, (size_t)(found - at));
        blob_add_text(&out, by);
    }
    blob_add_text(&out, at);
    free(text);
    text = strdup(blob_text(&out));
    blob_release(&out);
    return text;
}

static char *adapt(char *text)
{
    static const char sitemap[] =
        "http://example.org/text/"
        "%3Cloc%3Ehttp://example.org/text/a%3C/loc%3E"
        "%3Cloc%3Ehttp://example.org/text/b%3Ftag=1%26amp%3Bclose=1%3C/loc%3E";

    text = replace(text, "https://example.org/sitemap.xml", sitemap);
    text = replace(text, "example.org/page/", "example.org/text/page/");
    text = replace(text, "https://api.example.org/", "http://api.example.org/echo?");
    return replace(text, "https://", "http://");
}

/* A weir on the PATH that finds the origin behind every name. */
static const char *path_with_weir(struct stage *stage)
{
    const char *script = stage_text(stage,
                                    "#!/bin/sh\n"
                                    "exec '%s' --connect-to '::127.0.0.1:%u' \"$@\"\n",
                                    run_weir(), (unsigned)origin_port(stage->origin));
    const char *weir = scratch_write_text(stage->scratch, "bin/weir", script);

    cr_assert_eq(chmod(weir, 0755), 0);
    return stage_text(stage, "PATH=%s/bin:%s", scratch_dir(stage->scratch), getenv("PATH"));
}

static struct run *start(struct stage *stage, const char *code, bool is_make)
{
    const char *env[] = {path_with_weir(stage), "LC_ALL=C", "MAKEFLAGS", "http_proxy",
                         "all_proxy",           "no_proxy", NULL};
    const char *shell[] = {"sh", "-c", code, NULL};
    const char *make[] = {"make", "-s", "data.stamp", NULL};

    if (is_make)
        scratch_write_text(stage->scratch, "Makefile", code);
    return program_spawn((struct run_options){
        .argv = is_make ? make : shell,
        .env = env,
        .cwd = scratch_dir(stage->scratch),
    });
}

static bool holds(const char *text, const char *wanted)
{
    return *wanted == '*' ? strstr(text, wanted + 1) != NULL : strcmp(text, wanted) == 0;
}

static void expect_files(struct stage *stage, const struct recipe *recipe)
{
    for (size_t i = 0; i < FILES_MAX && *recipe->files[i].name; i++) {
        const struct recipe_file *file = &recipe->files[i];
        struct blob text = {0};
        cr_expect(scratch_read(stage->scratch, file->name, &text), "%s: no %s", recipe->title,
                  file->name);
        cr_expect(holds(blob_text(&text), file->text), "%s: %s: %s", recipe->title, file->name,
                  blob_text(&text));
        blob_release(&text);
    }
    if (*recipe->lacks)
        cr_expect(!scratch_exists(stage->scratch, recipe->lacks), "%s", recipe->lacks);
}

static void follow(const struct recipe *recipe, const char *code, bool is_make)
{
    struct stage *stage = stage_new();

    for (size_t i = 0; i < INPUTS_MAX && *recipe->inputs[i].name; i++)
        scratch_write_text(stage->scratch, recipe->inputs[i].name, recipe->inputs[i].text);
    for (size_t i = 0; i < STEPS_MAX && (i == 0 || recipe->codes[i] >= 0); i++) {
        struct run_result result = program_end(start(stage, code, is_make));
        bool is_last = i + 1 == STEPS_MAX || recipe->codes[i + 1] < 0;
        cr_expect_eq(result.code, recipe->codes[i], "%s: %d: %s", recipe->title, result.code,
                     blob_text(&result.err));
        cr_expect(!is_last || holds(blob_text(&result.out), recipe->out), "%s: %s", recipe->title,
                  blob_text(&result.out));
        cr_expect(!is_last || holds(blob_text(&result.err), recipe->err), "%s: %s", recipe->title,
                  blob_text(&result.err));
        run_result_release(&result);
    }
    expect_files(stage, recipe);
    int requests = (int)origin_counts(stage->origin).requests;
    cr_expect(recipe->requests < 0 || requests == recipe->requests, "%s: %d requests",
              recipe->title, requests);
    stage_free(stage);
}

/* ---- README.md ---- */

#define H "http://example.org/text/"

static struct recipe recipes[] = {
    {"In one line",
     {{"urls.txt", H "a\n" H "b\n"}},
     {0, 0, -1},
     "",
     "",
     {{"all.jsonl", "*\"body\":\"b\\n\""}, {"run.journal", "*\ndone "}},
     "",
     2},
    {"Scrape politely, and go on after a kill",
     {{"urls.txt", H "a\n" H "b\n" H "c?failtimes=9&status=404\n"}},
     {1, 1, -1},
     "",
     "*failed in an earlier run",
     {{"pages.jsonl", "*\"body\":\"b\\n\""}, {"scrape.journal", "*http://example.org/text/c"}},
     "",
     3},
    {"Check 10,000 links",
     {{"links.txt", H "a\n" H "b?status=404\nhttp://h/nothing\n" H "c\n"}},
     {0, -1},
     "",
     "",
     {{"broken.txt", "*http 404 " H "b?status=404\n"},
      {"broken.txt", "*http 404 http://h/nothing\n"}},
     "",
     4},
    {"API pages, with bodies from jq",
     {{"", ""}},
     {0, -1},
     "",
     "",
     {{"pages.jsonl", "*\"id\":7,"}, {"pages.jsonl", "*\\n\\n{\\\"page\\\":100,\\\"size\\\":50}"}},
     "",
     100},
    {"Download a list into files",
     {{"urls.txt", H "a\nhttp://other.example.org/text/b/c\n"}},
     {0, 0, -1},
     "",
     "",
     {{"files/example.org/text/a", "a\n"}, {"files/other.example.org/text/b/c", "b/c\n"}},
     "",
     2},
    {"Only the failures again",
     {{"urls.txt", H "a\n" H "b?failtimes=1&status=404\n"}},
     {0, -1},
     "",
     "",
     {{"all.jsonl", "*\"ok\":false"},
      {"again.jsonl", "*\"url\":\"" H "b?failtimes=1&status=404\""}},
     "",
     3},
    {"A sitemap",
     {{"", ""}},
     {0, -1},
     "",
     "",
     {{"site/example.org/text/a", "a\n"}, {"site/example.org/text/b", "b\n"}},
     "",
     3},
    {"A health check for cron",
     {{"health.txt", H "a\n" H "b?status=404\n"}},
     {1, -1},
     "",
     "*line 2: " H "b?status=404: http: ",
     {{"", ""}},
     "",
     2},
    {"Compare two hosts",
     {{"paths.txt", "/text/a\n/echo\n"}},
     {1, -1},
     "*Host: new.example.org",
     "",
     {{"old.jsonl", "*{\"seq\":1,\"http_code\":200,"}, {"new.jsonl", "*Host: new.example.org"}},
     "",
     4},
    {"With find and xargs",
     {{"urls.txt", H "a\n" H "b\n"}},
     {0, -1},
     "",
     "",
     {{"pages/000001.html.gz", "*"}, {"pages/000002.html.gz", "*"}},
     "pages/000001.html",
     2},
    {"How did it go, with jq",
     {{"urls.txt", H "a\n" H "b?status=404\n" H "c?delay=0.3\n"}},
     {0, -1},
     "*1 http\n2 ok\n0.3",
     "",
     {{"all.jsonl", "*"}},
     "",
     3},
    {"A step of a Makefile",
     {{"urls.txt", H "a\n" H "b?delay=1&failtimes=1&status=404\n"}},
     {2, 0, 0},
     "",
     "",
     {{"data/a", "a\n"}, {"data/b", "b\n"}, {"data.stamp", ""}},
     "",
     3},
};

ParameterizedTestParameters(recipes, do_what_the_readme_says)
{
    return cr_make_param_array(struct recipe, recipes, sizeof recipes / sizeof *recipes);
}

ParameterizedTest(struct recipe *recipe, recipes, do_what_the_readme_says)
{
    struct blob readme = {0};
    bool is_make;

    read_page("README.md", &readme);
    char *code = adapt(find_recipe(blob_text(&readme), recipe->title, &is_make));
    follow(recipe, code, is_make);
    free(code);
    blob_release(&readme);
}

/* What is fetched from a log that grows: one URL stands there, one is added. *Takes* the run. */
static void follow_log(struct run *run, const char *log, const char *first, const char *second)
{
    cr_expect(run_read_until(run, first, patience));
    FILE *file = fopen(log, "a");
    cr_assert(file);
    fputs(H "b\n", file);
    fclose(file);
    cr_expect(run_read_until(run, second, patience));
    run_free(run);
}

/* The one that has no end. */
static const char logged[] = "As URLs are logged";

Test(recipes, fetch_what_is_logged_as_it_is_logged)
{
    struct stage *stage = stage_new();
    struct blob readme = {0};
    bool is_make;

    read_page("README.md", &readme);
    char *code = adapt(find_recipe(blob_text(&readme), logged, &is_make));
    const char *log = scratch_write_text(stage->scratch, "urls.log", H "a\n");
    follow_log(start(stage, code, is_make), log, "\"url\":\"" H "a\"", "\"url\":\"" H "b\"");
    free(code);
    blob_release(&readme);
    stage_free(stage);
}

Test(recipes, are_each_run_by_a_test)
{
    struct blob readme = {0};
    size_t count = 0;

    read_page("README.md", &readme);
    for (const char *at = blob_text(&readme); (at = strstr(at, "\n### ")) != NULL; at++)
        count++;
    /* One has no end, and one is no recipe of the cookbook but stands on the first screen. */
    cr_expect_eq(count + 1, sizeof recipes / sizeof *recipes + 1, "of %zu", count);
    blob_release(&readme);
}

/* ---- EXAMPLES of the man page ---- */

/* Adds the line as roff shows it. */
static void add_shown(struct blob *out, const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        blob_add(out, line + i, 1);
        if (line[i] == '\\' && i + 1 < len && line[i + 1] == 'e')
            i++;
    }
    blob_add_text(out, "\n");
}

/* Copies the code of the example that begins so (NULL: of none); gives how many there are. */
static size_t find_example(const char *page, const char *beginning, struct blob *ret_code)
{
    struct blob code = {0};
    bool is_literal = false;
    size_t count = 0;
    const char *end;

    page = strstr(page, "\n.Sh EXAMPLES\n");
    cr_assert(page);
    for (page = strchr(page + 1, '\n') + 1; strncmp(page, ".Sh ", 4) != 0; page = end + 1) {
        end = strchr(page, '\n');
        cr_assert(end);
        if (strncmp(page, ".Bd ", 4) == 0) {
            is_literal = true;
            continue;
        }
        if (strncmp(page, ".Dl ", 4) == 0)
            add_shown(&code, page + 4, (size_t)(end - page) - 4);
        else if (is_literal && strncmp(page, ".Ed", 3) != 0)
            add_shown(&code, page, (size_t)(end - page));
        is_literal = is_literal && strncmp(page, ".Ed", 3) != 0;
        if (is_literal || !code.len)
            continue;
        count++;
        if (beginning && strncmp(blob_text(&code), beginning, strlen(beginning)) == 0)
            blob_add_text(ret_code, blob_text(&code));
        blob_clear(&code, 0);
    }
    blob_release(&code);
    return count;
}

static char *example(const char *beginning)
{
    struct blob page = {0}, code = {0};

    read_page("man/weir.1", &page);
    find_example(blob_text(&page), beginning, &code);
    cr_assert(code.len, "weir.1 has no example \"%s\"", beginning);
    char *adapted = adapt(strdup(blob_text(&code)));
    blob_release(&page);
    blob_release(&code);
    return adapted;
}

static struct recipe examples[] = {
    {"weir -j 50 <",
     {{"urls.txt", H "a\n" H "b\n"}},
     {0, -1},
     "",
     "",
     {{"bodies", "a\nb\n"}},
     "",
     2},
    {"weir 'https:", {{"", ""}}, {0, -1}, "", "", {{"pages", "*\npage/99\npage/100\n"}}, "", 100},
    {"weir --format none",
     {{"links.txt", H "a\n" H "b?status=404\n"}},
     {1, -1},
     "",
     "",
     {{"broken.txt", "weir: line 2: " H "b?status=404: http: status 404\n"}},
     "",
     2},
    {"weir --per-host 2 --host-rate 5/s",
     {{"urls.txt", H "a\n" H "b\n"}},
     {0, 0, -1},
     "",
     "",
     {{"all.jsonl", "*\"body\":\"b\\n\""}},
     "",
     2},
    {"weir --journal run.journal --retry-failed",
     {{"urls.txt", H "a\n" H "b?failtimes=1&status=404\n"}},
     {1, 0, 0},
     "",
     "",
     {{"all.jsonl", "*\"http_code\":404"}, {"all.jsonl", "*\"body\":\"b\\n\""}},
     "",
     3},
    {"weir -o 'pages/",
     {{"urls.txt", H "a\n"}},
     {0, -1},
     "",
     "",
     {{"pages/example.org/text/a", "a\n"}},
     "",
     1},
    {"weir --fail-fast",
     {{"urls.txt", H "a\n" H "b\n"}},
     {0, -1},
     "",
     "",
     {{"a", "a\n"}, {"b", "b\n"}},
     "",
     2},
    {"weir --halt", {{"", ""}}, {0, -1}, "", "*success", {{"f", "*page/f\n"}}, "", -1},
    {"jq -c '{url: .link",
     {{"items.json", "{\"link\":\"http://h/echo\",\"key\":5,\"data\":[1]}\n"}},
     {0, -1},
     "",
     "",
     {{"answers.jsonl", "*\"id\":5,"}, {"answers.jsonl", "*\\n\\n[1]\""}},
     "",
     1},
    {"jq -c '.id as",
     {{"orders.json", "{\"id\":1,\"urls\":[\"" H "a\",\"" H "b?status=404\"]}\n"}},
     {1, -1},
     "",
     "",
     {{"orders.jsonl", "*\"cancelled_by\":2"}},
     "example.org/text/a",
     2},
    {"weir -w",
     {{"urls.txt", H "a\n" H "b?delay=0.3\n" H "c\n" H "d\n"}},
     {0, -1},
     "*0.3",
     "",
     {{"urls.txt", "*"}},
     "",
     4},
    {"weir --dry-run",
     {{"urls.txt", H "a\n" H "b\n" H "c\n"}},
     {0, -1},
     "*3",
     "",
     {{"urls.txt", "*"}},
     "",
     0},
};

ParameterizedTestParameters(recipes, do_what_the_man_page_says)
{
    return cr_make_param_array(struct recipe, examples, sizeof examples / sizeof *examples);
}

ParameterizedTest(struct recipe *recipe, recipes, do_what_the_man_page_says)
{
    char *code = example(recipe->title);

    follow(recipe, code, false);
    free(code);
}

Test(recipes, fetch_what_is_logged_as_the_man_page_says)
{
    struct stage *stage = stage_new();
    char *code = example("tail ");
    const char *log = scratch_write_text(stage->scratch, "urls.log", H "a\n");

    follow_log(start(stage, code, false), log, "a\n", "b\n");
    free(code);
    stage_free(stage);
}

Test(recipes, of_the_man_page_are_each_run_by_a_test)
{
    struct blob page = {0};

    read_page("man/weir.1", &page);
    cr_expect_eq(find_example(blob_text(&page), NULL, NULL),
                 sizeof examples / sizeof *examples + 1);
    blob_release(&page);
}
