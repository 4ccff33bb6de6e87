#include "policy/gate.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

/* More than any count of seconds is: a moment since 1970. */
#define EPOCH_MIN 1e9

enum { VALUE_MAX = 256 };

enum word { WORD_REMAINING, WORD_RESET, WORD_BOTH, WORD_RETRY_AFTER };

static const struct {
    const char *name;
    enum word word;
} headers[] = {
    {"ratelimit-remaining", WORD_REMAINING},
    {"ratelimit-reset", WORD_RESET},
    {"x-ratelimit-remaining", WORD_REMAINING},
    {"x-ratelimit-reset", WORD_RESET},
    {"x-rate-limit-remaining", WORD_REMAINING},
    {"x-rate-limit-reset", WORD_RESET},
    {"ratelimit", WORD_BOTH},
    {"retry-after", WORD_RETRY_AFTER},
};

/* A plain decimal number, at whose end the value or its first part ends; NAN for anything else,
 * such as a date or one of strtod's own forms. */
static double read_number(const char *value)
{
    value += strspn(value, " \t");
    size_t len = strspn(value, "0123456789.");
    size_t end = len + strspn(value + len, " \t\r\n");

    if (!isdigit((unsigned char)value[0]) || (value[end] && !strchr(",;", value[end])))
        return NAN;
    return strtod(value, NULL);
}

static void read_remaining(struct gate_words *words, const char *value)
{
    if (read_number(value) <= 0)
        words->is_empty = true;
}

static void read_reset(struct gate_words *words, const char *value)
{
    double reset = read_number(value);

    if (!isfinite(reset)) {
        words->is_silly = true;
        return;
    }
    words->has_reset = true;
    words->reset = fmax(words->reset, reset);
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

/* `limit=100, remaining=0, reset=5`, or `"burst";r=0;t=5, "day";r=100;t=5000`. */
static void read_both(struct gate_words *words, char *value)
{
    char *item, *rest = value;

    while ((item = strsep(&rest, ",")) != NULL)
        read_item(words, item);
}

static void read_pause(struct gate_words *words, const char *value)
{
    double pause = read_number(value);

    words->asks_for_pause = !(pause <= 0);
    words->pause = isfinite(pause) ? ceil(pause) : 0;
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
    case WORD_RETRY_AFTER: read_pause(words, text); break;
    }
}

void gate_read_header(struct gate_words *words, const char *line, size_t len)
{
    const char *colon;

    if (!len || ((line[0] | 0x20) != 'r' && (line[0] | 0x20) != 'x'))
        return;
    colon = memchr(line, ':', len);
    for (size_t i = 0; colon && i < ARRAY_LEN(headers); i++) {
        size_t name_len = strlen(headers[i].name);
        if ((size_t)(colon - line) == name_len && !strncasecmp(line, headers[i].name, name_len))
            read_value(words, headers[i].word, colon + 1, len - name_len - 1);
    }
}

struct gate_verdict gate_judge(const struct gate_words *words, long http_code, double retry_after,
                               double wall_now, double gate_max)
{
    struct gate_verdict verdict = {.was_silly = words->is_empty && words->is_silly};
    double reset = words->reset > EPOCH_MIN ? words->reset - wall_now : words->reset;

    if (http_code == 429 || http_code == 503) {
        if (retry_after >= 0)
            retry_after = fmax(retry_after, words->pause);
        verdict.was_silly |= retry_after < 0 || (words->asks_for_pause && retry_after <= 0);
        verdict.seconds = fmax(0, retry_after);
    }
    if (words->is_empty && words->has_reset)
        verdict.seconds = fmax(verdict.seconds, reset);
    verdict.was_capped = verdict.seconds > gate_max;
    verdict.seconds = fmin(verdict.seconds, gate_max);
    return verdict;
}
