#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Longer than this a wait is a mistake: it keeps sums of times far from where doubles get
 * coarse. */
#define SECONDS_MAX (366 * 86400.0 * 100)

/* A rate above this is none. */
#define INTERVAL_MIN 1e-6

struct suffix {
    const char *name;
    double factor;
};

static const struct suffix durations[] = {
    {"", 1}, {"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400},
};

/* Reads digits; gives where they end, or NULL where there are none or they are too many. */
static const char *read_digits(const char *text, uint64_t *ret_value, int *ret_error)
{
    uint64_t value = 0;
    const char *at = text;

    for (; isdigit((unsigned char)*at); at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            *ret_error = -ERANGE;
            return NULL;
        }
        value = value * 10 + digit;
    }
    if (at == text) {
        *ret_error = -EINVAL;
        return NULL;
    }
    *ret_value = value;
    return at;
}

int number_read_count(const char *text, uint64_t *ret_count)
{
    uint64_t value = 0;
    int error = 0;
    const char *end = read_digits(text, &value, &error);

    if (!end)
        return error;
    if (*end)
        return -EINVAL;
    *ret_count = value;
    return 0;
}

/* By hand and not by strtod: the decimal point is a dot whatever the locale, and neither "inf" nor
 * "0x10" nor "1e3" is a duration. */
const char *number_read_decimal(const char *text, double *ret_value)
{
    double value = 0, scale = 1;
    const char *at = text;

    for (; isdigit((unsigned char)*at); at++)
        value = value * 10 + (*at - '0');
    const char *point = at;
    if (*at == '.') {
        for (at++; isdigit((unsigned char)*at); at++)
            value += (*at - '0') * (scale /= 10);
    }
    if (at == text || (point == text && at == text + 1))
        return NULL;
    *ret_value = value;
    return at;
}

int number_read_seconds(const char *text, double *ret_seconds)
{
    double value = 0;
    const char *end = number_read_decimal(text, &value);

    if (!end)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        if (strcmp(end, durations[i].name) != 0)
            continue;
        value *= durations[i].factor;
        if (value > SECONDS_MAX)
            return -ERANGE;
        *ret_seconds = value;
        return 0;
    }
    return -EINVAL;
}

/* `s`, or `10s`: the unit is required, lest somebody mean another. */
static int read_period(const char *text, double *ret_seconds)
{
    if (!*text || isdigit((unsigned char)text[strlen(text) - 1]) || strchr(text, '.'))
        return -EINVAL;
    if (isdigit((unsigned char)*text))
        return number_read_seconds(text, ret_seconds);
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        if (strcmp(text, durations[i].name) == 0) {
            *ret_seconds = durations[i].factor;
            return 0;
        }
    }
    return -EINVAL;
}

int number_read_rate(const char *text, double *ret_interval)
{
    double count, seconds = 0;
    const char *end = number_read_decimal(text, &count);
    int result;

    if (!end || *end != '/' || count <= 0)
        return -EINVAL;
    result = read_period(end + 1, &seconds);
    if (result)
        return result;
    if (seconds <= 0)
        return -EINVAL;
    if (seconds / count < INTERVAL_MIN || seconds / count > SECONDS_MAX)
        return -ERANGE;
    *ret_interval = seconds / count;
    return 0;
}

/* How far a size's letter shifts, or -1. */
static int size_shift(const char *letter)
{
    static const char letters[] = "kmgt";

    if (!*letter)
        return 0;
    const char *found = strchr(letters, tolower((unsigned char)*letter));
    if (!found || letter[1])
        return -1;
    return 10 * (int)(found - letters + 1);
}

int number_read_bytes(const char *text, uint64_t *ret_bytes)
{
    uint64_t value = 0;
    int error = 0;
    const char *end = read_digits(text, &value, &error);

    if (!end)
        return error;
    int shift = size_shift(end);
    if (shift < 0)
        return -EINVAL;
    if (value > (uint64_t)INT64_MAX >> shift)
        return -ERANGE;
    *ret_bytes = value << shift;
    return 0;
}
