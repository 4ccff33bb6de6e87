/*
 * Writes what bash, zsh or fish need to complete a command line of weir, from the tables of options
 * and fields: run while the program is built, and no part of it.
 */
#include <stdio.h>
#include <string.h>

#include "cli/option_table.h"
#include "cli/options.h"
#include "deliver/fields.h"

static bool is_alias_of(const struct option *option, const struct option *of)
{
    return option->kind == OPTION_ALIAS && strcmp(option->of, of->name) == 0;
}

/* Whether the switch is on unless it is turned off, so that its --no-NAME is worth offering. */
static bool is_on(const struct option *option, const struct options *defaults)
{
    return option->kind == OPTION_SWITCH && *(const bool *)((const char *)defaults + option->at);
}

/* Every spelling of the option, each between `before` and `after`, with `between` in the middle. */
static void put_names(const struct option *option, const char *before_letter,
                      const char *after_letter, const char *before_name, const char *after_name,
                      const char *between)
{
    const char *gap = "";

    for (const char *at = option->letters ? option->letters : ""; *at; at++, gap = between)
        printf("%s%s%c%s", gap, before_letter, *at, after_letter);
    printf("%s%s%s%s", gap, before_name, option->name, after_name);
    for (const struct option *other = option_table; other->name; other++) {
        if (is_alias_of(other, option))
            printf("%s%s%s%s", between, before_name, other->name, after_name);
    }
}

/* Whether there is something to offer for its argument. */
static bool offers(const struct option *option)
{
    return option->words || option->complete != COMPLETE_NOTHING;
}

static void put_words(const struct option *option)
{
    for (size_t i = 0; option->words[i]; i++)
        printf("%s%s", i ? " " : "", option->words[i]);
}

static void put_fields(void)
{
    for (const struct field *field = field_table; field->name; field++) {
        if (!field->on_demand)
            printf("%s%s", field == field_table ? "" : " ", field->name);
    }
}

static void put_topics(void)
{
    printf("all");
    for (const struct option *option = option_table; option->name; option++)
        printf(" %s", option->name);
}

/* In single quotes of zsh (and of sh), with a backslash before each of `special`. */
static void put_quoted(const char *text, const char *special, const char *quote)
{
    for (; *text; text++) {
        if (*text == '\'')
            printf("%s", quote);
        else
            printf("%s%c", strchr(special, *text) ? "\\" : "", *text);
    }
}

/* ---- bash ---- */

static const char bash_head[] =
    "_weir_files()\n"
    "{\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen \"$@\")\n"
    "}\n"
    "\n"
    "_weir_words()\n"
    "{\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\")\n"
    "}\n"
    "\n"
    "# The last of several names with commas between them.\n"
    "_weir_list()\n"
    "{\n"
    "    compopt -o nospace 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen -P \"${cur%\"${cur##*,}\"}\" -W \"$1\" -- \"${cur##*,}\")\n"
    "}\n"
    "\n"
    "_weir()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "\n"
    "    COMPREPLY=()\n"
    "    # An equals sign is a word of its own.\n"
    "    if [[ $cur == '=' ]]; then\n"
    "        cur=\n"
    "    elif [[ $option == '=' && $COMP_CWORD -gt 1 ]]; then\n"
    "        option=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n";

static const char bash_tail[] = "    esac\n"
                                "    [[ $cur != -* ]] || _weir_words \"$names\"\n"
                                "}\n"
                                "complete -F _weir weir\n";

static void put_bash_value(const struct option *option)
{
    if (option->words) {
        printf("_weir_words '");
        put_words(option);
        printf("'");
        return;
    }
    switch (option->complete) {
    case COMPLETE_NOTHING: break;
    case COMPLETE_FILE: printf("_weir_files -f -- \"$cur\""); break;
    case COMPLETE_DIR: printf("_weir_files -d -- \"$cur\""); break;
    case COMPLETE_AT_FILE: printf("[[ $cur != @* ]] || _weir_files -P @ -f -- \"${cur#@}\""); break;
    case COMPLETE_FIELDS:
        printf("_weir_list '");
        put_fields();
        printf("'");
        break;
    case COMPLETE_TOPIC:
        printf("_weir_words '");
        put_topics();
        printf("'");
        break;
    }
}

/* Letters stand together: in -sSo the last one has the argument. */
static void put_bash_letters(void)
{
    printf("    if [[ $option =~ ^-[");
    for (const struct option *option = option_table; option->name; option++) {
        if (option->letters && !option->arg)
            printf("%s", option->letters);
    }
    printf("]+[");
    for (const struct option *option = option_table; option->name; option++) {
        if (option->letters && option->arg)
            printf("%s", option->letters);
    }
    printf("]$ ]]; then\n        option=-${option: -1}\n    fi\n");
}

static void put_bash(const struct options *defaults)
{
    printf("# bash completion for weir, made from its table of options.\n%s", bash_head);
    put_bash_letters();
    printf("    local names='");
    for (const struct option *option = option_table; option->name; option++) {
        printf("--%s ", option->name);
        if (is_on(option, defaults))
            printf("--no-%s ", option->name);
    }
    printf("'\n    case $option in\n");
    for (const struct option *option = option_table; option->name; option++) {
        if (!offers(option))
            continue;
        printf("    ");
        put_names(option, "-", "", "--", "", " | ");
        printf(")\n        ");
        put_bash_value(option);
        printf("\n        return\n        ;;\n");
    }
    const char *lead = "    ";
    for (const struct option *option = option_table; option->name; option++) {
        if (!option->arg || option->kind == OPTION_ALIAS || offers(option))
            continue;
        printf("%s", lead);
        put_names(option, "-", "", "--", "", " | ");
        lead = " | \\\n        ";
    }
    printf(")\n        return\n        ;;\n");
    printf("%s", bash_tail);
}

