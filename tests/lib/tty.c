#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "moment.h"

enum { CELL = 5 /* a character in UTF-8, and its end */ };

struct tty {
    int ours, theirs;
    unsigned columns, rows, row, column;
    char cells[TTY_ROWS_MAX][TTY_COLUMNS_MAX][CELL];
    struct blob bytes, above, screen;
    size_t seen; /* of the bytes, by the screen */
    char fault[64];
};

static int open_ends(struct tty *tty)
{
    char name[64];

    tty->ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (tty->ours < 0 || grantpt(tty->ours) < 0 || unlockpt(tty->ours) < 0 ||
        ptsname_r(tty->ours, name, sizeof name) != 0)
        return -1;
    tty->theirs = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return tty->theirs < 0 ? -1 : 0;
}

struct tty *tty_new(unsigned columns, unsigned rows)
{
    struct tty *tty = calloc(1, sizeof *tty);

    if (!tty)
        return NULL;
    tty->ours = tty->theirs = -1;
    if (open_ends(tty) < 0) {
        tty_free(tty);
        return NULL;
    }
    tty_resize(tty, columns, rows);
    return tty;
}

void tty_free(struct tty *tty)
{
    if (!tty)
        return;
    if (tty->ours >= 0)
        close(tty->ours);
    if (tty->theirs >= 0)
        close(tty->theirs);
    blob_release(&tty->bytes);
    blob_release(&tty->above);
    blob_release(&tty->screen);
    free(tty);
}

int tty_number(const struct tty *tty)
{
    return tty->theirs;
}

void tty_resize(struct tty *tty, unsigned columns, unsigned rows)
{
    struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};

    tty->columns = columns;
    tty->rows = rows;
    ioctl(tty->theirs, TIOCSWINSZ, &size);
}

/* ---- the screen ---- */

static void add_row(struct blob *out, char row[][CELL], unsigned columns)
{
    while (columns && (!*row[columns - 1] || strcmp(row[columns - 1], " ") == 0))
        columns--;
    for (unsigned i = 0; i < columns; i++)
        blob_add_text(out, *row[i] ? row[i] : " ");
    blob_add_text(out, "\n");
}

static void go_down(struct tty *tty)
{
    if (tty->row + 1 < tty->rows) {
        tty->row++;
        return;
    }
    add_row(&tty->above, tty->cells[0], TTY_COLUMNS_MAX);
    memmove(tty->cells[0], tty->cells[1], (size_t)(TTY_ROWS_MAX - 1) * sizeof tty->cells[0]);
    memset(tty->cells[tty->row], 0, sizeof tty->cells[0]);
}

static void erase_line(struct tty *tty)
{
    for (unsigned i = tty->column; i < TTY_COLUMNS_MAX; i++)
        *tty->cells[tty->row][i] = '\0';
}

static void erase_below(struct tty *tty)
{
    erase_line(tty);
    for (unsigned i = tty->row + 1; i < TTY_ROWS_MAX; i++)
        memset(tty->cells[i], 0, sizeof tty->cells[i]);
}

static void note_fault(struct tty *tty, const char *at, size_t len)
{
    if (*tty->fault)
        return;
    for (size_t i = 0; i < len && i < 8; i++)
        snprintf(tty->fault + 3 * i, sizeof tty->fault - 3 * i, "%02x ", (unsigned char)at[i]);
}

/* ESC [ number letter; 0 where its end has not come. */
static size_t take_sequence(struct tty *tty, const char *at, size_t len)
{
    size_t end = 2;
    unsigned number = 0;

    while (end < len && ((at[end] >= '0' && at[end] <= '9') || at[end] == ';'))
        end++;
    if (len < 2 || end >= len)
        return 0;
    number = (unsigned)strtoul(at + 2, NULL, 10);
    if (at[1] != '[' || !strchr("AJKm", at[end]))
        note_fault(tty, at, end + 1);
    else if (at[end] == 'A')
        tty->row -= number < tty->row ? number : tty->row;
    else if (at[end] == 'J')
        erase_below(tty);
    else if (at[end] == 'K')
        erase_line(tty);
    return end + 1;
}

/* 0 where its end has not come. */
static size_t take_character(struct tty *tty, const char *at, size_t len)
{
    unsigned char first = (unsigned char)at[0];
    size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

    if (len < size)
        return 0;
    if (tty->column >= tty->columns) {
        tty->column = 0;
        go_down(tty);
    }
    memcpy(tty->cells[tty->row][tty->column], at, size);
    tty->cells[tty->row][tty->column][size] = '\0';
    tty->column++;
    return size;
}

static size_t take_some(struct tty *tty, const char *at, size_t len)
{
    switch (*at) {
    case '\r': tty->column = 0; return 1;
    case '\n': go_down(tty); return 1;
    case '\033': return take_sequence(tty, at, len);
    default: break;
    }
    if ((unsigned char)*at < 0x20)
        note_fault(tty, at, 1);
    return take_character(tty, at, len);
}

/* ---- what is read ---- */

void tty_read(struct tty *tty)
{
    enum { PIECE = 4096 };
    ssize_t got;
    size_t taken = 1;

    while ((got = read(tty->ours, blob_reserve(&tty->bytes, PIECE), PIECE)) > 0)
        blob_extend(&tty->bytes, (size_t)got);
    while (taken && tty->seen < tty->bytes.len) {
        taken = take_some(tty, tty->bytes.at + tty->seen, tty->bytes.len - tty->seen);
        tty->seen += taken;
    }
}

const char *tty_screen(struct tty *tty)
{
    blob_clear(&tty->screen, tty->screen.capacity);
    blob_add(&tty->screen, blob_text(&tty->above), tty->above.len);
    for (unsigned i = 0; i < tty->rows; i++)
        add_row(&tty->screen, tty->cells[i], TTY_COLUMNS_MAX);
    size_t len = tty->screen.len;
    while (len > 1 && tty->screen.at[len - 1] == '\n' && tty->screen.at[len - 2] == '\n')
        len--;
    tty->screen.at[len] = '\0';
    return strcmp(tty->screen.at, "\n") == 0 ? "" : tty->screen.at;
}

bool tty_shows(struct tty *tty, const char *text)
{
    return strstr(tty_screen(tty), text) != NULL;
}

bool tty_shows_soon(struct tty *tty, const char *text, double seconds)
{
    const char *factor = getenv("RUN_TIME_FACTOR");
    double end = moment_now() + (factor ? seconds * strtod(factor, NULL) : seconds);
    struct pollfd ours = {.fd = tty->ours, .events = POLLIN};

    for (;;) {
        tty_read(tty);
        if (tty_shows(tty, text))
            return true;
        double left = end - moment_now();
        if (left <= 0)
            return false;
        poll(&ours, 1, (int)(left * 1000) + 1);
        moment_nap();
    }
}

const struct blob *tty_bytes(const struct tty *tty)
{
    return &tty->bytes;
}

const char *tty_fault(const struct tty *tty)
{
    return tty->fault;
}
