#include "origin_script.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "origin.h"

/* Writes a value into its field; false when it is none. */
typedef bool set_value(struct origin_script *, void *field, char *value);

static bool set_text(struct origin_script *script, void *field, char *value)
{
    (void)script;
    *(const char **)field = value;
    return true;
}

static bool set_flag(struct origin_script *script, void *field, char *value)
{
    (void)script;
    *(bool *)field = strcmp(value, "1") == 0;
    return *(bool *)field || strcmp(value, "0") == 0;
}

static bool set_count(struct origin_script *script, void *field, char *value)
{
    char *end;

    (void)script;
    errno = 0;
    *(uint64_t *)field = strtoull(value, &end, 10);
    return isdigit((unsigned char)*value) && !*end && !errno;
}

static bool set_seconds(struct origin_script *script, void *field, char *value)
{
    char *end;
    double seconds = strtod(value, &end);

    (void)script;
    *(double *)field = seconds;
    return end != value && !*end && isfinite(seconds) && seconds >= 0;
}

static bool set_status(struct origin_script *script, void *field, char *value)
{
    uint64_t status = 0;
    bool ok = set_count(script, &status, value) && status >= 100 && status <= 999;

    if (ok)
        *(unsigned *)field = (unsigned)status;
    return ok;
}

static bool set_header(struct origin_script *script, void *field, char *value)
{
    (void)field;
    if (script->header_count == ORIGIN_SCRIPT_HEADERS_MAX || !strchr(value, ':'))
        return false;
    script->headers[script->header_count++] = value;
    return true;
}

static bool set_drip(struct origin_script *script, void *field, char *value)
{
    char *comma = strchr(value, ',');

    if (!comma)
        return false;
    *comma = '\0';
    return set_count(script, field, value) && script->drip_bytes > 0 &&
           set_seconds(script, &script->drip_seconds, comma + 1);
}

static bool set_climb(struct origin_script *script, void *field, char *value)
{
    char *comma = strchr(value, ',');

    script->climb_power = 1;
    if (comma)
        *comma = '\0';
    return set_count(script, field, value) && script->climb > 0 &&
           (!comma || set_count(script, &script->climb_power, comma + 1));
}

static bool set_reset(struct origin_script *script, void *field, char *value)
{
    script->reset_head = strcmp(value, "head") == 0;
    return script->reset_head || set_count(script, field, value);
}

/* gzip, badgzip and bomb: three names for one field. */
static bool set_gzip(struct origin_script *script, void *field, char *value)
{
    (void)script;
    *(enum origin_coding *)field = ORIGIN_GZIP;
    return strcmp(value, "1") == 0;
}

static bool set_bad_gzip(struct origin_script *script, void *field, char *value)
{
    bool cut = strcmp(value, "cut") == 0;

    (void)script;
    *(enum origin_coding *)field = cut ? ORIGIN_GZIP_CUT : ORIGIN_GZIP_NOT;
    return cut || strcmp(value, "1") == 0;
}

static bool set_bomb(struct origin_script *script, void *field, char *value)
{
    (void)script;
    *(enum origin_coding *)field = ORIGIN_BOMB;
    return strcmp(value, "1") == 0;
}

static bool set_ranges(struct origin_script *script, void *field, char *value)
{
    static const char *const words[] = {
        [ORIGIN_WHOLE] = "0",         [ORIGIN_RANGES] = "1",        [ORIGIN_BLIND] = "blind",
        [ORIGIN_SHIFTED] = "shifted", [ORIGIN_TAGLESS] = "tagless",
    };

    (void)script;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(value, words[i]) == 0) {
            *(enum origin_ranges *)field = (enum origin_ranges)i;
            return true;
        }
    }
    return false;
}

/* A tag is only there to be hashed (origin_seed). */
static bool set_nothing(struct origin_script *script, void *field, char *value)
{
    (void)script;
    (void)field;
    (void)value;
    return true;
}

#define FIELD(name) offsetof(struct origin_script, name)

