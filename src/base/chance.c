#include "base/chance.h"

#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"

uint64_t chance_seed(void)
{
    uint64_t seed = 0;

    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)getpid() ^ (uint64_t)(clock_wall() * 1e6);
    return seed;
}

uint64_t chance_roll(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9E3779B97F4A7C15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

double chance_share(uint64_t *state)
{
    return (double)(chance_roll(state) >> 11) * 0x1p-53;
}
