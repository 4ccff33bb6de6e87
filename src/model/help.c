#include <errno.h>
#include <string.h>

#include "model/option_table.h"
#include "model/options.h"

enum { HELP_COLUMN = 30 };

static const char usage[] =
    "Usage: weir [OPTION]... [URL]...\n"
    "Fetch many URLs at once, but never too many at once. URLs come from the "
    "arguments,\nfrom files (-a), or line by line from stdin; bodies go to "
    "stdout in input order.\n";

static const char examples[] = "\nExamples:\n"
                               "  weir -j 50 < urls.txt > bodies\n"
                               "  weir 'https://example.org/page/[1-100]'\n"
                               "  tail -f urls.log | weir --unordered -m 20\n"
                               "\nweir --help all shows every option, weir --help NAME one.\n";

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
    const struct option *option = option_find(topic + strspn(topic, "-"));
    if (!option) {
        buf_setf(err, "there is no option called %s", topic);
        return -ENOENT;
    }
    add_row(option, out);
    return 0;
}
