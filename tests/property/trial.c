#include "trial.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "scratch.h"
#include "world.h"

/* What an assert of the engine's, or a sanitizer, has to be told with: nothing can be handed to those
 * who are called then. */
static char shown[4096];

static void show(void)
{
    ssize_t ignored = write(STDERR_FILENO, shown, strlen(shown));

    (void)ignored;
}

static void on_abort(int signal_number)
{
    show();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

void __attribute__((weak))
on_sanitizer_death(void (*)(void)) __asm__("__sanitizer_set_death_callback");

static void tell_when_it_dies(const struct scenario *scenario)
{
    struct buf words;

    buf_init(&words);
    buf_addf(&words, "died in the run of ");
    scenario_describe(scenario, &words);
    snprintf(shown, sizeof shown, "%s\n", words.data);
    buf_release(&words);
    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    if (on_sanitizer_death)
        on_sanitizer_death(show);
}

/* A file that may grow no longer is as good as a full disk. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static struct world *run(const struct scenario *scenario, struct scratch *scratch)
{
    struct world *world = world_new(scenario, scratch_dir(scratch));
    bool fills_disk = scenario->spool_end == SPOOL_FILLS_DISK;

    tell_when_it_dies(scenario);
    signal(SIGXFSZ, SIG_IGN);
    if (fills_disk)
        limit_files((rlim_t)scenario->spool_disk);
    world_run(world);
    if (fills_disk)
        limit_files(RLIM_INFINITY);
    return world;
}

struct world *trial_run(const struct scenario *scenario, struct scratch *scratch)
{
    struct world *world = run(scenario, scratch);
    struct buf words;

    if (!world_is_broken(world))
        return world;
    buf_init(&words);
    scenario_describe(scenario, &words);
    cr_assert(false, "%s\n  in the run of %s", world->failure.data, words.data);
    return world;
}
