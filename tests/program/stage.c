#include "stage.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "moment.h"

/* How long nothing must happen to be believed to be over. */
static const double silence = 0.3;

struct stage_text {
    struct stage_text *next;
    char bytes[];
};

static struct stage *new_stage(const struct origin_options *options)
{
    struct stage *stage = calloc(1, sizeof *stage);

    cr_assert(stage);
    stage->origin = origin_start(options);
    cr_assert(stage->origin, "origin_start: %s", strerror(errno));
    stage->scratch = scratch_new();
    return stage;
}

struct stage *stage_new(void)
{
    return new_stage(NULL);
}

struct stage *stage_new_any(void)
{
    return new_stage(&(struct origin_options){.any = true});
}

void stage_free(struct stage *stage)
{
    struct stage_text *next;

    cr_expect_eq(origin_stop(stage->origin), 0, "the origin crashed");
    scratch_free(stage->scratch);
    for (struct stage_text *text = stage->texts; text; text = next) {
        next = text->next;
        free(text);
    }
    free(stage);
}

static char *add_text(struct stage *stage, size_t size)
{
    struct stage_text *text = malloc(sizeof *text + size);

    cr_assert(text);
    text->next = stage->texts;
    stage->texts = text;
    return text->bytes;
}

__attribute__((format(printf, 3, 0))) static const char *
add_formatted(struct stage *stage, const char *before, const char *format, va_list arguments)
{
    va_list again;

    va_copy(again, arguments);
    size_t len = (size_t)vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *bytes = add_text(stage, strlen(before) + len + 1);
    vsnprintf(stpcpy(bytes, before), len + 1, format, arguments);
    return bytes;
}

const char *stage_text(struct stage *stage, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *text = add_formatted(stage, "", format, arguments);
    va_end(arguments);
    return text;
}

const char *stage_url(struct stage *stage, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *text = add_formatted(stage, origin_url(stage->origin), format, arguments);
    va_end(arguments);
    return text;
}

const char *stage_url_at(struct stage *stage, const char *host, const char *target)
{
    return stage_text(stage, "http://%s:%u%s", host, (unsigned)origin_port(stage->origin), target);
}

const char *stage_encoded(struct stage *stage, const char *text)
{
    char *bytes = add_text(stage, 3 * strlen(text) + 1);
    char *to = bytes;

    for (; *text; text++) {
        if (isalnum((unsigned char)*text))
            *to++ = *text;
        else
            to += sprintf(to, "%%%02X", (unsigned char)*text);
    }
    *to = '\0';
    return bytes;
}

bool stage_saw_header(struct stage *stage, const char *target, const char *name, const char *value)
{
    const struct origin_record *record = origin_log_find(stage->origin, target);
    char seen[256];

    cr_assert(record, "the origin saw no %s", target);
    return origin_record_header(record, name, seen, sizeof seen) &&
           (!*value || strcmp(seen, value) == 0);
}

void stage_expect_file(struct stage *stage, const char *name, const char *text)
{
    struct blob content = {0};

    cr_expect(scratch_read(stage->scratch, name, &content), "there is no %s", name);
    cr_expect_str_eq(blob_text(&content), text, "%s", name);
    blob_release(&content);
}

uint64_t stage_settled_requests(struct stage *stage)
{
    uint64_t seen = origin_counts(stage->origin).requests;
    double since = moment_now();

    while (moment_now() < since + silence) {
        uint64_t now = origin_counts(stage->origin).requests;
        if (now != seen)
            since = moment_now();
        seen = now;
        moment_nap();
    }
    return seen;
}

/* xorshift64*. */
uint32_t stage_dice(uint64_t *seed)
{
    uint64_t x = *seed ? *seed : 88172645463325252u;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *seed = x;
    return (uint32_t)((x * 2685821657736338717u) >> 32);
}
