#include "report/screen.h"

#include <assert.h>

#include "base/buf.h"
#include "base/util.h"

/* The rows that the lines take now. */
static size_t rows_of(const struct screen *screen, size_t width)
{
    size_t rows = 0;

    for (size_t i = 0; i < screen->n_lines; i++)
        rows += width ? MAX((screen->columns[i] + width - 1) / width, 1) : 1;
    return rows;
}

/* To the beginning of the first of them. */
static void go_up(const struct screen *screen, size_t width, struct buf *out)
{
    size_t rows = rows_of(screen, width);

    buf_add_char(out, '\r');
    if (rows > 1)
        buf_addf(out, "\033[%zuA", rows - 1);
}

void screen_erase(struct screen *screen, size_t width, struct buf *out)
{
    if (!screen->n_lines)
        return;
    go_up(screen, width, out);
    buf_add_text(out, "\033[J");
    screen->n_lines = 0;
}

void screen_forget(struct screen *screen)
{
    screen->n_lines = 0;
}

void screen_begin(struct screen *screen, size_t width, struct buf *out)
{
    if (width != screen->width)
        screen_erase(screen, width, out); /* a broken line that is drawn over would stay one */
    go_up(screen, width, out);
    screen->n_lines = 0;
    screen->width = width;
}

void screen_add_line(struct screen *screen, const char *text, size_t columns, struct buf *out)
{
    assert(screen->n_lines < SCREEN_LINES);
    if (screen->n_lines)
        buf_add_text(out, "\r\n");
    buf_add_text(out, text);
    buf_add_text(out, "\033[K");
    screen->columns[screen->n_lines++] = columns;
}

void screen_end(struct screen *screen, struct buf *out)
{
    (void)screen;
    buf_add_text(out, "\033[J");
}
