/*
 * The page's own text, as src/report/page/embed.py makes it of the files there: the data stands
 * between the pieces. page_head, the numbers for who runs no script, page_middle, the JSON,
 * page_tail.
 */
#ifndef WEIR_REPORT_PAGE_PARTS_H
#define WEIR_REPORT_PAGE_PARTS_H

#include <stddef.h>

extern const unsigned char page_head[], page_middle[], page_tail[];
extern const size_t page_head_len, page_middle_len, page_tail_len;

#endif