static const struct parameter {
    const char *name;
    set_value *set;
    size_t field;
} parameters[] = {
    {"ascii", set_flag, FIELD(ascii)},
    {"badchunk", set_flag, FIELD(bad_chunk)},
    {"badgzip", set_bad_gzip, FIELD(coding)},
    {"bigheader", set_count, FIELD(big_header)},
    {"bigheaders", set_count, FIELD(big_headers)},
    {"bomb", set_bomb, FIELD(coding)},
    {"chunked", set_flag, FIELD(chunked)},
    {"climb", set_climb, FIELD(climb)},
    {"close", set_flag, FIELD(close)},
    {"closenow", set_flag, FIELD(close_now)},
    {"cutchunk", set_flag, FIELD(cut_chunk)},
    {"delay", set_seconds, FIELD(delay)},
    {"drip", set_drip, FIELD(drip_bytes)},
    {"endless", set_flag, FIELD(endless)},
    {"etag", set_text, FIELD(etag)},
    {"failtimes", set_count, FIELD(fail_times)},
    {"garbage", set_flag, FIELD(garbage)},
    {"gzip", set_gzip, FIELD(coding)},
    {"hdr", set_header, FIELD(headers)},
    {"headdelay", set_seconds, FIELD(head_delay)},
    {"headers", set_count, FIELD(filler_headers)},
    {"hops", set_count, FIELD(hops)},
    {"key", set_text, FIELD(key)},
    {"lastmod", set_text, FIELD(last_modified)},
    {"location", set_text, FIELD(location)},
    {"loop", set_flag, FIELD(loop)},
    {"maxinflight", set_count, FIELD(max_in_flight)},
    {"newetag", set_text, FIELD(new_etag)},
    {"nolength", set_flag, FIELD(no_length)},
    {"ranges", set_ranges, FIELD(ranges)},
    {"reset", set_reset, FIELD(reset_at)},
    {"retryafter", set_text, FIELD(retry_after)},
    {"short", set_count, FIELD(short_by)},
    {"silent", set_flag, FIELD(silent)},
    {"stall", set_count, FIELD(stall_at)},
    {"status", set_status, FIELD(status)},
    {"tag", set_nothing, 0},
    {"trailers", set_count, FIELD(trailers)},
    {"wants", set_text, FIELD(wants)},
    {"was", set_text, FIELD(was)},
    {"wordtag", set_flag, FIELD(word_tag)},
};

static const struct parameter *find_parameter(const char *name)
{
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        if (strcmp(parameters[i].name, name) == 0)
            return &parameters[i];
    }
    return NULL;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)tolower((unsigned char)digit);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Decodes in place; what is no escape stays as it is. */
static void percent_decode(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        int high = *from == '%' ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;
        if (low < 0) {
            *to++ = *from;
            continue;
        }
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = '\0';
}

static bool fail(struct origin_script *script, const char *what, const char *which)
{
    snprintf(script->error, sizeof script->error, "%s: %s", what, which);
    return false;
}

static bool parse_parameter(struct origin_script *script, char *item)
{
    char *value = strchr(item, '=');

    if (value)
        *value++ = '\0';
    const struct parameter *parameter = find_parameter(item);
    if (!parameter)
        return script->kind == ORIGIN_ECHO || fail(script, "unknown parameter", item);

    /* A bare name is a flag that is up. */
    char one[] = "1";
    if (value)
        percent_decode(value);
    else if (parameter->set == set_flag)
        value = one;
    else
        return fail(script, "needs a value", item);
    if (!parameter->set(script, (char *)script + parameter->field, value))
        return fail(script, "bad value", item);
    return true;
}

static bool parse_query(struct origin_script *script, char *query)
{
    char *rest = NULL;

    for (char *item = strtok_r(query, "&", &rest); item; item = strtok_r(NULL, "&", &rest)) {
        if (!parse_parameter(script, item))
            return false;
    }
    return true;
}

/* What a whole URL asks its server for. */
static char *skip_authority(char *target)
{
    if (strncmp(target, "http://", 7) != 0)
        return target;
    return target + 7 + strcspn(target + 7, "/?");
}

static bool parse_path(struct origin_script *script, char *path)
{
    if (strncmp(path, "/bytes/", 7) == 0) {
        char *name = strchr(path + 7, '/');
        if (name)
            *name = '\0';
        script->kind = ORIGIN_BYTES;
        return set_count(script, &script->size, path + 7) || fail(script, "bad size", path + 7);
    }
    if (strncmp(path, "/text/", 6) == 0) {
        script->kind = ORIGIN_TEXT;
        percent_decode(path + 6);
        script->word = path + 6;
        return true;
    }
    if (strcmp(path, "/echo") == 0 || strncmp(path, "/echo/", 6) == 0)
        script->kind = ORIGIN_ECHO;
    return true;
}

/* Where the value of `hops` stands in the target; the parameter is known to be there. */
static const char *find_hops(const char *target)
{
    const char *at = strchr(target, '?');

    while (strncmp(at + 1, "hops=", 5) != 0)
        at = strchr(at + 1, '&');
    return at + 6;
}

