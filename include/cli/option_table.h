/*
 * The one table of options: parsing, --help, the completions and the check of the man page all read
 * it, so an option that is here is everywhere, and one that is not is nowhere.
 */
#ifndef WEIR_CLI_OPTION_TABLE_H
#define WEIR_CLI_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

struct buf;
struct options;

enum option_group {
    GROUP_INPUT,
    GROUP_FLOW,
    GROUP_RETRIES,
    GROUP_ENDS,
    GROUP_LASTING,
    GROUP_OUTPUT,
    GROUP_REQUEST,
    GROUP_CREDENTIALS,
    GROUP_CONNECTION,
    GROUP_OTHER,
    GROUP_COUNT
};

enum option_kind {
    OPTION_SWITCH,  /* a bool; --no-NAME turns it off */
    OPTION_SET,     /* stores `value` in an unsigned */
    OPTION_COUNT,   /* unsigned, from `min` to `max` */
    OPTION_BIG,     /* uint64_t, from `min` to `max` */
    OPTION_BYTES,   /* uint64_t */
    OPTION_SECONDS, /* double */
    OPTION_WORD,    /* one of `words`: its index, in an unsigned */
    OPTION_TEXT,    /* char *, the last one given */
    OPTION_LIST,    /* struct strings, all given */
    OPTION_CODES,   /* struct codes */
    OPTION_CALL,    /* `set` does it */
    OPTION_HELP,    /* a switch with an optional topic */
    OPTION_ALIAS,   /* another name for the option called `of` */
    OPTION_ACCEPTED /* taken, and means nothing more */
};

/* What a shell offers for the argument, beside the `words`. */
enum option_completion {
    COMPLETE_NOTHING,
    COMPLETE_FILE,
    COMPLETE_DIR,
    COMPLETE_AT_FILE, /* a file, behind an @ */
    COMPLETE_FIELDS,  /* names of fields, with commas between them */
    COMPLETE_TOPIC    /* all, or the name of an option */
};

struct option {
    const char *name;
    const char *letters; /* the first is the one that help shows */
    const char *arg;     /* what help calls the argument; NULL: it takes none */
    enum option_kind kind;
    enum option_group group;
    bool brief; /* one of those that the short help shows */
    bool once;  /* of OPTION_TEXT: a second one is refused */
    size_t at;  /* offset in struct options */
    unsigned value;
    uint64_t min, max;
    const char *const *words; /* of OPTION_WORD all there are, of others what completions offer */
    enum option_completion complete;
    const char *of;
    /* Says whether the argument can be; -EINVAL with words ("takes ...") in `err`. */
    int (*check)(const char *text, struct buf *err);
    /* Of OPTION_CALL; -EINVAL with words in `err`. */
    int (*set)(struct options *, const char *text, struct buf *err);
    const char *help;
};

/* All of them, in the order that help shows; ends with a row whose name is NULL. */
extern const struct option option_table[];

const char *option_group_title(enum option_group);

/* The row for a long name, aliases followed, or NULL. */
const struct option *option_find(const char *name);
const struct option *option_find_letter(char letter);

#endif
