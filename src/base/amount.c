#include "base/amount.h"

#include <math.h>

#include "base/buf.h"
#include "base/util.h"

/* What is longer is told as this. */
#define WAIT_MAX 86400e4

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

void amount_add_bytes(double bytes, struct buf *out)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    for (; bytes >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
        bytes /= 1024;
    buf_addf(out, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

void amount_add_duration(double seconds, struct buf *out)
{
    if (seconds < 0.001)
        buf_addf(out, "%.0f us", seconds * 1e6);
    else if (seconds < 1)
        buf_addf(out, "%.3g ms", seconds * 1e3);
    else
        buf_addf(out, seconds < 100 ? "%.3g s" : "%.0f s", seconds);
}

void amount_add_rate(double per_second, struct buf *out)
{
    buf_addf(out, per_second < 100 ? "%.3g/s" : "%.0f/s", per_second);
}

void amount_add_wait(double seconds, struct buf *out)
{
    unsigned long whole = (unsigned long)ceil(fmin(fmax(seconds, 0), WAIT_MAX));

    if (whole >= DAY)
        buf_addf(out, "%lud %02luh", whole / DAY, whole % DAY / HOUR);
    else if (whole >= HOUR)
        buf_addf(out, "%lu:%02lu:%02lu", whole / HOUR, whole % HOUR / MINUTE, whole % MINUTE);
    else
        buf_addf(out, "%lu:%02lu", whole / MINUTE, whole % MINUTE);
}