/* ---- zsh ---- */

static const char zsh_quote[] = "'\\''";

static void put_zsh_value(const struct option *option)
{
    printf("%s:", option->kind == OPTION_HELP ? ":" : "");
    put_quoted(option->arg, ":[]\\", zsh_quote);
    printf(":");
    if (option->words) {
        printf("(");
        put_words(option);
        printf(")");
        return;
    }
    switch (option->complete) {
    case COMPLETE_NOTHING: break;
    case COMPLETE_FILE: printf("_files"); break;
    case COMPLETE_DIR: printf("_files -/"); break;
    case COMPLETE_AT_FILE: printf("_files -P @"); break;
    case COMPLETE_FIELDS:
        printf("_values -s , field ");
        put_fields();
        break;
    case COMPLETE_TOPIC:
        printf("(");
        put_topics();
        printf(")");
        break;
    }
}

static bool is_repeatable(const struct option *option)
{
    return option->kind == OPTION_LIST || option->kind == OPTION_CALL;
}

static bool has_several_names(const struct option *option)
{
    for (const struct option *other = option_table; other->name; other++) {
        if (is_alias_of(other, option))
            return true;
    }
    return option->letters != NULL;
}

static void put_zsh_option(const struct option *option)
{
    bool takes = option->arg && option->kind != OPTION_HELP;

    printf("    '");
    if (is_repeatable(option)) {
        printf("*");
    } else {
        printf("(");
        put_names(option, "-", "", "--", "", " ");
        printf(")");
    }
    /* One name alone in braces would not be expanded. */
    bool several = has_several_names(option);
    printf("%s", several ? "'{" : "");
    put_names(option, "-", takes ? "+" : "", "--", takes ? "=" : "", ",");
    printf("%s[", several ? "}'" : "");
    put_quoted(option->help, "[]\\", zsh_quote);
    printf("]");
    if (option->arg)
        put_zsh_value(option);
    printf("'\n");
}

static void put_zsh(const struct options *defaults)
{
    printf("#compdef weir\n# zsh completion for weir, made from its table of options.\n"
           "local -a options\noptions=(\n");
    for (const struct option *option = option_table; option->name; option++) {
        if (option->kind == OPTION_ALIAS)
            continue;
        put_zsh_option(option);
        if (is_on(option, defaults))
            printf("    '--no-%s[Turn --%s off]'\n", option->name, option->name);
    }
    printf(")\n_arguments -s -S $options '*:URL:_urls'\n");
}

/* ---- fish ---- */

static const char fish_quote[] = "\\'";

static void put_fish_value(const struct option *option)
{
    if (option->words) {
        printf(" -x -a '");
        put_words(option);
        printf("'");
        return;
    }
    switch (option->complete) {
    case COMPLETE_FILE: printf(" -r -F"); break;
    case COMPLETE_DIR: printf(" -x -a '(__fish_complete_directories)'"); break;
    case COMPLETE_NOTHING:
    case COMPLETE_AT_FILE: printf(" -x"); break;
    case COMPLETE_FIELDS: printf(" -x -a '(__weir_fields)'"); break;
    case COMPLETE_TOPIC:
        printf(" -x -a '");
        put_topics();
        printf("'");
        break;
    }
}

static void put_fish_option(const struct option *option, const struct options *defaults)
{
    printf("complete -c weir ");
    put_names(option, "-s '", "'", "-l ", "", " "); /* one is a # */
    if (option->arg)
        put_fish_value(option);
    printf(" -d '");
    put_quoted(option->help, "\\", fish_quote);
    printf("'\n");
    if (is_on(option, defaults))
        printf("complete -c weir -l no-%s -d 'Turn --%s off'\n", option->name, option->name);
}

static void put_fish(const struct options *defaults)
{
    printf("# fish completion for weir, made from its table of options.\n"
           "function __weir_fields\n"
           "    set -l begun (string replace -r '[^,]*$' '' -- (commandline -ct))\n"
           "    printf '%%s\\n' \"$begun\"(string split ' ' '");
    put_fields();
    printf("')\nend\n\ncomplete -c weir -f\n");
    for (const struct option *option = option_table; option->name; option++) {
        if (option->kind != OPTION_ALIAS)
            put_fish_option(option, defaults);
    }
}

int main(int argc, char **argv)
{
    struct options defaults;
    int status = 0;

    options_init(&defaults);
    if (argc == 2 && strcmp(argv[1], "bash") == 0)
        put_bash(&defaults);
    else if (argc == 2 && strcmp(argv[1], "zsh") == 0)
        put_zsh(&defaults);
    else if (argc == 2 && strcmp(argv[1], "fish") == 0)
        put_fish(&defaults);
    else
        status = 2;
    options_release(&defaults);
    return status || fflush(stdout) ? 2 : 0;
}
