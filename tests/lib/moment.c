#include "moment.h"

#include <time.h>

double moment_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void moment_nap(void)
{
    struct timespec millisecond = {.tv_nsec = 1000000};

    nanosleep(&millisecond, NULL);
}
