#include "survivor.h"

#include <criterion/criterion.h>
#include <string.h>

#include "moment.h"
#include "program.h"
#include "stage.h"

static int pick_signal(const struct survivor *survivor, uint64_t *seed)
{
    size_t count = 0;

    while (survivor->signals[count])
        count++;
    return survivor->signals[stage_dice(seed) % (count ? count : 1)];
}

static void wait_a_while(struct run *run, double seconds)
{
    double until = moment_now() + seconds;

    while (moment_now() < until && !run_ended(run, 0.001))
        ;
}

static struct run *start(const struct survivor *survivor)
{
    struct run *run = program_spawn((struct run_options){.argv = survivor->argv});

    if (survivor->input)
        (void)run_write_text(run, survivor->input);
    run_close_stdin(run);
    return run;
}

unsigned survivor_run(const struct survivor *survivor, uint64_t *seed)
{
    for (unsigned ends = 0;; ends++) {
        struct run *run = start(survivor);
        int number = 0;
        if (ends < survivor->ends_max) {
            wait_a_while(run, stage_dice(seed) % (1000 * survivor->slowest_ms) / 1e6);
            number = pick_signal(survivor, seed);
            run_signal(run, number);
        }
        struct run_result result = program_end(run);
        bool is_over = result.signal == 0;
        if (is_over)
            cr_assert_eq(result.code, survivor->code, "ended with %d: %s", result.code,
                         blob_text(&result.err));
        else
            cr_assert_eq(result.signal, number, "ended by signal %d: %s", result.signal,
                         blob_text(&result.err));
        run_result_release(&result);
        if (is_over)
            return ends;
    }
}
