/* Ten thousand pairs of requests on one handle and one connection, drawn from one number: each is
 * sent as it is when it is the only one. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "program.h"
#include "record.h"
#include "stage.h"

enum { PAIRS = 10000, SLOW_EACH = 200 };

struct variant {
    const char *members; /* beside the URL */
    const char *user;    /* in the URL */
    const char *query;
};

/* The first asks for nothing but its URL; the last waits for longer than the one before it may. */
static const struct variant variants[] = {
    {"", "", ""},
    {",\"method\":\"DELETE\"", "", ""},
    {",\"method\":\"PURGE\"", "", ""},
    {",\"headers\":{\"X-A\":[\"1\",\"2\"],\"Cookie\":\"a=1\"}", "", ""},
    {",\"headers\":{\"Authorization\":\"Bearer x\"}", "", ""},
    {",\"headers\":{\"User-Agent\":null,\"Accept\":null,\"Accept-Encoding\":\"br\"}", "", ""},
    {",\"headers\":{\"Host\":\"own.test\"}", "", ""},
    {",\"headers\":{\"X-Empty\":\"\",\"Referer\":\"http://r/\"}", "", ""},
    {",\"body\":\"payload\"", "", ""},
    {",\"body\":\"other\",\"method\":\"PUT\",\"headers\":{\"Content-Type\":\"text/x\"}", "", ""},
    {",\"body\":\"\",\"method\":\"PATCH\"", "", ""},
    {",\"body_base64\":\"AAEC\"", "", ""},
    {",\"json\":{\"a\":[1,2]}", "", ""},
    {",\"headers\":{\"Expect\":\"\"},\"body\":\"x\"", "", ""},
    {",\"id\":\"i\",\"context\":{\"c\":1},\"group\":\"g\"", "", ""},
    {",\"retry\":0", "", ""},
    {"", "name:word@", ""},
    {",\"body\":\"p\"", "other:secret@", ""},
    {"", "", "status=404"},
    {"", "", "chunked=1"},
    {"", "", "gzip=1"},
    {"", "", "hdr=Set-Cookie:k=v"},
    {"", "", "hops=1"},
    {",\"body\":\"hop\"", "", "hops=1"},
    {",\"timeout\":0.05", "", ""},
    {"", "", "delay=0.1"},
};

enum { N_VARIANTS = sizeof variants / sizeof *variants, SLOW = N_VARIANTS - 1 };

static void add_line(struct stage *stage, size_t which, FILE *out)
{
    const struct variant *variant = &variants[which];

    fprintf(out, "{\"url\":\"http://%s127.0.0.1:%u/echo?%s\"%s}\n", variant->user,
            origin_port(stage->origin), variant->query, variant->members);
}

static json_t *fetch(const char *input, size_t count)
{
    struct run_result result =
        program_fetch(RUN_WEIR("-j1", "--jsonl", "--accept", "any", "--retry", "0"), input);

    return records_of(result, 0, count);
}

/* What the origin is told by each of them, in a run of its own. */
static void tell_alone(struct stage *stage, char *told[N_VARIANTS])
{
    for (size_t i = 0; i < N_VARIANTS; i++) {
        char *input;
        size_t len;
        FILE *out = open_memstream(&input, &len);
        add_line(stage, i, out);
        fclose(out);
        json_t *records = fetch(input, 1);
        told[i] = strdup(record_text(record_at(records, 0), "body"));
        cr_expect(i == 0 || strstr(told[i], " /echo?"), "%zu: %s", i, told[i]);
        json_decref(records);
        free(input);
    }
}

static size_t draw(uint64_t *seed)
{
    size_t which = stage_dice(seed) % SLOW;

    return stage_dice(seed) % SLOW_EACH ? which : (size_t)SLOW;
}

Test(pairs, of_any_two_requests_neither_shows_in_the_other, .timeout = 300)
{
    struct stage *stage = stage_new();
    char *told[N_VARIANTS], *input;
    static size_t drawn[PAIRS + 1];
    uint64_t seed = 20240229;
    size_t len;
    FILE *out = open_memstream(&input, &len);

    tell_alone(stage, told);
    for (size_t i = 0; i <= PAIRS; i++) {
        drawn[i] = draw(&seed);
        add_line(stage, drawn[i], out);
    }
    fclose(out);
    json_t *records = fetch(input, PAIRS + 1);
    for (size_t i = 0; i <= PAIRS; i++) {
        const char *body = record_text(record_at(records, i), "body");
        cr_assert_str_eq(body, told[drawn[i]], "%zu behind %zu: %s", drawn[i],
                         i ? drawn[i - 1] : (size_t)N_VARIANTS, body);
    }
    json_decref(records);
    for (size_t i = 0; i < N_VARIANTS; i++)
        free(told[i]);
    free(input);
    stage_free(stage);
}
