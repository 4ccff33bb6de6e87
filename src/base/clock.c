#include "base/clock.h"

#include <stdint.h>
#include <time.h>

_Static_assert(sizeof(time_t) >= sizeof(int64_t), "a date beyond 2038 is one");

static double read_clock(clockid_t id)
{
    struct timespec time;

    clock_gettime(id, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}
