#include "program.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const double patience = 30;

/* The rig's own environment is its user's: a proxy there would see every request. */
#define CLEAN                                                                                     \
    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", \
        "CURL_CA_BUNDLE", "SSL_CERT_FILE", "LC_ALL=C"

static const char *const clean[] = {CLEAN, NULL};

bool program_may_mount(void)
{
    const char *const argv[] = {"unshare", "-m", "true", NULL};
    struct run_result result = {0};
    bool may = geteuid() == 0 && run_finish(&(struct run_options){.argv = argv}, &result) &&
               result.code == 0;

    run_result_release(&result);
    return may;
}

bool program_is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return true;
#elif defined(__has_feature)
    return __has_feature(address_sanitizer);
#else
    return false;
#endif
}

const char *const *program_lean(void)
{
    static char options[1024];
    static const char *const lean[] = {CLEAN, options, NULL};
    const char *inherited = getenv("ASAN_OPTIONS");

    snprintf(options, sizeof options, "ASAN_OPTIONS=%s:quarantine_size_mb=1:malloc_context_size=1",
             inherited ? inherited : "");
    return lean;
}

long program_allowance(long kib)
{
    return program_is_sanitized() ? 64 * 1024L + 4 * kib : kib;
}

/* libev never sleeps for longer than 59.7 s: a wake-up that is missed must not look like a slow run. */
static const double time_limit = 50;

struct run *program_spawn(struct run_options options)
{
    if (options.seconds <= 0)
        options.seconds = time_limit;
    if (!options.env)
        options.env = clean;
    struct run *run = run_spawn(&options);
    cr_assert(run, "%s: %s", options.argv[0], strerror(errno));
    return run;
}

struct run_result program_end(struct run *run)
{
    struct run_result result;

    run_wait(run, &result);
    cr_assert(!result.timed_out, "it did not end; stderr: %s", blob_text(&result.err));
    return result;
}

struct run_result program_run(struct run_options options)
{
    struct run *run = program_spawn(options);

    /* It may end before it has read everything. */
    (void)run_write(run, options.input, options.input_len);
    return program_end(run);
}

struct run_result program_fetch(const char *const *argv, const char *input)
{
    return program_run(
        (struct run_options){.argv = argv, .input = input, .input_len = input ? strlen(input) : 0});
}

void program_expect(struct run_result result, int code, const char *out, const char *err)
{
    const char *said = blob_text(&result.err);

    cr_expect_eq(result.code, code, "ended with %d, not %d; stderr: %s", result.code, code, said);
    if (out)
        cr_expect_str_eq(blob_text(&result.out), out, "stderr: %s", said);
    if (err && *err)
        cr_expect(blob_contains(&result.err, err), "no '%s' in stderr: %s", err, said);
    if (err && !*err)
        cr_expect_str_empty(said);
    run_result_release(&result);
}

bool program_told(const struct run_result *result, const char *line, const char *reason,
                  const char *words)
{
    struct blob start = {0};
    bool told = false;

    blob_addf(&start, "weir: %s: %s: ", line, reason);
    for (const char *at = blob_text(&result->err); *at && !told; at += strcspn(at, "\n") + 1) {
        size_t len = strcspn(at, "\n");
        told = len >= start.len && memcmp(at, start.at, start.len) == 0 &&
               memmem(at + start.len, len - start.len, words, strlen(words));
        if (!at[len])
            break;
    }
    blob_release(&start);
    return told;
}
