/*
 * The units, each in a process that is forked and not started anew: under valgrind a start costs
 * more than a second, a fork next to nothing. It stands in for Criterion, so it defines the few of
 * Criterion's functions that tests call, and is linked without its library.
 *
 * Usage: units_forked [-j N] [TEXT]; only tests that have TEXT in their SUITE/NAME. The last line
 * says how many passed and failed.
 */
#include <criterion/criterion.h>
#include <criterion/options.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PATIENCE = 300, /* seconds, for one test */
    JOBS_MAX = 64,
    SKIPPED = 77,
    FAILED = 1,
};

/* The linker's names for where the sections begin and end; they may not be there. */
extern struct criterion_test *tests[] __asm__("__start_cr_tst") __attribute__((weak));
extern struct criterion_test *tests_end[] __asm__("__stop_cr_tst") __attribute__((weak));
extern struct criterion_suite *suites[] __asm__("__start_cr_sts") __attribute__((weak));
extern struct criterion_suite *suites_end[] __asm__("__stop_cr_sts") __attribute__((weak));

/* One test, with one of its parameters where it has any. */
struct trial {
    struct criterion_test *test;
    void *param;
    size_t index;
};

struct job {
    pid_t pid;
    struct trial trial;
};

struct run {
    struct job jobs[JOBS_MAX];
    size_t limit;
    size_t running;
    size_t passed;
    size_t failed;
};

/* What the child is at; Criterion's functions have no argument for it. */
static struct {
    struct trial trial;
    int complaints;
} now;

static const struct criterion_suite *suite_of(const struct criterion_test *test)
{
    for (struct criterion_suite **suite = suites; suite < suites_end; suite++)
        if (*suite && !strcmp((*suite)->name, test->category))
            return *suite;
    return NULL;
}

void criterion_internal_test_setup(void)
{
    const struct criterion_suite *suite = suite_of(now.trial.test);

    if (suite && suite->data && suite->data->init)
        suite->data->init();
    if (now.trial.test->data->init)
        now.trial.test->data->init();
}

void criterion_internal_test_main(void (*function)(void))
{
    if (now.trial.test->data->kind_ == CR_TEST_PARAMETERIZED)
        ((void (*)(void *))function)(now.trial.param);
    else
        function();
}

void criterion_internal_test_teardown(void)
{
    const struct criterion_suite *suite = suite_of(now.trial.test);

    if (now.trial.test->data->fini)
        now.trial.test->data->fini();
    if (suite && suite->data && suite->data->fini)
        suite->data->fini();
}

struct criterion_options criterion_options;

void cri_asserts_passed_incr(void)
{
}

void criterion_send_assert(struct criterion_assert_stats *stats)
{
    if (stats->passed)
        return;
    now.complaints++;
    fprintf(stderr, "%s:%u: %s\n", stats->file, stats->line, stats->message);
}

void criterion_abort_test(void)
{
    exit(FAILED);
}

void criterion_continue_test(void)
{
}

void criterion_skip_test(const char *format, ...)
{
    (void)format;
    exit(SKIPPED);
}

int cr_asprintf(char **text, const char *format, ...)
{
    va_list list;
    int length;

    va_start(list, format);
    length = vasprintf(text, format, list);
    va_end(list);
    return length;
}

void cr_asprintf_free(char *text)
{
    free(text);
}

/* The line says which assertion it was. */
char *cr_translate_assert_msg(int index, ...)
{
    (void)index;
    return strdup("it does not hold");
}

/* Who runs the tests in the background has some ignored. */
static void heed_signals(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        signal(numbers[i], SIG_DFL);
}

static _Noreturn void try_it(const struct trial *trial)
{
    now.trial = *trial;
    heed_signals();
    alarm(PATIENCE);
    trial->test->test();
    exit(now.complaints ? FAILED : EXIT_SUCCESS);
}

/* Waits for one of those that run. */
static void reap(struct run *run)
{
    int status;
    pid_t pid = wait(&status);

    for (size_t i = 0; i < run->running; i++) {
        const struct job job = run->jobs[i];

        if (job.pid != pid)
            continue;
        run->jobs[i] = run->jobs[--run->running];
        if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) {
            run->passed++;
        } else if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
            printf("skipped: %s/%s\n", job.trial.test->category, job.trial.test->name);
        } else {
            run->failed++;
            printf("FAILED: %s/%s (%zu): status %#x\n", job.trial.test->category,
                   job.trial.test->name, job.trial.index, (unsigned)status);
        }
        return;
    }
}

static void start(struct run *run, const struct trial *trial)
{
    pid_t pid;

    while (run->running == run->limit)
        reap(run);
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        try_it(trial);
    if (pid < 0) {
        perror("fork");
        run->failed++;
        return;
    }
    run->jobs[run->running++] = (struct job){pid, *trial};
}

static void start_each(struct run *run, struct criterion_test *test)
{
    struct criterion_test_params params;

    if (test->data->kind_ != CR_TEST_PARAMETERIZED) {
        start(run, &(struct trial){.test = test});
        return;
    }
    params = test->data->param_();
    for (size_t i = 0; i < params.length; i++)
        start(run, &(struct trial){test, (char *)params.params + i * params.size, i});
    if (params.cleanup)
        params.cleanup(&params);
}

int main(int argc, char **argv)
{
    struct run run = {.limit = 1};
    int option;

    while ((option = getopt(argc, argv, "j:")) != -1) {
        const long limit = option == 'j' ? strtol(optarg, NULL, 10) : 0;

        if (limit < 1 || limit > JOBS_MAX)
            return 2;
        run.limit = (size_t)limit;
    }
    for (struct criterion_test **test = tests; test < tests_end; test++) {
        char name[512];

        if (!*test)
            continue;
        snprintf(name, sizeof name, "%s/%s", (*test)->category, (*test)->name);
        if (!argv[optind] || strstr(name, argv[optind]))
            start_each(&run, *test);
    }
    while (run.running)
        reap(&run);
    printf("%zu passed, %zu failed\n", run.passed, run.failed);
    return run.failed || !run.passed;
}
