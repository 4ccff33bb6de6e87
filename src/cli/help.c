#include <errno.h>
#include <string.h>

#include "cli/option_near.h"
#include "cli/option_table.h"
#include "cli/options.h"

enum { HELP_COLUMN = 30 };

static const char usage[] =
    "Usage: weir [OPTION]... [URL]...\n"
    "Fetch many URLs at once, but never too many at once. URLs come from the "
    "arguments,\nfrom files (-a), or line by line from stdin; bodies go to "
    "stdout in input order.\n";

static const char examples[] =
    "\nExamples:\n"
    "  weir -j 50 < urls.txt > bodies                       a list, in its order\n"
    "  weir 'https://example.org/page/[1-100]' > pages      a pattern\n"
    "  tail -f urls.log | weir --unordered --jsonl          as it comes, a record each\n"
    "  weir -o '{host}/{path}' < urls.txt                   a file each, whole or not there\n"
    "  weir --rate 5/s --per-host 2 --journal run.journal --resume \\\n"
    "       --to all.jsonl --jsonl < urls.txt               politely; go on after a kill\n"
    "\nweir --help all shows every option, weir --help NAME one; man weir tells the rest.\n";

static void add_names(const struct option *option, struct buf *line)
{
    if (option->letters)
        buf_addf(line, "  -%c, --%s", option->letters[0], option->name);
    else
        buf_addf(line, "      --%s", option->name);
    if (option->arg)
        buf_addf(line, " %s", option->arg);
}

static void add_row(const struct option *option, struct buf *out)
{
    struct buf line;

    buf_init(&line);
    add_names(option, &line);
    if (line.len < HELP_COLUMN)
        buf_addf(&line, "%*s", (int)(HELP_COLUMN - line.len), "");
    else
        buf_addf(&line, "\n%*s", HELP_COLUMN, "");
    if (option->kind == OPTION_ALIAS)
        buf_addf(&line, "The same as --%s\n", option->of);
    else
        buf_addf(&line, "%s\n", option->help);
    buf_add(out, line.data, line.len);
    buf_release(&line);
}

static void add_short(struct buf *out)
{
    buf_addf(out, "%s\n", usage);
    for (const struct option *option = option_table; option->name; option++) {
        if (option->brief)
            add_row(option, out);
    }
    buf_add_text(out, examples);
}

static void add_all(struct buf *out)
{
    buf_add_text(out, usage);
    for (enum option_group group = 0; group < GROUP_COUNT; group++) {
        buf_addf(out, "\n%s:\n", option_group_title(group));
        for (const struct option *option = option_table; option->name; option++) {
            if (option->group == group)
                add_row(option, out);
        }
    }
}

/* A line more about the option above. */
static void begin_more(const char *title, struct buf *out)
{
    buf_addf(out, "%*s%s", HELP_COLUMN, "", title);
}

static void add_other_names(const struct option *option, struct buf *out)
{
    const char *lead = "Also: ";

    for (const char *at = option->letters ? option->letters + 1 : ""; *at; at++, lead = ", ")
        buf_addf(out, "%*s%s-%c", *lead == ',' ? 0 : HELP_COLUMN, "", lead, *at);
    for (const struct option *other = option_table; other->name; other++) {
        if (other->kind != OPTION_ALIAS || strcmp(other->of, option->name) != 0)
            continue;
        buf_addf(out, "%*s%s--%s", *lead == ',' ? 0 : HELP_COLUMN, "", lead, other->name);
        lead = ", ";
    }
    if (*lead == ',')
        buf_add_text(out, "\n");
}

/* All that the table knows of one option. */
static void add_one(const struct option *option, struct buf *out)
{
    add_row(option, out);
    add_other_names(option, out);
    if (option->kind == OPTION_WORD) {
        begin_more("One of: ", out);
        for (size_t i = 0; option->words[i]; i++)
            buf_addf(out, "%s%s", i ? ", " : "", option->words[i]);
        buf_add_text(out, "\n");
    }
    if (option->kind == OPTION_SWITCH) {
        begin_more("", out);
        buf_addf(out, "--no-%s turns it off\n", option->name);
    }
    buf_addf(out, "\nMore in weir(1), under \"%s\".\n", option_group_title(option->group));
}

/* A name with its dashes or without, with no- in front of a switch's, or one letter. */
static const struct option *find_topic(const char *topic)
{
    const struct option *option = option_find(topic);

    if (!option && strlen(topic) == 1)
        return option_find_letter(*topic);
    if (!option && strncmp(topic, "no-", 3) == 0) {
        option = option_find(topic + 3);
        return option && option->kind == OPTION_SWITCH ? option : NULL;
    }
    return option;
}

int options_help(const char *topic, struct buf *out, struct buf *err)
{
    if (!topic) {
        add_short(out);
        return 0;
    }
    if (strcmp(topic, "all") == 0) {
        add_all(out);
        return 0;
    }
    const char *name = topic + strspn(topic, "-");
    const struct option *option = find_topic(name);
    if (!option) {
        buf_setf(err, "there is no option called %s", topic);
        option_suggest(name, err);
        return -ENOENT;
    }
    add_one(option, out);
    return 0;
}
