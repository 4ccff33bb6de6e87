#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "blob.h"
#include "groups.h"
#include "program.h"
#include "record.h"
#include "stage.h"

static const char *url_of(struct stage *stage, char letter, size_t index)
{
    switch (letter) {
    case 'f': return stage_url(stage, "/text/f-%zu?status=404", index);
    case 'F': return stage_url(stage, "/text/F-%zu?status=404&delay=0.5", index);
    case 'l': return stage_url(stage, "/text/l-%zu?delay=1", index);
    case 's': return stage_url(stage, "/text/s-%zu?delay=%d", index, GROUPS_SLOW);
    case 'S': return stage_url(stage, "/text/S-%zu?status=404&delay=%d", index, GROUPS_SLOW);
    case 'r': return stage_url(stage, "/text/r-%zu?failtimes=1", index);
    case 'i': return "http://";
    default: break;
    }
    return stage_url(stage, "/text/o-%zu", index);
}

static void add_line(struct stage *stage, const char *word, size_t index, struct blob *to)
{
    if (*word == '!') {
        blob_add_text(to, "{\"url\":\n");
        return;
    }
    blob_addf(to, "{\"url\":\"%s\"", url_of(stage, word[1], index));
    if (*word == '"')
        blob_add_text(to, ",\"group\":\"1\"");
    else if (*word >= '0' && *word <= '9')
        blob_addf(to, ",\"group\":%c", *word);
    else if (*word != '-')
        blob_addf(to, ",\"group\":\"%c\"", *word);
    blob_add_text(to, "}\n");
}

const char *groups_input(struct stage *stage, const char *words)
{
    struct blob lines = {0};
    size_t index = 0;

    for (; *words; words += strcspn(words, " "), words += strspn(words, " "))
        add_line(stage, words, ++index, &lines);
    const char *text = stage_text(stage, "%s", blob_text(&lines));
    blob_release(&lines);
    return text;
}

struct run_result groups_run(struct stage *stage, const char *options, const char *input)
{
    const char *argv[RUN_ARGS_MAX + 2] = {run_weir(), "-s", "--jsonl"};
    size_t count = 3;

    for (; *options; options += strcspn(options, " "), options += strspn(options, " ")) {
        cr_assert_lt(count, (size_t)RUN_ARGS_MAX);
        argv[count++] = stage_text(stage, "%.*s", (int)strcspn(options, " "), options);
    }
    return program_fetch(argv, input);
}

static void describe(const json_t *record, char *text, size_t size)
{
    static const struct {
        const char *reason, *letter;
    } letters[] = {
        {"ok", "o"}, {"http", "f"}, {"invalid", "i"}, {"halted", "h"}, {"output", "x"},
    };
    const char *reason = record_text(record, "reason");
    long long culprit = record_number(record, "cancelled_by");

    snprintf(text, size, "%s", reason);
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        if (strcmp(reason, letters[i].reason) == 0)
            snprintf(text, size, "%s", letters[i].letter);
    }
    if (strcmp(reason, "cancelled") == 0)
        snprintf(text, size, "c");
    if (culprit >= 0)
        snprintf(text + strlen(text), size - strlen(text), "%lld", culprit);
}

void groups_expect_ends(const json_t *records, const char *ends, const char *what)
{
    size_t count = json_array_size(records), seq = 0;
    char became[32];
    struct blob all = {0};

    while (++seq <= count) {
        const json_t *record = NULL;
        for (size_t i = 0; i < count && !record; i++) {
            if (record_number(record_at(records, i), "seq") == (long long)seq)
                record = record_at(records, i);
        }
        cr_assert(record, "%s: no record of request %zu", what, seq);
        describe(record, became, sizeof became);
        blob_addf(&all, "%s%s", seq > 1 ? " " : "", became);
    }
    cr_expect_str_eq(blob_text(&all), ends, "%s: became %s, not %s", what, blob_text(&all), ends);
    blob_release(&all);
}

json_t *groups_lines(const struct blob *out)
{
    json_t *lines = json_array();

    for (const char *at = blob_text(out), *end = at + out->len; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        cr_assert(newline, "the last line has no end: %.100s", at);
        json_t *line = json_loadb(at, (size_t)(newline - at), JSON_REJECT_DUPLICATES, NULL);
        cr_assert(json_is_object(line), "no line of JSON: %.200s", at);
        json_array_append_new(lines, line);
        at = newline + 1;
    }
    return lines;
}
