#include "base/http_date.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

struct date {
    int year, month, day, hour, minute, second; /* the month from 0 */
};

static const char *const weekdays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
static const char *const long_weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                            "Friday", "Saturday", "Sunday"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static bool read_name(const char **at, const char *const *names, size_t count, int *ret_index)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(names[i]);
        if (strncasecmp(*at, names[i], len) == 0) {
            *at += len;
            *ret_index = (int)i;
            return true;
        }
    }
    return false;
}

static bool read_digits(const char **at, int count, int *ret_number)
{
    int number = 0;

    for (; count; count--, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        number = number * 10 + (**at - '0');
    }
    *ret_number = number;
    return true;
}

/* Reads a letter of a form: w, W a weekday in short and in full; d, e a day, e with a blank for a leading
 * zero; m a month; Y, y a year of four and of two digits; h, i, s hours, minutes and seconds. Any
 * other character stands for itself. */
static bool read_part(char part, const char **at, struct date *date)
{
    int unused;

    switch (part) {
    case 'w': return read_name(at, weekdays, ARRAY_LEN(weekdays), &unused);
    case 'W': return read_name(at, long_weekdays, ARRAY_LEN(long_weekdays), &unused);
    case 'e':
        if (**at != ' ')
            return read_digits(at, 2, &date->day);
        (*at)++;
        return read_digits(at, 1, &date->day);
    case 'd': return read_digits(at, 2, &date->day);
    case 'm': return read_name(at, months, ARRAY_LEN(months), &date->month);
    case 'Y': return read_digits(at, 4, &date->year);
    case 'y':
        if (!read_digits(at, 2, &date->year))
            return false;
        date->year += date->year < 70 ? 2000 : 1900;
        return true;
    case 'h': return read_digits(at, 2, &date->hour);
    case 'i': return read_digits(at, 2, &date->minute);
    case 's': return read_digits(at, 2, &date->second);
    default: return *(*at)++ == part;
    }
}

static bool read_form(const char *form, const char *text, struct date *date)
{
    const char *at = text;

    while (*form && *at && read_part(*form, &at, date))
        form++;
    return !*form && !*at;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of(int month, int year)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month] + (month == 1 && is_leap(year));
}

static bool is_possible(const struct date *date)
{
    return date->day >= 1 && date->day <= days_of(date->month, date->year) && date->hour < 24 &&
           date->minute < 60 && date->second <= 60; /* a leap second */
}

/* How many days there are from the beginning of year 0 to that of this one. */
static int64_t days_before(int64_t year)
{
    return year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

int http_date_read(const char *text, int64_t *ret_seconds)
{
    static const char *const forms[] = {"w, d m Y h:i:s GMT", "W, d-m-y h:i:s GMT",
                                        "w m e h:i:s Y"};
    struct date date = {0};
    size_t i = 0;

    while (i < ARRAY_LEN(forms) && !read_form(forms[i], text, &date))
        i++;
    if (i == ARRAY_LEN(forms) || !is_possible(&date))
        return -EINVAL;
    int64_t days = days_before(date.year) - days_before(1970) + date.day - 1;
    for (int month = 0; month < date.month; month++)
        days += days_of(month, date.year);
    *ret_seconds = ((days * 24 + date.hour) * 60 + date.minute) * 60 + date.second;
    return 0;
}
