#include "../fuzz/fuzz.h"

#include <criterion/criterion.h>
#include <dirent.h>

#include "base/file.h"

enum { SEED_MAX = 1 << 20, SEEDS_MIN = 12 };

static void run_file(const char *path, int (*target)(const uint8_t *, size_t))
{
    struct buf bytes, err;

    buf_init(&bytes);
    buf_init(&err);
    cr_assert_eq(file_read_whole(path, SEED_MAX, &bytes, &err), 0, "%s", err.data);
    /* A copy that ends where the bytes do, so that a read behind them is seen. */
    uint8_t *exact = xmalloc(bytes.len + !bytes.len);
    memcpy(exact, bytes.data, bytes.len);
    cr_expect_eq(target(exact, bytes.len), 0);
    free(exact);
    buf_release(&bytes);
    buf_release(&err);
}

/* A target that finds a promise broken aborts, and so does the test. */
static void run_all(const char *name, int (*target)(const uint8_t *, size_t))
{
    struct dirent *entry;
    struct buf path;
    int count = 0;

    buf_init(&path);
    buf_addf(&path, "%s/%s", FUZZ_CORPUS, name);
    DIR *directory = opendir(path.data);
    cr_assert_not_null(directory, "%s", path.data);
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        buf_setf(&path, "%s/%s/%s", FUZZ_CORPUS, name, entry->d_name);
        run_file(path.data, target);
        count++;
    }
    closedir(directory);
    cr_expect_geq(count, SEEDS_MIN, "%s: %d", name, count);
    buf_release(&path);
}

Test(fuzz_corpus, of_lines_breaks_no_promise)
{
    run_all("line", fuzz_line);
}

Test(fuzz_corpus, of_json_requests_breaks_no_promise)
{
    run_all("json", fuzz_json);
}

Test(fuzz_corpus, of_templates_breaks_no_promise)
{
    run_all("template", fuzz_template);
}

Test(fuzz_corpus, of_options_breaks_no_promise)
{
    run_all("option", fuzz_option);
}

Test(fuzz_corpus, of_file_names_breaks_no_promise)
{
    run_all("filename", fuzz_filename);
}

Test(fuzz_corpus, of_journals_breaks_no_promise)
{
    run_all("journal", fuzz_journal);
}

Test(fuzz_corpus, of_caches_breaks_no_promise)
{
    run_all("cache", fuzz_cache);
}