/* The target of the next hop: the same, with one less. */
static char *name_next_hop(const char *target, uint64_t hops)
{
    const char *value = find_hops(target);
    char *next;

    if (asprintf(&next, "%.*s%" PRIu64 "%s", (int)(value - target), target, hops - 1,
                 value + strcspn(value, "&")) < 0)
        abort();
    return next;
}

static void plan_redirect(struct origin_script *script, const char *target)
{
    if (script->loop)
        script->location = target;
    else if (script->hops && script->hops != ORIGIN_NEVER)
        script->location = script->next_hop = name_next_hop(target, script->hops);
}

static bool check(struct origin_script *script)
{
    bool chunked = script->chunked || script->cut_chunk || script->bad_chunk;
    bool coded = script->coding != ORIGIN_PLAIN && script->coding != ORIGIN_GZIP_NOT;

    if (chunked && script->no_length)
        return fail(script, "chunked", "not with nolength");
    if (script->short_by && (chunked || coded || script->no_length || script->endless))
        return fail(script, "short", "needs a length");
    if (script->coding == ORIGIN_BOMB && script->kind != ORIGIN_BYTES)
        return fail(script, "bomb", "needs /bytes/N");
    if (script->ascii && script->kind != ORIGIN_BYTES)
        return fail(script, "ascii", "needs /bytes/N");
    if ((script->word_tag || script->was) && script->kind != ORIGIN_TEXT)
        return fail(script, "wordtag and was", "need /text/WORD");
    if (script->endless && script->kind != ORIGIN_BYTES)
        return fail(script, "endless", "needs /bytes/N");
    if (script->ranges && (script->kind != ORIGIN_BYTES || coded || script->endless))
        return fail(script, "ranges", "needs plain /bytes/N");
    return true;
}

bool origin_script_parse(struct origin_script *script, const char *target, size_t len)
{
    *script = (struct origin_script){
        .reset_at = ORIGIN_NEVER,
        .stall_at = ORIGIN_NEVER,
        .hops = ORIGIN_NEVER,
        .max_in_flight = ORIGIN_NEVER,
        .fail_times = ORIGIN_NEVER,
    };
    /* Two copies in one piece: as it came, and taken apart. */
    char *whole = malloc(2 * (len + 1));
    if (!whole)
        abort();
    char *path = whole + len + 1;
    memcpy(whole, target, len);
    whole[len] = '\0';
    memcpy(path, whole, len + 1);
    script->text = whole;
    script->key = whole;
    script->seed = origin_seed(whole);

    path = skip_authority(path);
    char *query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    if (!parse_path(script, path) || (query && !parse_query(script, query)) || !check(script))
        return false;
    plan_redirect(script, whole);
    return true;
}

bool origin_script_has_fault(const struct origin_script *script)
{
    return script->status || script->location || script->was || script->reset_head ||
           script->close_now || script->silent || script->garbage || script->endless ||
           script->cut_chunk || script->bad_chunk || script->short_by ||
           script->reset_at != ORIGIN_NEVER || script->stall_at != ORIGIN_NEVER ||
           script->coding == ORIGIN_GZIP_NOT || script->coding == ORIGIN_GZIP_CUT ||
           script->coding == ORIGIN_BOMB;
}

static uint64_t tagged_seed(const char *target, const char *tag)
{
    char *tagged;

    if (asprintf(&tagged, "%.*s?tag=%s", (int)strcspn(target, "?#"), target, tag) < 0)
        abort();
    uint64_t seed = origin_seed(tagged);
    free(tagged);
    return seed;
}

void origin_script_forgive(struct origin_script *script)
{
    if (script->new_etag) {
        script->etag = script->new_etag;
        script->seed = tagged_seed(script->text, script->new_etag);
    }
    script->status = 0;
    script->location = NULL;
    script->was = NULL;
    script->retry_after = NULL;
    script->reset_head = false;
    script->close_now = false;
    script->silent = false;
    script->garbage = false;
    script->endless = false;
    script->cut_chunk = false;
    script->trailers = 0;
    script->bad_chunk = false;
    script->short_by = 0;
    script->reset_at = ORIGIN_NEVER;
    script->stall_at = ORIGIN_NEVER;
    if (script->coding != ORIGIN_GZIP)
        script->coding = ORIGIN_PLAIN;
}

void origin_script_release(struct origin_script *script)
{
    free(script->text);
    free(script->next_hop);
    script->text = script->next_hop = NULL;
}
