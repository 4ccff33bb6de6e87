#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include "scratch.h"
#include "trial.h"
#include "world.h"

/*
 * The core without its adapters: base, model, policy and engine, driven on a clock of ours through
 * random runs. PROPERTY_SEED and PROPERTY_RUNS say where to begin and how many; a run that fails
 * says its seed, so PROPERTY_SEED=that PROPERTY_RUNS=1 brings it back.
 */
enum { RUNS = 4000, SLICES = 8, FIRST_SEED = 1 };

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

ParameterizedTestParameters(property, random_runs_keep_every_promise)
{
    static unsigned slices[SLICES];

    for (unsigned i = 0; i < SLICES; i++)
        slices[i] = i;
    return cr_make_param_array(unsigned, slices, SLICES);
}

ParameterizedTest(unsigned *slice, property, random_runs_keep_every_promise)
{
    uint64_t first = number_from("PROPERTY_SEED", FIRST_SEED);
    uint64_t runs = number_from("PROPERTY_RUNS", RUNS);
    struct scratch *scratch = scratch_new();
    struct scenario scenario;

    for (uint64_t i = *slice; i < runs; i += SLICES) {
        scenario_from_seed(&scenario, first + i);
        world_free(trial_run(&scenario, scratch));
    }
    scratch_free(scratch);
}
