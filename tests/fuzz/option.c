/* A command line, its words separated by NUL. Those that name a file are left out: what they read is
 * not the bytes'. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "cli/option_table.h"
#include "cli/options.h"

enum { WORDS_MAX = 16 };

/* Whether an option may open a file: a run must not depend on what files there are. */
static bool may_open(const char *word)
{
    return strchr(word, '@') || strchr(word, 'K') || strstr(word, "config");
}

static int split(char *text, size_t size, char **words)
{
    int count = 0;

    words[count++] = text;
    for (size_t at = 0; at < size && count < WORDS_MAX; at += strlen(text + at) + 1)
        words[count++] = text + at;
    return count;
}

static void check_options(const struct options *options)
{
    for (size_t i = 0; i < options->headers.len; i++)
        PROMISE(!strpbrk(options->headers.at[i], "\r\n"));
    PROMISE(!options->method || *options->method);
    PROMISE(options->jobs >= 1 && options->window >= options->jobs);
    PROMISE(options->protocols != 0);
}

static void try_help(const struct options *options)
{
    struct buf out, err;

    buf_init(&out);
    buf_init(&err);
    int result = options_help(options->help_topic, &out, &err);
    PROMISE((result == 0) == (out.len > 0));
    PROMISE((result != 0) == (err.len > 0));
    buf_release(&out);
    buf_release(&err);
}

int FUZZ(option)(const uint8_t *bytes, size_t size)
{
    char *text = xmalloc(size + 1), *words[WORDS_MAX];
    struct options options;
    struct buf err;

    if (size)
        memcpy(text, bytes, size);
    text[size] = '\0';
    int count = split(text, size, words);
    for (int i = 1; i < count; i++) {
        if (may_open(words[i]))
            words[i] = words[0] + size;
    }
    buf_init(&err);
    options_init(&options);
    int result = options_parse(&options, count, words, &err);
    PROMISE(result == 0 || err.len > 0);
    if (result == 0)
        check_options(&options);
    if (options.help)
        try_help(&options);
    options_release(&options);
    buf_release(&err);
    free(text);
    return 0;
}
