/*
 * Descriptors that are kept for the naming of files, which cannot wait for one: from the first file
 * on, and as long as a request can start beside them.
 *
 * Bound: two. Owns nothing. Part of: files.
 */
#ifndef WEIR_DELIVER_FILES_SPARES_H
#define WEIR_DELIVER_FILES_SPARES_H

#include <stdbool.h>

struct files;

/* Files are named between these two. */
void files_lend_spares(struct files *);
void files_keep_spares(struct files *);
/* None are kept from now on. Whether there were any. */
bool files_give_up_spares(struct files *);

#endif
