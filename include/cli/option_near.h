/*
 * What to say where there is no such option: the one that is spelt most like it, the one that does
 * here what another program calls so, or where all of them are told. Looks at names only, and at no
 * more than the table has.
 */
#ifndef WEIR_CLI_OPTION_NEAR_H
#define WEIR_CLI_OPTION_NEAR_H

struct buf;

/* The name that is spelt most like `name`, or NULL where none is near. */
const char *option_nearest(const char *name);
/* The name that it has here, of an option that curl's neighbours call `name`; NULL for any other. */
const char *option_of_others(const char *name);
/* Appends the way on to what `err` has to say of `name`, which stands without its dashes. */
void option_suggest(const char *name, struct buf *err);

#endif
