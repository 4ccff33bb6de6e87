#include "fetch/gate.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/http_date.h"
#include "base/number.h"
#include "base/util.h"

/* More than any count of seconds is: a moment since 1970, and more than any of those in seconds: one
 * in milliseconds. */
#define EPOCH_MIN    1e9
#define EPOCH_MS_MIN 1e11
#define NUMBER_MAX   1e18

enum { VALUE_MAX = 1024 };

enum word {
    WORD_REMAINING,
    WORD_RESET,
    WORD_RESET_AFTER,
    WORD_BOTH,
    WORD_RETRY_AFTER,
    WORD_RETRY_AFTER_MS,
};

static const struct {
    const char *name;
    enum word word;
} headers[] = {
    {"ratelimit-remaining", WORD_REMAINING},
    {"ratelimit-reset", WORD_RESET},
    {"x-ratelimit-remaining", WORD_REMAINING},
    {"x-ratelimit-reset", WORD_RESET},
    {"x-ratelimit-reset-after", WORD_RESET_AFTER},
    {"x-rate-limit-remaining", WORD_REMAINING},
    {"x-rate-limit-reset", WORD_RESET},
    {"ratelimit", WORD_BOTH},
    {"retry-after", WORD_RETRY_AFTER},
    {"retry-after-ms", WORD_RETRY_AFTER_MS},
};

/* A decimal number, at whose end the value or its first part ends; NAN for anything else, such as a
 * date. */
static double read_number(const char *value)
{
    double number = 0;

    value += strspn(value, " \t");
    const char *end = isdigit((unsigned char)*value) ? number_read_decimal(value, &number) : NULL;
    if (!end)
        return NAN;
    end += strspn(end, " \t\r\n");
    return *end && !strchr(",;", *end) ? NAN : fmin(number, NUMBER_MAX);
}

static void read_remaining(struct gate_words *words, const char *value)
{
    if (read_number(value) <= 0)
        words->is_empty = true;
}

/* NAN is silly. */
static void add_seconds(struct gate_time *time, double seconds)
{
    time->is_said = true;
    time->is_silly |= isnan(seconds);
    time->seconds = fmax(time->seconds, seconds);
}

static void add_moment(struct gate_time *time, double moment)
{
    time->is_said = true;
    time->moment = fmax(time->moment, moment);
}

static void read_reset(struct gate_words *words, const char *value)
{
    double reset = read_number(value);

    if (reset > EPOCH_MIN)
        add_moment(&words->reset, reset > EPOCH_MS_MIN ? reset / 1000 : reset);
    else
        add_seconds(&words->reset, reset);
}

/* `"default";r=0;t=5`: the time counts where nothing remains of the same; or a part of the older
 * form. */
static void read_item(struct gate_words *words, char *item)
{
    char *part, *rest = item;
    const char *remaining = NULL, *reset = NULL;

    while ((part = strsep(&rest, ";")) != NULL) {
        part += strspn(part, " \t");
        if (!strncasecmp(part, "remaining=", 10))
            read_remaining(words, part + 10);
        else if (!strncasecmp(part, "reset=", 6))
            read_reset(words, part + 6);
        else if (!strncasecmp(part, "r=", 2))
            remaining = part + 2;
        else if (!strncasecmp(part, "t=", 2))
            reset = part + 2;
    }
    if (!remaining || !(read_number(remaining) <= 0))
        return;
    words->is_empty = true;
    if (reset)
        read_reset(words, reset);
}

/* Text in quotes is a name, whatever it looks like. */
static void blank_quoted(char *value)
{
    bool is_quoted = false;

    for (; *value; value++) {
        bool is_quote = *value == '"';
        if (is_quoted && *value == '\\' && value[1])
            *value++ = '_';
        if (is_quoted && !is_quote)
            *value = '_';
        is_quoted ^= is_quote;
    }
}

/* `limit=100, remaining=0, reset=5`, or `"burst";r=0;t=5, "day";r=100;t=5000`. */
static void read_both(struct gate_words *words, char *value)
{
    char *item, *rest = value;

    blank_quoted(value);
    while ((item = strsep(&rest, ",")) != NULL)
        read_item(words, item);
}

/* Digits or a date, and nothing else. */
static void read_retry_after(struct gate_words *words, char *value)
{
    static const char blanks[] = " \t\r\n";
    double seconds = 0;
    int64_t moment = 0;

    value += strspn(value, blanks);
    size_t len = strlen(value), digits = strspn(value, "0123456789");
    while (len && strchr(blanks, value[len - 1]))
        len--;
    value[len] = '\0';
    if (http_date_read(value, &moment) == 0)
        add_moment(&words->pause, fmax(1, (double)moment)); /* 0: none was */
    else if (len && digits == len && number_read_decimal(value, &seconds))
        add_seconds(&words->pause, seconds);
    else
        add_seconds(&words->pause, NAN);
}

static void read_value(struct gate_words *words, enum word word, const char *value, size_t len)
{
    char text[VALUE_MAX];

    len = MIN(len, sizeof text - 1);
    memcpy(text, value, len);
    text[len] = '\0';
    switch (word) {
    case WORD_REMAINING: read_remaining(words, text); break;
    case WORD_RESET: read_reset(words, text); break;
    case WORD_BOTH: read_both(words, text); break;
    case WORD_RESET_AFTER: add_seconds(&words->reset, read_number(text)); break;
    case WORD_RETRY_AFTER: read_retry_after(words, text); break;
    case WORD_RETRY_AFTER_MS: add_seconds(&words->pause, read_number(text) / 1000); break;
    }
}

void gate_read_header(struct gate_words *words, const char *line, size_t len)
{
    const char *colon;

    if (!len || !gate_may_read(line[0]))
        return;
    colon = memchr(line, ':', len);
    for (size_t i = 0; colon && i < ARRAY_LEN(headers); i++) {
        size_t name_len = strlen(headers[i].name);
        if ((size_t)(colon - line) == name_len && !strncasecmp(line, headers[i].name, name_len))
            read_value(words, headers[i].word, colon + 1, len - name_len - 1);
    }
}

bool gate_is_concerned(const struct gate_words *words)
{
    return words->is_empty || words->pause.is_said;
}

static double seconds_of(const struct gate_time *time, double wall_now)
{
    return fmax(time->seconds, time->moment - wall_now);
}

struct gate_verdict gate_judge(const struct gate_words *words, long http_code, double wall_now,
                               double gate_max)
{
    struct gate_verdict verdict = {.was_silly = words->is_empty && words->reset.is_silly};

    if (http_code == 429 || http_code == 503) {
        verdict.seconds = seconds_of(&words->pause, wall_now);
        verdict.was_silly |=
            words->pause.is_silly || (words->pause.moment > 0 && words->pause.moment <= wall_now);
    }
    if (words->is_empty)
        verdict.seconds = fmax(verdict.seconds, seconds_of(&words->reset, wall_now));
    verdict.was_capped = verdict.seconds > gate_max;
    verdict.seconds = fmin(verdict.seconds, gate_max);
    return verdict;
}
